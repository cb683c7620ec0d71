//! The bus between the nodes of one installation. It carries only hints.
//!
//! An event may reach another node late, twice, out of order or never. Changes are on disk under their revs before
//! any node publishes them, and presence and typing expire. So publishing never waits and never fails. Revocations of
//! access are not hints: they use the journal in the database. A single process has no bus. `service::nodes` handles
//! received events; the hub publishes the state of its own sockets.

mod nats;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

pub use nats::{ConnectError, connect};

use crate::domain::{Change, ConversationId, LinkId, Participant, ParticipantId, RequestId, RequestStatus, UserId};

/// One run of a node: a restarted node has a new id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// The recipients of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The nodes with sockets in this room.
    Room(ConversationId),
    /// All nodes.
    Nodes,
}

/// An event between nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusEvent {
    /// To a room: this change is on disk.
    Changed { rev: i64, change: Change },
    /// To a room: its rev is now this one, by a change too large to send.
    Head { rev: i64 },
    /// To a room. Expires like a typing sign from a socket.
    Typing { participant: ParticipantId, on: bool },
    /// To a room: a receipt.
    Read { participant: ParticipantId, seq: i64 },
    /// To a room: the people who are in it on this node. `asks`: the other nodes answer with theirs.
    Here { people: Vec<Participant>, asks: bool },
    /// A conversation's summary has changed, for these customers and all admins.
    Inbox { conversation: ConversationId, customer: Option<UserId>, links: Vec<LinkId> },
    /// Whether someone of the customer side is in this room on this node.
    CustomerHere { room: ConversationId, on: bool },
    /// All rooms of one [`slice`] in which someone of the customer side is on this node.
    CustomersHere { slice: u8, rooms: Vec<ConversationId> },
    /// A custom request is new or has another status.
    Request { customer: UserId, id: RequestId, status: RequestStatus },
    /// The node runs. `asks`: it has just started and needs the presence of other nodes.
    Alive { asks: bool },
    /// The node stops, and has no people any more.
    Leaving,
}

/// An input from the bus.
#[allow(clippy::large_enum_variant, reason = "nearly all are events, which are then moved once and not allocated")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// From another node.
    Event { topic: Topic, from: NodeId, event: BusEvent },
    /// From now on this node receives all events of these rooms. It may have missed earlier ones.
    Following(Vec<ConversationId>),
    /// The connection is up, perhaps again: any event may have been missed before.
    Connected,
    /// The connection is lost.
    Disconnected,
}

/// The state of the connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub is_connected: bool,
    /// Events that were dropped since the start, because the connection was down or too slow.
    pub unsent: u64,
    /// The last measured round trip to the bus.
    pub round_trip_ms: u64,
}

/// A node's connection to the others.
pub trait Bus: Send + Sync + 'static {
    /// Sends an event, if possible.
    fn publish(&self, topic: Topic, event: BusEvent);
    /// Starts to receive events of this room; see [`Heard::Following`].
    fn follow(&self, room: ConversationId);
    /// Stops receiving events of this room, which has no sockets here any more.
    fn unfollow(&self, room: ConversationId);
    fn status(&self) -> Status;
}

/// Both directions of a node's connection.
pub struct BusChannel {
    pub bus: Arc<dyn Bus>,
    pub heard: mpsc::Receiver<Heard>,
}

/// Number of parts in which a node repeats its presence, one after the other. Together they contain all its rooms.
pub const SLICES: u8 = 15;

/// The part that contains a room. Ids begin with the time, so only their end is evenly distributed.
#[must_use]
pub fn slice(room: ConversationId) -> u8 {
    let [.., last] = *room.0.as_bytes();
    last % SLICES
}
