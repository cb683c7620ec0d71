//! Files that nobody can have any more, until they are gone from the disk.

use uuid::Uuid;

use super::dialect::{Conn, ids};
use crate::{
    domain::{AttachmentId, MessageId, Timestamp},
    storage::Result,
};

const DISCARD: &str = "insert into discarded_files (id) select id from attachments where message_id = ?;
     delete from attachments where message_id = ?";

/// Takes the files of a deleted message from everyone.
pub(super) async fn discard(conn: &mut Conn, message: MessageId) -> Result<()> {
    sqlx::query(DISCARD).bind(message.0).bind(message.0).execute(conn).await?;
    Ok(())
}

const DISCARD_UNSENT: &str =
    "insert into discarded_files (id) select id from attachments where message_id is null and created_at_ms < ?;
         delete from attachments where message_id is null and created_at_ms < ?";

pub(super) async fn discard_unsent(conn: &mut Conn, before: Timestamp) -> Result<()> {
    sqlx::query(DISCARD_UNSENT).bind(before).bind(before).execute(conn).await?;
    Ok(())
}

pub(super) async fn list_discarded(conn: &mut Conn, limit: i64) -> Result<Vec<AttachmentId>> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from discarded_files limit ?1").bind(limit.max(0)).fetch_all(conn).await?;
    Ok(ids.into_iter().map(AttachmentId).collect())
}

pub(super) async fn forget_discarded(conn: &mut Conn, files: &[AttachmentId]) -> Result<()> {
    sqlx::query("delete from discarded_files where id in (select unhex(value) from json_each(?1))")
        .bind(ids(files.iter().map(|id| id.0)))
        .execute(conn)
        .await?;
    Ok(())
}
