//! Times as text.

use std::time::Duration;

use leptos::prelude::*;

use super::Anew;
use crate::{
    client::{
        labels::{self, Zone, utc},
        page,
    },
    domain::Timestamp,
    locales::{self, t},
};

/// Update interval of texts like "5 min ago".
const TICK: Duration = Duration::from_secs(30);

/// The current time and the time zone of displayed times: first the server's time and UTC, then the device's.
#[derive(Clone, Copy)]
pub struct Clock {
    now: RwSignal<Timestamp>,
    is_local: RwSignal<bool>,
}

impl Clock {
    /// `now` is the server's time at rendering.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        let clock = Self { now: RwSignal::new(now), is_local: RwSignal::new(false) };
        Effect::new(move || {
            page::set_rendered_at(now);
            clock.is_local.set(true);
            clock.now.set(page::server_now());
            let ticking = set_interval_with_handle(move || clock.now.set(page::server_now()), TICK).ok();
            on_cleanup(move || {
                if let Some(ticking) = ticking {
                    ticking.clear();
                }
            });
        });
        clock
    }

    /// The time zone of displayed times.
    #[must_use]
    pub fn zone(self) -> Zone {
        if self.is_local.get() { page::local_zone } else { utc }
    }

    /// The day, such as "3 June 2026".
    #[must_use]
    pub fn long_date(self, time: Timestamp) -> String {
        labels::long_date(time, self.zone())
    }
}

/// A short text for a time. It changes as time passes, so each change replaces the element.
#[component]
pub fn When(#[prop(into)] at: Signal<Timestamp>, clock: Clock) -> impl IntoView {
    let words = move || {
        let (at, zone) = (at.get(), clock.zone());
        // Without a script the reader's zone is unknown.
        let full = labels::full(at, zone);
        let full = if clock.is_local.get() { full } else { full + " " + t!(locales::current(), time::UTC) };
        (at, full, labels::relative(at, clock.now.get(), zone))
    };
    view! {
        <Anew value=words let((at, full, words))>
            <time datetime=at.to_string() title=full>
                {words}
            </time>
        </Anew>
    }
}

/// The day in UTC, such as "3 June 2026".
#[must_use]
pub fn long_date(time: Timestamp) -> String {
    labels::long_date(time, utc)
}
