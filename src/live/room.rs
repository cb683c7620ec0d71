//! The live side of one conversation: who is in it, and up to which rev they have been told.

use std::{sync::Arc, time::Duration};

use tokio::time::Instant;

use super::{Frame, Socket, socket::ConnectionId};
use crate::domain::{Participant, ParticipantId, Timestamp};

/// More has changed while the caller read the database than is kept for it: arrive and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Behind;

struct Seat {
    socket: Arc<Socket>,
    participant: ParticipantId,
    /// The socket has everything up to this rev from the database. While it arrives once more, all.
    from_rev: i64,
}

/// A socket that reads the database on its way in. What is told after it began to read may be
/// missing from what it reads.
struct Arrival {
    socket: Arc<Socket>,
    /// With their revs, in order.
    missed: Vec<(i64, Frame)>,
    /// Whether `missed` still has all of them.
    is_whole: bool,
}

/// Most changes that are kept for an arrival: they have to fit into its queue at once.
const MOST_MISSED: usize = 128;

/// Frames of changes go out in rising order of rev. A change that comes late is dropped: those who
/// saw the gap before it have fetched it by then.
#[derive(Default)]
pub(super) struct Room {
    /// The highest rev that was told here; 0 before the first.
    rev: i64,
    seats: Vec<Seat>,
    arrivals: Vec<Arrival>,
    /// Everyone who takes part, in the room or not.
    people: Vec<Participant>,
    /// Who is typing, and until when that holds without a new sign.
    typing: Vec<(ParticipantId, Instant)>,
    /// Until when nobody is told again who is here, and whether there is something to tell then.
    presence: Option<(Instant, bool)>,
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
    pub fn is_empty(&self) -> bool {
        self.seats.is_empty() && self.arrivals.is_empty()
    }

    pub fn people(&self) -> &[Participant] {
        &self.people
    }

    pub fn has(&self, socket: ConnectionId) -> bool {
        self.seats.iter().any(|seat| seat.socket.id == socket)
    }

    pub fn is_online(&self, participant: ParticipantId) -> bool {
        self.seats.iter().any(|seat| seat.participant == participant)
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
        if let Some(seat) = self.seats.iter_mut().find(|seat| seat.socket.id == socket.id) {
            seat.from_rev = i64::MAX;
        }
        self.arrivals.retain(|arrival| arrival.socket.id != socket.id);
        self.arrivals.push(Arrival { socket: socket.clone(), missed: Vec::new(), is_whole: true });
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
        let Arrival { missed, is_whole, .. } = self.arrivals.swap_remove(arrival);
        if !is_whole {
            return Err(Behind);
        }
        let was_online = self.is_online(me);
        match self.seats.iter_mut().find(|seat| seat.socket.id == socket.id) {
            Some(seat) => seat.from_rev = head,
            None => self.seats.push(Seat { socket: socket.clone(), participant: me, from_rev: head }),
        }
        let known = self.people.len();
        self.meet(people);
        for index in 0..self.people.len() {
            self.people[index].online = self.is_online(self.people[index].id);
        }
        socket.send(&joined(&self.people));
        missed.into_iter().filter(|(rev, _)| *rev > head).for_each(|(_, frame)| socket.send(&frame));
        Ok(!was_online || self.people.len() != known)
    }

    /// Takes over what storage knows of everyone. Whoever came while it was read is not in it, and
    /// when someone left may not be stored yet.
    fn meet(&mut self, people: Vec<Participant>) {
        for person in people {
            match self.people.iter_mut().find(|known| known.id == person.id) {
                Some(known) => {
                    let last_seen_at = known.last_seen_at.max(person.last_seen_at);
                    *known = Participant { last_seen_at, ..person };
                }
                None => self.people.push(person),
            }
        }
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

    /// Takes `socket` out; returns the participant if this was its last socket here.
    pub fn leave(&mut self, socket: ConnectionId, at: Timestamp) -> Option<ParticipantId> {
        self.arrivals.retain(|arrival| arrival.socket.id != socket);
        let index = self.seats.iter().position(|seat| seat.socket.id == socket)?;
        let participant = self.seats.swap_remove(index).participant;
        if self.is_online(participant) {
            return None;
        }
        if let Some(person) = self.people.iter_mut().find(|person| person.id == participant) {
            person.online = false;
            person.last_seen_at = Some(at);
        }
        Some(participant)
    }

    /// Whether a change with this rev is still to be told.
    pub fn is_news(&self, rev: i64) -> bool {
        rev > self.rev
    }

    /// Tells the change `rev` to all who do not have it yet; those for whom `frame` has nothing are
    /// not to be told.
    pub fn tell_change(&mut self, rev: i64, frame: impl Fn(&Socket) -> Option<Frame>) {
        self.rev = self.rev.max(rev);
        for seat in self.seats.iter().filter(|seat| seat.from_rev < rev) {
            if let Some(frame) = frame(&seat.socket) {
                seat.socket.send(&frame);
            }
        }
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

    /// Sends `frame` to all sockets but those of `except`.
    pub fn tell(&self, frame: &Frame, except: Option<ParticipantId>) {
        for seat in self.seats.iter().filter(|seat| Some(seat.participant) != except) {
            seat.socket.send(frame);
        }
    }

    /// Who sits on this socket.
    pub fn participant(&self, socket: ConnectionId) -> Option<ParticipantId> {
        self.seats.iter().find(|seat| seat.socket.id == socket).map(|seat| seat.participant)
    }

    /// Notes that someone types until `until`; returns whether this is new.
    pub fn types(&mut self, participant: ParticipantId, until: Instant) -> bool {
        match self.typing.iter_mut().find(|(id, _)| *id == participant) {
            Some((_, deadline)) => {
                *deadline = until;
                false
            }
            None => {
                self.typing.push((participant, until));
                true
            }
        }
    }

    /// Until when this participant counts as typing.
    pub fn typing_until(&self, participant: ParticipantId) -> Option<Instant> {
        self.typing.iter().find(|(id, _)| *id == participant).map(|(_, until)| *until)
    }

    /// Returns whether this participant was typing.
    pub fn stops_typing(&mut self, participant: ParticipantId) -> bool {
        let before = self.typing.len();
        self.typing.retain(|(id, _)| *id != participant);
        self.typing.len() != before
    }
}
