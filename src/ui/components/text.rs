//! Words that change while people look at them.

use leptos::prelude::*;

/// Text whose element is made anew with each change. A page translator takes the text out of an element and puts
/// its own there; what is written into the old text afterwards, nobody sees.
#[component]
pub fn Text(#[prop(into)] of: Signal<String>, #[prop(optional)] class: &'static str) -> impl IntoView {
    view! {
        <For each=move || [of.get()] key=Clone::clone let:words>
            <span class=class>{words}</span>
        </For>
    }
}
