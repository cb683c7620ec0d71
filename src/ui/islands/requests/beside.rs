//! The chat beside a page of requests. The page's address contains the open chat, so opening and closing it loads no
//! page.

use std::collections::HashMap;

use leptos::{either::EitherOf3, html, prelude::*, task::spawn_local};

use crate::{
    api::{self, RequestChat},
    client::{history, page},
    domain::{ConversationId, RequestId, Timestamp},
    locales::{self, t},
    ui::components::Anew,
    ui::islands::{About, ChatCache, ChatPanel, MessageForm, Place, name_of},
};

/// The content beside the page.
#[derive(Clone)]
enum Shown {
    Loading(RequestId),
    Refused(RequestId, String),
    Chat(Box<RequestChat>, MessageForm, Timestamp),
}

impl Shown {
    /// `None` for a request that has no chat yet.
    fn chat(chat: RequestChat, form: MessageForm, now: Timestamp) -> Option<Self> {
        chat.chat.is_some().then(|| Self::Chat(Box::new(chat), form, now))
    }

    /// The request and its step: a change of either replaces the panel.
    fn key(&self) -> (RequestId, u8) {
        match self {
            Self::Loading(id) => (*id, 0),
            Self::Refused(id, _) => (*id, 1),
            Self::Chat(chat, ..) => (chat.request, 2),
        }
    }
}

/// The place for a chat beside a page. `chosen` is the open chat in the page's address, and `first` its content.
/// `page` is the address without a chat. With `request`, the page is about this request, and so is every chat.
#[island(lazy)]
pub fn ChatBeside(
    first: Option<RequestChat>,
    chosen: Option<String>,
    request: Option<RequestId>,
    page: String,
    business: String,
    form: MessageForm,
    now: Timestamp,
) -> impl IntoView {
    let chosen = history::query("chat", chosen);
    let id = Memo::new(move |_| chosen.get().and_then(|chosen| request.or(chosen.parse().ok())));
    let shown = RwSignal::new(first.and_then(|first| Shown::chat(first, form, now)));
    let cache = ChatCache::new();
    provide_context(cache);
    // The room and title of each chat that was shown before.
    let before = StoredValue::new(HashMap::<RequestId, (ConversationId, String)>::new());
    let remember = move |chat: &RequestChat| {
        if let Some(room) = chat.chat.as_ref().map(|chat| chat.joined.room) {
            before.update_value(|before| drop(before.insert(chat.request, (room, chat.title.clone()))));
        }
    };
    let again = move |id: RequestId| {
        let (room, title) = before.with_value(|before| before.get(&id).cloned())?;
        Shown::chat(
            RequestChat { request: id, title, chat: Some(cache.get(room)?) },
            MessageForm::empty(),
            page::server_now(),
        )
    };
    let is_hydrated = StoredValue::new(false);
    Effect::new(move |last: Option<Option<RequestId>>| {
        let id = id.get();
        if last.is_none() || last == Some(id) {
            // The server rendered this one.
            is_hydrated.set_value(true);
            return id;
        }
        let Some(wanted) = id else {
            shown.set(None);
            return id;
        };
        if let Some(again) = again(wanted) {
            shown.set(Some(again));
            return id;
        }
        shown.set(Some(Shown::Loading(wanted)));
        spawn_local(async move {
            let answer = api::load_request_chat(wanted).await;
            if shown.with_untracked(|shown| shown.as_ref().map(Shown::key)) != Some((wanted, 0)) {
                // The person has chosen another chat meanwhile.
                return;
            }
            shown.set(match answer {
                Ok(chat) => Shown::chat(chat, MessageForm::empty(), page::server_now()),
                Err(problem) => Some(Shown::Refused(wanted, problem.message)),
            });
        });
        id
    });

    let (page, business) = (StoredValue::new(page), StoredValue::new(business));
    let leave = Callback::new(move |event| history::follow(&event, &page.get_value()));
    view! {
        <Anew value=move || shown.with(|shown| shown.as_ref().map(Shown::key)) let:key>
            {let shown = shown.get_untracked();
            key.zip(shown).map(|(key, shown)| {
                let place = NodeRef::<html::Div>::new();
                // A chat opened in the browser takes the focus.
                let was_opened_here = is_hydrated.get_value();
                Effect::new(move || {
                    if let Some(place) = place.get().filter(|_| was_opened_here) {
                        let _ = place.focus();
                    }
                });
                let choice = request.map_or_else(|| key.0.to_string(), |_| "1".to_owned());
                let here = page.with_value(|page| {
                    let mark = if page.contains('?') { '&' } else { '?' };
                    format!("{page}{mark}chat={choice}")
                });
                view! {
                    <div class="beside__chat" tabindex="-1" node_ref=place>
                        {match shown {
                            Shown::Loading(_) => EitherOf3::A(view! { <p class="beside__wait">{t!(locales::current(), chat::LOADING)}</p> }),
                            Shown::Refused(_, words) => EitherOf3::B(view! { <Refused words here page=page.get_value() /> }),
                            Shown::Chat(chat, form, now) => {
                                remember(&chat);
                                let RequestChat { request, title, chat } = *chat;
                                EitherOf3::C(
                                    chat.map(|chat| {
                                        view! {
                                            <ChatPanel
                                                name=business.with_value(|business| name_of(&chat, business))
                                                chat
                                                place=Place::Beside { page: page.get_value(), here }
                                                about=Some(About { title, address: format!("/requests/{request}") })
                                                form
                                                now
                                                on_leave=Some(leave)
                                            />
                                        }
                                    }),
                                )
                            }
                        }}
                    </div>
                }
            })}
        </Anew>
    }
}

/// Shows why the chat cannot be loaded. Its links load pages.
#[component]
fn Refused(words: String, here: String, page: String) -> impl IntoView {
    let locale = locales::current();
    view! {
        <div class="beside__refused">
            <p class="notice notice--danger" role="alert">
                {words}
            </p>
            <p>
                <a class="button" href=here>
                    {t!(locale, chat::TRY_AGAIN)}
                </a>
                <a class="button button--quiet" href=page>
                    {t!(locale, chat::CLOSE)}
                </a>
            </p>
        </div>
    }
}
