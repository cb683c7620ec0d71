//! A message in a conversation.

use serde::{Deserialize, Serialize};

use super::{ClientId, ConversationId, MessageId, ParticipantId, Timestamp};

/// Which side of the conversation a message comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SenderType {
    Admin,
    Customer,
}

/// A message as it stands now. A deleted message keeps its place with empty `content`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Message {
    pub id: MessageId,
    pub conversation_id: ConversationId,
    /// Its place in the conversation: 1, 2, 3 … without holes; never changes.
    pub seq: i64,
    /// The rev of its last change.
    pub rev: i64,
    pub sender_type: SenderType,
    pub sender_id: ParticipantId,
    pub sender_name: String,
    pub content: String,
    pub client_id: Option<ClientId>,
    pub created_at: Timestamp,
    pub edited_at: Option<Timestamp>,
    pub deleted_at: Option<Timestamp>,
    pub attachments: Vec<Attachment>,
}

/// A file that goes with a message. None can be made yet, so every list of them is empty.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Attachment {}
