//! A new password by e-mail: asking for the link, and choosing the password with it.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    ui::components::{Field, FormProblem, Frame, Layout},
};

#[component]
pub fn ForgotPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let form = FormState::current();
        let sent = form.problem.is_none() && !form.value("email").is_empty();
        let content = if sent {
            view! {
                <h1 class="sheet__title">"Look into your mailbox"</h1>
                <p class="sheet__lead" role="status">
                    {format!(
                        "If {} has an account here, a link to choose a new password is on its way. It works for two hours.",
                        form.value("email"),
                    )}
                </p>
                <p class="sheet__note">"Nothing there? Look among unwanted mail, or ask us directly."</p>
            }
            .into_any()
        } else {
            view! {
                <h1 class="sheet__title">"Forgot your password?"</h1>
                <p class="sheet__lead">"We send you a link with which you can choose a new one."</p>
                <form class="form sheet__body" method="post" action="/forgot">
                    <FormProblem fields=&["email"] />
                    <Field name="email" label="E-mail" kind="email" autocomplete="username" focus=true />
                    <button class="button button--primary button--wide" type="submit">
                        "Send me the link"
                    </button>
                </form>
                <p class="sheet__note">
                    <a href="/login">"Back to sign in"</a>
                </p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame viewer=viewer title="New password" layout=Layout::Sheet class="sheet">
                {content}
            </Frame>
        }
        .into_any())
    })
}

#[component]
pub fn ResetPage() -> impl IntoView {
    let token = use_query_map().get_untracked().get("token").unwrap_or_else(|| FormState::current().value("token"));
    with_viewer(move |viewer| {
        let token = token.clone();
        async move {
            if token.is_empty() {
                return Err(Problem::not_found());
            }
            Ok(view! {
                <Frame viewer=viewer title="New password" layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">"Choose a new password"</h1>
                    <p class="sheet__lead">"You will be signed in here, and signed out everywhere else."</p>
                    <form class="form sheet__body" method="post" action="/reset">
                        <FormProblem fields=&["password"] />
                        <input type="hidden" name="token" value=token />
                        <NewPassword label="New password" />
                        <button class="button button--primary button--wide" type="submit">
                            "Save and sign in"
                        </button>
                    </form>
                </Frame>
            }
            .into_any())
        }
    })
}
