//! The dashboard: the list of chats, one chat, and its details. Without JavaScript all its links and forms lead to
//! this page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::with_viewer;
use crate::{
    api::{list_inbox, load_chat},
    client::page,
    domain::{ConversationId, ConversationStatus, Name},
    locales::{self, t},
    ui::{
        components::{Field, FormKey, FormProblem, Frame, Layout},
        islands::{Desk, MessageForm, View},
    },
};

/// The query of the address.
#[derive(Clone, Debug)]
struct Query {
    chat: Option<ConversationId>,
    /// `None` for the status of the chosen chat, or else open chats.
    status: Option<ConversationStatus>,
    search: String,
    cursor: Option<String>,
    before: Option<i64>,
    /// Whether to show the form of a new chat instead of a chat.
    new: bool,
}

impl Query {
    fn current() -> Self {
        let map = use_query_map().get_untracked();
        let text = |name: &str| map.get(name).filter(|value| !value.is_empty());
        Self {
            chat: text("chat").and_then(|id| id.parse().ok()),
            status: match text("status").as_deref() {
                Some("open") => Some(ConversationStatus::Open),
                Some("closed") => Some(ConversationStatus::Closed),
                _ => None,
            },
            search: text("q").unwrap_or_default(),
            cursor: text("cursor"),
            before: text("before").and_then(|seq| seq.parse().ok()),
            new: text("new").is_some(),
        }
    }
}

#[component]
pub fn DashboardPage() -> impl IntoView {
    let query = Query::current();
    with_viewer(move |viewer| {
        let query = query.clone();
        async move {
            let locale = locales::current();
            if query.new {
                return Ok(view! {
                    <Frame viewer=viewer title=t!(locale, desk::NEW_CHAT) layout=Layout::Sheet class="sheet">
                        <NewChatForm />
                    </Frame>
                }
                .into_any());
            }
            let chat = match query.chat {
                Some(id) => Some(load_chat(id, query.before).await?),
                None => None,
            };
            let conversation = chat.as_ref().map(|chat| &chat.joined.conversation);
            let status = query.status.or(conversation.map(|it| it.status)).unwrap_or(ConversationStatus::Open);
            let title = conversation.map_or_else(|| t!(locale, frame::CHATS).to_owned(), |it| it.customer_name.clone());
            let search = Some(query.search.clone()).filter(|search| !search.is_empty());
            let inbox = list_inbox(status, search, query.cursor).await?;
            let view = View { chat: query.chat, seq: query.before, status, search: query.search };
            let business = viewer.business.clone();
            Ok(view! {
                <Frame viewer=viewer title=title layout=Layout::App>
                    <Desk
                        inbox=inbox
                        view=view
                        chat=chat
                        business=business
                        form=MessageForm::current()
                        now=page::now()
                    />
                </Frame>
            }
            .into_any())
        }
    })
}

/// The same form as the dialog's, for browsers without JavaScript and after their errors.
#[component]
fn NewChatForm() -> impl IntoView {
    let locale = locales::current();
    view! {
        <h1 class="sheet__title">{t!(locale, desk::NEW_CHAT)}</h1>
        <p class="sheet__lead">{t!(locale, dashboard::YOU_GET_A_LINK)}</p>
        <form class="form sheet__body" method="post" action="/admin/chats">
            <FormKey />
            <FormProblem fields=&["customer_name", "customer_email", "first_message"] />
            <Field
                name="customer_name"
                label=t!(locale, desk::CUSTOMER_NAME)
                autocomplete="off"
                max_chars=Name::MAX_CHARS
                focus=true
            />
            <Field
                name="customer_email"
                label=t!(locale, form::EMAIL)
                kind="email"
                autocomplete="off"
                optional=true
            />
            <Field
                name="first_message"
                label=t!(locale, desk::FIRST_MESSAGE)
                kind="textarea"
                optional=true
            />
            <div class="form__actions">
                <button class="button button--primary" type="submit">
                    {t!(locale, dashboard::OPEN_CHAT)}
                </button>
                <a class="button button--quiet" href="/admin">
                    {t!(locale, form::CANCEL)}
                </a>
            </div>
        </form>
    }
}
