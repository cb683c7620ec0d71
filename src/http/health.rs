//! For load balancers and operators.

use std::sync::atomic::Ordering;

use axum::{extract::State, http::StatusCode};

use super::App;

/// The process runs.
pub(super) async fn alive() -> &'static str {
    "ok\n"
}

/// The server can do its work: the database answers and the server is not going down.
pub(super) async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.draining.load(Ordering::Acquire) {
        return (StatusCode::SERVICE_UNAVAILABLE, "going down\n");
    }
    match app.service.ping().await {
        Ok(()) => (StatusCode::OK, "ready\n"),
        Err(_) => (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n"),
    }
}
