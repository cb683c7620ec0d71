//! The frames of the WebSocket: one JSON object each, `type` first. Pure data; docs/protocol.md describes their use.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use uuid::Uuid;

use crate::domain::{
    AttachmentId, ClientId, Code, Conversation, ConversationId, Epoch, Message, MessageId, Participant, ParticipantId,
    ParticipantKind, Problem, Receipt, RequestId, RequestStatus, objects,
};

/// Messages in a `joined` without `after`: the latest of the conversation.
pub const JOIN_LATEST: i64 = 50;
/// Maximum number of messages in a `joined` with `after`; beyond it `more` is true.
pub const JOIN_CATCH_UP: i64 = 200;

/// The header with which a page sends its owner to a server function: the id of an account, or [`GUEST`].
pub const VIEWER: &str = "bespoken-viewer";
/// The value of [`VIEWER`] for people without an account.
pub const GUEST: &str = "guest";

/// Close codes of the server.
pub mod close {
    /// The peer violates the WebSocket protocol.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A binary frame.
    pub const NOT_TEXT: u16 = 1003;
    /// Text that is not valid UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// Not allowed any more: signed out, link revoked, too many invalid frames.
    pub const NOT_ALLOWED: u16 = 1008;
    pub const FRAME_TOO_LARGE: u16 = 1009;
    pub const RESTARTING: u16 = 1012;
    /// The socket did not read fast enough; it joins again and misses nothing.
    pub const TOO_SLOW: u16 = 4008;
}

/// A frame from the client.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ClientFrame {
    JoinRequest {
        room: ConversationId,
        /// The last rev that the client has received.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<i64>,
        /// The epoch of the history that `after` belongs to. An unknown epoch counts as a different one.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "any_epoch")]
        epoch: Option<Epoch>,
        /// The page's owner, as a participant id: a socket of another person receives nothing for this page.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        sender: Option<ParticipantId>,
    },
    LeaveRequest {
        room: ConversationId,
    },
    SendMessage {
        room: ConversationId,
        client_id: ClientId,
        content: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachment_ids: Vec<AttachmentId>,
        /// The message of the same room that this one replies to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reply_to: Option<MessageId>,
        /// The sender, as the page knows this person: a socket of another person stores nothing.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        sender: Option<ParticipantId>,
    },
    UpdateMessage {
        room: ConversationId,
        client_id: ClientId,
        id: MessageId,
        content: String,
        /// As in `SendMessage`.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        sender: Option<ParticipantId>,
    },
    DeleteMessage {
        room: ConversationId,
        client_id: ClientId,
        id: MessageId,
        /// As in `SendMessage`.
        #[serde(default, rename = "as", skip_serializing_if = "Option::is_none")]
        sender: Option<ParticipantId>,
    },
    Typing {
        room: ConversationId,
        on: bool,
    },
    Read {
        room: ConversationId,
        seq: i64,
    },
    /// Whether the person can see this socket's page. Until the first of these frames, it counts as visible.
    Visible {
        on: bool,
    },
    /// From now on, send this socket changes of custom requests that its person may see.
    FollowRequests,
}

impl ClientFrame {
    /// Sends a text alone.
    #[must_use]
    pub fn text(room: ConversationId, client_id: ClientId, content: impl Into<String>) -> Self {
        let content = content.into();
        Self::SendMessage { room, client_id, content, attachment_ids: Vec::new(), reply_to: None, sender: None }
    }

    /// The room and the client id of a frame, which its answer repeats.
    #[must_use]
    pub fn about(&self) -> (Option<ConversationId>, Option<ClientId>) {
        match *self {
            Self::SendMessage { room, client_id, .. }
            | Self::UpdateMessage { room, client_id, .. }
            | Self::DeleteMessage { room, client_id, .. } => (Some(room), Some(client_id)),
            Self::JoinRequest { room, .. }
            | Self::LeaveRequest { room }
            | Self::Typing { room, .. }
            | Self::Read { room, .. } => (Some(room), None),
            Self::Visible { .. } | Self::FollowRequests => (None, None),
        }
    }
}

fn any_epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Epoch>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.map(|word| word.parse().unwrap_or(Epoch(Uuid::nil()))))
}

/// The identity of a socket's person, in `welcome`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct SocketUser {
    pub kind: ParticipantKind,
    pub id: ParticipantId,
    pub name: String,
}

objects!(SocketUser);

/// Everything that a client needs to show a conversation and to follow it from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Joined {
    pub room: ConversationId,
    pub epoch: Epoch,
    /// The rev up to which this describes the conversation, unless `more`.
    pub head: i64,
    pub conversation: Conversation,
    pub participants: Vec<Participant>,
    pub receipts: Vec<Receipt>,
    /// Without `after`: the latest, ascending by seq. With `after`: the changed ones, ascending by rev.
    pub messages: Vec<Message>,
    /// Whether changes beyond these wait: join again from the last rev in `messages`.
    pub more: bool,
}

objects!(Joined);

/// A frame from the server. Parsed via [`Parts`]: for a tagged enum, serde would buffer each frame and compile a
/// second deserialiser per type, which the browser would load.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", try_from = "Parts")]
pub enum ServerFrame {
    Welcome {
        connection_id: Uuid,
        user: SocketUser,
        epoch: Epoch,
    },
    Joined(Box<Joined>),
    Ack {
        room: ConversationId,
        client_id: ClientId,
        message: Message,
    },
    NewMessage {
        room: ConversationId,
        rev: i64,
        message: Message,
    },
    MessageUpdated {
        room: ConversationId,
        rev: i64,
        message: Message,
    },
    MessageDeleted {
        room: ConversationId,
        rev: i64,
        message: Message,
    },
    ConversationUpdated {
        room: ConversationId,
        rev: i64,
        conversation: Box<Conversation>,
    },
    Typing {
        room: ConversationId,
        participant: ParticipantId,
        on: bool,
    },
    Read {
        room: ConversationId,
        participant: ParticipantId,
        seq: i64,
    },
    Presence {
        room: ConversationId,
        participants: Vec<Participant>,
    },
    Inbox {
        conversation: Box<Conversation>,
    },
    /// A custom request is new or has another status. Sent only to sockets that follow requests.
    Request {
        id: RequestId,
        status: RequestStatus,
    },
    Resync {
        room: ConversationId,
    },
    Error {
        code: Code,
        message: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        room: Option<ConversationId>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        client_id: Option<ClientId>,
    },
}

impl ServerFrame {
    #[must_use]
    pub fn error(problem: Problem, room: Option<ConversationId>, client_id: Option<ClientId>) -> Self {
        Self::Error { code: problem.code, message: problem.message, room, client_id }
    }
}

/// The members of all frames of the server; each type has some of them. Ids are converted later, because serde
/// compiles a deserialiser for each type.
#[derive(Deserialize)]
#[serde(remote = "Self")]
struct Parts {
    r#type: String,
    room: Option<Uuid>,
    rev: Option<i64>,
    seq: Option<i64>,
    on: Option<bool>,
    connection_id: Option<Uuid>,
    user: Option<SocketUser>,
    epoch: Option<Uuid>,
    client_id: Option<Uuid>,
    participant: Option<Uuid>,
    participants: Option<Vec<Participant>>,
    conversation: Option<Box<Conversation>>,
    message: Option<Said>,
    id: Option<Uuid>,
    status: Option<RequestStatus>,
    code: Option<Code>,
    head: Option<i64>,
    receipts: Option<Vec<Receipt>>,
    messages: Option<Vec<Message>>,
    more: Option<bool>,
}

objects!(read Parts);

/// In an `error` a text, elsewhere a message.
enum Said {
    Words(String),
    Message(Box<Message>),
}

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Said;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("a text or a message")
            }

            fn visit_str<E: de::Error>(self, words: &str) -> Result<Said, E> {
                Ok(Said::Words(words.to_owned()))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Said, A::Error> {
                let message = Message::deserialize(MapAccessDeserializer::new(map))?;
                Ok(Said::Message(Box::new(message)))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl TryFrom<Parts> for ServerFrame {
    /// The missing member, or the unknown type.
    type Error = &'static str;

    fn try_from(mut it: Parts) -> Result<Self, &'static str> {
        // Taken instead of moved: otherwise each type would compile code that drops all other parts.
        fn take<T>(part: &mut Option<T>, missing: &'static str) -> Result<T, &'static str> {
            part.take().ok_or(missing)
        }
        fn message(part: &mut Option<Said>) -> Result<Message, &'static str> {
            match part.take() {
                Some(Said::Message(message)) => Ok(*message),
                _ => Err("no message"),
            }
        }
        let room = take(&mut it.room, "no room").map(ConversationId);
        let rev = take(&mut it.rev, "no rev");
        let seq = take(&mut it.seq, "no seq");
        let on = take(&mut it.on, "no on");
        let participant = take(&mut it.participant, "no participant").map(ParticipantId::told);
        let epoch = take(&mut it.epoch, "no epoch").map(Epoch);
        let client_id = it.client_id.map(ClientId);
        Ok(match &*it.r#type {
            "welcome" => Self::Welcome {
                connection_id: take(&mut it.connection_id, "no connection_id")?,
                user: take(&mut it.user, "no user")?,
                epoch: epoch?,
            },
            "joined" => Self::Joined(Box::new(Joined {
                room: room?,
                epoch: epoch?,
                head: take(&mut it.head, "no head")?,
                conversation: *take(&mut it.conversation, "no conversation")?,
                participants: take(&mut it.participants, "no participants")?,
                receipts: take(&mut it.receipts, "no receipts")?,
                messages: take(&mut it.messages, "no messages")?,
                more: take(&mut it.more, "no more")?,
            })),
            "ack" => Self::Ack {
                room: room?,
                client_id: client_id.ok_or("no client_id")?,
                message: message(&mut it.message)?,
            },
            "newMessage" => Self::NewMessage { room: room?, rev: rev?, message: message(&mut it.message)? },
            "messageUpdated" => Self::MessageUpdated { room: room?, rev: rev?, message: message(&mut it.message)? },
            "messageDeleted" => Self::MessageDeleted { room: room?, rev: rev?, message: message(&mut it.message)? },
            "conversationUpdated" => Self::ConversationUpdated {
                room: room?,
                rev: rev?,
                conversation: take(&mut it.conversation, "no conversation")?,
            },
            "typing" => Self::Typing { room: room?, participant: participant?, on: on? },
            "read" => Self::Read { room: room?, participant: participant?, seq: seq? },
            "presence" => Self::Presence { room: room?, participants: take(&mut it.participants, "no participants")? },
            "inbox" => Self::Inbox { conversation: take(&mut it.conversation, "no conversation")? },
            "request" => Self::Request {
                id: take(&mut it.id, "no id").map(RequestId)?,
                status: take(&mut it.status, "no status")?,
            },
            "resync" => Self::Resync { room: room? },
            "error" => Self::Error {
                code: take(&mut it.code, "no code")?,
                message: match it.message.take() {
                    Some(Said::Words(words)) => words,
                    _ => return Err("no message"),
                },
                room: room.ok(),
                client_id,
            },
            _ => return Err("an unknown kind of frame"),
        })
    }
}
