//! What went wrong with something that was sent without loading a page.

use leptos::prelude::*;

/// Is read out when it appears.
#[component]
pub fn Refusal(words: RwSignal<Option<String>>) -> impl IntoView {
    view! {
        <For each=move || words.get() key=Clone::clone let:words>
            <p class="field__error" role="alert">
                {words}
            </p>
        </For>
    }
}
