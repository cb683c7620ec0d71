//! Where one writes. A plain form until the island is awake; what was typed by then stays.

use leptos::{prelude::*, task::spawn_local};
use web_sys::{HtmlTextAreaElement, KeyboardEvent};

use super::Panel;
use crate::{
    api,
    client::{labels, page},
    domain::{ClientId, Content, ConversationStatus},
    protocol::ClientFrame,
    ui::components::{Icon, icon},
};

/// How often others are told that someone is still typing; it holds for 5 s.
const TYPING_AGAIN_MS: i64 = 3_000;
/// Lines to which a field grows.
const MOST_ROWS: u32 = 8;

/// The text to send, or what is wrong with it; `None` if there is none.
pub(super) fn checked(panel: Panel, text: &str) -> Result<Option<String>, String> {
    if text.trim().is_empty() {
        return Ok(None);
    }
    Content::parse(text, panel.message_chars)
        .map(|content| Some(content.into_string()))
        .map_err(|problem| problem.message)
}

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

#[component]
pub(super) fn Composer(panel: Panel, name: String, draft: String) -> impl IntoView {
    let has_text = RwSignal::new(false);
    // When others were last told of typing; 0 while they think there is none.
    let typing_told = StoredValue::new(0_i64);

    let tell_typing = move |on: bool| {
        let (now, told) = (page::now_ms(), typing_told.get_value());
        if panel.room.with_untracked(|room| room.is_up_to_date())
            && (if on { now >= told + TYPING_AGAIN_MS } else { told > 0 })
        {
            typing_told.set_value(if on { now } else { 0 });
            crate::client::socket::send(&ClientFrame::Typing { room: panel.id, on });
        }
    };
    let typed = move || {
        let Some(input) = panel.input.get_untracked() else { return };
        let text = input.value();
        let is_text = !text.trim().is_empty();
        has_text.set(is_text);
        page::keep(&panel.draft_key(), if is_text { &text } else { "" });
        grow(&input);
    };
    let send = move || {
        let Some(input) = panel.input.get_untracked() else { return };
        match checked(panel, &input.value()) {
            Ok(Some(content)) => {
                input.set_value("");
                typed();
                // The message itself ends the typing on the other side.
                typing_told.set_value(0);
                panel.act(|room| room.post(ClientId::new(), content, page::now_ms()));
            }
            Ok(None) => {}
            Err(problem) => panel.room.write().notice = Some(problem),
        }
        let _ = input.focus();
    };
    Effect::new(move || {
        // Runs anew whenever the field does: after a reload, and when a closed chat is reopened.
        let Some(input) = panel.input.get() else { return };
        if input.value().is_empty()
            && let Some(draft) = page::load(&panel.draft_key())
        {
            input.set_value(&draft);
        }
        typed();
    });
    let keydown = move |event: KeyboardEvent| {
        if sends(&event) {
            event.prevent_default();
            send();
        } else if event.key() == "ArrowUp" && event_target_value(&event).is_empty() {
            let last = panel.room.with_untracked(|room| room.last_own().map(|message| message.id));
            if last.is_some() {
                event.prevent_default();
                panel.edit(last);
            }
        }
    };
    // As HTML: the text of this element is not a node that could be woken up.
    let escaped = draft.replace('&', "&amp;").replace('<', "&lt;");
    view! {
        <form
            class="composer"
            method="post"
            action="/chat/".to_owned() + &panel.id.to_string()
            novalidate=move || panel.awake.get()
            on:submit=move |event| {
                event.prevent_default();
                send();
            }
        >
            <input type="hidden" name="client_id" value=ClientId::new().to_string() />
            <label class="visually-hidden" for="content">
                {"Message to ".to_owned() + &name}
            </label>
            <div class="composer__box">
                <textarea
                    class="composer__input"
                    id="content"
                    name="content"
                    rows="1"
                    placeholder="Write a message"
                    required
                    aria-describedby=move || panel.awake.get().then_some("content-hint")
                    node_ref=panel.input
                    on:input=move |_| {
                        typed();
                        tell_typing(has_text.get_untracked());
                    }
                    on:blur=move |_| tell_typing(false)
                    on:keydown=keydown
                    inner_html=escaped
                ></textarea>
                <button
                    class="composer__send"
                    type="submit"
                    aria-label="Send"
                    aria-disabled=move || (panel.awake.get() && !has_text.get()).then_some("true")
                >
                    <Icon d=icon::SEND />
                </button>
            </div>
            {move || {
                panel
                    .awake
                    .get()
                    .then(|| {
                        view! {
                            <p class="composer__hint" id="content-hint">
                                "Enter to send, Shift + Enter for a new line"
                            </p>
                        }
                    })
            }}
            {move || {
                panel
                    .room
                    .with(|room| room.notice.clone())
                    .map(|notice| {
                        view! {
                            <p class="composer__error" role="alert">
                                {notice}
                            </p>
                        }
                    })
            }}
        </form>
    }
}

/// Takes the composer's place in a closed chat.
#[component]
pub(super) fn Closed(panel: Panel, admin: bool) -> impl IntoView {
    let error = RwSignal::new(None::<String>);
    let closed = move || {
        let zone = panel.zone();
        let today = labels::local_date(panel.now.get(), zone);
        panel.room.with(|room| {
            let conversation = room.timeline.conversation();
            let on =
                conversation.closed_at.map(|at| " on ".to_owned() + &labels::date(labels::local_date(at, zone), today));
            let by = conversation.closed_by.as_ref().map(|name| " by ".to_owned() + name);
            ["This chat was closed", &on.unwrap_or_default(), &by.unwrap_or_default(), "."].concat()
        })
    };
    view! {
        <div class="composer composer--closed">
            <p>{closed}</p>
            {admin
                .then(|| {
                    view! {
                        <form
                            method="post"
                            action=["/admin/chats/", &panel.id.to_string(), "/reopen"].concat()
                            on:submit=move |event| {
                                event.prevent_default();
                                spawn_local(async move {
                                    let answer = api::set_status(panel.id, ConversationStatus::Open).await;
                                    error.set(answer.err().map(|problem| problem.message));
                                });
                            }
                        >
                            <button class="button" type="submit">
                                "Reopen"
                            </button>
                        </form>
                    }
                })}
            {move || {
                error
                    .get()
                    .map(|error| {
                        view! {
                            <p class="composer__error" role="alert">
                                {error}
                            </p>
                        }
                    })
            }}
        </div>
    }
}
