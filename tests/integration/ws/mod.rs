//! The WebSocket of the contract's section 5, as a client sees it.

mod close;
mod conversation;
mod inbox;
mod join;
mod limits;
mod message;
mod misunderstood;
mod protocol_errors;
mod reply;
mod requests;
mod resume;
mod send;
mod sender;
mod sign_in;
mod signs;
