//! Files: a person uploads them into a conversation, then a message claims them. Their contents are beside the
//! database.

use sqlx::Row;
use uuid::Uuid;

use super::{
    access::seat,
    dialect::{Conn, DbRow, ids, is_any, sql},
    rows::Columns,
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, ConversationId, Message, ParticipantId, Timestamp},
    storage::{FileBytes, Quota, Result, StoreError, rules::MOST_UNSENT, seated::Seated},
};

/// Reads the columns that all files have.
pub fn attachment(row: &DbRow) -> sqlx::Result<Attachment> {
    Ok(Attachment {
        id: row.id("id", AttachmentId)?,
        name: row.try_get("name")?,
        media_type: row.try_get("media_type")?,
        size_bytes: row.try_get("size_bytes")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
    })
}

/// The usage that counts for a file of this participant.
pub async fn bytes(conn: &mut Conn, seated: &Seated, since: Timestamp) -> Result<FileBytes> {
    let by_person = bytes_by(&mut *conn, seated.me().id.in_storage(), since).await?;
    let in_conversation: i64 = sqlx::query_scalar(sql!(
        "select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments where conversation_id = $1"
    ))
    .bind(seated.conversation_id().0)
    .fetch_one(conn)
    .await?;
    Ok(FileBytes { by_person, in_conversation: in_conversation as u64 })
}

/// The bytes of all files that this person has added since a moment.
pub async fn bytes_by(conn: &mut Conn, uploader: Option<Uuid>, since: Timestamp) -> Result<u64> {
    let bytes: i64 = sqlx::query_scalar(sql!(
        "select (select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments
                 where uploader_id = $1 and created_at > $2)
              + (select cast(coalesce(sum(size_bytes), 0) as bigint) from request_files
                 where uploader_id = $1 and created_at > $2)"
    ))
    .bind(uploader)
    .bind(since)
    .fetch_one(conn)
    .await?;
    Ok(bytes as u64)
}

pub async fn all_bytes(conn: &mut Conn) -> Result<u64> {
    let all: i64 = sqlx::query_scalar(sql!(
        "select (select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments)
              + (select cast(coalesce(sum(size_bytes), 0) as bigint) from request_files)"
    ))
    .fetch_one(conn)
    .await?;
    Ok(all as u64)
}

/// # Errors
/// [`StoreError::SealedFiles`], [`StoreError::Closed`], [`StoreError::TooManyFiles`], [`StoreError::QuotaUsed`].
pub async fn add(conn: &mut Conn, seated: &Seated, file: Attachment, quota: Quota, now: Timestamp) -> Result<()> {
    if seated.is_sealed() {
        return Err(StoreError::SealedFiles);
    }
    seated.require_open()?;
    let unsent: i64 = sqlx::query_scalar(sql!(
        "select count(*) from attachments where conversation_id = $1 and uploader_id = $2 and message_id is null"
    ))
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .fetch_one(&mut *conn)
    .await?;
    if unsent >= MOST_UNSENT {
        return Err(StoreError::TooManyFiles);
    }
    quota.require(bytes(conn, seated, quota.since).await?, file.size_bytes)?;
    sqlx::query(sql!(
        "insert into attachments
             (id, conversation_id, uploader_id, name, media_type, size_bytes, width, height, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
    ))
    .bind(file.id.0)
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(file.name)
    .bind(file.media_type)
    .bind(file.size_bytes)
    .bind(file.width)
    .bind(file.height)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// # Errors
/// [`StoreError::NotFound`], also for another person's unsent file.
pub async fn find(conn: &mut Conn, actor: &Actor, id: AttachmentId, now: Timestamp) -> Result<Attachment> {
    let row = sqlx::query(sql!(
        "select id, name, media_type, size_bytes, width, height, conversation_id,
                message_id is not null as was_sent, uploader_id
         from attachments where id = $1"
    ))
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

/// The latest files in messages, with the place of each message. The last upload is first.
pub async fn list(conn: &mut Conn, seated: &Seated, limit: i64) -> Result<Vec<(Attachment, i64)>> {
    let rows = sqlx::query(sql!(
        "select attachments.id, attachments.name, attachments.media_type, attachments.size_bytes, attachments.width,
                attachments.height, messages.seq
         from attachments join messages on messages.id = attachments.message_id
         where attachments.conversation_id = $1
         order by attachments.created_at desc limit $2"
    ))
    .bind(seated.conversation_id().0)
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(|row| Ok((attachment(row)?, row.try_get("seq")?))).collect::<sqlx::Result<_>>()?)
}

/// Files that this sender may send now, in the order of `files`.
///
/// # Errors
/// [`StoreError::NoAttachment`] if one of them is none.
pub async fn unsent(conn: &mut Conn, seated: &Seated, files: &[AttachmentId]) -> Result<Vec<Attachment>> {
    if files.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(sql!(
        "select id, name, media_type, size_bytes, width, height from attachments
         where conversation_id = $1 and uploader_id = $2 and message_id is null and id ",
        is_any!("$3")
    ))
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(ids(files.iter().map(|id| id.0)))
    .fetch_all(conn)
    .await?;
    let mut found: Vec<_> = rows.iter().map(attachment).collect::<sqlx::Result<_>>()?;
    let place = |file: &Attachment| files.iter().position(|id| *id == file.id);
    found.sort_by_key(place);
    if found.len() == files.len() { Ok(found) } else { Err(StoreError::NoAttachment) }
}

/// Makes a stored message bring its files along.
pub async fn send(conn: &mut Conn, message: &Message) -> Result<()> {
    sqlx::query(sql!("update attachments set message_id = $1 where id ", is_any!("$2")))
        .bind(message.id.0)
        .bind(ids(message.attachments.iter().map(|file| file.id.0)))
        .execute(conn)
        .await?;
    Ok(())
}
