//! Custom requests: the form, the page of one, and all of them for admins.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{Beside, load_beside, with_viewer};
use crate::{
    api::{RequestDetails, RequestList, Viewer, list_requests, load_request},
    client::labels,
    domain::{CustomRequest, Problem, RequestId, RequestOrder, RequestStatus, RequestText, Role, StatusChange},
    ui::{
        components::{
            ChatButton, Field, FormKey, FormProblem, Frame, Layout, SearchField, StatusChip, When, address,
            budget_in_words, day_in_words,
        },
        islands::LivePage,
    },
};

#[component]
pub fn NewRequestPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let business = viewer.business.clone();
        let budget = format!("In {}. A rough figure is fine.", viewer.currency);
        Ok(view! {
            <Frame viewer=viewer title="New request" layout=Layout::Sheet class="sheet sheet--wide">
                <h1 class="sheet__title">"What would you like to have made?"</h1>
                <p class="sheet__lead">{format!("{business} will look at it and answer you in a chat about it.")}</p>
                <form class="form sheet__body" method="post" action="/requests/new">
                    <FormKey />
                    <FormProblem fields=&["title", "description", "budget", "wanted_on"] />
                    <Field
                        name="title"
                        label="What is it?"
                        help="A few words, such as “Oak table for a bay window”."
                        autocomplete="off"
                        max_chars=RequestText::MAX_TITLE_CHARS
                        focus=true
                    />
                    <Field
                        name="description"
                        label="Describe it"
                        kind="textarea"
                        help="Size, material, what it is for: whatever matters to you."
                        max_chars=RequestText::MAX_DESCRIPTION_CHARS
                    />
                    <div class="form__pair">
                        <BudgetField help=budget />
                        <Field name="wanted_on" label="Wanted by" kind="date" optional=true />
                    </div>
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            "Send the request"
                        </button>
                        <a class="button button--quiet" href="/account">
                            "Cancel"
                        </a>
                    </div>
                </form>
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn BudgetField(help: String) -> impl IntoView {
    view! { <Field name="budget" label="Budget" inputmode="decimal" autocomplete="off" optional=true help=help /> }
}

#[component]
pub fn RequestPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<RequestId>().ok());
    let with_chat = use_query_map().get_untracked().get("chat").is_some();
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let RequestDetails { request, changes } = load_request(id).await?;
        let page = format!("/requests/{id}");
        let beside = load_beside(with_chat.then_some(id), page.clone(), |_| address(&page, &[("chat", "1")])).await?;
        let is_admin = viewer.user.as_ref().is_some_and(|user| user.role == Role::Admin);
        let title = request.title.clone();
        Ok(view! {
            <Beside viewer=viewer.clone() title=title beside=beside>
                <LivePage>
                    <Request viewer=viewer request=request changes=changes is_admin=is_admin with_chat=with_chat />
                </LivePage>
            </Beside>
        }
        .into_any())
    })
}

#[component]
fn Request(
    viewer: Viewer,
    request: CustomRequest,
    changes: Vec<StatusChange>,
    is_admin: bool,
    with_chat: bool,
) -> impl IntoView {
    let page = format!("/requests/{}", request.id);
    let here = address(&page, &[("chat", "1")]);
    let from = if with_chat { here.clone() } else { page };
    let (up, up_name) = if is_admin { ("/admin/requests", "All requests") } else { ("/account", "My requests") };
    let currency = viewer.currency;
    view! {
        <article class="request" data-region="request">
            <header class="request__head">
                <p class="request__up">
                    <a href=up>{up_name}</a>
                </p>
                <h1 class="page__title">{request.title.clone()}</h1>
            </header>
            <div class="request__text">{request.description.clone()}</div>
            <aside class="request__side" aria-label="About this request">
                <div class="request__chat">
                    <ChatButton
                        request=request.clone()
                        here=here
                        label=if is_admin { "Chat with the customer" } else { "Chat with Admin" }
                        is_primary=true
                        is_open=with_chat
                    />
                </div>
                <dl class="facts">
                    <dt>"Status"</dt>
                    <dd>
                        <StatusChip status=request.status />
                    </dd>
                    {is_admin
                        .then(|| {
                            view! {
                                <dt>"Customer"</dt>
                                <dd>
                                    {request.customer_name.clone()} <br />
                                    <a href=format!(
                                        "mailto:{}",
                                        request.customer_email,
                                    )>{request.customer_email.clone()}</a>
                                </dd>
                            }
                        })}
                    {request
                        .budget_cents
                        .map(|cents| {
                            view! {
                                <dt>"Budget"</dt>
                                <dd>{budget_in_words(cents, &currency)}</dd>
                            }
                        })}
                    {request
                        .wanted_on
                        .as_deref()
                        .map(|day| {
                            view! {
                                <dt>"Wanted by"</dt>
                                <dd>{day_in_words(day)}</dd>
                            }
                        })} <dt>"Sent"</dt> <dd>
                        <When at=request.created_at />
                    </dd>
                    {changes
                        .into_iter()
                        .map(|change| {
                            view! {
                                <dt>{format!("{} by {}", change.status.label(), change.by)}</dt>
                                <dd>
                                    <When at=change.at />
                                </dd>
                            }
                        })
                        .collect_view()}
                </dl>
                {is_admin.then(|| view! { <SetStatus request=request from=from /> })}
            </aside>
        </article>
    }
}

/// The form that gives a request another status.
#[component]
fn SetStatus(request: CustomRequest, from: String) -> impl IntoView {
    let id = request.id.to_string();
    let field = format!("status-{id}");
    let label = format!("Status of {}", request.title);
    view! {
        <form class="set-status" method="post" action=format!("/requests/{id}/status")>
            <input type="hidden" name="from" value=from />
            <label class="visually-hidden" for=field.clone()>
                {label}
            </label>
            <select class="input set-status__choice" id=field name="status" data-was=request.status.word()>
                {RequestStatus::ALL
                    .map(|status| {
                        view! {
                            <option value=status.word() selected=status == request.status>
                                {status.label()}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <button class="button button--small" type="submit" id=format!("set-{id}")>
                "Set"
            </button>
        </form>
    }
}

/// What the table shows: the query of the page's address.
#[derive(Clone, Default)]
struct Look {
    status: String,
    search: String,
    order: String,
    cursor: String,
}

impl Look {
    fn current() -> Self {
        let query = use_query_map().get_untracked();
        let text = |name: &str| query.get(name).unwrap_or_default();
        Self { status: text("status"), search: text("q"), order: text("sort"), cursor: text("cursor") }
    }

    fn address(&self, chat: &str) -> String {
        let pairs = [
            ("status", &*self.status),
            ("q", &self.search),
            ("sort", &self.order),
            ("cursor", &self.cursor),
            ("chat", chat),
        ];
        address("/admin/requests", &pairs)
    }

    fn order(&self) -> RequestOrder {
        ORDERS.iter().find(|(word, ..)| *word == self.order).map(|(_, order, _)| *order).unwrap_or_default()
    }
}

/// Orders by their words in the address, with words for people.
const ORDERS: [(&str, RequestOrder, &str); 4] = [
    ("activity", RequestOrder::Activity, "Latest activity"),
    ("newest", RequestOrder::Newest, "Newest"),
    ("wanted", RequestOrder::Wanted, "Wanted soonest"),
    ("title", RequestOrder::Title, "Title"),
];

#[component]
pub fn AdminRequestsPage() -> impl IntoView {
    let look = Look::current();
    let chosen = use_query_map().get_untracked().get("chat").and_then(|id| id.parse().ok());
    with_viewer(move |viewer| {
        let look = look.clone();
        async move {
            let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            let status = RequestStatus::from_word(&look.status);
            let list = list_requests(status, text(&look.search), look.order(), text(&look.cursor)).await?;
            let beside = load_beside(chosen, look.address(""), |id| look.address(id)).await?;
            let currency = viewer.currency.clone();
            Ok(view! {
                <Beside viewer=viewer title="Requests" beside=beside is_wide=true>
                    <h1 class="page__title">"Custom requests"</h1>
                    <Search look=look.clone() />
                    <LivePage>
                        <div data-region="requests">
                            <Tabs look=look.clone() counts=list.counts />
                            <Table list=list look=look chosen=chosen currency=currency />
                        </div>
                    </LivePage>
                </Beside>
            }
            .into_any())
        }
    })
}

#[component]
fn Search(look: Look) -> impl IntoView {
    let order = look.order();
    view! {
        <form class="filters" role="search" method="get" action="/admin/requests">
            {(!look.status.is_empty()).then(|| view! { <input type="hidden" name="status" value=look.status.clone() /> })}
            <SearchField label="Search requests" value=look.search />
            <label class="filters__sort" for="sort">
                "Sort by"
            </label>
            <select class="input filters__choice" id="sort" name="sort">
                {ORDERS
                    .map(|(word, this, words)| {
                        view! {
                            <option value=word selected=this == order>
                                {words}
                            </option>
                        }
                    })
                    .collect_view()}
            </select>
            <button class="button" type="submit">
                "Show"
            </button>
        </form>
    }
}

#[component]
fn Tabs(look: Look, counts: [i64; 4]) -> impl IntoView {
    let tab = |word: &'static str, name: &'static str, count: i64| {
        let is_here = look.status == word;
        let there = Look { status: word.to_owned(), cursor: String::new(), ..look.clone() };
        view! {
            <a class="tabs__tab" href=there.address("") aria-current=is_here.then_some("page")>
                {name}
                " "
                <span class="tabs__count">{labels::count(count)}</span>
            </a>
        }
    };
    let each = RequestStatus::ALL.into_iter().zip(counts);
    view! {
        <nav class="tabs" aria-label="Which requests">
            {tab("", "All", counts.iter().sum())}
            {each.map(|(status, count)| tab(status.word(), status.label(), count)).collect_view()}
        </nav>
    }
}

#[component]
fn Table(list: RequestList, look: Look, chosen: Option<RequestId>, currency: String) -> impl IntoView {
    if list.items.is_empty() {
        let words = if look.search.is_empty() && look.status.is_empty() {
            "What customers ask for will be listed here. They make a request from their account."
        } else {
            "No request is like that."
        };
        return view! {
            <div class="empty">
                <p class="empty__text">{words}</p>
                <a class="button" href="/admin/requests">
                    "Show all requests"
                </a>
            </div>
        }
        .into_any();
    }
    let next = list.next_cursor.map(|cursor| Look { cursor, ..look.clone() }.address(""));
    let row = |request: CustomRequest| {
        let id = request.id.to_string();
        let (here, is_open) = (look.address(&id), chosen == Some(request.id));
        let from = if chosen.is_some() {
            look.address(&chosen.map(|id| id.to_string()).unwrap_or_default())
        } else {
            look.address("")
        };
        let (budget, day) = (request.budget_cents, request.wanted_on.clone());
        view! {
            <tr class="table__row" id=format!("r-{id}") aria-selected=is_open.then_some("true")>
                <td class="table__main">
                    <a class="table__title" href=format!("/requests/{id}")>
                        {request.title.clone()}
                    </a>
                    <span class="table__who">{request.customer_name.clone()}</span>
                </td>
                <td class="table__extra" data-label="Budget">
                    {budget.map(|cents| budget_in_words(cents, &currency))}
                </td>
                <td class="table__extra" data-label="Wanted by">
                    {day.as_deref().map(day_in_words)}
                </td>
                <td data-label="Status">
                    <StatusChip status=request.status />
                    <SetStatus request=request.clone() from=from />
                </td>
                <td data-label="Last activity">
                    <When at=request.updated_at />
                </td>
                <td class="table__act">
                    <ChatButton request=request here=here is_open=is_open />
                </td>
            </tr>
        }
    };
    view! {
        <table class="table">
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
            <tbody>{list.items.into_iter().map(row).collect_view()}</tbody>
        </table>
        {next
            .map(|next| {
                view! {
                    <p class="page__more">
                        <a class="button button--quiet" href=next>
                            "More"
                        </a>
                    </p>
                }
            })}
    }
    .into_any()
}
