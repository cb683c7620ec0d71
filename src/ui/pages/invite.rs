//! Creates an admin's account; another admin's invitation link opens this page.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewAdminForm, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn InvitePage() -> impl IntoView {
    let token = use_query_map().get_untracked().get("token").unwrap_or_else(|| FormState::current().value("token"));
    with_viewer(move |viewer| {
        let token = token.clone();
        async move {
            if token.is_empty() {
                return Err(Problem::not_found());
            }
            let business = viewer.business.clone();
            let locale = locales::current();
            Ok(view! {
                <Frame viewer=viewer title=t!(locale, invite::TITLE) layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">{t!(locale, invite::join(&business))}</h1>
                    <p class="sheet__lead">{t!(locale, invite::LEAD)}</p>
                    <NewAdminForm action="/invite" token=token />
                    <p class="sheet__note">{t!(locale, invite::HAVE_AN_ACCOUNT)}</p>
                </Frame>
            }
            .into_any())
        }
    })
}
