//! What other nodes say, and what is said to them: who is in which room, who types, who runs.
//!
//! All of it holds for a while only and is said again from time to time, so that what the bus loses
//! comes right by itself, and a node that has died is forgotten.

use std::{collections::HashSet, sync::Arc, time::Duration};

use dashmap::mapref::entry::Entry;
use tokio::time::Instant;

use super::{
    BusEvent, Hub, Topic,
    bus::{NodeId, slice},
    hub::{Node, typing_frame},
};
use crate::domain::{ConversationId, Participant, ParticipantId, Timestamp};

/// How long a node counts as running after it said so.
pub const NODE_HOLDS: Duration = Duration::from_secs(7);

/// How long its people count as being in a room after it said so: each [`slice`] comes up every 30 s.
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

    /// Tells the other nodes with this room who is here; with `asks`, they tell the same.
    pub fn announce(&self, room: ConversationId, asks: bool) {
        if let Some(live) = self.rooms.get(&room) {
            let people = live.here();
            if asks || !people.is_empty() {
                self.publish(Topic::Room(room), || BusEvent::Here { people, asks });
            }
        }
    }

    /// Tells other nodes once more who is here in the rooms of one slice.
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

    /// Another node runs. Returns whether this is news.
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

    /// Another node has stopped, or nobody hears of it any more. Returns the rooms whose customers were
    /// there.
    pub fn forget_node(self: &Arc<Self>, node: NodeId, at: Timestamp) -> Vec<ConversationId> {
        let Some((_, known)) = self.nodes.remove(&node) else { return Vec::new() };
        self.expire_people(at);
        known.customers.into_iter().collect()
    }

    /// Forgets the nodes of which nothing was heard for long. Returns the rooms whose customers were there.
    pub fn expire_nodes(self: &Arc<Self>, at: Timestamp) -> Vec<ConversationId> {
        let now = Instant::now();
        let silent: Vec<NodeId> = self.nodes.iter().filter(|node| node.until <= now).map(|node| *node.key()).collect();
        silent.into_iter().flat_map(|node| self.forget_node(node, at)).collect()
    }

    /// Forgets people of other nodes who were not spoken of for long.
    pub fn expire_people(self: &Arc<Self>, at: Timestamp) {
        let now = Instant::now();
        for mut live in self.rooms.iter_mut() {
            if live.expire_elsewhere(|node| !self.nodes.contains_key(&node), now, at) {
                let room = *live.key();
                self.presence_changed(room, &mut live);
            }
        }
    }

    /// Another node has these people in the room.
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

    /// Another node has someone of the customer side in the room, or not any more.
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

    /// Another node has someone of the customer side in these rooms of a slice, and in no others of it.
    pub fn customers_elsewhere(&self, node: NodeId, part: u8, rooms: Vec<ConversationId>) {
        self.node_alive(node);
        if let Some(mut node) = self.nodes.get_mut(&node) {
            node.customers.retain(|room| slice(*room) != part);
            node.customers.extend(rooms);
        }
    }

    /// Somebody on another node types or has stopped.
    pub fn types_elsewhere(self: &Arc<Self>, room: ConversationId, participant: ParticipantId, on: bool) {
        if let Some(mut live) = self.rooms.get_mut(&room)
            && self.note_typing(room, &mut live, participant, on)
        {
            live.broadcast(&typing_frame(room, participant, on), Some(participant));
        }
    }
}
