//! The status of the chat's connection: a dot and a word. To add a state, add it to [`Status`]. The compiler then
//! requires its word, its style, and its condition in [`Status::of`].

use leptos::prelude::*;

use crate::{
    client::{reconnect::Indicator, room::Room},
    locales::{self, t},
    ui::components::Text,
};

/// The state of a chat's connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not live yet after opening the page, without an error so far.
    Connecting,
    /// The WebSocket is open, and the chat shows everything that the server has.
    Live,
    /// The same over HTTP, with a short delay.
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
    /// From the last state of [`socket`](crate::client::socket), and whether the room is up to date.
    pub fn of(room: &Room) -> Self {
        match room.indicator {
            _ if room.gone => Self::Ended,
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

/// The pill. It is hidden until the browser has hydrated the chat: without a script, nothing is live. `Text` replaces
/// its element at each change, so that page translators cannot freeze it.
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
