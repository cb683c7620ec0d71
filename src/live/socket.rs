//! One connected socket: its send queue, and the signal to close it. The task that owns the connection is in
//! `http::ws`; `live::rounds` does most of the writing.

use std::{
    fmt,
    future::poll_fn,
    io, mem,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicBool, AtomicU16, AtomicU32, Ordering},
    },
    task::{Context, Poll, ready},
};

use futures_util::task::AtomicWaker;
use rustix::net::{self, SendFlags};
use serde::Serialize;
use tokio::net::tcp::OwnedWriteHalf;
use tungstenite::protocol::frame::{
    FrameHeader,
    coding::{Data, OpCode},
};
use uuid::Uuid;

use super::schedule::Schedule;
use crate::{
    domain::{Actor, ConversationId, LinkId, SessionId, TokenId, UserId},
    protocol::close,
};

pub type ConnectionId = Uuid;

/// One or several serialised frames with their WebSocket headers: the bytes on the wire, for all recipients. Clones
/// share the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Arc<[u8]>);

impl Frame {
    /// Concatenates several frames.
    pub(super) fn together<'a>(frames: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let mut bytes = Vec::with_capacity(frames.clone().map(Self::len).sum());
        frames.for_each(|frame| bytes.extend_from_slice(&frame.0));
        Self(bytes.into())
    }

    /// Length in bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
impl Frame {
    pub(super) fn values(&self) -> Vec<serde_json::Value> {
        let (mut values, mut left) = (Vec::new(), &self.0[..]);
        while !left.is_empty() {
            let (header, length) = FrameHeader::parse(&mut io::Cursor::new(left)).unwrap().unwrap();
            let (value, rest) = left[header.len(length)..].split_at(length as usize);
            values.push(serde_json::from_slice(value).unwrap());
            left = rest;
        }
        values
    }
}

/// Queue limit of a socket, in frames or joined frames of a room. Beyond it the socket is too slow.
pub const QUEUE_FRAMES: usize = 256;
/// Queue limit in bytes, not counting the longest frame: a single answer to a join may be longer.
const QUEUE_BYTES: usize = 1024 * 1024;
/// Queue capacity, in frames, that an idle socket retains.
const KEEP_FRAMES: usize = 8;

/// Serialises a frame once for all recipients.
///
/// # Panics
/// Never: the frames are plain data with string keys.
#[must_use]
pub fn frame<T: Serialize>(value: &T) -> Frame {
    let mut bytes = Vec::with_capacity(256);
    // Space for the longest header; the length is known only afterwards.
    bytes.resize(LONGEST_HEADER, 0);
    serde_json::to_writer(&mut bytes, value).expect("frames are plain data");
    let length = (bytes.len() - LONGEST_HEADER) as u64;
    let header = FrameHeader { opcode: OpCode::Data(Data::Text), ..FrameHeader::default() };
    let begin = LONGEST_HEADER - header.len(length);
    header.format(length, &mut &mut bytes[begin..LONGEST_HEADER]).expect("it was measured");
    Frame(bytes[begin..].into())
}

/// Bytes of an unmasked frame's header (RFC 6455, section 5.2).
const LONGEST_HEADER: usize = 10;

/// The person to whom the limit of sockets applies.
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

pub struct Socket {
    pub id: ConnectionId,
    pub actor: Actor,
    /// The login session or token of the upgrade: ending it closes the socket.
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// Whether it follows custom requests.
    follows_requests: AtomicBool,
    /// Whether its page is hidden from its person.
    is_hidden: AtomicBool,
    /// How often its client has told of its page.
    tellings: AtomicU32,
    /// Whether its person is away, because the page has been hidden for some time.
    is_away: AtomicBool,
    queue: Mutex<SendQueue>,
    rounds: Arc<Schedule<Due>>,
    /// Set once the connection is established.
    wire: OnceLock<OwnedWriteHalf>,
    /// The code to close with; 0 while the socket may stay open.
    close_code: AtomicU16,
    /// The one task that waits for the code, and for the wire to become writable.
    task: AtomicWaker,
}

impl fmt::Debug for Socket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Socket").field(&self.id).finish()
    }
}

/// An item of the next round.
pub(super) enum Due {
    /// A room with frames to flush.
    Room(ConversationId),
    /// A socket with frames to write.
    Socket(Arc<Socket>),
}

/// The frames that are not written yet.
#[derive(Default)]
struct SendQueue {
    frames: Vec<Frame>,
    /// Size of all `frames`, and of the longest.
    bytes: usize,
    longest: usize,
    /// The rest of a partly written frame, which precedes the others and must be completed.
    begun: Vec<u8>,
    written_by: WrittenBy,
}

/// The writer of the queue. Only one writes at a time, as frames would interleave otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WrittenBy {
    /// The queue is empty.
    #[default]
    Nobody,
    /// The next round.
    Round,
    /// The socket's own task: there is no wire yet, or it did not accept everything at once.
    Task,
}

/// The bytes that a socket's own task is writing.
#[derive(Default)]
pub struct Writing {
    bytes: Vec<u8>,
    done: usize,
    has_moved: bool,
}

impl Writing {
    /// Whether the peer has accepted bytes since the last call.
    pub fn has_moved(&mut self) -> bool {
        mem::take(&mut self.has_moved)
    }
}

impl SendQueue {
    fn count(&mut self, frame: &Frame) {
        self.bytes += frame.len();
        self.longest = self.longest.max(frame.len());
    }

    fn count_none(&mut self) {
        (self.bytes, self.longest) = (0, 0);
    }
}

impl Socket {
    pub(super) fn new(
        actor: Actor,
        session: Option<SessionId>,
        token: Option<TokenId>,
        rounds: Arc<Schedule<Due>>,
    ) -> Self {
        Self {
            id: Uuid::now_v7(),
            actor,
            session,
            token,
            follows_requests: AtomicBool::new(false),
            is_hidden: AtomicBool::new(false),
            tellings: AtomicU32::new(0),
            is_away: AtomicBool::new(false),
            queue: Mutex::default(),
            rounds,
            wire: OnceLock::new(),
            close_code: AtomicU16::new(0),
            task: AtomicWaker::new(),
        }
    }

    /// From now on the queue is written to `wire`. Called once, by the task that will own the socket.
    pub fn attach(&self, wire: OwnedWriteHalf) {
        let is_first = self.wire.set(wire).is_ok();
        debug_assert!(is_first, "a socket has one connection");
    }

    /// From now on this socket receives changes of custom requests.
    pub fn follow_requests(&self) {
        self.follows_requests.store(true, Ordering::Release);
    }

    /// Records whether its person can see its page, and returns the number of this record. A socket counts as visible
    /// until its client says otherwise.
    pub(super) fn set_visible(&self, on: bool) -> u32 {
        self.is_hidden.store(!on, Ordering::Relaxed);
        self.tellings.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Whether its page has been hidden since the record with this number.
    pub(super) fn is_hidden_since(&self, telling: u32) -> bool {
        !self.is_visible() && self.tellings.load(Ordering::Relaxed) == telling
    }

    /// Returns whether this is a change.
    pub(super) fn set_away(&self, on: bool) -> bool {
        self.is_away.swap(on, Ordering::Relaxed) != on
    }

    pub(super) fn is_away(&self) -> bool {
        self.is_away.load(Ordering::Relaxed)
    }

    pub(super) fn is_visible(&self) -> bool {
        !self.is_hidden.load(Ordering::Relaxed)
    }

    pub(super) fn follows_requests(&self) -> bool {
        self.follows_requests.load(Ordering::Acquire)
    }

    /// Enqueues a frame for the next round.
    pub fn send(self: &Arc<Self>, frame: &Frame) {
        if self.enqueue(frame) {
            self.rounds.add(Due::Socket(self.clone()));
        }
    }

    /// Enqueues the bytes of a complete frame, such as the answer to a ping.
    pub fn send_raw(self: &Arc<Self>, frame: &[u8]) {
        self.send(&Frame(frame.into()));
    }

    /// Enqueues a frame. Returns whether the caller must add the socket to a round.
    ///
    /// A socket with a full queue is closed as too slow. Its client joins again and misses nothing, and others are
    /// not delayed.
    #[must_use]
    pub(super) fn enqueue(&self, frame: &Frame) -> bool {
        let mut queue = self.queue();
        if queue.frames.len() >= QUEUE_FRAMES || queue.bytes - queue.longest >= QUEUE_BYTES {
            drop(queue);
            self.close(close::TOO_SLOW);
            return false;
        }
        queue.count(frame);
        queue.frames.push(frame.clone());
        let is_due = queue.written_by == WrittenBy::Nobody;
        if is_due {
            queue.written_by = WrittenBy::Round;
        }
        is_due
    }

    /// Removes and returns the frames of which no byte was written.
    pub fn take(&self) -> Vec<Frame> {
        let mut queue = self.queue();
        queue.count_none();
        mem::take(&mut queue.frames)
    }

    /// Writes the queue within a round. `together` is a buffer for joining frames.
    pub(super) fn write(&self, together: &mut Vec<u8>) {
        let Some(wire) = self.wire.get() else { return self.leave_to_task(Vec::new(), 0) };
        loop {
            let mut frames = self.take();
            let bytes = match &frames[..] {
                [frame] => &frame.0[..],
                frames => {
                    together.clear();
                    frames.iter().for_each(|frame| together.extend_from_slice(&frame.0));
                    &together[..]
                }
            };
            // A direct system call: tokio's readiness is of no use here, and costs a lookup per socket. The task,
            // which uses tokio, writes the rest.
            match net::send(wire.as_ref(), bytes, SendFlags::empty()) {
                Ok(written) if written == bytes.len() => {}
                Ok(written) => return self.leave_to_task(frames, written),
                // Also after a disconnection, which the task detects as well.
                Err(_) => return self.leave_to_task(frames, 0),
            }
            let mut queue = self.queue();
            if queue.frames.is_empty() {
                queue.written_by = WrittenBy::Nobody;
                if frames.capacity() <= KEEP_FRAMES {
                    frames.clear();
                    queue.frames = frames;
                }
                return;
            }
        }
    }

    /// Makes the task write `frames` without the first `written` bytes, and then later frames.
    fn leave_to_task(&self, frames: Vec<Frame>, mut written: usize) {
        let mut left = frames.into_iter().peekable();
        while let Some(whole) = left.next_if(|frame| frame.len() <= written) {
            written -= whole.len();
        }
        let mut queue = self.queue();
        if written > 0 {
            queue.begun = left.next().map(|frame| frame.0[written..].to_vec()).unwrap_or_default();
        }
        let left: Vec<_> = left.collect();
        left.iter().for_each(|frame| queue.count(frame));
        queue.frames.splice(..0, left);
        queue.written_by = WrittenBy::Task;
        drop(queue);
        self.task.wake();
    }

    /// Writes the part of the queue that is left to the socket's own task. Ready when that part is written, with the
    /// number of bytes for the next round, or when the peer has disconnected.
    ///
    /// # Errors
    /// The peer has disconnected.
    pub fn poll_write(&self, cx: &mut Context<'_>, writing: &mut Writing) -> Poll<io::Result<usize>> {
        let Some(wire) = self.wire.get() else { return Poll::Ready(Ok(0)) };
        loop {
            if writing.done == writing.bytes.len() {
                let mut queue = self.queue();
                if queue.written_by != WrittenBy::Task {
                    return Poll::Ready(Ok(queue.bytes));
                }
                writing.bytes = mem::take(&mut queue.begun);
                writing.done = 0;
                queue.count_none();
                for frame in queue.frames.drain(..) {
                    writing.bytes.extend_from_slice(&frame.0);
                }
                if writing.bytes.is_empty() {
                    queue.frames = Vec::new();
                    writing.bytes = Vec::new();
                    queue.written_by = WrittenBy::Nobody;
                    return Poll::Ready(Ok(0));
                }
            }
            match wire.try_write(&writing.bytes[writing.done..]) {
                Ok(written) => {
                    writing.done += written;
                    writing.has_moved = true;
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => ready!(wire.as_ref().poll_write_ready(cx))?,
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    /// Whether a round is about to write.
    #[must_use]
    pub fn is_in_round(&self) -> bool {
        self.queue().written_by == WrittenBy::Round
    }

    /// Asks the socket's task to close. Later codes are ignored.
    pub fn close(&self, code: u16) {
        if self.close_code.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.task.wake();
        }
    }

    /// Whether the socket is to be closed.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.close_code.load(Ordering::Acquire) != 0
    }

    /// Ready with the close code once the socket has to close. Until then the last caller is woken, also when it has
    /// something to write.
    pub fn poll_close(&self, cx: &mut Context<'_>) -> Poll<u16> {
        // Registered first, so that no concurrent change is missed.
        self.task.register(cx.waker());
        match self.close_code.load(Ordering::Acquire) {
            0 => Poll::Pending,
            code => Poll::Ready(code),
        }
    }

    /// Waits for the close code, instead of [`Socket::poll_close`].
    pub async fn closed(&self) -> u16 {
        poll_fn(|cx| self.poll_close(cx)).await
    }

    fn queue(&self) -> MutexGuard<'_, SendQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
