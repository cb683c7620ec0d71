//! What runs in the browser. Everything but [`socket`] and [`page`], which touch it, is pure and
//! tested on the host.

pub mod labels;
pub mod log;
pub mod outbox;
pub mod page;
pub mod people;
pub mod reconnect;
pub mod room;
pub mod socket;
pub mod text;
pub mod timeline;
