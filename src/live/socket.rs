//! One connected socket, as the rest of the server sees it: what waits to be written to it, and a way to
//! close it. The task that owns the connection is in `http::ws`; `live::rounds` does most of the writing.

use std::{
    fmt,
    future::poll_fn,
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use futures_util::task::AtomicWaker;
use serde::Serialize;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};
use uuid::Uuid;

use super::rounds::Rounds;
use crate::{
    domain::{Actor, LinkId, SessionId, TokenId, UserId},
    protocol::close,
};

pub type ConnectionId = Uuid;

/// A serialised frame with the header that WebSocket puts before it: what goes over the wire to everybody
/// who gets it. Cloning it shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Bytes);

/// How many frames may wait for one socket before it counts as too slow.
pub const QUEUE_FRAMES: usize = 256;
/// Nor may more be added to so many bytes that wait.
const QUEUE_BYTES: usize = 1024 * 1024;
/// The memory for waiting frames that a socket keeps while nothing waits.
const KEEP_BYTES: usize = 512;

/// Serialises once; the result is shared by all who get it.
///
/// # Panics
/// Never: the frames are plain data with string keys.
#[must_use]
pub fn frame<T: Serialize>(value: &T) -> Frame {
    let mut bytes = Vec::with_capacity(256);
    // Room for the longest header, which is known only afterwards.
    bytes.resize(LONGEST_HEADER, 0);
    serde_json::to_writer(&mut bytes, value).expect("frames are plain data");
    let length = (bytes.len() - LONGEST_HEADER) as u64;
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let begin = LONGEST_HEADER - header.len(length);
    header.format(length, &mut &mut bytes[begin..LONGEST_HEADER]).expect("it was measured");
    Frame(Bytes::from(bytes).slice(begin..))
}

/// RFC 6455, section 5.2: of a frame that is not masked.
const LONGEST_HEADER: usize = 10;

/// Whom a socket counts for, when sockets are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Person {
    User(UserId),
    Link(LinkId),
    Nobody,
}

impl From<&Actor> for Person {
    fn from(actor: &Actor) -> Self {
        match (actor.user_id(), actor.links().first()) {
            (Some(user), _) => Self::User(user),
            (None, Some(link)) => Self::Link(*link),
            (None, None) => Self::Nobody,
        }
    }
}

/// Where a socket's bytes go.
pub trait Wire: Send + Sync {
    /// Writes what the system takes at once; [`io::ErrorKind::WouldBlock`] if that is nothing.
    ///
    /// # Errors
    /// The peer is gone.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
    /// Wakes the task once the system takes more.
    fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

pub struct Socket {
    pub id: ConnectionId,
    pub actor: Actor,
    /// The login session or token that the socket was opened with: ending it closes the socket.
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// Whether it asked to be told of custom requests.
    follows_requests: AtomicBool,
    waiting: Mutex<Waiting>,
    rounds: Arc<Rounds>,
    /// Set once the connection is there.
    wire: OnceLock<Box<dyn Wire>>,
    /// The code to close with; 0 while the socket may stay open.
    close_code: AtomicU16,
    /// The one task that waits for the code, and for the wire to take more.
    task: AtomicWaker,
}

impl fmt::Debug for Socket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Socket").field(&self.id).finish()
    }
}

/// What was not written yet: whole frames.
#[derive(Default)]
struct Waiting {
    bytes: Vec<u8>,
    frames: usize,
    who: Writer,
}

/// Who writes what waits. Nobody else may, or frames would be mixed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Writer {
    /// Nothing waits.
    #[default]
    Nobody,
    /// The next round.
    Round,
    /// The socket's own task: there is no wire yet, or it did not take all at once.
    Task,
}

/// What a socket's own task is in the middle of writing.
#[derive(Default)]
pub struct Writing {
    bytes: Vec<u8>,
    done: usize,
    has_moved: bool,
}

impl Writing {
    /// Whether the peer has taken anything since this was asked last.
    pub fn has_moved(&mut self) -> bool {
        mem::take(&mut self.has_moved)
    }
}

impl Socket {
    pub(super) fn new(actor: Actor, session: Option<SessionId>, token: Option<TokenId>, rounds: Arc<Rounds>) -> Self {
        Self {
            id: Uuid::now_v7(),
            actor,
            session,
            token,
            follows_requests: AtomicBool::new(false),
            waiting: Mutex::default(),
            rounds,
            wire: OnceLock::new(),
            close_code: AtomicU16::new(0),
            task: AtomicWaker::new(),
        }
    }

    /// From now on what waits goes out on `wire`. Called once, by the task that will own the socket.
    pub fn attach(&self, wire: Box<dyn Wire>) {
        let is_first = self.wire.set(wire).is_ok();
        debug_assert!(is_first, "a socket has one connection");
    }

    /// From now on this socket is told of custom requests.
    pub fn follow_requests(&self) {
        self.follows_requests.store(true, Ordering::Release);
    }

    pub(super) fn follows_requests(&self) -> bool {
        self.follows_requests.load(Ordering::Acquire)
    }

    /// Queues a frame. A socket for which too much waits is closed as too slow: its client joins again
    /// and misses nothing, while everyone else goes on at full speed.
    pub fn send(self: &Arc<Self>, frame: &Frame) {
        self.queue(&frame.0);
    }

    /// Queues what is a frame already, such as the answer to a ping.
    pub fn queue(self: &Arc<Self>, frame: &[u8]) {
        let mut waiting = self.waiting();
        if waiting.frames >= QUEUE_FRAMES || waiting.bytes.len() >= QUEUE_BYTES {
            drop(waiting);
            return self.close(close::TOO_SLOW);
        }
        waiting.bytes.extend_from_slice(frame);
        waiting.frames += 1;
        if waiting.who == Writer::Nobody {
            waiting.who = Writer::Round;
            drop(waiting);
            self.rounds.add(self.clone());
        }
    }

    /// Takes what waits: whole frames.
    #[must_use]
    pub fn take(&self) -> Vec<u8> {
        let mut waiting = self.waiting();
        waiting.frames = 0;
        mem::take(&mut waiting.bytes)
    }

    /// Writes what waits, for the round that this socket is in.
    pub(super) fn write(&self) {
        let Some(wire) = self.wire.get() else { return self.leave_to_task(Vec::new(), 0) };
        loop {
            let mut bytes = self.take();
            match wire.try_write(&bytes) {
                Ok(written) if written == bytes.len() => {}
                Ok(written) => return self.leave_to_task(bytes, written),
                // Also if the peer is gone: the task sees that as well.
                Err(_) => return self.leave_to_task(bytes, 0),
            }
            let mut waiting = self.waiting();
            if waiting.bytes.is_empty() {
                waiting.who = Writer::Nobody;
                if bytes.capacity() <= KEEP_BYTES {
                    bytes.clear();
                    waiting.bytes = bytes;
                }
                return;
            }
        }
    }

    /// Has the task write `bytes` without the first `written`, and then what came meanwhile.
    fn leave_to_task(&self, mut bytes: Vec<u8>, written: usize) {
        bytes.drain(..written);
        let mut waiting = self.waiting();
        bytes.extend_from_slice(&waiting.bytes);
        waiting.bytes = bytes;
        waiting.who = Writer::Task;
        drop(waiting);
        self.task.wake();
    }

    /// Writes what is left to the socket's own task. Ready when that is nothing, or when the peer is gone.
    ///
    /// # Errors
    /// The peer is gone.
    pub fn poll_write(&self, cx: &mut Context<'_>, writing: &mut Writing) -> Poll<io::Result<()>> {
        let Some(wire) = self.wire.get() else { return Poll::Ready(Ok(())) };
        loop {
            if writing.done == writing.bytes.len() {
                let mut waiting = self.waiting();
                if waiting.who != Writer::Task {
                    return Poll::Ready(Ok(()));
                }
                waiting.frames = 0;
                (writing.bytes, writing.done) = (mem::take(&mut waiting.bytes), 0);
                if writing.bytes.is_empty() {
                    waiting.who = Writer::Nobody;
                    return Poll::Ready(Ok(()));
                }
            }
            match wire.try_write(&writing.bytes[writing.done..]) {
                Ok(written) => {
                    writing.done += written;
                    writing.has_moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(wire.poll_writable(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Whether a round is about to write.
    #[must_use]
    pub fn is_in_round(&self) -> bool {
        self.waiting().who == Writer::Round
    }

    /// Asks the socket's task to close. The first code wins.
    pub fn close(&self, code: u16) {
        if self.close_code.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.task.wake();
        }
    }

    /// Whether it was asked to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.close_code.load(Ordering::Acquire) != 0
    }

    /// The close code once the socket has to close. Until then the task that asked last is woken, also when
    /// there is something for it to write.
    pub fn poll_close(&self, cx: &mut Context<'_>) -> Poll<u16> {
        // First, so that nothing comes in between unseen.
        self.task.register(cx.waker());
        match self.close_code.load(Ordering::Acquire) {
            0 => Poll::Pending,
            code => Poll::Ready(code),
        }
    }

    /// Waits for the close code, in the place of [`Socket::poll_close`].
    pub async fn closed(&self) -> u16 {
        poll_fn(|cx| self.poll_close(cx)).await
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
