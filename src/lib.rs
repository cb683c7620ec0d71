//! Bespoken: live chat between people who make things to order and their customers.
//!
//! One package, compiled three ways; only this file contains feature gates.
//!
//! | module | what | compiled for |
//! | --- | --- | --- |
//! | [`domain`] | types and rules, free of I/O | all |
//! | [`protocol`] | the frames of the WebSocket | all |
//! | [`client`] | logic in the browser: timeline, outbox, reconnect, socket | all (tested on the host) |
//! | [`ui`] | pages, islands and components | all |
//! | [`api`] | server functions: requests of pages and islands to the server | all (bodies on the server) |
//! | [`locales`] | every text for people, in each language | all |
//! | [`app`] | the HTML document and the table of pages | all |
//! | `service` | use cases; only this module joins storage and live | server |
//! | `storage` | the database | server |
//! | `settings` | every flag and variable of the server | server |
//! | `live` | rooms and sockets in this process | server |
//! | `http` | routes, WebSocket, REST, sign-in, assets | server |

// Views are deeply nested generic types.
#![recursion_limit = "256"]

pub mod api;
pub mod app;
pub mod client;
pub mod domain;
// The browser's code uses only some of the texts.
#[cfg(feature = "ssr")]
#[path = "locales/icu.rs"]
mod format;
#[cfg(not(feature = "ssr"))]
#[path = "locales/intl.rs"]
mod format;
#[cfg_attr(not(feature = "ssr"), allow(dead_code))]
pub mod locales;
pub mod protocol;
pub mod ui;

#[cfg(feature = "ssr")]
pub mod http;
#[cfg(feature = "ssr")]
pub mod live;
#[cfg(feature = "ssr")]
pub mod service;
#[cfg(feature = "ssr")]
pub mod settings;
#[cfg(feature = "ssr")]
pub mod storage;

/// Rust's own allocator would add 5 KB to the browser's download.
#[cfg(all(feature = "browser", target_family = "wasm"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Prepares the hydration of a server-rendered page in the language of this tag. Called by the page's own script.
#[cfg(feature = "hydrate")]
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate(locale: &str) {
    console_error_panic_hook::set_once();
    locales::set_current(locale.parse().unwrap_or_default());
    leptos::mount::hydrate_islands();
}

/// Mounts the client-only preview. Called by `trunk serve`.
#[cfg(all(feature = "csr", not(feature = "hydrate")))]
#[wasm_bindgen::prelude::wasm_bindgen(start)]
pub fn preview() {
    console_error_panic_hook::set_once();
    // A page is written for one address: a link must load the next one, as on a real page. The router listens on the
    // window and would change the address instead, so clicks are stopped before.
    client::page::on(&leptos::prelude::document(), "click", |click| click.stop_propagation());
    leptos::mount::mount_to_body(app::App);
}
