//! Files: put into a conversation first, then brought along by a message. What is in them is not kept
//! here but beside the database.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    access::seat,
    rows::{Columns, id_list},
    writer::Tx,
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, ConversationId, Message, MessageId, ParticipantId, Timestamp},
    storage::{FileBytes, Quota, Result, StoreError, rules::MOST_UNSENT, seated::Seated},
};

fn attachment(row: &SqliteRow) -> sqlx::Result<Attachment> {
    Ok(Attachment {
        id: row.id("id", AttachmentId)?,
        name: row.try_get("name")?,
        media_type: row.try_get("media_type")?,
        size_bytes: row.try_get("size_bytes")?,
        width: row.try_get("width")?,
        height: row.try_get("height")?,
    })
}

const COUNT_UNSENT: &str =
    "select count(*) from attachments where conversation_id = ?1 and uploader_id = ?2 and message_id is null";

const PERSON_BYTES: &str =
    "select coalesce(sum(size_bytes), 0) from attachments where uploader_id = ?1 and created_at_ms > ?2";
const CONVERSATION_BYTES: &str = "select coalesce(sum(size_bytes), 0) from attachments where conversation_id = ?1";

/// What counts for a file of this participant.
pub(super) async fn bytes(conn: &mut SqliteConnection, seated: &Seated, since: Timestamp) -> Result<FileBytes> {
    let by_person: i64 =
        sqlx::query_scalar(PERSON_BYTES).bind(seated.me().id.in_storage()).bind(since.0).fetch_one(&mut *conn).await?;
    let in_conversation: i64 =
        sqlx::query_scalar(CONVERSATION_BYTES).bind(seated.conversation_id().0).fetch_one(conn).await?;
    Ok(FileBytes { by_person: by_person as u64, in_conversation: in_conversation as u64 })
}

pub(super) async fn all_bytes(conn: &mut SqliteConnection) -> Result<u64> {
    let all: i64 = sqlx::query_scalar("select coalesce(sum(size_bytes), 0) from attachments").fetch_one(conn).await?;
    Ok(all as u64)
}

/// # Errors
/// [`StoreError::Closed`], [`StoreError::TooManyFiles`], [`StoreError::QuotaUsed`].
pub(super) async fn add(tx: &mut Tx, seated: &Seated, file: Attachment, quota: Quota, now: Timestamp) -> Result<()> {
    seated.require_open()?;
    let unsent: i64 = sqlx::query_scalar(COUNT_UNSENT)
        .bind(seated.conversation_id().0)
        .bind(seated.me().id.in_storage())
        .fetch_one(&mut tx.conn)
        .await?;
    if unsent >= MOST_UNSENT {
        return Err(StoreError::TooManyFiles);
    }
    quota.require(bytes(&mut tx.conn, seated, quota.since).await?, file.size_bytes)?;
    sqlx::query(
        "insert into attachments
             (id, conversation_id, uploader_id, name, media_type, size_bytes, width, height, created_at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
    )
    .bind(file.id.0)
    .bind(seated.conversation_id().0)
    .bind(seated.me().id.in_storage())
    .bind(file.name)
    .bind(file.media_type)
    .bind(file.size_bytes)
    .bind(file.width)
    .bind(file.height)
    .bind(now.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

const FIND: &str = "select id, name, media_type, size_bytes, width, height, conversation_id,
            message_id is not null as was_sent, uploader_id
         from attachments where id = ?1";

/// # Errors
/// [`StoreError::NotFound`], also for what somebody else has not sent yet.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    actor: &Actor,
    id: AttachmentId,
    now: Timestamp,
) -> Result<Attachment> {
    let row = sqlx::query(FIND).bind(id.0).fetch_optional(&mut *conn).await?.ok_or(StoreError::NotFound)?;
    let seated = seat(conn, actor, row.id("conversation_id", ConversationId)?, now).await?;
    if row.try_get("was_sent")? || row.optional_id("uploader_id", ParticipantId::stored)? == Some(seated.me().id) {
        Ok(attachment(&row)?)
    } else {
        Err(StoreError::NotFound)
    }
}

const UNSENT: &str = "select id, name, media_type, size_bytes, width, height from attachments
     where conversation_id = ?1 and uploader_id = ?2 and message_id is null
       and id in (select unhex(value) from json_each(?3))";

/// Files that this sender may send now, in the order of `ids`.
///
/// # Errors
/// [`StoreError::NoAttachment`] if one of them is none.
pub(super) async fn unsent(
    conn: &mut SqliteConnection,
    seated: &Seated,
    ids: &[AttachmentId],
) -> Result<Vec<Attachment>> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let rows = sqlx::query(UNSENT)
        .bind(seated.conversation_id().0)
        .bind(seated.me().id.in_storage())
        .bind(id_list(ids.iter().map(|id| id.0)))
        .fetch_all(conn)
        .await?;
    let mut found: Vec<_> = rows.iter().map(attachment).collect::<sqlx::Result<_>>()?;
    let place = |file: &Attachment| ids.iter().position(|id| *id == file.id);
    found.sort_by_key(place);
    if found.len() == ids.len() { Ok(found) } else { Err(StoreError::NoAttachment) }
}

const SEND: &str = "update attachments set message_id = ?1 where id in (select unhex(value) from json_each(?2))";

pub(super) async fn send(tx: &mut Tx, message: &Message) -> Result<()> {
    let ids = id_list(message.attachments.iter().map(|file| file.id.0));
    sqlx::query(SEND).bind(message.id.0).bind(ids).execute(&mut tx.conn).await?;
    Ok(())
}

const DISCARD: &str = "insert into discarded_files (id) select id from attachments where message_id = ?;
     delete from attachments where message_id = ?";

/// Takes the files of a deleted message from everyone.
pub(super) async fn discard(tx: &mut Tx, message: MessageId) -> Result<()> {
    sqlx::query(DISCARD).bind(message.0).bind(message.0).execute(&mut tx.conn).await?;
    Ok(())
}

const DISCARD_UNSENT: &str =
    "insert into discarded_files (id) select id from attachments where message_id is null and created_at_ms < ?;
         delete from attachments where message_id is null and created_at_ms < ?";

pub(super) async fn discard_unsent(tx: &mut Tx, before: Timestamp) -> Result<()> {
    sqlx::query(DISCARD_UNSENT).bind(before.0).bind(before.0).execute(&mut tx.conn).await?;
    Ok(())
}

pub(super) async fn list_discarded(conn: &mut SqliteConnection, limit: i64) -> Result<Vec<AttachmentId>> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from discarded_files limit ?1").bind(limit.max(0)).fetch_all(conn).await?;
    Ok(ids.into_iter().map(AttachmentId).collect())
}

pub(super) async fn forget_discarded(tx: &mut Tx, ids: &[AttachmentId]) -> Result<()> {
    sqlx::query("delete from discarded_files where id in (select unhex(value) from json_each(?1))")
        .bind(id_list(ids.iter().map(|id| id.0)))
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}
