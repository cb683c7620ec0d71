//! Custom requests: the form, the page of one, and the list of all for admins.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

use super::{Beside, BesidePage, with_viewer};
use crate::{
    api::load_request,
    app::FormState,
    client::page,
    domain::{Code, Problem, RequestId, RequestStatus, RequestText, Role, money_field},
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
        Ok(view! {
            <Frame viewer=viewer.clone() title=t!(locale, requests::NEW) layout=Layout::Sheet class="sheet sheet--wide">
                <h1 class="sheet__title">{t!(locale, request_pages::NEW_TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, request_pages::lead(&business))}</p>
                <form class="form sheet__body" method="post" action="/requests/new" enctype="multipart/form-data">
                    <FormKey />
                    <FormProblem fields=&["title", "description", "budget", "wanted_on"] />
                    <RequestFields currency=viewer.currency text=None />
                    <FilesField />
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

/// The text of a request, to write or to edit.
#[component]
fn RequestFields(currency: String, text: Option<RequestText>) -> impl IntoView {
    let locale = locales::current();
    let text = text.unwrap_or_default();
    view! {
        <Field
            name="title"
            label=t!(locale, request_pages::TITLE)
            help=t!(locale, request_pages::TITLE_HELP)
            autocomplete="off"
            value=text.title
            max_chars=RequestText::MAX_TITLE_CHARS
            focus=true
        />
        <Field
            name="description"
            label=t!(locale, request_pages::DESCRIPTION)
            kind="textarea"
            help=t!(locale, request_pages::DESCRIPTION_HELP)
            value=text.description
            max_chars=RequestText::MAX_DESCRIPTION_CHARS
        />
        <div class="form__pair">
            <Field
                name="budget"
                label=t!(locale, requests::BUDGET)
                inputmode="decimal"
                autocomplete="off"
                value=text.budget_cents.map(money_field).unwrap_or_default()
                optional=true
                help=t!(locale, request_pages::budget_help(&currency))
            />
            <Field
                name="wanted_on"
                label=t!(locale, requests::WANTED_BY)
                kind="date"
                value=text.wanted_on.unwrap_or_default()
                optional=true
            />
        </div>
    }
}

#[component]
fn FilesField(#[prop(optional)] required: bool) -> impl IntoView {
    let locale = locales::current();
    view! {
        <div class="field">
            <label class="field__label" for="file">
                {t!(locale, request_pages::FILES)}
                {(!required)
                    .then(|| {
                        view! {
                            " "
                            <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
                        }
                    })}
            </label>
            <input
                class="input input--file"
                id="file"
                type="file"
                name="file"
                multiple
                required=required
                aria-describedby="file-help"
            />
            <p class="field__help" id="file-help">
                {t!(locale, request_pages::FILES_HELP)}
            </p>
        </div>
    }
}

/// The form that edits a new request, for its customer.
#[component]
pub fn EditRequestPage() -> impl IntoView {
    let id = use_params_map().get_untracked().get("id").and_then(|id| id.parse::<RequestId>().ok());
    with_viewer(move |viewer| async move {
        let id = id.ok_or_else(Problem::not_found)?;
        let request = load_request(id).await?.request;
        if viewer.user.as_ref().is_none_or(|user| user.id != request.customer_id) {
            return Err(Problem::not_found());
        }
        if request.status != RequestStatus::New {
            return Err(Problem::new(Code::Conflict, t!(locales::current(), problem::REQUEST_BEGUN)));
        }
        let locale = locales::current();
        let page = format!("/requests/{id}");
        let (action, text) = (format!("{page}/edit"), Some(request.text()));
        Ok(view! {
            <Frame
                viewer=viewer.clone()
                title=t!(locale, request_pages::EDIT_TITLE)
                layout=Layout::Sheet
                class="sheet sheet--wide"
            >
                <h1 class="sheet__title">{t!(locale, request_pages::EDIT_TITLE)}</h1>
                <form class="form sheet__body" method="post" action=action>
                    <FormProblem fields=&["title", "description", "budget", "wanted_on"] />
                    <RequestFields currency=viewer.currency text />
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            {t!(locale, request_pages::SAVE)}
                        </button>
                        <a class="button button--quiet" href=page>
                            {t!(locale, form::CANCEL)}
                        </a>
                    </div>
                </form>
            </Frame>
        }
        .into_any())
    })
}

/// What the customer of a request can do with it, besides the chat.
#[component]
fn OwnerForms(id: RequestId, status: RequestStatus) -> impl IntoView {
    let locale = locales::current();
    view! {
        <div class="request__own">
            {status
                .is_open()
                .then(|| {
                    view! {
                        <details class="request__add" open=FormState::current().problem.is_some()>
                            <summary class="button">{t!(locale, request_pages::ADD_FILES)}</summary>
                            <form
                                class="form"
                                method="post"
                                action=format!("/requests/{id}/files")
                                enctype="multipart/form-data"
                            >
                                <FormProblem fields=&[] />
                                <FilesField required=true />
                                <button class="button button--primary" type="submit">
                                    {t!(locale, request_pages::ADD_FILES)}
                                </button>
                            </form>
                        </details>
                    }
                })}
            {(status == RequestStatus::New)
                .then(|| {
                    view! {
                        <a class="button" href=format!("/requests/{id}/edit")>
                            {t!(locale, request_pages::EDIT)}
                        </a>
                        // A details element asks for a confirmation without a script.
                        <details class="request__add">
                            <summary class="button">{t!(locale, request_pages::WITHDRAW)}</summary>
                            <form class="form" method="post" action=format!("/requests/{id}/withdraw")>
                                <p>{t!(locale, request_pages::WITHDRAW_HELP)}</p>
                                <button class="button button--danger" type="submit">
                                    {t!(locale, request_pages::WITHDRAW_NOW)}
                                </button>
                            </form>
                        </details>
                    }
                })}
        </div>
    }
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
        let status = details.request.status;
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
                    {(!is_admin).then(|| view! { <OwnerForms id status /> })}
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
