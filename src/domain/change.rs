//! The change that a rev numbers.

use serde::{Deserialize, Serialize};

use super::Message;

/// A change of a conversation that is on disk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    Posted(Message),
    Edited(Message),
    Deleted(Message),
    /// Opened, closed, reopened, assigned.
    Conversation,
}

impl Change {
    /// The last change of a message, derived from its state.
    #[must_use]
    pub fn last_of(message: Message) -> Self {
        if message.deleted_at.is_some() {
            Self::Deleted(message)
        } else if message.edited_at.is_some() || message.reply_to.as_ref().is_some_and(|quoted| quoted.changed) {
            Self::Edited(message)
        } else {
            Self::Posted(message)
        }
    }
}
