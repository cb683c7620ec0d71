//! The lists of conversations, and counts over many, with statements for SQLite's planner.

use sqlx::AssertSqlSafe;

use super::{
    actors::{Asker, is_alive, own_conversations},
    conversations::{seen_by, select_conversations, unread},
    dialect::{Conn, is_any, sql},
    rows::Word,
};
use crate::{
    domain::Actor,
    storage::{ConversationFilter, Cursor, Result, Seat, now, rules::searched, search::fold},
};

pub(super) const UNREAD: &str = sql!(
    "select conversations.id, unhex(json_each.value) as admin_id, ",
    unread!("unhex(json_each.value)"),
    " as unread
     from conversations cross join json_each($2)
     left join receipts
         on receipts.conversation_id = conversations.id and receipts.participant_id = unhex(json_each.value)
     where conversations.id ",
    is_any!("$1")
);

/// Of the latest open conversations, those that have something new first.
pub(super) const ALL_UNREAD: &str = sql!(
    "select coalesce(sum(unread), 0) from (
         select ",
    unread!("$1"),
    " as unread
         from (select id from conversations where status = 'open' order by updated_at desc, id desc limit $2) as counted
         cross join conversations on conversations.id = counted.id
         left join receipts on receipts.conversation_id = conversations.id and receipts.participant_id = $1
         where conversations.last_seq > coalesce(receipts.seq, 0)
         limit $3)"
);

/// How a list finds its conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum By {
    /// Goes through all, latest activity first.
    Activity,
    /// Looks into the index of customers.
    Customer,
    /// Scans the actor's own conversations.
    Owner,
}

/// The statement that lists what matches `filter`. All variants bind the same values: those of
/// [`select_conversations`], and `$2` and `$3` of [`own_conversations`]. `$5` is the status, `$6` the kind, `$7` the
/// folded search, `$8` and `$9` the cursor, `$10` the limit. [`By::Customer`] also binds `$11`, the part to look up.
pub(super) fn list_sql(by: By, filter: &ConversationFilter, has_cursor: bool) -> String {
    // A cross join preserves the order of its tables: first the actor's few, or the matches, then each of those, never
    // all open ones.
    let mut sql = String::from(match by {
        By::Activity => sql!(select_conversations!("conversations")),
        By::Customer => sql!(select_conversations!(
            "customer_search cross join conversations on conversations.number = customer_search.rowid"
        )),
        By::Owner => sql!(select_conversations!(concat!(
            "(",
            own_conversations!(),
            ") as own cross join conversations on conversations.id = own.id"
        ))),
    });
    let is_searched = searched(filter.search.as_deref()).is_some();
    let conditions = [
        (filter.status.is_some(), " and conversations.status = $5"),
        (filter.kind.is_some(), " and conversations.kind = $6"),
        (by == By::Customer, " and customer_search match $11"),
        (is_searched && by != By::Owner, " and instr(conversations.customer_folded, $7)"),
        // Its first line is the name. The customer side does not see the address, and so cannot try it out either.
        (
            is_searched && by == By::Owner,
            " and instr(substr(conversations.customer_folded, 1,
                               instr(conversations.customer_folded || char(10), char(10)) - 1), $7)",
        ),
        (has_cursor, sql!(" and (conversations.updated_at, conversations.id) < ($8, $9)")),
    ];
    sql.push_str(" where true");
    for (_, condition) in conditions.iter().filter(|(applies, _)| *applies) {
        sql.push_str(condition);
    }
    sql.push_str(sql!(" order by conversations.updated_at desc, conversations.id desc limit $10"));
    sql
}

/// More chats than this are not gathered from the index and sorted: going through the latest ones finds as many as
/// a list has sooner.
const FEW: i64 = 500;
/// Of a long text so many parts are counted.
const MOST_PARTS: usize = 16;

/// Parts of a text that the index of customers can look up, as FTS5 takes them: three characters in a row.
fn parts(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() < 3 || chars.contains(&'\0') {
        return Vec::new();
    }
    let (last, step) = (chars.len() - 3, (chars.len() / MOST_PARTS).max(3));
    let starts = (0..last).step_by(step).chain([last]);
    let quoted = |start| format!("\"{}\"", chars[start..start + 3].iter().collect::<String>().replace('"', "\"\""));
    starts.map(quoted).collect()
}

/// How many chats the index has for each of some parts, a JSON list `$1`; it counts to `$2`.
pub(super) const COUNT_PARTS: &str = "
    select value, (select count(*) from (select 1 from customer_search where customer_search match asked.value limit $2))
    from json_each($1) as asked";

/// The part of a text that the fewest customers have, if these are [`FEW`].
async fn rarest_part(conn: &mut Conn, text: &str) -> Result<Option<String>> {
    let parts = parts(text);
    if parts.is_empty() {
        return Ok(None);
    }
    let parts = serde_json::Value::from(parts).to_string();
    let counted: Vec<(String, i64)> = sqlx::query_as(COUNT_PARTS).bind(parts).bind(FEW + 1).fetch_all(conn).await?;
    let rarest = counted.into_iter().min_by_key(|(_, found)| *found);
    Ok(rarest.filter(|(_, found)| *found <= FEW).map(|(part, _)| part))
}

pub(super) async fn list(
    conn: &mut Conn,
    actor: &Actor,
    filter: &ConversationFilter,
    cursor: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Seat>> {
    let asker = Asker::from(actor);
    let text = searched(filter.search.as_deref()).map(fold);
    let part = match &text {
        Some(text) if actor.is_admin() => rarest_part(conn, text).await?,
        _ => None,
    };
    let by = match &part {
        Some(_) => By::Customer,
        None if actor.is_admin() => By::Activity,
        None => By::Owner,
    };
    let query = sqlx::query(AssertSqlSafe(list_sql(by, filter, cursor.is_some())))
        .bind(now())
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(filter.status.map(Word::word))
        .bind(filter.kind.map(Word::word))
        .bind(text)
        .bind(cursor.map(|cursor| cursor.updated_at))
        .bind(cursor.map(|cursor| cursor.id.0))
        // A negative limit would mean none at all.
        .bind(limit.max(0));
    let query = if let Some(part) = part { query.bind(part) } else { query };
    let rows = query.fetch_all(conn).await?;
    Ok(rows.iter().map(|row| seen_by(actor, row)).collect::<sqlx::Result<_>>()?)
}

/// Binds `$4` how far to count.
pub(super) const COUNT_ALL: &str = "
    select status, count(*) as conversations from (
        select * from (select status from conversations where status = 'open' limit $4)
        union all
        select * from (select status from conversations where status = 'closed' limit $4)
    ) group by status";
pub(super) const COUNT_OWN: &str = sql!(
    "select status, count(*) as conversations from (",
    own_conversations!(),
    ") as own cross join conversations on conversations.id = own.id group by status"
);
