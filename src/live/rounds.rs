//! Writes to sockets in rounds, as event loops do: first everybody who has sent something is read, and then
//! all that this set off is written, each socket's frames in one go. A busy room has several frames by then: they
//! are put together once for everybody who gets them, and the system is asked once for each socket.

use std::sync::{Arc, Weak};

use dashmap::DashMap;
use tokio::{sync::mpsc::UnboundedReceiver, task::yield_now};

use super::{
    room::Room,
    schedule::Schedule,
    socket::{Due, Socket},
};
use crate::domain::ConversationId;

/// The rooms that somebody of this process is in, or on the way into.
pub(super) type Rooms = DashMap<ConversationId, Room>;

/// After so many sockets a round lets others have their turn.
const AT_A_TIME: usize = 512;

/// Starts the tasks that write. Call it within a runtime.
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
        // Comes back after those who can be read by now.
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
