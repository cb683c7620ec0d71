//! Rooms: a socket opens, joins, resumes, leaves, and disconnects.

use std::{sync::Arc, time::Duration};

use super::{Service, problem, rate};
use crate::{
    domain::{Actor, ConversationId, Epoch, ParticipantId, ParticipantKind, Problem, SessionId, TokenId},
    live::{Person, Seen, Socket, frame},
    locales::{self, t},
    protocol::{JOIN_CATCH_UP, JOIN_LATEST, Joined, ServerFrame, SocketUser},
    storage::{self, ConversationFilter, now},
};

/// Attempts of a join that the room has outrun, before the client must retry. Each takes a few reads, so a room would
/// have to change thousands of times a second.
const JOIN_TRIES: usize = 20;

/// Retry delay for one socket too many: the time until another closes is unknown.
const RETRY_CONNECT_S: u64 = 5;

/// How long a page may be hidden until its person is away. Looking something up in another tab takes less.
const AWAY_AFTER: Duration = Duration::from_secs(30);

/// A registered socket. Dropping it removes the socket from every room, regardless of how its task ends.
pub struct Connection {
    pub socket: Arc<Socket>,
    service: Arc<Service>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        let gone = self.service.hub.disconnect(&self.socket, now());
        if !gone.is_empty() {
            let service = self.service.clone();
            tokio::spawn(async move { service.note_gone(&gone).await });
        }
    }
}

impl Service {
    /// Registers a socket and enqueues its `welcome`.
    ///
    /// # Errors
    /// `rate_limited` if this person has too many sockets open.
    pub async fn connect(
        self: &Arc<Self>,
        actor: Actor,
        session: Option<SessionId>,
        token: Option<TokenId>,
    ) -> Result<Connection, Problem> {
        let user = self.who(&actor).await?;
        let limit = self.settings.limits.connections;
        let socket = self
            .hub
            .connect(actor, session, token, limit)
            .ok_or_else(|| Problem::held_back(RETRY_CONNECT_S, t!(locales::current(), problem::connections(limit))))?;
        socket.send(&frame(&ServerFrame::Welcome { connection_id: socket.id, user, epoch: self.epoch }));
        Ok(Connection { socket, service: self.clone() })
    }

    /// The identity of a socket's person.
    ///
    /// # Errors
    /// `unauthorized` for a guest whose link was revoked; `unavailable`.
    pub(super) async fn who(&self, actor: &Actor) -> Result<SocketUser, Problem> {
        Ok(match actor {
            Actor::Admin(user) => {
                SocketUser { kind: ParticipantKind::Admin, id: user.id.into(), name: user.name.to_string() }
            }
            Actor::Customer(user, _) => {
                SocketUser { kind: ParticipantKind::Customer, id: user.id.into(), name: user.name.to_string() }
            }
            Actor::Guest(_) => {
                let filter = ConversationFilter::default();
                let seats = self.store.list_conversations(actor, &filter, None, 1).await.map_err(problem)?;
                // `None` if the link was just revoked.
                let me = seats.into_iter().next().ok_or_else(Problem::unauthorized)?.me;
                SocketUser { kind: me.kind, id: me.id, name: me.name }
            }
        })
    }

    /// Joins a room or resumes in it: enqueues `joined`. Unless that has `more`, live frames follow it without a gap.
    ///
    /// # Errors
    /// `not_found`, `invalid`, `unavailable`; `forbidden` if the actor is not `sender`. `rate_limited`: then nothing
    /// has changed, also for a socket that is in the room.
    pub async fn join(
        self: &Arc<Self>,
        socket: &Arc<Socket>,
        room: ConversationId,
        after: Option<i64>,
        epoch: Option<Epoch>,
        sender: Option<ParticipantId>,
    ) -> Result<(), Problem> {
        self.count_ask(&socket.actor)?;
        let is_in = self.try_join(socket, room, after, epoch, sender).await;
        if !matches!(is_in, Ok(true)) {
            self.leave_room(socket, room).await;
        }
        is_in.map(drop)
    }

    /// Returns whether the socket has entered the room.
    async fn try_join(
        self: &Arc<Self>,
        socket: &Arc<Socket>,
        room: ConversationId,
        after: Option<i64>,
        epoch: Option<Epoch>,
        sender: Option<ParticipantId>,
    ) -> Result<bool, Problem> {
        let actor = &socket.actor;
        // Only people with access may arrive.
        let seat = self.store.find_conversation(actor, room).await.map_err(problem)?;
        if sender.is_some_and(|sender| sender != seat.me.id) {
            return Err(Problem::somebody_else());
        }
        if after.is_some_and(|after| after < 0) {
            return Err(Problem::invalid("after", t!(locales::current(), api::REV)));
        }
        let resync = || {
            socket.send(&frame(&ServerFrame::Resync { room }));
            Ok(false)
        };
        if epoch.is_some_and(|epoch| epoch != self.epoch) {
            return resync();
        }
        for _ in 0..JOIN_TRIES {
            // Before the read; see [`crate::live::Hub::arrive`].
            self.hub.arrive(socket, room);
            let most = if after.is_some() { JOIN_CATCH_UP } else { JOIN_LATEST };
            let storage::Snapshot { mut seat, page, mut participants, receipts } =
                self.store.load_room(actor, room, after, most).await.map_err(problem)?;
            if after.is_some_and(|after| after > page.head) {
                return resync();
            }
            let me = seat.me.id;
            if participants.iter().all(|person| person.id != me) {
                seat = self.store.join(actor, room).await.map_err(problem)?;
                participants.push(seat.me.clone());
            }
            // Built before the room is locked, as it calls the hub.
            let conversation = self.seen_by(actor, seat);
            // Without `after`, older messages are loaded on demand; `more` refers to changes only.
            let more = after.is_some() && page.more;
            let head = page.head;
            let joined = |participants: Vec<_>| {
                frame(&ServerFrame::Joined(Box::new(Joined {
                    room,
                    epoch: self.epoch,
                    head,
                    conversation,
                    participants,
                    receipts,
                    messages: page.messages,
                    more,
                })))
            };
            if more {
                // No live frame may follow it.
                self.leave_room(socket, room).await;
                self.hub.mark_online(room, &mut participants);
                socket.send(&joined(participants));
                return Ok(false);
            }
            let came_online = !actor.is_admin() && !self.hub.customer_online(room);
            let entered = self.hub.enter(socket, room, me, participants, head, |people| joined(people.to_vec()));
            if let Ok(outcome) = entered {
                self.follow_up(room, outcome);
                if came_online {
                    self.inbox_changed(room);
                }
                return Ok(true);
            }
        }
        Err(Problem::unavailable())
    }

    /// Removes a socket from a room, if it is in it.
    ///
    /// # Errors
    /// `not_found` for a room that this person may not see; `rate_limited`.
    pub async fn leave(&self, socket: &Socket, room: ConversationId) -> Result<(), Problem> {
        self.count_ask(&socket.actor)?;
        if !self.hub.is_in(socket.id, room) {
            return self.store.find_conversation(&socket.actor, room).await.map(drop).map_err(problem);
        }
        self.leave_room(socket, room).await;
        Ok(())
    }

    async fn leave_room(&self, socket: &Socket, room: ConversationId) {
        if let Some(gone) = self.hub.leave(socket, room, now()) {
            self.note_gone(&[gone]).await;
        }
    }

    async fn note_gone(&self, gone: &[crate::live::Gone]) {
        for gone in gone {
            self.inbox_changed(gone.room);
            if let Err(error) = self.store.left(gone.room, gone.participant, gone.at).await {
                tracing::warn!(%error, "could not store when a participant was last seen");
            }
        }
    }

    /// From now on this socket receives changes of custom requests.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn follow_requests(&self, socket: &Socket) -> Result<(), Problem> {
        self.count_ask(&socket.actor)?;
        socket.follow_requests();
        Ok(())
    }

    /// Records whether the person can see this socket's page. A person who sees none of their pages for
    /// [`AWAY_AFTER`] is away, which others see as not online.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn set_visible(self: &Arc<Self>, socket: &Arc<Socket>, on: bool) -> Result<(), Problem> {
        self.count_ask(&socket.actor)?;
        let at = now();
        let (telling, seen) = self.hub.set_visible(socket, on, at);
        let (service, socket) = (Arc::downgrade(self), Arc::downgrade(socket));
        tokio::spawn(async move {
            if let Some(service) = service.upgrade() {
                service.note_seen(&seen).await;
            }
            if on {
                return;
            }
            tokio::time::sleep(AWAY_AFTER).await;
            if let (Some(service), Some(socket)) = (service.upgrade(), socket.upgrade()) {
                let seen = service.hub.set_away(&socket, telling, at);
                service.note_seen(&seen).await;
            }
        });
        Ok(())
    }

    async fn note_seen(&self, seen: &[Seen]) {
        for Seen { room, gone } in seen {
            self.inbox_changed(*room);
            self.note_gone(gone.as_slice()).await;
        }
    }

    /// Counts a socket's request that changes no message, because each costs a database read.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn count_ask(&self, actor: &Actor) -> Result<(), Problem> {
        self.asks.take(Person::from(actor)).map_err(|wait| Problem::rate_limited(rate::seconds(wait)))
    }

    /// Counts an invalid frame. Returns whether its socket may send another: occasional mistakes are answered, but a
    /// peer that sends only invalid frames is useless.
    #[must_use]
    pub fn count_invalid(&self, socket: &Socket) -> bool {
        self.invalid.take(socket.id).is_ok()
    }

    /// Broadcasts that a person types, or has stopped.
    ///
    /// # Errors
    /// `not_found` if the socket has not joined the room; `rate_limited`.
    pub fn typing(&self, socket: &Socket, room: ConversationId, on: bool) -> Result<(), Problem> {
        // Each sign is broadcast to the room, so one person could flood the others.
        self.signs.take(Person::from(&socket.actor)).map_err(|wait| Problem::rate_limited(rate::seconds(wait)))?;
        if self.hub.typing(socket, room, on) { Ok(()) } else { Err(Problem::not_found()) }
    }
}
