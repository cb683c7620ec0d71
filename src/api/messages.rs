//! Messages that a page loads later.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::domain::{ConversationId, Message, Problem, objects};

/// Messages before those that the browser has loaded.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Older {
    /// Ascending by seq.
    pub messages: Vec<Message>,
    /// Whether even older ones exist.
    pub more: bool,
}

objects!(Older);

/// The 50 messages before `before_seq`.
#[server(input = Json, output = Json, endpoint = "list_older", client = PageClient)]
pub async fn list_older(id: ConversationId, before_seq: i64) -> Result<Older, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.list_older(&actor, id, before_seq).await
}
