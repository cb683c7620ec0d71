//! How soon the business answers.

use super::{
    dialect::{Conn, sql},
    rows::Columns,
};
use crate::{
    domain::{Actor, Timestamp},
    storage::{Result, StoreError},
};

/// The first message of a customer, and the first one of an admin after it.
pub const LIST: &str = sql!(
    "select asked.created_at as asked_at, answer.created_at as answered_at
     from conversations
     join messages asked on asked.conversation_id = conversations.id and asked.seq =
         (select first.seq from messages first
          where first.conversation_id = conversations.id and first.sender_type = 'customer' order by first.seq limit 1)
     join messages answer on answer.conversation_id = conversations.id and answer.seq =
         (select next.seq from messages next
          where next.conversation_id = conversations.id and next.seq > asked.seq
            and next.sender_type = 'admin' and next.is_system = $3
          order by next.seq limit 1)
     where conversations.updated_at >= $1 and asked.created_at >= $1
     order by conversations.updated_at desc limit $2"
);

/// # Errors
/// [`StoreError::Forbidden`] unless the actor is an admin.
pub async fn list(conn: &mut Conn, actor: &Actor, since: Timestamp, limit: i64) -> Result<Vec<(Timestamp, Timestamp)>> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let rows = sqlx::query(LIST).bind(since).bind(limit.max(0)).bind(false).fetch_all(conn).await?;
    Ok(rows.iter().map(|row| Ok((row.time("asked_at")?, row.time("answered_at")?))).collect::<sqlx::Result<_>>()?)
}
