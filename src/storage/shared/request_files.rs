//! Files of custom requests, for the owner and the admins. Their contents are beside the database, with those of chats.

use std::collections::HashMap;

use super::{
    attachments::{self, attachment},
    dialect::{Conn, ids, is_any, sql},
    requests::{self, find_to_change},
    rows::Columns,
};
use crate::{
    domain::{Actor, Attachment, AttachmentId, RequestId, Timestamp, UserId},
    storage::{Digest, FileBytes, Quota, Result, StoreError, rules::MOST_REQUEST_FILES},
};

/// The usage that counts for the actor's files of this request.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`].
pub async fn bytes(conn: &mut Conn, actor: &Actor, id: RequestId, since: Timestamp) -> Result<FileBytes> {
    requests::find(&mut *conn, actor, id).await?;
    let uploader = actor.user_id().ok_or(StoreError::Forbidden)?;
    usage(conn, uploader, id, since).await
}

/// The same for an uploader who may see the request.
async fn usage(conn: &mut Conn, uploader: UserId, id: RequestId, since: Timestamp) -> Result<FileBytes> {
    let by_person = attachments::bytes_by(&mut *conn, Some(uploader.0), since).await?;
    let of_request: i64 = sqlx::query_scalar(sql!(
        "select cast(coalesce(sum(size_bytes), 0) as bigint) from request_files where request_id = $1"
    ))
    .bind(id.0)
    .fetch_one(conn)
    .await?;
    Ok(FileBytes { by_person, in_conversation: of_request as u64 })
}

/// Adds a file, or returns the same file that was added before: one with this name and content.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::Forbidden`], [`StoreError::RequestEnded`], [`StoreError::RequestFull`],
/// [`StoreError::QuotaUsed`].
pub async fn add(
    conn: &mut Conn,
    actor: &Actor,
    id: RequestId,
    (file, digest): (Attachment, Digest),
    quota: Quota,
    now: Timestamp,
) -> Result<Attachment> {
    let request = find_to_change(&mut *conn, actor, id).await?;
    let uploader = actor.user_id().ok_or(StoreError::Forbidden)?;
    if !request.status.is_open() {
        return Err(StoreError::RequestEnded);
    }
    let same = sqlx::query(sql!(
        "select id, name, media_type, size_bytes, width, height from request_files
         where request_id = $1 and digest = $2 and name = $3"
    ))
    .bind(id.0)
    .bind(&digest[..])
    .bind(&file.name)
    .fetch_optional(&mut *conn)
    .await?;
    if let Some(same) = same {
        return Ok(attachment(&same)?);
    }
    if request.attachments.len() >= MOST_REQUEST_FILES {
        return Err(StoreError::RequestFull);
    }
    quota.require(usage(&mut *conn, uploader, id, quota.since).await?, file.size_bytes)?;
    sqlx::query(sql!(
        "insert into request_files
             (id, request_id, uploader_id, name, media_type, size_bytes, width, height, digest, created_at)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)"
    ))
    .bind(file.id.0)
    .bind(id.0)
    .bind(uploader.0)
    .bind(&file.name)
    .bind(&file.media_type)
    .bind(file.size_bytes)
    .bind(file.width)
    .bind(file.height)
    .bind(&digest[..])
    .bind(now)
    .execute(&mut *conn)
    .await?;
    sqlx::query(sql!("update custom_requests set updated_at = greatest(updated_at, $2) where id = $1"))
        .bind(id.0)
        .bind(now)
        .execute(conn)
        .await?;
    Ok(file)
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn find(conn: &mut Conn, actor: &Actor, id: AttachmentId) -> Result<Attachment> {
    let row = sqlx::query(sql!(
        "select id, request_id, name, media_type, size_bytes, width, height from request_files where id = $1"
    ))
    .bind(id.0)
    .fetch_optional(&mut *conn)
    .await?
    .ok_or(StoreError::NotFound)?;
    requests::find(conn, actor, row.id("request_id", RequestId)?).await?;
    Ok(attachment(&row)?)
}

pub const OF: &str = sql!(
    "select id, request_id, name, media_type, size_bytes, width, height, created_at from request_files
     where request_id ",
    is_any!("$1")
);

/// The files of requests that the actor may see, each request's in the order of their arrival.
pub async fn of(
    conn: &mut Conn,
    requests: impl IntoIterator<Item = RequestId>,
) -> Result<HashMap<RequestId, Vec<Attachment>>> {
    let rows = sqlx::query(OF).bind(ids(requests.into_iter().map(|id| id.0))).fetch_all(conn).await?;
    let mut rows: Vec<_> = rows.iter().map(|row| Ok((row.time("created_at")?, row))).collect::<sqlx::Result<_>>()?;
    rows.sort_by_key(|(created_at, _)| *created_at);
    let mut files = HashMap::<_, Vec<_>>::new();
    for (_, row) in rows {
        files.entry(row.id("request_id", RequestId)?).or_default().push(attachment(row)?);
    }
    Ok(files)
}

/// Takes the files of a request from everyone; returns their number.
pub async fn discard(conn: &mut Conn, request: RequestId) -> Result<u64> {
    sqlx::query(sql!("insert into discarded_files (id) select id from request_files where request_id = $1"))
        .bind(request.0)
        .execute(&mut *conn)
        .await?;
    let done =
        sqlx::query(sql!("delete from request_files where request_id = $1")).bind(request.0).execute(conn).await?;
    Ok(done.rows_affected())
}
