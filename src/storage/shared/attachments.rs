//! Files: a person uploads them into a conversation, then a message claims them. Their contents are beside the
//! database.

use sqlx::Row;

use super::{
    access::seat,
    dialect::{Conn, DbRow, ids, is_any, sql},
    rows::Columns,
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, ConversationId, Message, ParticipantId, Timestamp},
    storage::{FileBytes, Quota, Result, StoreError, rules::MOST_UNSENT, seated::Seated},
};

fn attachment(row: &DbRow) -> sqlx::Result<Attachment> {
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
    let (by_person, in_conversation): (i64, i64) = sqlx::query_as(sql!(
        "select (select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments
                 where uploader_id = $1 and created_at > $2),
                (select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments where conversation_id = $3)"
    ))
    .bind(seated.me().id.in_storage())
    .bind(since)
    .bind(seated.conversation_id().0)
    .fetch_one(conn)
    .await?;
    Ok(FileBytes { by_person: by_person as u64, in_conversation: in_conversation as u64 })
}

pub async fn all_bytes(conn: &mut Conn) -> Result<u64> {
    let all: i64 = sqlx::query_scalar(sql!("select cast(coalesce(sum(size_bytes), 0) as bigint) from attachments"))
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
