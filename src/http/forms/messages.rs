//! Messages and files in a chat.

use std::collections::BTreeMap;

use axum::{Extension, extract::State, http::Uri, response::Response};
use serde::Deserialize;
use uuid::Uuid;

use super::{Fields, again, too_much};
use crate::{
    app::FormState,
    domain::{Actor, AttachmentId, ClientId, Code, ConversationId, ParticipantId, Problem},
    http::{
        App, Asker,
        body_size::BODY_BYTES,
        error, multipart,
        pages::{PageId, own_path, problem, render, see_other},
    },
    locales::{self, t},
    service::{self, MAX_ATTACHMENTS, Upload, too_many_attachments},
};

#[derive(Default, Deserialize)]
pub struct NewMessage {
    content: String,
    /// Made by the server with the page: sending the form twice makes one message.
    #[serde(default)]
    client_id: Option<ClientId>,
    /// The message that it replies to; empty or anything else: none.
    #[serde(default)]
    reply_to: String,
    /// The page that has the chat beside it, if it is not the chat's own.
    #[serde(default)]
    from: Option<String>,
    /// Whose page the form was on.
    #[serde(default, rename = "as")]
    sender: Option<ParticipantId>,
}

/// Whether the page at this address is one that can have a chat beside it.
fn has_chat_beside(path: &str) -> bool {
    ["/account?", "/requests/", "/admin/requests?"].iter().any(|page| path.starts_with(page))
}

pub async fn post_message(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    Fields(form): Fields<NewMessage>,
) -> Response {
    let Some(actor) = asker.actor.clone() else {
        return match form.sender {
            Some(_) => not_sent(&app, asker, Problem::not_found(), form.content).await,
            None => problem(&app, asker, Problem::not_found()).await,
        };
    };
    post(&app, asker, &actor, id, form, Ok(Vec::new())).await
}

/// A form was sent, stopped, changed and sent again.
fn sent_before() -> Problem {
    Problem::new(Code::Conflict, t!(locales::current(), problem::MESSAGE_SENT_BEFORE))
}

/// Sends a message with files, or says why these could not be taken.
async fn post(
    app: &App,
    asker: Asker,
    actor: &Actor,
    id: ConversationId,
    form: NewMessage,
    files: Result<Vec<AttachmentId>, Problem>,
) -> Response {
    if let Err(reason) = app.service.require_sender(actor, id, form.sender).await {
        return not_sent(app, asker, reason, form.content).await;
    }
    let page = match form.from.as_deref().and_then(own_path).filter(|path| has_chat_beside(path)) {
        Some(page) => page.to_owned(),
        None if actor.is_admin() => format!("/admin?chat={id}"),
        None => format!("/chat/{id}"),
    };
    let new = |attachment_ids| service::NewMessage {
        client_id: form.client_id,
        content: form.content.clone(),
        attachment_ids,
        reply_to: form.reply_to.parse().ok(),
    };
    let posted = match files {
        Ok(files) if files.is_empty() => app.service.post_message(actor, id, new(files)).await.map(drop),
        Ok(files) => app.service.post_files(actor, id, new(files)).await,
        Err(reason) => Err(reason),
    };
    match posted {
        Ok(()) => see_other(&page),
        Err(reason) if matches!(reason.code, Code::NotFound | Code::Unauthorized) => problem(app, asker, reason).await,
        // What was typed stays, whatever the reason.
        Err(reason) => {
            // The key stays too, as what was sent may have been stored all the same; unless it is taken.
            let key = form.client_id.filter(|_| reason.code != Code::Conflict);
            let reason = if reason.code == Code::Conflict { sent_before() } else { reason };
            let client_id = key.map(|id| id.to_string()).unwrap_or_default();
            again(app, asker, &page, reason, [("content", form.content), ("client_id", client_id)]).await
        }
    }
}

/// Says that a message was not sent because its form was on somebody else's page. Its text is there to be copied, but
/// not in the chat's form, where the next press of a key would send it in the wrong name. Whether the chat exists is
/// not said.
async fn not_sent(app: &App, asker: Asker, mut reason: Problem, content: String) -> Response {
    if matches!(reason.code, Code::Forbidden | Code::NotFound) {
        reason = Problem::forbidden(t!(locales::current(), problem::MESSAGE_NOT_SENT));
    }
    let status = error::status(&reason);
    let values = BTreeMap::from([("content".to_owned(), content)]);
    render(app, asker, Uri::from_static("/problem"), status, FormState { problem: Some(reason), values }).await
}

/// A message with files. What is refused is read to its end, so that what was typed is not lost.
pub async fn post_files(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    form: multipart::Form,
) -> Response {
    let Some(actor) = asker.actor.clone() else { return problem(&app, asker, Problem::not_found()).await };
    // Before any of it is read: nobody's who may not put it here, and not too many at once.
    let upload = match app.service.begin_upload(&actor, asker.address.into(), id).await {
        Ok(upload) => upload,
        Err(reason) => return problem(&app, asker, reason).await,
    };
    let mut fields = NewMessage::default();
    let most = MAX_ATTACHMENTS.saturating_mul(app.service.limits().attachment_bytes);
    let most = most.saturating_add(multipart::MOST_DROPPED);
    let files = match form.read(most) {
        Ok(parts) => read_files(&upload, parts, &mut fields).await,
        Err(reason) => Err(reason),
    };
    drop(upload);
    post(&app, asker, &actor, id, fields, files).await
}

/// Puts the files of a form into the conversation, and what else it has into `fields`.
async fn read_files(
    upload: &Upload<'_>,
    mut parts: multipart::Parts,
    fields: &mut NewMessage,
) -> Result<Vec<AttachmentId>, Problem> {
    let mut files = Vec::new();
    let mut refused = None;
    while let Some(part) = parts.next().await? {
        if part.name() != "file" {
            let part_name = part.name().to_owned();
            let Some(bytes) = part.bytes(BODY_BYTES).await? else {
                // The files are not sent without the words that belong to them.
                refused = Some(too_much());
                continue;
            };
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match &*part_name {
                "content" => fields.content = text,
                "client_id" => fields.client_id = text.parse().ok(),
                "reply_to" => fields.reply_to = text,
                "from" => fields.from = Some(text),
                "as" => {
                    // What is no id is nobody's.
                    fields.sender = Some(text.parse().unwrap_or(ParticipantId::told(Uuid::nil())));
                    // Here, because it stands before the files: those of a wrong sender are not kept.
                    refused = refused.or(upload.require_sender(fields.sender).await.err());
                }
                _ => {}
            }
        } else if refused.is_some() {
            part.skip().await?;
        } else {
            match read_file(upload, part, files.len()).await? {
                Ok(file) => files.extend(file),
                Err(reason) => refused = Some(reason),
            }
        }
    }
    match refused {
        Some(reason) => Err(reason),
        None if files.is_empty() => Err(Problem::invalid("file", t!(locales::current(), problem::FILE_MISSING))),
        None => Ok(files),
    }
}

/// Puts one file more than `count` into the conversation, or says why not. `None` if none was chosen.
///
/// # Errors
/// If the form cannot be read on.
async fn read_file(
    upload: &Upload<'_>,
    mut part: multipart::Part,
    count: usize,
) -> Result<Result<Option<AttachmentId>, Problem>, Problem> {
    let name = part.file_name().to_owned();
    let mut chunk = part.chunk().await?;
    // So browsers send a field in which nothing was chosen.
    if name.is_empty() && chunk.is_none() {
        return Ok(Ok(None));
    }
    let begun = match count {
        MAX_ATTACHMENTS => Err(too_many_attachments("file")),
        _ => upload.file(&name).await,
    };
    let mut file = match begun {
        Ok(file) => file,
        Err(reason) => return part.skip().await.map(|()| Err(reason)),
    };
    while let Some(bytes) = chunk {
        if let Err(reason) = file.write(&bytes).await {
            drop(file);
            return part.skip().await.map(|()| Err(reason));
        }
        chunk = part.chunk().await?;
    }
    Ok(file.finish().await.map(|file| Some(file.id)))
}
