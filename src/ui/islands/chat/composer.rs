//! Writing: the field of new messages and the one of an edit. What was typed before the island was
//! awake stays, and drafts outlive the page.

use std::rc::Rc;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use super::panel::Panel;
use crate::{
    client::{page, socket},
    domain::Content,
    protocol::ClientFrame,
};

/// How often others are told that someone is still typing; it holds for 5 s.
const TYPING_AGAIN_MS: i64 = 3_000;
/// Lines to which a field grows.
const MOST_ROWS: u32 = 8;

/// Whether this key sends: Enter alone, but not the one that ends a word of an input method, and not
/// on a screen's keyboard, which has no Shift + Enter.
pub(super) fn sends(event: &KeyboardEvent) -> bool {
    /// What old browsers report for keys that an input method takes.
    const TAKEN_BY_INPUT_METHOD: u32 = 229;
    event.key() == "Enter"
        && !event.shift_key()
        && !event.is_composing()
        && event.key_code() != TAKEN_BY_INPUT_METHOD
        && !page::has_touch_keyboard()
}

/// Makes the field as high as its text, where CSS (`field-sizing`) does not do it.
pub(super) fn grow(input: &HtmlTextAreaElement) {
    input.set_rows(1);
    while input.rows() < MOST_ROWS && input.scroll_height() > input.client_height() + 1 {
        input.set_rows(input.rows() + 1);
    }
}

impl Panel {
    /// The text to send. If it cannot be sent, says why beside the composer.
    fn checked(&self, text: &str) -> Option<String> {
        if text.trim().is_empty() {
            return None;
        }
        match Content::parse(text, self.message_chars) {
            Ok(content) => Some(content.into_string()),
            Err(problem) => {
                self.room.write().notice = Some(problem.message);
                None
            }
        }
    }

    /// The field's text changed.
    pub fn typed(&self) {
        let text = self.parts.input.value();
        let has_text = !text.trim().is_empty();
        if self.sight.with_untracked(|sight| sight.has_text) != has_text {
            self.sight.write().has_text = has_text;
        }
        page::keep(&self.draft_key(), if has_text { &text } else { "" });
        grow(&self.parts.input);
    }

    /// Takes up what was typed before, here or on an earlier visit.
    pub fn restore_draft(&self) {
        if self.parts.input.value().is_empty()
            && let Some(draft) = page::load(&self.draft_key())
        {
            self.parts.input.set_value(&draft);
        }
        self.typed();
    }

    /// Tells others that this person types, as often as they need it.
    pub fn tell_typing(&self, on: bool) {
        let (now, told) = (page::now_ms(), self.typing_told.get());
        let is_news = if on { now >= told + TYPING_AGAIN_MS } else { told > 0 };
        let room = self.room.with_untracked(|room| room.is_up_to_date().then(|| room.id()));
        if let Some(room) = room.filter(|_| is_news) {
            self.typing_told.set(if on { now } else { 0 });
            socket::send(&ClientFrame::Typing { room, on });
        }
    }

    pub fn send(self: &Rc<Self>) {
        if let Some(content) = self.checked(&self.parts.input.value()) {
            self.parts.input.set_value("");
            self.typed();
            // The message itself ends the typing on the other side.
            self.typing_told.set(0);
            self.act(|room| room.post(page::new_client_id(), content, page::now_ms()));
        }
        let _ = self.parts.input.focus();
    }

    fn edit_field(&self) -> Option<HtmlTextAreaElement> {
        self.parts.list.query_selector(".edit__input").ok()??.dyn_into().ok()
    }

    /// The form of an edit has just appeared.
    pub fn begin_edit(&self) {
        if let Some(field) = self.edit_field() {
            let _ = field.focus();
            let end = field.value().encode_utf16().count() as u32;
            let _ = field.set_selection_range(end, end);
            grow(&field);
        }
    }

    pub fn save_edit(self: &Rc<Self>) {
        let id = self.room.with_untracked(|room| room.editing);
        let (Some(id), Some(field)) = (id, self.edit_field()) else { return };
        let Some(content) = self.checked(&field.value()) else { return };
        let client_id = page::new_client_id();
        self.act(|room| {
            if room.message(id).is_some_and(|message| message.content == content) {
                room.editing = None;
                return Vec::new();
            }
            let frame = ClientFrame::UpdateMessage { room: room.id(), client_id, id, content, sender: Some(room.me) };
            room.change(client_id, frame)
        });
        if self.room.with_untracked(|room| room.editing.is_none()) {
            let _ = self.parts.input.focus();
        }
    }
}
