//! The REST API of the contract's section 4, as programs use it.

mod access;
mod conversations;
mod limits;
mod links;
mod messages;
mod problems;
mod server_functions;
