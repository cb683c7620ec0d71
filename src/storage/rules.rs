//! Rules of every database behind [`Store`](super::Store): limits, and derived texts.

use std::borrow::Cow;

use sha2::{Digest, Sha256};
use uuid::Uuid;

use super::{Audience, Draft, Notice, RequestCounts, Result, StoreError, search::fold};
use crate::{
    domain::{
        AttachmentId, ConversationId, LinkId, MOST_COUNTED, Message, MessageEvent, MessageId, Rating, RequestStatus,
        SessionId, Timestamp, TokenId, UserId, excerpt,
    },
    locales::{self, Locale, t},
};

/// Files that one person may have put into a conversation and not sent: two messages full.
pub(super) const MOST_UNSENT: i64 = 20;
/// Files of a custom request.
pub const MOST_REQUEST_FILES: usize = 20;

/// How exactly it is known when a session was last seen, in milliseconds: a write for every page would
/// be too much.
pub(super) const SEEN_EVERY_MS: i64 = 3_600_000;

/// Characters of the latest message that a list of conversations shows.
const LAST_MESSAGE_CHARS: usize = 140;

/// The prefix of an event in the place of a conversation's latest message. People's messages are one line there.
const EVENT_MARK: char = '\n';

/// The stored text for lists of conversations, which show the latest message. `None` for an encrypted one.
pub(super) fn last_message(message: &Message, is_sealed: bool) -> Option<String> {
    match message.event {
        Some(_) => Some(format!("{EVENT_MARK}{}", stored_content(message))),
        None if is_sealed => None,
        None => Some(excerpt(&message.content, &message.attachments, LAST_MESSAGE_CHARS)),
    }
}

/// The latest message and its event for lists, from the text that [`last_message`] stored.
pub(super) fn read_last_message(stored: Option<String>) -> (Option<String>, Option<MessageEvent>) {
    match stored.as_deref().and_then(|stored| stored.strip_prefix(EVENT_MARK)) {
        Some(event) => {
            let (content, event) = read_content(event.to_owned(), true);
            (Some(content), event)
        }
        None => (stored, None),
    }
}

/// The stored content of a message: for a system line its event, as JSON.
pub(super) fn stored_content(message: &Message) -> Cow<'_, str> {
    message.event.map_or(Cow::Borrowed(&message.content), |event| Cow::Owned(stored_event(event)))
}

/// The stored content of a system line about `event`.
pub(super) fn stored_event(event: MessageEvent) -> String {
    serde_json::to_string(&event).unwrap_or_default()
}

/// The content and the event of a message from its stored content. Programs before this one stored system lines as
/// English words, which stay as they are.
pub(super) fn read_content(stored: String, is_system: bool) -> (String, Option<MessageEvent>) {
    let event = is_system.then(|| serde_json::from_str::<MessageEvent>(&stored).ok()).flatten();
    match event {
        Some(event) => (event.words(Locale::En), Some(event)),
        None => (stored, None),
    }
}

/// The identity of a sent message after an edit: the first half of a SHA-256 over its original. 128 bits are enough,
/// because senders could only deceive themselves.
pub(super) type SentDigest = Vec<u8>;

fn sent_digest(content: &str, files: impl Iterator<Item = AttachmentId>, reply_to: Option<MessageId>) -> SentDigest {
    let mut files: Vec<_> = files.collect();
    files.sort_unstable();
    let mut hash = Sha256::new();
    if let Some(MessageId(id)) = reply_to {
        hash.update("reply to");
        hash.update(id);
    }
    for AttachmentId(id) in files {
        hash.update(id);
    }
    // Last, so that no content looks like a file.
    hash.update(content);
    hash.finalize()[..16].to_vec()
}

/// Whether a message still has its original content, so it needs no digest.
fn is_as_sent(message: &Message) -> bool {
    message.edited_at.is_none() && message.deleted_at.is_none()
}

fn quoted_id(message: &Message) -> Option<MessageId> {
    message.reply_to.as_ref().map(|quoted| quoted.id)
}

/// The digest to store for a message before its first change; `None` if there is none.
pub(super) fn digest_to_keep(message: &Message) -> Option<SentDigest> {
    let is_wanted = message.client_id.is_some() && is_as_sent(message);
    is_wanted.then(|| sent_digest(&message.content, message.attachments.iter().map(|file| file.id), quoted_id(message)))
}

/// Whether only the stored digest of a message distinguishes a repeat from another message.
pub(super) fn needs_digest(stored: &Message) -> bool {
    !is_as_sent(stored)
}

/// Whether `draft` is what `stored` was sent as. `digest` is the stored one, if the message has changed since. Without
/// one, it counts as the same: older programs stored none, and erasure removes it.
pub(super) fn is_repeat(stored: &Message, digest: Option<&[u8]>, draft: &Draft) -> bool {
    if is_as_sent(stored) {
        let mut files: Vec<_> = stored.attachments.iter().map(|file| file.id).collect();
        let mut sent = draft.attachments.clone();
        files.sort_unstable();
        sent.sort_unstable();
        return stored.content == draft.content.as_str() && files == sent && quoted_id(stored) == draft.reply_to;
    }
    digest.is_none_or(|kept| {
        kept == sent_digest(draft.content.as_str(), draft.attachments.iter().copied(), draft.reply_to)
    })
}

/// From a row for each living link of a conversation, or one without; those of a conversation stand together.
pub(super) fn gathered(rows: Vec<(ConversationId, Option<UserId>, Option<LinkId>)>) -> Vec<(ConversationId, Audience)> {
    let mut audiences: Vec<(ConversationId, Audience)> = Vec::new();
    for (id, customer, link) in rows {
        match audiences.last_mut() {
            Some((last, audience)) if *last == id => audience.links.extend(link),
            _ => audiences.push((id, Audience { customer, links: link.into_iter().collect() })),
        }
    }
    audiences
}

/// When a conversation that is rated `now` was first rated, since it was closed. `before` is that rating, if any.
///
/// # Errors
/// [`StoreError::RatingFinal`].
pub(super) fn first_rated_at(before: Option<&Rating>, closed_at: Timestamp, now: Timestamp) -> Result<Timestamp> {
    match before {
        Some(rating) if rating.rated_at.0 + Rating::CHANGEABLE_MS < now.0 => Err(StoreError::RatingFinal),
        Some(rating) => Ok(rating.rated_at),
        // The clock of another node, which closed it, may be ahead.
        None => Ok(now.max(closed_at)),
    }
}

/// The searchable text of a conversation.
pub(super) fn folded_customer(name: &str, email: Option<&str>) -> String {
    fold(&[name, email.unwrap_or_default()].join("\n"))
}

/// The searchable text of an account.
pub(super) fn folded_account(name: &str, email: &str) -> String {
    fold(&[name, email].join("\n"))
}

/// The correct value instead of `before`, which another program may have folded; `None` if `before` is correct.
pub(super) fn fold_again(before: &str, folded: impl FnOnce() -> String) -> Option<String> {
    // Every program folds ASCII in the same way.
    if before.is_ascii() { None } else { Some(folded()).filter(|folded| folded != before) }
}

/// The id before which no row is one that a program of another kind may yet have written: that of a day ago.
pub(super) fn side_by_side(now: Timestamp) -> Uuid {
    // An id begins with its milliseconds since 1970 (RFC 9562, section 5.7).
    let ms = u128::try_from(now.0 - 86_400_000).unwrap_or_default();
    Uuid::from_u128(ms << 80)
}

/// The search text of a list; `None` if it is empty.
pub(super) fn searched(search: Option<&str>) -> Option<&str> {
    search.map(str::trim).filter(|text| !text.is_empty())
}

/// The statement that counts all custom requests by status. `most` is where it binds how far to count.
pub(super) fn count_requests_sql(most: &str) -> String {
    let of = |status: RequestStatus| {
        let status = status.word();
        format!("select * from (select status from custom_requests where status = '{status}' limit {most}) as counted")
    };
    let all = RequestStatus::ALL.map(of).join(" union all ");
    format!("select status, count(*) from ({all}) as counted group by status")
}

/// From the words of statuses and how many requests have each.
pub(super) fn request_counts(rows: &[(String, i64)]) -> RequestCounts {
    RequestStatus::ALL.map(|status| {
        let found = rows.iter().find(|(word, _)| word == status.word());
        found.map_or(0, |(_, number)| (*number).min(MOST_COUNTED))
    })
}

/// The searchable text of a custom request. The title is its first line.
pub(super) fn folded_request(title: &str, description: &str, name: &str, email: &str) -> String {
    fold(&[title, description, name, email].join("\n"))
}

/// Retention of a notice, in milliseconds: a process that does not read the journal for that long has no sockets left.
pub(super) const NOTICES_KEPT_MS: i64 = 86_400_000;

/// A notice as the journal stores it: kind, subject, and a rev.
pub(super) fn notice_columns(notice: Notice) -> (&'static str, Uuid, Option<i64>) {
    match notice {
        Notice::Session(SessionId(id)) => ("session", id, None),
        Notice::Token(TokenId(id)) => ("token", id, None),
        Notice::Link(LinkId(id)) => ("link", id, None),
        Notice::User(UserId(id)) => ("user", id, None),
        Notice::Conversation { id: ConversationId(id), rev } => ("conversation", id, rev),
    }
}

/// The placeholder for a customer's name. Readers see it in their language: see [`shown`].
pub(super) const FORMER: &str = "Former customer";
/// The placeholder for a request's title and description.
pub(super) const REMOVED: &str = "Removed";

/// A stored name or text as its reader sees it.
pub(super) fn shown(text: String) -> String {
    let locale = locales::current();
    match &*text {
        FORMER => t!(locale, erased::CUSTOMER).to_owned(),
        REMOVED => t!(locale, erased::REMOVED).to_owned(),
        _ => text,
    }
}

/// The account that has the requests and chats of those who have none any more. Nobody can sign in to it: no
/// password has its hash, and no mail reaches its address.
pub(super) const NOBODY: Uuid = Uuid::nil();
pub(super) const NOBODY_EMAIL: &str = "former-customer@bespoken.invalid";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rating_can_be_changed_for_a_day() {
        let (closed, rated) = (Timestamp(1_000), Timestamp(2_000));
        let before = Rating { score: 1, comment: None, rated_at: rated };
        let last = Timestamp(rated.0 + Rating::CHANGEABLE_MS);
        assert_eq!(first_rated_at(None, closed, last).unwrap(), last);
        assert_eq!(first_rated_at(None, closed, Timestamp(999)).unwrap(), closed, "never before it was closed");
        assert_eq!(first_rated_at(Some(&before), closed, last).unwrap(), rated);
        let late = first_rated_at(Some(&before), closed, Timestamp(last.0 + 1));
        assert!(matches!(late, Err(StoreError::RatingFinal)), "{late:?}");
    }

    #[test]
    fn a_system_line_is_stored_as_what_happened() {
        let event = MessageEvent::StatusSet(RequestStatus::InProgress);
        let words = "Status set to “In progress”.";
        let (content, read) = read_content(r#"{"status_set":"in_progress"}"#.to_owned(), true);
        assert_eq!((&*content, read), (words, Some(event)));
        assert_eq!(read_content(words.to_owned(), true), (words.to_owned(), None), "stored by an older program");
        let typed = r#"{"status_set":"done"}"#;
        assert_eq!(read_content(typed.to_owned(), false), (typed.to_owned(), None), "a person wrote it");
        assert_eq!(read_last_message(Some(typed.to_owned())), (Some(typed.to_owned()), None));
        assert_eq!(
            read_last_message(Some(format!("{EVENT_MARK}{typed}"))).1,
            Some(MessageEvent::StatusSet(RequestStatus::Done))
        );
        assert_eq!(read_last_message(None), (None, None));
    }
}
