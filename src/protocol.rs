//! The frames of the WebSocket: one JSON object each, `type` first. Pure data; docs/protocol.md
//! tells the story around them.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, MapAccess, Visitor, value::MapAccessDeserializer},
};
use uuid::Uuid;

use crate::domain::{
    AttachmentId, ClientId, Code, Conversation, ConversationId, Epoch, Message, MessageId, Participant, ParticipantId,
    ParticipantKind, Problem, Receipt, RequestId, RequestStatus,
};

/// Messages in a `joined` without `after`: the latest of the conversation.
pub const JOIN_LATEST: i64 = 50;
/// Most messages in a `joined` with `after`; beyond it `more` is true.
pub const JOIN_CATCH_UP: i64 = 200;

/// The header by which a page tells a server function whose page it is: the id of an account, or [`GUEST`].
pub const VIEWER: &str = "bespoken-viewer";
/// Stands in [`VIEWER`] for who has no account.
pub const GUEST: &str = "guest";

/// Close codes of the server.
pub mod close {
    /// The peer does not keep to the WebSocket protocol.
    pub const PROTOCOL_ERROR: u16 = 1002;
    /// A binary frame.
    pub const NOT_TEXT: u16 = 1003;
    /// Text that is no UTF-8.
    pub const NOT_UTF8: u16 = 1007;
    /// Not allowed any more: signed out, link revoked, too many frames that cannot be understood.
    pub const NOT_ALLOWED: u16 = 1008;
    pub const FRAME_TOO_LARGE: u16 = 1009;
    pub const RESTARTING: u16 = 1012;
    /// The socket did not read fast enough; it joins again and misses nothing.
    pub const TOO_SLOW: u16 = 4008;
}

/// What a client sends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ClientFrame {
    JoinRequest {
        room: ConversationId,
        /// The last rev that the client has.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        after: Option<i64>,
        /// Of the history that `after` belongs to. A word that no server ever gave out is as foreign as
        /// any other.
        #[serde(default, skip_serializing_if = "Option::is_none", deserialize_with = "any_epoch")]
        epoch: Option<Epoch>,
        /// Whose page it is, as this person's participant id: a socket of somebody else gets nothing to show there.
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
        /// Who sends, as the page of this person knows it: a socket of somebody else stores nothing.
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
    /// From now on tell this socket of custom requests: those that its person may see.
    FollowRequests,
}

impl ClientFrame {
    /// What it is about, and the name of what it changes: its answer tells both.
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
            Self::FollowRequests => (None, None),
        }
    }
}

fn any_epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Epoch>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.map(|word| word.parse().unwrap_or(Epoch(Uuid::nil()))))
}

/// The person behind a socket, as `welcome` names it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketUser {
    pub kind: ParticipantKind,
    pub id: ParticipantId,
    pub name: String,
}

/// Everything that a client needs to show a conversation and to follow it from there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Joined {
    pub room: ConversationId,
    pub epoch: Epoch,
    /// The rev up to which the conversation is told here, unless `more`.
    pub head: i64,
    pub conversation: Conversation,
    pub participants: Vec<Participant>,
    pub receipts: Vec<Receipt>,
    /// Without `after`: the latest, ascending by seq. With `after`: the changed ones, ascending by rev.
    pub messages: Vec<Message>,
    /// Whether changes beyond these wait: join again from the last rev in `messages`.
    pub more: bool,
}

/// What the server sends. Read by way of [`Parts`]: a tagged enum would make serde keep each frame in between, and
/// compile a second reader of every type in it for that, which the browser loads.
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
    /// A custom request is new or has another status. Only to sockets that follow requests.
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

/// What stands in the frames of the server. Each kind has some of it. Ids are told apart later, as serde compiles a
/// reader for each type.
#[derive(Deserialize)]
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

/// In an `error` a text, elsewhere a message.
enum Said {
    Words(String),
    Message(Message),
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
                Message::deserialize(MapAccessDeserializer::new(map)).map(Said::Message)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl TryFrom<Parts> for ServerFrame {
    /// What is missing, or the kind that is unknown.
    type Error = String;

    fn try_from(it: Parts) -> Result<Self, String> {
        fn has<T>(part: Option<T>, name: &str) -> Result<T, String> {
            part.ok_or_else(|| format!("missing field `{name}`"))
        }
        let room = || has(it.room, "room").map(ConversationId);
        let rev = || has(it.rev, "rev");
        let participant = || has(it.participant, "participant").map(ParticipantId::told);
        let epoch = || has(it.epoch, "epoch").map(Epoch);
        let message = |said| match said {
            Some(Said::Message(message)) => Ok(message),
            _ => Err("missing field `message`".to_owned()),
        };
        Ok(match &*it.r#type {
            "welcome" => Self::Welcome {
                connection_id: has(it.connection_id, "connection_id")?,
                user: has(it.user, "user")?,
                epoch: epoch()?,
            },
            "joined" => Self::Joined(Box::new(Joined {
                room: room()?,
                epoch: epoch()?,
                head: has(it.head, "head")?,
                conversation: *has(it.conversation, "conversation")?,
                participants: has(it.participants, "participants")?,
                receipts: has(it.receipts, "receipts")?,
                messages: has(it.messages, "messages")?,
                more: has(it.more, "more")?,
            })),
            "ack" => Self::Ack {
                room: room()?,
                client_id: ClientId(has(it.client_id, "client_id")?),
                message: message(it.message)?,
            },
            "newMessage" => Self::NewMessage { room: room()?, rev: rev()?, message: message(it.message)? },
            "messageUpdated" => Self::MessageUpdated { room: room()?, rev: rev()?, message: message(it.message)? },
            "messageDeleted" => Self::MessageDeleted { room: room()?, rev: rev()?, message: message(it.message)? },
            "conversationUpdated" => Self::ConversationUpdated {
                room: room()?,
                rev: rev()?,
                conversation: has(it.conversation, "conversation")?,
            },
            "typing" => Self::Typing { room: room()?, participant: participant()?, on: has(it.on, "on")? },
            "read" => Self::Read { room: room()?, participant: participant()?, seq: has(it.seq, "seq")? },
            "presence" => Self::Presence { room: room()?, participants: has(it.participants, "participants")? },
            "inbox" => Self::Inbox { conversation: has(it.conversation, "conversation")? },
            "request" => Self::Request { id: RequestId(has(it.id, "id")?), status: has(it.status, "status")? },
            "resync" => Self::Resync { room: room()? },
            "error" => Self::Error {
                code: has(it.code, "code")?,
                message: match it.message {
                    Some(Said::Words(words)) => words,
                    _ => return Err("missing field `message`".to_owned()),
                },
                room: it.room.map(ConversationId),
                client_id: it.client_id.map(ClientId),
            },
            other => return Err(format!("unknown variant `{other}`")),
        })
    }
}
