//! The transport of one socket: WebSocket frames in, the queue of the socket out, and the close handshake. `frames`
//! handles what the texts ask for. Rounds (`live::rounds`) do most of the writing; what the system did not take at
//! once is written here.
//!
//! A socket has one pending request at a time. So its requests take effect in the order in which they were sent.
//! TCP slows down a client that sends faster than the disk can follow, or than it reads the answers; what others send
//! reaches it all the while.

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

/// Small, because most sockets are idle most of the time and each holds one. A longer frame gets what it needs.
const READ_BUFFER_BYTES: usize = 512;
/// The server does not read from a peer for which so much waits: answers to what it asks would wait behind that.
const MAX_BEHIND_BYTES: usize = 64 * 1024;
/// How long a close handshake may take. A peer that was too slow has much to read before the close code.
const CLOSE_WITHIN: Duration = Duration::from_secs(2);
const CLOSE_SLOW_WITHIN: Duration = Duration::from_secs(30);

/// The other end of the connection. What WebSocket itself sends (pongs, the close frame) waits in the socket's queue
/// like everything else, so that only one task writes.
pub(super) struct Peer {
    read: OwnedReadHalf,
    /// Given back when the connection has ended.
    slot: Arc<Slot>,
    protocol: WebSocketContext,
    /// The peer has sent all it will.
    has_ended: bool,
    /// The peer broke the WebSocket protocol: nothing after that can be parsed.
    is_lost: bool,
}

impl Peer {
    pub fn new(read: OwnedReadHalf, slot: Arc<Slot>, read_before: Bytes, frame_bytes: usize) -> Self {
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

    fn send(&mut self, cx: &mut Context<'_>, socket: &Arc<Socket>, message: Message) {
        let Self { read, protocol, .. } = self;
        // Fails only after a close frame, and nothing follows that.
        protocol.write(&mut Pipe { read, cx, socket }, message).ok();
    }
}

/// The connection as `tungstenite` needs it: it reads from the wire and writes into the socket's queue.
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

/// Serves a socket until one side ends it, and closes it.
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
    // The half of the connection that writes goes with the last reference, which ends the stream.
    drop((socket, frames));
    if !peer.has_ended {
        let Peer { read, slot, .. } = peer;
        tokio::spawn(async move {
            listener::read_out(read).await;
            drop(slot);
        });
    }
}

/// Sends the close frame and waits for that of the peer. Ends early if the peer is gone.
async fn close_handshake(socket: &Arc<Socket>, peer: &mut Peer, writing: &mut Writing, code: u16) {
    // A client that joins again gets all this anew. A frame that is half written is finished, though.
    drop(socket.take());
    let mut close = Some(Message::Close(Some(CloseFrame { code: code.into(), reason: reason(code).into() })));
    poll_fn(|cx| {
        if let Some(close) = close.take() {
            peer.send(cx, socket, close);
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

/// Waits until everything in the queue is written, or the peer is gone.
async fn flush(socket: &Socket, writing: &mut Writing) {
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

/// Why a socket's task wakes up.
enum Wake {
    /// The server closes the socket.
    Close(u16),
    /// The peer is gone.
    Gone,
    /// The pending request is answered.
    Answered,
    Received(Message),
    ReadFailed(tungstenite::Error),
    /// A check of the peer's liveness is due.
    Check,
}

/// Reads frames until one side ends it; returns the code to close with, or `None` if the peer is gone.
async fn serve(frames: &Frames, peer: &mut Peer, writing: &mut Writing, expires_at: Option<Timestamp>) -> Option<u16> {
    let socket = &frames.socket;
    let mut pending: Option<Pending<'_>> = None;
    let mut liveness = Liveness::new(expires_at.and_then(instant), Instant::now());
    let mut check = pin!(sleep_until(liveness.next_check()));
    loop {
        // One function and not a `select!` of futures: each of those would be polled at every turn.
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
                        // The round is about to come.
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
                    // Reading on sends the answer, and reports the end after a close frame.
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

/// `None`: so late that it does not matter.
fn instant(at: Timestamp) -> Option<Instant> {
    let left = at.0.saturating_sub(now().0).try_into().unwrap_or(0);
    Instant::now().checked_add(Duration::from_millis(left))
}

/// The code to close with after a failed read; `None` if the peer is gone.
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
