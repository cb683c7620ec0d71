//! State of other nodes: who is in which room, who types, which nodes run.
//!
//! All of it expires and is repeated regularly. So a lost event corrects itself, and a dead node is forgotten.

use std::{collections::HashSet, sync::Arc, time::Duration};

use dashmap::mapref::entry::Entry;
use tokio::time::Instant;

use super::{
    BusEvent, Hub, Topic,
    bus::{NodeId, slice},
    hub::{Node, typing_frame},
};
use crate::domain::{ConversationId, Participant, ParticipantId, Timestamp};

/// How long a node counts as running after its last sign.
pub const NODE_HOLDS: Duration = Duration::from_secs(7);

/// How long people of a node count as present after its last sign: each [`slice`] is repeated every 30 s.
const PEOPLE_HOLD: Duration = Duration::from_secs(75);

impl Hub {
    /// Rooms that have sockets here.
    #[must_use]
    pub fn active_rooms(&self) -> Vec<ConversationId> {
        self.rooms.iter().map(|live| *live.key()).collect()
    }

    /// Whether someone of the customer side is in the room on another node.
    pub(super) fn customer_elsewhere(&self, room: ConversationId) -> bool {
        self.nodes.iter().any(|node| node.customers.contains(&room))
    }

    /// Publishes who is in the room on this node; with `asks`, the other nodes answer with theirs.
    pub fn announce(&self, room: ConversationId, asks: bool) {
        if let Some(live) = self.rooms.get(&room) {
            let people = live.here();
            if asks || !people.is_empty() {
                self.publish(Topic::Room(room), || BusEvent::Here { people, asks });
            }
        }
    }

    /// Publishes again who is here, in the rooms of one slice.
    pub fn announce_slice(&self, part: u8) {
        let mut customers = Vec::new();
        for live in self.rooms.iter().filter(|live| slice(*live.key()) == part) {
            let (room, people) = (*live.key(), live.here());
            if live.has_customer() {
                customers.push(room);
            }
            if !people.is_empty() {
                self.publish(Topic::Room(room), || BusEvent::Here { people, asks: false });
            }
        }
        self.publish(Topic::Nodes, || BusEvent::CustomersHere { slice: part, rooms: customers });
    }

    /// Records that another node runs. Returns whether it is new.
    pub fn node_alive(&self, node: NodeId) -> bool {
        let until = Instant::now() + NODE_HOLDS;
        match self.nodes.entry(node) {
            Entry::Occupied(mut known) => {
                known.get_mut().until = until;
                false
            }
            Entry::Vacant(place) => {
                place.insert(Node { until, customers: HashSet::new() });
                true
            }
        }
    }

    /// Removes a node that has stopped or whose signs have expired. Returns the rooms in which it had customers.
    pub fn forget_node(self: &Arc<Self>, node: NodeId, at: Timestamp) -> Vec<ConversationId> {
        let Some((_, known)) = self.nodes.remove(&node) else { return Vec::new() };
        self.expire_people(at);
        known.customers.into_iter().collect()
    }

    /// Removes nodes whose signs have expired. Returns the rooms in which they had customers.
    pub fn expire_nodes(self: &Arc<Self>, at: Timestamp) -> Vec<ConversationId> {
        let now = Instant::now();
        let silent: Vec<NodeId> = self.nodes.iter().filter(|node| node.until <= now).map(|node| *node.key()).collect();
        silent.into_iter().flat_map(|node| self.forget_node(node, at)).collect()
    }

    /// Removes people of other nodes whose presence was not repeated in time.
    pub fn expire_people(self: &Arc<Self>, at: Timestamp) {
        let now = Instant::now();
        for mut live in self.rooms.iter_mut() {
            if live.expire_elsewhere(|node| !self.nodes.contains_key(&node), now, at) {
                let room = *live.key();
                self.presence_changed(room, &mut live);
            }
        }
    }

    /// Records the people who are in the room on another node.
    pub fn here_elsewhere(
        self: &Arc<Self>,
        room: ConversationId,
        node: NodeId,
        people: Vec<Participant>,
        at: Timestamp,
    ) {
        self.node_alive(node);
        if let Some(mut live) = self.rooms.get_mut(&room)
            && live.here_elsewhere(node, people, Instant::now() + PEOPLE_HOLD, at)
        {
            self.presence_changed(room, &mut live);
        }
    }

    /// Records whether someone of the customer side is in the room on another node.
    pub fn customer_here_elsewhere(&self, node: NodeId, room: ConversationId, on: bool) {
        self.node_alive(node);
        if let Some(mut node) = self.nodes.get_mut(&node) {
            if on {
                node.customers.insert(room);
            } else {
                node.customers.remove(&room);
            }
        }
    }

    /// Records all rooms of a slice in which someone of the customer side is on another node.
    pub fn customers_elsewhere(&self, node: NodeId, part: u8, rooms: Vec<ConversationId>) {
        self.node_alive(node);
        if let Some(mut node) = self.nodes.get_mut(&node) {
            node.customers.retain(|room| slice(*room) != part);
            node.customers.extend(rooms);
        }
    }

    /// Records that a person on another node types or has stopped.
    pub fn types_elsewhere(self: &Arc<Self>, room: ConversationId, participant: ParticipantId, on: bool) {
        if let Some(mut live) = self.rooms.get_mut(&room)
            && self.note_typing(room, &mut live, participant, on)
        {
            live.broadcast(&typing_frame(room, participant, on), Some(participant));
        }
    }
}
