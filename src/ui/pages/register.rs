//! Registration. The new account takes over the chats that this browser opened by link.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Name,
    locales::{self, t},
    ui::components::{Field, FormProblem, Frame, Layout, address},
};

#[component]
pub fn RegisterPage() -> impl IntoView {
    let next = use_query_map().get_untracked().get("next").unwrap_or_else(|| FormState::current().value("next"));
    with_viewer(move |viewer| {
        let next = next.clone();
        async move {
            let locale = locales::current();
            let business = viewer.business.clone();
            let sign_in = address("/login", &[("next", &next)]);
            Ok(view! {
                <Frame viewer=viewer title=t!(locale, frame::REGISTER) layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">{t!(locale, frame::REGISTER)}</h1>
                    <p class="sheet__lead">{t!(locale, register::lead(&business))}</p>
                    <form class="form sheet__body" method="post" action="/register">
                        <FormProblem fields=&["name", "email", "password"] />
                        {(!next.is_empty()).then(|| view! { <input type="hidden" name="next" value=next /> })}
                        <Field
                            name="name"
                            label=t!(locale, form::YOUR_NAME)
                            autocomplete="name"
                            max_chars=Name::MAX_CHARS
                            focus=true
                        />
                        <Field name="email" label=t!(locale, form::EMAIL) kind="email" autocomplete="username" />
                        <NewPassword label=t!(locale, form::PASSWORD) />
                        <button class="button button--primary button--wide" type="submit">
                            {t!(locale, form::CREATE_ACCOUNT)}
                        </button>
                    </form>
                    <p class="sheet__note">
                        {t!(locale, register::CHATS_COME_ALONG)} " " {t!(locale, register::ALREADY_REGISTERED)} " "
                        <a href=sign_in>{t!(locale, frame::SIGN_IN)}</a>
                    </p>
                </Frame>
            }
            .into_any())
        }
    })
}
