//! Files: put into a conversation, and fetched.

use axum::{
    Json,
    body::Body,
    extract::{
        Multipart,
        multipart::{Field, MultipartError, MultipartRejection},
    },
    http::{HeaderValue, StatusCode, header},
    response::Response,
};
use tokio_util::io::ReaderStream;
use utoipa::ToSchema;

use super::{Id, SignedIn};
use crate::{
    domain::{Attachment, AttachmentId, Code, ConversationId, Problem, percent_encoded},
    service::Service,
};

/// Bytes that are read beyond the largest file, and dropped: whoever sends too much reads the answer only
/// after sending it all. What is larger still loses its connection.
pub(in crate::http) const MOST_DROPPED: usize = 32 * 1024 * 1024;

#[derive(ToSchema)]
#[schema(as = NewAttachment)]
#[expect(dead_code, reason = "describes a form that is read part by part")]
pub(in crate::http) struct New {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

pub(in crate::http) fn misunderstood() -> Problem {
    Problem::invalid("file", "Send the file as multipart/form-data, in a part named `file`.")
}

/// Why a form with files could not be read to its end.
pub(in crate::http) fn unread(service: &Service, error: &MultipartError) -> Problem {
    match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => service.attachment_too_large(),
        _ => misunderstood(),
    }
}

/// The bytes of a part; `None` if there are more than `most`. It is read to its end all the same, so that what comes
/// after it can be.
pub(in crate::http) async fn read_part(part: &mut Field<'_>, most: usize) -> Result<Option<Vec<u8>>, MultipartError> {
    let (mut bytes, mut size) = (Vec::new(), 0);
    while let Some(chunk) = part.chunk().await? {
        size += chunk.len();
        if size <= most {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok((size <= most).then_some(bytes))
}

/// Put a file into a conversation
///
/// It can then be sent with one message, within a day.
#[utoipa::path(post, path = "/conversations/{id}/attachments", tag = "Attachments",
    params(("id" = ConversationId, Path)), request_body(content = New, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file, to be sent with a message", body = Attachment)))]
pub(in crate::http) async fn add(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    form: Result<Multipart, MultipartRejection>,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    // Before a file is read into memory: nobody's who may not put it here.
    by.service.conversation(&by.actor, id).await?;
    let mut form = form.map_err(|_| misunderstood())?;
    let unread = |error| unread(&by.service, &error);
    while let Some(mut part) = form.next_field().await.map_err(unread)? {
        if part.name() != Some("file") {
            continue;
        }
        let name = part.file_name().unwrap_or_default().to_owned();
        let media_type = part.content_type().unwrap_or_default().to_owned();
        let bytes = read_part(&mut part, by.service.limits().attachment_bytes).await.map_err(unread)?;
        let bytes = bytes.ok_or_else(|| by.service.attachment_too_large())?;
        let file = by.service.add_attachment(&by.actor, id, &name, &media_type, &bytes).await?;
        return Ok((StatusCode::CREATED, Json(file)));
    }
    Err(misunderstood())
}

/// Get a file
///
/// One of a message that you may see, or one that you have not sent yet.
#[utoipa::path(get, path = "/attachments/{id}", tag = "Attachments", params(("id" = AttachmentId, Path)),
    responses((status = 200, description = "What is in it", content_type = "*/*")))]
pub(in crate::http) async fn show(by: SignedIn, Id(id): Id<AttachmentId>) -> Result<Response, Problem> {
    let (file, on_disk) = by.service.attachment(&by.actor, id).await?;
    let mut response = Response::new(Body::from_stream(ReaderStream::new(on_disk)));
    let headers = response.headers_mut();
    let value = |text: &str| HeaderValue::try_from(text).map_err(|_| Problem::new(Code::Unavailable, "A bad file."));
    headers.insert(header::CONTENT_TYPE, value(&file.media_type)?);
    headers.insert(header::CONTENT_LENGTH, file.size_bytes.into());
    // Only pictures are shown in place; everything else could hold scripts, and is saved.
    let how = if file.is_picture() { "inline" } else { "attachment" };
    // As RFC 8187 wants it.
    let disposition = format!("{how}; filename*=UTF-8''{}", percent_encoded(&file.name, b"-._~"));
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition)?);
    // What is behind an id never changes, but who may have it does.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
