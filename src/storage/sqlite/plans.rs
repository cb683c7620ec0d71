//! The plans of SQLite's statements: none scans a whole table or index. The exceptions are lists that follow an index
//! in its order and end after a page.

use std::{
    collections::{BTreeMap, HashSet},
    fs,
    path::{Path, PathBuf},
};

use sqlx::{AssertSqlSafe, SqliteConnection};

use super::{
    SqliteStore, access, answers,
    conversation_lists::{self, By},
    conversations,
    dialect::{is_any, translated},
    digests, erasure, former, idle, invites, journal, links, messages, pushes, request_files, requests, search,
    sessions, timeline, tokens, users,
};
use crate::{
    domain::{ConversationKind, ConversationStatus, RequestOrder, RequestStatus},
    storage::{ConversationFilter, RequestFilter, acting::Acting, rules::count_requests_sql},
};

/// Bound or just found rows, and sources with one row, or one for each table.
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
    "meta",
    "sqlite_schema",
    "sqlite_sequence",
];

/// How they begin.
const STATEMENTS: &[&str] = &["select", "insert", "update", "delete", "replace", "with"];

/// Items of these folders with statements that are not checked.
const UNCHECKED: &[&str] = &[
    // They send what another item writes, which is checked.
    "conversation_lists::list",
    "requests::count",
    "requests::list",
    "search::among_all",
    // The macro itself; the tests check its arguments.
    "dialect::SHARED",
    // They read all data, and the schema: for a backup or a copy.
    "backup::attachments",
    "source::open",
    "source::rows",
    // Takes those that come first.
    "pushes::any",
    "discarded_files::list_discarded",
    // Adds up all sizes, in an index of them: once a minute, where there is a limit.
    "attachments::all_bytes",
    // Goes through all accounts, in an order that no index has and for any part of a name.
    "users::list",
    // Goes through all accounts, when the database is opened.
    "refold::accounts",
];

/// The plan of each statement of a text.
async fn plans(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let mut steps = Vec::new();
    for statement in sql.split(';').filter(|statement| !statement.trim().is_empty()) {
        let rows: Vec<(i64, i64, i64, String)> =
            sqlx::query_as(AssertSqlSafe(format!("explain query plan {statement}")))
                .fetch_all(&mut *conn)
                .await
                .unwrap_or_else(|error| panic!("{error} in {statement}"));
        // Nothing is read for rows that are given.
        assert!(!rows.is_empty() || statement.contains("values ("), "no plan for {statement}");
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
                let is_greatest = sql == journal::LAST && what == "notices";
                let is_indexed = step.contains("INDEX") || step.contains("PRIMARY KEY") || is_greatest;
                assert!(is_indexed, "{step} in {plan:#?} for {sql}");
            }
            "SCAN" => {
                // Besides, the indexes of words and names, which serve only searches.
                let is_text = ["message_search VIRTUAL TABLE", "customer_search VIRTUAL TABLE"];
                let is_short = SHORT.iter().any(|source| what.starts_with(source))
                    || is_text.iter().any(|index| what.starts_with(index)) && !what.ends_with("INDEX 0:");
                let is_list = in_order.is_some_and(|index| what.contains("USING") && what.ends_with(index));
                assert!(is_short || is_list, "{step} in {plan:#?} for {sql}");
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
    assert!(plan.iter().any(look_up), "{plan:#?} for {sql}");
}

/// Asserts that rows are looked up by an index, and come in its order.
async fn assert_looked_up(conn: &mut SqliteConnection, sql: &str) -> Vec<String> {
    let plan = plans(conn, sql).await;
    assert_indexed(sql, &plan, None);
    assert!(!sorts(&plan), "{plan:#?} sorts for {sql}");
    plan
}

async fn store() -> (SqliteStore, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&format!("sqlite://{}/plans.db", folder.path().display())).await.unwrap();
    (store, folder)
}

/// The other sources of this folder, and those that PostgreSQL shares, by module. They have no tests and no comments,
/// and only the quotes around strings.
fn sources() -> BTreeMap<String, String> {
    let storage = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/storage");
    let files = ["sqlite", "shared"].map(|folder| fs::read_dir(storage.join(folder)).unwrap());
    let files = files.into_iter().flatten().map(|file| file.unwrap().path());
    let source = |path: PathBuf| {
        let source = fs::read_to_string(&path).unwrap();
        let code = source.split("mod tests {").next().unwrap().lines();
        let code: Vec<_> = code.filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n").replace("'\"'", "").replace("\\\n", "").replace("\\\"", "`");
        assert!(code.matches('"').count() % 2 == 0 && !code.contains("#\""), "cannot read {path:?}");
        let (folder, name) = (path.parent().unwrap().file_name(), path.file_stem());
        let name = if name.unwrap() == "mod" { folder } else { name };
        (name.unwrap().to_str().unwrap().to_owned(), joined(&code))
    };
    let sources: Vec<_> = files.filter(|path| !path.ends_with("plans.rs")).map(source).collect();
    let count = sources.len();
    let sources: BTreeMap<_, _> = sources.into_iter().collect();
    assert_eq!(sources.len(), count, "two modules have one name");
    sources
}

/// Puts what two macros of `dialect` stand for into the strings around them, so that these are whole statements.
fn joined(code: &str) -> String {
    let any = is_any!("()").split("()").collect::<Vec<_>>();
    let joined = join(code, "is_any!(\"", |ids| any.join(ids));
    join(&joined, "locking!(\"", |_| String::new())
}

fn join(code: &str, call: &str, text: impl Fn(&str) -> String) -> String {
    let mut parts = code.split(call);
    let mut joined = parts.next().unwrap().to_owned();
    for part in parts {
        let (argument, rest) = part.split_once("\")").unwrap();
        match joined.trim_end().strip_suffix("\",") {
            Some(before) => {
                let rest = rest.trim_start().trim_start_matches(',').trim_start();
                let (between, rest) = rest.strip_prefix('"').map_or(("\"", rest), |rest| ("", rest));
                joined = format!("{before}{}{between}{rest}", text(argument));
            }
            None => joined = format!("{joined}\"{}\"{rest}", text(argument)),
        }
    }
    joined
}

/// The name of the item that begins in this line. Code in a macro belongs to the items that use it, and has none.
fn item(module: &str, line: &str) -> Option<String> {
    if line.starts_with("macro_rules! ") {
        return Some(String::new());
    }
    let line = format!(" {line}");
    let name = [" const ", " static ", " fn "].iter().filter_map(|keyword| line.split_once(keyword)).next_back()?.1;
    Some(format!("{module}::{}", name.split(|c: char| !c.is_alphanumeric() && c != '_').next()?))
}

/// Strings in the source are checked here. The other tests check statements from several parts: this file must name the
/// item that joins them.
#[tokio::test]
async fn no_statement_is_left_out() {
    let (store, _folder) = store().await;
    let mut conn = store.read(Acting::System).await.unwrap();
    let sources = sources();
    let macros = sources.values().flat_map(|code| code.split("macro_rules! ").skip(1));
    let macros = macros.map(|rest| rest.split_once(' ').unwrap().0.to_owned() + "!(");
    // One translates words of its contents, and the other runs no query here.
    let macros = macros.filter(|name| name != "sql!(" && name != "lock!(");
    let ways = ["concat!(", "AssertSqlSafe(", "QueryBuilder"].map(str::to_owned);
    let ways_to_put_together: Vec<_> = ways.into_iter().chain(macros).collect();
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    let named: HashSet<_> = include_str!("plans.rs").split(|c| !is_name(c)).chain([""]).collect();
    let mut unchecked: HashSet<_> = UNCHECKED.iter().copied().collect();
    for (module, code) in &sources {
        let mut within = String::new();
        // By turns what is outside of strings and a string.
        for (at, text) in code.split('"').enumerate() {
            if at % 2 == 0 {
                for line in text.lines() {
                    within = item(module, line).unwrap_or(within);
                    unchecked.remove(within.as_str());
                    let is_whole = !ways_to_put_together.iter().any(|way| line.contains(way));
                    let is_known = is_whole || named.contains(within.as_str());
                    assert!(is_known, "{within}: name what is put together here, and check it in plans.rs");
                }
            } else if text.split_whitespace().next().is_some_and(|word| STATEMENTS.contains(&word))
                && !named.contains(within.as_str())
            {
                assert_looked_up(&mut conn, &translated(text)).await;
            }
        }
    }
    assert!(unchecked.is_empty(), "there is no {unchecked:?}");
    drop(conn);
    crate::storage::Database::close(&store).await;
}

#[tokio::test]
async fn assembled_statements_use_an_index() {
    let (store, _folder) = store().await;
    let mut conn = store.read(Acting::System).await.unwrap();
    for sql in [
        access::SEATS.of(1),
        access::SEATS.of(4),
        conversations::LOAD,
        conversations::LOAD_SOME,
        conversation_lists::COUNT_OWN,
        conversations::ADOPT,
        conversations::AUDIENCES,
        conversation_lists::UNREAD,
        conversation_lists::ALL_UNREAD,
        links::FIND,
        timeline::BY_ID,
        messages::INSERT.of(1),
        messages::INSERT.of(4),
        timeline::BEFORE,
        timeline::AFTER,
        journal::LAST,
        request_files::OF,
        requests::BY_ID,
        &count_requests_sql(requests::MOST),
        sessions::FIND,
        sessions::FIND_SIGN_IN_LINK,
        users::BY_EMAIL,
        users::BY_ID,
        users::FIND_PASSWORD_RESET,
        users::FIND_CONFIRMATION,
        invites::FIND,
        digests::LIST_QUIET,
        answers::LIST,
        idle::LIST,
        idle::IS_IDLE,
        pushes::COUNT,
        pushes::RECIPIENTS,
        tokens::FIND,
        former::END_SESSIONS,
        erasure::LIST_EXPIRED,
        erasure::IS_REQUEST_EXPIRED,
        erasure::FIND_EXPIRED_CONVERSATION,
    ] {
        let plan = assert_looked_up(&mut conn, sql).await;
        if sql == conversation_lists::COUNT_OWN {
            assert_looks_up_own(sql, &plan);
        }
        if sql == former::END_SESSIONS {
            assert!(plan[0].starts_with("SEARCH login_sessions") && plan[0].ends_with("(id=?)"), "{plan:#?} for {sql}");
        }
    }
    // These statements sort the sessions of one person, and the objects of the few admins.
    for sql in [sessions::LIST, invites::LIST, tokens::LIST] {
        let plan = plans(&mut conn, sql).await;
        assert_indexed(sql, &plan, None);
    }
    drop(conn);
    crate::storage::Database::close(&store).await;
}

#[tokio::test]
async fn search_reads_from_the_latest_message_on() {
    let (store, _folder) = store().await;
    let mut conn = store.read(Acting::System).await.unwrap();
    for sql in [&search::latest(2), search::ALL_BY_WORD, search::OWN_BY_WORD] {
        assert_looked_up(&mut conn, sql).await;
    }
    // As many as a page has, and sorted.
    let plan = plans(&mut conn, search::FOUND).await;
    assert_indexed(search::FOUND, &plan, None);
    for sql in [search::COUNT_OWN, search::OWN] {
        let plan = plans(&mut conn, sql).await;
        assert_indexed(sql, &plan, None);
        // First the few that are theirs, then what belongs to each.
        let own = plan.iter().position(|step| step == "SCAN own").unwrap_or_else(|| panic!("{plan:#?} for {sql}"));
        let theirs = plan[own..].iter().any(|step| step.contains("(conversation_id=?") || step.ends_with("(id=?)"));
        assert!(theirs, "{plan:#?} for {sql}");
    }
    drop(conn);
    crate::storage::Database::close(&store).await;
}

#[tokio::test]
async fn lists_of_conversations_go_through_an_index_in_its_order() {
    let (store, _folder) = store().await;
    let mut conn = store.read(Acting::System).await.unwrap();
    for n in 0..32 {
        let filter = ConversationFilter {
            status: (n & 1 != 0).then_some(ConversationStatus::Open),
            kind: (n & 2 != 0).then_some(ConversationKind::Session),
            search: (n & 4 != 0).then(|| "ada".to_owned()),
        };
        let (has_cursor, is_admin) = (n & 8 != 0, n & 16 != 0);
        let by = if is_admin { By::Activity } else { By::Owner };
        let sql = conversation_lists::list_sql(by, &filter, has_cursor);
        let plan = plans(&mut conn, &sql).await;
        assert_indexed(&sql, &plan, is_admin.then_some("conversations_by_activity"));
        if is_admin {
            // In the order of the index, so that a page costs as much as it has rows.
            assert!(!sorts(&plan), "{plan:#?} sorts for {sql}");
            let index = if filter.status.is_some() { "conversations_by_status" } else { "conversations_by_activity" };
            assert!(plan[0].contains(index), "{plan:#?} for {sql}");
            assert_eq!(plan[0].starts_with("SEARCH"), filter.status.is_some() || has_cursor, "{plan:#?} for {sql}");
        } else {
            assert_looks_up_own(&sql, &plan);
        }
        if is_admin && filter.search.is_some() {
            // First those that are found, then what belongs to each; few, and sorted.
            let sql = conversation_lists::list_sql(By::Customer, &filter, has_cursor);
            let plan = plans(&mut conn, &sql).await;
            assert_indexed(&sql, &plan, None);
            assert!(plan[0].starts_with("SCAN customer_search VIRTUAL TABLE"), "{plan:#?} for {sql}");
            assert!(plan[1].contains("conversations_by_number (number=?)"), "{plan:#?} for {sql}");
        }
    }
    assert_looked_up(&mut conn, conversation_lists::COUNT_PARTS).await;
    drop(conn);
    crate::storage::Database::close(&store).await;
}

/// Lists of requests can be in any of four orders, and are sorted: a customer's own, or what admins chose of all.
#[tokio::test]
async fn lists_of_requests_read_none_but_those_that_are_asked_for() {
    let (store, _folder) = store().await;
    let mut conn = store.read(Acting::System).await.unwrap();
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
            assert_eq!(all.len(), 1, "{plan:#?} for {sql}");
            assert_indexed(&sql, &others, None);
        } else {
            assert_indexed(&sql, &plan, None);
            let by = if is_admin { "custom_requests_by_status" } else { "custom_requests_by_customer" };
            assert!(reads(&format!("SEARCH custom_requests USING INDEX {by}")), "{plan:#?} for {sql}");
        }
    }
    drop(conn);
    crate::storage::Database::close(&store).await;
}
