//! The frame around every page: title, skip link, head with the business's name, main.

use leptos::prelude::*;

use super::{Icon, TabTitle, icon};
use crate::{
    api::Viewer,
    domain::{ParticipantId, Role, User},
};

/// How a page fills the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A text or a form: as long as it is.
    Sheet,
    /// A tool: as high as the window.
    App,
    /// Without a head: the page brings its own.
    Bare,
}

/// `title` names the page in the tab, before the business's name.
#[component]
pub fn Frame(
    viewer: Viewer,
    #[prop(into)] title: String,
    layout: Layout,
    /// Classes of the main part.
    #[prop(optional)]
    class: &'static str,
    children: Children,
) -> impl IntoView {
    let site = match layout {
        Layout::Sheet => "site",
        Layout::App => "site site--app",
        Layout::Bare => "site site--bare",
    };
    let tab = if title.is_empty() { viewer.business.clone() } else { format!("{title} · {}", viewer.business) };
    // Islands compare it with who is signed in when they connect: a page belongs to one person.
    let whose = viewer.user.as_ref().map(|user| user.id.to_string());
    let me = viewer.user.as_ref().map(|user| ParticipantId::from(user.id).to_string());
    view! {
        <TabTitle text=tab />
        <div class=site data-viewer=whose data-me=me>
            <div class="notice notice--danger estranged" role="alert" hidden>
                <p>"You are signed in as somebody else in this browser now. Reload to go on."</p>
                <button class="button button--small" type="button">
                    "Reload"
                </button>
            </div>
            <a class="skip" href="#main">
                "Skip to the content"
            </a>
            {(layout != Layout::Bare).then(|| view! { <Head viewer=viewer /> })}
            <main class=class id="main" tabindex="-1">
                {children()}
            </main>
        </div>
    }
}

#[component]
fn Head(viewer: Viewer) -> impl IntoView {
    let Viewer { user, business, .. } = viewer;
    let nav = match user {
        None => view! {
            <a class="button button--quiet button--small" href="/register">
                "Register"
            </a>
            <a class="button button--quiet button--small" href="/login">
                "Sign in"
            </a>
        }
        .into_any(),
        Some(user) => view! { <SignedIn user=user /> }.into_any(),
    };
    view! {
        <header class="head">
            <a class="head__name" href="/">
                <Mark />
                <span>{business}</span>
            </a>
            <nav class="head__nav" aria-label="Account">
                {nav}
            </nav>
        </header>
    }
}

#[component]
fn SignedIn(user: User) -> impl IntoView {
    let places: &[(&str, &str)] = match user.role {
        Role::Admin => &[("/admin", "Chats"), ("/admin/requests", "Requests")],
        Role::Customer => &[("/account", "My account")],
    };
    let more: &[(&str, &str)] = match user.role {
        Role::Admin => {
            &[("/account", "Profile and security"), ("/admin/people", "People"), ("/admin/tokens", "API tokens")]
        }
        Role::Customer => &[("/account?tab=profile", "Profile"), ("/account?tab=security", "Security")],
    };
    let name = user.name.to_string();
    view! {
        {places
            .iter()
            .map(|(address, name)| {
                view! {
                    <a class="button button--quiet button--small" href=*address>
                        {*name}
                    </a>
                }
            })
            .collect_view()}
        <details class="menu head__menu">
            <summary class="button button--quiet button--small">
                <span class="head__viewer">
                    <span class="visually-hidden">"Signed in as "</span>
                    {name}
                </span>
                <Icon d=icon::UNFOLD />
            </summary>
            <div class="menu__list">
                {more
                    .iter()
                    .map(|(address, name)| {
                        view! {
                            <a class="menu__item" href=*address>
                                {*name}
                            </a>
                        }
                    })
                    .collect_view()} <form method="post" action="/logout">
                    <button class="menu__item" type="submit">
                        "Sign out"
                    </button>
                </form>
            </div>
        </details>
    }
}

/// The sign of the product: a speech bubble with two rows of stitches.
#[component]
pub fn Mark() -> impl IntoView {
    view! {
        <svg class="mark" viewBox="0 0 28 28" aria-hidden="true">
            <path
                fill="currentColor"
                d="M6 3h16a4 4 0 0 1 4 4v11a4 4 0 0 1-4 4h-8l-6 5v-5H6a4 4 0 0 1-4-4V7a4 4 0 0 1 4-4Z"
            ></path>
            <path class="mark__stitch" d="M7 10h3.5m3.5 0h3.5M7 15h3.5m3.5 0h1"></path>
        </svg>
    }
}
