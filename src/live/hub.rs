//! All sockets and rooms of this process.
//!
//! Locks: one shard of `rooms` at a time, never across an await, and nothing that a lock covers
//! takes another of the same map. Sending under a room's lock keeps the order of its frames; it
//! never blocks, because a full queue closes its socket instead.

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
    Bus, Event, Frame, Socket, Topic,
    bus::NodeId,
    frame,
    room::{Behind, Presence, Room, Turn},
    rounds::{Rooms, Rounds},
    socket::{ConnectionId, Person},
};
use crate::{
    domain::{
        Actor, Change, ConversationId, LinkId, Participant, ParticipantId, ParticipantKind, SessionId, Timestamp,
        TokenId, User, UserId,
    },
    protocol::{ServerFrame, close},
};

/// How long "is typing" holds without a new sign.
const TYPING_HOLDS: Duration = Duration::from_secs(5);

/// Between two sockets that are closed because the server goes down: a few hundred a second.
const CLOSE_EVERY: Duration = Duration::from_millis(4);

/// A participant whose last socket has left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub room: ConversationId,
    pub participant: ParticipantId,
    pub at: Timestamp,
}

pub struct Hub {
    sockets: DashMap<ConnectionId, Arc<Socket>>,
    /// How many sockets each person has open.
    people: DashMap<Person, u32>,
    pub(super) rooms: Arc<Rooms>,
    /// The rooms of each socket, so that a disconnect finds them.
    joined: DashMap<ConnectionId, Vec<ConversationId>>,
    /// Sockets of the customer side by account and by link, for `inbox`.
    audiences: DashMap<Person, Vec<Arc<Socket>>>,
    /// Sockets of admins, for `inbox`.
    admins: Mutex<Vec<Arc<Socket>>>,
    /// Set once the server goes down: who still comes is sent away again.
    is_closing: AtomicBool,
    rounds: Arc<Rounds>,
    /// The way to other nodes, if there may be any.
    pub(super) bus: Option<Arc<dyn Bus>>,
    /// Other nodes that run, until when that holds, and where they have someone of the customer side.
    pub(super) nodes: DashMap<NodeId, Node>,
}

/// What is known of another node.
pub(super) struct Node {
    pub until: Instant,
    pub customers: HashSet<ConversationId>,
}

/// Make it within a runtime: it starts the tasks that write.
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
            rounds: Arc::new(Rounds::new(&rooms)),
            rooms,
            bus: None,
            nodes: DashMap::new(),
        }
    }
}

impl Hub {
    /// For a node among others.
    #[must_use]
    pub fn among(bus: Arc<dyn Bus>) -> Self {
        Self { bus: Some(bus), ..Self::default() }
    }

    /// Tells other nodes, if there may be any.
    pub fn publish(&self, topic: Topic, event: impl FnOnce() -> Event) {
        if let Some(bus) = &self.bus {
            bus.publish(topic, event());
        }
    }

    /// How many sockets a person has open.
    #[must_use]
    pub fn open_sockets(&self, person: Person) -> u32 {
        self.people.get(&person).map_or(0, |open| *open)
    }

    /// Registers a socket. `None`: this person has `limit` sockets open already.
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
        // After the insertion: either this sees that the hub is closing, or `close_all` sees the socket.
        if self.is_closing.load(Ordering::SeqCst) {
            socket.close(close::RESTARTING);
        }
        Some(socket)
    }

    /// Forgets a socket; returns who is gone from which room.
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

    /// Announces that `socket` is about to read the database in order to enter this room. Whatever
    /// is told from now on is kept for it: a change that the reading may just have missed is not lost.
    /// Ends with [`Hub::enter`] or [`Hub::leave`].
    pub fn arrive(&self, socket: &Arc<Socket>, room: ConversationId) {
        match self.rooms.entry(room) {
            Entry::Occupied(mut live) => live.get_mut().arrive(socket),
            Entry::Vacant(place) => {
                // Within the entry, so that the bus hears of comings and goings in their order.
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

    /// Lets `socket` into a room, which after [`Hub::arrive`] has read everything up to `head`.
    /// `joined` makes the frame that tells it so from the list of participants; live frames follow
    /// it. It runs under the room's lock, so it must not ask this hub for anything.
    ///
    /// Returns what is to be done about changes that came meanwhile.
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
    ) -> Result<Turn, Behind> {
        let mut live = self.rooms.get_mut(&room).ok_or(Behind)?;
        let had_customer = live.has_customer();
        if live.enter(socket, me, people, head, joined)? {
            self.presence_changed(room, &mut live);
        } else {
            self.announce_news(room, &mut live);
        }
        if !had_customer && live.has_customer() {
            self.publish(Topic::Nodes, || Event::CustomerHere { room, on: true });
        }
        Ok(live.go_on(room))
    }

    /// Takes a socket out of a room.
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
            self.publish(Topic::Nodes, || Event::CustomerHere { room, on: false });
        }
        if let Some(participant) = gone
            && live.get_mut().stops_typing(participant)
        {
            self.tell_typing(room, live.get_mut(), participant, false);
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

    /// Tells the room who is here, now or a little later.
    pub(super) fn presence_changed(self: &Arc<Self>, room: ConversationId, live: &mut Room) {
        match live.presence_changed(Instant::now()) {
            Presence::TellNow => self.tell_presence(room, live),
            Presence::Awaited => {}
            Presence::TellAt(at) => {
                let hub = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep_until(at).await;
                    if let Some(mut live) = hub.rooms.get_mut(&room)
                        && live.presence_due(Instant::now())
                    {
                        hub.tell_presence(room, &mut live);
                    }
                });
            }
        }
    }

    fn tell_presence(&self, room: ConversationId, live: &mut Room) {
        live.tell(&frame(&ServerFrame::Presence { room, participants: live.people().to_vec() }), None);
        self.announce_news(room, live);
    }

    /// Tells other nodes who is here on this one, if they do not know.
    fn announce_news(&self, room: ConversationId, live: &mut Room) {
        if live.announces() {
            self.publish(Topic::Room(room), || Event::Here { people: live.here(), asks: false });
        }
    }

    /// Tells a room of a change, or keeps it until those before it are told.
    pub fn tell_change(&self, room: ConversationId, rev: i64, change: Change) -> Turn {
        self.rooms.get_mut(&room).map_or(Turn::Done, |mut live| live.tell_change(room, rev, change))
    }

    /// Tells a change that has its turn ([`Turn::Each`]) to each person in other words; whose frame is
    /// `None` is not told.
    ///
    /// # Errors
    /// The sockets of those for whom `frames` has nothing, who came while it was made. Nobody was
    /// told yet: make theirs too, and try again.
    pub fn tell_change_each(
        &self,
        room: ConversationId,
        rev: i64,
        frames: &HashMap<Person, Option<Frame>>,
    ) -> Result<Turn, Vec<Arc<Socket>>> {
        let Some(mut live) = self.rooms.get_mut(&room) else { return Ok(Turn::Done) };
        if live.is_next(rev) {
            let unprepared = |socket: &&Arc<Socket>| !frames.contains_key(&Person::from(&socket.actor));
            let missing: Vec<_> = live.listeners().filter(unprepared).cloned().collect();
            if !missing.is_empty() {
                return Err(missing);
            }
        }
        Ok(live.tell_each(room, rev, |socket| frames.get(&Person::from(&socket.actor)).cloned().flatten()))
    }

    /// The room has come to the change `rev`, as the database or another node says.
    pub fn hear_of(&self, room: ConversationId, rev: i64) -> Turn {
        self.rooms.get_mut(&room).map_or(Turn::Done, |mut live| live.hear_of(room, rev))
    }

    /// For whoever fetches what is missing ([`Turn::Missing`]): up to which rev the room was told. `None`:
    /// nothing is missing any more, and nobody fetches.
    #[must_use]
    pub fn missing_after(&self, room: ConversationId) -> Option<i64> {
        self.rooms.get_mut(&room)?.missing_after()
    }

    /// The database has nothing after `head` in this room.
    pub fn ends_at(&self, room: ConversationId, head: i64) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.ends_at(head);
        }
    }

    /// Goes on after `rev`: so much before it is missing that people load it faster than they are told.
    pub fn skip_to(&self, room: ConversationId, rev: i64) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.skip_to(rev);
        }
    }

    /// Tells a room something that is not a change: receipts.
    pub fn tell(&self, room: ConversationId, frame: &Frame) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.tell(frame, None);
        }
    }

    /// Asks everyone in the room, or on the way in, to read it anew: its conversation is gone.
    pub fn resync(&self, room: ConversationId) {
        if let Some(mut live) = self.rooms.get_mut(&room) {
            live.resync(&frame(&ServerFrame::Resync { room }));
        }
    }

    /// Tells the others in the room that the person on `socket` types or stopped. False if the
    /// socket is not in the room.
    pub fn typing(self: &Arc<Self>, socket: &Socket, room: ConversationId, on: bool) -> bool {
        let Some(mut live) = self.rooms.get_mut(&room) else { return false };
        let Some(participant) = live.participant(socket.id) else { return false };
        if self.note_typing(room, &mut live, participant, on) {
            self.tell_typing(room, &mut live, participant, on);
        }
        true
    }

    /// Notes that somebody in this room types or stopped, wherever they are. Returns whether the others are
    /// to be told.
    pub(super) fn note_typing(
        self: &Arc<Self>,
        room: ConversationId,
        live: &mut Room,
        participant: ParticipantId,
        on: bool,
    ) -> bool {
        if on && live.types(participant, Instant::now() + TYPING_HOLDS) {
            tokio::spawn(self.clone().expire_typing(room));
        }
        on || live.stops_typing(participant)
    }

    /// Tells the others, here and on other nodes.
    fn tell_typing(&self, room: ConversationId, live: &mut Room, participant: ParticipantId, on: bool) {
        live.tell(&typing_frame(room, participant, on), Some(participant));
        self.publish(Topic::Room(room), || Event::Typing { participant, on });
    }

    /// Ends the typing in one room for which no new signs come, until nobody types there.
    async fn expire_typing(self: Arc<Self>, room: ConversationId) {
        loop {
            let next = {
                let Some(mut live) = self.rooms.get_mut(&room) else { return };
                let (ended, next) = live.typing_ends(Instant::now());
                for participant in ended {
                    live.tell(&typing_frame(room, participant, false), Some(participant));
                }
                next
            };
            let Some(next) = next else { return };
            tokio::time::sleep_until(next).await;
        }
    }

    /// A message of this participant has come: the typing is over.
    pub fn stops_typing(&self, room: ConversationId, participant: ParticipantId) {
        if let Some(mut live) = self.rooms.get_mut(&room)
            && live.stops_typing(participant)
        {
            live.tell(&typing_frame(room, participant, false), Some(participant));
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
        self.rooms.get(&room).is_some_and(|live| live.has_customer()) || self.customer_elsewhere(room)
    }

    /// Sets `online` of each by who is in the room.
    pub fn mark_online(&self, room: ConversationId, people: &mut [Participant]) {
        let customer_elsewhere = self.customer_elsewhere(room);
        let live = self.rooms.get(&room);
        for person in people {
            let is_here = live.as_ref().is_some_and(|live| live.is_online(person.id));
            person.online = is_here || (customer_elsewhere && person.kind != ParticipantKind::Admin);
        }
    }

    /// The sockets in a room, and those on their way in.
    #[must_use]
    pub fn listeners(&self, room: ConversationId) -> Vec<Arc<Socket>> {
        self.rooms.get(&room).map(|live| live.listeners().cloned().collect()).unwrap_or_default()
    }

    /// The sockets of all admins.
    #[must_use]
    pub fn admins(&self) -> Vec<Arc<Socket>> {
        self.admins.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The sockets of this account, if it is no admin's, and of those who came by these links.
    #[must_use]
    pub fn customers(&self, customer: Option<UserId>, links: &[LinkId]) -> Vec<Arc<Socket>> {
        let mut sockets = Vec::new();
        for person in customer.map(Person::User).into_iter().chain(links.iter().copied().map(Person::Link)) {
            if let Some(others) = self.audiences.get(&person) {
                sockets.extend(others.iter().cloned());
            }
        }
        // An account that came by the link as well is found twice.
        sockets.sort_unstable_by_key(|socket| socket.id);
        sockets.dedup_by_key(|socket| socket.id);
        sockets
    }

    /// Tells those who follow requests and may see this customer's.
    pub fn tell_request(&self, customer: UserId, frame: &Frame) {
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

    /// Closes the sockets of an account that know another state of it than `now`: for good if the account
    /// is gone or has another role, else for a moment, so that they come back as who they are.
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

    /// Closes all sockets of those who came by one of these links.
    pub fn close_links(&self, links: &[LinkId]) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.actor.links().iter().any(|link| links.contains(link)));
    }

    /// Closes all sockets, and those that still come: the server is going down. One after the other, so
    /// that not everybody knocks on the next door at once: evenly, within `window`, but no slower than
    /// [`CLOSE_EVERY`].
    pub async fn close_all(&self, window: Duration) {
        self.is_closing.store(true, Ordering::SeqCst);
        let sockets: Vec<_> = self.sockets.iter().map(|socket| socket.clone()).collect();
        let count = u32::try_from(sockets.len()).unwrap_or(u32::MAX).max(1);
        let every = CLOSE_EVERY.min(window / count);
        let began = Instant::now();
        for (at, socket) in (0..).zip(sockets) {
            let due = began + every * at;
            // Timers are exact to a millisecond: those that are due by then go together.
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

/// Whose news a socket of the customer side gets.
fn belongs_to(actor: &Actor) -> Vec<Person> {
    let user = actor.user_id().filter(|_| !actor.is_admin()).map(Person::User);
    user.into_iter().chain(actor.links().iter().copied().map(Person::Link)).collect()
}

pub(super) fn typing_frame(room: ConversationId, participant: ParticipantId, on: bool) -> Frame {
    frame(&ServerFrame::Typing { room, participant, on })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Email, Message, MessageId, Name, ParticipantKind, Role, SenderType, User},
        live::QUEUE_FRAMES,
    };

    /// A new message under this rev.
    fn posted(room: ConversationId, rev: i64) -> Change {
        Change::Posted(Message {
            id: MessageId::new(),
            conversation_id: room,
            seq: rev,
            rev,
            sender_type: SenderType::Admin,
            sender_id: UserId::new().into(),
            sender_name: "somebody".to_owned(),
            content: rev.to_string(),
            system: false,
            event: None,
            client_id: None,
            created_at: Timestamp(rev),
            edited_at: None,
            deleted_at: None,
            attachments: Vec::new(),
        })
    }

    fn post(hub: &Hub, room: ConversationId, rev: i64) -> Turn {
        hub.tell_change(room, rev, posted(room, rev))
    }

    struct Someone {
        hub: Arc<Hub>,
        socket: Arc<Socket>,
        me: Participant,
    }

    impl Someone {
        fn connect(hub: &Arc<Hub>, name: &str) -> Self {
            let id = UserId::new();
            let user = User {
                id,
                email: Email::parse("email", &format!("{name}@example.com")).unwrap(),
                name: Name::parse("name", name).unwrap(),
                role: Role::Admin,
                is_confirmed: true,
                created_at: Timestamp(0),
            };
            let socket = hub.connect(Actor::Admin(user), None, None, 20).unwrap();
            let (kind, name) = (ParticipantKind::Admin, name.to_owned());
            let me = Participant { id: id.into(), kind, name, online: false, last_seen_at: None };
            Self { hub: hub.clone(), socket, me }
        }

        fn enter(&self, hub: &Arc<Hub>, room: ConversationId, head: i64) -> Result<Turn, Behind> {
            hub.arrive(&self.socket, room);
            self.enter_at_last(hub, room, head)
        }

        fn enter_at_last(&self, hub: &Arc<Hub>, room: ConversationId, head: i64) -> Result<Turn, Behind> {
            let joined = |people: &[Participant]| frame(&people);
            hub.enter(&self.socket, room, self.me.id, vec![self.me.clone()], head, joined)
        }

        /// What a round would write.
        fn frames(&self) -> Vec<serde_json::Value> {
            self.hub.rooms.iter_mut().for_each(|mut room| room.hand_on(drop));
            self.socket.take().iter().flat_map(Frame::values).collect()
        }

        /// The same as types of frames; a list of people is a `joined`.
        fn heard(&mut self) -> Vec<String> {
            let name = |frame: serde_json::Value| match (frame["type"].as_str(), frame["on"].as_bool()) {
                (Some("typing"), on) => format!("typing {}", on.unwrap()),
                (Some(other), _) => other.to_owned(),
                (None, _) => "joined".to_owned(),
            };
            self.frames().into_iter().map(name).collect()
        }
    }

    fn two_in_a_room() -> (Arc<Hub>, ConversationId, Someone, Someone) {
        let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
        let (mut one, mut other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
        assert_eq!(one.enter(&hub, room, 1), Ok(Turn::Done));
        assert_eq!(other.enter(&hub, room, 1), Ok(Turn::Done));
        one.heard();
        other.heard();
        (hub, room, one, other)
    }

    async fn pass(seconds: f64) {
        tokio::time::sleep(Duration::from_secs_f64(seconds)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn typing_ends_by_itself_after_5_s() {
        let (hub, room, mut one, mut other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        other.heard();
        assert!(hub.typing(&one.socket, room, true));
        pass(4.9).await;
        assert_eq!(other.heard(), ["typing true"]);
        pass(0.2).await;
        assert_eq!(other.heard(), ["typing false"]);
        pass(60.0).await;
        assert_eq!((other.heard(), one.heard()), (vec![], vec![]), "and nobody hears of their own");
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_room_is_told_in_a_round_is_put_together_once() {
        let (hub, room, one, other) = two_in_a_room();
        let (third, fourth) = (Someone::connect(&hub, "third"), Someone::connect(&hub, "fourth"));
        for newcomer in [&third, &fourth] {
            assert_eq!(newcomer.enter(&hub, room, 1), Ok(Turn::Done));
        }
        pass(1.0).await;
        let all = [&one, &other, &third, &fourth];
        all.iter().for_each(|someone| drop(someone.frames()));
        assert!(hub.typing(&one.socket, room, true) && hub.typing(&other.socket, room, true));
        assert_eq!(post(&hub, room, 2), Turn::Done);
        assert!(all.iter().all(|someone| someone.socket.take().is_empty()), "it waits for the round");
        hub.rooms.get_mut(&room).unwrap().hand_on(drop);
        let [one, other, third, fourth] = all.map(|someone| someone.socket.take());
        assert_eq!((third.len(), &third), (1, &fourth), "the same for those who hear all of it");
        let types = |frames: &[Frame]| -> Vec<_> {
            frames.iter().flat_map(Frame::values).map(|frame| frame["type"].as_str().unwrap().to_owned()).collect()
        };
        assert_eq!(types(&third), ["typing", "typing", "newMessage"]);
        assert_eq!((types(&one), &types(&one)), (types(&other), &vec!["typing".to_owned(), "newMessage".to_owned()]));
        assert_ne!(one, other, "nobody hears of their own typing");
    }

    #[tokio::test(start_paused = true)]
    async fn renewed_typing_holds_on() {
        let (hub, room, one, mut other) = two_in_a_room();
        pass(1.0).await;
        other.heard();
        for _ in 0..4 {
            hub.typing(&one.socket, room, true);
            pass(4.0).await;
        }
        assert_eq!(other.heard(), ["typing true"; 4]);
        hub.typing(&one.socket, room, false);
        hub.typing(&one.socket, room, false);
        hub.typing(&one.socket, room, true);
        pass(3.0).await;
        assert_eq!(other.heard(), ["typing false", "typing true"], "the sleep that was for the first ends nothing");
        pass(3.0).await;
        assert_eq!(other.heard(), ["typing false"]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_is_told_of_many_comings_and_goings_at_once() {
        let (hub, room, one, mut other) = two_in_a_room();
        pass(1.0).await;
        other.heard();
        for _ in 0..50 {
            hub.leave(&one.socket, room, Timestamp(1));
            assert_eq!(one.enter(&hub, room, 1), Ok(Turn::Done));
        }
        hub.leave(&one.socket, room, Timestamp(2));
        assert_eq!(other.heard(), ["presence"], "the first change at once");
        pass(0.15).await;
        let told = other.frames();
        assert_eq!(told.len(), 1, "the rest as one");
        let told = &told[0];
        let online = told["participants"].as_array().unwrap().iter().map(|person| &person["online"]);
        assert!(online.eq([false, true].iter()), "as it is by then: {told}");
    }

    #[tokio::test(start_paused = true)]
    async fn someone_who_came_while_the_others_were_read_is_not_forgotten() {
        let (hub, room, ..) = two_in_a_room();
        let third = Someone::connect(&hub, "third");
        let mut people = Vec::new();
        hub.arrive(&third.socket, room);
        let entered = hub.enter(&third.socket, room, third.me.id, vec![third.me.clone()], 1, |here| {
            people = here.iter().map(|person| (person.name.clone(), person.online)).collect();
            frame(&here)
        });
        assert_eq!(entered, Ok(Turn::Done));
        assert_eq!(people, ["one", "other", "third"].map(|name| (name.to_owned(), true)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_in_words_for_each_waits_for_those_who_came_meanwhile() {
        let (hub, room, mut one, mut other) = two_in_a_room();
        let person = |someone: &Someone| Person::from(&someone.socket.actor);
        let words = || Some(frame(&ServerFrame::Resync { room }));
        let mut frames = HashMap::from([(person(&one), words())]);
        let missing = hub.tell_change_each(room, 2, &frames).unwrap_err();
        assert_eq!(missing.iter().map(|socket| socket.id).collect::<Vec<_>>(), [other.socket.id]);
        assert_eq!(one.heard(), [""; 0], "nobody before all are ready");

        frames.insert(person(&other), None);
        for _ in 0..2 {
            assert_eq!(hub.tell_change_each(room, 2, &frames).unwrap(), Turn::Done);
        }
        assert_eq!((one.heard(), other.heard()), (vec!["resync".to_owned()], vec![]));
    }

    #[tokio::test(start_paused = true)]
    async fn what_changes_while_someone_arrives_is_told_after_the_joined() {
        let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
        let mut first = Someone::connect(&hub, "first");
        assert_eq!(post(&hub, room, 2), Turn::Done);
        hub.arrive(&first.socket, room);
        // It reads up to 3; 4 comes too late to be read and too early to be told.
        for rev in [3, 4] {
            assert_eq!(post(&hub, room, rev), Turn::Done);
        }
        assert_eq!(first.heard(), [""; 0]);
        assert_eq!(first.enter_at_last(&hub, room, 3), Ok(Turn::Done));
        assert_eq!(post(&hub, room, 5), Turn::Done);
        assert_eq!(first.heard(), ["joined", "presence", "newMessage", "newMessage"]);
        assert_eq!(post(&hub, room, 4), Turn::Done);
        assert_eq!(first.heard(), [""; 0], "4 was told");
    }

    #[tokio::test(start_paused = true)]
    async fn who_read_less_than_the_room_was_told_of_reads_again() {
        let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
        let (one, mut other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
        hub.arrive(&one.socket, room);
        hub.arrive(&other.socket, room);
        // One read later than the other, and nobody will tell 4 any more.
        assert_eq!(one.enter_at_last(&hub, room, 4), Ok(Turn::Done));
        assert_eq!(other.enter_at_last(&hub, room, 3), Err(Behind));
        assert_eq!(other.enter(&hub, room, 4), Ok(Turn::Done));
        assert_eq!(post(&hub, room, 5), Turn::Done);
        assert_eq!(other.heard(), ["joined", "newMessage"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_early_waits_and_what_does_not_come_is_fetched_once() {
        let (hub, room, mut one, _other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        assert_eq!(post(&hub, room, 4), Turn::Missing);
        assert_eq!(post(&hub, room, 6), Turn::Done, "somebody fetches already");
        assert_eq!(hub.missing_after(room), Some(1));
        assert_eq!(post(&hub, room, 3), Turn::Done);
        assert_eq!(one.heard(), [""; 0], "2 is missing");
        assert_eq!(post(&hub, room, 2), Turn::Done);
        assert_eq!(one.heard(), ["newMessage"; 3], "2, and 3 and 4 that waited for it");
        assert_eq!(hub.missing_after(room), Some(4), "6 was heard of");
        assert_eq!(post(&hub, room, 5), Turn::Done);
        assert_eq!(hub.missing_after(room), None);
        assert_eq!((one.heard(), hub.hear_of(room, 7)), (vec!["newMessage".to_owned(); 2], Turn::Missing));
        hub.ends_at(room, 6);
        assert_eq!(hub.missing_after(room), None, "7 is nowhere");
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_in_words_for_each_holds_up_what_follows_it() {
        let (hub, room, mut one, _other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        assert_eq!(hub.tell_change(room, 3, Change::Conversation), Turn::Missing);
        assert_eq!(post(&hub, room, 4), Turn::Done);
        assert_eq!(post(&hub, room, 2), Turn::Each(3));
        assert_eq!(hub.tell_change_each(room, 4, &HashMap::new()).unwrap(), Turn::Done, "not its turn");
        let words = hub.listeners(room).into_iter().map(|socket| (Person::from(&socket.actor), None)).collect();
        assert_eq!(hub.tell_change_each(room, 3, &words).unwrap(), Turn::Done);
        assert_eq!(one.heard(), ["newMessage", "newMessage"]);
        assert_eq!(hub.missing_after(room), None);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_too_much_to_be_told_is_skipped() {
        let (hub, room, mut one, other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        hub.arrive(&other.socket, room);
        hub.skip_to(room, 500);
        assert_eq!(other.enter_at_last(&hub, room, 1), Err(Behind));
        assert_eq!(post(&hub, room, 500), Turn::Done);
        assert_eq!(post(&hub, room, 501), Turn::Done);
        assert_eq!(one.heard(), ["newMessage"], "501, from which one sees that something is missing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_room_that_changes_too_much_meanwhile_has_to_be_read_again() {
        let (hub, room, mut one, mut other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        hub.arrive(&one.socket, room);
        for rev in 2..200 {
            assert_eq!(post(&hub, room, rev), Turn::Done);
            other.heard();
        }
        assert_eq!(one.enter_at_last(&hub, room, 1), Err(Behind));
        assert_eq!(one.heard(), [""; 0], "who arrives again hears of no change until it has entered");
        assert_eq!(one.enter(&hub, room, 199), Ok(Turn::Done));
        assert_eq!(post(&hub, room, 200), Turn::Done);
        assert_eq!(one.heard(), ["joined", "newMessage"]);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_in_a_room_that_goes_or_on_the_way_in_reads_again() {
        let (hub, room, mut one, other) = two_in_a_room();
        pass(1.0).await;
        one.heard();
        hub.arrive(&other.socket, room);
        hub.resync(room);
        assert_eq!(one.heard(), ["resync"]);
        assert_eq!(other.enter_at_last(&hub, room, 1), Err(Behind));
        hub.resync(ConversationId::new());
    }

    #[tokio::test(start_paused = true)]
    async fn who_never_arrives_leaves_nothing_behind() {
        let (hub, room) = (Arc::new(Hub::default()), ConversationId::new());
        let (one, other) = (Someone::connect(&hub, "one"), Someone::connect(&hub, "other"));
        hub.arrive(&one.socket, room);
        hub.arrive(&other.socket, room);
        assert_eq!(hub.leave(&one.socket, room, Timestamp(1)), None);
        assert_eq!(hub.disconnect(&other.socket, Timestamp(1)), []);
        assert_eq!(hub.room_count(), 0);
    }

    #[tokio::test(start_paused = true)]
    async fn changes_come_once_and_in_order_to_those_who_lack_them() {
        let (hub, room, mut one, mut other) = two_in_a_room();
        assert_eq!(other.enter(&hub, room, 3), Ok(Turn::Done));
        pass(1.0).await;
        one.heard();
        other.heard();
        for rev in [2, 3, 3, 2, 4] {
            assert_eq!(post(&hub, room, rev), Turn::Done);
        }
        assert_eq!((one.heard().len(), other.heard().len()), (3, 1), "2, 3 and 4; and 4 alone");
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_read_is_closed_and_the_others_go_on() {
        let (hub, room, one, mut other) = two_in_a_room();
        for rev in 2..QUEUE_FRAMES as i64 + 10 {
            assert_eq!(post(&hub, room, rev), Turn::Done);
            other.heard();
        }
        assert_eq!(one.socket.closed().await, close::TOO_SLOW);
        hub.tell(room, &frame(&ServerFrame::Resync { room }));
        assert_eq!(other.heard(), ["resync"]);
        one.socket.close(close::NOT_ALLOWED);
        assert_eq!(one.socket.closed().await, close::TOO_SLOW, "the first code counts");
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_when_the_hub_is_closing_is_sent_away() {
        let (hub, _, one, _) = two_in_a_room();
        hub.close_all(Duration::ZERO).await;
        assert_eq!(one.socket.closed().await, close::RESTARTING);
        assert_eq!(Someone::connect(&hub, "late").socket.closed().await, close::RESTARTING);
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_goes_down_sends_people_away_one_after_the_other() {
        for (count, window, half) in [(100_u32, 60.0, 0.2), (1_000, 1.0, 0.5)] {
            let hub = Arc::new(Hub::default());
            let people: Vec<_> = (0..count).map(|at| Someone::connect(&hub, &format!("n{at}"))).collect();
            let closing = tokio::spawn({
                let hub = hub.clone();
                async move { hub.close_all(Duration::from_secs_f64(window)).await }
            });
            pass(half).await;
            let gone = people.iter().filter(|someone| someone.socket.is_closing()).count() as f64;
            assert!((gone / f64::from(count) - 0.5).abs() < 0.1, "{gone} of {count}");
            pass(half + 0.01).await;
            assert!(people.iter().all(|someone| someone.socket.is_closing()) && closing.is_finished());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_has_gone_leaves_nothing_behind() {
        let (hub, room, one, other) = two_in_a_room();
        hub.typing(&one.socket, room, true);
        assert_eq!(hub.disconnect(&one.socket, Timestamp(7)).len(), 1);
        assert_eq!(hub.disconnect(&other.socket, Timestamp(8)).len(), 1);
        assert_eq!((hub.socket_count(), hub.room_count()), (0, 0));
        assert!(hub.people.is_empty() && hub.joined.is_empty() && hub.admins.lock().unwrap().is_empty());
    }
}
