//! The WebSocket: one task for each socket, which reads frames, lets `service` act on them, and
//! writes what waits for the socket, several frames in one write.
//!
//! A socket has one request at a time under way: its requests take effect in the order in which
//! they were sent, a client that sends faster than the disk can follow is slowed down by TCP, and
//! what others send reaches it all the while.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::Poll,
    time::Duration,
};

use axum::{
    Extension,
    body::Bytes,
    extract::{
        State,
        ws::{CloseFrame, Message, WebSocket, WebSocketUpgrade},
    },
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
};
use futures_util::{FutureExt, SinkExt, StreamExt};
use serde::Serialize;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::Instrument;
use uuid::Uuid;

use super::{App, Asker, auth, metrics::Metrics};
use crate::{
    domain::{Actor, ClientId, Code, ConversationId, Problem, Timestamp},
    live::{Frame, Socket, frame},
    protocol::{ClientFrame, ServerFrame, close},
    service::{Connection, Service},
    storage::now,
};

/// Small, because most sockets are idle most of the time and each holds one.
const READ_BUFFER_BYTES: usize = 2 * 1024;
/// What waits is written together up to this size.
const WRITE_BUFFER_BYTES: usize = 16 * 1024;
/// The list for waiting frames that a socket may keep while nothing waits.
const KEEP_FRAMES: usize = 16;
/// Silence after which a peer is asked for a sign of life, and the time it has to give one.
const PING_AFTER: Duration = Duration::from_secs(25);
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// How long a peer may keep a write waiting.
const WRITE_WITHIN: Duration = Duration::from_secs(20);
/// How long a peer may keep a close handshake waiting. One that was too slow has much to read before
/// it comes to the close code.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const CLOSE_SLOW_WITHIN: Duration = Duration::from_secs(30);
/// When to try again with a server that goes down.
const RESTART_S: u64 = 5;

/// Lets a socket in, or tells why not.
pub(super) async fn upgrade(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    upgrade: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    // Only browsers send cookies that they were talked into sending, and browsers always send Origin.
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    let by_token = headers.contains_key(header::AUTHORIZATION);
    if !by_token && origin.is_some_and(|origin| origin != app.service.public_url()) {
        return Problem::forbidden("This connection came from another site.").into_response();
    }
    let Some(actor) = asker.actor.clone() else { return Problem::unauthorized().into_response() };
    if !by_token && origin.is_none() {
        return Problem::forbidden("A connection with a cookie needs an Origin.").into_response();
    }
    let upgrade = match upgrade {
        Ok(upgrade) => upgrade,
        Err(rejection) => return rejection.into_response(),
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
    let frame_bytes = app.service.limits().frame_bytes;
    // The server waits for it when it goes down, so that everyone is told.
    let open = app.sockets.token();
    upgrade
        .read_buffer_size(READ_BUFFER_BYTES)
        .write_buffer_size(WRITE_BUFFER_BYTES)
        .max_message_size(frame_bytes)
        .max_frame_size(frame_bytes)
        .on_upgrade(move |ws| async move {
            run(app.service, app.metrics, connection, ws, expires_at).await;
            drop(open);
        })
}

/// Whether `now` may still do all that `before` might.
fn covers(now: &Actor, before: &Actor) -> bool {
    now.user() == before.user() && before.links().iter().all(|link| now.links().contains(link))
}

async fn run(
    service: Arc<Service>,
    metrics: Arc<Metrics>,
    mut connection: Connection,
    mut ws: WebSocket,
    expires_at: Option<Timestamp>,
) {
    let code = talk(&service, &metrics, &mut connection, &mut ws, expires_at).await;
    drop(connection);
    if let Some(code) = code {
        metrics.closed(code);
        let say = Message::Close(Some(CloseFrame { code, reason: reason(code).into() }));
        // The peer may be gone, or not read: then there is nobody to say it to.
        let goodbye = async {
            if ws.send(say).await.is_ok() {
                while let Some(Ok(_)) = ws.next().await {}
            }
        };
        let within = if code == close::TOO_SLOW { CLOSE_SLOW_WITHIN } else { CLOSE_WITHIN };
        timeout(within, goodbye).await.ok();
    }
}

/// What a peer asked for, while it waits for the database.
type UnderWay = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a socket's task wakes up for.
enum Event {
    /// It has to close.
    Close(u16),
    /// Frames wait to be written.
    Frames,
    /// What the peer asked for is done.
    Done,
    Heard(Option<Result<Message, axum::Error>>),
    /// It is time to look after the peer.
    Check,
}

/// Talks until one side ends it; returns the code to close with, or `None` if the peer is gone.
async fn talk(
    service: &Arc<Service>,
    metrics: &Arc<Metrics>,
    connection: &mut Connection,
    ws: &mut WebSocket,
    expires_at: Option<Timestamp>,
) -> Option<u16> {
    let socket = connection.socket.clone();
    let span = tracing::info_span!("socket", connection_id = %socket.id);
    let mut under_way: Option<UnderWay> = None;
    let mut waiting: Vec<Frame> = Vec::new();
    let mut heard = true;
    let mut asked = false;
    let expires_at = expires_at.and_then(|at| {
        let left = at.0.saturating_sub(now().0).try_into().unwrap_or(0);
        Instant::now().checked_add(Duration::from_millis(left))
    });
    let next_check = |within| {
        let next = Instant::now() + within;
        expires_at.map_or(next, |expires_at| expires_at.min(next))
    };
    let mut check = pin!(sleep_until(next_check(PING_AFTER)));
    let mut peer_first = false;
    loop {
        // One function and not a `select!` of futures: this is what a delivery costs most, after the
        // system's own work.
        let event = poll_fn(|cx| {
            if let Poll::Ready(code) = socket.poll_close(cx) {
                return Poll::Ready(Event::Close(code));
            }
            // By turns: in a busy room there is always something to write, and the peer must be heard all
            // the same.
            peer_first = !peer_first;
            if !peer_first && socket.take(&mut waiting) {
                return Poll::Ready(Event::Frames);
            }
            match &mut under_way {
                Some(act) => {
                    if act.as_mut().poll(cx).is_ready() {
                        return Poll::Ready(Event::Done);
                    }
                }
                None => {
                    if let Poll::Ready(read) = ws.poll_next_unpin(cx) {
                        return Poll::Ready(Event::Heard(read));
                    }
                }
            }
            if peer_first && socket.take(&mut waiting) {
                return Poll::Ready(Event::Frames);
            }
            check.as_mut().poll(cx).map(|()| Event::Check)
        })
        .await;
        match event {
            Event::Close(code) => return Some(code),
            Event::Frames => {
                let write = async {
                    for frame in waiting.drain(..) {
                        ws.feed(Message::Text(frame)).await?;
                    }
                    ws.flush().await
                };
                if let Err(end) = unless_closed(&socket, write).await {
                    return end;
                }
                if waiting.capacity() > KEEP_FRAMES {
                    waiting = Vec::new();
                }
            }
            Event::Done => under_way = None,
            Event::Heard(read) => {
                heard = true;
                match read {
                    Some(Ok(Message::Text(text))) => under_way = act(service, metrics, &socket, &span, &text),
                    Some(Ok(Message::Binary(_))) => {
                        let problem = Problem::new(Code::Invalid, "Frames are text: one JSON object each.");
                        socket.send(frame(&ServerFrame::error(problem, None, None)));
                    }
                    Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                    Some(Ok(Message::Close(_))) => {
                        // Reading on sends the answer, without which the peer takes it for a breakdown.
                        timeout(CLOSE_WITHIN, ws.next()).await.ok();
                        return None;
                    }
                    None => return None,
                    Some(Err(error)) if is_too_large(&error) => return Some(close::FRAME_TOO_LARGE),
                    Some(Err(_)) => return None,
                }
            }
            Event::Check => {
                if expires_at.is_some_and(|at| at <= Instant::now()) {
                    return Some(close::NOT_ALLOWED);
                }
                if heard || under_way.is_some() {
                    (heard, asked) = (false, false);
                    check.as_mut().reset(next_check(PING_AFTER));
                } else if asked {
                    return None;
                } else {
                    asked = true;
                    check.as_mut().reset(next_check(PONG_WITHIN));
                    if let Err(end) = unless_closed(&socket, ws.send(Message::Ping(Bytes::new()))).await {
                        return end;
                    }
                }
            }
        }
    }
}

/// Writes, unless the socket has to close meanwhile or the peer does not read.
///
/// # Errors
/// How to end: with this code, or `None` if the peer is gone.
async fn unless_closed(
    socket: &Socket,
    write: impl Future<Output = Result<(), axum::Error>>,
) -> Result<(), Option<u16>> {
    let mut write = pin!(write);
    // Nearly always the system takes all of it at once, and nothing need be waited for.
    if let Some(written) = write.as_mut().now_or_never() {
        return written.map_err(|_| None);
    }
    tokio::select! {
        written = timeout(WRITE_WITHIN, write) => match written {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(None),
            Err(_) => Err(Some(close::TOO_SLOW)),
        },
        code = socket.closed() => Err(Some(code)),
    }
}

/// Does what one frame asks, or begins to; answers through the socket's queue.
fn act(
    service: &Arc<Service>,
    metrics: &Arc<Metrics>,
    socket: &Arc<Socket>,
    span: &tracing::Span,
    text: &str,
) -> Option<UnderWay> {
    let read_at = Instant::now();
    let asked: ClientFrame = match serde_json::from_str(text) {
        Ok(asked) => asked,
        Err(_) => {
            socket.send(misunderstood(text));
            return None;
        }
    };
    let (room, client_id) = address(&asked);
    // What need not wait is done on the spot.
    match asked {
        ClientFrame::Typing { room, on } => {
            if let Err(problem) = service.typing(socket, room, on) {
                socket.send(frame(&ServerFrame::error(problem, Some(room), None)));
            }
            return None;
        }
        ClientFrame::FollowRequests => {
            socket.follow_requests();
            return None;
        }
        _ => {}
    }
    let (service, metrics, socket) = (service.clone(), metrics.clone(), socket.clone());
    let act = async move {
        match obey(&service, &socket, asked).await {
            Ok(None) => {}
            Ok(Some(ack)) => {
                socket.send(frame(&ack));
                metrics.acknowledged(read_at.elapsed());
            }
            Err(problem) => socket.send(frame(&ServerFrame::error(problem, room, client_id))),
        }
    };
    Some(Box::pin(act.instrument(span.clone())))
}

/// The answer to what is no frame: whom it is about is told back in the client's own words.
fn misunderstood(text: &str) -> Frame {
    #[derive(Serialize)]
    struct Misunderstood<'a> {
        r#type: &'static str,
        code: Code,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
    }
    let asked: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let word = |name| asked.get(name).and_then(serde_json::Value::as_str).filter(|word| word.len() <= MOST_TOLD_BACK);
    // What is no id names nothing, here as in the API.
    let names_nothing =
        |name| asked.get(name).is_some_and(|id| id.as_str().is_some_and(|id| Uuid::parse_str(id).is_err()));
    let is_known = word("type").is_some_and(|kind| FRAMES.contains(&kind));
    let problem = if is_known && (names_nothing("room") || names_nothing("id")) {
        Problem::not_found()
    } else {
        Problem::new(Code::Invalid, "This frame could not be understood.")
    };
    frame(&Misunderstood {
        r#type: "error",
        code: problem.code,
        message: problem.message,
        room: word("room"),
        client_id: word("client_id"),
    })
}

/// Bytes of a word that is told back: an id in any spelling fits.
const MOST_TOLD_BACK: usize = 64;

/// What clients may send.
const FRAMES: [&str; 8] = [
    "joinRequest",
    "leaveRequest",
    "sendMessage",
    "updateMessage",
    "deleteMessage",
    "typing",
    "read",
    "followRequests",
];

fn address(asked: &ClientFrame) -> (Option<ConversationId>, Option<ClientId>) {
    match *asked {
        ClientFrame::SendMessage { room, client_id, .. }
        | ClientFrame::UpdateMessage { room, client_id, .. }
        | ClientFrame::DeleteMessage { room, client_id, .. } => (Some(room), Some(client_id)),
        ClientFrame::JoinRequest { room, .. }
        | ClientFrame::LeaveRequest { room }
        | ClientFrame::Typing { room, .. }
        | ClientFrame::Read { room, .. } => (Some(room), None),
        ClientFrame::FollowRequests => (None, None),
    }
}

/// Returns the `ack` of what was changed.
async fn obey(
    service: &Arc<Service>,
    socket: &Arc<Socket>,
    asked: ClientFrame,
) -> Result<Option<ServerFrame>, Problem> {
    let actor = &socket.actor;
    let ack = |room, client_id, message| Ok(Some(ServerFrame::Ack { room, client_id, message }));
    match asked {
        ClientFrame::JoinRequest { room, after, epoch } => service.join(socket, room, after, epoch).await?,
        ClientFrame::LeaveRequest { room } => service.leave(socket, room).await?,
        ClientFrame::SendMessage { room, client_id, content, attachment_ids } => {
            let posted = service.post_message(actor, room, Some(client_id), &content, attachment_ids).await?;
            return ack(room, client_id, posted.message);
        }
        ClientFrame::UpdateMessage { room, client_id, id, content } => {
            return ack(room, client_id, service.edit_message(actor, Some(room), id, &content).await?);
        }
        ClientFrame::DeleteMessage { room, client_id, id } => {
            return ack(room, client_id, service.delete_message(actor, Some(room), id).await?);
        }
        ClientFrame::Read { room, seq } => {
            service.read_up_to(actor, room, seq).await?;
        }
        // Done by `act` already.
        ClientFrame::Typing { .. } | ClientFrame::FollowRequests => {}
    }
    Ok(None)
}

fn is_too_large(error: &axum::Error) -> bool {
    std::error::Error::source(error)
        .and_then(|source| source.downcast_ref::<tungstenite::Error>())
        .is_some_and(|error| matches!(error, tungstenite::Error::Capacity(_)))
}

fn reason(code: u16) -> &'static str {
    match code {
        close::NOT_ALLOWED => "not allowed any more",
        close::FRAME_TOO_LARGE => "frame too large",
        close::RESTARTING => "server restarting",
        close::TOO_SLOW => "too slow",
        _ => "",
    }
}
