//! Writes to sockets in rounds, as event loops do. A round first reads all clients that have sent something, and then
//! writes the resulting frames, each socket's together. A busy room has several frames by then. They are joined once
//! for all recipients, and each socket costs one system call.

use std::sync::{Arc, Weak};

use dashmap::DashMap;
use tokio::{sync::mpsc::UnboundedReceiver, task::yield_now};

use super::{
    room::Room,
    schedule::Schedule,
    socket::{Due, Socket},
};
use crate::domain::ConversationId;

/// The rooms in which this process has sockets, or arriving ones.
pub(super) type Rooms = DashMap<ConversationId, Room>;

/// After this many sockets a round yields to other tasks.
const AT_A_TIME: usize = 512;

/// Starts the writing tasks. Call it within a Tokio runtime.
pub(super) fn start(rooms: &Arc<Rooms>) -> Schedule<Due> {
    let (schedule, receivers) = Schedule::new();
    for due in receivers {
        tokio::spawn(go_round(Arc::downgrade(rooms), due));
    }
    schedule
}

async fn go_round(rooms: Weak<Rooms>, mut due: UnboundedReceiver<Due>) {
    let mut sockets: Vec<Arc<Socket>> = Vec::new();
    let mut together = Vec::new();
    while let Some(first) = due.recv().await {
        // Continues after the sockets that are readable by now.
        yield_now().await;
        let Some(rooms) = rooms.upgrade() else { return };
        let mut next = Some(first);
        while let Some(turn) = next {
            match turn {
                Due::Socket(socket) => sockets.push(socket),
                Due::Room(id) => {
                    if let Some(mut room) = rooms.get_mut(&id) {
                        room.flush(|socket| sockets.push(socket));
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
