//! Conversations: the dashboard's list, one chat, and what admins do with it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::{
    domain::{
        ClientId, Conversation, ConversationId, ConversationStatus, MessageId, Participant, Problem, Timestamp, objects,
    },
    protocol::Joined,
};

/// A part of the dashboard's sidebar.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Inbox {
    /// Latest activity first.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub items: Vec<Conversation>,
    /// Where the next part begins; `None` at the end.
    pub next_cursor: Option<String>,
    /// How many chats there are, at most [`MOST_COUNTED`](crate::domain::MOST_COUNTED); also of `closed` ones.
    pub open: i64,
    pub closed: i64,
    /// For admins, messages that wait to be read in all open chats together, at most
    /// [`MOST_UNREAD`](crate::domain::MOST_UNREAD).
    pub unread: i64,
    /// What was written that has the words of the search, latest first; in the first part only.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub found: Vec<Found>,
}

objects!(Inbox);

/// Messages that a search of the dashboard shows.
pub const FOUND_MESSAGES: i64 = 20;

/// A message that a search has found.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Found {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub seq: i64,
    pub customer_name: String,
    pub sender_name: String,
    pub created_at: Timestamp,
    /// The text around the first word that was found.
    pub before: String,
    pub word: String,
    pub after: String,
}

objects!(Found);

/// What a chat panel starts from; it then joins the room with `after: joined.head`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Chat {
    /// Who the viewer is in this conversation: messages with this sender are the viewer's own.
    pub me: Participant,
    /// The latest messages; here `more` says whether older ones exist.
    // Leptos writes the props of an island once more where it hydrates them, and nobody reads that.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub joined: Joined,
    /// Characters that a message may have.
    pub message_chars: usize,
}

objects!(Chat);

/// A part of the conversations that the viewer may see, and of the messages if there is a search.
#[server(input = Json, output = Json, endpoint = "list_inbox", client = PageClient)]
pub async fn list_inbox(
    status: ConversationStatus,
    search: Option<String>,
    cursor: Option<String>,
) -> Result<Inbox, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.inbox(&actor, status, search, cursor).await
}

/// One conversation with its latest messages; with `before`, all from 50 messages before that one on.
#[server(input = Json, output = Json, endpoint = "load_chat", client = PageClient)]
pub async fn load_chat(id: ConversationId, before: Option<i64>) -> Result<Chat, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.chat(&actor, id, before).await
}

/// Opens a chat and returns it with the link to share; once for each `form_key`.
#[server(input = Json, output = Json, endpoint = "open_chat", client = PageClient)]
pub async fn open_chat(
    form_key: Option<ClientId>,
    customer_name: String,
    customer_email: Option<String>,
    first_message: Option<String>,
) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.open_chat(&actor, form_key, &customer_name, customer_email.as_deref(), first_message.as_deref()).await
}

/// Closes or reopens a conversation.
#[server(input = Json, output = Json, endpoint = "set_status", client = PageClient)]
pub async fn set_status(id: ConversationId, status: ConversationStatus) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.set_status(&actor, id, status).await
}

/// Makes a new link; the old one dies.
#[server(input = Json, output = Json, endpoint = "make_link", client = PageClient)]
pub async fn make_link(id: ConversationId) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.make_link(&actor, id).await
}

/// Ends the link: whoever came by it is out.
#[server(input = Json, output = Json, endpoint = "revoke_link", client = PageClient)]
pub async fn revoke_link(id: ConversationId) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.revoke_link(&actor, id).await
}
