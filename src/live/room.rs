//! The live side of one conversation: its sockets, and the broadcast of changes, each once and in the order of revs.
//!
//! A change, where `sent` is the last rev that the room has enqueued:
//! ```text
//! broadcast_change(rev) ─┬─ rev <= sent ───────▶ dropped: a duplicate
//!                        ├─ rev == sent + 1 ─┬─▶ enqueue ─▶ outbox ─ flush ─▶ queue of each socket
//!                        │                   └─▶ Personalise ─▶ broadcast_each ─▶ queue of each socket
//!                        └─ rev > sent + 1 ────▶ early, until its turn (advance)
//!                                                └─▶ FetchGap, once: the caller fetches what is missing
//! ```
//! A socket:
//! ```text
//! outside ── arrive ──▶ arriving ── enter ──▶ seated ── leave ──▶ outside
//!                         │   ▲ ▲               │
//!                         │   │ └─── arrive ────┘
//!                         └───┘ Behind: too much changed meanwhile, or resync
//! ```

use std::{collections::BTreeMap, sync::Arc};

use tokio::time::Instant;

use super::{
    bus::NodeId,
    presence::{BroadcastPresence, PresencePace},
    schedule::Schedule,
    socket::{ConnectionId, Due, Frame, Socket, frame},
    typing::Typing,
};
use crate::{
    domain::{Change, ConversationId, Participant, ParticipantId, Timestamp},
    protocol::ServerFrame,
};

/// More has changed during the read than the room records: arrive and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind;

struct Seat {
    /// A copy of the id in `socket`: a search reads no other memory.
    connection: ConnectionId,
    socket: Arc<Socket>,
    participant: ParticipantId,
    /// The rev up to which the socket has read the database. The maximum while it arrives again.
    from_rev: i64,
}

/// A socket that reads the database in order to enter. Changes broadcast during this time may be missing from its
/// read.
struct Arrival {
    socket: Arc<Socket>,
    /// The last rev that was sent before the read: `missed` has all later changes.
    since: i64,
    /// Changes with their revs, in order.
    missed: Vec<(i64, Frame)>,
    /// Whether `missed` is complete.
    is_whole: bool,
}

/// The people who are in the room on another node.
#[derive(Debug)]
struct Elsewhere {
    node: NodeId,
    people: Vec<ParticipantId>,
    /// When this expires unless it is repeated.
    until: Instant,
}

/// The next step of the caller after a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// Nothing: the change is enqueued, waits for others, is a duplicate, or has no recipients.
    Done,
    /// This change is next, and each person needs their own frame: [`Room::broadcast_each`].
    Personalise(i64),
    /// Changes are missing, and no task fetches them yet: the caller must.
    FetchGap,
}

/// Limit for changes recorded for an arrival: they must fit into its queue at once.
const MAX_MISSED: usize = 128;

/// Limit for changes that wait for earlier ones. Further ones are fetched when they are next.
const MAX_EARLY: usize = 128;

/// A frame in the outbox, and its recipients.
struct Queued {
    frame: Frame,
    to: Recipients,
}

#[derive(Clone, Copy)]
enum Recipients {
    All,
    /// All except the sockets of one participant.
    Others(ParticipantId),
    /// Sockets that have not read this rev from the database.
    Before(i64),
}

impl Queued {
    fn is_for(&self, seat: &Seat) -> bool {
        match self.to {
            Recipients::All => true,
            Recipients::Others(participant) => seat.participant != participant,
            Recipients::Before(rev) => seat.from_rev < rev,
        }
    }
}

/// From this size a room flushes without waiting for the next round.
const FLUSH_BYTES: usize = 16 * 1024;
/// Outbox capacity, in frames, that an idle room retains.
const KEEP_OUTBOX: usize = 8;

/// Broadcasts changes strictly in the order of revs, from this process, another node or the database.
///
/// The next round flushes the outbox, or an earlier arrival or departure.
pub(super) struct Room {
    id: ConversationId,
    rounds: Arc<Schedule<Due>>,
    /// The outbox, in order, and its size in bytes. A non-empty outbox has a scheduled round.
    outbox: Vec<Queued>,
    outbox_bytes: usize,
    /// The last rev that was sent; `None` until the first socket has entered.
    sent: Option<i64>,
    /// The highest rev known to this node.
    known: i64,
    /// Changes that arrived before an earlier one.
    early: BTreeMap<i64, Change>,
    /// Whether a task fetches missing changes.
    is_fetching: bool,
    seats: Vec<Seat>,
    arrivals: Vec<Arrival>,
    /// All participants, in the room or not.
    people: Vec<Participant>,
    pub typing: Typing,
    presence: PresencePace,
    elsewhere: Vec<Elsewhere>,
    /// Whether the presence on this node has yet to be published to other nodes.
    is_unannounced: bool,
}

impl Room {
    pub fn new(id: ConversationId, rounds: Arc<Schedule<Due>>) -> Self {
        Self {
            id,
            rounds,
            outbox: Vec::new(),
            outbox_bytes: 0,
            sent: None,
            known: 0,
            early: BTreeMap::new(),
            is_fetching: false,
            seats: Vec::new(),
            arrivals: Vec::new(),
            people: Vec::new(),
            typing: Typing::default(),
            presence: PresencePace::default(),
            elsewhere: Vec::new(),
            is_unannounced: false,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.seats.is_empty() && self.arrivals.is_empty()
    }

    pub fn people(&self) -> &[Participant] {
        &self.people
    }

    pub fn has(&self, socket: ConnectionId) -> bool {
        self.seats.iter().any(|seat| seat.connection == socket)
    }

    pub fn is_online(&self, participant: ParticipantId) -> bool {
        self.is_here(participant) || self.elsewhere.iter().any(|others| others.people.contains(&participant))
    }

    /// Whether this participant is in the room on this node, and not away on each device.
    fn is_here(&self, participant: ParticipantId) -> bool {
        self.seats.iter().any(|seat| seat.participant == participant && !seat.socket.is_away())
    }

    /// Whether this participant has a visible page of the room on this node.
    pub fn is_watched_by(&self, participant: ParticipantId) -> bool {
        self.seats.iter().any(|seat| seat.participant == participant && seat.socket.is_visible())
    }

    /// Who is in the room on this node.
    pub fn here(&self) -> Vec<Participant> {
        self.people.iter().filter(|person| self.is_here(person.id)).cloned().collect()
    }

    /// Whether someone of the customer side is in the room on this node, and not away.
    pub fn has_customer(&self) -> bool {
        self.sockets().any(|socket| !socket.actor.is_admin() && !socket.is_away())
    }

    pub fn sockets(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.seats.iter().map(|seat| &seat.socket)
    }

    /// The sockets that receive changes, now or after their arrival.
    pub fn listeners(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.sockets().chain(self.arrivals.iter().map(|arrival| &arrival.socket))
    }

    /// From now on the room records changes for `socket`, until it enters or leaves. Call it before reading the
    /// database. A socket that is in already receives no more changes until it enters again.
    pub fn arrive(&mut self, socket: &Arc<Socket>) {
        self.flush_now();
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.connection == socket.id) {
            seat.from_rev = i64::MAX;
        }
        self.arrivals.retain(|arrival| arrival.socket.id != socket.id);
        let since = self.sent.unwrap_or_default();
        self.arrivals.push(Arrival { socket: socket.clone(), since, missed: Vec::new(), is_whole: true });
    }

    /// Admits `socket`, which has arrived and then read everything up to `head`. Enqueues `joined` for it, and then
    /// the changes after `head`. Returns whether people or their presence have changed.
    pub fn enter(
        &mut self,
        socket: &Arc<Socket>,
        me: ParticipantId,
        people: Vec<Participant>,
        head: i64,
        joined: impl FnOnce(&[Participant]) -> Frame,
    ) -> Result<bool, Behind> {
        let arrival = self.arrivals.iter().position(|arrival| arrival.socket.id == socket.id).ok_or(Behind)?;
        let Arrival { since, missed, is_whole, .. } = self.arrivals.swap_remove(arrival);
        if !is_whole || head < since {
            return Err(Behind);
        }
        if self.sent.is_none() {
            // Earlier broadcasts had no recipients. An arriving socket that read less has to read again.
            self.sent = Some(head);
            self.known = self.known.max(head);
            self.arrivals.iter_mut().for_each(|arrival| arrival.since = head);
        }
        self.flush_now();
        self.is_unannounced |= !self.is_here(me);
        match self.seats.iter_mut().find(|seat| seat.connection == socket.id) {
            Some(seat) => seat.from_rev = head,
            None => {
                let (connection, socket) = (socket.id, socket.clone());
                self.seats.push(Seat { connection, socket, participant: me, from_rev: head });
            }
        }
        let has_changed = self.meet(people, None);
        socket.send(&joined(&self.people));
        missed.into_iter().filter(|(rev, _)| *rev > head).for_each(|(_, frame)| socket.send(&frame));
        Ok(has_changed)
    }

    /// Merges people from storage and updates who is online. A person who is no longer online was last seen `at`.
    /// Returns whether people or their presence have changed.
    ///
    /// Storage may be outdated: people who joined during the read are missing, and a departure may not be stored yet.
    fn meet(&mut self, people: Vec<Participant>, at: Option<Timestamp>) -> bool {
        let mut has_changed = false;
        for person in people {
            match self.people.iter_mut().find(|known| known.id == person.id) {
                Some(known) => {
                    let last_seen_at = known.last_seen_at.max(person.last_seen_at);
                    *known = Participant { last_seen_at, online: known.online, ..person };
                }
                None => {
                    has_changed = true;
                    self.people.push(Participant { online: false, ..person });
                }
            }
        }
        for index in 0..self.people.len() {
            let online = self.is_online(self.people[index].id);
            let person = &mut self.people[index];
            if person.online != online {
                person.online = online;
                person.last_seen_at = if online { person.last_seen_at } else { person.last_seen_at.max(at) };
                has_changed = true;
            }
        }
        has_changed
    }

    /// Records the people who are in the room on another node, until its sign expires at `until`. Returns whether
    /// people or their presence have changed.
    pub fn here_elsewhere(&mut self, node: NodeId, people: Vec<Participant>, until: Instant, at: Timestamp) -> bool {
        self.elsewhere.retain(|others| others.node != node);
        if !people.is_empty() {
            let ids = people.iter().map(|person| person.id).collect();
            self.elsewhere.push(Elsewhere { node, people: ids, until });
        }
        self.meet(people, Some(at))
    }

    /// Removes the people of nodes that have stopped or whose signs have expired. Returns whether people or their
    /// presence have changed.
    pub fn expire_elsewhere(&mut self, is_gone: impl Fn(NodeId) -> bool, now: Instant, at: Timestamp) -> bool {
        let before = self.elsewhere.len();
        self.elsewhere.retain(|others| others.until > now && !is_gone(others.node));
        self.elsewhere.len() != before && self.meet(Vec::new(), Some(at))
    }

    /// Whether the caller has to publish the presence to other nodes; marks it as published.
    pub fn announces(&mut self) -> bool {
        std::mem::take(&mut self.is_unannounced)
    }

    /// Records a change of presence.
    pub fn presence_changed(&mut self, now: Instant) -> BroadcastPresence {
        self.presence.changed(now)
    }

    /// Whether the delayed broadcast is due.
    pub fn presence_due(&mut self, now: Instant) -> bool {
        self.presence.is_due(now)
    }

    /// Removes `socket`; returns the participant if nothing shows them as online any more.
    pub fn leave(&mut self, socket: ConnectionId, at: Timestamp) -> Option<ParticipantId> {
        self.flush_now();
        self.arrivals.retain(|arrival| arrival.socket.id != socket);
        let index = self.seats.iter().position(|seat| seat.connection == socket)?;
        let participant = self.seats.swap_remove(index).participant;
        self.is_unannounced |= !self.is_here(participant);
        if self.is_online(participant) {
            return None;
        }
        if let Some(person) = self.people.iter_mut().find(|person| person.id == participant) {
            if !person.online {
                // Has been away.
                return None;
            }
            person.online = false;
            person.last_seen_at = Some(at);
        }
        Some(participant)
    }

    /// Updates the presence of the person on `socket`, who is away there or has come back. Returns whether it has
    /// changed, and the participant if they are away now.
    pub fn away_changed(&mut self, socket: ConnectionId, at: Timestamp) -> (bool, Option<ParticipantId>) {
        let Some(participant) = self.participant(socket) else { return (false, None) };
        self.is_unannounced = true;
        let has_changed = self.meet(Vec::new(), Some(at));
        let is_gone = has_changed && !self.is_online(participant);
        (has_changed, is_gone.then_some(participant))
    }

    /// Broadcasts a change, or delays it until the changes before it are sent.
    pub fn broadcast_change(&mut self, room: ConversationId, rev: i64, change: Change) -> Outcome {
        self.known = self.known.max(rev);
        match self.sent {
            Some(sent) if rev <= sent => return Outcome::Done,
            Some(sent) if rev == sent + 1 => match change_frame(room, rev, change) {
                Some(frame) => self.enqueue_change(rev, frame),
                None => return Outcome::Personalise(rev),
            },
            _ if self.early.len() < MAX_EARLY => drop(self.early.insert(rev, change)),
            _ => {}
        }
        self.advance(room)
    }

    /// Sends each socket its own frame of a change, if that change is next. A socket without a frame receives none.
    pub fn broadcast_each(
        &mut self,
        room: ConversationId,
        rev: i64,
        frame: impl Fn(&Socket) -> Option<Frame>,
    ) -> Outcome {
        if self.is_next(rev) {
            self.send_each(rev, frame);
        }
        self.advance(room)
    }

    /// Whether the change `rev` is next.
    pub fn is_next(&self, rev: i64) -> bool {
        self.sent == Some(rev - 1)
    }

    /// Records the room's current `rev`. Its change may still arrive.
    pub fn catch_up_to(&mut self, room: ConversationId, rev: i64) -> Outcome {
        self.known = self.known.max(rev);
        self.advance(room)
    }

    /// Sends the early changes that are now next.
    pub fn advance(&mut self, room: ConversationId) -> Outcome {
        let Some(mut sent) = self.sent else { return Outcome::Done };
        while self.early.first_key_value().is_some_and(|(rev, _)| *rev <= sent + 1)
            && let Some((rev, change)) = self.early.pop_first()
        {
            if rev <= sent {
                continue;
            }
            let Some(frame) = change_frame(room, rev, change) else { return Outcome::Personalise(rev) };
            self.enqueue_change(rev, frame);
            sent = rev;
        }
        if self.known > sent && !self.is_fetching {
            self.is_fetching = true;
            return Outcome::FetchGap;
        }
        Outcome::Done
    }

    /// The last rev that was sent, if later changes are missing. Otherwise marks the fetching as finished.
    pub fn gap_after(&mut self) -> Option<i64> {
        let missing = self.sent.filter(|sent| self.known > *sent);
        self.is_fetching = missing.is_some();
        missing
    }

    /// Records that the database ends at `head`: a higher rev was wrong.
    pub fn limit_to(&mut self, head: i64) {
        self.known = self.known.min(head);
        self.early.retain(|rev, _| *rev <= head);
    }

    /// Continues after `rev`, as the gap before it is too large to send. Every client detects the gap, and joins
    /// again from its last rev.
    pub fn skip_to(&mut self, rev: i64) {
        self.sent = self.sent.max(Some(rev));
        self.arrivals.iter_mut().for_each(|arrival| arrival.is_whole = false);
    }

    /// Enqueues the change `rev`, which is next, for all sockets without it.
    fn enqueue_change(&mut self, rev: i64, frame: Frame) {
        self.sent = Some(rev);
        self.record_for_arrivals(rev, |_| Some(frame.clone()));
        self.enqueue(frame, Recipients::Before(rev));
    }

    /// The same with a frame per socket; a socket without a frame receives none.
    fn send_each(&mut self, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) {
        self.flush_now();
        self.sent = Some(rev);
        for seat in self.seats.iter().filter(|seat| seat.from_rev < rev) {
            if let Some(frame) = frame(&seat.socket) {
                seat.socket.send(&frame);
            }
        }
        self.record_for_arrivals(rev, frame);
    }

    fn record_for_arrivals(&mut self, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) {
        for arrival in self.arrivals.iter_mut().filter(|arrival| arrival.is_whole) {
            if arrival.missed.len() == MAX_MISSED {
                arrival.is_whole = false;
                arrival.missed = Vec::new();
            } else if let Some(frame) = frame(&arrival.socket) {
                arrival.missed.push((rev, frame));
            }
        }
    }

    /// Sends `frame`, which invalidates earlier reads. Arriving sockets have to read again before they enter.
    pub fn resync(&mut self, frame: &Frame) {
        self.broadcast(frame, None);
        for arrival in &mut self.arrivals {
            arrival.is_whole = false;
            arrival.missed = Vec::new();
        }
    }

    /// Enqueues a frame that is not a change for all except the sockets of `except`.
    pub fn broadcast(&mut self, frame: &Frame, except: Option<ParticipantId>) {
        self.enqueue(frame.clone(), except.map_or(Recipients::All, Recipients::Others));
    }

    fn enqueue(&mut self, frame: Frame, to: Recipients) {
        if self.seats.is_empty() {
            return;
        }
        if self.outbox.is_empty() {
            self.rounds.add(Due::Room(self.id));
        }
        self.outbox_bytes += frame.len();
        self.outbox.push(Queued { frame, to });
        if self.outbox_bytes >= FLUSH_BYTES {
            self.flush_now();
        }
    }

    /// Flushes without waiting for the next round.
    fn flush_now(&mut self) {
        let rounds = self.rounds.clone();
        self.flush(|socket| rounds.add(Due::Socket(socket)));
    }

    /// Moves the outbox to the sockets' queues. Sockets that receive all of it share the same bytes. Calls `due` for
    /// each socket to write.
    pub fn flush(&mut self, mut due: impl FnMut(Arc<Socket>)) {
        let mut outbox = std::mem::take(&mut self.outbox);
        self.outbox_bytes = 0;
        let together = match &outbox[..] {
            [] => return,
            [one] => one.frame.clone(),
            several => Frame::together(several.iter().map(|queued| &queued.frame)),
        };
        for seat in &self.seats {
            let mut is_due = false;
            if outbox.iter().all(|queued| queued.is_for(seat)) {
                is_due = seat.socket.enqueue(&together);
            } else {
                for queued in outbox.iter().filter(|queued| queued.is_for(seat)) {
                    is_due |= seat.socket.enqueue(&queued.frame);
                }
            }
            if is_due {
                due(seat.socket.clone());
            }
        }
        if outbox.capacity() <= KEEP_OUTBOX {
            outbox.clear();
            self.outbox = outbox;
        }
    }

    /// The participant of this socket.
    pub fn participant(&self, socket: ConnectionId) -> Option<ParticipantId> {
        self.seats.iter().find(|seat| seat.connection == socket).map(|seat| seat.participant)
    }
}

/// The frame of a message's change; `None` for a change with a frame per person.
fn change_frame(room: ConversationId, rev: i64, change: Change) -> Option<Frame> {
    Some(frame(&match change {
        Change::Posted(message) => ServerFrame::NewMessage { room, rev, message },
        Change::Edited(message) => ServerFrame::MessageUpdated { room, rev, message },
        Change::Deleted(message) => ServerFrame::MessageDeleted { room, rev, message },
        Change::Conversation => return None,
    }))
}
