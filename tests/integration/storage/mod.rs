//! What every `Store` must do, and what is special about SQLite.
//!
//! The contract is a list of functions that know only `dyn Store`; each backend runs all of it, on an
//! empty database for each function. A function that is missing in the list is dead code, which the
//! compiler reports.

mod access;
mod accounts;
mod concurrency;
mod conversations;
mod messages;
mod participants;
mod setup;
mod sqlite;
mod world;

macro_rules! contract {
    ($($start:ident { $($subject:ident { $($case:ident)+ })+ })+) => {
        /// The contract, kept by SQLite.
        mod on_sqlite {$($(
            mod $subject {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use crate::storage::{sqlite::SqliteFile, $subject, world};
                    $subject::$case(world::$start(SqliteFile::open().await).await).await;
                }
            )+}
        )+)+}
    };
}

contract! {
    empty {
        setup {
            the_first_admin_is_made_once
            the_first_admin_needs_a_free_email
            the_first_admin_uses_up_the_secret
        }
    }

    with_an_admin {
        accounts {
            users_are_found_by_email
            an_email_is_taken_once
            a_setup_secret_replaces_the_one_before
            sessions_are_found_until_they_end
            sessions_hold_links_while_they_are_valid
            sessions_belong_to_users_and_links_that_exist
            sign_in_links_work_until_they_expire
            tokens_work_until_they_are_revoked
        }
        access {
            outsiders_find_nothing
            insiders_do_what_is_theirs
            each_sees_what_is_for_them
            a_new_link_shuts_out_the_old
            what_does_not_exist_is_not_found
        }
        conversations {
            opening_is_the_first_rev
            closing_and_reopening
            assigning
            activity_orders_the_list
            lists_are_filtered_and_counted
            search_is_literal_and_in_any_case
            paging_visits_each_once
            links_live_one_at_a_time
        }
        messages {
            posting_takes_the_next_seq_and_rev
            one_client_id_makes_one_message
            a_client_id_belongs_to_its_sender_and_conversation
            a_stored_message_is_returned_whatever_happened_since
            editing_is_for_the_author
            deleting_is_for_the_author_and_admins
            closed_conversations_are_read_only
            the_list_shows_the_latest_message
            older_pages
            newer_pages
        }
        participants {
            joining_once_is_enough
            leaving_is_noted
            receipts_only_move_forward
            a_guest_with_a_new_account_stays_the_same_person
            unread_is_what_others_wrote_since
        }
        concurrency {
            many_writers_leave_no_holes
            every_rev_leads_to_the_same_state
            writes_are_done_in_the_order_they_were_asked_for
            a_write_outlives_its_caller
            one_failure_does_not_hurt_the_neighbours
            commits_are_told_from_when_they_were_asked_for
            closing_finishes_what_is_queued
        }
    }
}
