//! What the chat says about its connection: a dot and a word. To add a state, add it to [`Status`]: the compiler
//! then asks for its word, its look, and where in [`Status::of`] it begins.

use leptos::prelude::*;

use crate::{
    client::{reconnect::Indicator, room::Room},
    locales::{self, t},
    ui::components::Text,
};

/// How the connection of a chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not live yet since the page was opened; nothing is wrong so far.
    Connecting,
    /// The WebSocket is open, and the chat shows everything that the server has.
    Live,
    /// The same by HTTP: news come a little later.
    Slow,
    /// The connection broke some seconds ago, and the client goes on trying.
    Reconnecting,
    /// The device says that it has no network.
    Offline,
    /// The browser was signed in as somebody else: nothing is sent for the person of this page.
    Paused,
    /// The person was signed out, or the link was revoked: only a new page helps.
    Ended,
}

impl Status {
    /// Reads what [`socket`](crate::client::socket) last said of the connection, and whether the room has caught up.
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

    /// The name of its look in style/23-status.css.
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

/// The pill. It is hidden until the browser has hydrated the chat: without a script, nothing is live. `Text` makes its
/// element anew with each change, so that page translators cannot freeze it.
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
