//! The live side of one conversation: who is in it, and up to which rev they have been told.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{
    Frame, Socket,
    bus::NodeId,
    frame,
    rounds::{Due, Rounds},
    socket::ConnectionId,
};
use crate::{
    domain::{Change, ConversationId, Participant, ParticipantId, Timestamp},
    protocol::ServerFrame,
};

/// More has changed while the caller read the database than is kept for it: arrive and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind;

struct Seat {
    /// That of `socket`: to find it here leaves the others alone.
    connection: ConnectionId,
    socket: Arc<Socket>,
    participant: ParticipantId,
    /// The socket has everything up to this rev from the database. While it arrives once more, all.
    from_rev: i64,
}

/// A socket that reads the database on its way in. What is told after it began to read may be
/// missing from what it reads.
struct Arrival {
    socket: Arc<Socket>,
    /// What the room was told of before: `missed` has all that came later.
    since: i64,
    /// With their revs, in order.
    missed: Vec<(i64, Frame)>,
    /// Whether `missed` still has all of them.
    is_whole: bool,
}

/// The people whom another node has in the room.
#[derive(Debug)]
struct Elsewhere {
    node: NodeId,
    people: Vec<ParticipantId>,
    /// Until when that holds if it is not said again.
    until: Instant,
}

/// What is to be done after a room was told something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Turn {
    /// Nothing: it was told, or was known, or nobody is there.
    Done,
    /// This change of the conversation has its turn, and each person is told it in other words.
    Each(i64),
    /// Changes are missing, and nobody fetches them yet: the caller has to see to it.
    Missing,
}

/// Most changes that are kept for an arrival: they have to fit into its queue at once.
const MOST_MISSED: usize = 128;

/// Most changes that wait for those before them. What comes on top is fetched when its turn comes.
const MOST_WAITING: usize = 128;

/// What was told since the last round, and to whom.
struct Told {
    frame: Frame,
    to: To,
}

#[derive(Clone, Copy)]
enum To {
    All,
    /// All but the sockets of one.
    Others(ParticipantId),
    /// Those who do not have the change of this rev from the database.
    Before(i64),
}

impl Told {
    fn is_for(&self, seat: &Seat) -> bool {
        match self.to {
            To::All => true,
            To::Others(participant) => seat.participant != participant,
            To::Before(rev) => seat.from_rev < rev,
        }
    }
}

/// After so many bytes a room does not wait for the next round.
const HAND_ON_BYTES: usize = 16 * 1024;
/// For so many frames a room keeps the memory while there is nothing to hand on.
const KEEP_TOLD: usize = 8;

/// Changes go out by rev, each one right after the one before it, wherever they come from: this
/// process, another node, or the database. What comes twice is dropped, what comes early waits, and
/// what does not come is fetched.
///
/// What all are told is handed on to their sockets in the next round, or before somebody comes or goes.
pub(super) struct Room {
    id: ConversationId,
    rounds: Arc<Rounds>,
    /// What is to be handed on, in order, and how many bytes that is. Not empty: a round will come.
    outbox: Vec<Told>,
    outbox_bytes: usize,
    /// Up to which rev the room was told; `None` until somebody has entered, as nobody needs it before.
    told: Option<i64>,
    /// The highest rev that this node has heard of.
    heard: i64,
    /// Changes that came before their turn.
    waiting: BTreeMap<i64, Change>,
    /// Whether somebody sees to it that missing changes are fetched.
    is_fetching: bool,
    seats: Vec<Seat>,
    arrivals: Vec<Arrival>,
    /// Everyone who takes part, in the room or not.
    people: Vec<Participant>,
    /// Who is typing, and until when that holds without a new sign.
    typing: Vec<(ParticipantId, Instant)>,
    /// Whether somebody sees to it that typing ends.
    is_typing_watched: bool,
    /// Until when nobody is told again who is here, and whether there is something to tell then.
    presence: Option<(Instant, bool)>,
    elsewhere: Vec<Elsewhere>,
    /// Whether other nodes do not know yet who is here on this one.
    is_unannounced: bool,
}

/// How often a room is told who is here, at most: someone who comes and goes all the time must not
/// flood the others.
const PRESENCE_EVERY: Duration = Duration::from_millis(100);

/// What to do about a change of who is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    TellNow,
    /// Somebody has to come back then and call [`Room::presence_due`].
    TellAt(Instant),
    /// Somebody is coming back already.
    Awaited,
}

impl Room {
    pub fn new(id: ConversationId, rounds: Arc<Rounds>) -> Self {
        Self {
            id,
            rounds,
            outbox: Vec::new(),
            outbox_bytes: 0,
            told: None,
            heard: 0,
            waiting: BTreeMap::new(),
            is_fetching: false,
            seats: Vec::new(),
            arrivals: Vec::new(),
            people: Vec::new(),
            typing: Vec::new(),
            is_typing_watched: false,
            presence: None,
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

    /// Whether this participant is in the room on this node.
    fn is_here(&self, participant: ParticipantId) -> bool {
        self.seats.iter().any(|seat| seat.participant == participant)
    }

    /// Who is in the room on this node.
    pub fn here(&self) -> Vec<Participant> {
        self.people.iter().filter(|person| self.is_here(person.id)).cloned().collect()
    }

    /// Whether someone of the customer side is in the room on this node.
    pub fn has_customer(&self) -> bool {
        self.sockets().any(|socket| !socket.actor.is_admin())
    }

    pub fn sockets(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.seats.iter().map(|seat| &seat.socket)
    }

    /// The sockets that are told of changes, now or when they have arrived.
    pub fn listeners(&self) -> impl Iterator<Item = &Arc<Socket>> {
        self.sockets().chain(self.arrivals.iter().map(|arrival| &arrival.socket))
    }

    /// From now on changes are kept for `socket`, until it enters or leaves. Call it before reading
    /// the database. A socket that is in already hears of no more changes until it enters again.
    pub fn arrive(&mut self, socket: &Arc<Socket>) {
        self.hand_on_now();
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.connection == socket.id) {
            seat.from_rev = i64::MAX;
        }
        self.arrivals.retain(|arrival| arrival.socket.id != socket.id);
        let since = self.told.unwrap_or_default();
        self.arrivals.push(Arrival { socket: socket.clone(), since, missed: Vec::new(), is_whole: true });
    }

    /// Takes `socket` in, which has arrived and then read everything up to `head`: queues `joined`
    /// for it, and then the changes that came after `head`. Returns whether the list of who is here
    /// has changed.
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
        if self.told.is_none() {
            // What was told before this, nobody has heard. Whoever read less has to read again.
            self.told = Some(head);
            self.heard = self.heard.max(head);
            self.arrivals.iter_mut().for_each(|arrival| arrival.since = head);
        }
        self.hand_on_now();
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

    /// Takes over what is known of people, and who is online by now; who is not any more was seen `at`
    /// last. Returns whether the list of who is here has changed.
    ///
    /// Whoever came while storage was read is not in what it knows, and when someone left may not be
    /// stored yet.
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

    /// Another node has these people in the room, and will say so again before `until`. Returns whether
    /// the list of who is here has changed.
    pub fn here_elsewhere(&mut self, node: NodeId, people: Vec<Participant>, until: Instant, at: Timestamp) -> bool {
        self.elsewhere.retain(|others| others.node != node);
        if !people.is_empty() {
            let ids = people.iter().map(|person| person.id).collect();
            self.elsewhere.push(Elsewhere { node, people: ids, until });
        }
        self.meet(people, Some(at))
    }

    /// Forgets the people of other nodes that are gone or have not said it again. Returns whether the list
    /// of who is here has changed.
    pub fn expire_elsewhere(&mut self, is_gone: impl Fn(NodeId) -> bool, now: Instant, at: Timestamp) -> bool {
        let before = self.elsewhere.len();
        self.elsewhere.retain(|others| others.until > now && !is_gone(others.node));
        self.elsewhere.len() != before && self.meet(Vec::new(), Some(at))
    }

    /// Whether other nodes have to be told who is here on this one; they count as told from now on.
    pub fn announces(&mut self) -> bool {
        std::mem::take(&mut self.is_unannounced)
    }

    /// Who is here has changed.
    pub fn presence_changed(&mut self, now: Instant) -> Presence {
        match &mut self.presence {
            Some((_, true)) => Presence::Awaited,
            Some((until, due)) if *until > now => {
                *due = true;
                Presence::TellAt(*until)
            }
            _ => {
                self.presence = Some((now + PRESENCE_EVERY, false));
                Presence::TellNow
            }
        }
    }

    /// Whether what was put off is to be told now.
    pub fn presence_due(&mut self, now: Instant) -> bool {
        let due = matches!(self.presence, Some((_, true)));
        if due {
            self.presence = Some((now + PRESENCE_EVERY, false));
        }
        due
    }

    /// Takes `socket` out; returns the participant if this was its last socket.
    pub fn leave(&mut self, socket: ConnectionId, at: Timestamp) -> Option<ParticipantId> {
        self.hand_on_now();
        self.arrivals.retain(|arrival| arrival.socket.id != socket);
        let index = self.seats.iter().position(|seat| seat.connection == socket)?;
        let participant = self.seats.swap_remove(index).participant;
        self.is_unannounced |= !self.is_here(participant);
        if self.is_online(participant) {
            return None;
        }
        if let Some(person) = self.people.iter_mut().find(|person| person.id == participant) {
            person.online = false;
            person.last_seen_at = Some(at);
        }
        Some(participant)
    }

    /// Tells a change, or keeps it until those before it are told.
    pub fn tell_change(&mut self, room: ConversationId, rev: i64, change: Change) -> Turn {
        self.heard = self.heard.max(rev);
        match self.told {
            Some(told) if rev <= told => return Turn::Done,
            Some(told) if rev == told + 1 => match change_frame(room, rev, change) {
                Some(frame) => self.pass_on(rev, frame),
                None => return Turn::Each(rev),
            },
            _ if self.waiting.len() < MOST_WAITING => drop(self.waiting.insert(rev, change)),
            _ => {}
        }
        self.go_on(room)
    }

    /// Tells a change to each socket in its own words, if it is its turn; those for whom `frame` has
    /// nothing are not told.
    pub fn tell_each(&mut self, room: ConversationId, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) -> Turn {
        if self.is_next(rev) {
            self.pass_on_each(rev, frame);
        }
        self.go_on(room)
    }

    /// Whether it is the turn of the change `rev`.
    pub fn is_next(&self, rev: i64) -> bool {
        self.told == Some(rev - 1)
    }

    /// The room has come to the change `rev`, which another way may bring.
    pub fn hear_of(&mut self, room: ConversationId, rev: i64) -> Turn {
        self.heard = self.heard.max(rev);
        self.go_on(room)
    }

    /// Tells what waits and has its turn now.
    pub fn go_on(&mut self, room: ConversationId) -> Turn {
        let Some(mut told) = self.told else { return Turn::Done };
        while self.waiting.first_key_value().is_some_and(|(rev, _)| *rev <= told + 1)
            && let Some((rev, change)) = self.waiting.pop_first()
        {
            if rev <= told {
                continue;
            }
            let Some(frame) = change_frame(room, rev, change) else { return Turn::Each(rev) };
            self.pass_on(rev, frame);
            told = rev;
        }
        if self.heard > told && !self.is_fetching {
            self.is_fetching = true;
            return Turn::Missing;
        }
        Turn::Done
    }

    /// Up to which rev the room was told, if changes are missing. If none are, nobody fetches any more.
    pub fn missing_after(&mut self) -> Option<i64> {
        let missing = self.told.filter(|told| self.heard > *told);
        self.is_fetching = missing.is_some();
        missing
    }

    /// The database has nothing after `head`: whoever spoke of more was wrong.
    pub fn ends_at(&mut self, head: i64) {
        self.heard = self.heard.min(head);
        self.waiting.retain(|rev, _| *rev <= head);
    }

    /// Goes on after `rev`: too much before it is missing to be told. Everybody sees the gap, and joins
    /// again from where they are.
    pub fn skip_to(&mut self, rev: i64) {
        self.told = self.told.max(Some(rev));
        self.arrivals.iter_mut().for_each(|arrival| arrival.is_whole = false);
    }

    /// Tells the change `rev`, which has its turn, to all who do not have it yet.
    fn pass_on(&mut self, rev: i64, frame: Frame) {
        self.told = Some(rev);
        self.keep_for_arrivals(rev, |_| Some(frame.clone()));
        self.put(frame, To::Before(rev));
    }

    /// The same in other words for each; those for whom `frame` has nothing are not told.
    fn pass_on_each(&mut self, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) {
        self.hand_on_now();
        self.told = Some(rev);
        for seat in self.seats.iter().filter(|seat| seat.from_rev < rev) {
            if let Some(frame) = frame(&seat.socket) {
                seat.socket.send(&frame);
            }
        }
        self.keep_for_arrivals(rev, frame);
    }

    fn keep_for_arrivals(&mut self, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) {
        for arrival in self.arrivals.iter_mut().filter(|arrival| arrival.is_whole) {
            if arrival.missed.len() == MOST_MISSED {
                arrival.is_whole = false;
                arrival.missed = Vec::new();
            } else if let Some(frame) = frame(&arrival.socket) {
                arrival.missed.push((rev, frame));
            }
        }
    }

    /// Sends `frame`, which says that what was read so far does not hold any more. Whoever arrives has to
    /// read again before entering.
    pub fn resync(&mut self, frame: &Frame) {
        self.tell(frame, None);
        for arrival in &mut self.arrivals {
            arrival.is_whole = false;
            arrival.missed = Vec::new();
        }
    }

    /// Tells all but the sockets of `except`.
    pub fn tell(&mut self, frame: &Frame, except: Option<ParticipantId>) {
        self.put(frame.clone(), except.map_or(To::All, To::Others));
    }

    fn put(&mut self, frame: Frame, to: To) {
        if self.seats.is_empty() {
            return;
        }
        if self.outbox.is_empty() {
            self.rounds.add(Due::Room(self.id));
        }
        self.outbox_bytes += frame.len();
        self.outbox.push(Told { frame, to });
        if self.outbox_bytes >= HAND_ON_BYTES {
            self.hand_on_now();
        }
    }

    /// Queues for each socket what it was told, without waiting for the next round.
    fn hand_on_now(&mut self) {
        let rounds = self.rounds.clone();
        self.hand_on(|socket| rounds.add(Due::Socket(socket)));
    }

    /// Queues for each socket what it was told since the last round: the same bytes for all who were told all of it.
    /// `due` gets those that have to be written to.
    pub fn hand_on(&mut self, mut due: impl FnMut(Arc<Socket>)) {
        let mut told = std::mem::take(&mut self.outbox);
        self.outbox_bytes = 0;
        let together = match &told[..] {
            [] => return,
            [one] => one.frame.clone(),
            several => Frame::together(several.iter().map(|told| &told.frame)),
        };
        for seat in &self.seats {
            let mut is_due = false;
            if told.iter().all(|told| told.is_for(seat)) {
                is_due = seat.socket.queue(&together);
            } else {
                for told in told.iter().filter(|told| told.is_for(seat)) {
                    is_due |= seat.socket.queue(&told.frame);
                }
            }
            if is_due {
                due(seat.socket.clone());
            }
        }
        if told.capacity() <= KEEP_TOLD {
            told.clear();
            self.outbox = told;
        }
    }

    /// Who sits on this socket.
    pub fn participant(&self, socket: ConnectionId) -> Option<ParticipantId> {
        self.seats.iter().find(|seat| seat.connection == socket).map(|seat| seat.participant)
    }

    /// Notes that someone types until `until`. Returns whether the caller has to see to it that this ends
    /// ([`Room::typing_ends`]), because nobody does yet.
    pub fn types(&mut self, participant: ParticipantId, until: Instant) -> bool {
        match self.typing.iter_mut().find(|(id, _)| *id == participant) {
            Some((_, deadline)) => *deadline = until,
            None => self.typing.push((participant, until)),
        }
        !std::mem::replace(&mut self.is_typing_watched, true)
    }

    /// Takes out those whose typing has ended by now. Also returns when to ask again; `None` once nobody
    /// types, and then nobody has to.
    pub fn typing_ends(&mut self, now: Instant) -> (Vec<ParticipantId>, Option<Instant>) {
        let ended = self.typing.extract_if(.., |(_, until)| *until <= now).map(|(id, _)| id).collect();
        let next = self.typing.iter().map(|(_, until)| *until).min();
        self.is_typing_watched = next.is_some();
        (ended, next)
    }

    /// Returns whether this participant was typing.
    pub fn stops_typing(&mut self, participant: ParticipantId) -> bool {
        let before = self.typing.len();
        self.typing.retain(|(id, _)| *id != participant);
        self.typing.len() != before
    }
}

/// The frame that tells of a message's change; `None` for what each person is told in other words.
fn change_frame(room: ConversationId, rev: i64, change: Change) -> Option<Frame> {
    Some(frame(&match change {
        Change::Posted(message) => ServerFrame::NewMessage { room, rev, message },
        Change::Edited(message) => ServerFrame::MessageUpdated { room, rev, message },
        Change::Deleted(message) => ServerFrame::MessageDeleted { room, rev, message },
        Change::Conversation => return None,
    }))
}
