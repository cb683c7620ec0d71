//! Identifiers: one type for each kind of thing, so that they cannot be mixed up.

use std::{
    cmp::Ordering,
    fmt,
    hash::{Hash, Hasher},
    str::FromStr,
};

use serde::{Deserialize, Serialize};
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{RefOr, Schema},
};
use uuid::Uuid;

macro_rules! id {
    ($($(#[$doc:meta])* $name:ident)+) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl $name {
            /// A fresh id (UUIDv7: ids made later sort later, which keeps indexes compact).
            #[must_use]
            #[allow(clippy::new_without_default, reason = "a default id would be a different one each time")]
            pub fn new() -> Self {
                Self(Uuid::now_v7())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Uuid::parse_str(text).map(Self)
            }
        }
    )+};
}

id! {
    /// Names a conversation, and its room on the wire.
    ConversationId
    /// Names a custom request.
    RequestId
    MessageId
    AttachmentId
    UserId
    /// Names a shared link. Not the secret in the link's address.
    LinkId
    /// Names a sign-in on one browser. Not the secret in its cookie.
    SessionId
    /// Names an invitation to become an admin. Not the secret in its link.
    InviteId
    /// Names an API token. Not the token.
    TokenId
    /// Names a browser's subscription to notifications.
    PushId
    /// The sender's own name for one send: the idempotency key.
    ClientId
    /// Identifies the database's history; changes only when a backup is restored.
    Epoch
}

/// Names a person within a conversation, for all who are in it.
///
/// The database names people with an account by the account's id, and a customer side without one by the
/// conversation's. Both are secret, so the serialised id is derived from it (UUIDv5, RFC 9562, section 5.5). The
/// derivation is irreversible: the id of an account has 74 random bits.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ParticipantId {
    told: Uuid,
    /// Only where it came from the database of this very process.
    #[serde(skip)]
    stored: Option<Uuid>,
}

impl ParticipantId {
    /// The namespace of all participants, of this program's own making.
    const NAMESPACE: Uuid = Uuid::from_u128(0x2f0c_8a64_5b1d_4e39_9d77_61c3_e8f4_0ab2);

    /// From the id by which the database names somebody.
    #[must_use]
    pub fn stored(id: Uuid) -> Self {
        Self { told: Uuid::new_v5(&Self::NAMESPACE, id.as_bytes()), stored: Some(id) }
    }

    /// From a serialised id, which does not contain the stored one.
    #[must_use]
    pub fn told(id: Uuid) -> Self {
        Self { told: id, stored: None }
    }

    /// The id by which the database names this person; `None` if only the other one is known.
    #[must_use]
    pub fn in_storage(self) -> Option<Uuid> {
        self.stored
    }
}

impl PartialEq for ParticipantId {
    fn eq(&self, other: &Self) -> bool {
        self.told == other.told
    }
}

impl Eq for ParticipantId {}

impl Hash for ParticipantId {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.told.hash(state);
    }
}

impl PartialOrd for ParticipantId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for ParticipantId {
    fn cmp(&self, other: &Self) -> Ordering {
        self.told.cmp(&other.told)
    }
}

impl PartialSchema for ParticipantId {
    fn schema() -> RefOr<Schema> {
        UserId::schema()
    }
}

impl ToSchema for ParticipantId {}

impl fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.told.fmt(f)
    }
}

impl FromStr for ParticipantId {
    type Err = uuid::Error;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self::told)
    }
}

impl From<UserId> for ParticipantId {
    fn from(user: UserId) -> Self {
        Self::stored(user.0)
    }
}
