//! The reader's position in the log. The box lays out its one child from its end (`flex-direction: column-reverse`).
//! So the browser stays at the end, and nothing moves when older messages are added on top. `scrollTop` is 0 at the
//! end and negative above it.

use std::time::Duration;

use leptos::{lazy, prelude::*, task::spawn_local};
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::panel::Panel;
use crate::{
    api::{self, Older},
    client::{page, room::Room},
    domain::{ConversationId, Problem},
};

/// Within this distance from the end, the log scrolls to new messages.
const NEAR_END_PX: i32 = 100;
/// Within this distance from the start, older messages are loaded.
const NEAR_START_PX: i32 = 400;
/// The height of a message that must be in view to count as read.
const READ_PX: f64 = 32.0;
/// The time that a message must be in view to count as read.
const READ_AFTER: Duration = Duration::from_millis(300);

/// A log's `scrollTop` and `scrollHeight`.
pub(super) type Place = (i32, i32);

/// The browser loads this when somebody reads further up.
#[lazy]
async fn list_older(id: ConversationId, before: i64) -> Result<Older, Problem> {
    api::list_older(id, before).await
}

impl Panel {
    /// The reader's position; not measured at the end, where the browser preserves it.
    pub fn place(self) -> Place {
        let log = self.log.get_untracked().filter(|_| self.away.get_untracked());
        log.map_or((0, 0), |log| (log.scroll_top(), log.scroll_height()))
    }

    pub fn to_end(self) {
        if let Some(log) = self.log.get_untracked() {
            log.set_scroll_top(0);
        }
    }

    /// Opens the log at the message in the address, or else at the first unread one.
    pub fn open(self) {
        // Not `:target`, which does not follow when the address changes without a page load.
        let hash = location().hash().unwrap_or_default();
        let named = hash.strip_prefix('#').and_then(|id| document().get_element_by_id(id));
        if let Some(row) = named.or_else(|| document().get_element_by_id("new")) {
            let centred = ScrollIntoViewOptions::new();
            centred.set_block(ScrollLogicalPosition::Center);
            row.scroll_into_view_with_scroll_into_view_options(&centred);
        }
        self.moved();
    }

    /// Handles scrolling, and changes of the content.
    pub fn moved(self) {
        let Some(log) = self.log.get_untracked() else { return };
        let away = -log.scroll_top() > NEAR_END_PX;
        if self.away.get_untracked() != away {
            self.away.set(away);
        }
        let last = self.room.with_untracked(|room| room.timeline.last());
        if !away && self.end_seq.get_untracked() != last {
            self.end_seq.set(last);
        }
        let above = log.scroll_height() - log.client_height() + log.scroll_top();
        if above < NEAR_START_PX && !self.failed.get_value() {
            self.load_older();
        }
        self.look();
    }

    pub fn load_older(self) {
        let (id, before, gone) = self.room.with_untracked(|room| (room.id(), room.timeline.first(), room.gone));
        if before <= 1 || gone || self.loading.get_untracked() {
            return;
        }
        self.loading.set(true);
        // Screen readers read new lines unless the log is busy.
        self.busy.set(true);
        self.failed.set_value(false);
        spawn_local(async move {
            let older = list_older(id, before).await;
            self.if_alive(|| {
                self.failed.set_value(older.is_err());
                self.loading.set(false);
                if let Ok(older) = older {
                    self.room.write().timeline.prepend(before, older.messages);
                }
                page::after_layout(move || {
                    self.if_alive(|| {
                        self.busy.set(false);
                        self.moved();
                    });
                });
            });
        });
    }

    /// Marks the messages in view as read, after [`READ_AFTER`].
    pub fn look(self) {
        if !self.looking.get_value() {
            self.looking.set_value(true);
            let look = move || {
                self.looking.set_value(false);
                self.read_in_view();
            };
            set_timeout(move || self.if_alive(look), READ_AFTER);
        }
    }

    fn read_in_view(self) {
        let (read, last) = self.room.with_untracked(|room: &Room| (room.people.my_seq(), room.timeline.last()));
        if last <= read || !page::is_looked_at() {
            return;
        }
        let (Some(log), Some(list)) = (self.log.get_untracked(), self.list.get_untracked()) else { return };
        let end = log.get_bounding_client_rect().bottom();
        let mut next = list.last_element_child();
        while let Some(row) = next {
            if let Some(seq) = row.get_attribute("data-seq").and_then(|seq| seq.parse::<i64>().ok()) {
                let place = row.get_bounding_client_rect();
                if place.top() + place.height().min(READ_PX) <= end {
                    if seq > read {
                        self.act(|room| room.read(seq, page::moment()));
                    }
                    return;
                }
            }
            next = row.previous_element_sibling();
        }
    }

    /// Scrolls to the end, or preserves the position, after rows were added below.
    pub fn follow(self, (top, height): Place, own: bool) {
        let Some(log) = self.log.get_untracked() else { return };
        if own || !self.away.get_untracked() {
            self.to_end();
        } else {
            // Scroll anchoring does this already in some browsers.
            let kept = top - (log.scroll_height() - height);
            if (log.scroll_top() - kept).abs() > 1 {
                log.set_scroll_top(kept);
            }
        }
        self.moved();
    }
}
