//! What every database behind [`Store`](super::Store) holds to: limits, and texts that are derived from others.

use uuid::Uuid;

use super::{Audience, Notice, RequestCounts};
use crate::domain::{
    ConversationId, LinkId, MOST_COUNTED, Message, RequestStatus, SessionId, TokenId, UserId, shorten,
};

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

/// The form in which text is searched, so that any case finds any other.
pub(super) fn fold(text: &str) -> String {
    text.to_lowercase()
}

/// What a list is searched for; `None` if that is nothing.
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

/// What a search for custom requests looks at. The title is its first line.
pub(super) fn folded_request(title: &str, description: &str, name: &str, email: &str) -> String {
    fold(&[title, description, name, email].join("\n"))
}

/// What a conversation says about a change of its request's status.
pub(super) fn status_line(status: RequestStatus) -> String {
    format!("Status set to “{}”.", status.label())
}

/// How long a notice is kept, in milliseconds: whoever does not ask for so long has no sockets any more.
pub(super) const NOTICES_KEPT_MS: i64 = 86_400_000;

/// What the journal keeps of a notice: its kind, whom or what it is about, and a rev.
pub(super) fn notice_columns(notice: Notice) -> (&'static str, Uuid, Option<i64>) {
    match notice {
        Notice::Session(SessionId(id)) => ("session", id, None),
        Notice::Token(TokenId(id)) => ("token", id, None),
        Notice::Link(LinkId(id)) => ("link", id, None),
        Notice::User(UserId(id)) => ("user", id, None),
        Notice::Conversation { id: ConversationId(id), rev } => ("conversation", id, rev),
    }
}

/// What stands where a customer's name stood.
pub(super) const FORMER: &str = "Former customer";
/// What stands where a request's title and description stood.
pub(super) const REMOVED: &str = "Removed";
/// The account that has the requests and chats of those who have none any more. Nobody can sign in to it: no
/// password has its hash, and no mail reaches its address.
pub(super) const NOBODY: Uuid = Uuid::nil();
pub(super) const NOBODY_EMAIL: &str = "former-customer@bespoken.invalid";
