//! Chats by link in which the business waits for an answer.

use super::{
    dialect::{Conn, sql},
    messages,
    rows::{Columns, Word},
    tx::Tx,
};
use crate::{
    domain::{Actor, ConversationId, ConversationStatus, MessageEvent, Timestamp, UserId},
    storage::{Change, Commit, Idle, Result, StoreError, rules::stored_event, seated::Seated},
};

/// An open chat by link whose last message is an admin's and before `$1`. `$2`: it is the warning `$3`, or not.
macro_rules! idle {
    () => {
        "conversations.status = 'open' and conversations.kind = 'session' and conversations.updated_at < $1
         and exists (select 1 from messages
                     where messages.conversation_id = conversations.id and messages.seq = conversations.last_seq
                       and messages.sender_type = 'admin' and (messages.is_system and messages.content = $3) = $2)"
    };
}

pub const LIST: &str = sql!(
    "select conversations.id,
            (select messages.sender_id from messages
             where messages.conversation_id = conversations.id and messages.seq = conversations.last_seq) as author_id
     from conversations where ",
    idle!(),
    " order by conversations.updated_at limit $4"
);

/// # Errors
/// [`StoreError::Forbidden`] unless the actor is an admin.
pub async fn list(conn: &mut Conn, actor: &Actor, idle: Idle, limit: i64) -> Result<Vec<(ConversationId, UserId)>> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let (before, warned) = bounds(idle);
    let rows = sqlx::query(LIST)
        .bind(before)
        .bind(warned)
        .bind(stored_event(MessageEvent::ClosesSoon))
        .bind(limit.max(0))
        .fetch_all(conn)
        .await?;
    Ok(rows
        .iter()
        .map(|row| Ok((row.id("id", ConversationId)?, row.id("author_id", UserId)?)))
        .collect::<sqlx::Result<_>>()?)
}

fn bounds(idle: Idle) -> (Timestamp, bool) {
    match idle {
        Idle::Silent(before) => (before, false),
        Idle::Warned(before) => (before, true),
    }
}

pub const IS_IDLE: &str =
    sql!("select exists (select 1 from conversations where conversations.id = $4 and ", idle!(), ")");

/// Warns in a silent chat, or closes one that was warned. False if it is so no more.
///
/// # Errors
/// [`StoreError::Forbidden`].
pub async fn end(tx: &mut Tx, seated: &Seated, idle: Idle, now: Timestamp) -> Result<bool> {
    seated.require_admin()?;
    let id = seated.conversation_id();
    let (before, warned) = bounds(idle);
    let is_idle: bool = sqlx::query_scalar(IS_IDLE)
        .bind(before)
        .bind(warned)
        .bind(stored_event(MessageEvent::ClosesSoon))
        .bind(id.0)
        .fetch_one(&mut tx.conn)
        .await?;
    if !is_idle {
        return Ok(false);
    }
    if !warned {
        messages::post_system(tx, id, seated.me().into(), MessageEvent::ClosesSoon, now).await?;
        return Ok(true);
    }
    let rev = seated.head() + 1;
    sqlx::query(sql!(
        "update conversations
         set head = $2, status = $3, closed_at = $4, closed_by_name = null, updated_at = greatest(updated_at, $4)
         where id = $1"
    ))
    .bind(id.0)
    .bind(rev)
    .bind(ConversationStatus::Closed.word())
    .bind(now)
    .execute(&mut tx.conn)
    .await?;
    tx.commits.push(Commit { conversation_id: id, rev, change: Change::Conversation });
    Ok(true)
}
