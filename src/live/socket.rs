//! One connected socket, as the rest of the server sees it: a bounded queue of frames and a way to
//! close it. The task that owns the real connection is in `http::ws`.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicU16, Ordering},
};

use axum::extract::ws::Utf8Bytes;
use serde::Serialize;
use tokio::sync::{Notify, mpsc};
use uuid::Uuid;

use crate::{
    domain::{Actor, LinkId, SessionId, TokenId, UserId},
    protocol::close,
};

pub type ConnectionId = Uuid;

/// A serialised frame. Cloning it shares the bytes.
pub type Frame = Utf8Bytes;

/// The frames waiting for one socket.
pub type Queue = mpsc::Receiver<Frame>;

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
    queue: mpsc::Sender<Frame>,
    /// The code to close with; 0 while the socket may stay open.
    close_code: AtomicU16,
    closing: Notify,
}

impl Socket {
    pub(super) fn new(actor: Actor, session: Option<SessionId>, token: Option<TokenId>) -> (Arc<Self>, Queue) {
        let (queue, frames) = mpsc::channel(QUEUE_FRAMES);
        let socket = Self {
            id: Uuid::now_v7(),
            actor,
            session,
            token,
            follows_requests: AtomicBool::new(false),
            queue,
            close_code: AtomicU16::new(0),
            closing: Notify::new(),
        };
        (Arc::new(socket), frames)
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
        if let Err(mpsc::error::TrySendError::Full(_)) = self.queue.try_send(frame) {
            self.close(close::TOO_SLOW);
        }
    }

    /// Asks the socket's task to close. The first code wins.
    pub fn close(&self, code: u16) {
        if self.close_code.compare_exchange(0, code, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            self.closing.notify_one();
        }
    }

    /// Whether it was asked to close.
    #[must_use]
    pub fn is_closing(&self) -> bool {
        self.close_code.load(Ordering::Acquire) != 0
    }

    /// Resolves with the close code once the socket has to close.
    pub async fn closed(&self) -> u16 {
        loop {
            match self.close_code.load(Ordering::Acquire) {
                0 => self.closing.notified().await,
                code => return code,
            }
        }
    }
}
