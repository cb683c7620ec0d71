//! Custom requests: the form, the page of one, and the list of all for admins.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{Beside, BesidePage, with_viewer};
use crate::{
    api::load_request,
    client::page,
    domain::{Problem, RequestId, RequestText, Role},
    locales::{self, t},
    ui::{
        components::{Field, FormKey, FormProblem, Frame, Layout, SearchField},
        islands::{Look, RequestSide, RequestTable},
    },
};

#[component]
pub fn NewRequestPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let business = viewer.business.clone();
        let locale = locales::current();
        let budget = t!(locale, request_pages::budget_help(&viewer.currency));
        Ok(view! {
            <Frame viewer=viewer title=t!(locale, requests::NEW) layout=Layout::Sheet class="sheet sheet--wide">
                <h1 class="sheet__title">{t!(locale, request_pages::NEW_TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, request_pages::lead(&business))}</p>
                <form class="form sheet__body" method="post" action="/requests/new">
                    <FormKey />
                    <FormProblem fields=&["title", "description", "budget", "wanted_on"] />
                    <Field
                        name="title"
                        label=t!(locale, request_pages::TITLE)
                        help=t!(locale, request_pages::TITLE_HELP)
                        autocomplete="off"
                        max_chars=RequestText::MAX_TITLE_CHARS
                        focus=true
                    />
                    <Field
                        name="description"
                        label=t!(locale, request_pages::DESCRIPTION)
                        kind="textarea"
                        help=t!(locale, request_pages::DESCRIPTION_HELP)
                        max_chars=RequestText::MAX_DESCRIPTION_CHARS
                    />
                    <div class="form__pair">
                        <BudgetField help=budget />
                        <Field name="wanted_on" label=t!(locale, requests::WANTED_BY) kind="date" optional=true />
                    </div>
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            {t!(locale, request_pages::SEND)}
                        </button>
                        <a class="button button--quiet" href="/account">
                            {t!(locale, form::CANCEL)}
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
    let label = t!(locales::current(), requests::BUDGET);
    view! { <Field name="budget" label=label inputmode="decimal" autocomplete="off" optional=true help=help /> }
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
        let locale = locales::current();
        let (up, up_name) = if is_admin {
            ("/admin/requests", t!(locale, request_pages::ALL_REQUESTS))
        } else {
            ("/account", t!(locale, request_pages::MY_REQUESTS))
        };
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

/// The view of the table in the page's address.
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
            let locale = locales::current();
            Ok(view! {
                <Beside viewer=viewer title=t!(locale, frame::REQUESTS) beside=Some(beside) is_wide=true>
                    <h1 class="page__title">{t!(locale, requests::CAPTION)}</h1>
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
    let locale = locales::current();
    let order = look.order();
    view! {
        <form class="filters" role="search" method="get" action="/admin/requests">
            {(!look.status.is_empty()).then(|| view! { <input type="hidden" name="status" value=look.status.clone() /> })}
            <SearchField label=t!(locale, request_pages::SEARCH) value=look.search />
            <label class="filters__sort" for="sort">
                {t!(locale, request_pages::SORT_BY)}
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
                {t!(locale, request_pages::SHOW)}
            </button>
        </form>
    }
}
