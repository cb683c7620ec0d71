//! E-mail to absent people: the conversations to consider, and what was considered.

use sqlx::Row;
use uuid::Uuid;

use super::{
    actors::is_alive,
    dialect::{Conn, DbRow, sql},
    rows::{Columns, user, user_columns},
};
use crate::{
    domain::{ConversationId, Email, LinkId, Timestamp},
    storage::{Quiet, Result},
};

pub const LIST_QUIET: &str = sql!(
    "select conversations.id, conversations.last_seq, conversations.customer_id, conversations.customer_email,
            coalesce(mail_digests.seq, 0) as considered_seq,
            coalesce(mail_digests.is_unsubscribed, $5) as is_unsubscribed, links.id as link_id, ",
    user_columns!(),
    " from conversations
     left join users on users.id = conversations.customer_id
     left join links on links.conversation_id = conversations.id and ",
    is_alive!("links", "$1"),
    " left join mail_digests on mail_digests.conversation_id = conversations.id
     where conversations.updated_at > $2 and conversations.updated_at <= $3 and conversations.status = 'open'
       and conversations.last_seq > coalesce(mail_digests.seq, 0)
     order by conversations.updated_at, conversations.id limit $4"
);

pub async fn list_quiet(
    conn: &mut Conn,
    since: Timestamp,
    until: Timestamp,
    limit: i64,
    now: Timestamp,
) -> Result<Vec<Quiet>> {
    let rows = sqlx::query(LIST_QUIET)
        .bind(now)
        .bind(since)
        .bind(until)
        .bind(limit.max(0))
        .bind(false)
        .fetch_all(conn)
        .await?;
    Ok(rows.iter().map(quiet).collect::<sqlx::Result<_>>()?)
}

fn quiet(row: &DbRow) -> sqlx::Result<Quiet> {
    let has_account = row.try_get::<Option<Uuid>, _>("customer_id")?.is_some();
    Ok(Quiet {
        id: row.id("id", ConversationId)?,
        last_seq: row.try_get("last_seq")?,
        considered_seq: row.try_get("considered_seq")?,
        customer: if has_account { Some(user(row)?) } else { None },
        customer_email: row.try_get::<Option<String>, _>("customer_email")?.map(Email::trusted),
        link: row.optional_id("link_id", LinkId)?,
        is_unsubscribed: row.try_get("is_unsubscribed")?,
    })
}

pub async fn claim(conn: &mut Conn, id: ConversationId, seq: i64) -> Result<bool> {
    let done = sqlx::query(sql!(
        "insert into mail_digests (conversation_id, seq, is_unsubscribed) values ($1, $2, $3)
         on conflict (conversation_id) do update set seq = excluded.seq where mail_digests.seq < excluded.seq"
    ))
    .bind(id.0)
    .bind(seq)
    .bind(false)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

pub async fn release(conn: &mut Conn, id: ConversationId, considered_seq: i64) -> Result<()> {
    sqlx::query(sql!("update mail_digests set seq = $2 where conversation_id = $1"))
        .bind(id.0)
        .bind(considered_seq)
        .execute(conn)
        .await?;
    Ok(())
}

pub async fn unsubscribe(conn: &mut Conn, id: ConversationId) -> Result<bool> {
    let done = sqlx::query(sql!(
        "insert into mail_digests (conversation_id, seq, is_unsubscribed)
         select conversations.id, 0, $2 from conversations where conversations.id = $1
         on conflict (conversation_id) do update set is_unsubscribed = excluded.is_unsubscribed"
    ))
    .bind(id.0)
    .bind(true)
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}
