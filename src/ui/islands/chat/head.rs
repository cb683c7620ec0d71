//! Who one talks with, and how the connection is.

use leptos::prelude::*;

use super::{Indicator, Panel, Room};
use crate::{
    domain::ParticipantKind,
    ui::components::{Icon, icon},
};

/// The state of the connection, as attribute, class and word.
pub(super) fn status(room: &Room) -> (&'static str, &'static str, &'static str) {
    match room.indicator {
        _ if room.gone => ("offline", "status status--offline", "Ended"),
        Indicator::Ended => ("offline", "status status--offline", "Ended"),
        Indicator::Offline => ("offline", "status status--offline", "Offline"),
        Indicator::Reconnecting => ("reconnecting", "status status--reconnecting", "Reconnecting…"),
        Indicator::Live if room.has_caught_up() => ("live", "status status--live", "Live"),
        Indicator::Live | Indicator::Connecting => ("connecting", "status status--connecting", "Connecting…"),
    }
}

#[component]
pub(super) fn Head(panel: Panel, admin: bool, name: String) -> impl IntoView {
    let presence = move || {
        let zone = panel.zone();
        panel.room.with(|room| room.people.presence_line(panel.now.get(), zone))
    };
    view! {
        <header class="chat__head">
            {admin
                .then(|| {
                    view! {
                        <a class="icon-button chat__back" href="/admin" aria-label="Back to all chats">
                            <Icon d=icon::BACK />
                        </a>
                    }
                })}
            <div class="chat__who">
                <h1 class="chat__name">{name}</h1>
                <p class="chat__people">
                    <span class=move || if presence().0 { "presence presence--on" } else { "presence" }>
                        {move || presence().1}
                    </span>
                </p>
            </div>
            // Nothing is live without a script, so nothing is said about it.
            <p class=move || panel.room.with(status).1 role="status" hidden=move || !panel.awake.get()>
                <span class="status__text">{move || panel.room.with(status).2}</span>
            </p>
            {admin
                .then(|| {
                    view! {
                        <button
                            class="icon-button chat__about"
                            type="button"
                            popovertarget="details"
                            aria-label="About this chat"
                        >
                            <Icon d=icon::INFO />
                        </button>
                    }
                })}
        </header>
    }
}

/// What is wrong with the connection and what becomes of messages meanwhile; nothing if all is well.
#[component]
pub(super) fn Banner(panel: Panel) -> impl IntoView {
    move || {
        let (danger, text) = panel.room.with(words)?;
        let class = if danger { "notice notice--danger chat__banner" } else { "notice notice--warn chat__banner" };
        Some(view! { <p class=class>{text}</p> })
    }
}

fn words(room: &Room) -> Option<(bool, String)> {
    let wrong = match room.indicator {
        _ if room.gone => return Some((true, ended(room))),
        Indicator::Ended => return Some((true, ended(room))),
        Indicator::Offline => "You are offline.",
        Indicator::Reconnecting => "The connection is lost. Trying to get it back.",
        Indicator::Live | Indicator::Connecting => return None,
    };
    let waiting = match room.outbox.waiting() {
        0 => String::new(),
        1 => " 1 message will be sent when you are back.".to_owned(),
        many => [" ", &many.to_string(), " messages will be sent when you are back."].concat(),
    };
    Some((false, wrong.to_owned() + &waiting))
}

fn ended(room: &Room) -> String {
    let words = match room.kind {
        ParticipantKind::Guest => "This link does not work any more. Please ask for a new one.",
        ParticipantKind::Admin | ParticipantKind::Customer => "You were signed out. Please sign in again.",
    };
    words.to_owned()
}
