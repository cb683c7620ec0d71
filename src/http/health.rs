//! For load balancers and operators.

use std::{sync::atomic::Ordering, time::Duration};

use axum::{extract::State, http::StatusCode};
use tokio::time::timeout;

use super::App;

/// How long the database may take to show that it is there. Who asks waits 5 s, most often.
const PING_WITHIN: Duration = Duration::from_millis(2_500);

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
    // One that keeps silent, and a disk that hangs, are found out before whoever asks gives up.
    let ping = timeout(PING_WITHIN, app.service.ping()).await;
    if !matches!(ping, Ok(Ok(()))) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n");
    }
    if app.service.bus_status().is_some_and(|status| !status.is_connected) {
        return (StatusCode::SERVICE_UNAVAILABLE, "the bus does not answer: rooms follow the database\n");
    }
    (StatusCode::OK, "ready\n")
}
