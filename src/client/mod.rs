//! What runs in the browser. [`page`], [`history`], [`storage`], [`paint`], [`socket`] and [`ask`] touch it; everything
//! else is pure and tested on the host.

pub mod ask;
pub mod history;
pub mod json;
pub mod labels;
pub mod log;
pub mod markup;
pub mod outbox;
pub mod page;
pub mod paint;
pub mod people;
pub mod reconnect;
pub mod room;
pub mod socket;
pub mod storage;
pub mod text;
pub mod timeline;
pub mod wire;
