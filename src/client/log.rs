//! The lines of a chat's log, from messages, unsent messages and receipts.
//!
//! Every line has a stable key for its content, also when a send becomes a message. It compares equal while it need not
//! render again.

use super::{
    labels::{self, Zone},
    outbox::{Entry, SendState},
    people::People,
    text::{Piece, is_lone_emoji, pieces},
};
use crate::{
    domain::{Attachment, ClientId, Date, Message, MessageId, ParticipantId, Quote, Timestamp},
    locales,
};

/// Consecutive messages of one person form a group up to this distance.
const GROUP_MS: i64 = 5 * 60_000;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Key {
    /// In days since 1970.
    Day(i64),
    New,
    /// One's own, by the name that it had before the server knew it.
    Own(ClientId),
    /// The same, of one whose name the server has another message for.
    Refused(ClientId),
    Message(MessageId),
}

#[derive(Clone, Debug, PartialEq)]
#[allow(clippy::large_enum_variant, reason = "nearly all lines are messages")]
pub enum Line {
    Day {
        date: Date,
        label: String,
    },
    /// The following lines are unread.
    New,
    Message(Bubble),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Bubble {
    pub key: Key,
    /// Known once the server has it.
    pub id: Option<MessageId>,
    pub seq: Option<i64>,
    pub client_id: Option<ClientId>,
    pub own: bool,
    /// Opens a group: says who and when.
    pub first: bool,
    pub sender: String,
    pub at: Timestamp,
    pub clock: String,
    pub full_time: String,
    pub body: Body,
    pub files: Vec<Attachment>,
    /// The message that it replies to.
    pub quote: Option<Quote>,
    pub edited: bool,
    pub delivery: Delivery,
    pub may_reply: bool,
    pub may_edit: bool,
    pub may_delete: bool,
    /// The text to begin with, while it is edited.
    pub editing: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Body {
    Text(Vec<Piece>),
    Emoji(String),
    Deleted,
    /// A line of the server in a person's name.
    System(String),
}

/// The line below a message.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Delivery {
    /// Nothing: not one's own, or not the last.
    Untold,
    /// On its way, and not the last.
    Underway,
    Sending,
    Sent,
    /// With the time of day, and with the day if it is not today.
    Seen(String),
    /// With the reason.
    Failed(String),
}

/// What the log depends on beside the timeline.
pub struct LogOptions<'a> {
    pub me: ParticipantId,
    pub is_admin: bool,
    /// Whether messages can be changed.
    pub can_change: bool,
    pub people: &'a People,
    /// The first seq that was not read when the chat was opened.
    pub new_from: Option<i64>,
    /// The message that is being edited.
    pub editing: Option<MessageId>,
    pub now: Timestamp,
    pub zone: Zone,
}

impl Line {
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Day { date, .. } => Key::Day(date.days()),
            Self::New => Key::New,
            Self::Message(bubble) => bubble.key,
        }
    }
}

/// Where one message ends and the next begins.
struct Pen<'a> {
    look: &'a LogOptions<'a>,
    today: Date,
    lines: Vec<Line>,
    day: Option<Date>,
    last: Option<(ParticipantId, Timestamp)>,
}

impl Pen<'_> {
    /// Draws the day's line if one begins. Returns whether a group begins.
    fn begins(&mut self, sender: ParticipantId, at: Timestamp) -> bool {
        let day = labels::local_date(at, self.look.zone);
        // Never back: a device's clock can lag behind the server's.
        if self.day.is_none_or(|last| last < day) {
            self.day = Some(day);
            self.lines.push(Line::Day { date: day, label: labels::day(day, self.today) });
            self.last = None;
        }
        let first = self.last.is_none_or(|(by, time)| by != sender || (at.0 - time.0).abs() > GROUP_MS);
        self.last = Some((sender, at));
        first
    }

    fn divide(&mut self) {
        self.lines.push(Line::New);
        self.last = None;
    }

    fn message(&mut self, message: &Message, delivery: Delivery) {
        let own = message.sender_id == self.look.me;
        let deleted = message.deleted_at.is_some();
        if message.system {
            // No group continues across it.
            self.begins(message.sender_id, message.created_at);
            self.last = None;
        }
        let client_id = message.client_id.filter(|_| own);
        let first = !message.system && self.begins(message.sender_id, message.created_at);
        let can_change = !deleted && !message.system && self.look.can_change;
        self.lines.push(Line::Message(Bubble {
            key: client_id.map_or(Key::Message(message.id), Key::Own),
            id: Some(message.id),
            seq: Some(message.seq),
            client_id,
            own,
            first,
            sender: message.sender_name.clone(),
            at: message.created_at,
            clock: labels::clock(message.created_at, self.look.zone),
            full_time: labels::full(message.created_at, self.look.zone),
            body: match () {
                () if deleted => Body::Deleted,
                () if message.system => Body::System(message.words(locales::current()).into_owned()),
                () => body(&message.content),
            },
            files: message.attachments.clone(),
            quote: message.reply_to.as_deref().cloned(),
            edited: message.edited_at.is_some() && !deleted,
            delivery,
            may_reply: can_change,
            may_edit: own && can_change,
            may_delete: (own || self.look.is_admin) && can_change,
            editing: (own && !deleted && self.look.editing == Some(message.id)).then(|| message.content.clone()),
        }));
    }

    fn waiting(&mut self, entry: &Entry, quote: Option<Quote>, is_last: bool) {
        let at = Timestamp(entry.written_at);
        let first = self.begins(self.look.me, at);
        self.lines.push(Line::Message(Bubble {
            key: if entry.id_is_taken { Key::Refused(entry.client_id) } else { Key::Own(entry.client_id) },
            id: None,
            seq: None,
            client_id: Some(entry.client_id),
            own: true,
            first,
            sender: String::new(),
            at,
            clock: labels::clock(at, self.look.zone),
            full_time: labels::full(at, self.look.zone),
            body: body(&entry.content),
            files: Vec::new(),
            quote,
            edited: false,
            delivery: match &entry.state {
                SendState::Failed(reason) => Delivery::Failed(reason.clone()),
                _ if is_last => Delivery::Sending,
                _ => Delivery::Underway,
            },
            may_reply: false,
            may_edit: false,
            may_delete: false,
            editing: None,
        }));
    }
}

/// The body of a text.
#[must_use]
pub fn body(content: &str) -> Body {
    if is_lone_emoji(content) { Body::Emoji(content.to_owned()) } else { Body::Text(pieces(content)) }
}

/// Lays out the log.
pub fn lay_out<'a>(
    messages: impl DoubleEndedIterator<Item = &'a Message> + Clone,
    waiting: &[Entry],
    look: &LogOptions,
) -> Vec<Line> {
    // A message can arrive before its confirmation does.
    let arrived = |entry: &Entry| {
        !entry.id_is_taken
            && messages
                .clone()
                .rev()
                .any(|message| message.client_id == Some(entry.client_id) && message.sender_id == look.me)
    };
    let waiting: Vec<&Entry> = waiting.iter().filter(|entry| !arrived(entry)).collect();
    let last_own = messages.clone().rev().find(|message| message.sender_id == look.me && message.is_text());
    let last_own = last_own.map(|message| message.seq).filter(|_| waiting.is_empty());

    let today = labels::local_date(look.now, look.zone);
    let mut pen = Pen { look, today, lines: Vec::new(), day: None, last: None };
    for message in messages.clone() {
        if look.new_from == Some(message.seq) {
            pen.divide();
        }
        let delivery = match look.people.seen(message.seq) {
            _ if last_own != Some(message.seq) => Delivery::Untold,
            Some(at) => Delivery::Seen(labels::moment(at, today, look.zone)),
            None => Delivery::Sent,
        };
        pen.message(message, delivery);
    }
    for (at, entry) in waiting.iter().enumerate() {
        let quoted = entry.reply_to.and_then(|id| messages.clone().rev().find(|message| message.id == id));
        pen.waiting(entry, quoted.map(Quote::from), at + 1 == waiting.len());
    }
    pen.lines
}

/// The first unread message, if the reader has read any before it: an entirely new chat needs no divider.
pub fn first_unread<'a>(mut messages: impl Iterator<Item = &'a Message>, me: ParticipantId, read: i64) -> Option<i64> {
    let unread = messages.find(|message| message.seq > read && message.sender_id != me && message.deleted_at.is_none());
    unread.map(|message| message.seq).filter(|seq| *seq > 1 && read > 0)
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{
        client::{outbox::Outbox, timeline::tests::message},
        domain::{Participant, ParticipantKind, Receipt},
    };

    const MINUTE: i64 = 60_000;

    fn guest() -> Participant {
        let id = ParticipantId::told(Uuid::from_u128(1));
        Participant { id, kind: ParticipantKind::Guest, name: "Ada".into(), online: true, last_seen_at: None }
    }

    fn admin() -> Participant {
        let id = ParticipantId::told(Uuid::from_u128(2));
        Participant { id, kind: ParticipantKind::Admin, name: "Ben".into(), online: true, last_seen_at: None }
    }

    fn by(seq: i64, at: i64, sender: &Participant) -> Message {
        Message {
            sender_id: sender.id,
            sender_type: sender.kind.sender_type(),
            sender_name: sender.name.clone(),
            created_at: Timestamp(at),
            ..message(seq, seq, "text")
        }
    }

    fn people(read_by_admin: i64) -> People {
        let receipts = vec![Receipt { participant: admin().id, seq: read_by_admin, at: Timestamp(63 * MINUTE) }];
        People::new(&guest(), vec![guest(), admin()], receipts)
    }

    fn look(people: &People) -> LogOptions<'_> {
        LogOptions {
            me: guest().id,
            is_admin: false,
            can_change: true,
            people,
            new_from: None,
            editing: None,
            now: Timestamp(90 * MINUTE),
            zone: labels::utc,
        }
    }

    fn bubbles(lines: &[Line]) -> Vec<&Bubble> {
        lines.iter().filter_map(|line| if let Line::Message(bubble) = line { Some(bubble) } else { None }).collect()
    }

    #[test]
    fn groups_days_and_the_divider() {
        let day = 24 * 60 * MINUTE;
        let messages = [
            by(1, 0, &guest()),
            by(2, 5 * MINUTE, &guest()),
            by(3, 11 * MINUTE, &guest()),
            by(4, 11 * MINUTE, &admin()),
            by(5, 12 * MINUTE, &admin()),
            by(6, day, &admin()),
        ];
        let people = people(0);
        let look = LogOptions { new_from: Some(5), now: Timestamp(day), ..look(&people) };
        let lines = lay_out(messages.iter(), &[], &look);
        let labels: Vec<_> = lines
            .iter()
            .map(|line| match line {
                Line::Day { label, .. } => label.clone(),
                Line::New => "New".into(),
                Line::Message(bubble) => format!("{}{}", bubble.seq.unwrap(), if bubble.first { " first" } else { "" }),
            })
            .collect();
        assert_eq!(labels, ["Yesterday", "1 first", "2", "3 first", "4 first", "New", "5 first", "Today", "6 first"]);
        let mut keys: Vec<_> = lines.iter().map(Line::key).collect();
        keys.sort();
        keys.dedup();
        assert_eq!(keys.len(), lines.len());
    }

    #[test]
    fn only_the_last_own_message_shows_its_delivery() {
        let messages = [by(1, 0, &guest()), by(2, 0, &guest()), by(3, 0, &admin())];
        let told = |people: &People, outbox: &Outbox| -> Vec<Delivery> {
            let lines = lay_out(messages.iter(), outbox.entries(), &look(people));
            bubbles(&lines).into_iter().map(|bubble| bubble.delivery.clone()).collect()
        };
        let mut outbox = Outbox::default();
        use Delivery::{Failed, Sending, Sent, Underway, Untold};
        assert_eq!(told(&people(1), &outbox), [Untold, Sent, Untold]);
        assert_eq!(told(&people(2), &outbox), [Untold, Delivery::Seen("01:03".into()), Untold]);
        for n in 1..4 {
            outbox.enqueue(ClientId(Uuid::from_u128(n)), "text".into(), None, 0);
        }
        assert_eq!(told(&people(2), &outbox), [Untold, Untold, Untold, Underway, Underway, Sending]);
        outbox.next_to_send(0);
        outbox.reject(ClientId(Uuid::from_u128(1)), crate::domain::Code::Invalid, "why".into(), 0);
        assert_eq!(told(&people(2), &outbox)[3], Failed("why".into()));
    }

    #[test]
    fn a_send_retains_its_key_when_it_becomes_a_message() {
        let client_id = ClientId(Uuid::from_u128(7));
        let mut outbox = Outbox::default();
        outbox.enqueue(client_id, "text".into(), None, 0);
        let people = people(0);
        let before = lay_out([].iter(), outbox.entries(), &look(&people));
        let mine = Message { client_id: Some(client_id), ..by(1, 0, &guest()) };
        let both = lay_out([mine.clone()].iter(), outbox.entries(), &look(&people));
        assert_eq!(bubbles(&both).len(), 1, "shown once, though the confirmation is still missing");
        assert_eq!(before[1].key(), both[1].key());
        outbox.next_to_send(0);
        outbox.reject(client_id, crate::domain::Code::Conflict, "another".into(), 0);
        let lines = lay_out([mine.clone()].iter(), outbox.entries(), &look(&people));
        assert_eq!(bubbles(&lines).len(), 2, "what the server has is another message");
        assert_ne!(lines[1].key(), lines[2].key());
        // Someone else may use the same client id.
        let other = Message { client_id: Some(client_id), ..by(2, 0, &admin()) };
        let lines = lay_out([mine, other].iter(), &[], &look(&people));
        assert_ne!(lines[1].key(), lines[2].key());
    }

    #[test]
    fn who_may_change_what() {
        let mut messages = [by(1, 0, &guest()), by(2, 0, &admin()), by(3, 0, &guest())];
        messages[2].deleted_at = Some(Timestamp(1));
        let people = people(0);
        let rights = |look: &LogOptions| -> Vec<(bool, bool)> {
            bubbles(&lay_out(messages.iter(), &[], look))
                .iter()
                .map(|bubble| (bubble.may_edit, bubble.may_delete))
                .collect()
        };
        assert_eq!(rights(&look(&people)), [(true, true), (false, false), (false, false)]);
        assert_eq!(rights(&LogOptions { can_change: false, ..look(&people) }), [(false, false); 3]);
        let admins = LogOptions { me: admin().id, is_admin: true, ..look(&people) };
        assert_eq!(rights(&admins), [(false, true), (true, true), (false, false)]);
    }

    #[test]
    fn the_divider_stands_before_the_first_unread() {
        let messages = [by(1, 0, &guest()), by(2, 0, &guest()), by(3, 0, &admin()), by(4, 0, &admin())];
        assert_eq!(first_unread(messages.iter(), guest().id, 1), Some(3));
        assert_eq!(first_unread(messages.iter(), guest().id, 3), Some(4));
        assert_eq!(first_unread(messages.iter(), guest().id, 4), None);
        assert_eq!(first_unread(messages.iter(), guest().id, 0), None, "nothing was read before");
    }
}
