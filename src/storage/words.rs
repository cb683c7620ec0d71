//! The words that databases store for the values of small enums.

use crate::domain::{ConversationKind, ConversationStatus, ParticipantKind, RequestStatus, Role, SenderType};

/// A value with a word for it in the database.
pub(super) trait Word: Sized {
    fn word(self) -> &'static str;
    fn from_word(word: &str) -> Option<Self>;
}

macro_rules! words {
    ($($name:ident { $($variant:ident $word:literal),+ })+) => {$(
        impl Word for $name {
            fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)+ _ => None }
            }
        }
    )+};
}

words! {
    Role { Admin "admin", Customer "customer" }
    ConversationKind { Session "session", Request "request" }
    ConversationStatus { Open "open", Closed "closed" }
    ParticipantKind { Admin "admin", Customer "customer", Guest "guest" }
    SenderType { Admin "admin", Customer "customer" }
}

impl Word for RequestStatus {
    fn word(self) -> &'static str {
        Self::word(self)
    }

    fn from_word(word: &str) -> Option<Self> {
        Self::from_word(word)
    }
}
