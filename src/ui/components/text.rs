//! Text that changes while it is shown.

use leptos::prelude::*;

use super::Anew;

/// Text whose element is replaced at each change. A page translator replaces the text of an element with its own.
/// Later changes of the original text node would stay invisible.
#[component]
pub fn Text(#[prop(into)] of: Signal<String>, #[prop(optional)] class: &'static str) -> impl IntoView {
    view! {
        <Anew value=move || of.get() let:words>
            <span class=class>{words}</span>
        </Anew>
    }
}
