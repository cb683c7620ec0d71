//! Becoming an admin: reached by the link that another admin made.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    ui::components::{Field, FormProblem, Frame, Layout},
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
                    <form class="form sheet__body" method="post" action="/invite">
                        <FormProblem fields=&["name", "email", "password"] />
                        <input type="hidden" name="token" value=token />
                        <Field
                            name="name"
                            label="Your name"
                            help="Customers see it beside your messages."
                            autocomplete="name"
                            maxlength=100
                            focus=true
                        />
                        <Field name="email" label="E-mail" kind="email" autocomplete="username" />
                        <NewPassword label="Password" />
                        <button class="button button--primary button--wide" type="submit">
                            "Create the account"
                        </button>
                    </form>
                    <p class="sheet__note">
                        "Do you have an account already? Then ask an admin to change its role under People."
                    </p>
                </Frame>
            }
            .into_any())
        }
    })
}
