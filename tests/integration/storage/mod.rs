//! The contract of every `Store`, and the features of each database.
//!
//! The contract is a list of functions that know only `dyn Store`; each backend runs all of it, on an
//! empty database for each function. A function that is missing in the list is dead code, which the
//! compiler reports.

mod access;
mod accounts;
mod answers;
mod concurrency;
mod conversations;
mod copy;
mod cost;
mod erasure;
mod files;
mod idle;
mod messages;
mod notices;
mod participants;
mod postgres;
mod ratings;
mod replies;
mod requests;
mod row_security;
mod search;
mod setup;
mod silence;
mod sqlite;
mod world;

macro_rules! contract {
    ($($start:ident { $($subject:ident { $($case:ident)+ })+ })+) => {
        /// The contract, for SQLite.
        mod on_sqlite {$($(
            mod $subject {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use crate::storage::{sqlite::SqliteFile, $subject, world};
                    $subject::$case(world::$start(SqliteFile::open().await).await).await;
                }
            )+}
        )+)+}

        /// The contract, for PostgreSQL.
        mod on_postgres {$($(
            mod $subject {$(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    use crate::storage::{postgres::PostgresDatabase, $subject, world};
                    let Some(database) = PostgresDatabase::open().await else { return };
                    $subject::$case(world::$start(database).await).await;
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
            a_session_gives_its_links_to_another_and_ends
            links_granted_to_a_session_that_is_given_away_are_not_lost
            sessions_belong_to_users_and_links_that_exist
            sign_in_links_work_until_they_expire
            tokens_work_until_they_are_revoked
            people_are_listed_admins_first_and_searched
            people_are_renamed
            an_own_address_is_confirmed_once
            a_new_address_takes_the_place_of_the_old_when_it_is_confirmed
            the_owner_of_the_address_claims_the_account
            a_new_password_cancels_the_new_address
            a_claim_and_a_change_of_address_at_once_leave_one
            a_new_password_ends_every_other_way_in
            a_password_is_reset_once
            an_id_that_is_taken_makes_nothing
            an_invitation_makes_one_admin
            an_invitation_dies_when_it_expires_is_withdrawn_or_its_maker_is_no_admin_any_more
            admins_give_roles_to_others
            of_two_admins_who_demote_each_other_at_once_one_stays
            the_tokens_of_a_demoted_admin_stop_working
            sessions_that_were_not_seen_for_long_are_over
            people_see_and_end_their_own_sessions
            an_account_adopts_chats_without_an_owner
            the_audience_of_a_conversation_is_its_account_and_its_living_link
        }
        access {
            outsiders_find_nothing
            insiders_have_their_permissions
            each_sees_their_own_fields
            a_new_link_shuts_out_the_old
            missing_data_is_not_found
        }
        conversations {
            opening_is_the_first_rev
            several_are_found_at_once_by_those_who_may_see_them
            heads_are_returned_for_existing_conversations
            recently_active_conversations_are_listed
            closing_and_reopening
            assigning
            activity_orders_the_list
            lists_are_filtered_and_counted
            search_is_literal_and_in_any_case
            search_knows_no_accents_and_no_normal_form
            searches_find_the_same_however_many_there_are
            paging_visits_each_once
            links_live_one_at_a_time
        }
        messages {
            posting_takes_the_next_seq_and_rev
            one_client_id_makes_one_message
            a_client_id_belongs_to_its_sender_and_conversation
            a_stored_message_is_returned_after_later_changes
            other_content_under_a_stored_client_id_is_a_conflict
            of_two_messages_with_one_client_id_at_once_one_is_stored
            editing_is_for_the_author
            deleting_is_for_the_author_and_admins
            closed_conversations_are_read_only
            the_list_shows_the_latest_message
            older_pages
            newer_pages
        }
        answers {
            first_answers_are_listed_once_for_each_chat
        }
        idle {
            a_silent_chat_is_warned_and_then_closed
            chats_in_which_somebody_waits_stay_open
        }
        ratings {
            the_customer_side_rates_a_closed_conversation
            a_conversation_that_is_closed_again_is_rated_again
            an_account_s_address_is_for_that_account
        }
        replies {
            a_reply_shows_the_message_as_it_is_now
            a_reply_goes_to_a_message_of_its_conversation
            a_reply_is_part_of_what_was_sent
            a_message_has_a_limited_number_of_replies
        }
        requests {
            files_of_a_request_belong_to_its_owner_and_the_admins
            a_request_takes_few_files_while_it_is_open
            files_of_an_erased_request_are_discarded
            a_new_request_is_edited_by_its_customer
            a_new_request_is_withdrawn_by_its_customer
            customers_make_their_own_and_admins_make_them_for_customers
            each_sees_their_own
            paging_in_each_order_visits_each_once
            activity_in_the_conversation_moves_a_request_up
            lists_are_filtered_and_counted
            a_request_is_found_by_its_customers_current_name
            a_status_is_noted_with_who_gave_it
            many_who_open_at_once_get_the_same_conversation
            the_conversation_of_a_request_is_its_customers
            a_conversation_begins_with_the_history_of_its_request
            a_change_of_status_adds_a_line_even_to_a_closed_conversation
            system_lines_cannot_be_changed
            a_change_of_status_is_news_to_everyone_but_its_maker
            statuses_and_messages_at_once_leave_no_holes
        }
        files {
            files_go_with_a_message_in_the_order_given
            other_files_under_a_stored_client_id_are_a_conflict
            one_sends_own_unsent_files_of_this_conversation_only
            one_file_is_sent_once_however_many_try
            a_file_is_its_senders_until_it_is_sent_and_then_the_conversations
            a_closed_conversation_takes_no_files
            the_files_of_a_deleted_message_are_gone
            unsent_files_expire
            an_account_sends_files_that_it_uploaded_as_a_guest
            a_person_and_a_conversation_have_room_for_so_many_bytes
        }
        search {
            words_are_found_in_any_case_and_by_how_they_begin
            nothing_in_a_query_is_more_than_a_word
            everyone_finds_only_visible_messages
            edits_and_deletions_update_the_search
            system_lines_are_not_searched
            paging_finds_each_once_latest_first
            rare_and_common_words_are_found_among_many_messages
        }
        participants {
            joining_once_is_enough
            leaving_is_noted
            receipts_only_move_forward
            a_guest_with_a_new_account_stays_the_same_person
            unread_counts_later_messages_of_others
            all_unread_is_that_of_open_conversations
        }
        notices {
            revocations_add_notices
            other_changes_add_no_notices
        }
        erasure {
            no_stored_hash_reveals_a_deleted_text
            a_customer_is_erased_and_the_messages_of_admins_remain
            a_customer_without_an_account_is_erased_too
            admins_are_not_erased
            an_erased_former_admin_loses_assignments
            expired_conversations_are_deleted
            expired_conversations_are_anonymised_once
            requests_in_progress_do_not_expire
        }
        concurrency {
            many_writers_leave_no_holes
            every_rev_leads_to_the_same_state
            writes_are_done_in_the_order_they_were_asked_for
            a_write_outlives_its_caller
            one_failure_does_not_hurt_the_neighbours
            messages_that_are_stored_together_are_each_in_their_place
            commits_are_published_from_the_registration_on
            closing_finishes_queued_writes
        }
    }
}
