//! The status of the chat's connection: a dot, which the style draws, and a word.
//!
//! To add a state, add it to [`Status`]; the compiler then requires its word and its look. Add its word to `chat` in each
//! file of `locales`: a missing one does not compile. Add the condition to [`Status::of`], and the look to
//! style/23-status.css, or choose an existing one. A new [`Indicator`] is set in `client/reconnect.rs`.

use leptos::prelude::*;

use crate::{
    client::{reconnect::Indicator, room::Room},
    locales::{self, t},
    ui::components::Text,
};

/// The state of a chat's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not live yet, or connected and not caught up.
    Connecting,
    /// The WebSocket is open, and the chat shows everything that the server has.
    Live,
    /// The same over HTTP, with a short delay: a proxy blocks sockets, or this person has too many of them.
    Slow,
    /// The connection broke some seconds ago, and the client retries.
    Reconnecting,
    /// The device reports no network.
    Offline,
    /// The browser was signed in as another person: nothing is sent for this page's person.
    Paused,
    /// The person was signed out, or the link was revoked: only a new page can connect.
    Ended,
}

impl Status {
    /// From the last state that [`socket`](crate::client::socket) reported, and whether the room is up to date. `gone`: this
    /// chat does not exist for this person any more, although the connection may be live.
    pub fn of(room: &Room) -> Self {
        if room.gone {
            return Self::Ended;
        }
        match room.indicator {
            Indicator::Ended => Self::Ended,
            Indicator::Estranged => Self::Paused,
            Indicator::Offline => Self::Offline,
            Indicator::Reconnecting => Self::Reconnecting,
            Indicator::Live if room.has_caught_up() => Self::Live,
            Indicator::Slow | Indicator::Crowded if room.has_caught_up() => Self::Slow,
            Indicator::Live | Indicator::Slow | Indicator::Crowded | Indicator::Connecting => Self::Connecting,
        }
    }

    fn words(self) -> &'static str {
        let locale = locales::current();
        match self {
            Self::Connecting => t!(locale, chat::CONNECTING),
            Self::Live => t!(locale, chat::LIVE),
            Self::Slow => t!(locale, chat::LIVE_SLOW),
            Self::Reconnecting => t!(locale, chat::RECONNECTING),
            Self::Offline => t!(locale, chat::OFFLINE),
            Self::Paused => t!(locale, chat::PAUSED),
            Self::Ended => t!(locale, chat::ENDED),
        }
    }

    /// The name of its style in style/23-status.css.
    pub fn look(self) -> &'static str {
        match self {
            Self::Connecting => "connecting",
            Self::Live => "live",
            Self::Slow => "slow",
            Self::Reconnecting => "reconnecting",
            Self::Offline | Self::Paused | Self::Ended => "offline",
        }
    }
}

/// The pill. The panel derives `status` from its room as a memo, and sets `is_hydrated` once. Until then the pill is hidden:
/// without a script, nothing is live. `Text` replaces its element at each change, so page translators cannot freeze it.
#[component]
pub fn StatusPill(status: Memo<Status>, is_hydrated: RwSignal<bool>) -> impl IntoView {
    view! {
        <p
            class=move || format!("status status--{}", status.get().look())
            role="status"
            hidden=move || !is_hydrated.get()
        >
            <Text of=Signal::derive(move || status.get().words().to_owned()) class="status__text" />
        </p>
    }
}
