//! Signing out: asks first, because a link must not be able to sign people out.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    ui::components::{Frame, Layout},
};

#[component]
pub fn LogoutPage() -> impl IntoView {
    with_viewer(|viewer| async move { Ok(view! { <Logout viewer=viewer /> }.into_any()) })
}

#[component]
fn Logout(viewer: Viewer) -> impl IntoView {
    let name = viewer.user.as_ref().map(|user| user.name.to_string());
    let content = match name {
        Some(name) => view! {
            <h1 class="sheet__title">"Sign out?"</h1>
            <p class="sheet__lead">{format!("You are signed in as {name}.")}</p>
            <form class="form__actions sheet__body" method="post" action="/logout">
                <button class="button button--primary" type="submit">
                    "Sign out"
                </button>
                <a class="button button--quiet" href="/">
                    "Stay signed in"
                </a>
            </form>
        }
        .into_any(),
        None => view! {
            <h1 class="sheet__title">"You are signed out"</h1>
            <p class="sheet__body">
                <a class="button" href="/login">
                    "Sign in"
                </a>
            </p>
        }
        .into_any(),
    };
    view! {
        <Frame viewer=viewer title="Sign out" layout=Layout::Sheet class="sheet">
            {content}
        </Frame>
    }
}
