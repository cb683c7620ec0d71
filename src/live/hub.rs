//! All sockets and rooms of this process.
//!
//! Locks: one shard of `rooms` at a time, never across an await, and nothing that a lock covers
//! takes another of the same map. Sending under a room's lock keeps the order of its frames; it
//! never blocks, because a full queue closes its socket instead.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use dashmap::{DashMap, mapref::entry::Entry};
use tokio::time::Instant;

use super::{
    Frame, Queue, Socket, frame,
    room::{Behind, Presence, Room},
    socket::{ConnectionId, Person},
};
use crate::{
    domain::{Actor, ConversationId, LinkId, Participant, ParticipantId, SessionId, Timestamp, TokenId},
    protocol::{ServerFrame, close},
};

/// How long "is typing" holds without a new sign.
const TYPING_HOLDS: Duration = Duration::from_secs(5);

/// A participant whose last socket has left a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone {
    pub room: ConversationId,
    pub participant: ParticipantId,
    pub at: Timestamp,
}

#[derive(Debug, Default)]
pub struct Hub {
    sockets: DashMap<ConnectionId, Arc<Socket>>,
    /// How many sockets each person has open.
    people: DashMap<Person, u32>,
    rooms: DashMap<ConversationId, Room>,
    /// The rooms of each socket, so that a disconnect finds them.
    joined: DashMap<ConnectionId, Vec<ConversationId>>,
    /// Sockets of the customer side by conversation, for `inbox`.
    audiences: DashMap<ConversationId, Vec<Arc<Socket>>>,
    /// Sockets of admins, for `inbox`.
    admins: Mutex<Vec<Arc<Socket>>>,
    /// Set once the server goes down: who still comes is sent away again.
    is_closing: AtomicBool,
}

impl Hub {
    /// Registers a socket. `own` are the conversations of someone who is no admin. `None`: this
    /// person has `limit` sockets open already.
    pub fn connect(
        &self,
        actor: Actor,
        session: Option<SessionId>,
        token: Option<TokenId>,
        own: &[ConversationId],
        limit: u32,
    ) -> Option<(Arc<Socket>, Queue)> {
        {
            let mut open = self.people.entry(Person::from(&actor)).or_insert(0);
            if *open >= limit {
                return None;
            }
            *open += 1;
        }
        let (socket, queue) = Socket::new(actor, session, token);
        if socket.actor.is_admin() {
            self.admins.lock().unwrap_or_else(PoisonError::into_inner).push(socket.clone());
        }
        for id in own {
            self.audiences.entry(*id).or_default().push(socket.clone());
        }
        self.sockets.insert(socket.id, socket.clone());
        // After the insertion: either this sees that the hub is closing, or `close_all` sees the socket.
        if self.is_closing.load(Ordering::SeqCst) {
            socket.close(close::RESTARTING);
        }
        Some((socket, queue))
    }

    /// Forgets a socket; returns who is gone from which room.
    pub fn disconnect(self: &Arc<Self>, socket: &Socket, own: &[ConversationId], at: Timestamp) -> Vec<Gone> {
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
        for id in own {
            if let Entry::Occupied(mut audience) = self.audiences.entry(*id) {
                audience.get_mut().retain(|other| other.id != socket.id);
                if audience.get().is_empty() {
                    audience.remove();
                }
            }
        }
        let rooms = self.joined.remove(&socket.id).map(|(_, rooms)| rooms).unwrap_or_default();
        rooms.into_iter().filter_map(|room| self.leave_room(socket.id, room, at)).collect()
    }

    /// Lets `socket`, which has everything up to `head`, into a room. `joined` makes the frame that
    /// tells it so from the list of participants; live frames follow it. It runs under the room's
    /// lock, so it must not ask this hub for anything.
    ///
    /// # Errors
    /// [`Behind`] if the room has been told more than `head`.
    pub fn enter(
        self: &Arc<Self>,
        socket: &Arc<Socket>,
        room: ConversationId,
        me: ParticipantId,
        people: Vec<Participant>,
        head: i64,
        joined: impl FnOnce(&[Participant]) -> Frame,
    ) -> Result<(), Behind> {
        let mut live = self.rooms.entry(room).or_insert_with(|| Room::new(head));
        if live.enter(socket, me, people, head, joined)? {
            self.presence_changed(room, &mut live);
        }
        drop(live);
        let mut joined = self.joined.entry(socket.id).or_default();
        if !joined.contains(&room) {
            joined.push(room);
        }
        Ok(())
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
        let gone = live.get_mut().leave(socket, at);
        if live.get().is_empty() {
            live.remove();
        } else if let Some(participant) = gone {
            if live.get_mut().stops_typing(participant) {
                live.get().tell(&typing_frame(room, participant, false), None);
            }
            self.presence_changed(room, live.get_mut());
        }
        gone.map(|participant| Gone { room, participant, at })
    }

    /// Tells the room who is here, now or a little later.
    fn presence_changed(self: &Arc<Self>, room: ConversationId, live: &mut Room) {
        match live.presence_changed(Instant::now()) {
            Presence::TellNow => tell_presence(room, live),
            Presence::Awaited => {}
            Presence::TellAt(at) => {
                let hub = self.clone();
                tokio::spawn(async move {
                    tokio::time::sleep_until(at).await;
                    if let Some(mut live) = hub.rooms.get_mut(&room)
                        && live.presence_due(Instant::now())
                    {
                        tell_presence(room, &live);
                    }
                });
            }
        }
    }

    /// Tells a room of the change `rev`, unless it was told of a later one.
    pub fn tell_change(&self, room: ConversationId, rev: i64, frame: impl FnOnce() -> Frame) {
        if let Some(mut live) = self.rooms.get_mut(&room)
            && live.advance(rev)
        {
            let frame = frame();
            live.without(rev).for_each(|socket| socket.send(frame.clone()));
        }
    }

    /// The same where each person is told in other words; whose frame is `None` is not told.
    ///
    /// # Errors
    /// The sockets of those for whom `frames` has nothing, who came while it was made. Nobody was
    /// told yet: make theirs too, and try again.
    pub fn tell_change_each(
        &self,
        room: ConversationId,
        rev: i64,
        frames: &HashMap<Person, Option<Frame>>,
    ) -> Result<(), Vec<Arc<Socket>>> {
        let Some(mut live) = self.rooms.get_mut(&room) else { return Ok(()) };
        let unprepared =
            |socket: &Arc<Socket>| (!frames.contains_key(&Person::from(&socket.actor))).then(|| socket.clone());
        let missing: Vec<_> = live.without(rev).filter_map(unprepared).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        if live.advance(rev) {
            for socket in live.without(rev) {
                if let Some(Some(frame)) = frames.get(&Person::from(&socket.actor)) {
                    socket.send(frame.clone());
                }
            }
        }
        Ok(())
    }

    /// Tells a room something that is not a change: receipts.
    pub fn tell(&self, room: ConversationId, frame: &Frame) {
        if let Some(live) = self.rooms.get(&room) {
            live.tell(frame, None);
        }
    }

    /// Tells the others in the room that the person on `socket` types or stopped. False if the
    /// socket is not in the room.
    pub fn typing(self: &Arc<Self>, socket: &Socket, room: ConversationId, on: bool) -> bool {
        let Some(mut live) = self.rooms.get_mut(&room) else { return false };
        let Some(participant) = live.participant(socket.id) else { return false };
        let started = on && live.types(participant, Instant::now() + TYPING_HOLDS);
        if on || live.stops_typing(participant) {
            live.tell(&typing_frame(room, participant, on), Some(participant));
        }
        drop(live);
        if started {
            tokio::spawn(self.clone().expire_typing(room, participant));
        }
        true
    }

    async fn expire_typing(self: Arc<Self>, room: ConversationId, participant: ParticipantId) {
        loop {
            let until = self.rooms.get(&room).and_then(|live| live.typing_until(participant));
            match until {
                None => return,
                Some(until) if until > Instant::now() => tokio::time::sleep_until(until).await,
                Some(_) => break,
            }
        }
        if let Some(mut live) = self.rooms.get_mut(&room)
            && live.stops_typing(participant)
        {
            live.tell(&typing_frame(room, participant, false), Some(participant));
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

    /// Whether someone of the customer side is in the room.
    #[must_use]
    pub fn customer_online(&self, room: ConversationId) -> bool {
        self.rooms.get(&room).is_some_and(|live| live.sockets().any(|socket| !socket.actor.is_admin()))
    }

    /// Sets `online` of each by who is in the room.
    pub fn mark_online(&self, room: ConversationId, people: &mut [Participant]) {
        if let Some(live) = self.rooms.get(&room) {
            for person in people {
                person.online = live.is_online(person.id);
            }
        }
    }

    /// The sockets in a room.
    #[must_use]
    pub fn in_room(&self, room: ConversationId) -> Vec<Arc<Socket>> {
        self.rooms.get(&room).map(|live| live.sockets().cloned().collect()).unwrap_or_default()
    }

    /// Every socket whose person may see this conversation, joined or not.
    #[must_use]
    pub fn audience(&self, id: ConversationId) -> Vec<Arc<Socket>> {
        let mut sockets = self.admins.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(customers) = self.audiences.get(&id) {
            sockets.extend(customers.iter().cloned());
        }
        sockets
    }

    /// Closes all sockets of a login session that has ended.
    pub fn close_session(&self, session: SessionId) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.session == Some(session));
    }

    /// Closes all sockets of an API token that was revoked.
    pub fn close_token(&self, token: TokenId) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.token == Some(token));
    }

    /// Closes all sockets of those who came by one of these links.
    pub fn close_links(&self, links: &[LinkId]) {
        self.close_where(close::NOT_ALLOWED, |socket| socket.actor.links().iter().any(|link| links.contains(link)));
    }

    /// Closes all sockets, and those that still come: the server is going down.
    pub fn close_all(&self) {
        self.is_closing.store(true, Ordering::SeqCst);
        self.close_where(close::RESTARTING, |_| true);
    }

    fn close_where(&self, code: u16, which: impl Fn(&Socket) -> bool) {
        for socket in self.sockets.iter().filter(|socket| which(socket)) {
            socket.close(code);
        }
    }

    /// The API tokens that sockets were opened with.
    #[must_use]
    pub fn tokens(&self) -> Vec<TokenId> {
        let mut tokens: Vec<_> = self.sockets.iter().filter_map(|socket| socket.token).collect();
        tokens.sort_unstable();
        tokens.dedup();
        tokens
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

fn tell_presence(room: ConversationId, live: &Room) {
    live.tell(&frame(&ServerFrame::Presence { room, participants: live.people().to_vec() }), None);
}

fn typing_frame(room: ConversationId, participant: ParticipantId, on: bool) -> Frame {
    frame(&ServerFrame::Typing { room, participant, on })
}
