//! After the commit: tells rooms of each change in its order, here and on other nodes, fetches what a
//! room has missed, and tells inboxes of what is new.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{Service, problem};
use crate::{
    domain::{Actor, Change, Code, Conversation, ConversationId, Problem, UserId},
    live::{Event, Person, Socket, Topic, Turn, frame},
    protocol::ServerFrame,
    storage::{Audience, Commit, Page},
};

/// Changes of a conversation within this time reach an inbox as one.
const INBOX_EVERY: Duration = Duration::from_millis(100);
/// Conversations that inboxes are told of at once: fewer than may wait for a socket.
const INBOX_AT_ONCE: usize = 64;
/// After telling inboxes there is a pause of so many times as long: under load they may come later, but must
/// not take the time that messages need.
const INBOX_REST: u32 = 4;

/// What is not there may be on its way: another node's change is stored before it is heard of.
const ON_ITS_WAY: Duration = Duration::from_millis(20);
/// Messages that are fetched at once for a room that has missed some.
const FETCH: i64 = 100;
/// Changes that a room is told of after it has missed them; of more it would be told too slowly.
const MOST_RETOLD: i64 = 200;
/// Pause after the database did not answer.
const FETCH_AGAIN: Duration = Duration::from_millis(500);

/// A conversation whose summary has changed.
#[derive(Clone, Debug)]
pub(super) enum Changed {
    /// Tell everybody.
    Here,
    /// Another node tells everybody; only people on this one are left. Whom it concerns, if it said so.
    Elsewhere(Option<Audience>),
}

/// Tells the rooms. Ends when the store closes.
pub(super) async fn publish(service: Weak<Service>, mut commits: UnboundedReceiver<Vec<Commit>>) {
    while let Some(batch) = commits.recv().await {
        let Some(service) = service.upgrade() else { return };
        for Commit { conversation_id: room, rev, change } in batch {
            service.hub.publish(Topic::Room(room), || Event::Changed { rev, change: change.clone() });
            service.tell_room(room, rev, change);
            service.inbox_changed(room);
        }
    }
}

/// Tells the inboxes. Ends with the service.
pub(super) async fn tell_inboxes(service: Weak<Service>, mut changed: UnboundedReceiver<(ConversationId, Changed)>) {
    let mut due = VecDeque::new();
    let mut how = HashMap::new();
    loop {
        let first = if due.is_empty() { changed.recv().await } else { changed.try_recv().ok() };
        if first.is_none() && due.is_empty() {
            return;
        }
        for (id, change) in first.into_iter().chain(std::iter::from_fn(|| changed.try_recv().ok())) {
            match how.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(change);
                    due.push_back(id);
                }
                // Who has to tell everybody does so, whatever others say.
                Entry::Occupied(mut known)
                    if !matches!((known.get(), &change), (Changed::Here, Changed::Elsewhere(_))) =>
                {
                    known.insert(change);
                }
                Entry::Occupied(_) => {}
            }
        }
        let Some(service) = service.upgrade() else { return };
        let began = Instant::now();
        let some = due.drain(..due.len().min(INBOX_AT_ONCE));
        service.tell_inbox(some.filter_map(|id| how.remove_entry(&id)).collect()).await;
        drop(service);
        tokio::time::sleep(INBOX_EVERY.max(began.elapsed() * INBOX_REST)).await;
    }
}

impl Service {
    /// Tells the room of a change that is on disk.
    pub(super) fn tell_room(self: &Arc<Self>, room: ConversationId, rev: i64, change: Change) {
        if let Change::Posted(message) = &change {
            self.hub.stops_typing(room, message.sender_id);
        }
        self.see_to(room, self.hub.tell_change(room, rev, change));
    }

    /// Does what a room needs after it was told something.
    pub(super) fn see_to(self: &Arc<Self>, room: ConversationId, turn: Turn) {
        match turn {
            Turn::Done => {}
            Turn::Each(rev) => drop(tokio::spawn(self.clone().tell_each(room, rev))),
            Turn::Missing => drop(tokio::spawn(self.clone().fetch_missing(room))),
        }
    }

    /// Tells the room of a change of its conversation, which each person sees in their own way.
    async fn tell_each(self: Arc<Self>, room: ConversationId, rev: i64) {
        let turn = match self.try_tell_each(room, rev, &mut HashMap::new()).await {
            Ok(turn) => turn,
            // It is fetched, once the database answers.
            Err(_) => self.hub.hear_of(room, rev),
        };
        self.see_to(room, turn);
    }

    /// # Errors
    /// `unavailable`: nobody was told.
    async fn try_tell_each(&self, room: ConversationId, rev: i64, seen: &mut Seen) -> Result<Turn, Problem> {
        let words = |conversation: &Conversation| {
            frame(&ServerFrame::ConversationUpdated { room, rev, conversation: Box::new(conversation.clone()) })
        };
        let mut newcomers = self.hub.listeners(room);
        loop {
            self.see(&newcomers, room, seen).await?;
            let frames = seen.iter().map(|(person, seen)| (*person, seen.as_ref().map(words))).collect();
            // Someone may have come in meanwhile, without this change.
            match self.hub.tell_change_each(room, rev, &frames) {
                Ok(turn) => return Ok(turn),
                Err(others) => newcomers = others,
            }
        }
    }

    /// Tells a room from the database what it was not told of: another node did not get through, or this
    /// one did not listen. Ends when nothing is missing any more or nobody is there.
    async fn fetch_missing(self: Arc<Self>, room: ConversationId) {
        tokio::time::sleep(ON_ITS_WAY).await;
        while let Some(told) = self.hub.missing_after(room) {
            // A failing database has been logged.
            if self.fetch_after(room, told).await.is_err() {
                tokio::time::sleep(FETCH_AGAIN).await;
            }
        }
    }

    async fn fetch_after(self: &Arc<Self>, room: ConversationId, told: i64) -> Result<(), Problem> {
        let page = self.read_for_room(room, told).await?;
        let upto = if page.more { page.messages.last().map_or(told, |last| last.rev) } else { page.head };
        if page.head - told > MOST_RETOLD {
            // Whoever is told of the head sees the gap before it.
            self.hub.skip_to(room, page.head - 1);
            return Ok(());
        }
        if !page.more {
            self.hub.ends_at(room, page.head);
        }
        let mut messages = page.messages.into_iter().peekable();
        let mut seen = HashMap::new();
        for rev in told + 1..=upto {
            self.arrivals.caught_up.inc();
            let mut turn = match messages.next_if(|message| message.rev == rev) {
                Some(message) => {
                    self.hub.stops_typing(room, message.sender_id);
                    self.hub.tell_change(room, rev, Change::last_of(message))
                }
                // A change of the conversation, or of a message that has changed again since.
                None => self.try_tell_each(room, rev, &mut seen).await?,
            };
            while let Turn::Each(next) = turn {
                turn = self.try_tell_each(room, next, &mut seen).await?;
            }
        }
        Ok(())
    }

    /// Reads what changed after `told` with the eyes of somebody who listens: whoever is told may read.
    async fn read_for_room(&self, room: ConversationId, told: i64) -> Result<Page, Problem> {
        for socket in self.hub.listeners(room) {
            match self.store.list_after(&socket.actor, room, told, FETCH).await.map_err(problem) {
                // The access of this one has ended meanwhile.
                Err(Problem { code: Code::NotFound, .. }) => {}
                read => return read,
            }
        }
        Err(Problem::not_found())
    }

    /// Tells everybody whom it concerns how conversations look now.
    async fn tell_inbox(&self, changed: Vec<(ConversationId, Changed)>) {
        let (mut concerns, mut unknown) = (Vec::new(), Vec::new());
        for (id, how) in changed {
            match how {
                Changed::Elsewhere(Some(audience)) => concerns.push((id, audience, false)),
                Changed::Elsewhere(None) => unknown.push((id, false)),
                Changed::Here => unknown.push((id, true)),
            }
        }
        let ids: Vec<_> = unknown.iter().map(|(id, _)| *id).collect();
        // A failing database is logged there; the next change of the conversation tells again.
        let found = if ids.is_empty() { Ok(Vec::new()) } else { self.store.audiences(&ids).await.map_err(problem) };
        for (id, audience) in found.unwrap_or_default() {
            let is_here = unknown.iter().any(|(of, is_here)| *of == id && *is_here);
            concerns.push((id, audience, is_here));
        }

        // All of a conversation's customer side see the same. So those with a link are asked for at once, with the
        // eyes of somebody who came by all of these links, and only others with those of their owners.
        let (mut links, mut linked) = (Vec::new(), Vec::new());
        let mut owned: HashMap<UserId, (Actor, Vec<ConversationId>)> = HashMap::new();
        let mut customers = HashMap::new();
        for (id, audience, is_here) in &concerns {
            let sockets = self.hub.customers(audience.customer, &audience.links);
            if let Some(first) = sockets.first() {
                if !audience.links.is_empty() {
                    links.extend(&audience.links);
                    linked.push(*id);
                } else if let Some(owner) = audience.customer {
                    owned.entry(owner).or_insert_with(|| (first.actor.clone(), Vec::new())).1.push(*id);
                }
                customers.insert(*id, sockets);
            }
            if *is_here {
                let Audience { customer, links } = audience.clone();
                self.hub.publish(Topic::Nodes, || Event::Inbox { conversation: *id, customer, links });
            }
        }
        let by_links = Some((Actor::Guest(links), linked)).filter(|(_, ids)| !ids.is_empty());
        for (actor, ids) in by_links.into_iter().chain(owned.into_values()) {
            for conversation in self.conversations_of(&actor, &ids).await.unwrap_or_default() {
                let sockets = customers.remove(&conversation.id).unwrap_or_default();
                let frame = frame(&ServerFrame::Inbox { conversation: Box::new(conversation) });
                sockets.iter().for_each(|socket| socket.send(&frame));
            }
        }
        let ids: Vec<_> = concerns.into_iter().map(|(id, ..)| id).collect();
        if !ids.is_empty() {
            self.tell_admins(&ids).await;
        }
    }

    /// Tells all admins how conversations look now: to each the same, but for what they have not read.
    async fn tell_admins(&self, ids: &[ConversationId]) {
        let mut admins: HashMap<UserId, Vec<Arc<Socket>>> = HashMap::new();
        for socket in self.hub.admins() {
            if let Some(user) = socket.actor.user_id() {
                admins.entry(user).or_default().push(socket);
            }
        }
        let Some(actor) = admins.values().flatten().next().map(|socket| socket.actor.clone()) else { return };
        let users: Vec<_> = admins.keys().copied().collect();
        // A failing database is logged there.
        let Ok(seen) = self.conversations_of(&actor, ids).await else { return };
        let Ok(unread) = self.store.count_unread(&actor, ids, &users).await.map_err(problem) else { return };
        let mut by_conversation: HashMap<ConversationId, Vec<(UserId, i64)>> = HashMap::new();
        for (conversation, user, count) in unread {
            by_conversation.entry(conversation).or_default().push((user, count));
        }
        for conversation in seen {
            let mut frames = HashMap::new();
            for (user, unread) in by_conversation.remove(&conversation.id).unwrap_or_default() {
                let words = frames.entry(unread).or_insert_with(|| {
                    let conversation = Box::new(Conversation { unread, ..conversation.clone() });
                    frame(&ServerFrame::Inbox { conversation })
                });
                admins.get(&user).into_iter().flatten().for_each(|socket| socket.send(words));
            }
        }
    }

    /// Adds how each person on these sockets sees a conversation; `None` for those who may not see it any
    /// more.
    ///
    /// # Errors
    /// `unavailable`.
    async fn see(&self, sockets: &[Arc<Socket>], id: ConversationId, seen: &mut Seen) -> Result<(), Problem> {
        let people: HashMap<Person, &Actor> =
            sockets.iter().map(|socket| (Person::from(&socket.actor), &socket.actor)).collect();
        for (person, actor) in people {
            if seen.contains_key(&person) {
                continue;
            }
            let conversation = match self.conversation(actor, id).await {
                Ok(conversation) => Some(conversation),
                Err(Problem { code: Code::Unavailable, .. }) => return Err(Problem::unavailable()),
                Err(_) => None,
            };
            seen.insert(person, conversation);
        }
        Ok(())
    }

    /// Notes that lists which show this conversation are out of date.
    pub(super) fn inbox_changed(&self, id: ConversationId) {
        // Fails only when the service is going down, and then nobody is left to be told.
        self.dirty.send((id, Changed::Here)).ok();
    }

    /// The same for people on this node; others are told where it happened.
    pub(super) fn inbox_changed_elsewhere(&self, id: ConversationId, audience: Option<Audience>) {
        self.dirty.send((id, Changed::Elsewhere(audience))).ok();
    }
}

/// A conversation as each person sees it.
type Seen = HashMap<Person, Option<Conversation>>;
