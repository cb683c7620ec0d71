//! Where in the log the reader is. The box lays out its one child from its end (`flex-direction:
//! column-reverse`), so the browser keeps it at the end, and nothing moves when older messages come
//! in on top: `scrollTop` is 0 at the end and negative above it.

use std::{rc::Rc, time::Duration};

use leptos::{prelude::*, server_fn::ServerFn};
use web_sys::{ScrollIntoViewOptions, ScrollLogicalPosition};

use super::panel::Panel;
use crate::{
    api,
    client::{
        ask::ask,
        json::{Json, Object},
        page,
        room::Room,
        wire::{FromJson, member},
    },
};

/// So close to the end, a reader follows what arrives.
const NEAR_END_PX: i32 = 100;
/// So close to the start, older messages are fetched.
const NEAR_START_PX: i32 = 400;
/// So much of a message must have been in view for it to count as read.
const READ_PX: f64 = 32.0;
/// What was in view for less than this was not read.
const READ_AFTER: Duration = Duration::from_millis(300);

impl FromJson for api::Older {
    fn from_json(json: &Json) -> Option<Self> {
        Some(Self { messages: member(json, "messages")?, more: member(json, "more")? })
    }
}

/// A log's `scrollTop` and `scrollHeight`.
pub(super) type Place = (i32, i32);

impl Panel {
    pub fn place(&self) -> Place {
        (self.parts.log.scroll_top(), self.parts.log.scroll_height())
    }

    pub fn to_end(&self) {
        self.parts.log.set_scroll_top(0);
    }

    /// Opens the log at the message that the address names, or else at the first unread one, if there is one.
    pub fn open(self: &Rc<Self>) {
        let named = self.parts.log.query_selector(":target").ok().flatten();
        if let Some(row) = named.or_else(|| document().get_element_by_id("new")) {
            let centred = ScrollIntoViewOptions::new();
            centred.set_block(ScrollLogicalPosition::Center);
            row.scroll_into_view_with_scroll_into_view_options(&centred);
        }
        self.moved();
    }

    /// The reader moved, or the content did.
    pub fn moved(self: &Rc<Self>) {
        let log = &self.parts.log;
        let away = -log.scroll_top() > NEAR_END_PX;
        let last = self.room.with_untracked(|room| room.timeline.last());
        let sight = self.sight.get_untracked();
        let end_seq = if away { sight.end_seq } else { last };
        if (sight.away, sight.end_seq) != (away, end_seq) {
            let mut sight = self.sight.write();
            (sight.away, sight.end_seq) = (away, end_seq);
        }
        let above = log.scroll_height() - log.client_height() + log.scroll_top();
        if above < NEAR_START_PX && !sight.failed {
            self.load_older();
        }
        self.look();
    }

    pub fn load_older(self: &Rc<Self>) {
        let (id, before, gone) = self.room.with_untracked(|room| (room.id(), room.timeline.first(), room.gone));
        if before <= 1 || gone || self.sight.with_untracked(|sight| sight.loading) {
            return;
        }
        {
            let mut sight = self.sight.write();
            (sight.loading, sight.failed) = (true, false);
        }
        let panel = self.clone();
        let arguments = Object::default().text("id", &id.to_string()).number("before_seq", before);
        ask::<api::Older>(api::ListOlder::PATH, arguments, move |older| {
            {
                let mut sight = panel.sight.write();
                (sight.loading, sight.failed) = (false, older.is_err());
            }
            if let Ok(older) = older {
                panel.room.write().timeline.prepend(before, older.messages);
                page::after_layout(move || panel.moved());
            }
        });
    }

    /// After a moment, counts as read what is in view of a person.
    pub fn look(self: &Rc<Self>) {
        if !self.looking.replace(true) {
            let panel = self.clone();
            set_timeout(
                move || {
                    panel.looking.set(false);
                    panel.read_in_view();
                },
                READ_AFTER,
            );
        }
    }

    fn read_in_view(self: &Rc<Self>) {
        let (read, last) = self.room.with_untracked(|room: &Room| (room.people.my_seq(), room.timeline.last()));
        if last <= read || !page::is_looked_at() {
            return;
        }
        let end = self.parts.log.get_bounding_client_rect().bottom();
        let mut next = self.parts.list.last_element_child();
        while let Some(row) = next {
            if let Some(seq) = row.get_attribute("data-seq").and_then(|seq| seq.parse::<i64>().ok()) {
                let place = row.get_bounding_client_rect();
                if place.top() + place.height().min(READ_PX) <= end {
                    if seq > read {
                        self.act(|room| room.read(seq, page::now_ms()));
                    }
                    return;
                }
            }
            next = row.previous_element_sibling();
        }
    }

    /// Takes the reader along, or keeps the place, after rows were added below.
    pub fn follow(self: &Rc<Self>, (top, height): Place, own: bool) {
        let log = &self.parts.log;
        if own || !self.sight.with_untracked(|sight| sight.away) {
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
