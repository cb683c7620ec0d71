//! The error of an action that was sent without loading a page.

use leptos::prelude::*;

use super::Anew;

/// Screen readers read it when it appears.
#[component]
pub fn Refusal(words: RwSignal<Option<String>>) -> impl IntoView {
    view! {
        <Anew value=move || words.get() let:words>
            {words
                .map(|words| {
                    view! {
                        <p class="field__error" role="alert">
                            {words}
                        </p>
                    }
                })}
        </Anew>
    }
}
