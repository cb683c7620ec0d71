//! The people in the conversation: presence, typing and receipts.

use super::labels::{Zone, isolated, relative};
use crate::{
    domain::{Participant, ParticipantId, ParticipantKind, Receipt, SenderType, Timestamp},
    locales::{self, t},
    protocol::SocketUser,
};

/// Typing expires: the server ends it after 5 s. If that frame is lost, this limit does.
pub const TYPING_MS: i64 = 6_000;

/// Whether a connection may be that of the page's person. `viewer` is the page's account. A person without one may have
/// registered since, and stays the same participant in their chats; each join checks that.
#[must_use]
pub fn is_page_of(viewer: Option<ParticipantId>, connected: &SocketUser) -> bool {
    match viewer {
        Some(viewer) => connected.id == viewer,
        None => connected.kind != ParticipantKind::Admin,
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct People {
    me: ParticipantId,
    side: SenderType,
    participants: Vec<Participant>,
    receipts: Vec<Receipt>,
    typing: Vec<(ParticipantId, i64)>,
}

impl People {
    #[must_use]
    pub fn new(me: &Participant, participants: Vec<Participant>, receipts: Vec<Receipt>) -> Self {
        Self { me: me.id, side: me.kind.sender_type(), participants, receipts, typing: Vec::new() }
    }

    #[must_use]
    pub fn participants(&self) -> Vec<Participant> {
        self.participants.clone()
    }

    #[must_use]
    pub fn receipts(&self) -> Vec<Receipt> {
        self.receipts.clone()
    }

    /// Takes what a `joined` says.
    pub fn apply_joined(&mut self, participants: Vec<Participant>, receipts: Vec<Receipt>) {
        self.participants = participants;
        for receipt in receipts {
            self.apply_read(receipt);
        }
        self.typing.clear();
    }

    pub fn apply_presence(&mut self, participants: Vec<Participant>) {
        self.participants = participants;
        let participants = &self.participants;
        self.typing.retain(|(typing, _)| participants.iter().any(|person| person.id == *typing && person.online));
    }

    pub fn apply_read(&mut self, receipt: Receipt) {
        match self.receipts.iter_mut().find(|known| known.participant == receipt.participant) {
            Some(known) if known.seq < receipt.seq => *known = receipt,
            Some(_) => {}
            None => self.receipts.push(receipt),
        }
    }

    pub fn apply_typing(&mut self, participant: ParticipantId, on: bool, now: i64) {
        self.typing.retain(|(typing, until)| *typing != participant && *until > now);
        if on && participant != self.me {
            self.typing.push((participant, now + TYPING_MS));
        }
    }

    /// Forgets typing that was not renewed. Returns whether something changed.
    pub fn expire_typing(&mut self, now: i64) -> bool {
        let before = self.typing.len();
        self.typing.retain(|(_, until)| *until > now);
        self.typing.len() < before
    }

    #[must_use]
    pub fn is_anyone_typing(&self) -> bool {
        !self.typing.is_empty()
    }

    /// How far this person has read.
    #[must_use]
    pub fn my_seq(&self) -> i64 {
        self.receipts.iter().find(|receipt| receipt.participant == self.me).map_or(0, |receipt| receipt.seq)
    }

    /// When someone of the other side first had read up to `seq`.
    #[must_use]
    pub fn seen(&self, seq: i64) -> Option<Timestamp> {
        let read = self.receipts.iter().filter(|receipt| receipt.seq >= seq && self.is_other_side(receipt.participant));
        read.map(|receipt| receipt.at).min()
    }

    /// Whether someone of the other side is here.
    #[must_use]
    pub fn is_other_side_here(&self) -> bool {
        self.participants.iter().any(|person| person.online && person.kind.sender_type() != self.side)
    }

    fn is_other_side(&self, id: ParticipantId) -> bool {
        self.participants.iter().any(|person| person.id == id && person.kind.sender_type() != self.side)
    }

    /// "Ada is typing…", or nothing.
    #[must_use]
    pub fn typing_line(&self) -> String {
        let names =
            self.participants.iter().filter(|person| self.typing.iter().any(|(typing, _)| *typing == person.id));
        let locale = locales::current();
        match joined(names) {
            Some((names, false)) => t!(locale, chat::is_typing(&names)),
            Some((names, true)) => t!(locale, chat::are_typing(&names)),
            None => String::new(),
        }
    }

    /// Whether someone else is here, and the words for it; empty if nothing is known.
    #[must_use]
    pub fn presence_line(&self, now: Timestamp, zone: Zone) -> String {
        let locale = locales::current();
        match joined(self.participants.iter().filter(|person| person.online && person.id != self.me)) {
            Some((names, false)) => return t!(locale, chat::is_here(&names)),
            Some((names, true)) => return t!(locale, chat::are_here(&names)),
            None => {}
        }
        let others = self.participants.iter().filter(|person| person.kind.sender_type() != self.side);
        let last = others.filter_map(|person| person.last_seen_at).max();
        last.map_or_else(String::new, |last| t!(locale, chat::last_here(&relative(last, now, zone))))
    }

    /// Whether the person with this id is an admin.
    #[must_use]
    pub fn is_admin(&self, id: ParticipantId) -> bool {
        self.participants.iter().any(|person| person.id == id && person.kind == ParticipantKind::Admin)
    }
}

/// The names in one, and whether there are several; `None` without any.
fn joined<'a>(people: impl Iterator<Item = &'a Participant>) -> Option<(String, bool)> {
    let names: Vec<_> = people.map(|person| isolated(&person.name)).collect();
    let (last, first) = names.split_last()?;
    if first.is_empty() {
        return Some((last.clone().into_owned(), false));
    }
    Some((t!(locales::current(), chat::and(&first.join(", "), last)), true))
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::{client::labels::utc, domain::UserId};

    fn person(n: u128, kind: ParticipantKind, name: &str, online: bool) -> Participant {
        let last_seen_at = (!online).then_some(Timestamp(0));
        Participant { id: ParticipantId::told(Uuid::from_u128(n)), kind, name: name.into(), online, last_seen_at }
    }

    fn receipt(n: u128, seq: i64, at: i64) -> Receipt {
        Receipt { participant: ParticipantId::told(Uuid::from_u128(n)), seq, at: Timestamp(at) }
    }

    fn people() -> People {
        let me = person(1, ParticipantKind::Guest, "Ada", true);
        let ben = person(2, ParticipantKind::Admin, "Ben", true);
        let cleo = person(3, ParticipantKind::Admin, "Cleo", false);
        People::new(&me.clone(), vec![me, ben, cleo], vec![receipt(1, 3, 0), receipt(2, 5, 70), receipt(3, 4, 60)])
    }

    #[test]
    fn a_page_is_of_one_person() {
        let (mine, other) = (UserId(Uuid::from_u128(1)), UserId(Uuid::from_u128(2)));
        let user = |kind, id: UserId| SocketUser { kind, id: id.into(), name: "Ada".into() };
        for kind in [ParticipantKind::Admin, ParticipantKind::Customer] {
            assert!(is_page_of(Some(mine.into()), &user(kind, mine)));
            assert!(!is_page_of(Some(mine.into()), &user(kind, other)), "another account signed in");
        }
        assert!(!is_page_of(Some(mine.into()), &user(ParticipantKind::Guest, other)), "signed out, and came by a link");
        assert!(!is_page_of(None, &user(ParticipantKind::Admin, other)), "an admin signed in beside a guest's page");
        assert!(is_page_of(None, &user(ParticipantKind::Guest, other)), "which of their chats this is, the room says");
        assert!(is_page_of(None, &user(ParticipantKind::Customer, other)), "the guest has registered");
    }

    #[test]
    fn seen_by_the_first_of_the_other_side() {
        let mut people = people();
        assert_eq!(people.seen(4), Some(Timestamp(60)));
        assert_eq!(people.seen(5), Some(Timestamp(70)));
        assert_eq!(people.seen(6), None);
        people.apply_read(receipt(2, 4, 99));
        assert_eq!(people.seen(5), Some(Timestamp(70)), "a receipt only moves forward");
        people.apply_read(receipt(1, 9, 99));
        assert_eq!((people.my_seq(), people.seen(9)), (9, None), "one's own reading is not seen");
    }

    #[test]
    fn typing_expires_and_leaves_with_its_person() {
        let mut people = people();
        let ben = ParticipantId::told(Uuid::from_u128(2));
        people.apply_typing(ben, true, 0);
        people.apply_typing(ParticipantId::told(Uuid::from_u128(1)), true, 0);
        assert_eq!(people.typing_line(), "Ben is typing…");
        assert!(!people.expire_typing(5_999));
        assert!(people.expire_typing(6_000));
        assert_eq!(people.typing_line(), "");
        people.apply_typing(ben, true, 0);
        people.apply_presence(vec![person(2, ParticipantKind::Admin, "Ben", false)]);
        assert!(!people.is_anyone_typing());
    }

    #[test]
    fn people_in_words() {
        let mut people = people();
        assert_eq!(people.presence_line(Timestamp(0), utc), "Ben is here");
        people.apply_presence(vec![
            person(2, ParticipantKind::Admin, "Ben", true),
            person(3, ParticipantKind::Admin, "Cleo", true),
        ]);
        assert_eq!(people.presence_line(Timestamp(0), utc), "Ben and Cleo are here");
        people.apply_presence(vec![person(2, ParticipantKind::Admin, "Ben", false)]);
        assert_eq!(people.presence_line(Timestamp(300_000), utc), "Last here 5 min ago");
        people.apply_presence(Vec::new());
        assert_eq!(people.presence_line(Timestamp(0), utc), "");
    }
}
