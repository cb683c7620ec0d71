//! The live state of this process: sockets, rooms, and the bus to other nodes.
//!
//! This state is neither durable nor necessarily complete: a client that misses a frame detects the gap in `rev` and
//! reads the database. The module has no reference to storage; `service` feeds it, and `http::ws` owns the
//! connections.

pub mod bus;
mod elsewhere;
mod hub;
mod presence;
mod room;
mod rounds;
mod schedule;
mod socket;
mod typing;

pub use bus::{Bus, BusChannel, BusEvent, Heard, Topic};
pub use hub::{Gone, Hub, Seen};
pub use room::{Behind, Outcome};
pub use socket::{ConnectionId, Frame, Person, QUEUE_FRAMES, Socket, Writing, frame};
