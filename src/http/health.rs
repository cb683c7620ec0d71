//! For load balancers and operators.

use std::sync::atomic::Ordering;

use axum::{extract::State, http::StatusCode};

use super::App;

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The server can do all of its work: database and bus answer, and the server is not going down. Without
/// the bus it goes on, a little slower; others do better while they have it.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.draining.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n");
    }
    if app.service.ping().await.is_err() {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    if app.service.bus_status().is_some_and(|status| !status.is_connected) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the bus does not answer: rooms follow the database\n");
    }
    (StatusCode::OK, "ready\n")
}
