//! All requests, for admins.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Region, request_in, set_status::SetStatus};
use crate::{
    api::{self, RequestList},
    client::{history, labels},
    domain::{CustomRequest, Problem, RequestOrder, RequestStatus, Timestamp},
    locales::{self, t},
    ui::components::{Anew, ChatButton, Clock, Text, When, address, budget_in_words, day_in_words},
};

/// The view of the table: the query of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub status: String,
    pub search: String,
    pub order: String,
    pub cursor: String,
}

impl Look {
    /// The address of the page with this view, and beside it the chat of the request `chat` unless that is empty.
    #[must_use]
    pub fn address(&self, chat: &str) -> String {
        let pairs = [
            ("status", &*self.status),
            ("q", &self.search),
            ("sort", &self.order),
            ("cursor", &self.cursor),
            ("chat", chat),
        ];
        address("/admin/requests", &pairs)
    }

    /// The order of this view.
    #[must_use]
    pub fn order(&self) -> RequestOrder {
        Self::ORDERS.iter().find(|(word, _)| *word == self.order).map(|(_, order)| *order).unwrap_or_default()
    }

    /// Orders and their words in the address.
    pub const ORDERS: [(&str, RequestOrder); 4] = [
        ("activity", RequestOrder::Activity),
        ("newest", RequestOrder::Newest),
        ("wanted", RequestOrder::Wanted),
        ("title", RequestOrder::Title),
    ];

    /// The order as text.
    #[must_use]
    pub fn order_name(order: RequestOrder) -> &'static str {
        let locale = locales::current();
        match order {
            RequestOrder::Activity => t!(locale, requests::ORDER_ACTIVITY),
            RequestOrder::Newest => t!(locale, requests::ORDER_NEWEST),
            RequestOrder::Wanted => t!(locale, requests::ORDER_WANTED),
            RequestOrder::Title => t!(locale, requests::ORDER_TITLE),
        }
    }

    /// Loads the requests of this view.
    ///
    /// # Errors
    /// Those of the server.
    pub async fn load(self) -> Result<RequestList, Problem> {
        let order = self.order();
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        api::list_requests(RequestStatus::from_word(&self.status), text(self.search), order, text(self.cursor)).await
    }
}

/// The table of requests. `chosen` is the open chat in the page's address.
#[island(lazy)]
pub fn RequestTable(
    list: RequestList,
    look: Look,
    currency: String,
    chosen: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let locale = locales::current();
    let (region, clock) = (Region::new(), Clock::new(now));
    // The address of this page, to which the plain forms return.
    let from = look.address(chosen.as_deref().unwrap_or_default());
    let chosen = history::query("chat", chosen);
    let asked = look.clone();
    let shown = region.keep(list, move || asked.clone().load());
    let requests = region.order(move || shown.read().items.iter().map(|request| request.id).collect());
    let is_empty = Memo::new(move |_| requests.read().is_empty());
    let more = look.clone();
    let shows_all = look.search.is_empty() && look.status.is_empty();
    let (look, currency, from) = (StoredValue::new(look), StoredValue::new(currency), StoredValue::new(from));
    view! {
        <div
            class="follows"
            data-live=move || region.live.get().map(|live| live.to_string())
            on:pointerdown=move |_| region.press()
            on:focusin=move |event| region.focus(&event, true)
            on:focusout=move |event| region.focus(&event, false)
        >
            <Tabs look=look shown />
            {move || {
                is_empty
                    .get()
                    .then(|| {
                        view! {
                            <div class="empty">
                                <p class="empty__text">
                                    {if shows_all {
                                        t!(locale, requests::TABLE_EMPTY)
                                    } else {
                                        t!(locale, requests::NO_MATCH)
                                    }}
                                </p>
                                <a class="button" href="/admin/requests">
                                    {t!(locale, requests::SHOW_ALL)}
                                </a>
                            </div>
                        }
                    })
            }}
            <table class="table" hidden=move || is_empty.get()>
                <caption class="visually-hidden">{t!(locale, requests::CAPTION)}</caption>
                <thead>
                    <tr>
                        <th scope="col">{t!(locale, requests::REQUEST)}</th>
                        <th class="table__extra" scope="col">
                            {t!(locale, requests::BUDGET)}
                        </th>
                        <th class="table__extra" scope="col">
                            {t!(locale, requests::WANTED_BY)}
                        </th>
                        <th scope="col">{t!(locale, requests::STATUS)}</th>
                        <th scope="col">{t!(locale, requests::LAST_ACTIVITY)}</th>
                        <th scope="col">
                            <span class="visually-hidden">{t!(locale, requests::CHAT)}</span>
                        </th>
                    </tr>
                </thead>
                <tbody>
                    <For each=move || requests.get() key=|id| *id let:id>
                        {request_in(shown, |list| &list.items, id)
                            .map(|request| {
                                view! {
                                    <Row
                                        request
                                        chosen
                                        here=look.with_value(|look| look.address(&id.to_string()))
                                        from=from.get_value()
                                        currency=currency.get_value()
                                        live=region.live.read_only()
                                        clock
                                    />
                                }
                            })}
                    </For>
                </tbody>
            </table>
            <Anew value=move || shown.read().next_cursor.clone() let:cursor>
                {cursor
                    .map(|cursor| {
                        view! {
                            <p class="page__more">
                                <a class="button button--quiet" href=Look { cursor, ..more.clone() }.address("")>
                                    {t!(locale, requests::MORE)}
                                </a>
                            </p>
                        }
                    })}
            </Anew>
        </div>
    }
}

#[component]
fn Tabs(look: StoredValue<Look>, shown: RwSignal<RequestList>) -> impl IntoView {
    let locale = locales::current();
    // The tab of a status; `None` for all.
    let tab = |at: Option<usize>| {
        let status = at.map(|at| RequestStatus::ALL[at]);
        let (word, name) =
            status.map_or(("", t!(locale, requests::ALL)), |status| (status.word(), status.label(locale)));
        let is_here = look.with_value(|look| look.status == word);
        let there = look.with_value(|look| Look { status: word.to_owned(), cursor: String::new(), ..look.clone() });
        let count = move || {
            let counts = shown.read().counts;
            labels::count(at.map_or_else(|| counts.iter().sum(), |at| counts[at]))
        };
        view! {
            <a class="tabs__tab" href=there.address("") aria-current=is_here.then_some("page")>
                <span>{name}</span>
                " "
                <Text class="tabs__count" of=Signal::derive(count) />
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label=t!(locale, requests::WHICH)>
            {[None, Some(0), Some(1), Some(2), Some(3)].map(tab)}
        </nav>
    }
}

#[component]
fn Row(
    request: Memo<CustomRequest>,
    chosen: ReadSignal<Option<String>>,
    here: String,
    from: String,
    currency: String,
    live: ReadSignal<Option<bool>>,
    clock: Clock,
) -> impl IntoView {
    let locale = locales::current();
    let first = request.get_untracked();
    let id = first.id.to_string();
    let choice = id.clone();
    view! {
        <tr
            class="table__row"
            aria-selected=move || (chosen.read().as_ref() == Some(&choice)).then_some("true")
        >
            <td class="table__main">
                <a class="table__title" href=format!("/requests/{id}") dir="auto">
                    {first.title}
                </a>
                <span class="table__who" dir="auto">
                    {first.customer_name}
                </span>
            </td>
            <td class="table__extra" data-label=t!(locale, requests::BUDGET)>
                {first.budget_cents.map(|cents| budget_in_words(cents, &currency))}
            </td>
            <td class="table__extra" data-label=t!(locale, requests::WANTED_BY)>
                {first.wanted_on.as_deref().map(day_in_words)}
            </td>
            <td data-label=t!(locale, requests::STATUS)>
                <SetStatus request from />
            </td>
            <td data-label=t!(locale, requests::LAST_ACTIVITY)>
                <When at=Signal::derive(move || request.read().updated_at) clock />
            </td>
            <td class="table__act">
                <ChatButton request chosen choice=id here live />
            </td>
        </tr>
    }
}
