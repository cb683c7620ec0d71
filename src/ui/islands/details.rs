//! What there is to know about a chat and to do with it. A column on a wide screen, elsewhere a
//! popover that the chat's head opens. Its forms work without JavaScript; with it they are answered
//! in place, and what colleagues do meanwhile shows.

use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::{Element, SubmitEvent};

use super::copy_link::CopyButton;
use crate::{
    api,
    client::{
        labels::{self, Zone},
        page,
        socket::{self, Event},
    },
    domain::{Conversation, ConversationId, ConversationStatus, Problem, Timestamp},
    protocol::ServerFrame,
    ui::components::{Icon, icon},
};

/// The last part of a form's address says what it does.
async fn act(what: &str, id: ConversationId) -> Result<Conversation, Problem> {
    match what {
        "close" => api::set_status(id, ConversationStatus::Closed).await,
        "reopen" => api::set_status(id, ConversationStatus::Open).await,
        "link" => api::make_link(id).await,
        _ => api::revoke_link(id).await,
    }
}

/// For admins.
#[island]
pub fn Details(conversation: Conversation) -> impl IntoView {
    let id = conversation.id;
    let shown = RwSignal::new(conversation);
    let awake = RwSignal::new(false);
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
        awake.set(true);
        socket::listen(move |event| {
            if let Event::Frame(
                ServerFrame::Inbox { conversation } | ServerFrame::ConversationUpdated { conversation, .. },
            ) = event
                && conversation.id == id
                && shown.with_untracked(|known| known.head <= conversation.head)
            {
                shown.set((**conversation).clone());
            }
        });
    });
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let form = event.target().and_then(|form| form.dyn_into::<Element>().ok());
        let Some(address) = form.and_then(|form| form.get_attribute("action")) else { return };
        spawn_local(async move {
            let what = address.rsplit('/').next().unwrap_or_default();
            match act(what, id).await {
                Ok(conversation) => {
                    error.set(None);
                    shown.set(conversation);
                }
                Err(problem) => error.set(Some(problem.message)),
            }
        });
    };
    view! {
        <aside class="details" id="details" popover="auto" aria-label="About this chat" on:submit=submit>
            <header class="details__head">
                <h2 class="details__title">"About this chat"</h2>
                <button
                    class="icon-button details__close"
                    type="button"
                    popovertarget="details"
                    popovertargetaction="hide"
                    aria-label="Close"
                >
                    <Icon d=icon::CLOSE />
                </button>
            </header>
            {move || facts(&shown.read(), if awake.get() { page::local_zone } else { labels::utc })}
            {move || link(&shown.read())}
            {move || status(&shown.read())}
            {move || {
                error
                    .get()
                    .map(|error| {
                        view! {
                            <p class="field__error" role="alert">
                                {error}
                            </p>
                        }
                    })
            }}
        </aside>
    }
}

fn facts(conversation: &Conversation, zone: Zone) -> impl IntoView + use<> {
    let (chip, status) = if conversation.is_open() { ("chip chip--ok", "Open") } else { ("chip", "Closed") };
    let time = move |at: Timestamp| {
        view! {
            <time datetime=at.to_string() title=labels::full(at, zone)>
                {labels::long_date(at, zone)}
            </time>
        }
    };
    view! {
        <dl class="facts">
            <dt>"Customer"</dt>
            <dd>{conversation.customer_name.clone()}</dd>
            {conversation
                .customer_email
                .clone()
                .map(|email| {
                    view! {
                        <dt>"E-mail"</dt>
                        <dd>
                            <a href="mailto:".to_owned() + &email>{email.clone()}</a>
                        </dd>
                    }
                })}
            <dt>"Status"</dt>
            <dd>
                <span class=chip>{status}</span>
            </dd>
            <dt>"Opened"</dt>
            <dd>{time(conversation.created_at)}</dd>
            {conversation
                .closed_at
                .map(|at| {
                    let by = conversation.closed_by.as_ref().map(|name| " by ".to_owned() + name);
                    view! {
                        <dt>"Closed"</dt>
                        <dd>{time(at)} {by}</dd>
                    }
                })}
        </dl>
    }
}

/// A button that posts to `/admin/chats/{id}/{what}`.
fn button(id: ConversationId, what: &str, class: &'static str, words: &'static str) -> impl IntoView + use<> {
    view! {
        <form method="post" action=["/admin/chats/", &id.to_string(), "/", what].concat()>
            <button class=class type="submit">
                {words}
            </button>
        </form>
    }
}

fn link(conversation: &Conversation) -> impl IntoView + use<> {
    let id = conversation.id;
    let content = match conversation.link.clone() {
        Some(link) => view! {
            <div class="copy">
                <input class="input copy__input" readonly prop:value=link.clone() value=link.clone() aria-label="Link to this chat" />
                <CopyButton link=link />
            </div>
            <p class="details__help">"Whoever has this link can read and write here. A new link ends this one."</p>
            <div class="details__actions">
                {button(id, "link", "button button--small", "New link")}
                {button(id, "revoke", "button button--small button--danger", "Revoke link")}
            </div>
        }
        .into_any(),
        None => view! {
            <p class="details__help">
                "There is no link to this chat now. Nobody can open it but you and your colleagues."
            </p>
            {button(id, "link", "button button--small", "Make a link")}
        }
        .into_any(),
    };
    view! {
        <section class="details__part">
            <h3 class="details__subtitle">"Link"</h3>
            {content}
        </section>
    }
}

fn status(conversation: &Conversation) -> impl IntoView + use<> {
    let (title, help, what, words) = if conversation.is_open() {
        ("Close", "A closed chat can be read, but not written to. You can reopen it.", "close", "Close chat")
    } else {
        ("Reopen", "This chat can be read, but not written to.", "reopen", "Reopen chat")
    };
    view! {
        <section class="details__part">
            <h3 class="details__subtitle">{title}</h3>
            <p class="details__help">{help}</p>
            {button(conversation.id, what, "button button--small", words)}
        </section>
    }
}
