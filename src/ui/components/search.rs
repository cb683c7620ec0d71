//! The search field of a page.

use leptos::prelude::*;

use super::{Icon, icon};
use crate::locales::{self, t};

/// Its name in the form is `q`.
#[component]
pub fn SearchField(
    label: &'static str,
    #[prop(default = t!(locales::current(), form::SEARCH))] placeholder: &'static str,
    value: String,
) -> impl IntoView {
    view! {
        <div class="search filters__search">
            <label class="visually-hidden" for="q">
                {label}
            </label>
            <Icon d=icon::SEARCH />
            <input
                class="search__input"
                id="q"
                type="search"
                name="q"
                placeholder=placeholder
                autocomplete="off"
                dir="auto"
                value=value
            />
        </div>
    }
}
