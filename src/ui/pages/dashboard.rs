//! The dashboard: the list of chats, one chat, and what there is to know about it. Without
//! JavaScript every link and form in it leads to this page again.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{with_earlier, with_viewer};
use crate::{
    api::{list_inbox, load_chat},
    client::page,
    domain::{ConversationId, ConversationStatus, Name},
    ui::{
        components::{Field, FormKey, FormProblem, Frame, Layout},
        islands::{Chat, Details, InboxList, MessageForm, Place, name_of},
    },
};

/// What the address asks for.
#[derive(Clone, Debug)]
struct Query {
    chat: Option<ConversationId>,
    /// `None`: that of the chosen chat, or open ones.
    status: Option<ConversationStatus>,
    search: String,
    cursor: Option<String>,
    before: Option<i64>,
    /// The form of a new chat, instead of a chat.
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
            let chat = match query.chat.filter(|_| !query.new) {
                Some(id) => Some(with_earlier(load_chat(id).await?, query.before).await?),
                None => None,
            };
            let conversation = chat.as_ref().map(|chat| chat.joined.conversation.clone());
            let status = query.status.or(conversation.as_ref().map(|c| c.status)).unwrap_or(ConversationStatus::Open);
            let search = Some(query.search.clone()).filter(|search| !search.is_empty());
            let inbox = list_inbox(status, search, query.cursor).await?;

            let is_new = query.new;
            let business = viewer.business.clone();
            let (title, class, main) = match (chat, query.new) {
                (Some(chat), _) => (
                    chat.joined.conversation.customer_name.clone(),
                    "desk desk--chat desk--about",
                    view! {
                        <Chat
                            name=name_of(&chat, &business)
                            chat
                            place=Place::Desk
                            about=None
                            form=MessageForm::current()
                            now=page::now()
                        />
                    }
                    .into_any(),
                ),
                (None, true) => ("New chat".to_owned(), "desk desk--chat", view! { <NewChatForm /> }.into_any()),
                (None, false) => ("Chats".to_owned(), "desk", view! { <Nothing /> }.into_any()),
            };
            Ok(view! {
                <Frame viewer=viewer title=title layout=Layout::App class=class>
                    <InboxList
                        inbox=inbox
                        status=status
                        search=query.search
                        chosen=conversation.as_ref().map(|c| c.id)
                        has_dialog=!is_new
                    />
                    <div class="desk__main">{main}</div>
                    {conversation.map(|conversation| view! { <Details conversation=conversation /> })}
                </Frame>
            }
            .into_any())
        }
    })
}

#[component]
fn Nothing() -> impl IntoView {
    view! {
        <div class="empty">
            <h1 class="empty__title">"Choose a chat"</h1>
            <p class="empty__text">"Or open a new one: you get a link to send to your customer."</p>
        </div>
    }
}

/// The same form as the dialog's, for browsers without JavaScript and after a mistake there.
#[component]
fn NewChatForm() -> impl IntoView {
    view! {
        <div class="desk__form">
            <h1 class="sheet__title">"New chat"</h1>
            <p class="sheet__lead">"You get a link. Whoever opens it can write to you at once, without an account."</p>
            <form class="form sheet__body" method="post" action="/admin/chats">
                <FormKey />
                <FormProblem fields=&["customer_name", "customer_email", "first_message"] />
                <Field name="customer_name" label="Customer’s name" autocomplete="off" max_chars=Name::MAX_CHARS focus=true />
                <Field name="customer_email" label="E-mail" kind="email" autocomplete="off" optional=true />
                <Field name="first_message" label="First message" kind="textarea" optional=true />
                <div class="form__actions">
                    <button class="button button--primary" type="submit">
                        "Open chat"
                    </button>
                    <a class="button button--quiet" href="/admin">
                        "Cancel"
                    </a>
                </div>
            </form>
        </div>
    }
}
