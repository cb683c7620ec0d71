//! Several nodes as one: handles events from other nodes, and recovers from events that the bus loses.
//!
//! Rooms are compared with the database at intervals, more often while the bus is down. So a lost event only costs
//! time. A single process compares too, unless its storage reports every commit.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::Duration,
};

use tokio::{
    sync::mpsc::Receiver,
    time::{Instant, MissedTickBehavior, interval, sleep},
};

use super::Service;
use crate::{
    domain::{ConversationId, Timestamp},
    live::{
        BusEvent, Heard, Topic,
        bus::{NodeId, SLICES, Status},
        frame,
    },
    protocol::ServerFrame,
    storage::{Audience, now},
};

/// Interval at which a node publishes that it runs, and one part of its presence.
const SIGN_EVERY: Duration = Duration::from_secs(2);
/// Interval for comparing rooms with the database: while the bus is up, and while it is down.
const COMPARE_EVERY: Duration = Duration::from_secs(2);
const COMPARE_EVERY_AWAY: Duration = Duration::from_millis(500);
/// Rooms per comparing query.
const COMPARE: usize = 5_000;
/// While the bus is down, inboxes receive changed summaries of conversations with activity this recently. The period
/// covers clock differences, and the time until the failure is detected.
const RECENT_MS: i64 = 60_000;
/// Maximum number of conversations in this check.
const RECENT: i64 = 500;

/// Handles input from the bus. Ends with the service.
pub(super) async fn listen(service: Weak<Service>, mut heard: Receiver<Heard>) {
    while let Some(heard) = heard.recv().await {
        let Some(service) = service.upgrade() else { return };
        match heard {
            Heard::Event { topic, from, event } => service.on_event(topic, from, event),
            Heard::Following(rooms) => {
                for &room in &rooms {
                    service.hub.announce(room, true);
                }
                // Spawned, so that further events are handled meanwhile.
                tokio::spawn(async move { service.compare(&rooms).await });
            }
            Heard::Connected => {
                tracing::info!("the bus is connected");
                service.hub.publish(Topic::Nodes, || BusEvent::Alive { asks: true });
                let rooms = service.hub.active_rooms();
                for &room in &rooms {
                    service.hub.announce(room, true);
                }
                (0..SLICES).for_each(|slice| service.hub.announce_slice(slice));
                tokio::spawn(async move { service.compare(&rooms).await });
            }
            Heard::Disconnected => {
                tracing::warn!("the bus is disconnected: rooms are updated from the database");
            }
        }
    }
}

/// Compares rooms with the database, and while the bus is down also the summaries of recent conversations. Ends with
/// the service.
pub(super) async fn compare_all(service: Weak<Service>) {
    // The last seen heads of recent conversations, while the bus is down.
    let mut recent: Option<HashMap<ConversationId, i64>> = None;
    let mut compared = Instant::now();
    loop {
        sleep(COMPARE_EVERY_AWAY).await;
        let Some(service) = service.upgrade() else { return };
        let is_connected = service.bus_status().is_none_or(|status| status.is_connected);
        if is_connected && compared.elapsed() < COMPARE_EVERY {
            continue;
        }
        compared = Instant::now();
        let rooms = service.hub.active_rooms();
        for rooms in rooms.chunks(COMPARE) {
            service.compare(rooms).await;
        }
        // Once more after the reconnection, for changes just before it.
        if !is_connected || recent.is_some() {
            service.tell_recent(recent.get_or_insert_default()).await;
        }
        if is_connected {
            recent = None;
        }
    }
}

/// Publishes that this node runs, and its presence; removes nodes whose signs have expired. Ends with the service.
pub(super) async fn show_signs(service: Weak<Service>) {
    let mut tick = interval(SIGN_EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for slice in (0..SLICES).cycle() {
        tick.tick().await;
        let Some(service) = service.upgrade() else { return };
        service.hub.publish(Topic::Nodes, || BusEvent::Alive { asks: false });
        service.hub.announce_slice(slice);
        for room in service.hub.expire_nodes(now()) {
            service.inbox_changed_elsewhere(room, None);
        }
        service.hub.expire_people(now());
    }
}

impl Service {
    fn on_event(self: &Arc<Self>, topic: Topic, from: NodeId, event: BusEvent) {
        match (topic, event) {
            (Topic::Room(room), BusEvent::Changed { rev, change }) => self.broadcast_change(room, rev, change),
            (Topic::Room(room), BusEvent::Head { rev }) => self.follow_up(room, self.hub.catch_up_to(room, rev)),
            (Topic::Room(room), BusEvent::Typing { participant, on }) => {
                self.hub.types_elsewhere(room, participant, on)
            }
            (Topic::Room(room), BusEvent::Read { participant, seq }) => {
                self.hub.broadcast(room, &frame(&ServerFrame::Read { room, participant, seq }));
            }
            (Topic::Room(room), BusEvent::Here { people, asks }) => {
                self.hub.here_elsewhere(room, from, people, now());
                if asks {
                    self.hub.announce(room, false);
                }
            }
            (Topic::Nodes, BusEvent::Inbox { conversation, customer, links }) => {
                self.inbox_changed_elsewhere(conversation, Some(Audience { customer, links }));
            }
            (Topic::Nodes, BusEvent::CustomerHere { room, on }) => self.hub.customer_here_elsewhere(from, room, on),
            (Topic::Nodes, BusEvent::CustomersHere { slice, rooms }) => {
                self.hub.customers_elsewhere(from, slice, rooms)
            }
            (Topic::Nodes, BusEvent::Request { customer, id, status }) => {
                self.hub.send_request(customer, &frame(&ServerFrame::Request { id, status }));
            }
            (Topic::Nodes, BusEvent::Alive { asks }) => {
                self.hub.node_alive(from);
                if asks {
                    (0..SLICES).for_each(|slice| self.hub.announce_slice(slice));
                }
            }
            (Topic::Nodes, BusEvent::Leaving) => {
                for room in self.hub.forget_node(from, now()) {
                    self.inbox_changed_elsewhere(room, None);
                }
            }
            (topic, event) => tracing::debug!(?topic, ?event, "ignored an event of the bus with a wrong topic"),
        }
    }

    /// Updates rooms whose head in the database is above the last broadcast rev.
    async fn compare(self: &Arc<Self>, rooms: &[ConversationId]) {
        if rooms.is_empty() {
            return;
        }
        match self.store.heads(rooms).await {
            Ok(heads) => {
                for (room, head) in heads {
                    self.follow_up(room, self.hub.catch_up_to(room, head));
                }
            }
            Err(error) => tracing::warn!(%error, "could not compare rooms with the database"),
        }
    }

    /// Updates inboxes on this node with conversations whose head is not in `known`.
    async fn tell_recent(&self, known: &mut HashMap<ConversationId, i64>) {
        let since = Timestamp(now().0 - RECENT_MS);
        match self.store.list_active(since, RECENT).await {
            Ok(active) => {
                for (id, head) in &active {
                    if known.get(id) != Some(head) {
                        self.inbox_changed_elsewhere(*id, None);
                    }
                }
                *known = active.into_iter().collect();
            }
            Err(error) => tracing::warn!(%error, "could not read recent changes"),
        }
    }

    /// The state of the bus; `None` without one.
    #[must_use]
    pub fn bus_status(&self) -> Option<Status> {
        self.bus.as_ref().map(|bus| bus.status())
    }
}
