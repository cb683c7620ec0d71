//! The button that leads from a custom request to its chat. It is a link to the page with the chat beside it. Before
//! there is a chat, it is a form that opens one.

use leptos::{either::Either, ev, html, prelude::*, task::spawn_local};

use super::{Anew, Refusal, Unread};
use crate::{
    api,
    client::{history, page},
    domain::CustomRequest,
    locales::{self, t},
};

#[component]
pub fn ChatButton(
    request: Memo<CustomRequest>,
    /// The open chat in the page's address, see [`history::query`].
    chosen: ReadSignal<Option<String>>,
    /// Its value if this chat is open.
    choice: String,
    /// The address of this page with the chat beside it.
    here: String,
    /// Whether the page receives updates; `None` while this is unknown.
    live: ReadSignal<Option<bool>>,
    #[prop(default = t!(locales::current(), chat_button::CHAT))] label: &'static str,
    /// Whether this is the main action of the page.
    #[prop(optional)]
    is_primary: bool,
) -> impl IntoView {
    let locale = locales::current();
    let class = if is_primary { "button button--primary chat-button" } else { "button button--small chat-button" };
    let (id, title) = request.with_untracked(|request| (request.id, request.title.clone()));
    let unread = Memo::new(move |_| request.read().unread);
    let content = move || {
        view! {
            <span class="chat-button__label">
                <span>{label}</span>
                {(!is_primary)
                    .then(|| {
                        view! {
                            <span class="visually-hidden">
                                {t!(locale, chat_button::ABOUT)} <bdi>{title.clone()}</bdi>
                            </span>
                        }
                    })}
            </span>
            <Unread count=unread />
            <Anew value=move || live.get() let:live>
                {live
                    .map(|live| {
                        view! {
                            <span class=if live { "chat-button__live is-live" } else { "chat-button__live" }>
                                {if live { t!(locale, chat::LIVE) } else { t!(locale, chat::OFFLINE) }}
                            </span>
                        }
                    })}
            </Anew>
        }
    };

    let (link, button) = (NodeRef::<html::A>::new(), NodeRef::<html::Button>::new());
    let is_open = Memo::new(move |_| chosen.read().as_ref() == Some(&choice));
    // Closing the chat returns the focus to the link that opened it.
    Effect::new(move |was_open: Option<bool>| {
        if was_open == Some(true) && chosen.read().is_none() {
            page::after_layout(move || focus(link));
        }
        is_open.get()
    });

    let problem = RwSignal::new(None);
    let from = here.clone();
    let open_chat = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let here = from.clone();
        spawn_local(async move {
            match api::open_request_chat(id).await {
                Ok(()) => history::push(&here),
                Err(refused) => problem.set(Some(refused.message)),
            }
        });
    };
    let has_chat = Memo::new(move |_| request.read().conversation_id.is_some());
    move || {
        if has_chat.get() {
            if button.get_untracked().is_some_and(|button| document().active_element() == Some(button.into())) {
                // The chat exists now, and a link replaces the button.
                page::after_layout(move || focus(link));
            }
            let address = here.clone();
            Either::Left(view! {
                <a
                    class=class
                    href=here.clone()
                    aria-current=move || is_open.get().then_some("true")
                    node_ref=link
                    on:click=move |event| history::follow(&event, &address)
                >
                    {content()}
                </a>
            })
        } else {
            Either::Right(view! {
                <form method="post" action=format!("/requests/{id}/chat") on:submit=open_chat.clone()>
                    <input type="hidden" name="from" value=here.clone() />
                    <button class=class type="submit" node_ref=button>
                        {content()}
                    </button>
                    <Refusal words=problem />
                </form>
            })
        }
    }
}

fn focus(link: NodeRef<html::A>) {
    if let Some(link) = link.get_untracked() {
        let _ = link.focus();
    }
}
