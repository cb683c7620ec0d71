//! The live parts of the pages: the chat, the list of chats, copying a link. So far as the server
//! renders them; that much works without JavaScript.

use leptos::prelude::*;

use super::components::{Icon, icon};
use crate::{
    api,
    domain::{Conversation, ConversationId, ConversationStatus, Message, ParticipantKind, SenderType, Timestamp},
};

/// `draft` and `problem`: what a plain form sent, and why it was refused.
#[component]
pub fn Chat(chat: api::Chat, business: String, draft: String, problem: Option<String>) -> impl IntoView {
    let admin = chat.me.kind == ParticipantKind::Admin;
    let conversation = chat.joined.conversation;
    let id = conversation.id;
    let name = if admin { conversation.customer_name.clone() } else { business.clone() };
    let first = chat.joined.messages.first().map(|message| message.seq);
    let earlier = if admin { format!("/admin?chat={id}&before=") } else { format!("/chat/{id}?before=") };
    let mut last: Option<(SenderType, Timestamp)> = None;
    let messages = chat.joined.messages.into_iter().map(move |message| {
        let group = (message.sender_type, message.created_at);
        let starts = last.replace(group).is_none_or(|(by, at)| by != group.0 || group.1.0 - at.0 > 300_000);
        let own = (message.sender_type == SenderType::Admin) == admin;
        view! { <Bubble message=message own=own starts=starts /> }
    });
    let list = messages.collect_view();
    view! {
        <section class="chat" aria-label=format!("Chat with {name}")>
            <header class="chat__head">
                {admin
                    .then(|| {
                        view! {
                            <a class="icon-button chat__back" href="/admin" aria-label="Back to all chats">
                                <Icon d=icon::BACK />
                            </a>
                        }
                    })} <div class="chat__who">
                    <h1 class="chat__name">{name.clone()}</h1>
                </div>
                {admin
                    .then(|| {
                        view! {
                            <button
                                class="icon-button chat__about"
                                type="button"
                                popovertarget="details"
                                aria-label="About this chat"
                            >
                                <Icon d=icon::INFO />
                            </button>
                        }
                    })}
            </header>
            <div class="chat__log">
                <div class="log" role="log" aria-label="Messages" tabindex="0">
                    <ol class="log__list">
                        {match first.filter(|_| chat.joined.more) {
                            Some(first) => {
                                view! {
                                    <li class="log__older">
                                        <a class="button button--quiet" href=format!("{earlier}{first}")>
                                            "Earlier messages"
                                        </a>
                                    </li>
                                }
                                    .into_any()
                            }
                            None => {
                                view! {
                                    <li class="log__start">
                                        {format!("Only you and {name} can read this chat. It is kept after it is closed.")}
                                    </li>
                                }
                                    .into_any()
                            }
                        }} {list}
                    </ol>
                </div>
            </div>
            <p class="chat__typing" aria-live="polite"></p>
            {if conversation.is_open() {
                view! { <Composer id=id name=name.clone() draft=draft problem=problem /> }.into_any()
            } else {
                view! { <Closed conversation=conversation admin=admin /> }.into_any()
            }}
        </section>
    }
}

#[component]
fn Bubble(message: Message, own: bool, starts: bool) -> impl IntoView {
    let class = [
        "message",
        if own { " message--own" } else { "" },
        if starts { " message--first" } else { "" },
        if message.deleted_at.is_some() { " message--deleted" } else { "" },
    ]
    .concat();
    let (hour, minute) = message.created_at.clock();
    let text = if message.deleted_at.is_some() { "Message deleted".to_owned() } else { message.content };
    view! {
        <li class=class id=format!("m-{}", message.seq) data-seq=message.seq>
            <p class=if starts { "message__head" } else { "visually-hidden" }>
                <span class=if own { "visually-hidden" } else { "message__sender" }>{message.sender_name}</span>
                " "
                <time class="message__time" datetime=message.created_at.to_string()>
                    {format!("{hour:02}:{minute:02}")}
                </time>
            </p>
            <div class="message__row">
                <div class="bubble">
                    {text} {message.edited_at.map(|_| view! { <span class="message__edited">"edited"</span> })}
                </div>
            </div>
        </li>
    }
}

#[component]
fn Composer(id: ConversationId, name: String, draft: String, problem: Option<String>) -> impl IntoView {
    view! {
        <form class="composer" method="post" action=format!("/chat/{id}")>
            <input type="hidden" name="client_id" value=uuid::Uuid::new_v4().to_string() />
            <label class="visually-hidden" for="content">
                {format!("Message to {name}")}
            </label>
            <div class="composer__box">
                <textarea class="composer__input" id="content" name="content" rows="1" placeholder="Write a message" required>
                    {draft}
                </textarea>
                <button class="composer__send" type="submit" aria-label="Send">
                    <Icon d=icon::SEND />
                </button>
            </div>
            {problem
                .map(|problem| {
                    view! {
                        <p class="composer__error" role="alert">
                            {problem}
                        </p>
                    }
                })}
        </form>
    }
}

#[component]
fn Closed(conversation: Conversation, admin: bool) -> impl IntoView {
    let by = conversation.closed_by.map(|name| format!(" by {name}")).unwrap_or_default();
    view! {
        <div class="composer composer--closed">
            <p>{format!("This chat was closed{by}.")}</p>
            {admin
                .then(|| {
                    view! {
                        <form method="post" action=format!("/admin/chats/{}/reopen", conversation.id)>
                            <button class="button" type="submit">
                                "Reopen"
                            </button>
                        </form>
                    }
                })}
        </div>
    }
}

/// The dashboard's list. `search` is empty for all chats.
#[component]
pub fn InboxList(
    inbox: api::Inbox,
    status: ConversationStatus,
    search: String,
    chosen: Option<ConversationId>,
) -> impl IntoView {
    let word = if status == ConversationStatus::Open { "open" } else { "closed" };
    let tab = |this: ConversationStatus| (this == status).then_some("page");
    let rows = inbox.items.into_iter().map(move |item| {
        let unread = item.unread;
        let current = (Some(item.id) == chosen).then_some("true");
        let online = if item.customer_online == Some(true) { "avatar avatar--online" } else { "avatar" };
        view! {
            <li class="inbox__item">
                <a
                    class=if unread == 0 { "row" } else { "row row--unread" }
                    href=format!("/admin?status={word}&chat={}", item.id)
                    aria-current=current
                >
                    <span class=online aria-hidden="true">
                        {item.customer_name.chars().next().map(|c| c.to_uppercase().to_string())}
                    </span>
                    <span class="row__name">{item.customer_name}</span>
                    <time class="row__time" datetime=item.updated_at.to_string()>
                        {super::components::long_date(item.updated_at)}
                    </time>
                    <span class="row__text">{item.last_message.unwrap_or_else(|| "No messages yet".to_owned())}</span>
                    {(unread > 0)
                        .then(|| {
                            view! {
                                <span class="badge">
                                    {unread} <span class="visually-hidden">" unread messages"</span>
                                </span>
                            }
                        })}
                </a>
            </li>
        }
    });
    let rows: Vec<_> = rows.collect();
    let empty =
        if search.is_empty() { format!("No {word} chats.") } else { format!("Nothing found for “{search}”.") };
    let list = if rows.is_empty() {
        view! {
            <div class="empty">
                <p class="empty__text">{empty}</p>
            </div>
        }
        .into_any()
    } else {
        let more = inbox.next_cursor.map(|cursor| {
            view! {
                <li class="inbox__more">
                    <a class="button button--quiet" href=format!("/admin?status={word}&cursor={cursor}")>
                        "More"
                    </a>
                </li>
            }
        });
        view! { <ul class="inbox__list">{rows} {more}</ul> }.into_any()
    };
    view! {
        <section class="inbox" aria-label="Chats">
            <header class="inbox__head">
                <h2 class="inbox__title">"Chats"</h2>
                <a class="button button--primary button--small" href="/admin?new=1">
                    <Icon d=icon::PLUS />
                    "New chat"
                </a>
            </header>
            <form class="search" role="search" method="get" action="/admin">
                <input type="hidden" name="status" value=word />
                <label class="visually-hidden" for="q">
                    "Search chats"
                </label>
                <Icon d=icon::SEARCH />
                <input class="search__input" id="q" type="search" name="q" placeholder="Search" value=search />
            </form>
            <nav class="tabs" aria-label="Which chats">
                <a class="tabs__tab" href="/admin?status=open" aria-current=tab(ConversationStatus::Open)>
                    "Open "
                    <span class="tabs__count">{inbox.open}</span>
                </a>
                <a class="tabs__tab" href="/admin?status=closed" aria-current=tab(ConversationStatus::Closed)>
                    "Closed "
                    <span class="tabs__count">{inbox.closed}</span>
                </a>
            </nav>
            {list}
        </section>
    }
}

/// Copies the link that stands beside it.
#[component]
pub fn CopyLink(link: String) -> impl IntoView {
    view! {
        <button class="button" type="button" data-link=link hidden>
            "Copy link"
        </button>
    }
}
