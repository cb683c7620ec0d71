//! The lists of conversations, and counts over many, with statements for PostgreSQL's planner.

use sqlx::AssertSqlSafe;

use super::{
    actors::{Asker, is_alive, own_conversations},
    conversations::{seen_by, select_conversations, unread},
    dialect::{Conn, is_any, searchable},
    rows::Word,
};
use crate::{
    domain::Actor,
    storage::{ConversationFilter, Cursor, Result, Seat, now, rules::searched, search::fold},
};

pub(super) const UNREAD: &str = concat!(
    "select conversations.id, admins.id as admin_id, ",
    unread!("admins.id"),
    " as unread
     from conversations cross join unnest($2::uuid[]) as admins (id)
     left join receipts
         on receipts.conversation_id = conversations.id and receipts.participant_id = admins.id
     where conversations.id = any ($1)"
);

/// Of the latest open conversations, those that have something new first.
pub(super) const ALL_UNREAD: &str = concat!(
    "select coalesce(sum(unread), 0)::bigint from (
         select ",
    unread!("$1"),
    " as unread
         from (select id, last_seq from conversations
               where status = 'open' order by updated_at desc, id desc limit $2) as conversations
         left join receipts on receipts.conversation_id = conversations.id and receipts.participant_id = $1
         where conversations.last_seq > coalesce(receipts.seq, 0)
         limit $3) as counted"
);

/// The statement that lists what matches `filter`. All variants bind the same values: those of
/// [`select_conversations`], and `$2` and `$3` of [`own_conversations`]. `$5` is the status, `$6` the kind, `$7` the
/// folded search, `$8` and `$9` the cursor, `$10` the limit.
pub(super) fn list_sql(is_admin: bool, filter: &ConversationFilter, has_cursor: bool) -> String {
    let source = if is_admin {
        "conversations"
    } else {
        concat!("(", own_conversations!(), ") as own join conversations on conversations.id = own.id")
    };
    let is_searched = searched(filter.search.as_deref()).is_some();
    let conditions = [
        (filter.status.is_some(), " and conversations.status = $5"),
        (filter.kind.is_some(), " and conversations.kind = $6"),
        (is_searched && is_admin, " and strpos(conversations.customer_folded, $7) > 0"),
        // Its first line is the name. The customer side does not see the address, and so cannot try it out either.
        (is_searched && !is_admin, " and strpos(split_part(conversations.customer_folded, E'\\n', 1), $7) > 0"),
        (has_cursor, " and (conversations.updated_at, conversations.id) < ($8, $9)"),
    ];
    let conditions = conditions.iter().filter(|(applies, _)| *applies).map(|(_, condition)| *condition);
    let conditions: String = conditions.collect();
    let order = "order by conversations.updated_at desc, conversations.id desc";
    // First the page, and then what belongs to each of its rows: PostgreSQL might read everybody's receipts.
    format!(
        "with page as (select conversations.* from {source} where true{conditions} {order} limit $10)
         {} {order}",
        select_conversations!("page as conversations")
    )
}

pub(super) async fn list(
    conn: &mut Conn,
    actor: &Actor,
    filter: &ConversationFilter,
    cursor: Option<Cursor>,
    limit: i64,
) -> Result<Vec<Seat>> {
    let asker = Asker::from(actor);
    let rows = sqlx::query(AssertSqlSafe(list_sql(actor.is_admin(), filter, cursor.is_some())))
        .bind(now())
        .bind(asker.customer)
        .bind(asker.links)
        .bind(asker.admin)
        .bind(filter.status.map(Word::word))
        .bind(filter.kind.map(Word::word))
        .bind(searched(filter.search.as_deref()).map(|text| searchable(fold(text))))
        .bind(cursor.map(|cursor| cursor.updated_at))
        .bind(cursor.map(|cursor| cursor.id.0))
        // A negative limit would mean none at all.
        .bind(limit.max(0))
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(|row| seen_by(actor, row)).collect::<sqlx::Result<_>>()?)
}

/// Binds `$4` how far to count. In the order of an index, so that no more is read.
pub(super) const COUNT_ALL: &str = "
    select status, count(*) as conversations from (
        (select status from conversations where status = 'open' order by updated_at desc, id desc limit $4)
        union all
        (select status from conversations where status = 'closed' order by updated_at desc, id desc limit $4)
    ) as counted group by status";
pub(super) const COUNT_OWN: &str = concat!(
    "select status, count(*) as conversations from (",
    own_conversations!(),
    ") as own join conversations on conversations.id = own.id group by status"
);
