//! The switch of languages. It reloads the page, so it works without a script.

use leptos::prelude::*;
use leptos_router::hooks::use_location;

use crate::{
    app::PageStatus,
    locales::{self, Locale},
};

/// A button for each other language. `class` is the class of each button, `next` the page's address.
#[component]
pub fn LanguageSwitch(class: &'static str, next: String) -> impl IntoView {
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

/// The address of the page that is being rendered. Error pages use the front page's, because they must be equal for
/// every address.
#[must_use]
pub fn this_page() -> String {
    if use_context::<PageStatus>().and_then(|status| status.get()).is_some() {
        return "/".to_owned();
    }
    let location = use_location();
    let query = location.search.get_untracked();
    location.pathname.get_untracked() + if query.is_empty() { "" } else { "?" } + &query
}
