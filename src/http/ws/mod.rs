//! The WebSocket: `upgrade` authenticates the request and takes over its connection. `connection` is the transport,
//! `frames` handles clients' frames, and `liveness` decides whether a socket stays open.

mod connection;
mod frames;
mod liveness;

use std::sync::atomic::Ordering;

use axum::{
    Extension,
    extract::{State, ws::WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use tungstenite::handshake::derive_accept_key;

use self::{connection::Peer, frames::Frames};
use super::{App, Asker, auth, error, listener};
use crate::{
    domain::{Actor, Code, Problem},
    locales::{self, t},
};

/// Retry delay that a server announces while it shuts down.
const RESTART_S: u64 = 5;

/// Answers 101 and starts the socket's task, or answers with a problem.
pub(super) async fn upgrade(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    on_upgrade: Option<Extension<OnUpgrade>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // Only browsers can be tricked into sending cookies, and browsers always send Origin.
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let by_token = headers.contains_key(header::AUTHORIZATION);
    if !by_token && origin.is_some_and(|origin| origin != app.service.public_url()) {
        return app.home.refuse(origin.unwrap_or_default()).into_response();
    }
    let Some(actor) = asker.actor.clone() else { return Problem::unauthorized().into_response() };
    if !by_token && origin.is_none() {
        return Problem::forbidden(t!(locales::current(), api::ORIGIN)).into_response();
    }
    // Axum validates the request; this function takes over the connection to write to it directly.
    if let Err(rejection) = upgrade {
        return rejection.into_response();
    }
    let mut keys = headers.get_all(header::SEC_WEBSOCKET_KEY).iter();
    if keys.next().is_none_or(|key| !is_key(key.as_bytes())) || keys.next().is_some() {
        let problem = Problem::new(Code::Invalid, t!(locales::current(), api::WEBSOCKET_KEY));
        return error::answer(problem, StatusCode::BAD_REQUEST);
    }
    let (Some(Extension(on_upgrade)), Some(key)) = (on_upgrade, headers.get(header::SEC_WEBSOCKET_KEY)) else {
        return Problem::new(Code::Invalid, t!(locales::current(), api::WEBSOCKET)).into_response();
    };
    if app.draining.load(Ordering::Acquire) {
        return Problem { retry_after_s: Some(RESTART_S), ..Problem::unavailable() }.into_response();
    }
    let connection = match app.service.connect(actor, asker.session_id(), asker.token).await {
        Ok(connection) => connection,
        Err(problem) => return problem.into_response(),
    };
    // The credentials may have been revoked before the socket was registered. From now on the hub closes it on
    // revocation, so checking them once more leaves no gap.
    match auth::find(app.service.clone(), asker.address, &headers).await {
        Ok(now) if now.actor.as_ref().is_some_and(|now| covers(now, &connection.socket.actor)) => {}
        Ok(_) => return Problem::unauthorized().into_response(),
        Err(problem) => return problem.into_response(),
    }
    // Logged within the request's span, so the log connects both ids.
    tracing::debug!(connection_id = %connection.socket.id, "a socket opens");
    let expires_at = asker.session.map(|session| session.expires_at);
    // A shutdown waits for this token, so that every socket receives its close code.
    let open = app.sockets.token();
    tokio::spawn(locales::within(locales::current(), async move {
        // Fails only if the peer has disconnected.
        if let Ok(upgraded) = on_upgrade.await
            && let Ok(parts) = upgraded.downcast::<TokioIo<listener::Connection>>()
        {
            let (stream, slot) = parts.io.into_inner().into_stream();
            let (read, write) = stream.into_split();
            connection.socket.attach(write);
            let peer = Peer::new(read, slot, parts.read_buf, app.service.limits().frame_bytes);
            let frames = Frames { service: app.service, metrics: app.metrics, socket: connection.socket.clone() };
            connection::run(frames, connection, peer, expires_at).await;
        }
        drop(open);
    }));
    let accept = derive_accept_key(key.as_bytes());
    let headers =
        [(header::CONNECTION, "upgrade"), (header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_ACCEPT, &accept)];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Whether the key is 16 bytes in base64 (RFC 6455, section 4.2.1). In the last digit, four bits are unused and zero.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key[..22].iter().all(is_digit) && b"AQgw".contains(&key[21]) && key.ends_with(b"==")
}

/// Whether `now` has all permissions of `before`.
fn covers(now: &Actor, before: &Actor) -> bool {
    now.user() == before.user() && before.links().iter().all(|link| now.links().contains(link))
}
