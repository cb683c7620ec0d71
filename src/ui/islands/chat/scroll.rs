//! Where in the log the reader is. The box lays out its one child from its end (`flex-direction: column-reverse`),
//! so the browser keeps it at the end, and nothing moves when older messages come in on top: `scrollTop` is 0 at the
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

/// So close to the end, a reader follows what arrives.
const NEAR_END_PX: i32 = 100;
/// So close to the start, older messages are fetched.
const NEAR_START_PX: i32 = 400;
/// So much of a message must have been in view for it to count as read.
const READ_PX: f64 = 32.0;
/// What was in view for less than this was not read.
const READ_AFTER: Duration = Duration::from_millis(300);

/// A log's `scrollTop` and `scrollHeight`.
pub(super) type Place = (i32, i32);

/// The browser loads this when somebody reads further up.
#[lazy]
async fn list_older(id: ConversationId, before: i64) -> Result<Older, Problem> {
    api::list_older(id, before).await
}

impl Panel {
    /// Where the reader is; not measured at the end, where the browser keeps everything in place.
    pub fn place(self) -> Place {
        let log = self.log.get_untracked().filter(|_| self.away.get_untracked());
        log.map_or((0, 0), |log| (log.scroll_top(), log.scroll_height()))
    }

    pub fn to_end(self) {
        if let Some(log) = self.log.get_untracked() {
            log.set_scroll_top(0);
        }
    }

    /// Opens the log at the message that the address names, or else at the first unread one, if there is one.
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

    /// The reader moved, or the content did.
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
        // A screen reader tells what comes while the log is not busy.
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

    /// After a moment, counts as read what is in view of a person.
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

    /// Takes the reader along, or keeps the place, after rows were added below.
    pub fn follow(self, (top, height): Place, own: bool) {
        let Some(log) = self.log.get_untracked() else { return };
        if own || !self.away.get_untracked() {
            self.to_end();
        } else {
            // Browsers with scroll anchoring have done this already.
            let kept = top - (log.scroll_height() - height);
            if (log.scroll_top() - kept).abs() > 1 {
                log.set_scroll_top(kept);
            }
        }
        self.moved();
    }
}
