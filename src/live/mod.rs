//! Who is connected to this process and what they are told.
//!
//! Nothing here is durable and nothing depends on it being complete: whoever misses a frame notices
//! the gap in `rev` and reads the database. Holds no reference to storage; `service` feeds it, and
//! `http::ws` owns the connections.

mod hub;
mod room;
mod rounds;
mod socket;

pub use hub::{Gone, Hub};
pub use room::Behind;
pub use socket::{ConnectionId, Frame, Person, QUEUE_FRAMES, Socket, Wire, Writing, frame};
