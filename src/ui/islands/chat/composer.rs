//! The composer of messages. Text typed before hydration is preserved, and drafts outlive the page.

use leptos::{ev, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use super::{
    panel::{Panel, Target, revealed, sealer},
    part::Need,
    tray::{self, Call},
    viewer,
};
use crate::{
    client::{
        labels::{self, isolated},
        page,
        room::{Room, Seal},
        socket, storage,
    },
    domain::{ClientId, Content, ConversationId, Message, MessageId, ParticipantId, Quote},
    locales::{self, t},
    protocol::ClientFrame,
    ui::components::{Anew, Icon, Text, icon, textarea_html},
};

/// Interval of typing signs; each lasts 5 s.
const TYPING_AGAIN_MS: i64 = 3_000;
/// Maximum number of lines that a field grows to.
const MOST_ROWS: u32 = 8;

#[component]
pub(super) fn Composer(
    panel: Panel,
    id: ConversationId,
    me: ParticipantId,
    /// The key of the plain form's message.
    key: ClientId,
    name: String,
    /// The page that the plain form returns to, if not the chat's own.
    from: Option<String>,
) -> impl IntoView {
    let locale = locales::current();
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        panel.send();
    };
    let on_key = move |event: KeyboardEvent| {
        if sends(&event) {
            event.prevent_default();
            panel.send();
        } else if event.key() == "Escape" && !is_composing(&event) {
            panel.quoted.set(None);
        } else if event.key() == "ArrowUp" && event.alt_key() {
            event.prevent_default();
            panel.reply_to_earlier();
        } else if event.key() == "ArrowUp" && panel.text.read_untracked().is_empty() {
            let last = panel.room.read_untracked().last_own().map(|message| message.id);
            if last.is_some() {
                event.prevent_default();
                panel.edit(last);
            }
        }
    };
    // The browser never renders one: it restores drafts from its storage.
    let draft = if cfg!(target_arch = "wasm32") { String::new() } else { textarea_html(&panel.text.get_untracked()) };
    view! {
        <form
            class="composer"
            method="post"
            action=format!("/chat/{id}")
            hidden=move || !panel.can_write()
            // Errors are shown beside the text, not in the browser's own bubble.
            novalidate=move || panel.is_hydrated.get()
            on:submit=on_submit
        >
            <input type="hidden" name="client_id" value=key.to_string() />
            <input type="hidden" name="as" value=me.to_string() />
            {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
            <ReplyTo panel />
            <div node_ref=panel.tray></div>
            <label class="visually-hidden" for="content">
                {t!(locale, chat::message_to(&isolated(&name)))}
            </label>
            <div class="composer__box">
                <button
                    class="icon-button composer__clip"
                    type="button"
                    // Without scripts it opens the form.
                    popovertarget="files"
                    aria-label=t!(locale, chat::SEND_FILES)
                    on:click=move |event| {
                        event.prevent_default();
                        panel.call_tray(Call::Choose);
                    }
                >
                    <Icon d=icon::CLIP />
                </button>
                <textarea
                    class="composer__input"
                    id="content"
                    name="content"
                    rows="1"
                    dir="auto"
                    placeholder=t!(locale, chat::WRITE)
                    required
                    aria-describedby="content-hint"
                    node_ref=panel.input
                    on:input=move |_| {
                        panel.typed();
                        panel.tell_typing(!panel.is_empty());
                    }
                    on:keydown=on_key
                    on:blur=move |_| panel.tell_typing(false)
                    inner_html=draft
                ></textarea>
                <button
                    class="composer__send"
                    type="submit"
                    aria-label=t!(locale, chat::SEND)
                    aria-disabled=move || (panel.is_hydrated.get() && !panel.has_files.get() && panel.text.read().trim().is_empty()).then_some("true")
                >
                    <Icon d=icon::SEND />
                </button>
            </div>
            <p class="composer__hint" id="content-hint" hidden=move || !panel.is_hydrated.get()>
                {t!(locale, chat::KEYS)}
            </p>
            <Notice panel />
        </form>
    }
}

/// The message that the next one will reply to.
#[component]
fn ReplyTo(panel: Panel) -> impl IntoView {
    let words = move || panel.quoted.read().as_ref().map(labels::quote).unwrap_or_default();
    let cancel = move |_| {
        panel.quoted.set(None);
        panel.focus();
    };
    view! {
        <div class="composer__quote" hidden=move || panel.quoted.read().is_none()>
            <p class="quote">
                <Text of=Signal::derive(words) />
            </p>
            <button class="icon-button" type="button" aria-label=t!(locales::current(), chat::NO_REPLY) on:click=cancel>
                <Icon d=icon::CLOSE />
            </button>
        </div>
    }
}

/// The error of the person's last action.
#[component]
pub(super) fn Notice(panel: Panel) -> impl IntoView {
    view! {
        <Anew value=move || panel.room.read().notice.clone() let:words>
            {words
                .map(|words| {
                    view! {
                        <p class="composer__error" role="alert">
                            {words}
                        </p>
                    }
                })}
        </Anew>
    }
}

/// Whether this key sends: Ctrl or Cmd with Enter, and Enter alone with a physical keyboard. Never the key that ends
/// an input method's word.
pub(super) fn sends(event: &KeyboardEvent) -> bool {
    event.key() == "Enter"
        && !is_composing(event)
        && (event.ctrl_key() || event.meta_key() || (!event.shift_key() && page::has_keyboard()))
}

/// Whether an input method consumes this key.
pub(super) fn is_composing(event: &KeyboardEvent) -> bool {
    /// The key code that old browsers report for such keys.
    const TAKEN_BY_INPUT_METHOD: u32 = 229;
    event.is_composing() || event.key_code() == TAKEN_BY_INPUT_METHOD
}

/// Makes the field as high as its text, for browsers without `field-sizing` in CSS.
pub(super) fn grow(input: &HtmlTextAreaElement) {
    input.set_rows(1);
    while input.rows() < MOST_ROWS && input.scroll_height() > input.client_height() + 1 {
        input.set_rows(input.rows() + 1);
    }
}

impl Panel {
    pub fn is_open(self) -> bool {
        self.room.read().timeline.conversation().is_open()
    }

    /// The text to send, if it is valid. Otherwise shows the error beside the composer.
    fn checked(self, text: &str) -> Option<String> {
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

    pub fn is_empty(self) -> bool {
        self.text.read_untracked().trim().is_empty()
    }

    /// Handles a change of the field's text.
    pub fn typed(self) {
        let Some(input) = self.input.get_untracked() else { return };
        let text = input.value();
        let draft = if text.trim().is_empty() { "" } else { &text };
        self.draft.set_value(draft.to_owned());
        storage::keep(&self.draft_key(), draft);
        self.text.set(text);
        grow(&input);
    }

    pub fn set_text(self, text: &str) {
        if let Some(input) = self.input.get_untracked() {
            input.set_value(text);
        }
        self.typed();
    }

    /// Restores text typed before hydration or on an earlier visit.
    pub fn restore_draft(self) {
        let Some(input) = self.input.get_untracked() else { return };
        match storage::load(&self.draft_key()).filter(|_| input.value().is_empty()) {
            Some(draft) => self.set_text(&draft),
            None => self.typed(),
        }
    }

    /// Adopts another tab's changes of the draft, unless this tab has changed it since.
    pub fn share_draft(self) {
        storage::on_change(self.draft_key(), move |_, text| {
            let text = text.unwrap_or_default();
            let known = self.draft.get_value();
            let is_as_it_was = self.text.with_untracked(|here| here.trim() == known.trim());
            if is_as_it_was && known != text {
                self.set_text(&text);
            }
        });
    }

    /// Sends typing signs, no more often than necessary.
    pub fn tell_typing(self, on: bool) {
        let (now, told) = (page::monotonic_ms(), self.typing_told.get_value());
        let is_news = if on { told.is_none_or(|told| now >= told + TYPING_AGAIN_MS) } else { told.is_some() };
        let room = self.room.with_untracked(|room| room.is_up_to_date().then(|| room.id()));
        if let Some(room) = room.filter(|_| is_news) {
            self.typing_told.set_value(on.then_some(now));
            socket::send(&ClientFrame::Typing { room, on });
        }
    }

    pub fn send(self) {
        let text = self.text.get_untracked();
        let has_files = self.has_files.get_untracked();
        let content = if has_files && text.trim().is_empty() { Some(String::new()) } else { self.checked(&text) };
        if let Some(content) = content {
            self.set_text("");
            // The message itself ends the typing state of the others.
            self.typing_told.set_value(None);
            let reply_to = self.quoted.with_untracked(|quoted| quoted.as_ref().map(|quoted| quoted.id));
            self.quoted.set(None);
            if has_files {
                self.call_tray(Call::Send { content, reply_to });
            } else {
                self.say(content, reply_to);
            }
        }
        self.focus();
    }

    pub fn call_tray(self, call: Call) {
        self.need(Need::Files(call));
    }

    /// Listens for pasted and dropped files, and for clicks on pictures. Shows the files of an earlier visit.
    pub fn take_files(self) {
        const DROPPING: &str = "data-drop";
        let (id, me) = self.room.with_untracked(|room| (room.id(), room.me));
        if tray::has_kept(id, me) {
            self.call_tray(Call::Open);
        }
        let Some(section) = self.section.get_untracked() else { return };
        let take = move |event: &web_sys::Event| {
            let kind = event.type_();
            let is_paste = kind == "paste";
            let data = if is_paste {
                event.unchecked_ref::<ev::ClipboardEvent>().clipboard_data()
            } else {
                event.unchecked_ref::<ev::DragEvent>().data_transfer()
            };
            // A sealed chat has no files.
            let takes = self.can_write() && self.room.with_untracked(|room| room.seal == Seal::None);
            let Some(data) = data.filter(|data| takes && page::has_files(data)) else { return };
            // Text wins when there are both: a spreadsheet copies a picture of its cells too.
            if is_paste && data.get_data("text").is_ok_and(|text| !text.is_empty()) {
                return;
            }
            event.prevent_default();
            let Some(section) = self.section.get_untracked() else { return };
            let _ = if kind == "dragover" {
                section.set_attribute(DROPPING, "")
            } else {
                section.remove_attribute(DROPPING)
            };
            let is_given = is_paste || kind == "drop";
            if let Some(files) = data.files().filter(|files| is_given && files.length() > 0) {
                self.call_tray(Call::Add(files));
            }
        };
        for kind in ["paste", "dragover", "dragleave", "drop"] {
            page::on(&section, kind, take);
        }
        page::on(&section, "click", move |event| {
            if let Some(address) = viewer::opened(event) {
                event.prevent_default();
                self.call_tray(Call::View(address));
            }
        });
    }

    pub fn say(self, content: String, reply_to: Option<MessageId>) {
        self.seal_and_write(content, Target::New(reply_to));
    }

    /// Writes `content`. Nothing leaves a sealed chat as it was typed.
    fn seal_and_write(self, content: String, target: Target) {
        let (seal, sealer) = self.room.with_untracked(|room| (room.seal, sealer(room)));
        match sealer {
            Some(sealer) => (sealer.write)(self, content, target),
            None if seal == Seal::None => self.write(content, target),
            None => {}
        }
    }

    /// Writes `content` as it is.
    pub fn write(self, content: String, target: Target) {
        let client_id = page::new_client_id();
        match target {
            Target::New(reply_to) => self.act(|room| room.post(client_id, content, reply_to, page::moment())),
            Target::Edit(id) => {
                self.act(|room| {
                    let (room_id, sender) = (room.id(), Some(room.me));
                    let edit = ClientFrame::UpdateMessage { room: room_id, client_id, id, content, sender };
                    room.change(client_id, edit)
                });
                if self.room.read_untracked().editing.is_none() {
                    self.focus();
                }
            }
        }
    }

    /// The next message will reply to this one.
    pub fn reply_to(self, id: MessageId) {
        self.quote_first(|message| message.id == id);
        self.focus();
    }

    /// The next message will reply to the last one, or to the one before the chosen one.
    pub fn reply_to_earlier(self) {
        let before = self.quoted.with_untracked(|quoted| quoted.as_ref().map_or(i64::MAX, |quoted| quoted.seq));
        self.quote_first(|message| message.seq < before && message.is_text());
    }

    /// Chooses the latest message that is `wanted`.
    fn quote_first(self, wanted: impl Fn(&Message) -> bool) {
        let quote = self.room.with_untracked(|room| {
            let message = room.timeline.messages().rev().find(|it| wanted(it))?;
            Some(Quote::from(&revealed(room, message)))
        });
        if quote.is_some() {
            self.quoted.set(quote);
        }
    }

    pub fn save_edit(self, id: MessageId) {
        let Some(content) = self.checked(&self.edit_text.get_untracked()) else { return };
        let is_same = |room: &Room| room.message(id).is_some_and(|message| revealed(room, message).content == content);
        if self.room.with_untracked(is_same) {
            self.edit(None);
        } else {
            self.seal_and_write(content, Target::Edit(id));
        }
    }
}
