//! The transport of one socket: it reads WebSocket frames, writes the socket's queue, and performs the close
//! handshake. `frames` handles the text frames. Rounds (`live::rounds`) do most of the writing; this task writes the
//! rest that the system did not accept at once.
//!
//! A socket has one pending request at a time, so its requests take effect in the order of sending. TCP slows down a
//! client that sends faster than the disk writes, or than it reads the answers. Others' messages reach it all the
//! while.

use std::{
    future::poll_fn,
    io::{self, Read, Write},
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use axum::body::Bytes;
use tokio::{
    io::{AsyncRead, ReadBuf},
    net::tcp::OwnedReadHalf,
    time::{Instant, sleep_until, timeout},
};
use tungstenite::{
    Message,
    error::ProtocolError,
    protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext},
};

use super::{
    frames::{Frames, Outcome, Pending},
    liveness::{Liveness, Verdict},
};
use crate::{
    domain::Timestamp,
    http::{listener, slots::Slot},
    live::{Socket, Writing},
    protocol::close,
    service::Connection,
    storage::now,
};

/// Small, because most sockets are idle most of the time and each has one. It grows for longer frames.
const READ_BUFFER_BYTES: usize = 512;
/// Limit for queued bytes, above which the server stops reading from the peer. Further answers would queue behind
/// them.
const MAX_BEHIND_BYTES: usize = 64 * 1024;
/// Time limits for the close handshake. A slow peer has much to read before the close code.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const CLOSE_SLOW_WITHIN: Duration = Duration::from_secs(30);

/// The reading side of the connection. WebSocket's own frames (pongs, the close frame) go through the socket's queue
/// as well, so that only one task writes.
pub(super) struct Peer {
    read: OwnedReadHalf,
    /// Released at the end of the connection.
    slot: Arc<Slot>,
    protocol: WebSocketContext,
    /// The peer has finished sending.
    has_ended: bool,
    /// The peer violated the WebSocket protocol: later data cannot be parsed.
    is_lost: bool,
}

impl Peer {
    pub fn new(read: OwnedReadHalf, slot: Arc<Slot>, read_before: Bytes, frame_bytes: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER_BYTES)
            .write_buffer_size(0)
            .max_message_size(Some(frame_bytes))
            .max_frame_size(Some(frame_bytes));
        // A copy, because the HTTP read buffer is much larger and would stay allocated.
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

    fn send(&mut self, cx: &mut Context<'_>, socket: &Arc<Socket>, message: Message) {
        let Self { read, protocol, .. } = self;
        // Fails only after a close frame, which is the last.
        protocol.write(&mut Pipe { read, cx, socket }, message).ok();
    }
}

/// The connection in the form that `tungstenite` needs: it reads from the wire and writes into the socket's queue.
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

/// Serves a socket until one side ends it, then closes it.
pub(super) async fn run(frames: Frames, connection: Connection, mut peer: Peer, expires_at: Option<Timestamp>) {
    let socket = connection.socket.clone();
    let mut writing = Writing::default();
    let code = serve(&frames, &mut peer, &mut writing, expires_at).await;
    drop(connection);
    if let Some(code) = code {
        frames.metrics.closed(code);
        let within = if code == close::TOO_SLOW { CLOSE_SLOW_WITHIN } else { CLOSE_WITHIN };
        timeout(within, Box::pin(close_handshake(&socket, &mut peer, &mut writing, code))).await.ok();
    }
    timeout(CLOSE_WITHIN, flush(&socket, &mut writing)).await.ok();
    // Dropping the last reference drops the writing half, which ends the stream.
    drop((socket, frames));
    if !peer.has_ended {
        let Peer { read, slot, .. } = peer;
        tokio::spawn(async move {
            listener::read_out(read).await;
            drop(slot);
        });
    }
}

/// Sends the close frame and waits for the peer's. Returns early if the peer has disconnected.
async fn close_handshake(socket: &Arc<Socket>, peer: &mut Peer, writing: &mut Writing, code: u16) {
    // A client that joins again receives the queue's content anew. A half-written frame is completed.
    drop(socket.take());
    let mut close = Some(Message::Close(Some(CloseFrame { code: code.into(), reason: reason(code).into() })));
    poll_fn(|cx| {
        if let Some(close) = close.take() {
            peer.send(cx, socket, close);
        }
        // Registers this task to be woken for new data.
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

/// Waits until the queue is written, or the peer has disconnected.
async fn flush(socket: &Socket, writing: &mut Writing) {
    poll_fn(|cx| {
        // Registers this task to be woken for new data.
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

/// The event that woke a socket's task.
enum Wake {
    /// The server closes the socket.
    Close(u16),
    /// The peer has disconnected.
    Gone,
    /// The pending request is answered.
    Answered,
    Received(Message),
    ReadFailed(tungstenite::Error),
    /// A check of the peer's liveness is due.
    Check,
}

/// Reads frames until one side ends the connection. Returns the close code, or `None` if the peer has disconnected.
async fn serve(frames: &Frames, peer: &mut Peer, writing: &mut Writing, expires_at: Option<Timestamp>) -> Option<u16> {
    let socket = &frames.socket;
    let mut pending: Option<Pending<'_>> = None;
    let mut liveness = Liveness::new(expires_at.and_then(instant), Instant::now());
    let mut check = pin!(sleep_until(liveness.next_check()));
    loop {
        // One function instead of a `select!`, which would poll each future at every turn.
        let wake = poll_fn(|cx| {
            if let Poll::Ready(code) = socket.poll_close(cx) {
                return Poll::Ready(Wake::Close(code));
            }
            let is_behind = match socket.poll_write(cx, writing) {
                Poll::Ready(Err(_)) => return Poll::Ready(Wake::Gone),
                Poll::Ready(Ok(waiting)) => {
                    liveness.unblocked();
                    let is_behind = waiting >= MAX_BEHIND_BYTES;
                    if is_behind {
                        // The next round runs soon.
                        cx.waker().wake_by_ref();
                    }
                    is_behind
                }
                Poll::Pending => {
                    if let Some(next) = liveness.blocked(writing.has_moved()) {
                        check.as_mut().reset(next);
                    }
                    true
                }
            };
            if let Some(request) = &mut pending {
                if request.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(Wake::Answered);
                }
            } else if !is_behind && let Poll::Ready(read) = peer.poll_read(cx, socket) {
                return Poll::Ready(match read {
                    Some(Ok(message)) => Wake::Received(message),
                    Some(Err(error)) => Wake::ReadFailed(error),
                    None => Wake::Gone,
                });
            }
            check.as_mut().poll(cx).map(|()| Wake::Check)
        })
        .await;
        match wake {
            Wake::Close(code) => return Some(code),
            Wake::Gone => return None,
            Wake::Answered => pending = None,
            Wake::Received(message) => {
                liveness.received();
                match message {
                    Message::Text(text) => match frames.receive(&text) {
                        Outcome::Done => {}
                        Outcome::Pending(request) => pending = Some(request),
                        Outcome::TooManyInvalid => return Some(close::NOT_ALLOWED),
                    },
                    Message::Binary(_) => return Some(close::NOT_TEXT),
                    // The next read sends the answer, and reports the end after a close frame.
                    Message::Close(_) | Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => {}
                }
            }
            Wake::ReadFailed(error) => return close_code(&error),
            Wake::Check => {
                match liveness.check(Instant::now(), pending.is_some()) {
                    Verdict::Stay => {}
                    Verdict::Close(code) => return Some(code),
                    Verdict::Gone => return None,
                    Verdict::Ping => {
                        poll_fn(|cx| {
                            peer.send(cx, socket, Message::Ping(Bytes::new()));
                            Poll::Ready(())
                        })
                        .await;
                    }
                }
                check.as_mut().reset(liveness.next_check());
            }
        }
    }
}

/// `None` for a time that is too far ahead.
fn instant(at: Timestamp) -> Option<Instant> {
    let left = at.0.saturating_sub(now().0).try_into().unwrap_or(0);
    Instant::now().checked_add(Duration::from_millis(left))
}

/// The close code after a failed read; `None` if the peer has disconnected.
fn close_code(error: &tungstenite::Error) -> Option<u16> {
    match error {
        tungstenite::Error::Capacity(_) => Some(close::FRAME_TOO_LARGE),
        tungstenite::Error::Utf8(_) => Some(close::NOT_UTF8),
        tungstenite::Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => None,
        tungstenite::Error::Protocol(_) | tungstenite::Error::AttackAttempt => Some(close::PROTOCOL_ERROR),
        _ => None,
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
