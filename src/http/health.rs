//! Health checks for load balancers and operators.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{extract::State, http::StatusCode};
use tokio::time::timeout;

use super::App;

/// Limit for the database's answer. Most callers wait 5 s.
const PING_WITHIN: Duration = Duration::from_millis(2_500);

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The server can do all of its work: database and bus answer, and it is not shutting down. Without the bus it works,
/// but more slowly, so a balancer should prefer other nodes.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.draining.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n");
    }
    // The limit detects a silent database or a hanging disk before the caller times out.
    let ping = timeout(PING_WITHIN, app.service.ping()).await;
    if !matches!(ping, Ok(Ok(()))) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    if app.service.bus_status().is_some_and(|status| !status.is_connected) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the bus does not answer: rooms follow the database\n");
    }
    (StatusCode::OK, "ready\n")
}
