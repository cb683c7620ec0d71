//! Fetches the changes that a room has missed from the database.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Service, problem};
use crate::{
    domain::{Change, Code, ConversationId, Problem},
    live::Outcome,
    storage::Page,
};

/// Delay before fetching: another node stores a change before its event arrives.
const ON_ITS_WAY: Duration = Duration::from_millis(20);
/// Messages per read for a room with a gap.
const FETCH: i64 = 100;
/// Limit for missed changes that a room receives; beyond it, clients load them faster themselves.
const MAX_REPLAYED: i64 = 200;
/// Pause after a database error.
const FETCH_AGAIN: Duration = Duration::from_millis(500);

impl Service {
    /// Reads the changes that a room has missed from the database and broadcasts them, as the bus may have lost them.
    /// Ends when the gap is filled or the room is empty.
    pub(super) async fn fill_gap(self: Arc<Self>, room: ConversationId) {
        tokio::time::sleep(ON_ITS_WAY).await;
        while let Some(sent) = self.hub.gap_after(room) {
            // The callee has logged the failure.
            if self.fetch_after(room, sent).await.is_err() {
                tokio::time::sleep(FETCH_AGAIN).await;
            }
        }
    }

    async fn fetch_after(self: &Arc<Self>, room: ConversationId, sent: i64) -> Result<(), Problem> {
        let page = self.read_for_room(room, sent).await?;
        let upto = if page.more { page.messages.last().map_or(sent, |last| last.rev) } else { page.head };
        if page.head - sent > MAX_REPLAYED {
            // A client that receives the head detects the gap before it.
            self.hub.skip_to(room, page.head - 1);
            return Ok(());
        }
        if !page.more {
            self.hub.limit_to(room, page.head);
        }
        let mut messages = page.messages.into_iter().peekable();
        let mut seen = HashMap::new();
        for rev in sent + 1..=upto {
            self.arrivals.caught_up.inc();
            let mut outcome = match messages.next_if(|message| message.rev == rev) {
                Some(message) => {
                    self.hub.stops_typing(room, message.sender_id);
                    self.hub.broadcast_change(room, rev, Change::last_of(message))
                }
                // A change of the conversation, or of a message that has changed again since.
                None => self.try_personalise(room, rev, &mut seen).await?,
            };
            while let Outcome::Personalise(next) = outcome {
                outcome = self.try_personalise(room, next, &mut seen).await?;
            }
        }
        Ok(())
    }

    /// Reads the changes after `sent` with the permissions of a listening client.
    async fn read_for_room(&self, room: ConversationId, sent: i64) -> Result<Page, Problem> {
        for socket in self.hub.listeners(room) {
            match self.store.list_after(&socket.actor, room, sent, FETCH).await.map_err(problem) {
                // This client's access was revoked meanwhile.
                Err(Problem { code: Code::NotFound, .. }) => {}
                read => return read,
            }
        }
        Err(Problem::not_found())
    }
}
