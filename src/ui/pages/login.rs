//! Sign-in. The form posts to `/login`; after an error the server shows this page again.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::with_viewer;
use crate::{
    api::Viewer,
    app::FormState,
    locales::{self, t},
    ui::components::{Field, FormProblem, Frame, Layout, address},
};

#[component]
pub fn LoginPage() -> impl IntoView {
    let next = use_query_map().get_untracked().get("next").unwrap_or_else(|| FormState::current().value("next"));
    with_viewer(move |viewer| {
        let next = next.clone();
        async move { Ok(view! { <Login viewer=viewer next=next /> }.into_any()) }
    })
}

#[component]
fn Login(viewer: Viewer, next: String) -> impl IntoView {
    let locale = locales::current();
    let business = viewer.business.clone();
    let register = address("/register", &[("next", &next)]);
    view! {
        <Frame viewer=viewer title=t!(locale, frame::SIGN_IN) layout=Layout::Sheet class="sheet">
            <h1 class="sheet__title">{t!(locale, frame::SIGN_IN)}</h1>
            <form class="form sheet__body" method="post" action="/login">
                <FormProblem fields=&["email", "password"] />
                {(!next.is_empty()).then(|| view! { <input type="hidden" name="next" value=next /> })}
                <Field name="email" label=t!(locale, form::EMAIL) kind="email" autocomplete="username" focus=true />
                <Field
                    name="password"
                    label=t!(locale, form::PASSWORD)
                    kind="password"
                    autocomplete="current-password"
                />
                <button class="button button--primary button--wide" type="submit">
                    {t!(locale, frame::SIGN_IN)}
                </button>
            </form>
            <p class="sheet__links">
                <a href="/forgot">{t!(locale, forgot::TITLE)}</a>
                <a href=register>{t!(locale, frame::REGISTER)}</a>
            </p>
            <p class="sheet__note">{t!(locale, login::got_a_link(&business))}</p>
        </Frame>
    }
}
