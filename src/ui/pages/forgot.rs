//! A new password by e-mail: the request for the link, and the choice of the password.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    locales::{self, t},
    ui::components::{Field, FormProblem, Frame, Layout},
};

#[component]
pub fn ForgotPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let locale = locales::current();
        let form = FormState::current();
        let sent = form.problem.is_none() && !form.value("email").is_empty();
        let content = if sent {
            view! {
                <h1 class="sheet__title">{t!(locale, forgot::SENT)}</h1>
                <p class="sheet__lead" role="status">
                    {t!(locale, forgot::on_its_way(&form.value("email")))}
                </p>
                <p class="sheet__note">{t!(locale, forgot::NOTHING_ARRIVED)}</p>
            }
            .into_any()
        } else {
            view! {
                <h1 class="sheet__title">{t!(locale, forgot::TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, forgot::WE_SEND_A_LINK)}</p>
                <form class="form sheet__body" method="post" action="/forgot">
                    <FormProblem fields=&["email"] />
                    <Field name="email" label=t!(locale, form::EMAIL) kind="email" autocomplete="username" focus=true />
                    <button class="button button--primary button--wide" type="submit">
                        {t!(locale, forgot::SEND)}
                    </button>
                </form>
                <p class="sheet__note">
                    <a href="/login">{t!(locale, forgot::BACK)}</a>
                </p>
            }
            .into_any()
        };
        Ok(view! {
            <Frame viewer=viewer title=t!(locale, form::NEW_PASSWORD) layout=Layout::Sheet class="sheet">
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
            let locale = locales::current();
            Ok(view! {
                <Frame viewer=viewer title=t!(locale, form::NEW_PASSWORD) layout=Layout::Sheet class="sheet">
                    <h1 class="sheet__title">{t!(locale, forgot::CHOOSE)}</h1>
                    <p class="sheet__lead">{t!(locale, forgot::SIGNED_OUT_ELSEWHERE)}</p>
                    <form class="form sheet__body" method="post" action="/reset">
                        <FormProblem fields=&["password"] />
                        <input type="hidden" name="token" value=token />
                        <NewPassword label=t!(locale, form::NEW_PASSWORD) />
                        <button class="button button--primary button--wide" type="submit">
                            {t!(locale, forgot::SAVE)}
                        </button>
                    </form>
                </Frame>
            }
            .into_any())
        }
    })
}
