//! Who is connected to this process, what they are told, and the bus to other nodes.
//!
//! Nothing here is durable and nothing depends on it being complete: whoever misses a frame notices
//! the gap in `rev` and reads the database. Holds no reference to storage; `service` feeds it, and
//! `http::ws` owns the connections.

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
pub use hub::{Gone, Hub};
pub use room::{Behind, Outcome};
pub use socket::{ConnectionId, Frame, Person, QUEUE_FRAMES, Socket, Writing, frame};
