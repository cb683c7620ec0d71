//! Parts of a custom request that several pages show.

use leptos::prelude::*;

use super::Anew;
use crate::{
    client::labels::{self, utc},
    domain::RequestStatus,
    locales::{self, t},
};

#[component]
pub fn StatusChip(#[prop(into)] status: Signal<RequestStatus>) -> impl IntoView {
    let class = |status| match status {
        RequestStatus::New => "chip chip--accent",
        RequestStatus::InProgress => "chip chip--warn",
        RequestStatus::Done => "chip chip--ok",
        RequestStatus::Declined => "chip",
    };
    view! {
        <Anew value=move || status.get() let:status>
            <span class=class(status)>{status.label(locales::current())}</span>
        </Anew>
    }
}

/// The highest displayed number.
const MOST_SHOWN: i64 = 99;

/// The number of unread messages; empty if there are none.
#[component]
pub fn Unread(#[prop(into)] count: Signal<i64>) -> impl IntoView {
    view! {
        <Anew value=move || count.get() let:count>
            {(count > 0)
                .then(|| {
                    let shown = if count > MOST_SHOWN { format!("{MOST_SHOWN}+") } else { count.to_string() };
                    view! {
                        <span class="badge">
                            <span aria-hidden="true">{shown}</span>
                            <span class="visually-hidden">{t!(locales::current(), requests::unread(count))}</span>
                        </span>
                    }
                })}
        </Anew>
    }
}

/// A day such as `2026-12-24`, as text.
#[must_use]
pub fn day_in_words(day: &str) -> String {
    let midnight = format!("{day}T00:00:00Z").parse();
    midnight.map_or_else(|_| day.to_owned(), |midnight| labels::long_date(midnight, utc))
}

#[must_use]
pub fn budget_in_words(cents: i64, currency: &str) -> String {
    let locale = locales::current();
    t!(locale, requests::amount(&locales::amount(locale, cents), currency))
}
