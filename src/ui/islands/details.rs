//! The details of a chat and its actions. They are a column on a wide screen, elsewhere a popover that the chat's
//! header opens. The forms work without JavaScript. With it, they are answered in place, and colleagues' changes
//! appear.

use leptos::{ev::SubmitEvent, prelude::*, task::spawn_local};

use super::{chat::sealed::KEY_EVENT, copy_link::CopyLink};
use crate::{
    api,
    client::{
        labels,
        socket::{self, Event},
        storage,
    },
    domain::{Conversation, ConversationId, ConversationStatus, Problem, Timestamp, sealed::BEFORE_KEY},
    locales::{self, t},
    protocol::ServerFrame,
    ui::components::{Anew, Clock, Icon, Refusal, Text, icon},
};

/// For admins.
#[component]
pub fn Details(conversation: Conversation, clock: Clock) -> impl IntoView {
    let locale = locales::current();
    let (id, is_sealed) = (conversation.id, conversation.sealed);
    let shown = RwSignal::new(conversation);
    let error = RwSignal::new(None::<String>);
    Effect::new(move || {
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
    view! {
        <aside class="details" id="details" popover="auto" aria-label=t!(locale, chat::ABOUT)>
            <header class="details__head">
                <h2 class="details__title">{t!(locale, chat::ABOUT)}</h2>
                <button
                    class="icon-button details__close"
                    type="button"
                    popovertarget="details"
                    popovertargetaction="hide"
                    aria-label=t!(locale, chat::CLOSE)
                >
                    <Icon d=icon::CLOSE />
                </button>
            </header>
            <div class="details__body">
                <Facts shown clock />
                <Link id shown error />
                {(!is_sealed)
                    .then(|| {
                        view! {
                            <section class="details__part">
                                <h3 class="details__subtitle">{t!(locale, desk::TRANSCRIPT)}</h3>
                                <p class="details__help">{t!(locale, desk::TRANSCRIPT_HELP)}</p>
                                <a
                                    class="button button--small"
                                    href=format!("/api/v1/conversations/{id}/transcript?format=html")
                                    download=""
                                >
                                    {t!(locale, desk::SAVE_TRANSCRIPT)}
                                </a>
                            </section>
                        }
                    })}
                <Status id shown error />
                <Refusal words=error />
            </div>
        </aside>
    }
}

/// Performs an action on the server, and shows its result.
fn carry_out(
    shown: RwSignal<Conversation>,
    error: RwSignal<Option<String>>,
    asked: impl Future<Output = Result<Conversation, Problem>> + 'static,
) {
    spawn_local(async move {
        let answer = asked.await;
        // Another chat may be shown by now.
        error.try_set(answer.as_ref().err().map(|problem| problem.message.clone()));
        if let Ok(conversation) = answer {
            shown.try_set(conversation);
        }
    });
}

#[component]
fn Facts(shown: RwSignal<Conversation>, clock: Clock) -> impl IntoView {
    let locale = locales::current();
    let Conversation { customer_name, customer_email, request_id, created_at, .. } = shown.get_untracked();
    let is_open = Memo::new(move |_| shown.read().is_open());
    let rating = Memo::new(move |_| shown.read().rating.clone());
    let closed = Memo::new(move |_| shown.with(|chat| chat.closed_at.map(|at| (at, chat.closed_by.clone()))));
    view! {
        <dl class="facts">
            <dt>{t!(locale, desk::CUSTOMER)}</dt>
            <dd dir="auto">{customer_name}</dd>
            {customer_email
                .map(|email| {
                    view! {
                        <dt>{t!(locale, form::EMAIL)}</dt>
                        <dd>
                            <a href=format!("mailto:{email}")>{email.clone()}</a>
                        </dd>
                    }
                })}
            {request_id
                .map(|request| {
                    view! {
                        <dt>{t!(locale, desk::ABOUT)}</dt>
                        <dd>
                            <a href=format!("/requests/{request}")>{t!(locale, desk::SHOW_REQUEST)}</a>
                        </dd>
                    }
                })}
            <dt>{t!(locale, desk::STATUS)}</dt>
            <dd>
                <Anew value=move || is_open.get() let:is_open>
                    <span class=if is_open { "chip chip--ok" } else { "chip" }>{if is_open { t!(locale, desk::OPEN) } else { t!(locale, desk::CLOSED) }}</span>
                </Anew>
            </dd>
            <Anew value=move || rating.get() let:rating>
                {rating
                    .map(|rating| {
                        view! {
                            <dt>{t!(locale, desk::RATING)}</dt>
                            <dd>
                                <span role="img" aria-label=t!(locale, chat::score(rating.score))>
                                    {rating.stars()}
                                </span>
                                <p class="facts__words" dir="auto">
                                    {rating.comment}
                                </p>
                            </dd>
                        }
                    })}
            </Anew>
            <dt>{t!(locale, desk::OPENED)}</dt>
            <dd>
                <Day at=created_at clock />
            </dd>
            <Anew value=move || closed.get() let:closed>
                {closed
                    .map(|(at, by)| {
                        view! {
                            <dt>{t!(locale, desk::CLOSED)}</dt>
                            <dd>
                                <Day at clock />
                                {by
                                    .map(|by| {
                                        view! {
                                            <span>
                                                " "{t!(locale, requests::BY)}" " <bdi>{by}</bdi>
                                            </span>
                                        }
                                    })}
                            </dd>
                        }
                    })}
            </Anew>
        </dl>
    }
}

#[component]
fn Day(at: Timestamp, clock: Clock) -> impl IntoView {
    let words = move || (labels::full(at, clock.zone()), clock.long_date(at));
    view! {
        <Anew value=words let((full, day))>
            <time datetime=at.to_string() title=full>
                {day}
            </time>
        </Anew>
    }
}

#[component]
fn Link(id: ConversationId, shown: RwSignal<Conversation>, error: RwSignal<Option<String>>) -> impl IntoView {
    let locale = locales::current();
    let is_sealed = shown.with_untracked(|shown| shown.sealed);
    // The key of a sealed chat, if this browser has it.
    let seal = RwSignal::new(None::<String>);
    if is_sealed {
        Effect::new(move || {
            let look = move || seal.set(storage::load(&storage::seal(id)));
            look();
            storage::on_change(storage::seal(id), move |_, _| look());
            let listener = window_event_listener_untyped(KEY_EVENT, move |_| look());
            on_cleanup(move || listener.remove());
        });
    }
    let link = Memo::new(move |_| {
        let (shown, seal) = (shown.read(), seal.read());
        shown.link.as_ref().map(|link| match &*seal {
            Some(seal) => [link, BEFORE_KEY, seal].concat(),
            None => link.clone(),
        })
    });
    let has_link = Memo::new(move |_| link.read().is_some());
    let make = move |event: SubmitEvent| {
        event.prevent_default();
        carry_out(shown, error, api::make_link(id));
    };
    let revoke = move |event: SubmitEvent| {
        event.prevent_default();
        carry_out(shown, error, api::revoke_link(id));
    };
    let help = move || {
        let words = match has_link.get() {
            false => t!(locale, desk::LINK_NONE),
            true if is_sealed && seal.read().is_none() => t!(locale, sealed::LINK_NO_KEY),
            true if is_sealed => t!(locale, sealed::LINK_HELP),
            true => t!(locale, desk::LINK_HELP),
        };
        words.to_owned()
    };
    view! {
        <section class="details__part">
            <h3 class="details__subtitle">{t!(locale, desk::LINK)}</h3>
            <Anew value=move || link.get() let:link>
                {link.map(|link| view! { <CopyLink link label=t!(locale, desk::LINK_LABEL) field=NodeRef::new() /> })}
            </Anew>
            <p class="details__help">
                <Text of=help />
            </p>
            <div class="details__actions">
                <form method="post" action=format!("/admin/chats/{id}/link") on:submit=make>
                    <button class="button button--small" type="submit">
                        <Text of=move || (if has_link.get() { t!(locale, desk::NEW_LINK) } else { t!(locale, desk::MAKE_LINK) }).to_owned() />
                    </button>
                </form>
                {move || {
                    has_link.get()
                        .then(|| {
                            view! {
                                <form method="post" action=format!("/admin/chats/{id}/revoke") on:submit=revoke>
                                    <button class="button button--small button--danger" type="submit">
                                        {t!(locale, desk::REVOKE_LINK)}
                                    </button>
                                </form>
                            }
                        })
                }}
            </div>
        </section>
    }
}

#[component]
fn Status(id: ConversationId, shown: RwSignal<Conversation>, error: RwSignal<Option<String>>) -> impl IntoView {
    let is_open = Memo::new(move |_| shown.read().is_open());
    let locale = locales::current();
    let words =
        move |open: &'static str, closed: &'static str| move || (if is_open.get() { open } else { closed }).to_owned();
    let change = move |event: SubmitEvent| {
        event.prevent_default();
        let status = if is_open.get_untracked() { ConversationStatus::Closed } else { ConversationStatus::Open };
        carry_out(shown, error, api::set_status(id, status));
    };
    view! {
        <section class="details__part">
            <h3 class="details__subtitle">
                <Text of=words(t!(locale, chat::CLOSE), t!(locale, chat::REOPEN)) />
            </h3>
            <p class="details__help">
                <Text of=words(
                    t!(locale, desk::CLOSE_HELP),
                    t!(locale, desk::CLOSED_HELP),
                ) />
            </p>
            <form
                method="post"
                action=move || format!("/admin/chats/{id}/{}", if is_open.get() { "close" } else { "reopen" })
                on:submit=change
            >
                <button class="button button--small" type="submit">
                    <Text of=words(t!(locale, desk::CLOSE_CHAT), t!(locale, desk::REOPEN_CHAT)) />
                </button>
            </form>
        </section>
    }
}
