//! Sign-out. It needs a confirmation, because a link must not be able to sign people out.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn LogoutPage() -> impl IntoView {
    with_viewer(|viewer| async move { Ok(view! { <Logout viewer=viewer /> }.into_any()) })
}

#[component]
fn Logout(viewer: Viewer) -> impl IntoView {
    let locale = locales::current();
    let name = viewer.user.as_ref().map(|user| user.name.to_string());
    let content = match name {
        Some(name) => view! {
            <h1 class="sheet__title">{t!(locale, logout::TITLE)}</h1>
            <p class="sheet__lead">{t!(locale, logout::signed_in_as(&name))}</p>
            <form class="form__actions sheet__body" method="post" action="/logout">
                <button class="button button--primary" type="submit">
                    {t!(locale, frame::SIGN_OUT)}
                </button>
                <a class="button button--quiet" href="/">
                    {t!(locale, logout::STAY)}
                </a>
            </form>
        }
        .into_any(),
        None => view! {
            <h1 class="sheet__title">{t!(locale, logout::SIGNED_OUT)}</h1>
            <p class="sheet__body">
                <a class="button" href="/login">
                    {t!(locale, frame::SIGN_IN)}
                </a>
            </p>
        }
        .into_any(),
    };
    view! {
        <Frame viewer=viewer title=t!(locale, frame::SIGN_OUT) layout=Layout::Sheet class="sheet">
            {content}
        </Frame>
    }
}
