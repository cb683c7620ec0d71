//! The WebSocket: one task for each socket, which reads frames, lets `service` act on them, and looks
//! after the peer. Most of the writing is done in rounds (`live::rounds`); what the system did not take
//! at once is written here.
//!
//! A socket has one request at a time under way: its requests take effect in the order in which
//! they were sent, a client that sends faster than the disk can follow, or than it reads the answers, is
//! slowed down by TCP, and what others send reaches it all the while.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    pin::{Pin, pin},
    sync::{Arc, atomic::Ordering},
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    Extension,
    body::Bytes,
    extract::{State, ws::WebSocketUpgrade},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::tcp::OwnedReadHalf,
    time::{Instant, sleep_until, timeout},
};
use tracing::Instrument;
use tungstenite::{
    Message,
    error::ProtocolError,
    handshake::derive_accept_key,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext},
};
use uuid::Uuid;

use super::{App, Asker, auth, error, listener, metrics::Metrics, slots::Slot};
use crate::{
    domain::{Actor, Code, Problem, Timestamp},
    live::{Socket, Writing, frame},
    locales::{self, t},
    protocol::{ClientFrame, ServerFrame, close},
    service::{Connection, Service},
    storage::now,
};

/// Small, because most sockets are idle most of the time and each holds one. A longer frame gets what it needs.
const READ_BUFFER_BYTES: usize = 512;
/// Silence after which a peer is asked for a sign of life, and the time it has to give one.
const PING_AFTER: Duration = Duration::from_secs(25);
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// A peer for which so much waits is not listened to: what it asks for next would only wait behind that.
const MUCH_BYTES: usize = 64 * 1024;
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
            run(app.service, app.metrics, connection, peer, expires_at).await;
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

/// Whoever is at the other end: reads what they send. What the protocol itself has to say (pongs, the end)
/// waits in the socket's queue like everything else, so that only one writes.
struct Peer {
    read: OwnedReadHalf,
    /// Given back when the connection has ended.
    slot: Arc<Slot>,
    protocol: WebSocketContext,
    /// The peer has sent all it will.
    has_ended: bool,
    /// What came last was no WebSocket: nothing after it can be understood.
    is_lost: bool,
}

impl Peer {
    fn new(read: OwnedReadHalf, slot: Arc<Slot>, read_before: Bytes, frame_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes));
        // A copy, as what HTTP was read into is much larger and would be kept.
        let protocol = WebSocketContext::from_partially_read(read_before.to_vec(), Role::Server, Some(config));
        Self { read, slot, protocol, has_ended: false, is_lost: false }
    }

    /// The next message; `None` at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, socket: &Arc<Socket>) -> Poll<Option<tungstenite::Result<Message>>> {
        if self.is_lost {
            return Poll::Ready(None);
        }
        let Self { read, protocol, .. } = self;
        match protocol.read(&mut Pipe { read, cx, socket }) {
            Ok(message) => Poll::Ready(Some(Ok(message))),
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Poll::Pending,
            Err(tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed) => Poll::Ready(None),
            Err(error) => {
                self.is_lost = true;
                self.has_ended = matches!(error, tungstenite::Error::Io(_));
                Poll::Ready(Some(Err(error)))
            }
        }
    }

    fn say(&mut self, cx: &mut Context<'_>, socket: &Arc<Socket>, message: Message) {
        let Self { read, protocol, .. } = self;
        // Fails only after the end was said, and then there is no more to say.
        protocol.write(&mut Pipe { read, cx, socket }, message).ok();
    }
}

/// The connection as `tungstenite` wants it.
struct Pipe<'a, 'b> {
    read: &'a mut OwnedReadHalf,
    cx: &'a mut Context<'b>,
    socket: &'a Arc<Socket>,
}

impl Read for Pipe<'_, '_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut buffer = ReadBuf::new(buffer);
        match Pin::new(&mut *self.read).poll_read(self.cx, &mut buffer) {
            Poll::Ready(read) => read.map(|()| buffer.filled().len()),
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

impl Write for Pipe<'_, '_> {
    fn write(&mut self, frame: &[u8]) -> io::Result<usize> {
        self.socket.send_raw(frame);
        Ok(frame.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

async fn run(
    service: Arc<Service>,
    metrics: Arc<Metrics>,
    connection: Connection,
    mut peer: Peer,
    expires_at: Option<Timestamp>,
) {
    let socket = connection.socket.clone();
    let mut writing = Writing::default();
    let code = talk(&service, &metrics, &socket, &mut peer, &mut writing, expires_at).await;
    drop(connection);
    if let Some(code) = code {
        metrics.closed(code);
        let within = if code == close::TOO_SLOW { CLOSE_SLOW_WITHIN } else { CLOSE_WITHIN };
        timeout(within, Box::pin(say_goodbye(&socket, &mut peer, &mut writing, code))).await.ok();
    }
    timeout(CLOSE_WITHIN, written(&socket, &mut writing)).await.ok();
    // With it goes the half that writes, which tells the peer that this is all.
    drop(socket);
    if !peer.has_ended {
        let Peer { read, slot, .. } = peer;
        tokio::spawn(async move {
            listener::read_out(read).await;
            drop(slot);
        });
    }
}

/// Tells the peer why it is closed, and waits until it has heard. It may be gone, or not read: then there is
/// nobody to say it to.
async fn say_goodbye(socket: &Arc<Socket>, peer: &mut Peer, writing: &mut Writing, code: u16) {
    // Whoever joins again gets all this anew. A frame that is half written is finished, though.
    drop(socket.take());
    let mut words = Some(Message::Close(Some(CloseFrame { code: code.into(), reason: reason(code).into() })));
    poll_fn(|cx| {
        if let Some(words) = words.take() {
            peer.say(cx, socket, words);
        }
        // Wakes this task when there is more to write.
        let _ = socket.poll_close(cx);
        if let Poll::Ready(Err(_)) = socket.poll_write(cx, writing) {
            return Poll::Ready(());
        }
        loop {
            match peer.poll_read(cx, socket) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(_) => return Poll::Ready(()),
                Poll::Pending => return Poll::Pending,
            }
        }
    })
    .await;
}

/// Waits until all that was said is on its way, or the peer is gone.
async fn written(socket: &Socket, writing: &mut Writing) {
    poll_fn(|cx| {
        // Wakes this task when there is more to write.
        let _ = socket.poll_close(cx);
        match socket.poll_write(cx, writing) {
            Poll::Ready(Ok(_)) if socket.is_in_round() => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Poll::Ready(_) => Poll::Ready(()),
            Poll::Pending => Poll::Pending,
        }
    })
    .await;
}

/// What a peer asked for, while it waits for the database.
type UnderWay = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a socket's task wakes up for.
enum Event {
    /// It has to close.
    Close(u16),
    /// The peer is gone.
    Gone,
    /// What the peer asked for is done.
    Done,
    Heard(Message),
    /// The peer sent what is no message.
    Misheard(tungstenite::Error),
    /// It is time to look after the peer.
    Check,
}

/// Talks until one side ends it; returns the code to close with, or `None` if the peer is gone.
async fn talk(
    service: &Arc<Service>,
    metrics: &Arc<Metrics>,
    socket: &Arc<Socket>,
    peer: &mut Peer,
    writing: &mut Writing,
    expires_at: Option<Timestamp>,
) -> Option<u16> {
    let mut under_way: Option<UnderWay> = None;
    let mut heard = true;
    let mut asked = false;
    // Since when the peer takes nothing of what waits for it.
    let mut stuck: Option<Instant> = None;
    let expires_at = expires_at.and_then(|at| {
        let left = at.0.saturating_sub(now().0).try_into().unwrap_or(0);
        Instant::now().checked_add(Duration::from_millis(left))
    });
    let mut ping_at = Instant::now() + PING_AFTER;
    let mut check = pin!(sleep_until(expires_at.map_or(ping_at, |at| at.min(ping_at))));
    loop {
        // One function and not a `select!` of futures: each of those would be asked at every turn.
        let event = poll_fn(|cx| {
            if let Poll::Ready(code) = socket.poll_close(cx) {
                return Poll::Ready(Event::Close(code));
            }
            let is_behind = match socket.poll_write(cx, writing) {
                Poll::Ready(Err(_)) => return Poll::Ready(Event::Gone),
                Poll::Ready(Ok(waiting)) => {
                    stuck = None;
                    if waiting >= MUCH_BYTES {
                        // The round is about to come.
                        cx.waker().wake_by_ref();
                    }
                    waiting >= MUCH_BYTES
                }
                Poll::Pending => {
                    if writing.has_moved() || stuck.is_none() {
                        let now = Instant::now();
                        stuck = Some(now);
                        let next = check.deadline().min(now + WRITE_WITHIN);
                        check.as_mut().reset(next);
                    }
                    true
                }
            };
            if let Some(act) = &mut under_way {
                if act.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Event::Done);
                }
            } else if !is_behind && let Poll::Ready(read) = peer.poll_read(cx, socket) {
                return Poll::Ready(match read {
                    Some(Ok(message)) => Event::Heard(message),
                    Some(Err(error)) => Event::Misheard(error),
                    None => Event::Gone,
                });
            }
            check.as_mut().poll(cx).map(|()| Event::Check)
        })
        .await;
        match event {
            Event::Close(code) => return Some(code),
            Event::Gone => return None,
            Event::Done => under_way = None,
            Event::Heard(message) => {
                heard = true;
                match message {
                    Message::Text(text) => {
                        let read_at = Instant::now();
                        match understand(&text) {
                            Some(asked) => under_way = act(service, metrics, socket, asked, read_at),
                            None if service.count_invalid(socket) => socket.send(&misunderstood(&text)),
                            None => return Some(close::NOT_ALLOWED),
                        }
                    }
                    Message::Binary(_) => return Some(close::NOT_TEXT),
                    // Reading on sends the answer, and then says that this was the end.
                    Message::Close(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
            Event::Misheard(error) => return what_was_wrong(&error),
            Event::Check => {
                let now = Instant::now();
                if expires_at.is_some_and(|at| at <= now) {
                    return Some(close::NOT_ALLOWED);
                }
                if stuck.is_some_and(|since| since + WRITE_WITHIN <= now) {
                    return Some(close::TOO_SLOW);
                }
                if ping_at <= now {
                    // Who is behind is not heard, but has to take something now and then.
                    if heard || under_way.is_some() || stuck.is_some() {
                        (heard, asked) = (false, false);
                        ping_at = now + PING_AFTER;
                    } else if asked {
                        return None;
                    } else {
                        asked = true;
                        ping_at = now + PONG_WITHIN;
                        poll_fn(|cx| {
                            peer.say(cx, socket, Message::Ping(Bytes::new()));
                            Poll::Ready(())
                        })
                        .await;
                    }
                }
                let stuck_until = stuck.map(|since| since + WRITE_WITHIN);
                let next = [expires_at, stuck_until].into_iter().flatten().fold(ping_at, Instant::min);
                check.as_mut().reset(next);
            }
        }
    }
}

/// The code to close with because of what a peer sent; `None` if the peer is gone.
fn what_was_wrong(error: &tungstenite::Error) -> Option<u16> {
    match error {
        tungstenite::Error::Capacity(_) => Some(close::FRAME_TOO_LARGE),
        tungstenite::Error::Utf8(_) => Some(close::NOT_UTF8),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) | tungstenite::Error::AttackAttempt => Some(close::PROTOCOL_ERROR),
        _ => None,
    }
}

/// The frame that a text is. An object only: read as a list of its members, in the order in which they happen to
/// be declared, a frame would mean something else with the next version.
fn understand(text: &str) -> Option<ClientFrame> {
    let is_object = text.trim_ascii_start().starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Does what one frame asks, or begins to; answers through the socket's queue.
fn act(
    service: &Arc<Service>,
    metrics: &Arc<Metrics>,
    socket: &Arc<Socket>,
    asked: ClientFrame,
    read_at: Instant,
) -> Option<UnderWay> {
    let (room, client_id) = asked.about();
    // What need not wait is done on the spot.
    match asked {
        ClientFrame::Typing { room, on } => {
            if let Err(problem) = service.typing(socket, room, on) {
                socket.send(&frame(&ServerFrame::error(problem, Some(room), None)));
            }
            return None;
        }
        ClientFrame::FollowRequests => {
            if let Err(problem) = service.follow_requests(socket) {
                socket.send(&frame(&ServerFrame::error(problem, None, None)));
            }
            return None;
        }
        _ => {}
    }
    let span = tracing::info_span!("socket", connection_id = %socket.id);
    let (service, metrics, socket) = (service.clone(), metrics.clone(), socket.clone());
    let act = async move {
        match obey(&service, &socket, asked).await {
            Ok(None) => {}
            Ok(Some(ack)) => {
                socket.send(&frame(&ack));
                metrics.acknowledged(read_at.elapsed());
            }
            Err(problem) => socket.send(&frame(&ServerFrame::error(problem, room, client_id))),
        }
    };
    // Not one for the socket's whole life: most sockets are idle most of the time, and each would hold one.
    Some(Box::pin(act.instrument(span)))
}

/// The answer to what is no frame: whom it is about is told back in the client's own words.
fn misunderstood(text: &str) -> crate::live::Frame {
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
        Problem::new(Code::Invalid, t!(locales::current(), api::FRAME))
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

/// Returns the `ack` of what was changed.
async fn obey(
    service: &Arc<Service>,
    socket: &Arc<Socket>,
    asked: ClientFrame,
) -> Result<Option<ServerFrame>, Problem> {
    match asked {
        ClientFrame::JoinRequest { room, after, epoch, sender } => {
            service.join(socket, room, after, epoch, sender).await.map(|()| None)
        }
        ClientFrame::LeaveRequest { room } => service.leave(socket, room).await.map(|()| None),
        ClientFrame::SendMessage { room, sender, .. }
        | ClientFrame::UpdateMessage { room, sender, .. }
        | ClientFrame::DeleteMessage { room, sender, .. } => {
            service.require_sender_on(socket, room, sender).await?;
            service.obey(&socket.actor, asked).await
        }
        // Two of these are done by `act` already.
        ClientFrame::Read { .. } | ClientFrame::Typing { .. } | ClientFrame::FollowRequests => {
            service.obey(&socket.actor, asked).await
        }
    }
}

fn reason(code: u16) -> &'static str {
    match code {
        close::PROTOCOL_ERROR => "not the WebSocket protocol",
        close::NOT_TEXT => "frames are text",
        close::NOT_UTF8 => "not UTF-8",
        close::NOT_ALLOWED => "not allowed any more",
        close::FRAME_TOO_LARGE => "frame too large",
        close::RESTARTING => "server restarting",
        close::TOO_SLOW => "too slow",
        _ => "",
    }
}
