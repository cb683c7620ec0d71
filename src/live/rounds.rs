//! Writes to sockets in rounds, as event loops do: first everybody who has sent something is read, and then
//! all that this set off is written, each socket's frames in one go. A busy room has several frames by then: they
//! are put together once for everybody who gets them, and the system is asked once for each socket.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicUsize, Ordering},
};

use dashmap::DashMap;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::yield_now,
};

use super::{Socket, room::Room};
use crate::domain::ConversationId;

/// The rooms that somebody of this process is in, or on the way into.
pub(super) type Rooms = DashMap<ConversationId, Room>;

/// After so many sockets a round lets others have their turn.
const AT_A_TIME: usize = 512;

/// What has its turn in the next round.
pub(super) enum Due {
    /// A room that was told something.
    Room(ConversationId),
    /// A socket for which something waits.
    Socket(Arc<Socket>),
}

/// Spreads what is due over as many tasks as there are processors. The tasks end with this.
pub(super) struct Rounds {
    due: Vec<UnboundedSender<Due>>,
    next: AtomicUsize,
}

impl Rounds {
    /// Make it within a runtime.
    pub(super) fn new(rooms: &Arc<Rooms>) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let due = (0..processors).map(|_| {
            let (due, waiting) = mpsc::unbounded_channel();
            tokio::spawn(go_round(Arc::downgrade(rooms), waiting));
            due
        });
        Self { due: due.collect(), next: AtomicUsize::new(0) }
    }

    /// Gives `due` its turn in the next round. A socket must not have one already.
    pub(super) fn add(&self, due: Due) {
        let task = self.next.fetch_add(1, Ordering::Relaxed) % self.due.len();
        // Fails only when the runtime is going down, and then nothing is written any more.
        self.due[task].send(due).ok();
    }
}

async fn go_round(rooms: Weak<Rooms>, mut due: UnboundedReceiver<Due>) {
    let mut sockets: Vec<Arc<Socket>> = Vec::new();
    let mut together = Vec::new();
    while let Some(first) = due.recv().await {
        // Comes back after those who can be read by now.
        yield_now().await;
        let Some(rooms) = rooms.upgrade() else { return };
        let mut next = Some(first);
        while let Some(turn) = next {
            match turn {
                Due::Socket(socket) => sockets.push(socket),
                Due::Room(id) => {
                    if let Some(mut room) = rooms.get_mut(&id) {
                        room.hand_on(|socket| sockets.push(socket));
                    }
                }
            }
            next = due.try_recv().ok();
        }
        drop(rooms);
        for some in sockets.chunks(AT_A_TIME) {
            some.iter().for_each(|socket| socket.write(&mut together));
            if some.len() == AT_A_TIME {
                yield_now().await;
            }
        }
        sockets.clear();
    }
}
