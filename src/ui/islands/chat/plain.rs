//! The parts of a panel that are plain forms also with scripts: the server answers with the chat's page.
//!
//! The client does not hydrate them, so that a first visit does not load their code. In a chat that the browser
//! renders itself, a part of the client does.

use leptos::{either::Either, html, lazy, mount::mount_to, prelude::*, task::spawn_local};
use web_sys::HtmlElement;

use super::{closed::Afterwards, files::FilesForm};
use crate::domain::{ClientId, ConversationId, ParticipantId, Rating};

/// The content of the forms.
#[derive(Clone)]
pub(super) struct Forms {
    pub id: ConversationId,
    pub me: ParticipantId,
    /// The key of a message with files.
    pub key: ClientId,
    /// The page that the forms return to, if not the chat's own.
    pub from: Option<String>,
    /// The customer side's rating of the closed chat.
    pub rating: Option<Rating>,
    /// Whether the transcript can go to the customer by e-mail.
    pub has_email: bool,
    /// The comment of a rejected rating.
    pub comment: String,
    /// Whether the transcript has just been sent.
    pub mailed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Plain {
    Files,
    Afterwards,
}

#[component]
pub(super) fn PlainForm(which: Plain, forms: Forms) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    let owner = Owner::current();
    let html = if cfg!(target_arch = "wasm32") { String::new() } else { form(which, forms.clone()).to_html() };
    Effect::new(move || {
        if let (Some(place), Some(owner)) = (place.get(), owner.clone())
            && place.first_element_child().is_none()
        {
            spawn_local(fill(place.into(), owner, which, forms.clone()));
        }
    });
    view! { <div class="plain" node_ref=place inner_html=html></div> }
}

fn form(which: Plain, forms: Forms) -> impl IntoView {
    match which {
        Plain::Files => Either::Left(view! { <FilesForm forms /> }),
        Plain::Afterwards => Either::Right(view! { <Afterwards forms /> }),
    }
}

#[lazy]
async fn fill(place: HtmlElement, owner: Owner, which: Plain, forms: Forms) {
    owner.with(|| {
        let form = mount_to(place, move || form(which, forms));
        // It goes with the panel.
        StoredValue::new_local(form);
    });
}
