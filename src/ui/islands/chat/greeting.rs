//! What the business shows to its customer above the first message.

use leptos::prelude::*;

use super::plain::Forms;
use crate::{
    api::Extras,
    domain::ParticipantKind,
    locales::{self, t},
};

#[component]
pub(super) fn Greeting(forms: Forms) -> impl IntoView {
    let locale = locales::current();
    let Forms { id, me, kind, key, is_sealed, from, extras, .. } = forms;
    // In a sealed chat, the script encrypts the sentence. Without it, this form sends nothing.
    let method = if is_sealed { "dialog" } else { "post" };
    let Extras { welcome, privacy, suggestions, .. } = extras;
    let paragraph = |class: &'static str, words: String| {
        (!words.is_empty()).then(|| {
            view! {
                <p class=class dir="auto">
                    {words}
                </p>
            }
        })
    };
    let suggestion = |words: String| {
        let value = words.clone();
        view! {
            <button class="button button--small" type="submit" name="content" value=value dir="auto">
                {words}
            </button>
        }
    };
    view! {
        {paragraph("greeting__words greeting__words--welcome", welcome)}
        {paragraph("greeting__words", privacy)}
        {(kind == ParticipantKind::Guest)
            .then(|| {
                view! {
                    <p>
                        <a class="button button--quiet button--small" href="/account">
                            {t!(locale, account::YOUR_CHATS)}
                        </a>
                    </p>
                }
            })}
        {(!suggestions.is_empty())
            .then(|| {
                view! {
                    // The style hides it once there is a message.
                    <form class="greeting__suggestions" method=method action=format!("/chat/{id}")>
                        <input type="hidden" name="client_id" value=key.to_string() />
                        <input type="hidden" name="as" value=me.to_string() />
                        {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
                        <p class="visually-hidden">{t!(locale, chat::SUGGESTIONS)}</p>
                        {suggestions.into_iter().map(suggestion).collect_view()}
                    </form>
                }
            })}
    }
}
