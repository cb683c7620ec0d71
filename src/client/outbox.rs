//! This person's unconfirmed messages, in the order of writing.
//!
//! Invariants: one send is under way at a time, so the order never changes. An entry has one client id, so the server
//! stores it once, unless the server reports that the id names another message.
//!
//! `client::storage` persists every entry across reloads, and shares it between the tabs of a browser. The tab that
//! created an entry sends it. The others show it, and send it themselves if it is still there a while later. The order
//! of their sends makes no difference.

use serde::{Deserialize, Serialize};

use crate::domain::{ClientId, Code, Message, MessageId, ParticipantId, objects};

/// First pause after a temporary refusal by the server; doubles up to [`PAUSE_MAX_MS`].
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 16_000;
/// How long this tab waits for another tab to send its own entry. That tab may have been closed.
const LENT_MS: i64 = 10_000;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    Queued,
    /// Sent on the present connection, not yet answered.
    Sending,
    /// Refused. Stays until the person tries again or discards it.
    Failed(String),
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub struct Entry {
    pub client_id: ClientId,
    pub content: String,
    /// The message that it replies to.
    pub reply_to: Option<MessageId>,
    /// Milliseconds since 1970.
    pub written_at: i64,
    pub state: SendState,
    /// The server has another message under this client id: it can only be sent under a new one.
    pub id_is_taken: bool,
    /// Whether it is still there after a reload.
    pub is_kept: bool,
    /// Another tab wrote it, and sends it until then.
    lent_until: i64,
    /// It was under way from here when another tab had done with it.
    is_done: bool,
}

/// An entry as stored. Other versions of this program read it, too.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Self")]
struct Kept {
    client_id: ClientId,
    content: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reply_to: Option<MessageId>,
    written_at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    failed: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    id_is_taken: bool,
}

objects!(Kept);

impl From<Kept> for Entry {
    fn from(kept: Kept) -> Self {
        let Kept { client_id, content, reply_to, written_at, failed, id_is_taken } = kept;
        let state = failed.map_or(SendState::Queued, SendState::Failed);
        Self {
            client_id,
            content,
            reply_to,
            written_at,
            state,
            id_is_taken,
            is_kept: true,
            lent_until: 0,
            is_done: false,
        }
    }
}

impl From<Entry> for Kept {
    fn from(entry: Entry) -> Self {
        let Entry { client_id, content, reply_to, written_at, state, id_is_taken, .. } = entry;
        let failed = if let SendState::Failed(reason) = state { Some(reason) } else { None };
        Self { client_id, content, reply_to, written_at, failed, id_is_taken }
    }
}

impl Entry {
    fn has_failed(&self) -> bool {
        matches!(self.state, SendState::Failed(_))
    }

    /// The stored form.
    #[must_use]
    pub fn write(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Reads what [`Self::write`] wrote, here or in another version.
    #[must_use]
    pub fn read(kept: &str) -> Option<Self> {
        serde_json::from_str(kept).ok()
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outbox {
    entries: Vec<Entry>,
    /// No send before this time.
    paused_until: i64,
    pause: i64,
    /// The reason why the server refused the last send, if it may accept it later.
    refused: Option<Code>,
}

impl Outbox {
    /// From stored entries, in any order. Client ids are UUIDv7 and sort by their time of creation.
    #[must_use]
    pub fn restore(kept: Vec<Entry>) -> Self {
        let mut outbox = Self::default();
        for entry in kept {
            outbox.put(entry);
        }
        outbox.on_connected();
        outbox
    }

    /// Puts an entry in its place, unless it is here already.
    fn put(&mut self, entry: Entry) {
        let at = self.entries.partition_point(|earlier| earlier.client_id < entry.client_id);
        if self.entries.get(at).is_none_or(|known| known.client_id != entry.client_id) {
            self.entries.insert(at, entry);
        }
    }

    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// How many will be sent by themselves.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.has_failed()).count()
    }

    /// How many of those are gone if the page is left now.
    #[must_use]
    pub fn unkept(&self) -> usize {
        self.entries.iter().filter(|entry| !entry.has_failed() && !entry.is_kept).count()
    }

    pub fn enqueue(
        &mut self,
        client_id: ClientId,
        content: String,
        reply_to: Option<MessageId>,
        written_at: i64,
    ) -> &Entry {
        let kept = Kept { client_id, content, reply_to, written_at, failed: None, id_is_taken: false };
        self.entries.push(kept.into());
        &self.entries[self.entries.len() - 1]
    }

    /// Whether this browser could store an entry.
    pub fn set_kept(&mut self, client_id: ClientId, is_kept: bool) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.client_id == client_id) {
            entry.is_kept = is_kept;
        }
    }

    /// Another tab has stored this entry. Returns the time at which this tab may send it.
    pub fn lend(&mut self, mut entry: Entry, now: i64) -> Option<i64> {
        entry.lent_until = now + LENT_MS;
        match self.entries.iter_mut().find(|known| known.client_id == entry.client_id) {
            // The server sends this tab the result as well.
            Some(known) if known.state == SendState::Sending => return None,
            // This tab's own retry may be newer: the server decides.
            Some(known) => *known = entry.clone(),
            None => self.put(entry.clone()),
        }
        (!entry.has_failed()).then_some(entry.lent_until)
    }

    /// Another tab settled this entry: the server has it, or a person discarded it. A send of this tab stays until its
    /// answer, so one send is under way at a time.
    pub fn forget(&mut self, client_id: ClientId) {
        self.entries.retain_mut(|entry| {
            entry.is_done |= entry.client_id == client_id;
            !entry.is_done || entry.state == SendState::Sending
        });
    }

    /// A new connection: what was under way on the last one may or may not have arrived.
    pub fn on_connected(&mut self) {
        self.entries.retain(|entry| !entry.is_done);
        for entry in &mut self.entries {
            if entry.state == SendState::Sending {
                entry.state = SendState::Queued;
            }
        }
        self.paused_until = 0;
        self.refused = None;
    }

    /// The entry to send now, marked as under way.
    pub fn next_to_send(&mut self, now: i64) -> Option<&Entry> {
        if now < self.paused_until || self.entries.iter().any(|entry| entry.state == SendState::Sending) {
            return None;
        }
        let entry =
            self.entries.iter_mut().find(|entry| entry.state == SendState::Queued && entry.lent_until <= now)?;
        entry.state = SendState::Sending;
        Some(entry)
    }

    /// The time at which sending continues, if it pauses at `now` and an entry waits.
    #[must_use]
    pub fn resumes_at(&self, now: i64) -> Option<i64> {
        (now < self.paused_until && self.waiting() > 0).then_some(self.paused_until)
    }

    /// Why the server does not take what waits; nothing again once it has taken something.
    #[must_use]
    pub fn delayed_by(&self) -> Option<Code> {
        self.refused.filter(|_| self.waiting() > 0)
    }

    /// The server confirmed it. Returns whether it was in here.
    pub fn settle(&mut self, client_id: ClientId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.client_id != client_id);
        self.pause = 0;
        self.refused = None;
        self.entries.len() < before
    }

    /// A message of the conversation came by: the confirmation itself may have been lost. An unchanged message shows
    /// whether it is the waiting one. A different entry stays, and the server decides about it.
    pub fn settle_seen(&mut self, message: &Message, me: ParticipantId) -> Option<ClientId> {
        let client_id = message.client_id.filter(|_| message.sender_id == me)?;
        let was_changed = message.edited_at.is_some() || message.deleted_at.is_some();
        let is_other = |entry: &Entry| entry.id_is_taken || !was_changed && entry.content != message.content;
        let differs = self.entries.iter().any(|entry| entry.client_id == client_id && is_other(entry));
        (!differs && self.settle(client_id)).then_some(client_id)
    }

    /// The server refused it. A temporary failure preserves the entry's place, and the outbox retries it after a pause.
    /// Returns the entry if it was in here.
    pub fn reject(&mut self, client_id: ClientId, code: Code, message: String, now: i64) -> Option<&Entry> {
        self.entries.retain(|entry| entry.client_id != client_id || !entry.is_done);
        let entry = self.entries.iter_mut().find(|entry| entry.client_id == client_id)?;
        if matches!(code, Code::RateLimited | Code::Unavailable) {
            entry.state = SendState::Queued;
            self.pause = (self.pause * 2).clamp(PAUSE_MS, PAUSE_MAX_MS);
            self.paused_until = now + self.pause;
            self.refused = Some(code);
        } else {
            entry.state = SendState::Failed(message);
            entry.id_is_taken = code == Code::Conflict;
            self.refused = None;
        }
        Some(entry)
    }

    /// The current send can never arrive.
    pub fn reject_sending(&mut self, message: &str) -> Option<&Entry> {
        self.entries.retain(|entry| !entry.is_done);
        let entry = self.entries.iter_mut().find(|entry| entry.state == SendState::Sending)?;
        entry.state = SendState::Failed(message.to_owned());
        self.refused = None;
        Some(entry)
    }

    /// Tries a failed one again, in its old place. One whose client id is taken goes under `fresh`, and to the end, where
    /// that id has its place.
    pub fn retry(&mut self, client_id: ClientId, fresh: ClientId) -> Option<&Entry> {
        let at = self.entries.iter().position(|entry| entry.client_id == client_id && entry.has_failed())?;
        // A person's retry sends it.
        if !self.entries[at].id_is_taken {
            self.entries[at].state = SendState::Queued;
            self.entries[at].lent_until = 0;
            return Some(&self.entries[at]);
        }
        let entry = self.entries.remove(at);
        let state = SendState::Queued;
        self.entries.push(Entry { client_id: fresh, state, id_is_taken: false, lent_until: 0, ..entry });
        self.entries.last()
    }

    /// Forgets a failed one. Others cannot be taken back: they may have arrived.
    pub fn discard(&mut self, client_id: ClientId) -> bool {
        let before = self.entries.len();
        self.entries.retain(|entry| entry.client_id != client_id || !entry.has_failed());
        self.entries.len() < before
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    use super::*;
    use crate::{client::timeline::tests::message, domain::Timestamp};

    fn id(n: u128) -> ClientId {
        ClientId(Uuid::from_u128(n))
    }

    #[test]
    fn a_temporary_rejection_preserves_the_order() {
        let mut outbox = Outbox::default();
        outbox.enqueue(id(1), "one".into(), None, 0);
        outbox.enqueue(id(2), "two".into(), None, 0);
        assert_eq!(outbox.next_to_send(0).unwrap().client_id, id(1));
        assert_eq!(outbox.next_to_send(0), None, "one at a time");
        assert_eq!(outbox.delayed_by(), None);
        outbox.reject(id(1), Code::RateLimited, String::new(), 0);
        assert_eq!(outbox.delayed_by(), Some(Code::RateLimited));
        assert_eq!(outbox.next_to_send(0), None);
        let later = outbox.resumes_at(0).unwrap();
        assert_eq!(outbox.next_to_send(later).unwrap().client_id, id(1));
        assert_eq!(outbox.delayed_by(), Some(Code::RateLimited), "until the server takes something");
        outbox.reject(id(1), Code::Closed, "closed".into(), later);
        assert_eq!(outbox.delayed_by(), None);
        assert_eq!(outbox.next_to_send(later).unwrap().client_id, id(2), "a failed one holds up nobody");
        assert_eq!(outbox.waiting(), 1);
        outbox.retry(id(1), id(9));
        outbox.settle(id(2));
        assert_eq!(outbox.next_to_send(later).unwrap().client_id, id(1));
        assert!(!outbox.discard(id(1)), "it may have arrived");
    }

    #[test]
    fn pauses_double_up_to_a_limit_and_a_success_ends_them() {
        let mut outbox = Outbox::default();
        outbox.enqueue(id(1), "one".into(), None, 0);
        let mut now = 7;
        let mut refuse = |outbox: &mut Outbox| {
            assert_eq!(outbox.next_to_send(now).unwrap().client_id, id(1));
            outbox.reject(id(1), Code::Unavailable, String::new(), now);
            let until = outbox.resumes_at(now).unwrap();
            assert_eq!(outbox.next_to_send(until - 1), None);
            assert_eq!(outbox.resumes_at(until), None);
            let pause = until - now;
            now = until;
            pause
        };
        let mut expected = PAUSE_MS;
        for _ in 0..8 {
            assert_eq!(refuse(&mut outbox), expected);
            expected = (expected * 2).min(PAUSE_MAX_MS);
        }
        assert_eq!(refuse(&mut outbox), PAUSE_MAX_MS);
        assert!(outbox.settle(id(1)) && !outbox.settle(id(1)));
        outbox.enqueue(id(1), "one".into(), None, 0);
        assert_eq!(refuse(&mut outbox), PAUSE_MS);
    }

    #[test]
    fn a_send_that_can_never_arrive_fails_and_can_be_discarded() {
        let mut outbox = Outbox::default();
        outbox.enqueue(id(1), "one".into(), None, 0);
        outbox.enqueue(id(2), "two".into(), None, 0);
        assert_eq!(outbox.reject_sending("too large"), None, "none is under way");
        outbox.next_to_send(0);
        let failed = outbox.reject_sending("too large").unwrap();
        assert_eq!((failed.client_id, &failed.state), (id(1), &SendState::Failed("too large".into())));
        assert_eq!((outbox.waiting(), outbox.unkept()), (1, 0));
        outbox.set_kept(id(2), false);
        assert_eq!((outbox.waiting(), outbox.unkept()), (1, 1));
        assert!(!outbox.discard(id(2)), "it will be sent");
        assert!(outbox.discard(id(1)) && !outbox.discard(id(1)));
        assert_eq!(outbox.entries().iter().map(|entry| entry.client_id).collect::<Vec<_>>(), [id(2)]);
    }

    #[test]
    fn stored_sends_are_restored_in_order() {
        let mut outbox = Outbox::default();
        for n in 1..4 {
            outbox.enqueue(id(n), n.to_string(), None, n as i64);
        }
        outbox.next_to_send(0);
        outbox.reject(id(1), Code::Invalid, "no".into(), 0);
        outbox.next_to_send(0);
        outbox.reject(id(2), Code::Conflict, "no".into(), 0);
        let kept = outbox.entries().iter().rev().map(Entry::write);
        let entries = kept.map(|kept| Entry::read(&kept).unwrap()).collect();
        assert_eq!(Outbox::restore(entries).entries(), outbox.entries());
    }

    #[test]
    fn entries_of_earlier_versions_are_readable() {
        let id = "018f0000-0000-7000-8000-000000000001";
        let plain = format!(r#"{{"client_id":"{id}","content":"one","written_at":5}}"#);
        let entry = Entry::read(&plain).unwrap();
        assert_eq!((&*entry.content, entry.written_at, &entry.state), ("one", 5, &SendState::Queued));
        assert_eq!(entry.write(), plain);
        let failed = plain.replace('}', r#","failed":"no","id_is_taken":true}"#);
        let entry = Entry::read(&failed).unwrap();
        assert_eq!((&entry.state, entry.id_is_taken), (&SendState::Failed("no".into()), true));
        assert_eq!(entry.write(), failed);
        assert_eq!(Entry::read("{}"), None);
    }

    #[test]
    fn what_another_tab_wrote_waits_for_it() {
        let mut other = Outbox::default();
        let entry = other.enqueue(id(1), "one".into(), None, 0).clone();
        let mut outbox = Outbox::default();
        assert_eq!(outbox.lend(entry.clone(), 0), Some(LENT_MS));
        outbox.enqueue(id(2), "two".into(), None, 0);
        assert_eq!(outbox.waiting(), 2);
        assert_eq!(outbox.next_to_send(0).unwrap().client_id, id(2), "the other tab sends its own");
        outbox.settle(id(2));
        assert_eq!(outbox.next_to_send(LENT_MS - 1), None);
        assert_eq!(outbox.next_to_send(LENT_MS).unwrap().client_id, id(1), "unless it is gone");
        assert_eq!(outbox.lend(entry, LENT_MS), None);
        outbox.forget(id(1));
        assert_eq!(outbox.next_to_send(LENT_MS), None);
        assert_eq!(outbox.reject(id(1), Code::Closed, "closed".into(), LENT_MS), None, "it does not come back");
        assert!(outbox.entries().is_empty());
    }

    #[test]
    fn a_conflicting_send_gets_a_new_id() {
        let me = ParticipantId::told(Uuid::from_u128(1));
        let other = Message { client_id: Some(id(1)), sender_id: me, ..message(1, 1, "other") };
        let mut outbox = Outbox::default();
        outbox.enqueue(id(1), "one".into(), None, 0);
        outbox.enqueue(id(2), "two".into(), None, 0);
        assert_eq!(outbox.settle_seen(&other, me), None, "it is not what waits here");
        outbox.next_to_send(0);
        outbox.reject(id(1), Code::Conflict, "used".into(), 0);
        assert_eq!(outbox.waiting(), 1, "it does not try for ever");
        let edited = Message { edited_at: Some(Timestamp(1)), ..other.clone() };
        for seen in [&other, &edited] {
            assert_eq!(outbox.settle_seen(seen, me), None, "its text stays");
        }
        assert_eq!(outbox.next_to_send(0).unwrap().client_id, id(2));
        outbox.settle(id(2));
        let again = outbox.retry(id(1), id(3)).unwrap();
        assert_eq!((again.client_id, &*again.content), (id(3), "one"));
        assert_eq!(outbox.next_to_send(0).unwrap().client_id, id(3));
        assert!(outbox.retry(id(1), id(4)).is_none() && !outbox.discard(id(1)), "nothing has its old id any more");
    }

    #[test]
    fn a_message_that_was_changed_since_settles_its_send() {
        let me = ParticipantId::told(Uuid::from_u128(1));
        for changed in [
            Message { edited_at: Some(Timestamp(1)), ..message(1, 1, "mended") },
            Message { deleted_at: Some(Timestamp(1)), ..message(1, 1, "") },
        ] {
            let mut outbox = Outbox::default();
            outbox.enqueue(id(1), "one".into(), None, 0);
            let seen = Message { client_id: Some(id(1)), sender_id: me, ..changed };
            assert_eq!(outbox.settle_seen(&seen, me), Some(id(1)));
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Write,
        Send,
        /// The server stores what is under way, and its answer arrives or gets lost.
        Store {
            answered: bool,
        },
        Reject(Code),
        Reconnect,
        Reload,
        RetryAll,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => Just(Step::Write),
            4 => Just(Step::Send),
            3 => any::<bool>().prop_map(|answered| Step::Store { answered }),
            1 => prop_oneof![Just(Code::RateLimited), Just(Code::Unavailable), Just(Code::Closed)].prop_map(Step::Reject),
            2 => Just(Step::Reconnect),
            1 => Just(Step::Reload),
            1 => Just(Step::RetryAll),
        ]
    }

    proptest! {
        #[test]
        fn all_that_was_written_is_stored_once_and_in_order(steps in vec(step(), 0..80)) {
            let mut outbox = Outbox::default();
            // The server's messages: the client id is the key, so a repeated send adds nothing.
            let mut stored = Vec::new();
            let mut refused = BTreeSet::new();
            let mut written = 0;
            let mut now = 0;
            let mut under_way = None;
            let store = |stored: &mut Vec<ClientId>, id: ClientId| {
                if !stored.contains(&id) {
                    stored.push(id);
                }
            };
            for step in steps {
                now += 20_000;
                match step {
                    Step::Write => {
                        written += 1;
                        outbox.enqueue(id(written), "x".into(), None, now);
                    }
                    Step::Send => under_way = outbox.next_to_send(now).map(|entry| entry.client_id).or(under_way),
                    Step::Store { answered } => {
                        if let Some(id) = under_way {
                            store(&mut stored, id);
                            if answered {
                                outbox.settle(id);
                                under_way = None;
                            }
                        }
                    }
                    Step::Reject(code) => {
                        if let Some(id) = under_way.take() {
                            outbox.reject(id, code, "no".into(), now);
                            if code == Code::Closed && !stored.contains(&id) {
                                refused.insert(id);
                            }
                        }
                    }
                    Step::Reconnect => {
                        outbox.on_connected();
                        under_way = None;
                    }
                    Step::Reload => {
                        outbox = Outbox::restore(outbox.entries().to_vec());
                        under_way = None;
                    }
                    Step::RetryAll => {
                        for n in 1..=written {
                            outbox.retry(id(n), id(1000 + n));
                        }
                    }
                }
                prop_assert!(outbox.entries().iter().filter(|entry| entry.state == SendState::Sending).count() <= 1);
            }
            outbox.on_connected();
            for n in 1..=written {
                outbox.retry(id(n), id(1000 + n));
            }
            now += 20_000;
            while let Some(id) = outbox.next_to_send(now).map(|entry| entry.client_id) {
                store(&mut stored, id);
                outbox.settle(id);
            }
            prop_assert!(outbox.entries().is_empty());
            prop_assert_eq!(stored.len(), written as usize);
            let never_refused: Vec<_> = stored.iter().filter(|id| !refused.contains(id)).collect();
            prop_assert!(never_refused.is_sorted());
        }
    }
}
