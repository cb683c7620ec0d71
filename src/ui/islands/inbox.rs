//! The dashboard's list of chats: live, in order of activity, with unread counts.

use std::time::Duration;

use leptos::{
    either::Either,
    ev::{MouseEvent, SubmitEvent},
    html,
    prelude::*,
    reactive::computed::Selector,
};
use wasm_bindgen::JsCast;
use web_sys::{FocusOptions, HtmlElement};

use super::{
    chat_list::initials,
    desk::{ASK_AFTER, State, View, word},
    new_chat::NewChatDialog,
};
use crate::{
    api::{FOUND_MESSAGES, Found},
    client::{history, labels, page},
    domain::{Conversation, ConversationId, ConversationStatus, Timestamp},
    locales::{self, t},
    ui::components::{Anew, Icon, Text, Unread, When, icon},
};

/// The page with the form of a new chat.
const NEW_CHAT: &str = "/admin?new=1";

/// The list of chats, with the search and the button for a new chat.
#[component]
pub(super) fn InboxList(desk: State) -> impl IntoView {
    let locale = locales::current();
    view! {
        <section class="inbox" aria-label=t!(locale, frame::CHATS) data-live=move || desk.is_live.get().to_string()>
            <header class="inbox__head">
                <h2 class="inbox__title">{t!(locale, frame::CHATS)}</h2>
                <a
                    class="button button--primary button--small"
                    href=NEW_CHAT
                    on:click=move |click| desk.new_chat.pressed(desk, &click)
                >
                    <Icon d=icon::PLUS />
                    <span>{t!(locale, desk::NEW_CHAT)}</span>
                </a>
            </header>
            <Search desk />
            <nav class="tabs" aria-label=t!(locale, desk::WHICH)>
                <Tab desk status=ConversationStatus::Open words=t!(locale, desk::OPEN) />
                <Tab desk status=ConversationStatus::Closed words=t!(locale, desk::CLOSED) />
            </nav>
            <Rows desk />
            <NewChatDialog desk />
        </section>
    }
}

#[component]
fn Search(desk: State) -> impl IntoView {
    let locale = locales::current();
    let field = NodeRef::<html::Input>::new();
    let search = Memo::new(move |_| desk.view.read().search.clone());
    Effect::new(move |is_awake: Option<()>| {
        let search = search.get();
        let Some(field) = field.get() else { return };
        if field.value().trim() == search {
            return;
        }
        if is_awake.is_some() {
            // Back and Forward change the search.
            field.set_value(&search);
        } else {
            // The person has typed before hydration.
            desk.search(field.value(), ASK_AFTER);
        }
    });
    let find = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(field) = field.get_untracked() {
            desk.search(field.value(), Duration::ZERO);
        }
    };
    view! {
        <form class="search" role="search" method="get" action="/admin" on:submit=find>
            <input type="hidden" name="status" value=move || word(desk.view.read().status) />
            <label class="visually-hidden" for="q">
                {t!(locale, desk::SEARCH_LABEL)}
            </label>
            <Icon d=icon::SEARCH />
            <input
                class="search__input"
                id="q"
                type="search"
                name="q"
                placeholder=t!(locale, form::SEARCH)
                autocomplete="off"
                dir="auto"
                value=search.get_untracked()
                node_ref=field
                on:input:target=move |event| desk.search(event.target().value(), ASK_AFTER)
            />
        </form>
    }
}

#[component]
fn Tab(desk: State, status: ConversationStatus, words: &'static str) -> impl IntoView {
    let address = move || View { status, ..desk.view.get() }.address();
    let count = move || match status {
        ConversationStatus::Open => desk.list.read().open,
        ConversationStatus::Closed => desk.list.read().closed,
    };
    view! {
        <a
            class="tabs__tab"
            href=address
            aria-current=move || (desk.view.read().status == status).then_some("page")
            on:click=move |click| history::follow(&click, &untrack(address))
        >
            <span>{words}</span>
            " "
            " "
            <Text class="tabs__count" of=move || labels::count(count()) />
        </a>
    }
}

#[component]
fn Rows(desk: State) -> impl IntoView {
    let locale = locales::current();
    let place = NodeRef::<html::Ul>::new();
    // The view of the list, and the order of its chats.
    let order = Memo::new(move |before: Option<&((ConversationStatus, String), Vec<ConversationId>)>| {
        let list = desk.list.read();
        let of = (list.status, list.search.clone());
        let before = before.filter(|(before, _)| *before == of && desk.is_held.get());
        let order = list.order(before.map_or(&[], |(_, order)| order), before.is_some());
        (of, order)
    });
    Effect::new(move |before: Option<(ConversationStatus, String)>| {
        let of = order.with(|(of, _)| of.clone());
        if let Some(place) = place.get_untracked().filter(|_| before.is_some_and(|before| before != of)) {
            place.set_scroll_top(0);
        }
        of
    });
    let ids = move || {
        keep_focus(place);
        order.get().1
    };
    // Only the current and the previous row update on a choice.
    let chosen = Selector::new(move || desk.view.read().chat);
    let more = Memo::new(move |_| desk.list.read().next_cursor.clone());
    let is_empty = move || {
        let list = desk.list.read();
        (list.shown().next().is_none() && list.found.is_empty()).then(|| (list.status, list.search.clone()))
    };
    let found = Memo::new(move |_| desk.list.read().found.clone());
    let has_found = Memo::new(move |_| !found.read().is_empty());
    let is_full = Memo::new(move |_| found.read().len() as i64 == FOUND_MESSAGES);
    view! {
        <ul
            class="inbox__list"
            node_ref=place
            on:pointermove=move |_| desk.hold()
            on:pointerdown=move |_| desk.press(true)
            on:pointerup=move |_| desk.press(false)
            on:pointercancel=move |_| desk.press(false)
            on:pointerleave=move |_| desk.press(false)
            on:scroll=move |_| desk.hold()
            on:keydown=move |_| desk.hold()
        >
            <For each=ids key=|id| *id let:id>
                <Row desk id chosen=chosen.clone() />
            </For>
            <Anew value=is_empty let:of>
                {of.map(|(status, search)| view! { <Empty desk status search /> })}
            </Anew>
            <Anew value=move || more.get() let:cursor>
                {cursor.map(|cursor| view! { <More desk cursor /> })}
            </Anew>
            {move || {
                has_found.get()
                    .then(|| {
                        view! {
                            <li class="inbox__part">
                                <h3 class="inbox__subtitle">{t!(locale, chat::MESSAGES)}</h3>
                            </li>
                        }
                    })
            }}
            <For each=move || found.get() key=Clone::clone let:found>
                <FoundRow desk found />
            </For>
            {move || {
                is_full.get()
                    .then(|| {
                        view! {
                            <li class="inbox__part">
                                <p class="inbox__hint">{t!(locale, desk::FOUND_FULL)}</p>
                            </li>
                        }
                    })
            }}
        </ul>
    }
}

/// Restores the focus within `place`, as an element that moves loses it.
fn keep_focus(place: NodeRef<html::Ul>) {
    let Some(place) = place.get_untracked() else { return };
    let focused = document().active_element().filter(|element| place.contains(Some(element)));
    let Some(focused) = focused.and_then(|element| element.dyn_into::<HtmlElement>().ok()) else { return };
    page::after_layout(move || {
        let is_lost = document().active_element().is_none_or(|element| element.tag_name() == "BODY");
        if is_lost {
            let stay = FocusOptions::new();
            stay.set_prevent_scroll(true);
            let _ = focused.focus_with_options(&stay);
        }
    });
}

/// The content of a chat's row.
#[derive(Clone, Debug, PartialEq)]
struct Face {
    name: String,
    text: Option<String>,
    unread: i64,
    is_online: bool,
    at: Timestamp,
}

impl From<&Conversation> for Face {
    fn from(chat: &Conversation) -> Self {
        Self {
            name: chat.customer_name.clone(),
            text: chat.latest_words(locales::current()),
            unread: chat.unread,
            is_online: chat.customer_online == Some(true),
            at: chat.updated_at,
        }
    }
}

#[component]
fn Row(desk: State, id: ConversationId, chosen: Selector<Option<ConversationId>>) -> impl IntoView {
    let locale = locales::current();
    let blank = Face { name: String::new(), text: None, unread: 0, is_online: false, at: Timestamp(0) };
    let face = Memo::new(move |_| desk.list.read().get(id).map_or_else(|| blank.clone(), Face::from));
    let is_online = Memo::new(move |_| face.read().is_online);
    let unread = Memo::new(move |_| face.read().unread);
    let text = Memo::new(move |_| match &face.read().text {
        Some(text) => ("row__text", text.clone()),
        None => ("row__text row__text--none", t!(locale, desk::NO_MESSAGES).to_owned()),
    });
    let class = move || if unread.get() > 0 { "row row--unread" } else { "row" };
    let address = move || desk.listed.read().with_chat(id, None).address();
    view! {
        <li class="inbox__item" data-conversation=id.to_string()>
            <a
                class=class
                href=address
                aria-current=move || chosen.selected(&Some(id)).then_some("true")
                on:click=move |click| history::follow(&click, &untrack(address))
            >
                <span
                    class=move || if is_online.get() { "avatar avatar--online" } else { "avatar" }
                    aria-hidden="true"
                >
                    <Text of=move || initials(&face.read().name) />
                </span>
                <Anew value=move || face.read().name.clone() let:name>
                    <span class="row__name" dir="auto">
                        {name}
                    </span>
                </Anew>
                {move || {
                    is_online.get()
                        .then(|| {
                            view! {
                                <span class="visually-hidden">{t!(locale, desk::HERE_NOW)}</span>
                            }
                        })
                }}
                <When at=Signal::derive(move || face.read().at) clock=desk.clock />
                <Anew value=move || text.get() let((class, words))>
                    <span class=class dir="auto">
                        {words}
                    </span>
                </Anew>
                <Unread count=unread />
            </a>
        </li>
    }
}

/// A search result: a link to the message in its chat.
#[component]
fn FoundRow(desk: State, found: Found) -> impl IntoView {
    let Found { conversation_id: id, seq, customer_name, sender_name, created_at, before, word, after, .. } = found;
    let by = (sender_name != customer_name).then_some(sender_name);
    let address = move || desk.listed.read().with_chat(id, Some(seq)).address();
    view! {
        <li class="inbox__item">
            <a
                class="row row--found"
                href=address
                aria-current=move || {
                    let view = desk.view.read();
                    ((view.chat, view.seq) == (Some(id), Some(seq))).then_some("true")
                }
                on:click=move |click| history::follow(&click, &untrack(address))
            >
                <span class="row__name" dir="auto">
                    {customer_name}
                </span>
                <When at=created_at clock=desk.clock />
                <span class="row__text" dir="auto">
                    {by
                        .map(|by| {
                            view! {
                                <bdi>{by}</bdi>
                                <span>": "</span>
                            }
                        })}
                    <span>{before}</span>
                    {(!word.is_empty()).then(|| view! { <mark class="row__mark">{word}</mark> })}
                    <span>{after}</span>
                </span>
            </a>
        </li>
    }
}

#[component]
fn More(desk: State, cursor: String) -> impl IntoView {
    let locale = locales::current();
    let mut address = desk.view.with_untracked(View::address);
    address.push(if address.contains('?') { '&' } else { '?' });
    address.push_str("cursor=");
    address.push_str(&cursor);
    let load = move |click: MouseEvent| {
        if history::is_plain(&click) {
            click.prevent_default();
            desk.load(Some(cursor.clone()));
        }
    };
    view! {
        <li class="inbox__more">
            <a class="button button--quiet" href=address on:click=load>
                {t!(locale, desk::MORE)}
            </a>
        </li>
    }
}

/// The text of an empty list, with the next action.
#[component]
fn Empty(desk: State, status: ConversationStatus, search: String) -> impl IntoView {
    let locale = locales::current();
    let is_search = !search.is_empty();
    let is_new = !is_search && status == ConversationStatus::Open;
    let (text, action) = match status {
        _ if is_search => ("", t!(locale, desk::SHOW_ALL)),
        ConversationStatus::Open => (t!(locale, desk::NO_OPEN), t!(locale, desk::NEW_CHAT)),
        ConversationStatus::Closed => (t!(locale, desk::NO_CLOSED), t!(locale, desk::OPEN_CHATS)),
    };
    let address = move || {
        let status = if is_search { status } else { ConversationStatus::Open };
        let all = View { status, search: String::new(), ..desk.view.get() };
        if is_new { NEW_CHAT.to_owned() } else { all.address() }
    };
    let act = move |click: MouseEvent| {
        if is_new {
            desk.new_chat.pressed(desk, &click);
        } else {
            history::follow(&click, &untrack(address));
        }
    };
    let text = if is_search {
        Either::Left(view! {
            <p class="empty__text">
                {t!(locale, desk::NOTHING_FOUND)} " “" <bdi>{search}</bdi> "”."
            </p>
        })
    } else {
        Either::Right(view! { <p class="empty__text">{text}</p> })
    };
    view! {
        <li class="empty">
            {text} <a class="button" href=address on:click=act>
                {action}
            </a>
        </li>
    }
}
