//! `/api/v1/conversations`.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Deserializer, Serialize};

use super::{Body, Id, Params, SignedIn};
use crate::domain::{Conversation, ConversationId, ConversationKind, ConversationStatus, Problem, UserId};

#[derive(Deserialize)]
pub(in crate::http) struct Open {
    customer_name: String,
    #[serde(default)]
    customer_email: Option<String>,
    #[serde(default)]
    metadata: serde_json::Value,
}

pub(in crate::http) async fn open(
    by: SignedIn,
    Body(new): Body<Open>,
) -> Result<(StatusCode, Json<Conversation>), Problem> {
    let conversation = by
        .service
        .open_conversation(&by.actor, &new.customer_name, new.customer_email.as_deref(), new.metadata)
        .await?;
    Ok((StatusCode::CREATED, Json(conversation)))
}

#[derive(Deserialize)]
pub(in crate::http) struct Filter {
    status: Option<ConversationStatus>,
    kind: Option<ConversationKind>,
    cursor: Option<String>,
    #[serde(default = "super::conversations::default_limit")]
    limit: i64,
}

pub(super) fn default_limit() -> i64 {
    50
}

#[derive(Serialize)]
pub(in crate::http) struct List {
    items: Vec<Conversation>,
    next_cursor: Option<String>,
}

pub(in crate::http) async fn list(by: SignedIn, Params(filter): Params<Filter>) -> Result<Json<List>, Problem> {
    let Filter { status, kind, cursor, limit } = filter;
    let (items, next_cursor) =
        by.service.conversations(&by.actor, status, kind, None, cursor.as_deref(), limit).await?;
    Ok(Json(List { items, next_cursor }))
}

pub(in crate::http) async fn show(by: SignedIn, Id(id): Id<ConversationId>) -> Result<Json<Conversation>, Problem> {
    by.service.conversation(&by.actor, id).await.map(Json)
}

#[derive(Deserialize)]
pub(in crate::http) struct Changes {
    status: Option<ConversationStatus>,
    /// Absent: as it is. Null: nobody.
    #[serde(default, deserialize_with = "present")]
    assignee_id: Option<Option<UserId>>,
}

fn present<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Option<UserId>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

pub(in crate::http) async fn change(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(changes): Body<Changes>,
) -> Result<Json<Conversation>, Problem> {
    let conversation = match (changes.status, changes.assignee_id) {
        (Some(status), None) => by.service.set_status(&by.actor, id, status).await?,
        (None, Some(assignee)) => by.service.assign(&by.actor, id, assignee).await?,
        _ => return Err(Problem::invalid("status", "Give either status or assignee_id.")),
    };
    Ok(Json(conversation))
}

pub(in crate::http) async fn close(by: SignedIn, Id(id): Id<ConversationId>) -> Result<Json<Conversation>, Problem> {
    by.service.set_status(&by.actor, id, ConversationStatus::Closed).await.map(Json)
}

pub(in crate::http) async fn make_link(
    by: SignedIn,
    Id(id): Id<ConversationId>,
) -> Result<Json<Conversation>, Problem> {
    by.service.make_link(&by.actor, id).await.map(Json)
}

pub(in crate::http) async fn revoke_link(by: SignedIn, Id(id): Id<ConversationId>) -> Result<StatusCode, Problem> {
    by.service.revoke_link(&by.actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
