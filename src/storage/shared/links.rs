//! Shared links: the way into a conversation without an account.

use uuid::Uuid;

use super::{
    actors::is_alive,
    dialect::{Conn, sql},
    rows::Columns,
    tx::Tx,
};
use crate::{
    domain::{ConversationId, LinkId, Timestamp},
    storage::{Link, NewLink, Notice, Result, SecretHash, seated::Seated},
};

pub const FIND: &str = sql!(
    "select links.id, links.conversation_id from links where links.secret_hash = $2 and ",
    is_alive!("links", "$1")
);

pub async fn find(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Link>> {
    let row = sqlx::query(FIND).bind(now).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    let link = row.map(|row| {
        Ok::<_, sqlx::Error>(Link {
            id: row.id("id", LinkId)?,
            conversation_id: row.id("conversation_id", ConversationId)?,
        })
    });
    Ok(link.transpose()?)
}

/// Adds a link to a conversation that has none alive.
pub async fn add(conn: &mut Conn, conversation: ConversationId, new: NewLink, now: Timestamp) -> Result<()> {
    sqlx::query(sql!(
        "insert into links (id, conversation_id, secret_hash, created_at, expires_at)
         values ($1, $2, $3, $4, $5)"
    ))
    .bind(new.id.0)
    .bind(conversation.0)
    .bind(new.hash.0.to_vec())
    .bind(now)
    .bind(new.expires_at)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Revokes what was not revoked yet, and returns it: also a link that has just expired, whose
/// visitors may still be there.
///
/// # Errors
/// [`StoreError::Forbidden`](crate::storage::StoreError::Forbidden).
pub async fn revoke(tx: &mut Tx, seated: &Seated, now: Timestamp) -> Result<Vec<LinkId>> {
    seated.require_admin()?;
    let died: Vec<Uuid> = sqlx::query_scalar(sql!(
        "update links set revoked_at = $2 where conversation_id = $1 and revoked_at is null returning id"
    ))
    .bind(seated.conversation_id().0)
    .bind(now)
    .fetch_all(&mut tx.conn)
    .await?;
    let died: Vec<_> = died.into_iter().map(LinkId).collect();
    tx.note(died.iter().copied().map(Notice::Link)).await?;
    Ok(died)
}

/// Replaces the existing link with `new`.
///
/// # Errors
/// [`StoreError::Forbidden`](crate::storage::StoreError::Forbidden).
pub async fn replace(tx: &mut Tx, seated: &Seated, new: NewLink, now: Timestamp) -> Result<Vec<LinkId>> {
    let died = revoke(tx, seated, now).await?;
    add(&mut tx.conn, seated.conversation_id(), new, now).await?;
    Ok(died)
}
