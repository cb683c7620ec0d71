//! Files: put into a conversation first, then brought along by a message. What is in them is not kept
//! here but beside the database.

use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    access::seat,
    conn::Conn,
    rows::{Columns, at},
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, ConversationId, MessageId, ParticipantId, Timestamp},
    storage::{FileBytes, Quota, Result, StoreError, rules::MOST_UNSENT, seated::Seated},
};

fn attachment(row: &PgRow) -> sqlx::Result<Attachment> {
    Ok(Attachment {
        id: row.id("id", AttachmentId)?,
        name: row.try_get("name")?,
        media_type: row.try_get("media_type")?,
        size_bytes: row.try_get("size_bytes")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
    })
}

/// What counts for a file of this participant.
pub(super) async fn bytes(conn: &mut Conn, seated: &Seated, since: Timestamp) -> Result<FileBytes> {
    let (by_person, in_conversation): (i64, i64) = sqlx::query_as(
        "select (select coalesce(sum(size_bytes), 0)::bigint from attachments
                 where uploader_id = $1 and created_at > $2),
                (select coalesce(sum(size_bytes), 0)::bigint from attachments where conversation_id = $3)",
    )
    .bind(seated.me().id.in_storage())
    .bind(at(since))
    .bind(seated.conversation_id().0)
    .fetch_one(conn)
    .await?;
    Ok(FileBytes { by_person: by_person as u64, in_conversation: in_conversation as u64 })
}

pub(super) async fn all_bytes(conn: &mut Conn) -> Result<u64> {
    let all: i64 =
        sqlx::query_scalar("select coalesce(sum(size_bytes), 0)::bigint from attachments").fetch_one(conn).await?;
    Ok(all as u64)
}

/// # Errors
/// [`StoreError::Closed`], [`StoreError::TooManyFiles`], [`StoreError::QuotaUsed`].
pub(super) async fn add(
    conn: &mut Conn,
    seated: &Seated,
    file: Attachment,
    quota: Quota,
    now: Timestamp,
) -> Result<()> {
    seated.require_open()?;
    let unsent: i64 = sqlx::query_scalar(
        "select count(*) from attachments where conversation_id = $1 and uploader_id = $2 and message_id is null",
    )
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .fetch_one(&mut *conn)
    .await?;
    if unsent >= MOST_UNSENT {
        return Err(StoreError::TooManyFiles);
    }
    quota.require(bytes(conn, seated, quota.since).await?, file.size_bytes)?;
    sqlx::query(
        "insert into attachments
             (id, conversation_id, uploader_id, name, media_type, size_bytes, width, height, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(file.id.0)
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(file.name)
    .bind(file.media_type)
    .bind(file.size_bytes)
    .bind(file.width)
    .bind(file.height)
    .bind(at(now))
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// # Errors
/// [`StoreError::NotFound`], also for what somebody else has not sent yet.
pub(super) async fn find(conn: &mut Conn, actor: &Actor, id: AttachmentId, now: Timestamp) -> Result<Attachment> {
    let row = sqlx::query(
        "select id, name, media_type, size_bytes, width, height, conversation_id,
                message_id is not null as was_sent, uploader_id
         from attachments where id = $1",
    )
    .bind(id.0)
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(StoreError::NotFound)?;
    let seated = seat(conn, actor, row.id("conversation_id", ConversationId)?, now).await?;
    if row.try_get("was_sent")? || row.optional_id("uploader_id", ParticipantId::stored)? == Some(seated.me().id) {
        Ok(attachment(&row)?)
    } else {
        Err(StoreError::NotFound)
    }
}

/// Files that this sender may send now, in the order of `ids`.
///
/// # Errors
/// [`StoreError::NoAttachment`] if one of them is none.
pub(super) async fn unsent(conn: &mut Conn, seated: &Seated, ids: &[AttachmentId]) -> Result<Vec<Attachment>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(
        "select id, name, media_type, size_bytes, width, height from attachments
         where conversation_id = $1 and uploader_id = $2 and message_id is null
           and id = any ($3)",
    )
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
    .fetch_all(conn)
    .await?;
    let mut found: Vec<_> = rows.iter().map(attachment).collect::<sqlx::Result<_>>()?;
    let place = |file: &Attachment| ids.iter().position(|id| *id == file.id);
    found.sort_by_key(place);
    if found.len() == ids.len() { Ok(found) } else { Err(StoreError::NoAttachment) }
}

pub(super) async fn send(conn: &mut Conn, ids: &[AttachmentId], message: MessageId) -> Result<()> {
    sqlx::query("update attachments set message_id = $1 where id = any ($2)")
        .bind(message.0)
        .bind(ids.iter().map(|id| id.0).collect::<Vec<_>>())
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// Takes the files of a deleted message from everyone. Whoever deletes it may not delete their rows, and need
/// not: [`list_discarded`] knows them.
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
    .bind(at(before))
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
