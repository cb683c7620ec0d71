//! The parts of a panel that are plain forms also with scripts: the server answers with the chat's page.
//!
//! The client does not hydrate them, so that a first visit does not load their code. In a chat that the browser
//! renders itself, a part of the client does.

use leptos::{
    either::{Either, EitherOf3},
    html,
    mount::mount_to,
    prelude::*,
};
use web_sys::HtmlElement;

use super::{
    closed::Afterwards,
    files::FilesForm,
    greeting::Greeting,
    panel::Panel,
    part::Need,
    sealed::{self, Locked},
};
use crate::{
    api::{Extras, load_extras},
    domain::{ClientId, ConversationId, ParticipantId, ParticipantKind},
};

/// The content of the forms.
#[derive(Clone)]
pub(super) struct Forms {
    pub id: ConversationId,
    pub me: ParticipantId,
    pub kind: ParticipantKind,
    /// The key of a message with files.
    pub key: ClientId,
    pub is_sealed: bool,
    /// The page that the forms return to, if not the chat's own.
    pub from: Option<String>,
    /// From the server; a chat that the browser renders loads them.
    pub extras: Extras,
    /// The comment of a rejected rating.
    pub comment: String,
    /// Whether the transcript has just been sent.
    pub mailed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Greeting,
    /// In a sealed chat, which has no files, what that means.
    Files,
    Afterwards,
}

#[component]
pub(super) fn PlainForm(panel: Panel, which: Plain, forms: StoredValue<Forms>) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    let owner = Owner::current();
    let is_seal = which == Plain::Files && forms.with_value(|forms| forms.is_sealed);
    let is_wanted = move || match which {
        Plain::Greeting => true,
        // With scripts, the tray sends files.
        Plain::Files => is_seal || cfg!(not(target_arch = "wasm32")),
        Plain::Afterwards => !panel.is_open(),
    };
    let html = if cfg!(target_arch = "wasm32") || !untrack(is_wanted) {
        String::new()
    } else {
        form(which, forms.get_value()).to_html()
    };
    Effect::new(move || {
        let (Some(place), Some(owner), true) = (place.get(), owner.clone(), is_wanted()) else { return };
        // The script looks for the key of a sealed chat.
        if is_seal || place.first_element_child().is_none() {
            panel.need(Need::Plain(place.into(), owner, which, forms));
        }
    });
    view! { <div class="plain" node_ref=place inner_html=html></div> }
}

fn form(which: Plain, forms: Forms) -> impl IntoView {
    match which {
        Plain::Greeting => EitherOf3::A(view! { <Greeting forms /> }),
        Plain::Files if forms.is_sealed => EitherOf3::B(Either::Left(view! { <Locked /> })),
        Plain::Files => EitherOf3::B(Either::Right(view! { <FilesForm forms /> })),
        Plain::Afterwards => EitherOf3::C(view! { <Afterwards forms /> }),
    }
}

/// Puts the form in its place.
pub(super) async fn fill(place: HtmlElement, owner: Owner, panel: Panel, which: Plain, forms: StoredValue<Forms>) {
    let Some(forms) = forms.try_get_value() else { return };
    if which == Plain::Files && forms.is_sealed {
        return sealed::start(place, owner, panel).await;
    }
    let needs_none = forms.kind == ParticipantKind::Admin;
    // Without them, the page is still a chat.
    let extras = if needs_none { Extras::default() } else { load_extras(forms.id).await.unwrap_or_default() };
    panel.if_alive(|| {
        // The chat may have been closed twice meanwhile.
        if place.first_element_child().is_some() {
            return;
        }
        owner.with(|| {
            let form = mount_to(place, move || form(which, Forms { extras, ..forms }));
            // It goes with the panel.
            StoredValue::new_local(form);
        });
    });
}
