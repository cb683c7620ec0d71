//! A link with a button that copies it.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlInputElement};

use crate::client::{
    markup::{Element as Markup, el},
    page,
    paint::say,
};

/// How long the button says what it did.
const SAID: Duration = Duration::from_secs(2);
const COPIED: &str = "Copied";
const PRESS_KEYS: &str = "Press Ctrl + C";

/// The link as text to select and, for browsers with a script, the button.
pub(super) fn copy_link(link: &str) -> Markup {
    let shown = el("input", "input copy__input").attr("readonly", "").attr("value", link.to_owned());
    let button = el("button", "button").attr("type", "button").attr("data-act", "copy").text("Copy link");
    el("div", "copy").with(shown.attr("aria-label", "Link to this chat")).with(button)
}

/// The same where a page is written with `view!`.
#[component]
pub(super) fn CopyLink(link: String) -> impl IntoView {
    view! {
        <div class="copy">
            <input class="input copy__input" readonly value=link aria-label="Link to this chat" />
            <button class="button" type="button" data-act="copy">
                "Copy link"
            </button>
        </div>
    }
}

wakes! {
    /// Wakes the button inside it.
    LiveCopy, || {
        if let Ok(Some(root)) = document().query_selector(".made") {
            offer_copy(&root);
        }
    }
}

/// Something that was just made and is shown once. One of these stands on a page.
#[component]
pub fn MadeLink(link: String, label: &'static str) -> impl IntoView {
    view! {
        <LiveCopy>
            <div class="copy made">
                <input class="input copy__input" readonly value=link aria-label=label />
                <button class="button" type="button" data-act="copy">
                    "Copy"
                </button>
            </div>
        </LiveCopy>
    }
}

/// Lets the buttons in `root` copy.
pub(super) fn offer_copy(root: &Element) {
    page::on(root, "click", pressed);
}

fn pressed(event: &Event) {
    let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
    let Some(button) = target.and_then(|target| target.closest("[data-act=copy]").ok()?) else { return };
    let input = button.parent_element().and_then(|copy| copy.query_selector("input").ok()?);
    let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) else { return };
    // Also for browsers that copy only what is selected, and for people.
    input.select();
    let words = button.text_content().unwrap_or_default();
    page::copy(&input.value(), move |copied| {
        say(&button, if copied { COPIED } else { PRESS_KEYS });
        // Pressed twice in a row, the button says already what it did.
        if words != COPIED && words != PRESS_KEYS {
            set_timeout(move || say(&button, &words), SAID);
        }
    });
}
