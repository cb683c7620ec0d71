//! Making an account. Chats that this browser opened by link come along.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Name,
    ui::components::{Field, FormProblem, Frame, Layout, address},
};

#[component]
pub fn RegisterPage() -> impl IntoView {
    let next = use_query_map().get_untracked().get("next").unwrap_or_else(|| FormState::current().value("next"));
    with_viewer(move |viewer| {
        let next = next.clone();
        async move {
            let business = viewer.business.clone();
            let sign_in = address("/login", &[("next", &next)]);
            Ok(view! {
                <Frame viewer=viewer title="Register" layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">"Register"</h1>
                    <p class="sheet__lead">
                        {format!("With an account you can ask {business} to make something for you, and follow it.")}
                    </p>
                    <form class="form sheet__body" method="post" action="/register">
                        <FormProblem fields=&["name", "email", "password"] />
                        {(!next.is_empty()).then(|| view! { <input type="hidden" name="next" value=next /> })}
                        <Field name="name" label="Your name" autocomplete="name" max_chars=Name::MAX_CHARS focus=true />
                        <Field name="email" label="E-mail" kind="email" autocomplete="username" />
                        <NewPassword label="Password" />
                        <button class="button button--primary button--wide" type="submit">
                            "Create the account"
                        </button>
                    </form>
                    <p class="sheet__note">
                        "A chat that you opened by a link in this browser will be in your account too. " "Registered already? "
                        <a href=sign_in>"Sign in"</a> "."
                    </p>
                </Frame>
            }
            .into_any())
        }
    })
}
