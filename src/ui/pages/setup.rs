//! Creates the first admin. The server prints the link to this page while there is none.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewAdminForm, with_viewer};
use crate::{
    api::Viewer,
    app::FormState,
    domain::Problem,
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn SetupPage() -> impl IntoView {
    let token = use_query_map().get_untracked().get("token").unwrap_or_else(|| FormState::current().value("token"));
    with_viewer(move |viewer| {
        let token = token.clone();
        async move {
            if token.is_empty() {
                return Err(Problem::not_found());
            }
            Ok(view! { <Setup viewer=viewer token=token /> }.into_any())
        }
    })
}

#[component]
fn Setup(viewer: Viewer, token: String) -> impl IntoView {
    let locale = locales::current();
    view! {
        <Frame viewer=viewer title=t!(locale, setup::TITLE) layout=Layout::Sheet class="sheet">
            <h1 class="sheet__title">{t!(locale, setup::TITLE)}</h1>
            <p class="sheet__lead">{t!(locale, setup::LEAD)}</p>
            <NewAdminForm action="/setup" token=token />
        </Frame>
    }
}
