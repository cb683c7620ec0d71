//! Custom requests: the form, the page of one, and all of them for admins.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{Beside, BesidePage, with_viewer};
use crate::{
    api::load_request,
    client::page,
    domain::{Problem, RequestId, RequestText, Role},
    ui::{
        components::{Field, FormKey, FormProblem, Frame, Layout, SearchField},
        islands::{Look, RequestSide, RequestTable},
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
    let chosen = use_query_map().get_untracked().get("chat");
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let mut details = load_request(id).await?;
        let beside = BesidePage::load(format!("/requests/{id}"), chosen.clone(), Some(id)).await?;
        let is_admin = viewer.user.as_ref().is_some_and(|user| user.role == Role::Admin);
        let (up, up_name) = if is_admin { ("/admin/requests", "All requests") } else { ("/account", "My requests") };
        let (title, description) = (details.request.title.clone(), std::mem::take(&mut details.request.description));
        Ok(view! {
            <Beside viewer=viewer.clone() title=title.clone() beside=Some(beside)>
                <article class="request">
                    <header class="request__head">
                        <p class="request__up">
                            <a href=up>{up_name}</a>
                        </p>
                        <h1 class="page__title" dir="auto">
                            {title}
                        </h1>
                    </header>
                    <div class="request__text" dir="auto">
                        {description}
                    </div>
                    <RequestSide details is_admin currency=viewer.currency chosen now=page::now() />
                </article>
            </Beside>
        }
        .into_any())
    })
}

/// What the query of the page's address asks the table for.
fn current_look() -> Look {
    let query = use_query_map().get_untracked();
    let text = |name: &str| query.get(name).unwrap_or_default();
    Look { status: text("status"), search: text("q"), order: text("sort"), cursor: text("cursor") }
}

#[component]
pub fn AdminRequestsPage() -> impl IntoView {
    let look = current_look();
    let chosen = use_query_map().get_untracked().get("chat");
    with_viewer(move |viewer| {
        let (look, chosen) = (look.clone(), chosen.clone());
        async move {
            let list = look.clone().load().await?;
            let beside = BesidePage::load(look.address(""), chosen.clone(), None).await?;
            let currency = viewer.currency.clone();
            Ok(view! {
                <Beside viewer=viewer title="Requests" beside=Some(beside) is_wide=true>
                    <h1 class="page__title">"Custom requests"</h1>
                    <Search look=look.clone() />
                    <RequestTable list look currency chosen now=page::now() />
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
                {Look::ORDERS
                    .map(|(word, this)| {
                        view! {
                            <option value=word selected=this == order>
                                {Look::order_name(this)}
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
