//! A button that copies the link beside it.

use std::time::Duration;

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlInputElement};

use crate::client::page;

/// How long the button says what it did.
const SAID: Duration = Duration::from_secs(2);

/// Stands in a `.copy`, after the input that shows the link.
#[component]
pub(super) fn CopyButton(link: String) -> impl IntoView {
    // Without a script there is nothing to press: the link is selected by hand.
    let awake = RwSignal::new(false);
    let said = RwSignal::new("");
    Effect::new(move || awake.set(true));
    let copy = move |event: web_sys::MouseEvent| {
        let button = event.current_target().and_then(|target| target.dyn_into::<Element>().ok());
        select_beside(button.as_ref());
        page::copy(&link, move |copied| {
            said.set(if copied { "Copied" } else { "Press Ctrl + C to copy" });
            set_timeout(move || said.set(""), SAID);
        });
    };
    view! {
        <button class="button" type="button" hidden=move || !awake.get() on:click=copy>
            <span aria-hidden="true">{move || if said.get().is_empty() { "Copy link" } else { said.get() }}</span>
            <span class="visually-hidden">"Copy link"</span>
        </button>
        <span class="visually-hidden" role="status">
            {move || said.get()}
        </span>
    }
}

/// Selects the link that is shown, for browsers that copy only what is selected, and for people.
fn select_beside(button: Option<&Element>) {
    let input =
        button.and_then(|button| button.closest(".copy").ok()?).and_then(|copy| copy.query_selector("input").ok()?);
    if let Some(input) = input.and_then(|input| input.dyn_into::<HtmlInputElement>().ok()) {
        input.select();
    }
}
