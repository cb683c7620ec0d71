//! My Account: the chats of a customer who has signed in.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::list_inbox,
    domain::{Conversation, ConversationStatus},
    ui::components::{Frame, Layout, long_date},
};

#[component]
pub fn AccountPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let open = list_inbox(ConversationStatus::Open, None, None).await?.items;
        let closed = list_inbox(ConversationStatus::Closed, None, None).await?.items;
        let chats: Vec<_> = open.into_iter().chain(closed).collect();
        let business = viewer.business.clone();
        let list = if chats.is_empty() {
            view! { <p class="sheet__body">{format!("Your chats with {business} will be listed here.")}</p> }.into_any()
        } else {
            view! { <ul class="cards">{chats.into_iter().map(|chat| view! { <Card chat=chat /> }).collect_view()}</ul> }
                .into_any()
        };
        Ok(view! {
            <Frame viewer=viewer title="My account" layout=Layout::Sheet class="sheet">
                <h1 class="sheet__title">"Your chats"</h1>
                {list}
            </Frame>
        }
        .into_any())
    })
}

#[component]
fn Card(chat: Conversation) -> impl IntoView {
    let when = format!("{} {}", if chat.is_open() { "Last activity" } else { "Closed" }, long_date(chat.updated_at));
    let unread = (chat.unread > 0).then(|| {
        view! {
            <span class="badge">
                <span aria-hidden="true">{chat.unread}</span>
                <span class="visually-hidden">{format!("{} unread", chat.unread)}</span>
            </span>
        }
    });
    view! {
        <li class="card">
            <p class="card__text">{chat.last_message.unwrap_or_else(|| "No messages yet".into())}</p>
            <p class="card__foot">
                <time datetime=chat.updated_at.to_string()>{when}</time>
                {unread}
                <a class="button button--small" href=format!("/chat/{}", chat.id)>
                    "Chat"
                </a>
            </p>
        </li>
    }
}
