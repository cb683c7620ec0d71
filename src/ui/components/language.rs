//! The way to another language. Loads the page again, so it works without a script.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::locales::{self, Locale};

/// A button for each language that the page is not in. `class` is each button's.
#[component]
pub fn LanguageSwitch(class: &'static str) -> impl IntoView {
    let location = use_location();
    let query = location.search.get_untracked();
    let next = location.pathname.get_untracked() + if query.is_empty() { "" } else { "?" } + &query;
    let others = Locale::ALL.into_iter().filter(|&other| other != locales::current());
    let buttons = others
        .map(|other| {
            view! {
                <button class=class type="submit" name="language" value=other.tag() lang=other.tag()>
                    {other.name()}
                </button>
            }
        })
        .collect_view();
    view! {
        <form method="post" action="/language">
            <input type="hidden" name="next" value=next />
            {buttons}
        </form>
    }
}
