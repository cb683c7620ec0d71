//! The files, details and actions of one request, beside its text.

use leptos::{either::Either, prelude::*};

use super::{Region, set_status::SetStatus};
use crate::{
    api::{self, RequestDetails, RequestFile},
    client::{history, labels},
    domain::{ConversationId, Timestamp},
    locales::{self, t},
    ui::components::{Anew, ChatButton, Clock, StatusChip, When, address, budget_in_words, day_in_words},
};

/// The files and the sidebar of a request's page. `chosen` is the open chat in the page's address.
#[island(lazy)]
pub fn RequestSide(
    details: RequestDetails,
    is_admin: bool,
    currency: String,
    chosen: Option<String>,
    now: Timestamp,
) -> impl IntoView {
    let locale = locales::current();
    let (region, clock) = (Region::new(), Clock::new(now));
    let first = details.request.clone();
    let page = format!("/requests/{}", first.id);
    let here = address(&page, &[("chat", "1")]);
    let from = if chosen.is_some() { here.clone() } else { page };
    let chosen = history::query("chat", chosen);
    let shown = region.keep(details, move || api::load_request(first.id));
    let request = Memo::new(move |_| shown.read().request.clone());
    let edited = Memo::new(move |_| request.read().edited_at);
    view! {
        <section class="request__files" aria-labelledby="request-files" hidden=move || shown.read().files.is_empty()>
            <h2 class="request__subtitle" id="request-files">
                {t!(locale, requests::FILES)}
            </h2>
            <ul class="thumbs">
                <For each=move || shown.read().files.clone() key=|file| file.file.id let:file>
                    <Thumb file chat=Signal::derive(move || request.read().conversation_id) is_admin />
                </For>
            </ul>
        </section>
        <aside
            class="request__side"
            aria-label=t!(locale, requests::ABOUT)
            data-live=move || region.live.get().map(|live| live.to_string())
            on:pointerdown=move |_| region.press()
        >
            <div class="request__chat">
                <ChatButton
                    request
                    chosen
                    choice="1".to_owned()
                    here
                    live=region.live.read_only()
                    label=if is_admin { t!(locale, requests::CHAT_WITH_CUSTOMER) } else { t!(locale, requests::CHAT_WITH_ADMIN) }
                    is_primary=true
                />
            </div>
            <dl class="facts">
                <dt>{t!(locale, requests::STATUS)}</dt>
                <dd>
                    <StatusChip status=Signal::derive(move || request.read().status) />
                </dd>
                {is_admin
                    .then(|| {
                        view! {
                            <dt>{t!(locale, desk::CUSTOMER)}</dt>
                            <dd>
                                <span dir="auto">{first.customer_name}</span>
                                <br />
                                <a href=format!("mailto:{}", first.customer_email)>{first.customer_email.clone()}</a>
                            </dd>
                        }
                    })}
                {first
                    .budget_cents
                    .map(|cents| {
                        view! {
                            <dt>{t!(locale, requests::BUDGET)}</dt>
                            <dd>{budget_in_words(cents, &currency)}</dd>
                        }
                    })}
                {first
                    .wanted_on
                    .map(|day| {
                        view! {
                            <dt>{t!(locale, requests::WANTED_BY)}</dt>
                            <dd>{day_in_words(&day)}</dd>
                        }
                    })}
                <dt>{t!(locale, requests::SENT)}</dt>
                <dd>
                    <When at=first.created_at clock />
                </dd>
                <Anew value=move || edited.get() let:at>
                    {at
                        .map(|at| {
                            view! {
                                <dt>{t!(locale, requests::EDITED)}</dt>
                                <dd>
                                    <When at clock />
                                    {(Some(at) != first.edited_at)
                                        .then(|| {
                                            view! {
                                                " "
                                                <a href="">{t!(locale, requests::SHOW_NEW_TEXT)}</a>
                                            }
                                        })}
                                </dd>
                            }
                        })}
                </Anew>
                <For
                    each=move || shown.read().changes.clone().into_iter().enumerate()
                    key=|(place, _)| *place
                    let((_, change))
                >
                    <dt>
                        <span>
                            {if change.withdrawn { t!(locale, requests::WITHDRAWN) } else { change.status.label(locale) }}
                        </span>
                        " "
                        {t!(locale, requests::BY)}
                        " "
                        <bdi>{change.by}</bdi>
                    </dt>
                    <dd>
                        <When at=change.at clock />
                    </dd>
                </For>
            </dl>
            {is_admin.then(|| view! { <SetStatus request from /> })}
        </aside>
    }
}

/// A file: a picture as a preview, another as a link. One in the chat links to its message too.
#[component]
fn Thumb(file: RequestFile, chat: Signal<Option<ConversationId>>, is_admin: bool) -> impl IntoView {
    let RequestFile { file, seq } = file;
    let locale = locales::current();
    let message = move || {
        let (chat, seq) = chat.get().zip(seq)?;
        let (page, before) = if is_admin { ("/admin?chat=", "&") } else { ("/chat/", "?") };
        Some(format!("{page}{chat}{before}before={}#m-{seq}", seq + 1))
    };
    let words = labels::file(&file.name, file.size_bytes);
    let inside = if file.is_picture() {
        let (width, height) = file.size_in_log().unzip();
        Either::Left(view! {
            <img
                class="thumbs__picture"
                src=file.preview_address()
                width=width
                height=height
                alt=file.name.clone()
                loading="lazy"
            />
        })
    } else {
        Either::Right(view! { <span class="thumbs__name" dir="auto">{words}</span> })
    };
    view! {
        <li class="thumbs__one">
            <a href=file.address() target="_blank">
                {inside}
            </a>
            {move || {
                message()
                    .map(|address| {
                        view! {
                            <a class="thumbs__message" href=address>
                                {t!(locale, requests::IN_CHAT)}
                            </a>
                        }
                    })
            }}
        </li>
    }
}
