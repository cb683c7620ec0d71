//! What runs in the browser. Everything but `socket` and `page` is pure and tested on the host.

pub mod labels;
pub mod log;
pub mod outbox;
pub mod people;
pub mod reconnect;
pub mod text;
pub mod timeline;
