//! Between the nodes of one installation: hints, and no more than that.
//!
//! What one node publishes may reach another late, twice, out of order or not at all: changes are on
//! disk under their revs before anybody hears of them, presence and typing hold for a while only. So
//! publishing never waits and never fails. Access that ended is no hint, and goes by the journal in the
//! database. A process that is alone has no bus. `service::nodes` acts
//! on what is heard; the hub publishes what it knows of its own sockets.

mod nats;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;
use uuid::Uuid;

pub use nats::{ConnectError, connect};

use crate::domain::{Change, ConversationId, LinkId, Participant, ParticipantId, RequestId, RequestStatus, UserId};

/// One run of a node: a node that starts again is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub Uuid);

/// Whom an event is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Topic {
    /// The nodes with sockets in this room.
    Room(ConversationId),
    /// All nodes.
    Nodes,
}

/// What one node tells others.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BusEvent {
    /// To a room: this change is on disk.
    Changed { rev: i64, change: Change },
    /// To a room: it has come to this rev, by a change that is too large to be carried.
    Head { rev: i64 },
    /// To a room. Holds for as long as a sign from a socket does.
    Typing { participant: ParticipantId, on: bool },
    /// To a room: a receipt.
    Read { participant: ParticipantId, seq: i64 },
    /// To a room: who is in it on this node, and whether others are to tell the same.
    Here { people: Vec<Participant>, asks: bool },
    /// A conversation's summary has changed, and these are told, besides all admins.
    Inbox { conversation: ConversationId, customer: Option<UserId>, links: Vec<LinkId> },
    /// Whether someone of the customer side is in this room on this node.
    CustomerHere { room: ConversationId, on: bool },
    /// All rooms of one [`slice`] in which someone of the customer side is on this node.
    CustomersHere { slice: u8, rooms: Vec<ConversationId> },
    /// A custom request is new or has another status.
    Request { customer: UserId, id: RequestId, status: RequestStatus },
    /// The node runs. `asks`: it has just come, and needs to hear who is where.
    Alive { asks: bool },
    /// The node stops: nobody is on it any more.
    Leaving,
}

/// What a node hears.
#[allow(clippy::large_enum_variant, reason = "nearly all are events, which are then moved once and not allocated")]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// From another node.
    Event { topic: Topic, from: NodeId, event: BusEvent },
    /// Whatever is published to these rooms from now on is heard. What was published a moment ago may
    /// have been missed.
    Following(Vec<ConversationId>),
    /// The line is there, perhaps again: anything may have been missed before.
    Connected,
    /// The line is gone.
    Disconnected,
}

/// How the line is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Status {
    pub is_connected: bool,
    /// Events that were not sent since the start, as the line was gone or too slow.
    pub unsent: u64,
    /// How long the bus took for a message there and back, when it was last measured.
    pub round_trip_ms: u64,
}

/// A node's line to the others.
pub trait Bus: Send + Sync + 'static {
    /// Sends an event, if possible.
    fn publish(&self, topic: Topic, event: BusEvent);
    /// From now on what is published to this room shall be heard; see [`Heard::Following`].
    fn follow(&self, room: ConversationId);
    /// The room has no sockets here any more.
    fn unfollow(&self, room: ConversationId);
    fn status(&self) -> Status;
}

/// Both ends of a node's line.
pub struct BusChannel {
    pub bus: Arc<dyn Bus>,
    pub heard: mpsc::Receiver<Heard>,
}

/// Parts in which a node tells again what it told before, one after the other: together they are all
/// its rooms.
pub const SLICES: u8 = 15;

/// The part that a room belongs to. Ids begin with the time, so that only their end is spread evenly.
#[must_use]
pub fn slice(room: ConversationId) -> u8 {
    let [.., last] = *room.0.as_bytes();
    last % SLICES
}
