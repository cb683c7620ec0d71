//! How SQLite would run what is asked most: nothing reads a whole table, and nothing that pages
//! through much sorts it first.

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{access, conversations, messages, participants};
use crate::{
    domain::{ConversationKind, ConversationStatus},
    storage::{ConversationFilter, sqlite::SqliteStore},
};

async fn plan(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let rows: Vec<(i64, i64, i64, String)> =
        sqlx::query_as(AssertSqlSafe(format!("explain query plan {sql}"))).fetch_all(conn).await.unwrap();
    rows.into_iter().map(|(_, _, _, step)| step).collect()
}

/// Asserts that every table is read by an index; but not what was bound or found just before.
fn assert_indexed(sql: &str, plan: &[String]) {
    for step in plan.iter().filter(|step| step.starts_with("SCAN") || step.starts_with("SEARCH")) {
        let is_short = ["json_each", "CONSTANT ROW", "SCAN own"].iter().any(|table| step.contains(table));
        assert!(is_short || step.contains("INDEX") || step.contains("PRIMARY KEY"), "{step} in {plan:#?} for{sql}");
    }
}

/// Asserts one look-up for each conversation of this person, however many others there are.
fn assert_looks_up_own(sql: &str, plan: &[String]) {
    let look_up = |step: &String| step.starts_with("SEARCH conversations") && step.ends_with("(id=?)");
    assert!(plan.iter().any(look_up), "{plan:#?} for{sql}");
}

#[tokio::test]
async fn every_query_uses_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&format!("sqlite://{}/plans.db", folder.path().display())).await.unwrap();
    let mut conn = store.reader().await.unwrap();

    for sql in [
        access::SEAT,
        conversations::LOAD,
        conversations::LOAD_SOME,
        conversations::COUNT_ALL,
        conversations::COUNT_OWN,
        conversations::HEADS,
        conversations::ACTIVE,
        messages::BY_ID,
        messages::BEFORE,
        messages::AFTER,
        participants::LIST,
        participants::RECEIPTS,
    ] {
        let plan = plan(&mut conn, sql).await;
        assert_indexed(sql, &plan);
        assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:#?} sorts for{sql}");
        if sql == conversations::COUNT_OWN {
            assert_looks_up_own(sql, &plan);
        }
    }

    for n in 0..32 {
        let filter = ConversationFilter {
            status: (n & 1 != 0).then_some(ConversationStatus::Open),
            kind: (n & 2 != 0).then_some(ConversationKind::Session),
            search: (n & 4 != 0).then(|| "ada".to_owned()),
        };
        let (has_cursor, is_admin) = (n & 8 != 0, n & 16 != 0);
        let sql = conversations::list_sql(is_admin, &filter, has_cursor);
        let plan = plan(&mut conn, &sql).await;
        assert_indexed(&sql, &plan);
        if is_admin {
            // In the order of the index, so that a page costs as much as it has rows.
            assert!(!plan.iter().any(|step| step.contains("ORDER BY")), "{plan:#?} sorts for{sql}");
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
