//! The frame of every page: title, skip link, header with the business's name, main.

use leptos::prelude::*;

use super::{Icon, LanguageSwitch, TabTitle, icon, this_page};
use crate::{
    api::Viewer,
    client::page,
    domain::{ParticipantId, Role, User},
    locales::{self, t},
};

/// The layout of a page in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// A text or a form, as high as its content.
    Sheet,
    /// A tool, as high as the window.
    App,
    /// Without a header: the page has its own.
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
    let locale = locales::current();
    let site = match layout {
        Layout::Sheet => "site",
        Layout::App => "site site--app",
        Layout::Bare => "site site--bare",
    };
    // Signed-in people have the switch in their menu.
    let has_foot = layout == Layout::Sheet && viewer.user.is_none();
    let tab = if title.is_empty() { viewer.business.clone() } else { format!("{title} · {}", viewer.business) };
    // On connecting, islands compare it with the signed-in person: a page belongs to one person.
    let whose = viewer.user.as_ref().map(|user| user.id.to_string());
    let me = viewer.user.as_ref().map(|user| ParticipantId::from(user.id).to_string());
    // The switch for notifications shows it.
    let push = viewer.push.map(|id| id.to_string());
    view! {
        <TabTitle text=tab />
        <div class=site data-viewer=whose data-me=me data-push=push>
            <div class="notice notice--danger estranged" id=page::ESTRANGED role="alert" hidden>
                <p>{t!(locale, frame::SOMEBODY_ELSE)}</p>
                <button class="button button--small" type="button">
                    {t!(locale, frame::RELOAD)}
                </button>
            </div>
            <a class="skip" href="#main">
                {t!(locale, frame::SKIP)}
            </a>
            {(layout != Layout::Bare).then(|| view! { <Head viewer=viewer /> })}
            <main class=class id="main" tabindex="-1">
                {children()}
            </main>
            {has_foot
                .then(|| {
                    view! {
                        <footer class="foot">
                            <LanguageSwitch class="link-button" next=this_page() />
                        </footer>
                    }
                })}
        </div>
    }
}

#[component]
fn Head(viewer: Viewer) -> impl IntoView {
    let locale = locales::current();
    let Viewer { user, business, .. } = viewer;
    let nav = match user {
        None => view! {
            <a class="button button--quiet button--small" href="/register">
                {t!(locale, frame::REGISTER)}
            </a>
            <a class="button button--quiet button--small" href="/login">
                {t!(locale, frame::SIGN_IN)}
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
            <nav class="head__nav" aria-label=t!(locale, frame::ACCOUNT)>
                {nav}
            </nav>
        </header>
    }
}

#[component]
fn SignedIn(user: User) -> impl IntoView {
    let locale = locales::current();
    let places: &[(&str, &str)] = match user.role {
        Role::Admin => &[("/admin", t!(locale, frame::CHATS)), ("/admin/requests", t!(locale, frame::REQUESTS))],
        Role::Customer => &[("/account", t!(locale, frame::MY_ACCOUNT))],
    };
    let more: &[(&str, &str)] = match user.role {
        Role::Admin => &[
            ("/account", t!(locale, frame::PROFILE_AND_SECURITY)),
            ("/admin/settings", t!(locale, settings::TITLE)),
            ("/admin/people", t!(locale, frame::PEOPLE)),
            ("/admin/tokens", t!(locale, frame::API_TOKENS)),
        ],
        Role::Customer => &[
            ("/account?tab=profile", t!(locale, frame::PROFILE)),
            ("/account?tab=security", t!(locale, frame::SECURITY)),
        ],
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
                    <span class="visually-hidden">{t!(locale, frame::SIGNED_IN_AS)}</span>
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
                    .collect_view()} <LanguageSwitch class="menu__item" next=this_page() /> <form method="post" action="/logout">
                    <button class="menu__item" type="submit">
                        {t!(locale, frame::SIGN_OUT)}
                    </button>
                </form>
            </div>
        </details>
    }
}

/// The product's logo: a speech bubble with two rows of stitches.
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
