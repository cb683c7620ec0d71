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

/// A serialised frame, or several, with the header that WebSocket puts before each: what goes over the wire to
/// everybody who gets it. Cloning it shares the bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Arc<[u8]>);

impl Frame {
    /// Several, one after the other.
    pub(super) fn together<'a>(frames: impl Iterator<Item = &'a Self> + Clone) -> Self {
        let mut bytes = Vec::with_capacity(frames.clone().map(Self::len).sum());
        frames.for_each(|frame| bytes.extend_from_slice(&frame.0));
        Self(bytes.into())
    }

    /// Bytes.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}

#[cfg(test)]
impl Frame {
    /// What was serialised.
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

/// How many frames, or several of a room as one, may wait for one socket before it counts as too slow.
pub const QUEUE_FRAMES: usize = 256;
/// Nor may more be added to so many bytes that wait beside the longest frame: one answer to a join may be longer
/// than this by itself.
const QUEUE_BYTES: usize = 1024 * 1024;
/// For so many waiting frames a socket keeps the memory while nothing waits.
const KEEP_FRAMES: usize = 8;

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
    Frame(bytes[begin..].into())
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

pub struct Socket {
    pub id: ConnectionId,
    pub actor: Actor,
    /// The login session or token that the socket was opened with: ending it closes the socket.
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// Whether it asked to be told of custom requests.
    follows_requests: AtomicBool,
    queue: Mutex<SendQueue>,
    rounds: Arc<Schedule<Due>>,
    /// Set once the connection is there.
    wire: OnceLock<OwnedWriteHalf>,
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

/// What has its turn in the next round.
pub(super) enum Due {
    /// A room with frames to flush.
    Room(ConversationId),
    /// A socket with frames to write.
    Socket(Arc<Socket>),
}

/// What was not written yet.
#[derive(Default)]
struct SendQueue {
    frames: Vec<Frame>,
    /// Of all `frames`, and of the longest.
    bytes: usize,
    longest: usize,
    /// What is left of what comes before these and whose begin the peer has: it cannot be taken back.
    begun: Vec<u8>,
    written_by: WrittenBy,
}

/// Who writes what waits. Nobody else may, or frames would be mixed up.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum WrittenBy {
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
            queue: Mutex::default(),
            rounds,
            wire: OnceLock::new(),
            close_code: AtomicU16::new(0),
            task: AtomicWaker::new(),
        }
    }

    /// From now on what waits goes out on `wire`. Called once, by the task that will own the socket.
    pub fn attach(&self, wire: OwnedWriteHalf) {
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

    /// Queues a frame for the next round.
    pub fn send(self: &Arc<Self>, frame: &Frame) {
        if self.enqueue(frame) {
            self.rounds.add(Due::Socket(self.clone()));
        }
    }

    /// The same for what is a frame already, such as the answer to a ping.
    pub fn send_raw(self: &Arc<Self>, frame: &[u8]) {
        self.send(&Frame(frame.into()));
    }

    /// Queues a frame. Returns whether the socket is to be put into a round for it: it is in none.
    ///
    /// A socket for which too much waits is closed as too slow: its client joins again and misses nothing,
    /// while everyone else goes on at full speed.
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

    /// Takes the frames of which the peer has nothing yet.
    pub fn take(&self) -> Vec<Frame> {
        let mut queue = self.queue();
        queue.count_none();
        mem::take(&mut queue.frames)
    }

    /// Writes what waits, for the round that this socket is in. `together` has room for several frames.
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
            // Asked directly: what tokio remembers of a connection says nothing here, and is one more thing to
            // look up for each. What does not go out goes to the task, which asks tokio.
            match net::send(wire.as_ref(), bytes, SendFlags::empty()) {
                Ok(written) if written == bytes.len() => {}
                Ok(written) => return self.leave_to_task(frames, written),
                // Also if the peer is gone: the task sees that as well.
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

    /// Has the task write `frames` without the first `written` bytes, and then what came meanwhile.
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

    /// Writes what is left to the socket's own task. Ready when that is nothing, with how many bytes a round is
    /// about to write, or when the peer is gone.
    ///
    /// # Errors
    /// The peer is gone.
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

    fn queue(&self) -> MutexGuard<'_, SendQueue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
