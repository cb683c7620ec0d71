//! One connected socket, as the rest of the server sees it: a bounded queue of frames and a way to
//! close it. The task that owns the real connection is in `http::ws`.

use std::{
    future::poll_fn,
    mem,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU16, Ordering},
    },
    task::{Context, Poll},
};

use axum::extract::ws::Utf8Bytes;
use futures_util::task::AtomicWaker;
use serde::Serialize;
use uuid::Uuid;

use crate::{
    domain::{Actor, LinkId, SessionId, TokenId, UserId},
    protocol::close,
};

pub type ConnectionId = Uuid;

/// A serialised frame. Cloning it shares the bytes.
pub type Frame = Utf8Bytes;

/// How many frames may wait for one socket before it counts as too slow.
pub const QUEUE_FRAMES: usize = 256;

/// Serialises once; the result is shared by all who get it.
///
/// # Panics
/// Never: the frames are plain data with string keys.
#[must_use]
pub fn frame<T: Serialize>(value: &T) -> Frame {
    serde_json::to_string(value).expect("frames are plain data").into()
}

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

#[derive(Debug)]
pub struct Socket {
    pub id: ConnectionId,
    pub actor: Actor,
    /// The login session or token that the socket was opened with: ending it closes the socket.
    pub session: Option<SessionId>,
    pub token: Option<TokenId>,
    /// Whether it asked to be told of custom requests.
    follows_requests: AtomicBool,
    /// The frames that wait; [`QUEUE_FRAMES`] at most. A plain list, as a socket with nothing to do is to
    /// cost nothing, and as all that waits is taken at once.
    queue: Mutex<Vec<Frame>>,
    /// The code to close with; 0 while the socket may stay open.
    close_code: AtomicU16,
    /// The one task that waits for frames and for the code.
    task: AtomicWaker,
}

impl Socket {
    pub(super) fn new(actor: Actor, session: Option<SessionId>, token: Option<TokenId>) -> Self {
        Self {
            id: Uuid::now_v7(),
            actor,
            session,
            token,
            follows_requests: AtomicBool::new(false),
            queue: Mutex::default(),
            close_code: AtomicU16::new(0),
            task: AtomicWaker::new(),
        }
    }

    /// From now on this socket is told of custom requests.
    pub fn follow_requests(&self) {
        self.follows_requests.store(true, Ordering::Release);
    }

    pub(super) fn follows_requests(&self) -> bool {
        self.follows_requests.load(Ordering::Acquire)
    }

    /// Queues a frame. A socket whose queue is full is closed as too slow: its client joins again
    /// and misses nothing, while everyone else goes on at full speed.
    pub fn send(&self, frame: Frame) {
        let mut queue = self.queue();
        if queue.len() >= QUEUE_FRAMES {
            drop(queue);
            return self.close(close::TOO_SLOW);
        }
        queue.push(frame);
        let is_first = queue.len() == 1;
        drop(queue);
        // Before the second the task was woken already.
        if is_first {
            self.task.wake();
        }
    }

    /// Takes all frames that wait, in order; returns whether there are any. `into` has to be empty: its
    /// memory is used for the frames to come.
    pub fn take(&self, into: &mut Vec<Frame>) -> bool {
        mem::swap(&mut *self.queue(), into);
        !into.is_empty()
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

    /// The close code once the socket has to close. Until then the task that asked last is woken, also
    /// when frames begin to wait.
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

    fn queue(&self) -> MutexGuard<'_, Vec<Frame>> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
