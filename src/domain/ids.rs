//! Identifiers: one type for each kind of thing, so that they cannot be mixed up.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
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
    /// Names a person within a conversation: the user's id for people with an account, the
    /// conversation's own id for its customer side otherwise.
    ParticipantId
    /// Names a shared link. Not the secret in the link's address.
    LinkId
    /// Names a sign-in on one browser. Not the secret in its cookie.
    SessionId
    /// Names an invitation to become an admin. Not the secret in its link.
    InviteId
    /// Names an API token. Not the token.
    TokenId
    /// The sender's own name for one send: the idempotency key.
    ClientId
    /// Identifies the database's history; changes only when a backup is restored.
    Epoch
}

impl From<UserId> for ParticipantId {
    fn from(user: UserId) -> Self {
        Self(user.0)
    }
}
