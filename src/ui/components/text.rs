//! Words that change while people look at them.

use leptos::prelude::*;

use super::Anew;

/// Text whose element is made anew with each change. A page translator takes the text out of an element and puts
/// its own there; what is written into the old text afterwards, nobody sees.
#[component]
pub fn Text(#[prop(into)] of: Signal<String>, #[prop(optional)] class: &'static str) -> impl IntoView {
    view! {
        <Anew value=move || of.get() let:words>
            <span class=class>{words}</span>
        </Anew>
    }
}
