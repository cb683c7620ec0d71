//! The first admin: reached once, by the link that the server prints while there is nobody yet.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::with_viewer;
use crate::{
    api::Viewer,
    app::FormState,
    domain::Problem,
    ui::components::{Field, FormProblem, Frame, Layout},
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
    view! {
        <Frame viewer=viewer title="Set up" layout=Layout::Sheet class="sheet">
            <h1 class="sheet__title">"Set up"</h1>
            <p class="sheet__lead">"You are the first here. This account can see and answer all chats."</p>
            <form class="form sheet__body" method="post" action="/setup">
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
                <Field
                    name="password"
                    label="Password"
                    kind="password"
                    help="At least 10 characters. A few words in a row are easy to remember."
                    autocomplete="new-password"
                    minlength=10
                />
                <button class="button button--primary button--wide" type="submit">
                    "Create the account"
                </button>
            </form>
        </Frame>
    }
}
