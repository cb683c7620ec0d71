//! Shared links: the way into a conversation without an account.

use sqlx::SqliteConnection;
use uuid::Uuid;

use super::{access::is_alive, notices, rows::Columns, writer::Tx};
use crate::{
    domain::{ConversationId, LinkId, Timestamp},
    storage::{Link, NewLink, Notice, Result, SecretHash, seated::Seated},
};

pub(super) const FIND: &str = concat!(
    "select links.id, links.conversation_id from links where links.secret_hash = ?2 and ",
    is_alive!("links", "?1")
);

pub(super) async fn find(conn: &mut SqliteConnection, hash: SecretHash, now: Timestamp) -> Result<Option<Link>> {
    let row = sqlx::query(FIND).bind(now.0).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    let link = row.map(|row| {
        Ok::<_, sqlx::Error>(Link {
            id: row.id("id", LinkId)?,
            conversation_id: row.id("conversation_id", ConversationId)?,
        })
    });
    Ok(link.transpose()?)
}

/// Adds a link to a conversation that has none alive.
pub(super) async fn add(tx: &mut Tx, conversation: ConversationId, new: NewLink, now: Timestamp) -> Result<()> {
    sqlx::query(
        "insert into links (id, conversation_id, secret_hash, created_at_ms, expires_at_ms)
         values (?1, ?2, ?3, ?4, ?5)",
    )
    .bind(new.id.0)
    .bind(conversation.0)
    .bind(new.hash.0.to_vec())
    .bind(now.0)
    .bind(new.expires_at.map(|at| at.0))
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

const REVOKE: &str =
    "update links set revoked_at_ms = ?2 where conversation_id = ?1 and revoked_at_ms is null returning id";

/// Revokes what was not revoked yet, and returns it: also a link that has just expired, whose
/// visitors may still be there.
///
/// # Errors
/// [`StoreError::Forbidden`](crate::storage::StoreError::Forbidden).
pub(super) async fn revoke(tx: &mut Tx, seated: &Seated, now: Timestamp) -> Result<Vec<LinkId>> {
    seated.require_admin()?;
    let died: Vec<Uuid> =
        sqlx::query_scalar(REVOKE).bind(seated.conversation_id().0).bind(now.0).fetch_all(&mut tx.conn).await?;
    let died: Vec<_> = died.into_iter().map(LinkId).collect();
    notices::note(tx, died.iter().copied().map(Notice::Link)).await?;
    Ok(died)
}

/// Puts `new` in place of what was there.
///
/// # Errors
/// [`StoreError::Forbidden`](crate::storage::StoreError::Forbidden).
pub(super) async fn replace(tx: &mut Tx, seated: &Seated, new: NewLink, now: Timestamp) -> Result<Vec<LinkId>> {
    let died = revoke(tx, seated, now).await?;
    add(tx, seated.conversation_id(), new, now).await?;
    Ok(died)
}
