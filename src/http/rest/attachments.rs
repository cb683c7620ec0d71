//! Upload and download of files.

use axum::{
    Extension, Json,
    body::Body,
    extract::Request,
    http::{HeaderName, HeaderValue, StatusCode, header},
    response::Response,
};
use serde::Deserialize;
use tower_http::services::ServeFile;
use utoipa::{IntoParams, ToSchema};

use super::{Id, Params, SignedIn};
use crate::{
    domain::{Attachment, AttachmentId, Code, ConversationId, Problem, RequestId, file_name, percent_encoded},
    http::{
        Asker,
        body_size::BODY_BYTES,
        multipart::{Form, misunderstood},
    },
    locales::{self, t},
    service::Upload,
};

#[derive(ToSchema)]
#[schema(as = NewAttachment)]
#[expect(dead_code, reason = "describes a form that is read part by part")]
pub(in crate::http) struct New {
    #[schema(format = Binary, content_media_type = "application/octet-stream")]
    file: String,
}

/// Upload a file to a conversation
///
/// Send it with one message within a day.
#[utoipa::path(post, path = "/conversations/{id}/attachments", tag = "Attachments",
    params(("id" = ConversationId, Path)), request_body(content = New, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file, to be sent with a message", body = Attachment)))]
pub(in crate::http) async fn add(
    by: SignedIn,
    Extension(asker): Extension<Asker>,
    Id(id): Id<ConversationId>,
    form: Form,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    // Checks permission and the number of concurrent uploads before it reads the body.
    let upload = by.service.begin_upload(&by.actor, asker.address.into(), id).await?;
    receive(&by, &upload, form).await
}

/// Add a file to a custom request
///
/// For its customer and admins, while the request is new or in progress. The same file again is the one from before.
#[utoipa::path(post, path = "/requests/{id}/attachments", tag = "Attachments",
    params(("id" = RequestId, Path)), request_body(content = New, content_type = "multipart/form-data"),
    responses((status = 201, description = "The file of the request", body = Attachment)))]
pub(in crate::http) async fn add_to_request(
    by: SignedIn,
    Extension(asker): Extension<Asker>,
    Id(id): Id<RequestId>,
    form: Form,
) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let upload = by.service.begin_request_upload(&by.actor, asker.address.into(), id).await?;
    receive(&by, &upload, form).await
}

async fn receive(by: &SignedIn, upload: &Upload<'_>, form: Form) -> Result<(StatusCode, Json<Attachment>), Problem> {
    let most = by.service.limits().attachment_bytes.saturating_add(BODY_BYTES);
    let mut parts = form.read(most).map_err(|refused| match refused.code {
        Code::TooLarge => by.service.attachment_too_large(),
        _ => refused,
    })?;
    while let Some(mut part) = parts.next().await? {
        if part.name() != "file" {
            part.skip().await?;
            continue;
        }
        let mut file = upload.file(part.file_name()).await?;
        while let Some(chunk) = part.chunk().await? {
            file.write(&chunk).await?;
        }
        return Ok((StatusCode::CREATED, Json(file.finish().await?)));
    }
    Err(misunderstood())
}

#[derive(Clone, Copy, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Size {
    /// At most 640 pixels wide and high.
    Preview,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Wanted {
    /// Only for pictures; without it, the file itself.
    #[param(inline)]
    size: Option<Size>,
}

/// Get a file
///
/// A file of a message or a request that you may see, or one that you have not sent yet. Ranges of bytes are served too. Large
/// pictures have a preview.
#[utoipa::path(get, path = "/attachments/{id}", tag = "Attachments", params(("id" = AttachmentId, Path), Wanted),
    responses((status = 200, description = "The content", content_type = "*/*"),
        (status = 206, description = "The range of the content", content_type = "*/*")))]
pub(in crate::http) async fn show(
    by: SignedIn,
    Id(id): Id<AttachmentId>,
    Params(wanted): Params<Wanted>,
    request: Request,
) -> Result<Response, Problem> {
    let (file, path) = match wanted.size {
        None => by.service.attachment(&by.actor, id).await?,
        Some(Size::Preview) => by.service.preview(&by.actor, id).await?,
    };
    let media_type = file.media_type.parse().unwrap_or(mime::APPLICATION_OCTET_STREAM);
    // Also handles ranges, and requests for what has changed.
    let served = ServeFile::new_with_mime(path, &media_type).try_call(request).await;
    let mut response = served.map_err(|_| Problem::unavailable())?.map(Body::new);
    if response.status() == StatusCode::NOT_FOUND {
        return Err(Problem::not_found());
    }
    let headers = response.headers_mut();
    let value = |text: &str| {
        HeaderValue::try_from(text)
            .map_err(|_| Problem::new(Code::Unavailable, t!(locales::current(), api::FILE_HEADERS)))
    };
    // Only pictures are shown in place; everything else is saved.
    let how = if file.is_picture() { "inline" } else { "attachment" };
    // RFC 8187 defines the encoding. The name is cleaned again, because earlier versions stored names unchecked.
    let name = file_name(&file.name).unwrap_or_default();
    let disposition = format!("{how}; filename*=UTF-8''{}", percent_encoded(&name, b"-._~"));
    headers.insert(header::CONTENT_DISPOSITION, value(&disposition)?);
    // A browser isolates every file: it loads nothing, runs nothing, and cannot be embedded by other sites.
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "sandbox; default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    // The content of an id never changes, but the permission to read it does.
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    Ok(response)
}
