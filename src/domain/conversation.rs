//! A conversation: the persisted thread between one customer side and the admins.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ConversationId, MessageEvent, ParticipantId, RequestId, Timestamp, latest_words, objects};
use crate::locales::{Locale, t};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationKind {
    /// An admin opened it and shares a link.
    Session,
    /// It belongs to one custom request.
    Request,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ConversationStatus {
    Open,
    /// Read-only until an admin reopens it.
    Closed,
}

/// How the customer side found a closed conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Rating {
    /// From 1, the worst, to 5.
    #[schema(minimum = 1, maximum = 5)]
    pub score: i64,
    /// Up to 1,000 characters.
    pub comment: Option<String>,
    /// When it was first given.
    pub rated_at: Timestamp,
}

objects!(Rating);

impl Rating {
    pub const SCORES: RangeInclusive<i64> = 1..=5;
    /// Maximum number of characters of a comment.
    pub const MAX_COMMENT_CHARS: usize = 1_000;
    /// How long the customer side can change it, in milliseconds: a day.
    pub const CHANGEABLE_MS: i64 = 86_400_000;

    /// Whether it is about the closing at this time, and not about an earlier one.
    #[must_use]
    pub fn is_since(&self, closed_at: Timestamp) -> bool {
        self.rated_at >= closed_at
    }

    /// Five stars, of which `score` are full.
    #[must_use]
    pub fn stars(&self) -> String {
        Self::SCORES.map(|score| if score <= self.score { '★' } else { '☆' }).collect()
    }
}

/// Metadata from programs, for programs. A browser skips it, so its size does not matter.
#[cfg(not(target_arch = "wasm32"))]
type Metadata = serde_json::Value;
#[cfg(target_arch = "wasm32")]
type Metadata = serde::de::IgnoredAny;

/// A conversation as one person sees it: `unread` and the fields for admins depend on this person. The customer side
/// includes everyone with the link.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct Conversation {
    pub id: ConversationId,
    pub kind: ConversationKind,
    pub request_id: Option<RequestId>,
    pub status: ConversationStatus,
    /// Whether browsers encrypt its messages with a key that the server does not have; it never changes. Absent when
    /// false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub sealed: bool,
    pub customer_name: String,
    /// Always null for the customer side.
    pub customer_email: Option<String>,
    /// Metadata from the program that opened the conversation: an object or null. Always null for the customer side.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    #[schema(value_type = serde_json::Value)]
    pub metadata: Metadata,
    /// The assigned admin, as a participant.
    pub assignee_id: Option<ParticipantId>,
    /// The highest rev.
    pub head: i64,
    /// The highest seq; 0 while there is no message.
    pub last_seq: i64,
    /// The latest message, shortened; `None` while there is none, when it was deleted, and for a person's message in a
    /// sealed conversation.
    pub last_message: Option<String>,
    /// The event of the latest message, if it is a system line; see [`Message`](super::Message).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<MessageEvent>,
    /// The number of others' messages that this person has not read.
    pub unread: i64,
    pub created_at: Timestamp,
    /// When a message was last posted or the status last changed; lists are ordered by it.
    pub updated_at: Timestamp,
    pub closed_at: Option<Timestamp>,
    /// The name of the admin who closed it.
    pub closed_by: Option<String>,
    /// The address to share. For admins only, and only while a link is valid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub link: Option<String>,
    /// Whether someone of the customer side has this conversation open. For admins only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_online: Option<bool>,
    /// The customer side's rating. For admins only, and only if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rating: Option<Rating>,
}

objects!(Conversation);

impl Conversation {
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.status == ConversationStatus::Open
    }

    /// The latest message, shortened, for a reader of this language. Only the key makes a sealed one readable.
    #[must_use]
    pub fn latest_words(&self, locale: Locale) -> Option<String> {
        let is_sealed = self.sealed && self.last_seq > 0;
        latest_words(self.last_message.as_deref(), self.last_event, locale)
            .or_else(|| is_sealed.then(|| t!(locale, chat::SEALED_MESSAGE).to_owned()))
    }
}
