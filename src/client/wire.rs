//! Frames and what they carry, read and written as JSON. Says the same as the serde attributes of
//! `domain` and `protocol`, which the server uses; the tests hold the two together.

use uuid::Uuid;

use super::json::{Json, Object};
use crate::{
    domain::{
        Attachment, AttachmentId, ClientId, Code, Conversation, ConversationId, ConversationKind, ConversationStatus,
        Epoch, Message, MessageId, Participant, ParticipantId, ParticipantKind, Problem, Receipt, RequestId,
        RequestStatus, SenderType, Timestamp, UserId,
    },
    protocol::{ClientFrame, Joined, ServerFrame, SocketUser},
};

/// What can be read from JSON.
pub trait FromJson: Sized {
    fn from_json(json: &Json) -> Option<Self>;
}

/// Reads a member of an object.
#[must_use]
pub fn member<T: FromJson>(json: &Json, name: &str) -> Option<T> {
    T::from_json(json.get(name))
}

impl FromJson for i64 {
    fn from_json(json: &Json) -> Option<Self> {
        if let Json::Number(number) = json { Some(*number) } else { None }
    }
}

impl FromJson for bool {
    fn from_json(json: &Json) -> Option<Self> {
        match json {
            Json::Bool(is) => Some(*is),
            // What is false may be left out.
            Json::Null => Some(false),
            _ => None,
        }
    }
}

impl FromJson for String {
    fn from_json(json: &Json) -> Option<Self> {
        json.text().map(str::to_owned)
    }
}

impl FromJson for Uuid {
    fn from_json(json: &Json) -> Option<Self> {
        Self::try_parse(json.text()?).ok()
    }
}

impl FromJson for Timestamp {
    fn from_json(json: &Json) -> Option<Self> {
        json.text()?.parse().ok()
    }
}

impl<T: FromJson> FromJson for Option<T> {
    fn from_json(json: &Json) -> Option<Self> {
        if *json == Json::Null { Some(None) } else { T::from_json(json).map(Some) }
    }
}

impl<T: FromJson> FromJson for Vec<T> {
    fn from_json(json: &Json) -> Option<Self> {
        if let Json::List(list) = json { list.iter().map(T::from_json).collect() } else { None }
    }
}

macro_rules! ids {
    ($($id:ident)+) => {$(
        impl FromJson for $id {
            fn from_json(json: &Json) -> Option<Self> {
                Uuid::from_json(json).map(Self)
            }
        }
    )+};
}

ids! { ConversationId RequestId MessageId AttachmentId UserId ClientId Epoch }

impl FromJson for ParticipantId {
    fn from_json(json: &Json) -> Option<Self> {
        Uuid::from_json(json).map(Self::told)
    }
}

macro_rules! words {
    ($($type:ident { $($word:literal => $value:ident)+ })+) => {$(
        impl FromJson for $type {
            fn from_json(json: &Json) -> Option<Self> {
                match json.text()? {
                    $($word => Some(Self::$value),)+
                    _ => None,
                }
            }
        }
    )+};
}

words! {
    ConversationKind { "session" => Session "request" => Request }
    ConversationStatus { "open" => Open "closed" => Closed }
    SenderType { "admin" => Admin "customer" => Customer }
    RequestStatus { "new" => New "in_progress" => InProgress "done" => Done "declined" => Declined }
    ParticipantKind { "admin" => Admin "customer" => Customer "guest" => Guest }
    Code {
        "unauthorized" => Unauthorized
        "forbidden" => Forbidden
        "not_found" => NotFound
        "invalid" => Invalid
        "closed" => Closed
        "conflict" => Conflict
        "too_large" => TooLarge
        "rate_limited" => RateLimited
        "unavailable" => Unavailable
    }
}

/// The word for a status.
#[must_use]
pub fn status_word(status: ConversationStatus) -> &'static str {
    match status {
        ConversationStatus::Open => "open",
        ConversationStatus::Closed => "closed",
    }
}

/// Structs whose members are read one by one, each under its own name.
macro_rules! members {
    ($($type:ident { $($name:ident)+ $(; $($rest:tt)+)? })+) => {$(
        impl FromJson for $type {
            fn from_json(json: &Json) -> Option<Self> {
                Some(Self { $($name: member(json, stringify!($name))?,)+ $($($rest)+)? })
            }
        }
    )+};
}

members! {
    // What programs attach to a conversation is for programs.
    Conversation {
        id kind request_id status customer_name customer_email assignee_id head last_seq last_message unread
        created_at updated_at closed_at closed_by link customer_online;
        metadata: serde_json::Value::Null
    }
    Message {
        id conversation_id seq rev sender_type sender_id sender_name content system client_id created_at edited_at
        deleted_at attachments
    }
    Attachment { id name media_type size_bytes width height }
    Participant { id kind name online last_seen_at }
    Receipt { participant seq at }
    SocketUser { kind id name }
    Joined { room epoch head conversation participants receipts messages more }
    Problem { code message field; retry_after_s: None }
}

impl FromJson for ServerFrame {
    fn from_json(json: &Json) -> Option<Self> {
        /// The named members of a frame.
        macro_rules! frame {
            ($kind:ident $($name:ident)+) => {
                Self::$kind { $($name: member(json, stringify!($name))?),+ }
            };
        }
        Some(match json.get("type").text()? {
            "welcome" => frame!(Welcome connection_id user epoch),
            "joined" => Self::Joined(Box::new(Joined::from_json(json)?)),
            "ack" => frame!(Ack room client_id message),
            "newMessage" => frame!(NewMessage room rev message),
            "messageUpdated" => frame!(MessageUpdated room rev message),
            "messageDeleted" => frame!(MessageDeleted room rev message),
            "conversationUpdated" => frame!(ConversationUpdated room rev conversation),
            "typing" => frame!(Typing room participant on),
            "read" => frame!(Read room participant seq),
            "presence" => frame!(Presence room participants),
            "inbox" => frame!(Inbox conversation),
            "request" => frame!(Request id status),
            "resync" => frame!(Resync room),
            "error" => frame!(Error code message room client_id),
            _ => return None,
        })
    }
}

impl<T: FromJson> FromJson for Box<T> {
    fn from_json(json: &Json) -> Option<Self> {
        T::from_json(json).map(Self::new)
    }
}

/// A frame as it is sent.
#[must_use]
pub fn write(frame: &ClientFrame) -> String {
    let object =
        |kind: &str, room: &ConversationId| Object::default().text("type", kind).text("room", &room.to_string());
    let named = |kind: &str, room: &ConversationId, name: &ClientId, sender: &Option<ParticipantId>| {
        let object = object(kind, room).text("client_id", &name.to_string());
        match sender {
            Some(sender) => object.text("as", &sender.to_string()),
            None => object,
        }
    };
    match frame {
        ClientFrame::JoinRequest { room, after, epoch, sender } => {
            let mut join = object("joinRequest", room);
            if let Some(after) = after {
                join = join.number("after", *after);
            }
            if let Some(epoch) = epoch {
                join = join.text("epoch", &epoch.to_string());
            }
            if let Some(sender) = sender {
                join = join.text("as", &sender.to_string());
            }
            join
        }
        ClientFrame::LeaveRequest { room } => object("leaveRequest", room),
        // Nothing here makes attachments.
        ClientFrame::SendMessage { room, client_id, content, attachment_ids: _, sender } => {
            named("sendMessage", room, client_id, sender).text("content", content)
        }
        ClientFrame::UpdateMessage { room, client_id, id, content, sender } => {
            named("updateMessage", room, client_id, sender).text("id", &id.to_string()).text("content", content)
        }
        ClientFrame::DeleteMessage { room, client_id, id, sender } => {
            named("deleteMessage", room, client_id, sender).text("id", &id.to_string())
        }
        ClientFrame::Typing { room, on } => object("typing", room).bool("on", *on),
        ClientFrame::Read { room, seq } => object("read", room).number("seq", *seq),
        ClientFrame::FollowRequests => Object::default().text("type", "followRequests"),
    }
    .end()
}

#[cfg(test)]
mod tests {
    use proptest::{option::of, prelude::*, sample::select};

    use super::*;
    use crate::client::timeline::tests::{conversation, message};

    fn id() -> impl Strategy<Value = Uuid> {
        any::<u128>().prop_map(Uuid::from_u128)
    }

    fn time() -> impl Strategy<Value = Timestamp> {
        (0i64..4_000_000_000_000).prop_map(Timestamp)
    }

    fn any_message() -> impl Strategy<Value = Message> {
        (any::<(String, String, i64, i64)>(), id(), of(id()), time(), of(time()), of(time())).prop_map(
            |((content, sender_name, seq, rev), id, client_id, created_at, edited_at, deleted_at)| Message {
                id: MessageId(id),
                seq,
                rev,
                sender_name,
                sender_type: if seq % 2 == 0 { SenderType::Admin } else { SenderType::Customer },
                client_id: client_id.map(ClientId),
                created_at,
                edited_at,
                deleted_at,
                system: rev % 2 == 0,
                attachments: (0..rev & 1)
                    .map(|_| Attachment {
                        id: AttachmentId(id),
                        name: content.clone(),
                        media_type: "image/png".into(),
                        size_bytes: seq,
                        width: (seq % 2 == 0).then_some(rev),
                        height: (seq % 2 == 0).then_some(seq),
                    })
                    .collect(),
                ..message(1, 1, &content)
            },
        )
    }

    fn any_conversation() -> impl Strategy<Value = Conversation> {
        let texts = (any::<String>(), of(any::<String>()), of(any::<String>()), of(any::<String>()));
        (texts, of(time()), of(any::<bool>()), of(id()), any::<i64>()).prop_map(
            |((customer_name, last_message, closed_by, link), closed_at, customer_online, other, head)| Conversation {
                kind: if head % 2 == 0 { ConversationKind::Session } else { ConversationKind::Request },
                status: if closed_at.is_some() { ConversationStatus::Closed } else { ConversationStatus::Open },
                customer_email: closed_by.clone(),
                request_id: other.map(RequestId),
                assignee_id: other.map(ParticipantId::told),
                customer_name,
                last_message,
                closed_by,
                link,
                closed_at,
                customer_online,
                head,
                ..conversation()
            },
        )
    }

    fn any_participant() -> impl Strategy<Value = Participant> {
        let kind = select(&[ParticipantKind::Admin, ParticipantKind::Customer, ParticipantKind::Guest][..]);
        (id(), kind, any::<String>(), any::<bool>(), of(time())).prop_map(|(id, kind, name, online, last_seen_at)| {
            Participant { id: ParticipantId::told(id), kind, name, online, last_seen_at }
        })
    }

    fn any_frame() -> impl Strategy<Value = ServerFrame> {
        let codes = [
            Code::Unauthorized,
            Code::Forbidden,
            Code::NotFound,
            Code::Invalid,
            Code::Closed,
            Code::Conflict,
            Code::TooLarge,
            Code::RateLimited,
            Code::Unavailable,
        ];
        let code = prop::sample::select(codes.to_vec());
        let parts = (any_message(), any_conversation(), any_participant(), id(), any::<(i64, bool, String)>(), code);
        (0..14, parts, of(id())).prop_map(
            |(kind, (message, conversation, person, id, (rev, on, text), code), maybe)| {
                let room = conversation.id;
                let participant = person.id;
                let conversation = Box::new(conversation);
                match kind {
                    0 => ServerFrame::Welcome {
                        connection_id: id,
                        user: SocketUser { kind: person.kind, id: participant, name: text },
                        epoch: Epoch(id),
                    },
                    1 => ServerFrame::Joined(Box::new(Joined {
                        room,
                        epoch: Epoch(id),
                        head: rev,
                        conversation: *conversation,
                        participants: vec![person.clone(), person],
                        receipts: vec![Receipt { participant, seq: rev, at: message.created_at }],
                        messages: vec![message.clone(), message],
                        more: on,
                    })),
                    2 => ServerFrame::Ack { room, client_id: ClientId(id), message },
                    3 => ServerFrame::NewMessage { room, rev, message },
                    4 => ServerFrame::MessageUpdated { room, rev, message },
                    5 => ServerFrame::MessageDeleted { room, rev, message },
                    6 => ServerFrame::ConversationUpdated { room, rev, conversation },
                    7 => ServerFrame::Typing { room, participant, on },
                    8 => ServerFrame::Read { room, participant, seq: rev },
                    9 => ServerFrame::Presence { room, participants: vec![person] },
                    10 => ServerFrame::Inbox { conversation },
                    11 => ServerFrame::Resync { room },
                    12 => ServerFrame::Request { id: RequestId(id), status: RequestStatus::ALL[(rev & 3) as usize] },
                    _ => ServerFrame::Error {
                        code,
                        message: text,
                        room: maybe.map(ConversationId),
                        client_id: maybe.map(ClientId),
                    },
                }
            },
        )
    }

    proptest! {
        #[test]
        fn every_frame_of_the_server_is_read(frame in any_frame()) {
            let text = serde_json::to_string(&frame).unwrap();
            prop_assert_eq!(ServerFrame::from_json(&Json::parse(&text).unwrap()), Some(frame));
        }

        #[test]
        fn the_server_reads_every_frame(a in id(), b in id(), content: String, seq: i64, on: bool, some: bool) {
            let (room, client_id, id) = (ConversationId(a), ClientId(b), MessageId(a));
            let sender = some.then_some(ParticipantId::told(b));
            let frames = [
                ClientFrame::JoinRequest { room, after: some.then_some(seq), epoch: some.then_some(Epoch(b)), sender },
                ClientFrame::LeaveRequest { room },
                ClientFrame::SendMessage { room, client_id, content: content.clone(), attachment_ids: vec![], sender },
                ClientFrame::UpdateMessage { room, client_id, id, content, sender },
                ClientFrame::DeleteMessage { room, client_id, id, sender },
                ClientFrame::Typing { room, on },
                ClientFrame::Read { room, seq },
                ClientFrame::FollowRequests,
            ];
            for frame in frames {
                prop_assert_eq!(serde_json::from_str::<ClientFrame>(&write(&frame)).unwrap(), frame);
            }
        }

        #[test]
        fn problems_are_read(message: String, field in of(any::<String>())) {
            let problem = Problem { field, ..Problem::new(Code::Invalid, message) };
            let text = serde_json::to_string(&problem).unwrap();
            prop_assert_eq!(Problem::from_json(&Json::parse(&text).unwrap()), Some(problem));
        }
    }
}
