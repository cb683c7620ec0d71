//! Confirms an e-mail address; the link that was sent there opens this page.

use leptos::prelude::*;

use super::{NewPassword, with_viewer};
use crate::{
    app::FormState,
    domain::Problem,
    locales::{self, t},
    ui::components::{FormProblem, Frame, Layout, address},
};

#[component]
pub fn ConfirmPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let locale = locales::current();
        let form = FormState::current();
        let (token, email) = (form.value("token"), form.value("email"));
        if token.is_empty() {
            return Err(Problem::not_found());
        }
        let content = match &*form.value("how") {
            "signed in" => view! {
                <h1 class="sheet__title">{t!(locale, confirm::TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, confirm::is_it_yours(&email))}</p>
                <form class="form sheet__body" method="post" action="/confirm">
                    <FormProblem fields=&[] />
                    <input type="hidden" name="token" value=token />
                    <button class="button button--primary button--wide" type="submit">
                        {t!(locale, confirm::CONFIRM)}
                    </button>
                </form>
            }
            .into_any(),
            "password" => view! {
                <h1 class="sheet__title">{t!(locale, confirm::TITLE)}</h1>
                <p class="sheet__lead">{t!(locale, confirm::choose_password(&email))}</p>
                <form class="form sheet__body" method="post" action="/confirm">
                    <FormProblem fields=&["password"] />
                    <input type="hidden" name="token" value=token />
                    <NewPassword label=t!(locale, form::PASSWORD) />
                    <button class="button button--primary button--wide" type="submit">
                        {t!(locale, confirm::CONFIRM_AND_SIGN_IN)}
                    </button>
                </form>
                <p class="sheet__note">{t!(locale, confirm::NOTE)}</p>
            }
            .into_any(),
            _ => {
                let here = address("/confirm", &[("token", &token)]);
                let (way, words) = match &viewer.user {
                    Some(_) => ("/logout".to_owned(), t!(locale, frame::SIGN_OUT)),
                    None => (address("/login", &[("next", &here)]), t!(locale, frame::SIGN_IN)),
                };
                view! {
                    <h1 class="sheet__title">{t!(locale, confirm::SIGN_IN_FIRST)}</h1>
                    <p class="sheet__lead">{t!(locale, confirm::sign_in_to_confirm(&email))}</p>
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
            <Frame viewer=viewer title=t!(locale, confirm::TITLE) layout=Layout::Sheet class="sheet">
                {content}
            </Frame>
        }
        .into_any())
    })
}
