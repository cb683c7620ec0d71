//! All sockets and rooms of this process.
//!
//! Locks: one shard of `rooms` at a time, never across an await. Code under a lock takes no other lock of the same
//! map. Sending under a room's lock preserves the order of its frames. It never blocks, because a full queue closes
//! its socket instead.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dashmap::{DashMap, mapref::entry::Entry};
use tokio::time::Instant;

use super::{
    Bus, BusEvent, Frame, Socket, Topic,
    bus::NodeId,
    frame,
    presence::BroadcastPresence,
    room::{Behind, Outcome, Room},
    rounds::{self, Rooms},
    schedule::Schedule,
    socket::{ConnectionId, Due, Person},
};
use crate::{
    domain::{
        Actor, Change, ConversationId, LinkId, Participant, ParticipantId, ParticipantKind, SessionId, Timestamp,
        TokenId, User, UserId,
    },
    protocol::{ServerFrame, close},
};

/// How long "is typing" lasts without a new sign.
const TYPING_HOLDS: Duration = Duration::from_secs(5);

/// Maximum pause between closing two sockets on shutdown: a few hundred close per second.
const CLOSE_EVERY: Duration = Duration::from_millis(4);

/// A participant who is not online in a room any more: the last socket has left, or they are away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub room: ConversationId,
    pub participant: ParticipantId,
    pub at: Timestamp,
}

/// A room in which the presence has changed because somebody is away or has come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub room: ConversationId,
    pub gone: Option<Gone>,
}

pub struct Hub {
    sockets: DashMap<ConnectionId, Arc<Socket>>,
    /// How many sockets each person has open.
    people: DashMap<Person, u32>,
    pub(super) rooms: Arc<Rooms>,
    /// The rooms of each socket, so that a disconnect finds them.
    joined: DashMap<ConnectionId, Vec<ConversationId>>,
    /// Sockets of the customer side by account and by link, for `inbox` frames.
    audiences: DashMap<Person, Vec<Arc<Socket>>>,
    /// Sockets of admins, for `inbox` frames.
    admins: Mutex<Vec<Arc<Socket>>>,
    /// Set on shutdown: later sockets are closed at once.
    is_closing: AtomicBool,
    rounds: Arc<Schedule<Due>>,
    /// The bus to other nodes, if the installation can have several.
    pub(super) bus: Option<Arc<dyn Bus>>,
    /// Other running nodes, when their signs expire, and the rooms in which they have customers.
    pub(super) nodes: DashMap<NodeId, Node>,
}

/// The state of another node.
pub(super) struct Node {
    pub until: Instant,
    pub customers: HashSet<ConversationId>,
}

/// Starts the writing tasks, so it must be called within a Tokio runtime.
impl Default for Hub {
    fn default() -> Self {
        let rooms = Arc::default();
        Self {
            sockets: DashMap::new(),
            people: DashMap::new(),
            joined: DashMap::new(),
            audiences: DashMap::new(),
            admins: Mutex::default(),
            is_closing: AtomicBool::new(false),
            rounds: Arc::new(rounds::start(&rooms)),
            rooms,
            bus: None,
            nodes: DashMap::new(),
        }
    }
}

impl Hub {
    /// A hub for a node of a cluster.
    #[must_use]
    pub fn among(bus: Arc<dyn Bus>) -> Self {
        Self { bus: Some(bus), ..Self::default() }
    }

    /// Publishes an event to other nodes, if there is a bus.
    pub fn publish(&self, topic: Topic, event: impl FnOnce() -> BusEvent) {
        if let Some(bus) = &self.bus {
            bus.publish(topic, event());
        }
    }

    /// How many sockets a person has open.
    #[must_use]
    pub fn open_sockets(&self, person: Person) -> u32 {
        self.people.get(&person).map_or(0, |open| *open)
    }

    /// Registers a socket. `None` if this person already has `limit` open sockets.
    pub fn connect(
        &self,
        actor: Actor,
        session: Option<SessionId>,
        token: Option<TokenId>,
        limit: u32,
    ) -> Option<Arc<Socket>> {
        {
            let mut open = self.people.entry(Person::from(&actor)).or_insert(0);
            if *open >= limit {
                return None;
            }
            *open += 1;
        }
        let socket = Arc::new(Socket::new(actor, session, token, self.rounds.clone()));
        if socket.actor.is_admin() {
            self.admins.lock().unwrap_or_else(PoisonError::into_inner).push(socket.clone());
        }
        for person in belongs_to(&socket.actor) {
            self.audiences.entry(person).or_default().push(socket.clone());
        }
        self.sockets.insert(socket.id, socket.clone());
        // Checked after the insertion: either this sees that the hub closes, or `close_all` sees the socket.
        if self.is_closing.load(Ordering::SeqCst) {
            socket.close(close::RESTARTING);
        }
        Some(socket)
    }

    /// Removes a socket; returns the participants whose last socket has left a room.
    pub fn disconnect(self: &Arc<Self>, socket: &Socket, at: Timestamp) -> Vec<Gone> {
        self.sockets.remove(&socket.id);
        if let Entry::Occupied(mut open) = self.people.entry(Person::from(&socket.actor)) {
            *open.get_mut() -= 1;
            if *open.get() == 0 {
                open.remove();
            }
        }
        if socket.actor.is_admin() {
            self.admins.lock().unwrap_or_else(PoisonError::into_inner).retain(|other| other.id != socket.id);
        }
        for person in belongs_to(&socket.actor) {
            if let Entry::Occupied(mut audience) = self.audiences.entry(person) {
                audience.get_mut().retain(|other| other.id != socket.id);
                if audience.get().is_empty() {
                    audience.remove();
                }
            }
        }
        let rooms = self.joined.remove(&socket.id).map(|(_, rooms)| rooms).unwrap_or_default();
        rooms.into_iter().filter_map(|room| self.leave_room(socket.id, room, at)).collect()
    }

    /// Records whether the person of a socket can see its page. One that is hidden from its first word on is away at
    /// once. Returns the number of this record, for [`Hub::set_away`], and the rooms in which the presence has
    /// changed.
    pub fn set_visible(self: &Arc<Self>, socket: &Socket, on: bool, at: Timestamp) -> (u32, Vec<Seen>) {
        let telling = socket.set_visible(on);
        let seen = if on || telling == 1 { self.change_away(socket, !on, at) } else { Vec::new() };
        (telling, seen)
    }

    /// Records that the person of a socket is away, if its page has been hidden since the record `telling`. Returns the
    /// rooms in which the presence has changed.
    pub fn set_away(self: &Arc<Self>, socket: &Socket, telling: u32, at: Timestamp) -> Vec<Seen> {
        if socket.is_hidden_since(telling) { self.change_away(socket, true, at) } else { Vec::new() }
    }

    fn change_away(self: &Arc<Self>, socket: &Socket, on: bool, at: Timestamp) -> Vec<Seen> {
        let rooms = self.joined.get(&socket.id).map(|rooms| rooms.clone()).unwrap_or_default();
        let had_customer: Vec<_> = rooms.iter().map(|room| self.has_customer(*room)).collect();
        if !socket.set_away(on) {
            return Vec::new();
        }
        let mut seen = Vec::new();
        for (room, had_customer) in rooms.into_iter().zip(had_customer) {
            let Some(mut live) = self.rooms.get_mut(&room) else { continue };
            let has_customer = live.has_customer();
            if had_customer != has_customer {
                self.publish(Topic::Nodes, || BusEvent::CustomerHere { room, on: has_customer });
            }
            let (has_changed, participant) = live.away_changed(socket.id, at);
            if let Some(participant) = participant
                && live.typing.stop(participant)
            {
                self.broadcast_typing(room, &mut live, participant, false);
            }
            if has_changed {
                seen.push(Seen { room, gone: participant.map(|participant| Gone { room, participant, at }) });
                self.presence_changed(room, &mut live);
            } else {
                self.announce_news(room, &mut live);
            }
        }
        seen
    }

    fn has_customer(&self, room: ConversationId) -> bool {
        self.rooms.get(&room).is_some_and(|live| live.has_customer())
    }

    /// Announces that `socket` is about to read the database in order to enter this room. From now on the room
    /// records changes for it, so that a concurrent change is not lost. [`Hub::enter`] or [`Hub::leave`] ends this
    /// state.
    pub fn arrive(&self, socket: &Arc<Socket>, room: ConversationId) {
        match self.rooms.entry(room) {
            Entry::Occupied(mut live) => live.get_mut().arrive(socket),
            Entry::Vacant(place) => {
                // Under the entry's lock, so that the bus receives follow and unfollow in order.
                if let Some(bus) = &self.bus {
                    bus.follow(room);
                }
                place.insert(Room::new(room, self.rounds.clone())).arrive(socket);
            }
        }
        let mut joined = self.joined.entry(socket.id).or_default();
        if !joined.contains(&room) {
            joined.push(room);
        }
    }

    /// Admits `socket`, which after [`Hub::arrive`] has read everything up to `head`, to a room. `joined` makes its
    /// first frame from the list of participants; live frames follow it. The closure runs under the room's lock, so
    /// it must not call this hub.
    ///
    /// Returns the next step for changes that arrived meanwhile.
    ///
    /// # Errors
    /// [`Behind`] if too much has changed since the arrival.
    pub fn enter(
        self: &Arc<Self>,
        socket: &Arc<Socket>,
        room: ConversationId,
        me: ParticipantId,
        people: Vec<Participant>,
        head: i64,
        joined: impl FnOnce(&[Participant]) -> Frame,
    ) -> Result<Outcome, Behind> {
        let mut live = self.rooms.get_mut(&room).ok_or(Behind)?;
        let had_customer = live.has_customer();
        if live.enter(socket, me, people, head, joined)? {
            self.presence_changed(room, &mut live);
        } else {
            self.announce_news(room, &mut live);
        }
        if !had_customer && live.has_customer() {
            self.publish(Topic::Nodes, || BusEvent::CustomerHere { room, on: true });
        }
        Ok(live.advance(room))
    }

    /// Removes a socket from a room.
    pub fn leave(self: &Arc<Self>, socket: &Socket, room: ConversationId, at: Timestamp) -> Option<Gone> {
        if let Some(mut joined) = self.joined.get_mut(&socket.id) {
            joined.retain(|id| *id != room);
        }
        self.leave_room(socket.id, room, at)
    }

    fn leave_room(self: &Arc<Self>, socket: ConnectionId, room: ConversationId, at: Timestamp) -> Option<Gone> {
        let Entry::Occupied(mut live) = self.rooms.entry(room) else { return None };
        let had_customer = live.get().has_customer();
        let gone = live.get_mut().leave(socket, at);
        if had_customer && !live.get().has_customer() {
            self.publish(Topic::Nodes, || BusEvent::CustomerHere { room, on: false });
        }
        if let Some(participant) = gone
            && live.get_mut().typing.stop(participant)
        {
            self.broadcast_typing(room, live.get_mut(), participant, false);
        }
        if live.get().is_empty() {
            self.announce_news(room, live.get_mut());
            if let Some(bus) = &self.bus {
                bus.unfollow(room);
            }
            live.remove();
        } else if gone.is_some() {
            self.presence_changed(room, live.get_mut());
        } else {
            self.announce_news(room, live.get_mut());
        }
        gone.map(|participant| Gone { room, participant, at })
    }

    /// Broadcasts who is here, now or a little later.
    pub(super) fn presence_changed(self: &Arc<Self>, room: ConversationId, live: &mut Room) {
        match live.presence_changed(Instant::now()) {
            BroadcastPresence::Now => self.broadcast_presence(room, live),
            BroadcastPresence::Scheduled => {}
            BroadcastPresence::At(at) => {
                let hub = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep_until(at).await;
                    if let Some(mut live) = hub.rooms.get_mut(&room)
                        && live.presence_due(Instant::now())
                    {
                        hub.broadcast_presence(room, &mut live);
                    }
                });
            }
        }
    }

    fn broadcast_presence(&self, room: ConversationId, live: &mut Room) {
        live.broadcast(&frame(&ServerFrame::Presence { room, participants: live.people().to_vec() }), None);
        self.announce_news(room, live);
    }

    /// Publishes who is here on this node, if other nodes do not know yet.
    fn announce_news(&self, room: ConversationId, live: &mut Room) {
        if live.announces() {
            self.publish(Topic::Room(room), || BusEvent::Here { people: live.here(), asks: false });
        }
    }

    /// Broadcasts a change, or delays it until the changes before it are sent.
    pub fn broadcast_change(&self, room: ConversationId, rev: i64, change: Change) -> Outcome {
        self.rooms.get_mut(&room).map_or(Outcome::Done, |mut live| live.broadcast_change(room, rev, change))
    }

    /// Sends each person their own frame of a change that is next ([`Outcome::Personalise`]). A person whose frame is
    /// `None` receives none.
    ///
    /// # Errors
    /// Returns the new sockets for which `frames` has no entry. Nothing was sent yet: make their frames too, and
    /// retry.
    pub fn broadcast_each(
        &self,
        room: ConversationId,
        rev: i64,
        frames: &HashMap<Person, Option<Frame>>,
    ) -> Result<Outcome, Vec<Arc<Socket>>> {
        let Some(mut live) = self.rooms.get_mut(&room) else { return Ok(Outcome::Done) };
        if live.is_next(rev) {
            let unprepared = |socket: &&Arc<Socket>| !frames.contains_key(&Person::from(&socket.actor));
            let missing: Vec<_> = live.listeners().filter(unprepared).cloned().collect();
            if !missing.is_empty() {
                return Err(missing);
            }
        }
        Ok(live.broadcast_each(room, rev, |socket| frames.get(&Person::from(&socket.actor)).cloned().flatten()))
    }

    /// Records the room's current `rev` according to the database or another node.
    pub fn catch_up_to(&self, room: ConversationId, rev: i64) -> Outcome {
        self.rooms.get_mut(&room).map_or(Outcome::Done, |mut live| live.catch_up_to(room, rev))
    }

    /// For the task that fetches missing changes ([`Outcome::FetchGap`]): the last rev that was sent. `None` if
    /// nothing is missing; the task then ends.
    #[must_use]
    pub fn gap_after(&self, room: ConversationId) -> Option<i64> {
        self.rooms.get_mut(&room)?.gap_after()
    }

    /// Records that the database has no change after `head` in this room.
    pub fn limit_to(&self, room: ConversationId, head: i64) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.limit_to(head);
        }
    }

    /// Continues after `rev`. The gap before it is so large that clients load it faster than the server sends it.
    pub fn skip_to(&self, room: ConversationId, rev: i64) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.skip_to(rev);
        }
    }

    /// Broadcasts a frame that is not a change, such as a receipt.
    pub fn broadcast(&self, room: ConversationId, frame: &Frame) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.broadcast(frame, None);
        }
    }

    /// Asks all clients in the room, or arriving, to read it again: its conversation no longer exists.
    pub fn resync(&self, room: ConversationId) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.resync(&frame(&ServerFrame::Resync { room }));
        }
    }

    /// Broadcasts to the others in the room that the person on `socket` types or stopped. Returns false if the socket
    /// is not in the room.
    pub fn typing(self: &Arc<Self>, socket: &Socket, room: ConversationId, on: bool) -> bool {
        let Some(mut live) = self.rooms.get_mut(&room) else { return false };
        let Some(participant) = live.participant(socket.id) else { return false };
        if self.note_typing(room, &mut live, participant, on) {
            self.broadcast_typing(room, &mut live, participant, on);
        }
        true
    }

    /// Records that a person in this room, on any node, types or stopped. Returns whether to broadcast it.
    pub(super) fn note_typing(
        self: &Arc<Self>,
        room: ConversationId,
        live: &mut Room,
        participant: ParticipantId,
        on: bool,
    ) -> bool {
        if on && live.typing.start(participant, Instant::now() + TYPING_HOLDS) {
            tokio::spawn(self.clone().expire_typing(room));
        }
        on || live.typing.stop(participant)
    }

    /// Broadcasts typing to the others, here and on other nodes.
    fn broadcast_typing(&self, room: ConversationId, live: &mut Room, participant: ParticipantId, on: bool) {
        live.broadcast(&typing_frame(room, participant, on), Some(participant));
        self.publish(Topic::Room(room), || BusEvent::Typing { participant, on });
    }

    /// Ends typing in one room when the last sign has expired, until no participant types.
    async fn expire_typing(self: Arc<Self>, room: ConversationId) {
        loop {
            let next = {
                let Some(mut live) = self.rooms.get_mut(&room) else { return };
                let expired = live.typing.expire(Instant::now());
                for participant in expired.people {
                    live.broadcast(&typing_frame(room, participant, false), Some(participant));
                }
                expired.next
            };
            let Some(next) = next else { return };
            tokio::time::sleep_until(next).await;
        }
    }

    /// Ends the typing of this participant, who has sent a message.
    pub fn stops_typing(&self, room: ConversationId, participant: ParticipantId) {
        if let Some(mut live) = self.rooms.get_mut(&room)
            && live.typing.stop(participant)
        {
            live.broadcast(&typing_frame(room, participant, false), Some(participant));
        }
    }

    #[must_use]
    pub fn is_in(&self, socket: ConnectionId, room: ConversationId) -> bool {
        self.rooms.get(&room).is_some_and(|live| live.has(socket))
    }

    /// Who is in the room with this socket; `None` if it has not joined.
    #[must_use]
    pub fn participant(&self, socket: ConnectionId, room: ConversationId) -> Option<ParticipantId> {
        self.rooms.get(&room)?.participant(socket)
    }

    /// Whether someone of the customer side is in the room, here or on another node.
    #[must_use]
    pub fn customer_online(&self, room: ConversationId) -> bool {
        self.has_customer(room) || self.customer_elsewhere(room)
    }

    /// Whether this participant has a visible page of the room on this node. Other nodes do not publish visibility.
    #[must_use]
    pub fn is_watched(&self, room: ConversationId, participant: ParticipantId) -> bool {
        self.rooms.get(&room).is_some_and(|live| live.is_watched_by(participant))
    }

    /// Sets `online` of each participant from the room's sockets.
    pub fn mark_online(&self, room: ConversationId, people: &mut [Participant]) {
        let customer_elsewhere = self.customer_elsewhere(room);
        let live = self.rooms.get(&room);
        for person in people {
            let is_here = live.as_ref().is_some_and(|live| live.is_online(person.id));
            person.online = is_here || (customer_elsewhere && person.kind != ParticipantKind::Admin);
        }
    }

    /// The sockets in a room, and the arriving ones.
    #[must_use]
    pub fn listeners(&self, room: ConversationId) -> Vec<Arc<Socket>> {
        self.rooms.get(&room).map(|live| live.listeners().cloned().collect()).unwrap_or_default()
    }

    /// The sockets of all admins.
    #[must_use]
    pub fn admins(&self) -> Vec<Arc<Socket>> {
        self.admins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The sockets of this account, unless it is an admin's, and of people who opened these links.
    #[must_use]
    pub fn customers(&self, customer: Option<UserId>, links: &[LinkId]) -> Vec<Arc<Socket>> {
        let mut sockets = Vec::new();
        for person in customer.map(Person::User).into_iter().chain(links.iter().copied().map(Person::Link)) {
            if let Some(others) = self.audiences.get(&person) {
                sockets.extend(others.iter().cloned());
            }
        }
        // An account that has opened a link as well is found twice.
        sockets.sort_unstable_by_key(|socket| socket.id);
        sockets.dedup_by_key(|socket| socket.id);
        sockets
    }

    /// Sends a frame to sockets that follow requests and may see this customer's.
    pub fn send_request(&self, customer: UserId, frame: &Frame) {
        let sockets = self.customers(Some(customer), &[]).into_iter().chain(self.admins());
        sockets.filter(|socket| socket.follows_requests()).for_each(|socket| socket.send(frame));
    }

    /// Closes all sockets of a login session that has ended with `code`.
    pub fn close_session(&self, session: SessionId, code: u16) {
        self.close_where(code, |socket| socket.session == Some(session));
    }

    /// Closes all sockets of an account with `code`.
    pub fn close_user(&self, user: UserId, code: u16) {
        self.close_where(code, |socket| socket.actor.user_id() == Some(user));
    }

    /// Closes the sockets of an account that were opened with another state of it than `now`. The code is final if
    /// the account is deleted or its role has changed. Otherwise clients reconnect with the new state.
    pub fn close_outdated(&self, id: UserId, now: Option<&User>) {
        for socket in self.sockets.iter() {
            match (socket.actor.user(), now) {
                (Some(known), Some(now)) if known.id == id && known.role == now.role && known != now => {
                    socket.close(close::RESTARTING);
                }
                (Some(known), now) if known.id == id && now != Some(known) => socket.close(close::NOT_ALLOWED),
                _ => {}
            }
        }
    }

    /// Closes all sockets of an API token that was revoked.
    pub fn close_token(&self, token: TokenId) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.token == Some(token));
    }

    /// Closes all sockets of people who opened one of these links.
    pub fn close_links(&self, links: &[LinkId]) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.actor.links().iter().any(|link| links.contains(link)));
    }

    /// Closes all present and later sockets on shutdown. To spread the reconnections, it closes them one after the
    /// other, evenly within `window`, but no slower than one per [`CLOSE_EVERY`].
    pub async fn close_all(&self, window: Duration) {
        self.is_closing.store(true, Ordering::SeqCst);
        let sockets: Vec<_> = self.sockets.iter().map(|socket| socket.clone()).collect();
        let count = u32::try_from(sockets.len()).unwrap_or(u32::MAX).max(1);
        let every = CLOSE_EVERY.min(window / count);
        let began = Instant::now();
        for (at, socket) in (0..).zip(sockets) {
            let due = began + every * at;
            // Timers are exact to a millisecond: sockets that are due within one are closed together.
            if due > Instant::now() {
                tokio::time::sleep_until(due).await;
            }
            socket.close(close::RESTARTING);
        }
    }

    fn close_where(&self, code: u16, which: impl Fn(&Socket) -> bool) {
        for socket in self.sockets.iter().filter(|socket| which(socket)) {
            socket.close(code);
        }
    }

    #[must_use]
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    #[must_use]
    pub fn room_count(&self) -> usize {
        self.rooms.len()
    }
}

/// The account and links whose updates a socket of the customer side receives.
fn belongs_to(actor: &Actor) -> Vec<Person> {
    let user = actor.user_id().filter(|_| !actor.is_admin()).map(Person::User);
    user.into_iter().chain(actor.links().iter().copied().map(Person::Link)).collect()
}

pub(super) fn typing_frame(room: ConversationId, participant: ParticipantId, on: bool) -> Frame {
    frame(&ServerFrame::Typing { room, participant, on })
}

#[cfg(test)]
mod tests;
