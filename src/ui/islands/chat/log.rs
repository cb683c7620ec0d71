//! The messages. The box lays out its one child from its end (`flex-direction: column-reverse`), so
//! the browser keeps it at the end, and nothing moves when older messages come in on top: `scrollTop`
//! is 0 at the end and negative above it.

use std::{collections::BTreeMap, time::Duration};

use leptos::{html, prelude::*, reactive::signal::ArcRwSignal};
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, MouseEvent};

use super::{Panel, Room};
use crate::{
    client::{
        log::{Body, Bubble, Delivery, Key, Line},
        page,
        text::Piece,
    },
    domain::ClientId,
    protocol::ClientFrame,
    ui::components::{Icon, icon},
};

/// So close to the end, a reader follows what arrives.
const NEAR_END_PX: i32 = 100;
/// So close to the start, older messages are fetched.
const NEAR_START_PX: i32 = 400;
/// So much of a message must have been in view for it to count as read.
const READ_PX: f64 = 32.0;
/// What was in view for less than this was not read.
const READ_AFTER: Duration = Duration::from_millis(300);

type Row = (Key, ArcRwSignal<Line>);

/// Brings the rows up to `lines`: a row that stays is told its new content if that differs.
fn renew(rows: &[Row], lines: Vec<Line>) -> Vec<Row> {
    let known: BTreeMap<Key, &ArcRwSignal<Line>> = rows.iter().map(|(key, row)| (*key, row)).collect();
    let renewed = lines.into_iter().map(|line| {
        let key = line.key();
        let Some(row) = known.get(&key) else { return (key, ArcRwSignal::new(line)) };
        if row.with_untracked(|before| *before != line) {
            row.set(line);
        }
        (key, (*row).clone())
    });
    renewed.collect()
}

#[derive(Clone, Copy)]
struct Scroll {
    panel: Panel,
    /// The last message when the reader was at the end.
    end_seq: RwSignal<i64>,
    loading: RwSignal<bool>,
    /// Older messages could not be fetched: only the person tries again.
    failed: RwSignal<bool>,
    /// A look at what was read is due.
    looking: StoredValue<bool>,
}

impl Scroll {
    fn log(self) -> Option<HtmlElement> {
        self.panel.log.get_untracked().map(Into::into)
    }

    fn last(self) -> i64 {
        self.panel.room.with_untracked(|room| room.timeline.last())
    }

    fn to_end(self) {
        if let Some(log) = self.log() {
            log.set_scroll_top(0);
        }
    }

    /// The reader moved, or the content did.
    fn moved(self) {
        let Some(log) = self.log() else { return };
        let away = -log.scroll_top() > NEAR_END_PX;
        if self.panel.away.get_untracked() != away {
            self.panel.away.set(away);
        }
        if !away {
            self.end_seq.set(self.last());
        }
        let above = log.scroll_height() - log.client_height() + log.scroll_top();
        if above < NEAR_START_PX && !self.failed.get_untracked() {
            self.load_older();
        }
        self.look();
    }

    fn load_older(self) {
        let more = self.panel.room.with_untracked(|room| room.timeline.first() > 1 && !room.gone);
        if !more || self.loading.get_untracked() {
            return;
        }
        self.loading.set(true);
        self.failed.set(false);
        self.panel.load_older(
            move || self.failed.set(true),
            move || {
                self.loading.set(false);
                page::after_layout(move || self.moved());
            },
        );
    }

    /// After a moment, counts as read what is in view of a person.
    fn look(self) {
        if self.looking.get_value() {
            return;
        }
        self.looking.set_value(true);
        set_timeout(
            move || {
                self.looking.set_value(false);
                self.read_in_view();
            },
            READ_AFTER,
        );
    }

    fn read_in_view(self) {
        let read = self.panel.room.with_untracked(|room| room.people.my_seq());
        if self.last() <= read || !page::is_looked_at() {
            return;
        }
        let Some(log) = self.log() else { return };
        let end = log.get_bounding_client_rect().bottom();
        let mut next = log.first_element_child().and_then(|list| list.last_element_child());
        while let Some(row) = next {
            let seq = row.get_attribute("data-seq").and_then(|seq| seq.parse::<i64>().ok());
            if let Some(seq) = seq {
                let place = row.get_bounding_client_rect();
                if place.top() + place.height().min(READ_PX) <= end {
                    if seq > read {
                        self.panel.act(|room| room.read(seq, page::now_ms()));
                    }
                    return;
                }
            }
            next = row.previous_element_sibling();
        }
    }

    /// Takes the reader along, or keeps the place, after rows were added below.
    fn follow(self, before: Option<(i32, i32)>, own: bool) {
        if own || !self.panel.away.get_untracked() {
            self.to_end();
        } else if let (Some((top, height)), Some(log)) = (before, self.log()) {
            // Browsers with scroll anchoring have done this already.
            let kept = top - (log.scroll_height() - height);
            if (log.scroll_top() - kept).abs() > 1 {
                log.set_scroll_top(kept);
            }
        }
        self.moved();
    }
}

#[component]
pub(super) fn Log(panel: Panel, name: String) -> impl IntoView {
    let scroll = Scroll {
        panel,
        end_seq: RwSignal::new(0),
        loading: RwSignal::new(false),
        failed: RwSignal::new(false),
        looking: StoredValue::new(false),
    };
    let lines = move || {
        let zone = panel.zone();
        panel.room.with(|room| room.lines(panel.now.get(), zone))
    };
    let rows = RwSignal::new(renew(&[], untrack(lines)));

    // What the end of the log looked like before: an own message and the last one of all.
    let end = |room: &Room| (room.outbox.entries().len(), room.timeline.last());
    let before = StoredValue::new(panel.room.with_untracked(end));
    Effect::new(move || {
        let lines = lines();
        let place = scroll.log().map(|log| (log.scroll_top(), log.scroll_height()));
        let renewed = renew(&rows.read_untracked(), lines);
        rows.set(renewed);
        let now = panel.room.with_untracked(end);
        let was = before.get_value();
        before.set_value(now);
        if now.0 > was.0 || now.1 > was.1 {
            page::after_layout(move || scroll.follow(place, now.0 > was.0));
        }
    });
    Effect::new(move || {
        if let Some(new) = document().get_element_by_id("new") {
            let centred = web_sys::ScrollIntoViewOptions::new();
            centred.set_block(web_sys::ScrollLogicalPosition::Center);
            new.scroll_into_view_with_scroll_into_view_options(&centred);
        }
        scroll.moved();
        page::on_return(move || {
            if page::is_looked_at() {
                panel.room.write().divide();
            }
            scroll.look();
        });
        close_menus_elsewhere();
    });

    let first = move || panel.room.with(|room| room.timeline.first());
    let older = move || {
        let before = first();
        let address = if panel.room.with_untracked(Room::is_admin) { "/admin?chat=" } else { "/chat/" };
        let join = if address.contains('?') { "&before=" } else { "?before=" };
        [address, &panel.id.to_string(), join, &before.to_string()].concat()
    };
    let start = StoredValue::new(if panel.room.with_untracked(Room::is_admin) {
        [&name, " and every admin can read this chat. It is kept after it is closed."].concat()
    } else {
        ["Only you and ", &name, " can read this chat. It is kept after it is closed."].concat()
    });
    let missed = move || panel.room.with(|room| room.count_others_after(scroll.end_seq.get()));
    view! {
        <div class="chat__log">
            <div
                class="log"
                role="log"
                aria-label="Messages"
                tabindex="0"
                node_ref=panel.log
                aria-busy=move || scroll.loading.get().then_some("true")
                on:scroll=move |_| scroll.moved()
            >
                <ol class="log__list" on:click=move |event| choose(scroll, &event)>
                    {move || {
                        if first() <= 1 {
                            view! { <li class="log__start">{start.get_value()}</li> }.into_any()
                        } else if scroll.loading.get() {
                            view! {
                                <li class="log__older" aria-busy="true">
                                    <span class="log__loading">"Loading earlier messages…"</span>
                                </li>
                            }
                                .into_any()
                        } else {
                            view! {
                                <li class="log__older">
                                    <a class="button button--quiet" href=older() data-act="older">
                                        "Earlier messages"
                                    </a>
                                </li>
                            }
                                .into_any()
                        }
                    }}
                    <For
                        each=move || rows.get()
                        key=|(key, _)| *key
                        children=move |(_, line)| move || row(panel, line.get())
                    />
                </ol>
            </div>
            {move || {
                panel
                    .away
                    .get()
                    .then(|| {
                        let label = match missed() {
                            0 => "Go to the latest message".to_owned(),
                            count => ["Go to the latest message, ", &count.to_string(), " new"].concat(),
                        };
                        let count = Some(missed()).filter(|count| *count > 0);
                        view! {
                            <button class="jump" type="button" aria-label=label on:click=move |_| scroll.to_end()>
                                <Icon d=icon::DOWN />
                                {count.map(|count| view! { <span class="jump__count">{count.to_string()}</span> })}
                            </button>
                        }
                    })
            }}
        </div>
    }
}

fn row(panel: Panel, line: Line) -> AnyView {
    match line {
        Line::Day { date, label } => view! {
            <li class="log__day">
                <time datetime=crate::client::labels::iso_date(date)>{label}</time>
            </li>
        }
        .into_any(),
        Line::New => view! {
            <li class="log__new" id="new">
                <span>"New"</span>
            </li>
        }
        .into_any(),
        Line::Message(bubble) => message(panel, bubble).into_any(),
    }
}

fn message(panel: Panel, bubble: Bubble) -> impl IntoView + use<> {
    let mut class = "message".to_owned();
    for (state, is) in [
        (" message--own", bubble.own),
        (" message--first", bubble.first),
        (" message--deleted", bubble.body == Body::Deleted),
        (" message--editing", bubble.editing),
        (" message--sending", matches!(bubble.delivery, Delivery::Sending | Delivery::Underway)),
        (" message--failed", matches!(bubble.delivery, Delivery::Failed(_))),
    ] {
        if is {
            class += state;
        }
    }
    let (who_class, who) =
        if bubble.own { ("visually-hidden", "You".to_owned()) } else { ("message__sender", bubble.sender) };
    let content = match (bubble.id.filter(|_| bubble.editing), bubble.body) {
        (Some(id), _) => view! { <Edit panel=panel id=id /> }.into_any(),
        (None, body) => body_view(body, bubble.edited),
    };
    let options = ((bubble.may_edit || bubble.may_delete) && !bubble.editing).then(|| {
        view! {
            <details class="menu message__menu" name="message-menu">
                <summary class="icon-button menu__button" aria-label="Message options">
                    <Icon d=icon::MORE />
                </summary>
                <div class="menu__list">
                    {bubble
                        .may_edit
                        .then(|| {
                            view! {
                                <button class="menu__item" type="button" data-act="edit">
                                    "Edit"
                                </button>
                            }
                        })}
                    <button class="menu__item menu__item--danger" type="button" data-act="delete">
                        "Delete"
                    </button>
                </div>
            </details>
        }
    });
    view! {
        <li
            class=class
            id=bubble.seq.map(|seq| "m-".to_owned() + &seq.to_string())
            data-seq=bubble.seq.map(|seq| seq.to_string())
            data-id=bubble.id.map(|id| id.to_string())
            data-client-id=bubble.client_id.map(|id| id.to_string())
        >
            <p class=if bubble.first { "message__head" } else { "visually-hidden" }>
                <span class=who_class>{who}</span>
                " "
                <time class="message__time" datetime=bubble.at.to_string() title=bubble.full_time>
                    {bubble.clock}
                </time>
            </p>
            <div class="message__row">{content} {options}</div>
            {delivery_view(bubble.delivery)}
        </li>
    }
}

fn body_view(body: Body, edited: bool) -> AnyView {
    let (class, pieces) = match body {
        Body::Text(pieces) => ("bubble", pieces),
        Body::Emoji(emoji) => ("bubble bubble--emoji", vec![Piece::Text(emoji)]),
        Body::Deleted => ("bubble", vec![Piece::Text("Message deleted".to_owned())]),
    };
    let pieces: Vec<AnyView> = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.into_any(),
            Piece::Link(address) => {
                let text = address.clone();
                view! {
                    <a href=address rel="noopener noreferrer nofollow" target="_blank">
                        {text}
                    </a>
                }
                .into_any()
            }
        })
        .collect();
    let edited = edited.then(|| view! { <span class="message__edited">"edited"</span> });
    view! { <div class=class>{pieces}{edited}</div> }.into_any()
}

fn delivery_view(delivery: Delivery) -> Option<AnyView> {
    let told = match delivery {
        Delivery::Untold | Delivery::Underway => return None,
        Delivery::Sending => "Sending…".to_owned(),
        Delivery::Sent => "Sent".to_owned(),
        Delivery::Seen(at) => "Seen ".to_owned() + &at,
        Delivery::Failed(reason) => {
            let failed = view! {
                <p class="message__state message__state--failed" role="alert" title=reason>
                    "Not sent. "
                    <button class="link-button" type="button" data-act="retry">
                        "Retry"
                    </button>
                    " "
                    <button class="link-button" type="button" data-act="discard">
                        "Delete"
                    </button>
                </p>
            };
            return Some(failed.into_any());
        }
    };
    Some(view! { <p class="message__state">{told}</p> }.into_any())
}

/// One listener for everything in the log that can be pressed: `data-act` says what, the row which.
fn choose(scroll: Scroll, event: &MouseEvent) {
    let panel = scroll.panel;
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-act]").ok().flatten()) else { return };
    let row = button.closest("li").ok().flatten();
    let named = |name: &str| row.as_ref().and_then(|row| row.get_attribute(name));
    let id = named("data-id").and_then(|id| id.parse().ok());
    let client_id = named("data-client-id").and_then(|id| id.parse::<ClientId>().ok());
    match (button.get_attribute("data-act").as_deref(), id, client_id) {
        (Some("older"), ..) => {
            event.prevent_default();
            scroll.load_older();
        }
        (Some("edit"), Some(id), _) => panel.edit(Some(id)),
        (Some("delete"), Some(id), _) => panel.delete(id),
        (Some("retry"), _, Some(client_id)) => panel.act(|room| room.retry(client_id, page::now_ms())),
        (Some("discard"), _, Some(client_id)) => panel.act(|room| room.discard(client_id)),
        _ => {}
    }
    if let Some(menu) = button.closest("details").ok().flatten() {
        let _ = menu.remove_attribute("open");
    }
}

/// A menu closes when something else on the page is pressed, or with Escape.
fn close_menus_elsewhere() {
    window_event_listener(leptos::ev::click, |event| {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        close_menu(|menu| !menu.contains(target.as_deref()));
    });
    window_event_listener(leptos::ev::keydown, |event| {
        if event.key() == "Escape" {
            close_menu(|menu| {
                if let Some(button) =
                    menu.first_element_child().and_then(|button| button.dyn_into::<HtmlElement>().ok())
                {
                    let _ = button.focus();
                }
                true
            });
        }
    });
}

fn close_menu(closes: impl FnOnce(&Element) -> bool) {
    if let Some(menu) = document().query_selector(".message__menu[open]").ok().flatten()
        && closes(&menu)
    {
        let _ = menu.remove_attribute("open");
    }
}

/// The form that takes a message's place while it is edited.
#[component]
fn Edit(panel: Panel, id: crate::domain::MessageId) -> impl IntoView {
    let input = NodeRef::<html::Textarea>::new();
    let content =
        panel.room.with_untracked(|room| room.message(id).map(|message| message.content.clone()).unwrap_or_default());
    let field = "edit-".to_owned() + &id.to_string();
    Effect::new(move || {
        if let Some(input) = input.get() {
            let _ = input.focus();
            let end = input.value().encode_utf16().count() as u32;
            let _ = input.set_selection_range(end, end);
            super::composer::grow(&input);
        }
    });
    let save = move || {
        let Some(input) = input.get_untracked() else { return };
        match super::composer::checked(panel, &input.value()) {
            Ok(Some(content)) => {
                let client_id = ClientId::new();
                panel.act(|room| {
                    if room.message(id).is_some_and(|message| message.content == content) {
                        room.editing = None;
                        return Vec::new();
                    }
                    room.change(client_id, ClientFrame::UpdateMessage { room: panel.id, client_id, id, content })
                });
                if panel.room.with_untracked(|room| room.editing.is_none()) {
                    panel.focus_input();
                }
            }
            Ok(None) => {}
            Err(problem) => panel.room.write().notice = Some(problem),
        }
    };
    view! {
        <form
            class="edit"
            on:submit=move |event| {
                event.prevent_default();
                save();
            }
        >
            <label class="visually-hidden" for=field.clone()>
                "Edit message"
            </label>
            <textarea
                class="edit__input"
                id=field
                rows="1"
                prop:value=content
                node_ref=input
                on:input=move |event| super::composer::grow(&event_target(&event))
                on:keydown=move |event| {
                    if event.key() == "Escape" {
                        event.stop_propagation();
                        panel.edit(None);
                    } else if super::composer::sends(&event) {
                        event.prevent_default();
                        save();
                    }
                }
            ></textarea>
            <p class="edit__actions">
                <span class="edit__hint">"Esc to cancel"</span>
                <button class="button button--quiet button--small" type="button" on:click=move |_| panel.edit(None)>
                    "Cancel"
                </button>
                <button class="button button--primary button--small" type="submit">
                    "Save"
                </button>
            </p>
        </form>
    }
}
