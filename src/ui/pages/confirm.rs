//! Confirming an e-mail address: reached by the link that was sent there.

use leptos::prelude::*;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    ui::components::{FormProblem, Frame, Layout, address},
};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let form = FormState::current();
        let (token, email) = (form.value("token"), form.value("email"));
        if token.is_empty() {
            return Err(Problem::not_found());
        }
        let content = match &*form.value("how") {
            "signed in" => view! {
                <h1 class="sheet__title">"Confirm your address"</h1>
                <p class="sheet__lead">{format!("Is {email} your e-mail address?")}</p>
                <form class="form sheet__body" method="post" action="/confirm">
                    <FormProblem fields=&[] />
                    <input type="hidden" name="token" value=token />
                    <button class="button button--primary button--wide" type="submit">
                        "Yes, confirm it"
                    </button>
                </form>
            }
            .into_any(),
            "password" => view! {
                <h1 class="sheet__title">"Confirm your address"</h1>
                <p class="sheet__lead">
                    {format!("There is an account with {email}. To confirm that it is yours, choose its password.")}
                </p>
                <form class="form sheet__body" method="post" action="/confirm">
                    <FormProblem fields=&["password"] />
                    <input type="hidden" name="token" value=token />
                    <NewPassword label="Password" />
                    <button class="button button--primary button--wide" type="submit">
                        "Confirm and sign in"
                    </button>
                </form>
                <p class="sheet__note">
                    "It can be the one that you chose when you registered. You will be signed in here, and signed out everywhere else. Did you not register? Then somebody gave your address, and there is nothing to do."
                </p>
            }
            .into_any(),
            _ => {
                let here = address("/confirm", &[("token", &token)]);
                let (way, words) = match &viewer.user {
                    Some(_) => ("/logout".to_owned(), "Sign out"),
                    None => (address("/login", &[("next", &here)]), "Sign in"),
                };
                view! {
                    <h1 class="sheet__title">"Sign in first"</h1>
                    <p class="sheet__lead">
                        {format!(
                            "{email} is to become the address of an account. Open the link again when you are signed in to that account in this browser.",
                        )}
                    </p>
                    <p class="sheet__body">
                        <a class="button button--primary" href=way>
                            {words}
                        </a>
                    </p>
                }
                .into_any()
            }
        };
        Ok(view! {
            <Frame viewer=viewer title="Confirm your address" layout=Layout::Sheet class="sheet">
                {content}
            </Frame>
        }
        .into_any())
    })
}
