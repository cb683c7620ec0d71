//! Conversations: the dashboard's list, one chat, and admins' actions on it.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::{
    domain::{
        ClientId, Conversation, ConversationId, ConversationStatus, MessageId, Participant, Problem, Rating, Timestamp,
        objects,
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
    /// The cursor of the next part; `None` in the last one.
    pub next_cursor: Option<String>,
    /// The number of chats, at most [`MOST_COUNTED`](crate::domain::MOST_COUNTED); also for `closed` ones.
    pub open: i64,
    pub closed: i64,
    /// For admins, the number of unread messages in all open chats together, at most
    /// [`MOST_UNREAD`](crate::domain::MOST_UNREAD).
    pub unread: i64,
    /// Messages that match the search, latest first; in the first part only.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub found: Vec<Found>,
}

objects!(Inbox);

/// Messages that a search of the dashboard shows.
pub const FOUND_MESSAGES: i64 = 20;

/// A search result.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Found {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    pub seq: i64,
    pub customer_name: String,
    pub sender_name: String,
    pub created_at: Timestamp,
    /// The text before the first matching word, the word, and the text after it.
    pub before: String,
    pub word: String,
    pub after: String,
}

objects!(Found);

/// The initial state of a chat panel, which then joins the room with `after: joined.head`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Chat {
    /// The viewer in this conversation: messages with this sender are the viewer's own.
    pub me: Participant,
    /// The latest messages; here `more` is whether older ones exist.
    // While hydrating an island, Leptos serialises its props again, without using the result.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub joined: Joined,
    /// Maximum length of a message in characters.
    pub message_chars: usize,
    /// Whether the customer side's messages reopen the chat.
    pub reopens: bool,
    /// For the customer side, when to expect an answer, and until when the page may show that; see [`Answers`].
    // Two fields, because the browser would load the reader of another struct.
    pub answers: String,
    pub answers_until: Option<Timestamp>,
    /// Only the server renders them with the chat; see [`load_extras`].
    #[serde(skip)]
    pub extras: Extras,
}

objects!(Chat);

/// When a customer can expect an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Answers {
    /// Empty if nothing is known.
    pub words: String,
    /// From now on the page asks for other words.
    pub until: Timestamp,
}

objects!(Answers);

/// What the customer side sees above the first message, and in a closed chat.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Extras {
    pub welcome: String,
    /// What the business does with personal data.
    pub privacy: String,
    /// First sentences to choose from while there is no message.
    pub suggestions: Vec<String>,
    /// The rating since the chat was last closed.
    pub rating: Option<Rating>,
    /// Whether the chat has an address for e-mails to the customer.
    pub has_email: bool,
}

objects!(Extras);

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

/// The parts of a chat that its first load does not need.
#[server(input = Json, output = Json, endpoint = "load_extras", client = PageClient)]
pub async fn load_extras(id: ConversationId) -> Result<Extras, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.extras(&actor, id).await
}

/// When to expect an answer, on the clock of a time zone with this IANA name.
#[server(input = Json, output = Json, endpoint = "load_answers", client = PageClient)]
pub async fn load_answers(zone: String) -> Result<Answers, Problem> {
    let (service, _) = crate::http::asker()?.require()?;
    Ok(service.answers(Some(&zone), crate::storage::now()))
}

/// Opens a chat and returns it with the link to share; once for each `form_key`.
#[server(input = Json, output = Json, endpoint = "open_chat", client = PageClient)]
pub async fn open_chat(
    form_key: Option<ClientId>,
    customer_name: String,
    customer_email: Option<String>,
    first_message: Option<String>,
    sealed: Option<bool>,
) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    let (email, first) = (customer_email.as_deref(), first_message.as_deref());
    service.open_chat(&actor, form_key, &customer_name, email, first, sealed == Some(true)).await
}

/// Closes or reopens a conversation.
#[server(input = Json, output = Json, endpoint = "set_status", client = PageClient)]
pub async fn set_status(id: ConversationId, status: ConversationStatus) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.set_status(&actor, id, status).await
}

/// Creates a new link, and invalidates the old one.
#[server(input = Json, output = Json, endpoint = "make_link", client = PageClient)]
pub async fn make_link(id: ConversationId) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.make_link(&actor, id).await
}

/// Revokes the link, and its guests' access.
#[server(input = Json, output = Json, endpoint = "revoke_link", client = PageClient)]
pub async fn revoke_link(id: ConversationId) -> Result<Conversation, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.revoke_link(&actor, id).await
}
