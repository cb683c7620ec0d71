//! The part of a panel that the browser loads when somebody needs it: the form of an edit, the plain forms of a chat that
//! the browser renders, files, the switch of notifications, and new words about answers.
//!
//! It is one part, because code that several parts share becomes a file of its own for each set of them, and each costs
//! half a kilobyte of an admin's first visit.

use leptos::{lazy, prelude::*, task::spawn_local};
use web_sys::HtmlElement;

use super::{
    answers, edit, notify,
    panel::Panel,
    plain::{self, Forms, Plain},
    tray::{self, Call},
};
use crate::domain::MessageId;

/// What a panel needs of its part.
pub(super) enum Need {
    /// Put the form of an edit in its place.
    Edit(HtmlElement, Owner, MessageId),
    /// Put a plain form in its place.
    Plain(HtmlElement, Owner, Plain, StoredValue<Forms>),
    Files(Call),
    /// Switch notifications on or off, then show the state.
    Notify(bool, RwSignal<&'static str>),
    /// Ask for the present words about answers.
    Answers,
}

#[lazy]
async fn meet(panel: Panel, need: Need) {
    match need {
        Need::Edit(place, owner, id) => edit::fill(place, owner, panel, id),
        Need::Plain(place, owner, which, forms) => plain::fill(place, owner, panel, which, forms).await,
        Need::Files(call) => tray::handle(panel, call).await,
        Need::Notify(on, state) => notify::switch(panel, on, state).await,
        Need::Answers => answers::ask(panel).await,
    }
}

impl Panel {
    pub fn need(self, need: Need) {
        spawn_local(meet(self, need));
    }
}
