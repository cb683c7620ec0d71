//! `/api/v1/conversations`.

use axum::{
    Json,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{Body, Id, Params, SignedIn};
use crate::{
    domain::{
        Conversation, ConversationId, ConversationKind, ConversationStatus, Message, ParticipantId, Problem, Rating,
    },
    locales::{self, t},
    service::transcript,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = NewConversation)]
pub(in crate::http) struct Open {
    /// 1 to 100 characters on one line.
    #[schema(min_length = 1, max_length = 100)]
    customer_name: String,
    #[serde(default)]
    customer_email: Option<String>,
    /// Your program's own data about the conversation: at most 16 KiB, for admins only.
    #[serde(default)]
    #[schema(value_type = Option<Object>)]
    metadata: serde_json::Value,
    /// Whether clients encrypt the messages. It cannot be changed later. Add `#k=` and the base64url of a key of 32 bytes
    /// to the `link` that you share: the server must not learn it.
    #[serde(default)]
    sealed: bool,
}

/// Open a session
///
/// Admins only. The response contains the `link` to share.
#[utoipa::path(post, path = "/conversations", tag = "Conversations", request_body = Open,
    responses((status = 201, description = "The conversation, open", body = Conversation)))]
pub(in crate::http) async fn open(
    by: SignedIn,
    Body(new): Body<Open>,
) -> Result<(StatusCode, Json<Conversation>), Problem> {
    let conversation = by
        .service
        .open_conversation(&by.actor, None, &new.customer_name, new.customer_email.as_deref(), new.metadata, new.sealed)
        .await?;
    Ok((StatusCode::CREATED, Json(conversation)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    #[param(inline)]
    status: Option<ConversationStatus>,
    #[param(inline)]
    kind: Option<ConversationKind>,
    /// `next_cursor` of the previous part.
    cursor: Option<String>,
    /// Maximum number of items; values above 200 count as 200.
    #[serde(default = "super::conversations::default_limit")]
    #[param(minimum = 1, default = 50)]
    limit: i64,
}

pub(super) fn default_limit() -> i64 {
    50
}

#[derive(Serialize, ToSchema)]
#[schema(as = Conversations)]
pub(in crate::http) struct List {
    /// Latest activity first.
    items: Vec<Conversation>,
    /// Null in the last part.
    next_cursor: Option<String>,
}

/// List conversations
///
/// Admins get all, everyone else their own.
#[utoipa::path(get, path = "/conversations", tag = "Conversations", params(Filter),
    responses((status = 200, description = "A part of the list", body = List)))]
pub(in crate::http) async fn list(by: SignedIn, Params(filter): Params<Filter>) -> Result<Json<List>, Problem> {
    let Filter { status, kind, cursor, limit } = filter;
    let (items, next_cursor) =
        by.service.conversations(&by.actor, status, kind, None, cursor.as_deref(), limit).await?;
    Ok(Json(List { items, next_cursor }))
}

/// Get a conversation
#[utoipa::path(get, path = "/conversations/{id}", tag = "Conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, description = "The conversation", body = Conversation)))]
pub(in crate::http) async fn show(by: SignedIn, Id(id): Id<ConversationId>) -> Result<Json<Conversation>, Problem> {
    by.service.conversation(&by.actor, id).await.map(Json)
}

/// Exactly one of the two members.
#[derive(Deserialize, ToSchema)]
#[schema(as = ConversationChange)]
pub(in crate::http) struct Changes {
    status: Option<ConversationStatus>,
    /// The participant id of an admin; null to unassign.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<ParticipantId>)]
    assignee_id: Option<Option<ParticipantId>>,
}

/// Reads a member that may be null, as opposed to absent.
pub(super) fn present<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

/// Close, reopen or assign a conversation
///
/// Admins only. A closed conversation is read-only until it is reopened.
#[utoipa::path(patch, path = "/conversations/{id}", tag = "Conversations", params(("id" = ConversationId, Path)),
    request_body = Changes, responses((status = 200, description = "The changed conversation", body = Conversation)))]
pub(in crate::http) async fn change(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(changes): Body<Changes>,
) -> Result<Json<Conversation>, Problem> {
    let conversation = match (changes.status, changes.assignee_id) {
        (Some(status), None) => by.service.set_status(&by.actor, id, status).await?,
        (None, Some(assignee)) => by.service.assign(&by.actor, id, assignee).await?,
        _ => return Err(Problem::invalid("status", t!(locales::current(), api::EITHER_STATUS_OR_ASSIGNEE))),
    };
    Ok(Json(conversation))
}

/// Close a conversation
///
/// Admins only.
#[utoipa::path(delete, path = "/conversations/{id}", tag = "Conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, description = "The conversation, closed", body = Conversation)))]
pub(in crate::http) async fn close(by: SignedIn, Id(id): Id<ConversationId>) -> Result<Json<Conversation>, Problem> {
    by.service.set_status(&by.actor, id, ConversationStatus::Closed).await.map(Json)
}

/// Create a new link
///
/// Admins only. The previous link becomes invalid, and guests who used it lose access.
#[utoipa::path(post, path = "/conversations/{id}/link", tag = "Conversations", params(("id" = ConversationId, Path)),
    responses((status = 200, description = "The conversation with its new link", body = Conversation)))]
pub(in crate::http) async fn make_link(
    by: SignedIn,
    Id(id): Id<ConversationId>,
) -> Result<Json<Conversation>, Problem> {
    by.service.make_link(&by.actor, id).await.map(Json)
}

/// Revoke the link
///
/// Admins only. Guests who used it lose access.
#[utoipa::path(delete, path = "/conversations/{id}/link", tag = "Conversations", params(("id" = ConversationId, Path)),
    responses((status = 204, description = "Done")))]
pub(in crate::http) async fn revoke_link(by: SignedIn, Id(id): Id<ConversationId>) -> Result<StatusCode, Problem> {
    by.service.revoke_link(&by.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = NewRating)]
pub(in crate::http) struct NewRating {
    #[schema(minimum = 1, maximum = 5)]
    score: i64,
    #[serde(default)]
    #[schema(max_length = 1_000)]
    comment: Option<String>,
}

/// Rate a conversation
///
/// The customer side only, once the conversation is closed. The rating can be changed for a day.
#[utoipa::path(post, path = "/conversations/{id}/rating", tag = "Conversations", params(("id" = ConversationId, Path)),
    request_body = NewRating, responses((status = 200, description = "The rating", body = Rating)))]
pub(in crate::http) async fn rate(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(new): Body<NewRating>,
) -> Result<Json<Rating>, Problem> {
    by.service.rate(&by.actor, id, new.score, new.comment.as_deref()).await.map(Json)
}

/// E-mail the transcript
///
/// Sends the transcript to the customer's address: the confirmed one of the account, or the one that an admin gave.
#[utoipa::path(post, path = "/conversations/{id}/transcript/mail", tag = "Conversations",
    params(("id" = ConversationId, Path)), responses((status = 204, description = "Sent")))]
pub(in crate::http) async fn mail_transcript(by: SignedIn, Id(id): Id<ConversationId>) -> Result<StatusCode, Problem> {
    by.service.mail_transcript(&by.actor, id, by.address).await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(in crate::http) enum Format {
    #[default]
    Txt,
    Json,
    Html,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct TranscriptQuery {
    #[serde(default)]
    #[param(inline)]
    format: Format,
}

#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Transcript {
    conversation: Conversation,
    /// All messages, oldest first.
    messages: Vec<Message>,
}

/// Download a conversation
///
/// All messages from the first to the last, as a transcript.
#[utoipa::path(get, path = "/conversations/{id}/transcript", tag = "Conversations",
    params(("id" = ConversationId, Path), TranscriptQuery),
    responses((status = 200, description = "The transcript", content(
        (String = "text/plain"), (Transcript = "application/json"), (String = "text/html")))))]
pub(in crate::http) async fn transcript(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Params(query): Params<TranscriptQuery>,
) -> Result<Response, Problem> {
    let (conversation, messages) = by.service.transcript(&by.actor, id).await?;
    let (kind, end, text) = match query.format {
        Format::Txt => ("text/plain; charset=utf-8", "txt", transcript::text(&conversation, &messages)),
        Format::Html => ("text/html; charset=utf-8", "html", transcript::html(&conversation, &messages)),
        Format::Json => {
            let all = Transcript { conversation, messages };
            ("application/json", "json", transcript::json(&all).map_err(|_| Problem::unavailable())?)
        }
    };
    let name = format!("attachment; filename=\"chat-{id}.{end}\"");
    // Permits only its own style, as the text is untrusted.
    let policy = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";
    let headers =
        [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, &name), (header::CONTENT_SECURITY_POLICY, policy)];
    Ok((headers, text).into_response())
}
