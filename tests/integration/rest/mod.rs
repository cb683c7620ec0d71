//! The REST API of the contract's section 4, as programs use it.

mod access;
mod accounts;
mod attachments;
mod closing;
mod conversations;
mod digests;
mod exchange;
mod limits;
mod links;
mod messages;
mod privacy;
mod problems;
mod push;
mod request_files;
mod requests;
mod sealed;
mod search;
mod sender;
mod server_functions;
mod transcript;
mod uploads;
