//! All requests, for admins.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Region, request_in, set_status::SetStatus};
use crate::{
    api::{self, RequestList},
    client::{history, labels},
    domain::{CustomRequest, Problem, RequestOrder, RequestStatus, Timestamp},
    ui::components::{Anew, ChatButton, Clock, Text, When, address, budget_in_words, day_in_words},
};

/// What the table shows: the query of the page's address.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    pub status: String,
    pub search: String,
    pub order: String,
    pub cursor: String,
}

impl Look {
    /// The address of the page that looks so, with the chat of the request `chat` beside it unless that is empty.
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

    /// The order that it names.
    #[must_use]
    pub fn order(&self) -> RequestOrder {
        Self::ORDERS.iter().find(|(word, ..)| *word == self.order).map(|(_, order, _)| *order).unwrap_or_default()
    }

    /// Orders by their words in the address, with words for people.
    pub const ORDERS: [(&str, RequestOrder, &str); 4] = [
        ("activity", RequestOrder::Activity, "Latest activity"),
        ("newest", RequestOrder::Newest, "Newest"),
        ("wanted", RequestOrder::Wanted, "Wanted soonest"),
        ("title", RequestOrder::Title, "Title"),
    ];

    /// The requests that it shows.
    ///
    /// # Errors
    /// As the server has them.
    pub async fn load(self) -> Result<RequestList, Problem> {
        let order = self.order();
        let text = |text: String| Some(text).filter(|text| !text.is_empty());
        api::list_requests(RequestStatus::from_word(&self.status), text(self.search), order, text(self.cursor)).await
    }
}

/// The table of requests. `chosen` is what the page's address says of the open chat.
#[island(lazy)]
pub fn RequestTable(
    list: RequestList,
    look: Look,
    currency: String,
    chosen: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let (region, clock) = (Region::new(), Clock::new(now));
    // The address of this page: where the plain forms lead back to.
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
                                        "What customers ask for will be listed here. They make a request from their account."
                                    } else {
                                        "No request is like that."
                                    }}
                                </p>
                                <a class="button" href="/admin/requests">
                                    "Show all requests"
                                </a>
                            </div>
                        }
                    })
            }}
            <table class="table" hidden=move || is_empty.get()>
                <caption class="visually-hidden">"Custom requests"</caption>
                <thead>
                    <tr>
                        <th scope="col">"Request"</th>
                        <th class="table__extra" scope="col">
                            "Budget"
                        </th>
                        <th class="table__extra" scope="col">
                            "Wanted by"
                        </th>
                        <th scope="col">"Status"</th>
                        <th scope="col">"Last activity"</th>
                        <th scope="col">
                            <span class="visually-hidden">"Chat"</span>
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
                                    "More"
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
    // Of which status; `None`: of all.
    let tab = |at: Option<usize>| {
        let status = at.map(|at| RequestStatus::ALL[at]);
        let (word, name) = status.map_or(("", "All"), |status| (status.word(), status.label()));
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
        <nav class="tabs" aria-label="Which requests">
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
            <td class="table__extra" data-label="Budget">
                {first.budget_cents.map(|cents| budget_in_words(cents, &currency))}
            </td>
            <td class="table__extra" data-label="Wanted by">
                {first.wanted_on.as_deref().map(day_in_words)}
            </td>
            <td data-label="Status">
                <SetStatus request from />
            </td>
            <td data-label="Last activity">
                <When at=Signal::derive(move || request.read().updated_at) clock />
            </td>
            <td class="table__act">
                <ChatButton request chosen choice=id here live />
            </td>
        </tr>
    }
}
