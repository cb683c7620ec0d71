//! One chat panel's side of a room: timeline, people and outbox together, and the effect of each frame on them. Pure:
//! it returns commands for the browser as a list of [`Do`].
//!
//! Invariants: at most one join is under way. Sends go out only while up to date, because the join may show that they
//! have already arrived.

use super::{
    log::{self, Line, LogOptions},
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
enum JoinState {
    Down,
    Joining,
    UpToDate,
}

/// Whether a chat is sealed, and this page has its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Seal {
    None,
    Locked,
    Open,
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
    pub seal: Seal,
    join_state: JoinState,
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
        let seal = if loaded.conversation.sealed { Seal::Locked } else { Seal::None };
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
            seal,
            join_state: JoinState::Down,
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
        self.join_state == JoinState::UpToDate && is_live && !self.gone
    }

    /// Whether everything was there once on this connection. Small gaps later heal unnoticed.
    #[must_use]
    pub fn has_caught_up(&self) -> bool {
        self.caught_up
    }

    #[must_use]
    pub fn is_up_to_date(&self) -> bool {
        self.join_state == JoinState::UpToDate
    }

    /// The displayed content.
    #[must_use]
    pub fn lines(&self, now: Timestamp, zone: Zone) -> Vec<Line> {
        let look = LogOptions {
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
        self.join_state = JoinState::Down;
        self.caught_up = false;
        // Sending it again would end the connection again.
        let too_large = (code == close::FRAME_TOO_LARGE)
            .then(|| self.outbox.reject_sending(t!(locales::current(), chat::TOO_LONG)));
        too_large.flatten().map(|entry| Do::Keep(entry.clone())).into_iter().collect()
    }

    /// Asks for a sign of life; joining again is harmless and heals what may be missing.
    #[must_use]
    pub fn on_probe(&mut self) -> Vec<Do> {
        if self.join_state == JoinState::UpToDate && !self.gone {
            vec![Do::Send(self.join_request())]
        } else {
            Vec::new()
        }
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
        self.join_state = JoinState::Joining;
        vec![Do::Send(self.join_request())]
    }

    /// Nobody displays this room any more.
    #[must_use]
    pub fn leave(&mut self) -> Vec<Do> {
        let was_in = std::mem::replace(&mut self.join_state, JoinState::Down) != JoinState::Down;
        if was_in { vec![Do::Send(ClientFrame::LeaveRequest { room: self.id() })] } else { Vec::new() }
    }

    /// The time of a [`Do::WakeAt`] has come.
    #[must_use]
    pub fn wake(&mut self, now: Moment, is_live: bool) -> Vec<Do> {
        self.people.expire_typing(now.steady);
        match self.join_state {
            JoinState::Down if is_live => self.join(),
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
        self.join_state = JoinState::UpToDate;
        self.caught_up = true;
        todo.extend(self.changes.iter().map(|(_, frame)| Do::Send(frame.clone())));
        todo.extend(self.flush(now));
        todo.extend(self.tell_read());
        todo
    }

    fn after_live(&mut self, live: Live) -> Vec<Do> {
        if live == Live::Gap && self.join_state == JoinState::UpToDate { self.join() } else { Vec::new() }
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
        if self.join_state != JoinState::Joining {
            return Vec::new();
        }
        self.join_state = JoinState::Down;
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
        if self.join_state != JoinState::UpToDate {
            return Vec::new();
        }
        if let Some(at) = self.outbox.resumes_at(now) {
            return vec![Do::WakeAt(at)];
        }
        let (room, sender) = (self.id(), Some(self.me));
        let next = self.outbox.next_to_send(now);
        let send = next.map(|entry| {
            let Entry { client_id, content, reply_to, .. } = entry.clone();
            Do::Send(ClientFrame::SendMessage {
                room,
                client_id,
                content,
                attachment_ids: Vec::new(),
                reply_to,
                sender,
            })
        });
        send.into_iter().collect()
    }

    /// Writes a message. `content` was checked.
    #[must_use]
    pub fn post(&mut self, client_id: ClientId, content: String, reply_to: Option<MessageId>, now: Moment) -> Vec<Do> {
        self.notice = None;
        self.new_from = None;
        let kept = self.outbox.enqueue(client_id, content, reply_to, now.at.0).clone();
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
        if self.join_state != JoinState::UpToDate {
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
        if self.join_state != JoinState::UpToDate || seq <= self.told_seq {
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
mod tests;
