//! Fills gaps: fetches the changes that a room has missed from the database.

use std::{collections::HashMap, sync::Arc, time::Duration};

use super::{Service, problem};
use crate::{
    domain::{Change, Code, ConversationId, Problem},
    live::Outcome,
    storage::Page,
};

/// A missing change may be on its way: another node's change is stored before it arrives.
const ON_ITS_WAY: Duration = Duration::from_millis(20);
/// Messages that are fetched at once for a room that has missed some.
const FETCH: i64 = 100;
/// Most missed changes that a room is sent; its clients load more than that faster by themselves.
const MAX_REPLAYED: i64 = 200;
/// Pause after the database did not answer.
const FETCH_AGAIN: Duration = Duration::from_millis(500);

impl Service {
    /// Reads the changes that a room has missed from the database and broadcasts them. The bus may have lost them. Ends
    /// when nothing is missing any more or nobody is there.
    pub(super) async fn fill_gap(self: Arc<Self>, room: ConversationId) {
        tokio::time::sleep(ON_ITS_WAY).await;
        while let Some(sent) = self.hub.gap_after(room) {
            // A failing database has been logged.
            if self.fetch_after(room, sent).await.is_err() {
                tokio::time::sleep(FETCH_AGAIN).await;
            }
        }
    }

    async fn fetch_after(self: &Arc<Self>, room: ConversationId, sent: i64) -> Result<(), Problem> {
        let page = self.read_for_room(room, sent).await?;
        let upto = if page.more { page.messages.last().map_or(sent, |last| last.rev) } else { page.head };
        if page.head - sent > MAX_REPLAYED {
            // A client that gets the head sees the gap before it.
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

    /// Reads what changed after `sent` on behalf of somebody who listens: who gets changes may read them.
    async fn read_for_room(&self, room: ConversationId, sent: i64) -> Result<Page, Problem> {
        for socket in self.hub.listeners(room) {
            match self.store.list_after(&socket.actor, room, sent, FETCH).await.map_err(problem) {
                // The access of this one has ended meanwhile.
                Err(Problem { code: Code::NotFound, .. }) => {}
                read => return read,
            }
        }
        Err(Problem::not_found())
    }
}
