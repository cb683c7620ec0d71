//! Writes to sockets in rounds, as event loops do: first everybody who has sent something is read, and then
//! all that this set off is written, each socket's frames in one go. A busy room has several frames for each
//! of its sockets by then, and the system is asked once.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    task::yield_now,
};

use super::Socket;

/// After so many sockets a round lets others have their turn.
const AT_A_TIME: usize = 512;

/// Sockets that have something to write, spread over as many tasks as there are processors. The tasks end with
/// this.
pub(super) struct Rounds {
    due: Vec<UnboundedSender<Arc<Socket>>>,
    next: AtomicUsize,
}

/// Make it within a runtime.
impl Default for Rounds {
    fn default() -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let due = (0..processors).map(|_| {
            let (due, sockets) = mpsc::unbounded_channel();
            tokio::spawn(go_round(sockets));
            due
        });
        Self { due: due.collect(), next: AtomicUsize::new(0) }
    }
}

impl Rounds {
    /// Has `socket` written to in the next round. It must not be in one already.
    pub(super) fn add(&self, socket: Arc<Socket>) {
        let task = self.next.fetch_add(1, Ordering::Relaxed) % self.due.len();
        // Fails only when the runtime is going down, and then nothing is written any more.
        self.due[task].send(socket).ok();
    }
}

async fn go_round(mut due: UnboundedReceiver<Arc<Socket>>) {
    let mut round = Vec::new();
    let mut together = Vec::new();
    while due.recv_many(&mut round, 1).await != 0 {
        // Comes back after those who can be read by now.
        yield_now().await;
        while let Ok(socket) = due.try_recv() {
            round.push(socket);
        }
        for some in round.chunks(AT_A_TIME) {
            some.iter().for_each(|socket| socket.write(&mut together));
            if some.len() == AT_A_TIME {
                yield_now().await;
            }
        }
        round.clear();
    }
}
