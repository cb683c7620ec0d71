//! How SQLite would run what is asked: nothing reads a whole table or a whole index, but for the lists that
//! go through one in its order and end after a page.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{
    SqliteStore, access, attachments, conversations, erasure, links, messages, notices, participants, requests, search,
    sessions, users,
};
use crate::{
    domain::{ConversationKind, ConversationStatus, RequestOrder, RequestStatus},
    storage::{ConversationFilter, RequestFilter, rules::count_requests_sql},
};

/// What was bound, or found just before.
const SHORT: &[&str] = &[
    "json_each",
    "numbered",
    "4 CONSTANT ROWS",
    "4-ROW VALUES CLAUSE",
    "CONSTANT ROW",
    "own",
    "counted",
    "asked",
    "new",
    "(subquery-",
];

/// The plan of each statement of a text.
async fn plans(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("explain query plan {statement}")))
                .fetch_all(&mut *conn)
                .await
                .unwrap();
        steps.extend(rows.into_iter().map(|(_, _, _, step)| step));
    }
    steps
}

/// Asserts that rows of tables are looked up by an index, and that none but `in_order` is read from one end.
fn assert_indexed(sql: &str, plan: &[String], in_order: Option<&str>) {
    for step in plan {
        let Some((how, what)) = step.split_once(' ') else { continue };
        match how {
            "SEARCH" => {
                // Nothing else is said of the greatest key, which is at the end of the table.
                let is_greatest = sql == notices::LAST && what == "notices";
                let is_indexed = step.contains("INDEX") || step.contains("PRIMARY KEY") || is_greatest;
                assert!(is_indexed, "{step} in {plan:#?} for{sql}");
            }
            "SCAN" => {
                // Beside it the index of words, which is asked for words only.
                let is_short = SHORT.iter().any(|source| what.starts_with(source))
                    || what.starts_with("message_search VIRTUAL TABLE") && !what.ends_with("INDEX 0:");
                let is_list = in_order.is_some_and(|index| what.contains("USING") && what.ends_with(index));
                assert!(is_short || is_list, "{step} in {plan:#?} for{sql}");
            }
            _ => {}
        }
    }
}

fn sorts(plan: &[String]) -> bool {
    plan.iter().any(|step| step.contains("ORDER BY"))
}

/// Asserts one look-up for each conversation of this person, however many others there are.
fn assert_looks_up_own(sql: &str, plan: &[String]) {
    let look_up = |step: &String| step.starts_with("SEARCH conversations") && step.ends_with("(id=?)");
    assert!(plan.iter().any(look_up), "{plan:#?} for{sql}");
}

async fn store() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&format!("sqlite://{}/plans.db", folder.path().display())).await.unwrap();
    (store, folder)
}

#[tokio::test]
async fn every_query_uses_an_index() {
    let (store, _folder) = store().await;
    let mut conn = store.reader().await.unwrap();
    for sql in [
        access::SEATS.of(1),
        access::SEATS.of(4),
        access::CONVERSATION_OF,
        attachments::COUNT_UNSENT,
        attachments::FIND,
        attachments::UNSENT,
        attachments::SEND,
        attachments::DISCARD,
        attachments::DISCARD_UNSENT,
        conversations::LOAD,
        conversations::LOAD_SOME,
        conversations::COUNT_ALL,
        conversations::COUNT_OWN,
        conversations::HEADS,
        conversations::ACTIVE,
        conversations::ADOPT,
        conversations::AUDIENCES,
        conversations::UNREAD,
        links::FIND,
        links::REVOKE,
        messages::BY_ID,
        messages::INSERT.of(1),
        messages::INSERT.of(4),
        messages::INDEX,
        messages::LAST_INDEXED,
        messages::READ_ON,
        messages::BEFORE,
        messages::AFTER,
        notices::NOTE,
        notices::LAST,
        notices::LIST,
        participants::LIST,
        participants::IS_IN,
        participants::RECEIPTS,
        requests::BY_ID,
        requests::HISTORY,
        requests::COUNT_OWN,
        &count_requests_sql(requests::MOST),
        sessions::CLEAR,
        sessions::FIND,
        sessions::END_ALL,
        sessions::FIND_SIGN_IN_LINK,
        users::HAS_ADMIN,
        users::BY_EMAIL,
        users::BY_ID,
        users::FIND_PASSWORD_RESET,
        users::FIND_INVITE,
        users::FIND_TOKEN,
        erasure::END_SESSIONS,
        erasure::DISCARD_FILES,
        erasure::UNSEARCH,
        erasure::TO_ANONYMISE,
        erasure::TO_DELETE,
        erasure::CONVERSATIONS_OF,
        erasure::LIST_EXPIRED,
    ] {
        let plan = plans(&mut conn, sql).await;
        assert!(!plan.is_empty(), "no plan for{sql}");
        assert_indexed(sql, &plan, None);
        assert!(!sorts(&plan), "{plan:#?} sorts for{sql}");
        if sql == conversations::COUNT_OWN {
            assert_looks_up_own(sql, &plan);
        }
        if sql == erasure::END_SESSIONS {
            assert!(plan[0].starts_with("SEARCH login_sessions") && plan[0].ends_with("(id=?)"), "{plan:#?} for{sql}");
        }
    }
    // Sorted are the links of one session, and the sessions of one person.
    for sql in [sessions::LIST] {
        let plan = plans(&mut conn, sql).await;
        assert_indexed(sql, &plan, None);
    }
    drop(conn);
    crate::storage::Store::close(&store).await;
}

#[tokio::test]
async fn search_reads_from_the_latest_message_on() {
    let (store, _folder) = store().await;
    let mut conn = store.reader().await.unwrap();
    for sql in [&search::latest(2), search::ALL_BY_WORD, search::OWN_BY_WORD, search::FOUND, search::PLACE] {
        let plan = plans(&mut conn, sql).await;
        assert_indexed(sql, &plan, None);
        assert!(!sorts(&plan), "{plan:#?} sorts for{sql}");
    }
    for sql in [search::COUNT_OWN, search::OWN] {
        let plan = plans(&mut conn, sql).await;
        assert_indexed(sql, &plan, None);
        // First the few that are theirs, then what belongs to each.
        let own = plan.iter().position(|step| step == "SCAN own").unwrap_or_else(|| panic!("{plan:#?} for{sql}"));
        let theirs = plan[own..].iter().any(|step| step.contains("(conversation_id=?") || step.ends_with("(id=?)"));
        assert!(theirs, "{plan:#?} for{sql}");
    }
    drop(conn);
    crate::storage::Store::close(&store).await;
}

#[tokio::test]
async fn lists_of_conversations_go_through_an_index_in_its_order() {
    let (store, _folder) = store().await;
    let mut conn = store.reader().await.unwrap();
    for n in 0..32 {
        let filter = ConversationFilter {
            status: (n & 1 != 0).then_some(ConversationStatus::Open),
            kind: (n & 2 != 0).then_some(ConversationKind::Session),
            search: (n & 4 != 0).then(|| "ada".to_owned()),
        };
        let (has_cursor, is_admin) = (n & 8 != 0, n & 16 != 0);
        let sql = conversations::list_sql(is_admin, &filter, has_cursor);
        let plan = plans(&mut conn, &sql).await;
        assert_indexed(&sql, &plan, is_admin.then_some("conversations_by_activity"));
        if is_admin {
            // In the order of the index, so that a page costs as much as it has rows.
            assert!(!sorts(&plan), "{plan:#?} sorts for{sql}");
            let index = if filter.status.is_some() { "conversations_by_status" } else { "conversations_by_activity" };
            assert!(plan[0].contains(index), "{plan:#?} for{sql}");
            assert_eq!(plan[0].starts_with("SEARCH"), filter.status.is_some() || has_cursor, "{plan:#?} for{sql}");
        } else {
            assert_looks_up_own(&sql, &plan);
        }
    }
    drop(conn);
    crate::storage::Store::close(&store).await;
}

/// Lists of requests can be in any of four orders, and are sorted: a customer's own, or what admins chose of all.
#[tokio::test]
async fn lists_of_requests_read_none_but_those_that_are_asked_for() {
    let (store, _folder) = store().await;
    let mut conn = store.reader().await.unwrap();
    let orders = [RequestOrder::Activity, RequestOrder::Newest, RequestOrder::Wanted, RequestOrder::Title];
    for (n, order) in (0..16).flat_map(|n| orders.map(|order| (n, order))) {
        let filter = RequestFilter {
            status: (n & 1 != 0).then_some(RequestStatus::New),
            search: (n & 2 != 0).then(|| "ada".to_owned()),
            order,
        };
        let (has_cursor, is_admin) = (n & 4 != 0, n & 8 != 0);
        let sql = requests::list_sql(is_admin, &filter, has_cursor);
        let plan = plans(&mut conn, &sql).await;
        let reads = |start: &str| plan.iter().any(|step| step.starts_with(start));
        if is_admin && filter.status.is_none() {
            let (all, others) = plan.iter().cloned().partition::<Vec<_>, _>(|step| step == "SCAN custom_requests");
            assert_eq!(all.len(), 1, "{plan:#?} for{sql}");
            assert_indexed(&sql, &others, None);
        } else {
            assert_indexed(&sql, &plan, None);
            let by = if is_admin { "custom_requests_by_status" } else { "custom_requests_by_customer" };
            assert!(reads(&format!("SEARCH custom_requests USING INDEX {by}")), "{plan:#?} for{sql}");
        }
    }
    drop(conn);
    crate::storage::Store::close(&store).await;
}
