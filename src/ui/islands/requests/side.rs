//! The details and actions of one request, beside its text.

use leptos::prelude::*;

use super::{Region, set_status::SetStatus};
use crate::{
    api::{self, RequestDetails},
    client::history,
    domain::Timestamp,
    locales::{self, t},
    ui::components::{ChatButton, Clock, StatusChip, When, address, budget_in_words, day_in_words},
};

/// The sidebar of a request's page. `chosen` is the open chat in the page's address.
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
    view! {
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
                <For
                    each=move || shown.read().changes.clone().into_iter().enumerate()
                    key=|(place, _)| *place
                    let((_, change))
                >
                    <dt>
                        <span>{change.status.label(locale)}</span>
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
