//! Browser logic. [`page`], [`history`], [`storage`] and [`socket`] touch it; everything else is pure and tested on the
//! host.

pub mod history;
pub mod labels;
pub mod log;
pub mod outbox;
pub mod page;
pub mod people;
pub mod reconnect;
pub mod room;
pub mod socket;
pub mod storage;
pub mod text;
pub mod timeline;
