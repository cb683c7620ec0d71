//! What the chat says about its connection: a dot and a word.

use leptos::prelude::*;

use crate::{
    locales::{self, t},
    ui::components::Text,
};

/// How the connection of a chat is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Not live yet since the page was opened; nothing is wrong so far.
    Connecting,
    Live,
    /// By HTTP: news come a little later.
    Slow,
    Reconnecting,
    Offline,
    /// The browser was signed in as somebody else.
    Paused,
    /// The person was signed out, or the link was revoked.
    Ended,
}

impl Status {
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

/// The pill. It is hidden while no script runs: without one, nothing is live.
#[component]
pub fn StatusPill(status: Memo<Status>, awake: RwSignal<bool>) -> impl IntoView {
    view! {
        <p class=move || format!("status status--{}", status.get().look()) role="status" hidden=move || !awake.get()>
            <Text of=Signal::derive(move || status.get().words().to_owned()) class="status__text" />
        </p>
    }
}
