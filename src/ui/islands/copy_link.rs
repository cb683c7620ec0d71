//! A link with a button that copies it.

use std::time::Duration;

use leptos::{html, prelude::*};

use crate::{
    client::page,
    locales::{self, t},
    ui::components::Text,
};

/// How long the button shows the result.
const SAID: Duration = Duration::from_secs(2);

/// A newly created link, which is shown once.
#[island(lazy)]
pub fn MadeLink(#[prop(into)] link: String, #[prop(into)] label: String) -> impl IntoView {
    view! { <CopyLink link label copy=t!(locales::current(), desk::COPY) class="copy made" field=NodeRef::new() /> }
}

/// The link as text to select and, for browsers with a script, the button.
#[component]
pub(super) fn CopyLink(
    link: String,
    #[prop(into)] label: String,
    #[prop(default = t!(locales::current(), desk::COPY_LINK))] copy: &'static str,
    #[prop(default = "copy")] class: &'static str,
    /// The input with the link, to select it.
    field: NodeRef<html::Input>,
) -> impl IntoView {
    let locale = locales::current();
    // Whether copying succeeded, for a moment after the attempt.
    let copied = RwSignal::new(None::<bool>);
    let text = link.clone();
    let press = move |_| {
        // Also selects the text, for browsers that copy only the selection, and for people.
        if let Some(field) = field.get_untracked() {
            field.select();
        }
        page::copy(&text, move |done| {
            copied.try_set(Some(done));
            set_timeout(
                move || {
                    copied.try_set(None);
                },
                SAID,
            );
        });
    };
    let words = move || match copied.get() {
        None => copy,
        Some(true) => t!(locale, desk::COPIED),
        Some(false) => t!(locale, desk::COPY_KEYS),
    };
    view! {
        <div class=class>
            <input class="input copy__input" readonly value=link aria-label=label node_ref=field />
            <button class="button" type="button" on:click=press>
                <Text of=move || words().to_owned() />
            </button>
        </div>
    }
}
