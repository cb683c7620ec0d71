//! What every database behind [`Store`](super::Store) holds to: limits, and texts that are derived from others.

use crate::domain::{Message, RequestStatus, shorten};

/// Files that one person may have put into a conversation and not sent: two messages full.
pub(super) const MOST_UNSENT: i64 = 20;

/// How exactly it is known when a session was last seen, in milliseconds: a write for every page would
/// be too much.
pub(super) const SEEN_EVERY_MS: i64 = 3_600_000;

/// Characters of the latest message that a list of conversations shows.
const LAST_MESSAGE_CHARS: usize = 140;

/// What a list of conversations shows of this message.
pub(super) fn last_message(message: &Message) -> String {
    match message.attachments.first() {
        Some(file) if message.content.is_empty() => shorten(&file.name, LAST_MESSAGE_CHARS),
        _ => shorten(&message.content, LAST_MESSAGE_CHARS),
    }
}

/// The form in which text is searched, so that any case finds any other.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// What a search for custom requests looks at. The title is its first line.
pub(super) fn folded_request(title: &str, description: &str, name: &str, email: &str) -> String {
    fold(&[title, description, name, email].join("\n"))
}

/// What a conversation says about a change of its request's status.
pub(super) fn status_line(status: RequestStatus) -> String {
    format!("Status set to “{}”.", status.label())
}
