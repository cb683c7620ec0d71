//! What is shown of a custom request in more than one place.

use leptos::prelude::*;

use crate::{
    client::{
        labels::{self, utc},
        page,
    },
    domain::{RequestStatus, Timestamp, money},
};

#[component]
pub fn StatusChip(status: RequestStatus) -> impl IntoView {
    let class = match status {
        RequestStatus::New => "chip chip--accent",
        RequestStatus::InProgress => "chip chip--warn",
        RequestStatus::Done => "chip chip--ok",
        RequestStatus::Declined => "chip",
    };
    view! { <span class=class>{status.label()}</span> }
}

/// When something was, in words that stay short.
#[component]
pub fn When(at: Timestamp) -> impl IntoView {
    let full = format!("{} UTC", labels::full(at, utc));
    view! {
        <time datetime=at.to_string() title=full>
            {labels::relative(at, page::now(), utc)}
        </time>
    }
}

/// A day such as `2026-12-24`, in words.
#[must_use]
pub fn day_in_words(day: &str) -> String {
    let midnight = format!("{day}T00:00:00Z").parse();
    midnight.map_or_else(|_| day.to_owned(), |midnight| labels::long_date(midnight, utc))
}

#[must_use]
pub fn budget_in_words(cents: i64, currency: &str) -> String {
    format!("{} {currency}", money(cents))
}
