//! The people in a conversation, and how far each has read.

use serde::{Deserialize, Serialize};

use super::{ParticipantId, SenderType, Timestamp, objects};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ParticipantKind {
    Admin,
    /// A customer with an account.
    Customer,
    /// Came by a shared link.
    Guest,
}

impl ParticipantKind {
    /// The side whose messages these are.
    #[must_use]
    pub fn sender_type(self) -> SenderType {
        match self {
            Self::Admin => SenderType::Admin,
            Self::Customer | Self::Guest => SenderType::Customer,
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Participant {
    pub id: ParticipantId,
    pub kind: ParticipantKind,
    pub name: String,
    /// Whether a socket of this person is in the room now.
    pub online: bool,
    /// When the last socket left the room; `None` if there never was one.
    pub last_seen_at: Option<Timestamp>,
}

objects!(Participant);

/// How far a participant has read. `seq` only moves forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Receipt {
    pub participant: ParticipantId,
    pub seq: i64,
    pub at: Timestamp,
}

objects!(Receipt);
