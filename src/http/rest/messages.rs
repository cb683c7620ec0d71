//! `/api/v1/conversations/{id}/messages` and `/api/v1/messages`.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Body, Id, Params, SignedIn, conversations::default_limit};
use crate::{
    domain::{AttachmentId, ClientId, ConversationId, Epoch, Message, MessageId, ParticipantId, Problem},
    locales::{self, t},
    service::NewMessage,
};

/// Without either: the latest. Not both.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Range {
    /// Messages before this one.
    before_seq: Option<i64>,
    /// Messages whose last change came after this rev, in the order of rev.
    after_rev: Option<i64>,
    /// Items at most; above 200 counts as 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, default = 50)]
    limit: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = Messages)]
pub(in crate::http) struct List {
    /// Ascending: by seq, or with `after_rev` by rev.
    items: Vec<Message>,
    head: i64,
    epoch: Epoch,
    /// Where the older ones begin; null when there are none, and with `after_rev`.
    next_before_seq: Option<i64>,
}

/// List messages
#[utoipa::path(get, path = "/conversations/{id}/messages", tag = "Messages",
    params(("id" = ConversationId, Path), Range),
    responses((status = 200, description = "A part of the messages", body = List)))]
pub(in crate::http) async fn list(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Params(range): Params<Range>,
) -> Result<Json<List>, Problem> {
    let epoch = by.service.epoch();
    let page = match (range.before_seq, range.after_rev) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("after_rev", t!(locales::current(), api::EITHER_SEQ_OR_REV)));
        }
        (before_seq, None) => by.service.list_before(&by.actor, id, before_seq, range.limit).await?,
        (None, Some(after_rev)) => {
            let page = by.service.list_after(&by.actor, id, after_rev, range.limit).await?;
            return Ok(Json(List { items: page.messages, head: page.head, epoch, next_before_seq: None }));
        }
    };
    let next_before_seq = page.messages.first().filter(|_| page.more).map(|message| message.seq);
    Ok(Json(List { items: page.messages, head: page.head, epoch, next_before_seq }))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewMessage)]
pub(in crate::http) struct New {
    /// May be empty if files go with it.
    content: String,
    /// Made by the sender for each message: sending it again makes no second one.
    #[serde(default)]
    client_id: Option<ClientId>,
    /// Files that were put into this conversation, at most 10.
    #[serde(default)]
    attachment_ids: Vec<AttachmentId>,
    /// The message of this conversation that it replies to.
    #[serde(default)]
    reply_to: Option<MessageId>,
    /// Your participant id, if the message must not be sent in anybody else's name.
    #[serde(default, rename = "as")]
    sender: Option<ParticipantId>,
}

/// Post a message
///
/// It is on disk when the answer comes.
#[utoipa::path(post, path = "/conversations/{id}/messages", tag = "Messages", params(("id" = ConversationId, Path)),
    request_body = New, responses(
        (status = 201, description = "The message", body = Message),
        (status = 200, description = "What was stored under this `client_id` before", body = Message)))]
pub(in crate::http) async fn post(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    by.service.require_sender(&by.actor, id, new.sender).await?;
    let New { client_id, content, attachment_ids, reply_to, .. } = new;
    let posted =
        by.service.post_message(&by.actor, id, NewMessage { client_id, content, attachment_ids, reply_to }).await?;
    let status = if posted.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(posted.message)))
}

#[derive(Deserialize, ToSchema)]
#[schema(as = MessageEdit)]
pub(in crate::http) struct Edit {
    content: String,
    /// Your participant id, if the change must not be made in anybody else's name.
    #[serde(default, rename = "as")]
    sender: Option<ParticipantId>,
}

/// Edit a message
///
/// Its author only.
#[utoipa::path(patch, path = "/messages/{id}", tag = "Messages", params(("id" = MessageId, Path)), request_body = Edit,
    responses((status = 200, description = "As it is now", body = Message)))]
pub(in crate::http) async fn edit(
    by: SignedIn,
    Id(id): Id<MessageId>,
    Body(edit): Body<Edit>,
) -> Result<Json<Message>, Problem> {
    by.service.require_sender_to(&by.actor, id, edit.sender).await?;
    by.service.edit_message(&by.actor, None, id, &edit.content).await.map(Json)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct By {
    /// Your participant id, if the message must not be deleted in anybody else's name.
    #[serde(default, rename = "as")]
    sender: Option<ParticipantId>,
}

/// Delete a message
///
/// Its author, or an admin. It keeps its place, without content.
#[utoipa::path(delete, path = "/messages/{id}", tag = "Messages",
    params(("id" = MessageId, Path), By),
    responses((status = 200, description = "What is left of it", body = Message)))]
pub(in crate::http) async fn delete(
    by: SignedIn,
    Id(id): Id<MessageId>,
    Params(asked): Params<By>,
) -> Result<Json<Message>, Problem> {
    by.service.require_sender_to(&by.actor, id, asked.sender).await?;
    by.service.delete_message(&by.actor, None, id).await.map(Json)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = ReadUpTo)]
pub(in crate::http) struct UpTo {
    #[schema(minimum = 0)]
    seq: i64,
}

/// Say that you have read up to a message
///
/// Receipts only move forward.
#[utoipa::path(post, path = "/conversations/{id}/read", tag = "Messages", params(("id" = ConversationId, Path)),
    request_body = UpTo, responses((status = 204, description = "Done")))]
pub(in crate::http) async fn read(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(up_to): Body<UpTo>,
) -> Result<StatusCode, Problem> {
    by.service.read_up_to(&by.actor, id, up_to.seq).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Search {
    /// Words; each finds what begins with it, in any case.
    q: String,
    /// `next_cursor` of the part before.
    cursor: Option<String>,
    /// Items at most; above 200 counts as 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, default = 50)]
    limit: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = FoundMessages)]
pub(in crate::http) struct Found {
    /// Latest first.
    items: Vec<Message>,
    /// Null at the end.
    next_cursor: Option<String>,
}

/// Search messages
///
/// Those that have all the words and that you may see.
#[utoipa::path(get, path = "/search", tag = "Messages", params(Search),
    responses((status = 200, description = "A part of what was found", body = Found)))]
pub(in crate::http) async fn search(by: SignedIn, Params(search): Params<Search>) -> Result<Json<Found>, Problem> {
    let Search { q, cursor, limit } = search;
    let (items, next_cursor) = by.service.search(&by.actor, &q, cursor.as_deref(), limit).await?;
    Ok(Json(Found { items, next_cursor }))
}
