//! The server's outside: routes, sign-in, WebSocket, REST, plain forms, pages and files.
//!
//! A request passes `security` and `auth` first; from then on its extensions contain an [`Asker`]. `router` lists all
//! routes. The program and the tests both start servers with [`serve`].

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

/// The REST API's description, for the reference page.
#[must_use]
pub fn reference() -> crate::api::Reference {
    rest::reference::reference()
}

/// The state of all handlers.
#[derive(Clone)]
struct App {
    pub service: Arc<Service>,
    pub options: LeptosOptions,
    pub assets: Arc<assets::Assets>,
    pub metrics: Arc<metrics::Metrics>,
    pub home: Arc<home::Home>,
    pub proxies: Arc<TrustedProxies>,
    pub deadlines: Deadlines,
    /// Open WebSockets, which a shutdown waits for.
    pub sockets: TaskTracker,
    /// Set on shutdown: balancers should send no new requests here.
    pub draining: Arc<AtomicBool>,
}
