//! The WebSocket: `upgrade` authenticates the request and takes over its connection, `connection` is the transport,
//! `frames` handles what clients send, `liveness` decides whether a socket stays open.

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

/// When to try again with a server that goes down.
const RESTART_S: u64 = 5;

/// Answers 101 and starts the socket's task, or answers with the problem.
pub(super) async fn upgrade(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    on_upgrade: Option<Extension<OnUpgrade>>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // Only browsers send cookies that they were talked into sending, and browsers always send Origin.
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let by_token = headers.contains_key(header::AUTHORIZATION);
    if !by_token && origin.is_some_and(|origin| origin != app.service.public_url()) {
        return app.home.refuse(origin.unwrap_or_default()).into_response();
    }
    let Some(actor) = asker.actor.clone() else { return Problem::unauthorized().into_response() };
    if !by_token && origin.is_none() {
        return Problem::forbidden(t!(locales::current(), api::ORIGIN)).into_response();
    }
    // It looks at the request; the connection is taken over here, where it can be written to directly.
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
    // What let this person in may have ended before the socket was registered. From then on the hub
    // closes it, so asking once more leaves no gap.
    match auth::find(app.service.clone(), asker.address, &headers).await {
        Ok(now) if now.actor.as_ref().is_some_and(|now| covers(now, &connection.socket.actor)) => {}
        Ok(_) => return Problem::unauthorized().into_response(),
        Err(problem) => return problem.into_response(),
    }
    // Within the request's span: so its name leads to the connection's.
    tracing::debug!(connection_id = %connection.socket.id, "a socket opens");
    let expires_at = asker.session.map(|session| session.expires_at);
    // The server waits for it when it goes down, so that everyone is told.
    let open = app.sockets.token();
    tokio::spawn(locales::within(locales::current(), async move {
        // Fails only if the peer has gone by now.
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

/// Whether this is 16 bytes in base64 (RFC 6455, section 4.2.1): of the last digit that says anything, four bits
/// say nothing and are zero.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/".contains(byte);
    key.len() == 24 && key[..22].iter().all(is_digit) && b"AQgw".contains(&key[21]) && key.ends_with(b"==")
}

/// Whether `now` may still do all that `before` might.
fn covers(now: &Actor, before: &Actor) -> bool {
    now.user() == before.user() && before.links().iter().all(|link| now.links().contains(link))
}
