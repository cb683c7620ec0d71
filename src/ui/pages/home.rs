//! The front page: a description, and the links to sign in.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    domain::Role,
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn HomePage() -> impl IntoView {
    with_viewer(|viewer| async move { Ok(view! { <Home viewer=viewer /> }.into_any()) })
}

#[component]
fn Home(viewer: Viewer) -> impl IntoView {
    let locale = locales::current();
    let business = viewer.business.clone();
    let action = match viewer.user.as_ref().map(|user| user.role) {
        Some(Role::Admin) => view! {
            <a class="button button--primary" href="/admin">
                {t!(locale, home::GO_TO_CHATS)}
            </a>
        }
        .into_any(),
        Some(Role::Customer) => view! {
            <a class="button button--primary" href="/account">
                {t!(locale, home::GO_TO_REQUESTS)}
            </a>
        }
        .into_any(),
        None => view! {
            <a class="button button--primary" href="/register">
                {t!(locale, requests::MAKE)}
            </a>
            <a class="button" href="/login">
                {t!(locale, frame::SIGN_IN)}
            </a>
        }
        .into_any(),
    };
    view! {
        <Frame viewer=viewer title="" layout=Layout::Sheet class="home">
            <div class="home__text">
                <h1 class="home__title">{t!(locale, home::TITLE)}</h1>
                <p class="home__lead">{t!(locale, home::lead(&business))}</p>
                <div class="home__action">{action}</div>
                <p class="home__note">{t!(locale, home::GOT_A_LINK)}</p>
            </div>
            <figure class="home__sample">
                <figcaption class="visually-hidden">{t!(locale, home::SAMPLE)}</figcaption>
                <ol>
                    <li class="message message--first">
                        <p class="message__row">
                            <span class="bubble">{t!(locale, home::SAMPLE_NEWS)}</span>
                        </p>
                    </li>
                    <li class="message message--own message--first">
                        <p class="message__row">
                            <span class="bubble">{t!(locale, home::SAMPLE_QUESTION)}</span>
                        </p>
                    </li>
                    <li class="message message--first">
                        <p class="message__row">
                            <span class="bubble">{t!(locale, home::SAMPLE_ANSWER)}</span>
                        </p>
                    </li>
                </ol>
            </figure>
        </Frame>
    }
}
