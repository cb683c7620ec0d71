//! The frames of the WebSocket: one JSON object each, `type` first. Pure data; docs/protocol.md
//! tells the story around them.

use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, de::Error as _};

use crate::domain::{
    ClientId, Code, Conversation, ConversationId, Epoch, Message, MessageId, Participant, ParticipantId,
    ParticipantKind, Problem, Receipt,
};

/// Messages in a `joined` without `after`: the latest of the conversation.
pub const JOIN_LATEST: i64 = 50;
/// Most messages in a `joined` with `after`; beyond it `more` is true.
pub const JOIN_CATCH_UP: i64 = 200;

/// Close codes of the server.
pub mod close {
    /// Not allowed any more: signed out, link revoked.
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
    },
    LeaveRequest {
        room: ConversationId,
    },
    SendMessage {
        room: ConversationId,
        client_id: ClientId,
        content: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        attachment_ids: Vec<uuid::Uuid>,
    },
    UpdateMessage {
        room: ConversationId,
        client_id: ClientId,
        id: MessageId,
        content: String,
    },
    DeleteMessage {
        room: ConversationId,
        client_id: ClientId,
        id: MessageId,
    },
    Typing {
        room: ConversationId,
        on: bool,
    },
    Read {
        room: ConversationId,
        seq: i64,
    },
}

fn any_epoch<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Epoch>, D::Error> {
    let word = Option::<String>::deserialize(deserializer)?;
    Ok(word.map(|word| word.parse().unwrap_or(Epoch(uuid::Uuid::nil()))))
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

/// What the server sends.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum ServerFrame {
    Welcome {
        connection_id: uuid::Uuid,
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
    Resync {
        room: ConversationId,
    },
    Error {
        code: Code,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<ConversationId>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<ClientId>,
    },
}

/// Reads a frame by hand, for the sake of what browsers load: what serde derives for a tagged enum
/// reads into a buffer of its own first, and compiles every type within a second time for that.
impl FromStr for ServerFrame {
    type Err = serde_json::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let Tagged { kind } = serde_json::from_str(text)?;
        match kind {
            Kind::Joined => return Ok(Self::Joined(serde_json::from_str(text)?)),
            Kind::Error => {
                let Failure { code, message, room, client_id } = serde_json::from_str(text)?;
                return Ok(Self::Error { code, message, room, client_id });
            }
            _ => {}
        }
        let fields = serde_json::from_str(text)?;
        fill(kind, fields).ok_or_else(|| serde_json::Error::custom("a field is missing"))
    }
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Welcome,
    Joined,
    Ack,
    NewMessage,
    MessageUpdated,
    MessageDeleted,
    ConversationUpdated,
    Typing,
    Read,
    Presence,
    Inbox,
    Resync,
    Error,
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(rename = "type")]
    kind: Kind,
}

#[derive(Deserialize)]
struct Failure {
    code: Code,
    message: String,
    room: Option<ConversationId>,
    client_id: Option<ClientId>,
}

/// The fields of all other frames, whichever of them one has.
#[derive(Deserialize)]
struct Fields {
    connection_id: Option<uuid::Uuid>,
    user: Option<SocketUser>,
    epoch: Option<Epoch>,
    room: Option<ConversationId>,
    client_id: Option<ClientId>,
    rev: Option<i64>,
    message: Option<Message>,
    conversation: Option<Box<Conversation>>,
    participant: Option<ParticipantId>,
    participants: Option<Vec<Participant>>,
    on: Option<bool>,
    seq: Option<i64>,
}

/// `None` if `kind` needs a field that is not there, or is none of these.
fn fill(kind: Kind, f: Fields) -> Option<ServerFrame> {
    use ServerFrame as S;
    Some(match kind {
        Kind::Welcome => S::Welcome { connection_id: f.connection_id?, user: f.user?, epoch: f.epoch? },
        Kind::Ack => S::Ack { room: f.room?, client_id: f.client_id?, message: f.message? },
        Kind::NewMessage => S::NewMessage { room: f.room?, rev: f.rev?, message: f.message? },
        Kind::MessageUpdated => S::MessageUpdated { room: f.room?, rev: f.rev?, message: f.message? },
        Kind::MessageDeleted => S::MessageDeleted { room: f.room?, rev: f.rev?, message: f.message? },
        Kind::ConversationUpdated => {
            S::ConversationUpdated { room: f.room?, rev: f.rev?, conversation: f.conversation? }
        }
        Kind::Typing => S::Typing { room: f.room?, participant: f.participant?, on: f.on? },
        Kind::Read => S::Read { room: f.room?, participant: f.participant?, seq: f.seq? },
        Kind::Presence => S::Presence { room: f.room?, participants: f.participants? },
        Kind::Inbox => S::Inbox { conversation: f.conversation? },
        Kind::Resync => S::Resync { room: f.room? },
        Kind::Joined | Kind::Error => return None,
    })
}

impl ServerFrame {
    #[must_use]
    pub fn error(problem: Problem, room: Option<ConversationId>, client_id: Option<ClientId>) -> Self {
        Self::Error { code: problem.code, message: problem.message, room, client_id }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Name, Timestamp};

    #[test]
    fn every_frame_is_read_as_it_was_written() {
        let (room, client_id, epoch) = (ConversationId::new(), ClientId::new(), Epoch::new());
        let participant = ParticipantId(room.0);
        let name = Name::parse("name", "Oak table").unwrap().to_string();
        let person =
            Participant { id: participant, kind: ParticipantKind::Guest, name, online: true, last_seen_at: None };
        let message: Message = serde_json::from_value(serde_json::json!({
            "id": MessageId::new(), "conversation_id": room, "seq": 1, "rev": 2, "sender_type": "admin",
            "sender_id": participant, "sender_name": "Workshop", "content": "a \"quoted\" line\n", "client_id": client_id,
            "created_at": Timestamp(0), "edited_at": null, "deleted_at": null, "attachments": [],
        }))
        .unwrap();
        let conversation: Conversation = serde_json::from_value(serde_json::json!({
            "id": room, "kind": "session", "request_id": null, "status": "open", "customer_name": "Oak table",
            "customer_email": null, "metadata": {"from": "a form"}, "assignee_id": null, "head": 2, "last_seq": 1,
            "last_message": "a line", "unread": 1, "created_at": Timestamp(0), "updated_at": Timestamp(1),
            "closed_at": null, "closed_by": null, "link": "http://localhost/chat?chatId=1", "customer_online": true,
        }))
        .unwrap();
        let joined = Joined {
            room,
            epoch,
            head: 2,
            conversation: conversation.clone(),
            participants: vec![person.clone()],
            receipts: vec![Receipt { participant, seq: 1, at: Timestamp(5) }],
            messages: vec![message.clone()],
            more: true,
        };
        let user = SocketUser { kind: ParticipantKind::Guest, id: participant, name: "Oak table".into() };
        let conversation = Box::new(conversation);
        for frame in [
            ServerFrame::Welcome { connection_id: uuid::Uuid::nil(), user, epoch },
            ServerFrame::Joined(Box::new(joined)),
            ServerFrame::Ack { room, client_id, message: message.clone() },
            ServerFrame::NewMessage { room, rev: 2, message: message.clone() },
            ServerFrame::MessageUpdated { room, rev: 2, message: message.clone() },
            ServerFrame::MessageDeleted { room, rev: 2, message },
            ServerFrame::ConversationUpdated { room, rev: 2, conversation: conversation.clone() },
            ServerFrame::Typing { room, participant, on: false },
            ServerFrame::Read { room, participant, seq: 1 },
            ServerFrame::Presence { room, participants: vec![person] },
            ServerFrame::Inbox { conversation },
            ServerFrame::Resync { room },
            ServerFrame::error(Problem::not_found(), Some(room), Some(client_id)),
            ServerFrame::error(Problem::not_found(), None, None),
        ] {
            let text = serde_json::to_string(&frame).unwrap();
            assert!(text.starts_with("{\"type\":\""), "{text}");
            assert_eq!(text.parse::<ServerFrame>().unwrap(), frame, "{text}");
        }
        for wrong in ["", "{}", r#"{"type":"nonsense"}"#, r#"{"type":"resync"}"#, r#"{"type":"read","room":1}"#] {
            assert!(wrong.parse::<ServerFrame>().is_err(), "{wrong}");
        }
    }
}
