//! A person's seat in a conversation that they may see, for both databases.

use super::{Result, Seat, StoreError};
use crate::domain::{
    Actor, Content, Conversation, ConversationId, ConversationStatus, Participant, ParticipantId, ParticipantKind,
};

/// Proof that an actor may see a conversation, with the actor's participant and the conversation's state. Within a
/// transaction it stays true.
pub(super) struct Seated {
    conversation_id: ConversationId,
    me: Participant,
    status: ConversationStatus,
    head: i64,
    last_seq: i64,
    is_sealed: bool,
}

/// The author of a system line's change.
pub(super) struct Doer {
    pub(super) id: ParticipantId,
    pub(super) kind: ParticipantKind,
    pub(super) name: String,
}

impl From<&Participant> for Doer {
    fn from(person: &Participant) -> Self {
        Self { id: person.id, kind: person.kind, name: person.name.clone() }
    }
}

/// A conversation's state, for an actor with access to it.
pub(super) struct SeatRow {
    pub(super) customer: ParticipantId,
    pub(super) customer_name: String,
    pub(super) has_account: bool,
    pub(super) status: ConversationStatus,
    pub(super) head: i64,
    pub(super) last_seq: i64,
    pub(super) is_sealed: bool,
}

impl Seated {
    /// Only for the `access` of a database, which has checked that `actor` may see the conversation.
    pub(super) fn new(actor: &Actor, conversation_id: ConversationId, found: SeatRow) -> Self {
        let SeatRow { customer, customer_name, has_account, status, head, last_seq, is_sealed } = found;
        let (id, kind, name) = match actor {
            Actor::Admin(user) => (user.id.into(), ParticipantKind::Admin, user.name.to_string()),
            Actor::Customer(..) | Actor::Guest(_) => (customer, customer_side(has_account), customer_name),
        };
        let me = Participant { id, kind, name, online: false, last_seen_at: None };
        Self { conversation_id, me, status, head, last_seq, is_sealed }
    }

    /// From what a database has just shown to an actor who may see it.
    pub(super) fn of(seat: &Seat) -> Self {
        let Conversation { id, status, head, last_seq, sealed, .. } = seat.conversation;
        let me = Participant { last_seen_at: None, ..seat.me.clone() };
        Self { conversation_id: id, me, status, head, last_seq, is_sealed: sealed }
    }

    pub(super) fn conversation_id(&self) -> ConversationId {
        self.conversation_id
    }

    /// Without `last_seen_at`.
    pub(super) fn me(&self) -> &Participant {
        &self.me
    }

    pub(super) fn head(&self) -> i64 {
        self.head
    }

    pub(super) fn last_seq(&self) -> i64 {
        self.last_seq
    }

    pub(super) fn status(&self) -> ConversationStatus {
        self.status
    }

    /// Whether the messages of people are encrypted.
    pub(super) fn is_sealed(&self) -> bool {
        self.is_sealed
    }

    pub(super) fn is_admin(&self) -> bool {
        self.me.kind == ParticipantKind::Admin
    }

    /// # Errors
    /// [`StoreError::Forbidden`].
    pub(super) fn require_admin(&self) -> Result<()> {
        if self.is_admin() { Ok(()) } else { Err(StoreError::Forbidden) }
    }

    /// # Errors
    /// [`StoreError::Refused`] if the content is for conversations of the other kind.
    pub(super) fn require_form(&self, content: &Content) -> Result<()> {
        content.require_for(self.is_sealed).map_err(|problem| StoreError::Refused(Box::new(problem)))
    }

    /// # Errors
    /// [`StoreError::Closed`].
    pub(super) fn require_open(&self) -> Result<()> {
        match self.status {
            ConversationStatus::Open => Ok(()),
            ConversationStatus::Closed => Err(StoreError::Closed),
        }
    }
}

/// The customer side of a conversation.
pub(super) fn customer_side(has_account: bool) -> ParticipantKind {
    if has_account { ParticipantKind::Customer } else { ParticipantKind::Guest }
}
