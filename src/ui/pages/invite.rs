//! Becoming an admin: reached by the link that another admin made.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewAdminForm, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
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
            Ok(view! {
                <Frame viewer=viewer title="Join" layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">{format!("Join {business}")}</h1>
                    <p class="sheet__lead">"You were invited as an admin: this account can see and answer all chats."</p>
                    <NewAdminForm action="/invite" token=token />
                    <p class="sheet__note">
                        "Do you have an account already? Then ask an admin to change its role under People."
                    </p>
                </Frame>
            }
            .into_any())
        }
    })
}
