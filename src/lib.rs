//! Bespoken: live chat between people who make things to order and their customers.
//!
//! One package, compiled three ways; every feature gate stands in this file.
//!
//! | module | what | compiled for |
//! | --- | --- | --- |
//! | [`domain`] | types and rules, free of I/O | all |
//! | [`protocol`] | the frames of the WebSocket | all |
//! | [`client`] | what runs in the browser: timeline, outbox, reconnect, socket | all (tested on the host) |
//! | [`ui`] | pages, islands and components | all |
//! | [`api`] | server functions: what pages and islands ask the server | all (bodies on the server) |
//! | [`locales`] | every text that people read, in each language | all |
//! | [`app`] | the HTML document and the table of pages | all |
//! | `service` | use cases; the only place that joins storage and live | server |
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
// The browser's part shows some of the texts.
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

/// Rust's own takes 5 KB more of what the browser loads.
#[cfg(all(feature = "browser", target_family = "wasm"))]
#[global_allocator]
static ALLOCATOR: rlsf::SmallGlobalTlsf = rlsf::SmallGlobalTlsf::new();

/// Wakes the islands of a server-rendered page in the language of this tag. Called by the page's own script.
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
    // A page is written for one address: a link loads the next one, as it does on a real page. The router
    // would change the address under this one; it listens on the window, which no click gets to.
    client::page::on(&leptos::prelude::document(), "click", |click| click.stop_propagation());
    leptos::mount::mount_to_body(app::App);
}
