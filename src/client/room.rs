//! One chat panel's side of a room: timeline, people and outbox together, and the effect of each frame on them. Pure:
//! it returns commands for the browser as a list of [`Do`].
//!
//! Invariants: at most one join is under way. Sends go out only while up to date, because the join may show that they
//! have already arrived.

use super::{
    log::{self, Line, Look},
    outbox::{Entry, Outbox},
    people::People,
    reconnect::Indicator,
    timeline::{Live, Progress, Timeline},
};
use crate::{
    client::labels::Zone,
    domain::{
        ClientId, Code, ConversationId, Message, MessageId, Participant, ParticipantId, ParticipantKind, Receipt,
        Timestamp,
    },
    locales::{self, t},
    protocol::{ClientFrame, Joined, ServerFrame, close},
};

/// Pause before a join that the server had no time for is tried again.
const JOIN_AGAIN_MS: i64 = 2_000;

/// One moment, by two clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Milliseconds of a clock that nothing sets: for all that waits.
    pub steady: i64,
    /// By the server's clock: for all that people read.
    pub at: Timestamp,
}

/// A command for the browser.
#[derive(Clone, Debug, PartialEq)]
pub enum Do {
    Send(ClientFrame),
    /// Persist it across reloads, in this state, and report the success to [`Room::set_kept`].
    Keep(Entry),
    Forget(ClientId),
    /// The connection belongs to another person: close it, and show that.
    Estrange,
    /// Call [`Room::wake`] at this time of the steady clock.
    WakeAt(i64),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Link {
    Down,
    Joining,
    UpToDate,
}

#[derive(Clone, Debug)]
pub struct Room {
    pub me: ParticipantId,
    pub kind: ParticipantKind,
    pub timeline: Timeline,
    pub people: People,
    pub outbox: Outbox,
    pub indicator: Indicator,
    /// JavaScript runs, so the panel offers features that need it. Set after the hydration.
    pub awake: bool,
    /// The server refuses this room: its link was revoked, or the person signed out.
    pub gone: bool,
    pub editing: Option<MessageId>,
    /// The first message that was new when the person last came back.
    pub new_from: Option<i64>,
    /// The error message beside the composer.
    pub notice: Option<String>,
    link: Link,
    caught_up: bool,
    /// Edits and deletes that were sent and not confirmed.
    changes: Vec<(ClientId, ClientFrame)>,
    /// How far the server knows that this person has read.
    told_seq: i64,
}

impl Room {
    #[must_use]
    pub fn new(me: &Participant, mut loaded: Joined) -> Self {
        let people = People::new(me, std::mem::take(&mut loaded.participants), std::mem::take(&mut loaded.receipts));
        let mut room = Self {
            me: me.id,
            kind: me.kind,
            timeline: Timeline::new(loaded),
            indicator: Indicator::Connecting,
            awake: false,
            gone: false,
            editing: None,
            new_from: None,
            notice: None,
            link: Link::Down,
            caught_up: false,
            outbox: Outbox::default(),
            changes: Vec::new(),
            told_seq: people.my_seq(),
            people,
        };
        room.divide();
        room
    }

    #[must_use]
    pub fn id(&self) -> ConversationId {
        self.timeline.room()
    }

    #[must_use]
    pub fn is_admin(&self) -> bool {
        self.kind == ParticipantKind::Admin
    }

    /// Whether what is shown is all there is, and stays so by itself.
    #[must_use]
    pub fn is_live(&self) -> bool {
        let is_live = matches!(self.indicator, Indicator::Live | Indicator::Slow | Indicator::Crowded);
        self.link == Link::UpToDate && is_live && !self.gone
    }

    /// Whether everything was there once on this connection. Small gaps later heal unnoticed.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.caught_up
    }

    #[must_use]
    pub fn is_up_to_date(&self) -> bool {
        self.link == Link::UpToDate
    }

    /// The displayed content.
    #[must_use]
    pub fn lines(&self, now: Timestamp, zone: Zone) -> Vec<Line> {
        let look = Look {
            me: self.me,
            is_admin: self.is_admin(),
            can_change: self.awake && self.timeline.conversation().is_open() && !self.gone,
            people: &self.people,
            new_from: self.new_from,
            editing: self.editing,
            now,
            zone,
        };
        log::lay_out(self.timeline.messages(), self.outbox.entries(), &look)
    }

    /// Messages of others that this person has not seen, as far as they are loaded.
    #[must_use]
    pub fn unread(&self) -> usize {
        self.count_others_after(self.people.my_seq())
    }

    /// Messages of others after `seq`.
    #[must_use]
    pub fn count_others_after(&self, seq: i64) -> usize {
        let later = self.timeline.messages().rev().take_while(|message| message.seq > seq);
        later.filter(|message| message.sender_id != self.me && message.deleted_at.is_none()).count()
    }

    /// Puts the divider before the first unread message.
    pub fn divide(&mut self) {
        if let Some(seq) = log::first_unread(self.timeline.messages(), self.me, self.people.my_seq()) {
            self.new_from = Some(seq);
        }
    }

    /// The own message that can be edited and was written last.
    #[must_use]
    pub fn last_own(&self) -> Option<&Message> {
        let open = self.timeline.conversation().is_open();
        self.timeline.messages().rev().find(|message| open && message.sender_id == self.me && message.is_text())
    }

    #[must_use]
    pub fn message_at(&self, seq: i64) -> Option<&Message> {
        self.timeline.messages().rev().find(|message| message.seq == seq)
    }

    #[must_use]
    pub fn message(&self, id: MessageId) -> Option<&Message> {
        self.timeline.messages().rev().find(|message| message.id == id)
    }

    /// Whether the message that is being edited cannot be edited any more: it was deleted, or the chat was closed.
    #[must_use]
    pub fn has_lost_edit(&self) -> bool {
        let is_deleted = |id| self.message(id).is_some_and(|message| message.deleted_at.is_some());
        self.editing.is_some_and(|id| !self.timeline.conversation().is_open() || is_deleted(id))
    }

    /// The chat as it is known now, to be opened again later.
    #[must_use]
    pub fn to_joined(&self) -> Joined {
        Joined {
            participants: self.people.participants(),
            receipts: self.people.receipts(),
            ..self.timeline.to_joined()
        }
    }

    #[must_use]
    pub fn on_connected(&mut self) -> Vec<Do> {
        self.outbox.on_connected();
        self.join()
    }

    pub fn on_disconnected(&mut self, code: u16) -> Vec<Do> {
        self.link = Link::Down;
        self.caught_up = false;
        // Sending it again would end the connection again.
        let too_large = (code == close::FRAME_TOO_LARGE)
            .then(|| self.outbox.reject_sending(t!(locales::current(), chat::TOO_LONG)));
        too_large.flatten().map(|entry| Do::Keep(entry.clone())).into_iter().collect()
    }

    /// Asks for a sign of life; joining again is harmless and heals what may be missing.
    #[must_use]
    pub fn on_probe(&mut self) -> Vec<Do> {
        if self.link == Link::UpToDate && !self.gone { vec![Do::Send(self.join_request())] } else { Vec::new() }
    }

    /// Says for whom, as on the connection of somebody else there is nothing to join for.
    fn join_request(&self) -> ClientFrame {
        let mut join = self.timeline.join_request();
        if let ClientFrame::JoinRequest { sender, .. } = &mut join {
            *sender = Some(self.me);
        }
        join
    }

    fn join(&mut self) -> Vec<Do> {
        if self.gone {
            return Vec::new();
        }
        self.link = Link::Joining;
        vec![Do::Send(self.join_request())]
    }

    /// Nobody displays this room any more.
    #[must_use]
    pub fn leave(&mut self) -> Vec<Do> {
        let was_in = std::mem::replace(&mut self.link, Link::Down) != Link::Down;
        if was_in { vec![Do::Send(ClientFrame::LeaveRequest { room: self.id() })] } else { Vec::new() }
    }

    /// The time of a [`Do::WakeAt`] has come.
    #[must_use]
    pub fn wake(&mut self, now: Moment, is_live: bool) -> Vec<Do> {
        self.people.expire_typing(now.steady);
        match self.link {
            Link::Down if is_live => self.join(),
            _ => self.flush(now.steady),
        }
    }

    /// Takes a frame, if it is about this room.
    #[must_use]
    pub fn on_frame(&mut self, frame: &ServerFrame, now: Moment) -> Vec<Do> {
        if room_of(frame) != Some(self.id()) {
            return Vec::new();
        }
        let Moment { steady: now, at } = now;
        match frame {
            ServerFrame::Joined(joined) => self.on_joined(joined, now),
            ServerFrame::Resync { .. } => {
                self.timeline.resync();
                self.join()
            }
            ServerFrame::NewMessage { rev, message, .. }
            | ServerFrame::MessageUpdated { rev, message, .. }
            | ServerFrame::MessageDeleted { rev, message, .. } => {
                let live = self.timeline.apply_message(*rev, message.clone());
                self.people.apply_typing(message.sender_id, false, now);
                // A sender has read everything before the message; no separate frame says so.
                let (participant, seq, at) = (message.sender_id, message.seq, message.created_at);
                if participant != self.me {
                    self.people.apply_read(Receipt { participant, seq, at });
                }
                let mut todo = Vec::from_iter(self.settle(message));
                todo.extend(self.after_live(live));
                todo.extend(self.flush(now));
                todo
            }
            ServerFrame::ConversationUpdated { rev, conversation, .. } => {
                let live = self.timeline.apply_conversation(*rev, (**conversation).clone());
                self.after_live(live)
            }
            ServerFrame::Ack { client_id, message, .. } => {
                self.changes.retain(|(change, _)| change != client_id);
                self.timeline.learn(message.clone());
                let mut todo = Vec::new();
                if self.outbox.settle(*client_id) {
                    todo.push(Do::Forget(*client_id));
                }
                todo.extend(self.flush(now));
                todo
            }
            ServerFrame::Typing { participant, on, .. } => {
                self.people.apply_typing(*participant, *on, now);
                if *on { vec![Do::WakeAt(now + super::people::TYPING_MS)] } else { Vec::new() }
            }
            ServerFrame::Read { participant, seq, .. } => {
                self.people.apply_read(Receipt { participant: *participant, seq: *seq, at });
                Vec::new()
            }
            ServerFrame::Presence { participants, .. } => {
                self.people.apply_presence(participants.clone());
                Vec::new()
            }
            ServerFrame::Error { code, message, client_id, .. } => self.on_error(*code, message, *client_id, now),
            _ => Vec::new(),
        }
    }

    fn on_joined(&mut self, joined: &Joined, now: i64) -> Vec<Do> {
        let mut todo: Vec<Do> = joined.messages.iter().filter_map(|message| self.settle(message)).collect();
        self.people.apply_joined(joined.participants.clone(), joined.receipts.clone());
        let told = joined.receipts.iter().find(|receipt| receipt.participant == self.me);
        self.told_seq = told.map_or(0, |receipt| receipt.seq);
        if self.timeline.apply_joined(joined.clone()) == Progress::JoinAgain {
            todo.extend(self.join());
            return todo;
        }
        self.link = Link::UpToDate;
        self.caught_up = true;
        todo.extend(self.changes.iter().map(|(_, frame)| Do::Send(frame.clone())));
        todo.extend(self.flush(now));
        todo.extend(self.tell_read());
        todo
    }

    fn after_live(&mut self, live: Live) -> Vec<Do> {
        if live == Live::Gap && self.link == Link::UpToDate { self.join() } else { Vec::new() }
    }

    fn settle(&mut self, message: &Message) -> Option<Do> {
        self.outbox.settle_seen(message, self.me).map(Do::Forget)
    }

    fn on_error(&mut self, code: Code, message: &str, client_id: Option<ClientId>, now: i64) -> Vec<Do> {
        if let Some(client_id) = client_id {
            let known = self.changes.len();
            self.changes.retain(|(change, _)| *change != client_id);
            if self.changes.len() < known {
                self.notice = Some(message.to_owned());
            }
            let kept = self.outbox.reject(client_id, code, message.to_owned(), now).cloned();
            let mut todo: Vec<Do> = kept.map(Do::Keep).into_iter().collect();
            todo.extend(self.flush(now));
            return todo;
        }
        if self.link != Link::Joining {
            return Vec::new();
        }
        self.link = Link::Down;
        match code {
            Code::RateLimited | Code::Unavailable => vec![Do::WakeAt(now + JOIN_AGAIN_MS)],
            // The browser has signed in as another person since the page opened. The waiting messages still belong to
            // their author.
            Code::Forbidden => vec![Do::Estrange],
            _ => {
                self.gone = true;
                Vec::new()
            }
        }
    }

    /// Sends what waits, if it can be sent now.
    fn flush(&mut self, now: i64) -> Vec<Do> {
        if self.link != Link::UpToDate {
            return Vec::new();
        }
        if let Some(at) = self.outbox.resumes_at(now) {
            return vec![Do::WakeAt(at)];
        }
        let (room, sender) = (self.id(), Some(self.me));
        let next = self.outbox.next_to_send(now);
        let send = next.map(|entry| {
            let Entry { client_id, content, .. } = entry.clone();
            Do::Send(ClientFrame::SendMessage { room, client_id, content, attachment_ids: Vec::new(), sender })
        });
        send.into_iter().collect()
    }

    /// Writes a message. `content` was checked.
    #[must_use]
    pub fn post(&mut self, client_id: ClientId, content: String, now: Moment) -> Vec<Do> {
        self.notice = None;
        self.new_from = None;
        let kept = self.outbox.enqueue(client_id, content, now.at.0).clone();
        let mut todo = vec![Do::Keep(kept)];
        todo.extend(self.flush(now.steady));
        todo
    }

    /// Tries a failed one again; under the client id `fresh` if the server has another message under its own.
    #[must_use]
    pub fn retry(&mut self, client_id: ClientId, fresh: ClientId, now: Moment) -> Vec<Do> {
        let mut todo = Vec::new();
        if let Some(entry) = self.outbox.retry(client_id, fresh) {
            // The new one first, so a crash in between does not lose the text.
            todo.push(Do::Keep(entry.clone()));
            if entry.client_id != client_id {
                todo.push(Do::Forget(client_id));
            }
        }
        todo.extend(self.flush(now.steady));
        todo
    }

    /// Whether the browser could execute [`Do::Keep`].
    pub fn set_kept(&mut self, client_id: ClientId, is_kept: bool) {
        self.outbox.set_kept(client_id, is_kept);
    }

    /// How many messages wait to be sent that are lost if the page is left before.
    #[must_use]
    pub fn unkept(&self) -> usize {
        self.outbox.unkept()
    }

    /// Another tab of this browser has stored or removed the entry of a client id.
    #[must_use]
    pub fn on_kept_elsewhere(&mut self, client_id: ClientId, entry: Option<Entry>, now: Moment) -> Vec<Do> {
        let Some(entry) = entry else {
            self.outbox.forget(client_id);
            return Vec::new();
        };
        let is_here = self.timeline.messages().rev().any(|message| {
            message.client_id == Some(client_id) && message.sender_id == self.me && message.content == entry.content
        });
        // Its message was faster than the word that it is under way.
        if is_here {
            return Vec::new();
        }
        self.outbox.lend(entry, now.steady).map(Do::WakeAt).into_iter().collect()
    }

    #[must_use]
    pub fn discard(&mut self, client_id: ClientId) -> Vec<Do> {
        if self.outbox.discard(client_id) { vec![Do::Forget(client_id)] } else { Vec::new() }
    }

    /// Sends an edit or delete, named `client_id`. Neither waits for a connection: the message may
    /// look different when it is back.
    #[must_use]
    pub fn change(&mut self, client_id: ClientId, frame: ClientFrame) -> Vec<Do> {
        if self.link != Link::UpToDate {
            self.notice = Some(t!(locales::current(), chat::EDIT_OFFLINE).to_owned());
            return Vec::new();
        }
        self.notice = None;
        self.editing = None;
        self.changes.push((client_id, frame.clone()));
        vec![Do::Send(frame)]
    }

    /// The person has seen everything up to `seq`.
    #[must_use]
    pub fn read(&mut self, seq: i64, now: Moment) -> Vec<Do> {
        self.people.apply_read(Receipt { participant: self.me, seq, at: now.at });
        self.tell_read()
    }

    fn tell_read(&mut self) -> Vec<Do> {
        let seq = self.people.my_seq();
        if self.link != Link::UpToDate || seq <= self.told_seq {
            return Vec::new();
        }
        self.told_seq = seq;
        vec![Do::Send(ClientFrame::Read { room: self.id(), seq })]
    }
}

/// The room that a frame is about.
#[must_use]
pub fn room_of(frame: &ServerFrame) -> Option<ConversationId> {
    match frame {
        ServerFrame::Joined(joined) => Some(joined.room),
        ServerFrame::Ack { room, .. }
        | ServerFrame::NewMessage { room, .. }
        | ServerFrame::MessageUpdated { room, .. }
        | ServerFrame::MessageDeleted { room, .. }
        | ServerFrame::ConversationUpdated { room, .. }
        | ServerFrame::Typing { room, .. }
        | ServerFrame::Read { room, .. }
        | ServerFrame::Presence { room, .. }
        | ServerFrame::Resync { room } => Some(*room),
        ServerFrame::Error { room, .. } => *room,
        ServerFrame::Welcome { .. } | ServerFrame::Inbox { .. } | ServerFrame::Request { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};
    use uuid::Uuid;

    use super::*;
    use crate::{
        client::{
            labels::utc,
            timeline::tests::{conversation, message},
        },
        domain::Epoch,
    };

    fn at(now: i64) -> Moment {
        Moment { steady: now, at: Timestamp(now) }
    }

    fn me() -> Participant {
        let id = ParticipantId::told(Uuid::from_u128(1));
        Participant { id, kind: ParticipantKind::Guest, name: "Ada".into(), online: true, last_seen_at: None }
    }

    fn joined(messages: Vec<Message>, head: i64, more: bool) -> Joined {
        let last_seq = messages.iter().map(|message| message.seq).max().unwrap_or(0);
        let conversation = crate::domain::Conversation { head, last_seq, ..conversation() };
        let epoch = Epoch(Uuid::from_u128(9));
        Joined {
            room: conversation.id,
            epoch,
            head,
            conversation,
            participants: vec![me()],
            receipts: Vec::new(),
            messages,
            more,
        }
    }

    fn frame(joined: Joined) -> ServerFrame {
        ServerFrame::Joined(Box::new(joined))
    }

    fn live_room() -> Room {
        let mut room = Room::new(&me(), joined(vec![message(1, 1, "one")], 1, false));
        assert!(matches!(room.on_connected()[..], [Do::Send(ClientFrame::JoinRequest { after: Some(1), .. })]));
        assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)), []);
        assert!(room.is_up_to_date());
        room
    }

    #[test]
    fn a_gap_joins_once() {
        let mut room = live_room();
        let message = |rev, x| Message { sender_id: ParticipantId::told(Uuid::from_u128(2)), ..message(rev, rev, x) };
        let news = |rev| ServerFrame::NewMessage { room: conversation().id, rev, message: message(rev, "x") };
        assert!(matches!(
            room.on_frame(&news(3), at(0))[..],
            [Do::Send(ClientFrame::JoinRequest { after: Some(1), .. })]
        ));
        assert!(!room.is_up_to_date());
        assert_eq!(room.on_frame(&news(4), at(0)), []);
        let missed = (2..=3).map(|rev| message(rev, "x")).collect();
        assert!(matches!(
            room.on_frame(&frame(joined(missed, 4, true)), at(0))[..],
            [Do::Send(ClientFrame::JoinRequest { after: Some(3), .. })]
        ));
        assert_eq!(room.on_frame(&frame(joined(vec![message(4, "x")], 4, false)), at(0)), []);
        assert!(room.is_up_to_date());
        assert_eq!(room.timeline.messages().count(), 4);
    }

    #[test]
    fn a_resync_joins_once_from_the_beginning() {
        let mut room = live_room();
        let resync = ServerFrame::Resync { room: conversation().id };
        assert!(matches!(room.on_frame(&resync, at(0))[..], [Do::Send(ClientFrame::JoinRequest { after: None, .. })]));
        assert!(!room.is_up_to_date());
        assert_eq!(room.on_frame(&frame(joined(vec![message(1, 1, "another")], 1, false)), at(0)), []);
        assert!(room.is_up_to_date());
        assert_eq!(room.timeline.messages().map(|message| &*message.content).collect::<Vec<_>>(), ["another"]);
    }

    #[test]
    fn what_was_written_offline_goes_out_after_the_join() {
        let mut room = live_room();
        room.on_disconnected(1006);
        let ids: Vec<_> = (1..4).map(|n| ClientId(Uuid::from_u128(n))).collect();
        for id in &ids {
            assert!(matches!(room.post(*id, "text".into(), at(0))[..], [Do::Keep(_)]));
        }
        assert_eq!(room.on_connected().len(), 1, "only the join");
        // The first had arrived before the line was cut.
        let mine = Message { client_id: Some(ids[0]), ..message(2, 2, "text") };
        let todo = room.on_frame(&frame(joined(vec![mine], 2, false)), at(0));
        assert!(
            matches!(&todo[..], [Do::Forget(first), Do::Send(ClientFrame::SendMessage { client_id, .. })] if *first == ids[0] && *client_id == ids[1])
        );
        let ack = ServerFrame::Ack {
            room: room.id(),
            client_id: ids[1],
            message: Message { client_id: Some(ids[1]), ..message(3, 3, "text") },
        };
        assert_eq!(room.on_frame(&ack, at(0)).len(), 2);
        assert_eq!(
            room.lines(Timestamp(0), utc).iter().filter(|line| matches!(line, Line::Message(_))).count(),
            4,
            "an acknowledged one stays"
        );
    }

    #[test]
    fn on_the_connection_of_somebody_else_nothing_is_sent_and_what_waits_is_kept() {
        let mut room = live_room();
        room.on_disconnected(1006);
        let written = room.post(ClientId(Uuid::from_u128(5)), "mine".into(), at(0));
        assert!(matches!(written[..], [Do::Keep(_)]));
        assert!(
            matches!(room.on_connected()[..], [Do::Send(ClientFrame::JoinRequest { sender, .. })] if sender == Some(me().id))
        );
        let refused = ServerFrame::Error {
            code: Code::Forbidden,
            message: "somebody else".into(),
            room: Some(room.id()),
            client_id: None,
        };
        assert_eq!(room.on_frame(&refused, at(0)), [Do::Estrange]);
        assert_eq!((room.is_live(), room.outbox.waiting()), (false, 1));
        assert_eq!(room.read(1, at(0)), []);
        assert!(matches!(room.post(ClientId(Uuid::from_u128(6)), "mine too".into(), at(0))[..], [Do::Keep(_)]));
        assert_eq!(room.wake(at(10_000), false), []);
    }

    #[test]
    fn every_send_says_whose_it_is() {
        let mut room = live_room();
        let todo = room.post(ClientId(Uuid::from_u128(5)), "mine".into(), at(0));
        assert!(matches!(todo[..], [_, Do::Send(ClientFrame::SendMessage { sender, .. })] if sender == Some(me().id)));
    }

    #[test]
    fn reading_is_told_once_and_again_after_a_cut() {
        let mut room = live_room();
        assert_eq!(room.read(1, at(0)).len(), 1);
        assert_eq!(room.read(1, at(0)), []);
        room.on_disconnected(1006);
        assert_eq!(room.read(2, at(0)), []);
        let _ = room.on_connected();
        assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)).len(), 1);
    }

    #[test]
    fn a_refused_room_is_gone_and_a_busy_server_is_not() {
        let error =
            |code| ServerFrame::Error { code, message: "no".into(), room: Some(conversation().id), client_id: None };
        let mut room = live_room();
        let _ = room.on_connected();
        assert_eq!(room.on_frame(&error(Code::Unavailable), at(0)), [Do::WakeAt(JOIN_AGAIN_MS)]);
        assert_eq!(room.wake(at(JOIN_AGAIN_MS), true).len(), 1);
        assert_eq!(room.on_frame(&error(Code::NotFound), at(0)), []);
        assert!(room.gone);
        assert_eq!(room.on_connected(), []);
    }

    #[test]
    fn what_conflicts_is_kept_as_failed_and_retried_under_a_new_id() {
        let mut room = live_room();
        let _ = room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0));
        let [old, new] = [5, 6].map(|n| ClientId(Uuid::from_u128(n)));
        let _ = room.post(old, "text".into(), at(0));
        let (code, message) = (Code::Conflict, "used".to_owned());
        let refusal = ServerFrame::Error { code, message, room: Some(room.id()), client_id: Some(old) };
        let todo = room.on_frame(&refusal, at(0));
        assert!(
            matches!(&todo[..], [Do::Keep(Entry { content, id_is_taken: true, .. })] if content == "text"),
            "{todo:?}"
        );
        assert_eq!(room.wake(at(1_000_000), true), [], "nothing goes out by itself");
        let todo = room.retry(old, new, at(0));
        let [Do::Keep(kept), Do::Forget(forgotten), Do::Send(ClientFrame::SendMessage { client_id, content, .. })] =
            &todo[..]
        else {
            panic!("{todo:?}");
        };
        assert_eq!((kept.client_id, *forgotten, *client_id, &**content), (new, old, new, "text"));
    }

    #[test]
    fn edits_wait_for_their_answer_across_a_cut_but_are_not_begun_without_connection() {
        let mut room = live_room();
        let id = ClientId(Uuid::from_u128(5));
        let delete =
            ClientFrame::DeleteMessage { room: room.id(), client_id: id, id: message(1, 1, "").id, sender: None };
        assert_eq!(room.change(id, delete.clone()), [Do::Send(delete.clone())]);
        room.on_disconnected(1006);
        assert_eq!(room.change(id, delete.clone()), []);
        assert!(room.notice.is_some());
        let _ = room.on_connected();
        assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)), [Do::Send(delete)]);
        let error = ServerFrame::Error {
            code: Code::Forbidden,
            message: "why".into(),
            room: Some(room.id()),
            client_id: Some(id),
        };
        assert_eq!(room.on_frame(&error, at(0)), []);
        assert_eq!(room.notice.as_deref(), Some("why"));
    }

    /// A server that stores messages, and a line to it that loses what is on its way.
    struct World {
        room: Room,
        stored: Vec<Message>,
        to_server: Vec<ClientFrame>,
        to_client: Vec<ServerFrame>,
        kept: std::collections::BTreeSet<ClientId>,
        up: bool,
        now: i64,
        written: u128,
    }

    impl World {
        fn perform(&mut self, todo: Vec<Do>) {
            for act in todo {
                match act {
                    Do::Send(frame) if self.up => self.to_server.push(frame),
                    Do::Send(_) | Do::WakeAt(_) => {}
                    Do::Keep(entry) => drop(self.kept.insert(entry.client_id)),
                    Do::Forget(id) => drop(self.kept.remove(&id)),
                    Do::Estrange => unreachable!("nobody else is here"),
                }
            }
        }

        fn head(&self) -> i64 {
            self.stored.len() as i64
        }

        fn store(&mut self, client_id: Option<ClientId>, sender: u128, content: String) {
            let seq = self.head() + 1;
            let sender_id = ParticipantId::told(Uuid::from_u128(sender));
            let message = Message { client_id, sender_id, content, ..message(seq, seq, "") };
            self.stored.push(message.clone());
            self.to_client.push(ServerFrame::NewMessage { room: self.room.id(), rev: seq, message });
        }

        fn serve(&mut self) {
            if self.to_server.is_empty() {
                return;
            }
            match self.to_server.remove(0) {
                ClientFrame::JoinRequest { after, .. } => {
                    let missed: Vec<_> = self
                        .stored
                        .iter()
                        .filter(|message| message.rev > after.unwrap_or(0))
                        .take(3)
                        .cloned()
                        .collect();
                    let more = missed.last().is_some_and(|message| message.rev < self.head());
                    self.to_client.push(frame(joined(missed, self.head(), more)));
                }
                ClientFrame::SendMessage { client_id, content, room, .. } => {
                    if !self.stored.iter().any(|message| message.client_id == Some(client_id)) {
                        self.store(Some(client_id), 1, content);
                    }
                    let message =
                        self.stored.iter().find(|message| message.client_id == Some(client_id)).cloned().unwrap();
                    self.to_client.push(ServerFrame::Ack { room, client_id, message });
                }
                _ => {}
            }
        }

        fn take(&mut self) {
            if !self.to_client.is_empty() {
                let frame = self.to_client.remove(0);
                let todo = self.room.on_frame(&frame, at(self.now));
                self.perform(todo);
            }
        }

        fn cut(&mut self) {
            self.up = false;
            self.to_server.clear();
            self.to_client.clear();
            let todo = self.room.on_disconnected(1006);
            self.perform(todo);
        }

        fn connect(&mut self) {
            if !self.up {
                self.up = true;
                self.to_client.clear();
                let todo = self.room.on_connected();
                self.perform(todo);
            }
        }

        /// The page is loaded again: what is not on disk is gone.
        fn reload(&mut self) {
            self.cut();
            let kept: Vec<Entry> = self
                .room
                .outbox
                .entries()
                .iter()
                .filter(|entry| self.kept.contains(&entry.client_id))
                .cloned()
                .collect();
            let from = self.stored.len().saturating_sub(50);
            self.room = Room::new(&me(), joined(self.stored[from..].to_vec(), self.head(), from > 0));
            self.room.outbox = Outbox::restore(kept);
        }
    }

    proptest! {
        #[test]
        fn whatever_happens_to_the_line_all_arrives_once_and_in_order(steps in vec(0u8..16, 0..200)) {
            let mut world = World {
                room: Room::new(&me(), joined(Vec::new(), 0, false)),
                stored: Vec::new(),
                to_server: Vec::new(),
                to_client: Vec::new(),
                kept: Default::default(),
                up: false,
                now: 0,
                written: 0,
            };
            for step in steps {
                world.now += 100;
                match step {
                    0..=2 => {
                        world.written += 1;
                        let todo = world.room.post(ClientId(Uuid::from_u128(world.written)), world.written.to_string(), at(world.now));
                        world.perform(todo);
                    }
                    3 => world.store(None, 2, "other".into()),
                    4 => world.cut(),
                    5 | 6 => world.connect(),
                    7 => world.reload(),
                    8..=11 => world.serve(),
                    _ => world.take(),
                }
            }
            world.connect();
            while !(world.to_server.is_empty() && world.to_client.is_empty()) {
                world.serve();
                world.take();
            }
            prop_assert!(world.room.is_up_to_date());
            prop_assert!(world.room.outbox.entries().is_empty());
            prop_assert!(world.kept.is_empty());
            let mine: Vec<u128> = world.stored.iter().filter_map(|message| message.client_id).map(|id| id.0.as_u128()).collect();
            prop_assert_eq!(mine, (1..=world.written).collect::<Vec<_>>());
            prop_assert!(world.room.timeline.messages().eq(world.stored.iter().skip(world.stored.len() - world.room.timeline.messages().count())));
        }
    }

    /// A tab of one person's browser.
    struct Tab {
        room: Room,
        up: bool,
        to_server: Vec<ClientFrame>,
        to_client: Vec<ServerFrame>,
        /// Client ids that other tabs have stored or removed, without an event in this tab yet.
        news: Vec<ClientId>,
        wake_at: Option<i64>,
    }

    /// Two tabs of a browser with shared storage, and the server.
    struct Browser {
        tabs: [Option<Tab>; 2],
        kept: std::collections::BTreeMap<ClientId, String>,
        stored: Vec<Message>,
        /// The written messages, each with its tab.
        written: Vec<(ClientId, usize)>,
        refused: std::collections::BTreeSet<ClientId>,
        discarded: std::collections::BTreeSet<ClientId>,
        open: bool,
        now: i64,
    }

    impl Browser {
        fn tab(&mut self, at: usize) -> &mut Tab {
            if self.tabs[at].is_none() {
                let mut room = Room::new(&me(), joined(self.stored.clone(), self.stored.len() as i64, false));
                room.outbox = Outbox::restore(self.kept.values().filter_map(|kept| Entry::read(kept)).collect());
                let (to_server, to_client, news) = (Vec::new(), Vec::new(), Vec::new());
                self.tabs[at] = Some(Tab { room, up: false, to_server, to_client, news, wake_at: None });
            }
            self.tabs[at].as_mut().unwrap()
        }

        /// Changes a tab's room, and does what follows.
        fn act(&mut self, tab: usize, change: impl FnOnce(&mut Room, Moment) -> Vec<Do>) {
            let now = at(self.now);
            let todo = change(&mut self.tab(tab).room, now);
            for act in todo {
                match act {
                    Do::Send(frame) => {
                        let tab = self.tab(tab);
                        if tab.up {
                            tab.to_server.push(frame);
                        }
                    }
                    Do::WakeAt(at) => {
                        let tab = self.tab(tab);
                        tab.wake_at = Some(tab.wake_at.map_or(at, |before| before.max(at)));
                    }
                    Do::Keep(entry) => self.share(tab, entry.client_id, Some(entry.write())),
                    Do::Forget(id) => self.share(tab, id, None),
                    Do::Estrange => unreachable!("nobody else is here"),
                }
            }
        }

        fn share(&mut self, tab: usize, id: ClientId, kept: Option<String>) {
            let before = match kept.clone() {
                Some(kept) => self.kept.insert(id, kept),
                None => self.kept.remove(&id),
            };
            if before != kept {
                self.tabs[1 - tab].iter_mut().for_each(|other| other.news.push(id));
            }
        }

        fn connect(&mut self, tab: usize) {
            if !self.tab(tab).up {
                self.tab(tab).up = true;
                self.act(tab, |room, _| room.on_connected());
            }
        }

        fn cut(&mut self, tab: usize) {
            let it = self.tab(tab);
            it.up = false;
            it.to_server.clear();
            it.to_client.clear();
            self.act(tab, |room, _| room.on_disconnected(1006));
        }

        fn serve(&mut self, tab: usize) {
            if self.tab(tab).to_server.is_empty() {
                return;
            }
            let answer = match self.tab(tab).to_server.remove(0) {
                ClientFrame::JoinRequest { after, .. } => {
                    let missed =
                        self.stored.iter().filter(|message| message.rev > after.unwrap_or(0)).cloned().collect();
                    frame(joined(missed, self.stored.len() as i64, false))
                }
                ClientFrame::SendMessage { client_id, content, room, .. } => {
                    let known = self.stored.iter().find(|message| message.client_id == Some(client_id)).cloned();
                    match known {
                        Some(message) => ServerFrame::Ack { room, client_id, message },
                        None if !self.open => {
                            self.refused.insert(client_id);
                            let (code, message) = (Code::Closed, "closed".to_owned());
                            ServerFrame::Error { code, message, room: Some(room), client_id: Some(client_id) }
                        }
                        None => {
                            let seq = self.stored.len() as i64 + 1;
                            let message = Message { client_id: Some(client_id), content, ..message(seq, seq, "") };
                            self.stored.push(message.clone());
                            for tab in self.tabs.iter_mut().flatten().filter(|tab| tab.up) {
                                let message = message.clone();
                                tab.to_client.push(ServerFrame::NewMessage { room, rev: seq, message });
                            }
                            ServerFrame::Ack { room, client_id, message }
                        }
                    }
                }
                _ => return,
            };
            self.tab(tab).to_client.push(answer);
        }

        fn take(&mut self, tab: usize) {
            if !self.tab(tab).to_client.is_empty() {
                let frame = self.tab(tab).to_client.remove(0);
                self.act(tab, |room, now| room.on_frame(&frame, now));
            }
        }

        fn hear(&mut self, tab: usize) {
            if !self.tab(tab).news.is_empty() {
                let id = self.tab(tab).news.remove(0);
                let entry = self.kept.get(&id).and_then(|kept| Entry::read(kept));
                self.act(tab, |room, now| room.on_kept_elsewhere(id, entry, now));
            }
        }

        fn failed(&mut self, tab: usize) -> Vec<ClientId> {
            let entries = self.tab(tab).room.outbox.entries().iter();
            let failed = entries.filter(|entry| matches!(entry.state, crate::client::outbox::SendState::Failed(_)));
            failed.map(|entry| entry.client_id).collect()
        }

        /// Until nothing is under way, including all pauses.
        fn rest(&mut self) {
            for _ in 0..10_000 {
                for tab in 0..2 {
                    if self.tabs[tab].is_some() {
                        self.hear(tab);
                        self.serve(tab);
                        self.take(tab);
                        if self.tab(tab).wake_at.is_some_and(|at| self.now >= at) {
                            self.tab(tab).wake_at = None;
                            self.act(tab, |room, now| room.wake(now, true));
                        }
                    }
                }
                self.now += 100;
                let is_quiet = |tab: &Tab| {
                    tab.to_server.is_empty() && tab.to_client.is_empty() && tab.news.is_empty() && tab.wake_at.is_none()
                };
                if self.tabs.iter().flatten().all(is_quiet) {
                    return;
                }
            }
            panic!("it never rests");
        }
    }

    proptest! {
        #[test]
        fn two_tabs_send_each_once_and_nothing_comes_back(steps in vec((0u8..18, 0usize..2), 0..200)) {
            let mut browser = Browser {
                tabs: [None, None],
                kept: Default::default(),
                stored: Vec::new(),
                written: Vec::new(),
                refused: Default::default(),
                discarded: Default::default(),
                open: true,
                now: 0,
            };
            browser.tab(0);
            for (step, tab) in steps {
                browser.now += 300;
                match step {
                    0..=2 => {
                        let id = ClientId(Uuid::from_u128(browser.written.len() as u128 + 1));
                        browser.written.push((id, tab));
                        browser.act(tab, |room, now| room.post(id, id.to_string(), now));
                    }
                    3 | 4 => browser.connect(tab),
                    5 => browser.cut(tab),
                    // It is closed; what comes next opens it again.
                    6 => browser.tabs[tab] = None,
                    7..=9 => browser.serve(tab),
                    10..=12 => browser.take(tab),
                    13 | 14 => browser.hear(tab),
                    15 => {
                        browser.now += 5_000;
                        browser.act(tab, |room, now| room.wake(now, true));
                    }
                    16 => browser.open = !browser.open,
                    _ => {
                        for id in browser.failed(tab) {
                            browser.discarded.insert(id);
                            browser.act(tab, |room, _| room.discard(id));
                        }
                    }
                }
            }
            browser.open = true;
            // With one or both tabs left, every stored entry is sent, also those of the other tab.
            for tab in 0..2 {
                if tab == 0 || browser.tabs[tab].is_some() {
                    browser.connect(tab);
                }
            }
            browser.rest();
            for tab in 0..2 {
                for id in browser.failed(tab) {
                    browser.act(tab, |room, now| room.retry(id, id, now));
                }
            }
            browser.connect(0);
            browser.connect(1);
            browser.rest();
            prop_assert!(browser.kept.is_empty(), "{:?} of {:?}", browser.kept, browser.written);
            for tab in browser.tabs.iter().flatten() {
                prop_assert_eq!(tab.room.outbox.entries(), &[]);
            }
            let stored: Vec<_> = browser.stored.iter().filter_map(|message| message.client_id).collect();
            for (id, _) in &browser.written {
                let count = stored.iter().filter(|other| *other == id).count();
                prop_assert!(count == 1 || (count == 0 && browser.discarded.contains(id)), "{id} {count}");
            }
            for tab in 0..2 {
                let own = |id: &&ClientId| browser.written.contains(&(**id, tab)) && !browser.refused.contains(id);
                prop_assert!(stored.iter().filter(own).is_sorted(), "{stored:?}");
            }
        }
    }
}
