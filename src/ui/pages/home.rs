//! The front page: what this is, and the way in.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    domain::Role,
    ui::components::{Frame, Layout},
};

#[component]
pub fn HomePage() -> impl IntoView {
    with_viewer(|viewer| async move { Ok(view! { <Home viewer=viewer /> }.into_any()) })
}

#[component]
fn Home(viewer: Viewer) -> impl IntoView {
    let business = viewer.business.clone();
    let action = match viewer.user.as_ref().map(|user| user.role) {
        Some(Role::Admin) => view! {
            <a class="button button--primary" href="/admin">
                "Go to the chats"
            </a>
        }
        .into_any(),
        Some(Role::Customer) => view! {
            <a class="button button--primary" href="/account">
                "Go to your requests"
            </a>
        }
        .into_any(),
        None => view! {
            <a class="button button--primary" href="/register">
                "Make a request"
            </a>
            <a class="button" href="/login">
                "Sign in"
            </a>
        }
        .into_any(),
    };
    view! {
        <Frame viewer=viewer title="" layout=Layout::Sheet class="home">
            <div class="home__text">
                <h1 class="home__title">"Made to order, talked over."</h1>
                <p class="home__lead">
                    {format!(
                        "This is where {business} and its customers agree on what a thing should be, and follow it \
                         until it is done. The people who make it are the ones who answer.",
                    )}
                </p>
                <div class="home__action">{action}</div>
                <p class="home__note">"Were you sent a link? Just open it. You need no account."</p>
            </div>
            <figure class="home__sample">
                <figcaption class="visually-hidden">"What a chat looks like"</figcaption>
                <ol>
                    <li class="message message--first">
                        <p class="message__row">
                            <span class="bubble">"The boards are here. The grain runs the long way, as you wanted."</span>
                        </p>
                    </li>
                    <li class="message message--own message--first">
                        <p class="message__row">
                            <span class="bubble">"Could the lowest shelf be 2 cm deeper?"</span>
                        </p>
                    </li>
                    <li class="message message--first">
                        <p class="message__row">
                            <span class="bubble">"Yes. I am changing the drawing."</span>
                        </p>
                    </li>
                </ol>
            </figure>
        </Frame>
    }
}
