//! The chat panel, the same on all pages. The server renders it completely; without JavaScript its forms are plain
//! forms. The browser hydrates it and joins the room from the page's last change. From then on [`Panel`] synchronises
//! [`Room`](crate::client::room::Room) and page.

mod answers;
mod closed;
mod composer;
mod edit;
mod files;
mod greeting;
mod log;
mod message;
mod notify;
mod panel;
mod part;
mod plain;
mod scroll;
pub(super) mod sealed;
mod status;
mod tray;
mod viewer;

use closed::Closed;
use composer::Composer;
use leptos::{either::EitherOf3, ev, prelude::*};
use leptos_router::hooks::use_query_map;
use log::{Jump, Log};
use notify::Notify;
pub use panel::ChatCache;
use panel::{Banner, Panel};
use plain::{Forms, Plain, PlainForm};
use serde::{Deserialize, Serialize};
use status::StatusPill;

use crate::{
    api,
    app::FormState,
    client::{labels::isolated, page},
    domain::{ClientId, ParticipantKind, Timestamp, objects},
    locales::{self, t},
    ui::components::{Icon, Text, icon},
};

/// The place of a chat.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the dashboard, between the list and the details.
    Desk,
    /// On a page of its own.
    Own,
    /// Beside a page.
    Beside {
        /// The page's address without the chat.
        page: String,
        /// The page's address with the chat.
        here: String,
    },
}

/// The subject of a chat: the title and the address of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    pub title: String,
    pub address: String,
}

/// The form of a new message in the rendered page.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct MessageForm {
    /// The key of the plain form's message.
    pub key: ClientId,
    /// The rejected text, and the reason.
    pub draft: String,
    pub problem: Option<String>,
    /// The comment of a rejected rating.
    #[serde(skip)]
    pub comment: String,
    /// Whether the form that requested the transcript by e-mail has just succeeded.
    #[serde(skip)]
    pub mailed: bool,
}

objects!(MessageForm);

impl MessageForm {
    /// The rejected plain form of this request, if any. On the server only.
    #[must_use]
    pub fn current() -> Self {
        let form = FormState::current();
        let key = form.value("client_id").parse().unwrap_or_else(|_| ClientId::new());
        let mailed = use_query_map().read_untracked().get_str("mailed").is_some();
        let (draft, comment) = (form.value("content"), form.value("comment"));
        Self { key, draft, comment, problem: form.problem.map(|problem| problem.message), mailed }
    }

    /// The form of a chat that is opened without loading a page.
    #[must_use]
    pub fn empty() -> Self {
        Self { key: page::new_client_id(), draft: String::new(), comment: String::new(), problem: None, mailed: false }
    }
}

/// The chat's name: for admins the customer's name, for the customer side the business's name.
#[must_use]
pub fn name_of(chat: &api::Chat, business: &str) -> String {
    match chat.me.kind {
        ParticipantKind::Admin => chat.joined.conversation.customer_name.clone(),
        ParticipantKind::Customer | ParticipantKind::Guest => business.to_owned(),
    }
}

/// A chat on a page of its own. `now` is the server's time at rendering.
#[island]
pub fn Chat(chat: api::Chat, name: String, form: MessageForm, now: Timestamp) -> impl IntoView {
    view! { <ChatPanel chat name place=Place::Own about=None form now /> }
}

/// A chat, for islands that show one. `name` is the other side's name; `on_leave` handles the click on Back or Close
/// where that needs no page load.
#[component]
pub fn ChatPanel(
    chat: api::Chat,
    name: String,
    place: Place,
    about: Option<About>,
    form: MessageForm,
    now: Timestamp,
    #[prop(optional_no_strip)] on_leave: Option<Callback<ev::MouseEvent>>,
) -> impl IntoView {
    let locale = locales::current();
    let (me, id, key) = (chat.me.id, chat.joined.room, form.key);
    let is_sealed = chat.joined.conversation.sealed;
    let kind = chat.me.kind;
    let MessageForm { comment, mailed, .. } = form.clone();
    let extras = chat.extras.clone();
    let panel = Panel::new(chat, form, now);
    Effect::new(move || panel.wake_up());
    let from = match &place {
        Place::Beside { here, .. } => Some(here.clone()),
        Place::Desk | Place::Own => None,
    };
    let forms = StoredValue::new(Forms { id, me, kind, key, is_sealed, from: from.clone(), extras, comment, mailed });
    let leave = move |click| {
        if let Some(on_leave) = on_leave {
            on_leave.run(click);
        }
    };
    view! {
        <section
            class="chat"
            aria-label=t!(locale, chat::chat_with(&isolated(&name)))
            data-conversation=id.to_string()
            data-live=move || if panel.is_live() { "true" } else { "false" }
            data-status=move || panel.status.get().look()
            node_ref=panel.section
            on:keydown=move |event| panel.key_down(&event)
        >
            <header class="chat__head">
                {(place == Place::Desk)
                    .then(|| {
                        view! {
                            <a class="icon-button chat__back" href="/admin" aria-label=t!(locale, chat::BACK) on:click=leave>
                                <Icon d=icon::BACK />
                            </a>
                        }
                    })}
                <div class="chat__who">
                    <h1 class="chat__name" dir="auto">
                        {name.clone()}
                    </h1>
                    {about
                        .map(|about| {
                            view! {
                                <a class="chat__topic" href=about.address dir="auto">
                                    {about.title}
                                </a>
                            }
                        })}
                    <p class="chat__people">
                        <Text of=Signal::derive(move || panel.people()) />
                    </p>
                </div>
                <StatusPill status=panel.status is_hydrated=panel.is_hydrated />
                <Notify panel />
                {match place {
                    Place::Desk => {
                        EitherOf3::A(
                            view! {
                                <button
                                    class="icon-button chat__about"
                                    type="button"
                                    popovertarget="details"
                                    aria-label=t!(locale, chat::ABOUT)
                                >
                                    <Icon d=icon::INFO />
                                </button>
                            },
                        )
                    }
                    Place::Beside { page, .. } => {
                        EitherOf3::B(
                            view! {
                                <a class="icon-button chat__close" href=page aria-label=t!(locale, chat::CLOSE_PANEL) on:click=leave>
                                    <Icon d=icon::CLOSE />
                                </a>
                            },
                        )
                    }
                    Place::Own => EitherOf3::C(()),
                }}
            </header>
            <p
                class=move || match panel.banner() {
                    Some(Banner { is_danger: true, .. }) => "notice notice--danger chat__banner",
                    _ => "notice notice--warn chat__banner",
                }
                role="status"
                hidden=move || panel.banner().is_none()
            >
                <Text of=Signal::derive(move || panel.banner().map(|banner| banner.words).unwrap_or_default()) />
            </p>
            <PlainForm panel which=Plain::Files forms />
            <div class="chat__log">
                <Log panel name=name.clone() forms />
                <Jump panel />
            </div>
            <p class="chat__typing" aria-live="polite">
                <Text of=Signal::derive(move || panel.signs()) />
            </p>
            <Composer panel id me key name=name.clone() from />
            <Closed panel forms />
        </section>
    }
}
