//! A customer's account: their requests, and their other chats.

use leptos::prelude::*;

use super::{Region, request_in};
use crate::{
    api::{self, AccountLists},
    client::history,
    domain::{Conversation, ConversationId, CustomRequest, Timestamp, latest_words},
    locales::{self, t},
    ui::components::{Anew, ChatButton, Clock, StatusChip, Unread, When, address},
};

/// The lists of the account page. `chosen` is the open chat in the page's address, `cursor` the start of its part of
/// the requests.
#[island(lazy)]
pub fn CustomerLists(
    lists: AccountLists,
    business: String,
    /// Guests have chats only.
    is_guest: bool,
    cursor: Option<String>,
    chosen: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let locale = locales::current();
    let (region, clock) = (Region::new(), Clock::new(now));
    let chosen = history::query("chat", chosen);
    let part = StoredValue::new(cursor.clone().unwrap_or_default());
    let shown = region.keep(lists, move || api::list_account(cursor.clone()));
    let requests = region.order(move || shown.read().requests.items.iter().map(|request| request.id).collect());
    let chats = region.order(move || shown.read().chats.iter().map(|chat| chat.id).collect());
    let is_empty = Memo::new(move |_| requests.read().is_empty());
    let has_chats = Memo::new(move |_| !chats.read().is_empty());
    view! {
        <div
            class="follows"
            data-live=move || region.live.get().map(|live| live.to_string())
            on:pointerdown=move |_| region.press()
        >
            {move || {
                (is_empty.get() && !is_guest)
                    .then(|| {
                        view! {
                            <div class="empty">
                                <p class="empty__text">
                                    {t!(locale, requests::LIST_EMPTY_BEFORE)} " " <bdi>{business.clone()}</bdi> " "
                                    {t!(locale, requests::LIST_EMPTY_AFTER)}
                                </p>
                                <a class="button button--primary" href="/requests/new">
                                    {t!(locale, requests::MAKE)}
                                </a>
                            </div>
                        }
                    })
            }}
            {move || {
                (!is_empty.get())
                    .then(|| {
                        view! {
                            <p class="page__actions">
                                <a class="button button--primary" href="/requests/new">
                                    {t!(locale, requests::NEW)}
                                </a>
                            </p>
                        }
                    })
            }}
            <ul class="cards">
                <For each=move || requests.get() key=|id| *id let:id>
                    {request_in(shown, |lists| &lists.requests.items, id)
                        .map(|request| {
                            let here = part.with_value(|part| {
                                address("/account", &[("cursor", part), ("chat", &id.to_string())])
                            });
                            view! { <RequestCard request chosen here live=region.live.read_only() clock /> }
                        })}
                </For>
            </ul>
            <Anew value=move || shown.read().requests.next_cursor.clone() let:cursor>
                {cursor
                    .map(|cursor| {
                        view! {
                            <p class="page__more">
                                <a class="button button--quiet" href=address("/account", &[("cursor", &cursor)])>
                                    {t!(locale, requests::MORE)}
                                </a>
                            </p>
                        }
                    })}
            </Anew>
            {move || (has_chats.get() && !is_guest).then(|| view! { <h2 class="page__subtitle">{t!(locale, requests::OTHER_CHATS)}</h2> })}
            <ul class="cards">
                <For each=move || chats.get() key=|id| *id let:id>
                    <ChatCard shown id clock />
                </For>
            </ul>
        </div>
    }
}

#[component]
fn RequestCard(
    request: Memo<CustomRequest>,
    chosen: ReadSignal<Option<String>>,
    here: String,
    live: ReadSignal<Option<bool>>,
    clock: Clock,
) -> impl IntoView {
    let locale = locales::current();
    let (id, title) = request.with_untracked(|request| (request.id.to_string(), request.title.clone()));
    let last = Memo::new(move |_| {
        request.with(|request| latest_words(request.last_message.as_deref(), request.last_event, locale))
    });
    view! {
        <li class="card">
            <p class="card__head">
                <a class="card__title" href=format!("/requests/{id}") dir="auto">
                    {title}
                </a>
                <StatusChip status=Signal::derive(move || request.read().status) />
            </p>
            <Anew value=move || last.get() let:last>
                {last
                    .map(|last| {
                        view! {
                            <p class="card__text" dir="auto">
                                {last}
                            </p>
                        }
                    })}
            </Anew>
            <div class="card__foot">
                <span>
                    <span>{t!(locale, requests::LAST_ACTIVITY)} " "</span>
                    <When at=Signal::derive(move || request.read().updated_at) clock />
                </span>
                <ChatButton request chosen choice=id here live />
            </div>
        </li>
    }
}

#[component]
fn ChatCard(shown: RwSignal<AccountLists>, id: ConversationId, clock: Clock) -> impl IntoView {
    let locale = locales::current();
    let chat = Memo::new(move |last: Option<&Option<Conversation>>| {
        let now = shown.read().chats.iter().find(|chat| chat.id == id).cloned();
        now.or_else(|| last.cloned().flatten())
    });
    let text = move || chat.read().as_ref().and_then(|chat| chat.latest_words(locale));
    let when = move || {
        let chat = chat.get()?;
        let words = if chat.is_open() { t!(locale, requests::LAST_ACTIVITY) } else { t!(locale, requests::CLOSED) };
        Some((chat.updated_at, [words, " ", &clock.long_date(chat.updated_at)].concat()))
    };
    view! {
        <li class="card">
            <Anew value=text let:text>
                <p class="card__text" dir="auto">
                    {text.unwrap_or_else(|| t!(locale, desk::NO_MESSAGES).to_owned())}
                </p>
            </Anew>
            <p class="card__foot">
                <Anew value=when let:when>
                    {when.map(|(at, words)| view! { <time datetime=at.to_string()>{words}</time> })}
                </Anew>
                <Unread count=Signal::derive(move || chat.read().as_ref().map_or(0, |chat| chat.unread)) />
                <a class="button button--small" href=format!("/chat/{id}")>
                    {t!(locale, requests::CHAT)}
                </a>
            </p>
        </li>
    }
}
