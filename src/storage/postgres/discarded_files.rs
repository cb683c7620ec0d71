//! Files that nobody can have any more, until they are gone from the disk.
//!
//! The policies do not allow a person who deletes a message to delete rows. So a deleted message's files lose message
//! and uploader, and their own rows mark them. Files that the service itself discards move to `discarded_files`, as in
//! SQLite.

use uuid::Uuid;

use super::conn::Conn;
use crate::{
    domain::{AttachmentId, MessageId, Timestamp},
    storage::Result,
};

/// Takes the files of a deleted message from everyone. Its deleter may not delete their rows, and need not:
/// [`list_discarded`] finds them.
pub(super) async fn discard(conn: &mut Conn, message: MessageId) -> Result<()> {
    sqlx::query(
        "update attachments set message_id = null, uploader_id = null, created_at = to_timestamp(0) where message_id = $1",
    )
    .bind(message.0)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub(super) async fn discard_unsent(conn: &mut Conn, before: Timestamp) -> Result<()> {
    sqlx::query(
        "with gone as (delete from attachments where message_id is null and created_at < $1 returning id)
         insert into discarded_files (id) select id from gone",
    )
    .bind(before)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub(super) async fn list_discarded(conn: &mut Conn, limit: i64) -> Result<Vec<AttachmentId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from discarded_files
         union all
         select id from attachments where message_id is null and uploader_id is null
         limit $1",
    )
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(AttachmentId).collect())
}

pub(super) async fn forget_discarded(conn: &mut Conn, ids: &[AttachmentId]) -> Result<()> {
    sqlx::query(
        "with forgotten as (
             delete from attachments where id = any ($1) and message_id is null and uploader_id is null
         )
         delete from discarded_files where id = any ($1)",
    )
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .execute(&mut *conn)
    .await?;
    Ok(())
}
