//! Updates inboxes: sends a changed conversation's summary to its audience.

use std::{
    collections::{HashMap, VecDeque, hash_map::Entry},
    iter,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::{Service, problem};
use crate::{
    domain::{Actor, Conversation, ConversationId, UserId},
    live::{BusEvent, Socket, Topic, frame},
    protocol::ServerFrame,
    storage::Audience,
};

/// Changes of a conversation within this time are combined into one update.
const EVERY: Duration = Duration::from_millis(100);
/// Conversations per update: fewer than a socket's queue holds.
const AT_ONCE: usize = 64;
/// The pause after an update, in multiples of its duration. Under load, updates may be late, but must leave time for
/// messages.
const REST: u32 = 4;

/// A conversation whose summary has changed.
#[derive(Debug)]
pub(super) struct Changed {
    conversation: ConversationId,
    origin: Origin,
}

/// The node of the change.
#[derive(Debug)]
enum Origin {
    /// This node, which updates the whole audience.
    Here,
    /// Another node, which updates the audience except the people on this one. The audience, if that node sent it.
    Elsewhere(Option<Audience>),
}

/// A changed conversation and its audience.
struct Concern {
    conversation: ConversationId,
    audience: Audience,
    /// Whether to publish the change to other nodes.
    is_local: bool,
}

/// Updates inboxes. Ends with the service.
pub(super) async fn update_all(service: Weak<Service>, mut changed: UnboundedReceiver<Changed>) {
    let mut due = VecDeque::new();
    let mut origins = HashMap::new();
    loop {
        let first = if due.is_empty() { changed.recv().await } else { changed.try_recv().ok() };
        if first.is_none() && due.is_empty() {
            return;
        }
        for Changed { conversation, origin } in first.into_iter().chain(iter::from_fn(|| changed.try_recv().ok())) {
            match origins.entry(conversation) {
                Entry::Vacant(place) => {
                    place.insert(origin);
                    due.push_back(conversation);
                }
                // A change on this node updates the whole audience, regardless of other nodes.
                Entry::Occupied(mut known)
                    if !matches!((known.get(), &origin), (Origin::Here, Origin::Elsewhere(_))) =>
                {
                    known.insert(origin);
                }
                Entry::Occupied(_) => {}
            }
        }
        let Some(service) = service.upgrade() else { return };
        let began = Instant::now();
        let some = due.drain(..due.len().min(AT_ONCE));
        let some = some.filter_map(|id| origins.remove(&id).map(|origin| Changed { conversation: id, origin }));
        service.update_inboxes(some.collect()).await;
        drop(service);
        tokio::time::sleep(EVERY.max(began.elapsed() * REST)).await;
    }
}

impl Service {
    /// Sends the current summaries to each conversation's audience.
    async fn update_inboxes(&self, changed: Vec<Changed>) {
        let concerns = self.concerns(changed).await;
        // All customers of a conversation see the same. So one query reads all conversations with links, as an actor
        // with all of these links. Further queries read the others, as their owners.
        let (mut links, mut linked) = (Vec::new(), Vec::new());
        let mut owned: HashMap<UserId, (Actor, Vec<ConversationId>)> = HashMap::new();
        let mut customers = HashMap::new();
        for Concern { conversation, audience, is_local } in &concerns {
            let sockets = self.hub.customers(audience.customer, &audience.links);
            if let Some(first) = sockets.first() {
                if !audience.links.is_empty() {
                    links.extend(&audience.links);
                    linked.push(*conversation);
                } else if let Some(owner) = audience.customer {
                    owned.entry(owner).or_insert_with(|| (first.actor.clone(), Vec::new())).1.push(*conversation);
                }
                customers.insert(*conversation, sockets);
            }
            if *is_local {
                let Audience { customer, links } = audience.clone();
                self.hub.publish(Topic::Nodes, || BusEvent::Inbox { conversation: *conversation, customer, links });
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
        let ids: Vec<_> = concerns.into_iter().map(|concern| concern.conversation).collect();
        if !ids.is_empty() {
            self.update_admins(&ids).await;
        }
    }

    async fn concerns(&self, changed: Vec<Changed>) -> Vec<Concern> {
        let mut concerns = Vec::new();
        // Conversations whose audience is unknown, and whether this node changed them.
        let mut unknown = HashMap::new();
        for Changed { conversation, origin } in changed {
            match origin {
                Origin::Elsewhere(Some(audience)) => {
                    concerns.push(Concern { conversation, audience, is_local: false });
                }
                Origin::Elsewhere(None) => drop(unknown.insert(conversation, false)),
                Origin::Here => drop(unknown.insert(conversation, true)),
            }
        }
        let ids: Vec<_> = unknown.keys().copied().collect();
        // The callee logs a failure; the conversation's next change updates again.
        let found = if ids.is_empty() { Ok(Vec::new()) } else { self.store.audiences(&ids).await.map_err(problem) };
        concerns.extend(found.unwrap_or_default().into_iter().map(|(conversation, audience)| {
            let is_local = unknown.get(&conversation).is_some_and(|is_local| *is_local);
            Concern { conversation, audience, is_local }
        }));
        concerns
    }

    /// Sends the current summaries to all admins. They differ only in the number of unread messages.
    async fn update_admins(&self, ids: &[ConversationId]) {
        let mut admins: HashMap<UserId, Vec<Arc<Socket>>> = HashMap::new();
        for socket in self.hub.admins() {
            if let Some(user) = socket.actor.user_id() {
                admins.entry(user).or_default().push(socket);
            }
        }
        let Some(actor) = admins.values().flatten().next().map(|socket| socket.actor.clone()) else { return };
        let users: Vec<_> = admins.keys().copied().collect();
        // The callee logs a failure.
        let Ok(seen) = self.conversations_of(&actor, ids).await else { return };
        let Ok(unread) = self.store.count_unread(&actor, ids, &users).await.map_err(problem) else { return };
        let mut by_conversation: HashMap<ConversationId, Vec<(UserId, i64)>> = HashMap::new();
        for (conversation, user, count) in unread {
            by_conversation.entry(conversation).or_default().push((user, count));
        }
        for conversation in seen {
            let mut frames = HashMap::new();
            for (user, unread) in by_conversation.remove(&conversation.id).unwrap_or_default() {
                let frame = frames.entry(unread).or_insert_with(|| {
                    let conversation = Box::new(Conversation { unread, ..conversation.clone() });
                    frame(&ServerFrame::Inbox { conversation })
                });
                admins.get(&user).into_iter().flatten().for_each(|socket| socket.send(frame));
            }
        }
    }

    /// Records that lists with this conversation are outdated.
    pub(super) fn inbox_changed(&self, conversation: ConversationId) {
        self.note_changed(Changed { conversation, origin: Origin::Here });
    }

    /// The same for people on this node; the node of the change updates others.
    pub(super) fn inbox_changed_elsewhere(&self, conversation: ConversationId, audience: Option<Audience>) {
        self.note_changed(Changed { conversation, origin: Origin::Elsewhere(audience) });
    }

    fn note_changed(&self, changed: Changed) {
        // Fails only while the service shuts down.
        self.dirty.send(changed).ok();
    }
}
