//! The server's outside: routes, sign-in, WebSocket, REST, plain forms, pages and files.
//!
//! A request goes through `security` and `auth` first; from then on it carries an [`Asker`]. All
//! routes stand in `router`. [`serve`] is the one way to start a server, for the program as for
//! tests.

mod assets;
mod auth;
mod body_size;
mod error;
mod forms;
mod health;
mod home;
mod language;
mod links;
mod listener;
mod metrics;
mod multipart;
mod pace;
mod pages;
mod proxies;
mod rest;
mod router;
mod security;
mod serve;
mod slots;
mod trace;
mod ws;

pub use auth::{Asker, asker};
pub use serve::{Running, StartError, serve};

use std::sync::{Arc, atomic::AtomicBool};

use leptos::config::LeptosOptions;
use tokio_util::task::TaskTracker;

use crate::{
    service::Service,
    settings::{Deadlines, TrustedProxies},
};

/// The REST API's description, for its page.
#[must_use]
pub fn reference() -> crate::api::Reference {
    rest::reference::reference()
}

/// What every request needs.
#[derive(Clone)]
struct App {
    pub service: Arc<Service>,
    pub options: LeptosOptions,
    pub assets: Arc<assets::Assets>,
    pub metrics: Arc<metrics::Metrics>,
    pub home: Arc<home::Home>,
    pub proxies: Arc<TrustedProxies>,
    pub deadlines: Deadlines,
    /// Open WebSockets: waited for when the server goes down.
    pub sockets: TaskTracker,
    /// Set when the server goes down: no new work is to be sent here.
    pub draining: Arc<AtomicBool>,
}
