//! `/api/v1/conversations/{id}/messages` and `/api/v1/messages`.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Body, Id, Params, SignedIn, conversations::default_limit};
use crate::domain::{ClientId, ConversationId, Epoch, Message, MessageId, Problem};

#[derive(Deserialize)]
pub(in crate::http) struct Range {
    before_seq: Option<i64>,
    after_rev: Option<i64>,
    #[serde(default = "default_limit")]
    limit: i64,
}

#[derive(Serialize)]
pub(in crate::http) struct List {
    items: Vec<Message>,
    head: i64,
    epoch: Epoch,
    /// Where the older ones begin; null when there are none, and with `after_rev`.
    next_before_seq: Option<i64>,
}

pub(in crate::http) async fn list(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Params(range): Params<Range>,
) -> Result<Json<List>, Problem> {
    let epoch = by.service.epoch();
    let page = match (range.before_seq, range.after_rev) {
        (Some(_), Some(_)) => {
            return Err(Problem::invalid("after_rev", "Give either before_seq or after_rev, not both."));
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

#[derive(Deserialize)]
pub(in crate::http) struct New {
    content: String,
    #[serde(default)]
    client_id: Option<ClientId>,
    #[serde(default)]
    attachment_ids: Vec<Uuid>,
}

/// 201 with the message; 200 if this client id was stored before.
pub(in crate::http) async fn post(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<Message>), Problem> {
    let posted = by.service.post_message(&by.actor, id, new.client_id, &new.content, new.attachment_ids.len()).await?;
    let status = if posted.fresh { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(posted.message)))
}

#[derive(Deserialize)]
pub(in crate::http) struct Edit {
    content: String,
}

pub(in crate::http) async fn edit(
    by: SignedIn,
    Id(id): Id<MessageId>,
    Body(edit): Body<Edit>,
) -> Result<Json<Message>, Problem> {
    by.service.edit_message(&by.actor, None, id, &edit.content).await.map(Json)
}

pub(in crate::http) async fn delete(by: SignedIn, Id(id): Id<MessageId>) -> Result<Json<Message>, Problem> {
    by.service.delete_message(&by.actor, None, id).await.map(Json)
}

#[derive(Deserialize)]
pub(in crate::http) struct UpTo {
    seq: i64,
}

pub(in crate::http) async fn read(
    by: SignedIn,
    Id(id): Id<ConversationId>,
    Body(up_to): Body<UpTo>,
) -> Result<StatusCode, Problem> {
    by.service.read_up_to(&by.actor, id, up_to.seq).await?;
    Ok(StatusCode::NO_CONTENT)
}
