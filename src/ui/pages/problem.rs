//! The page of a problem: what happened, what to do, a way back.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    app::{FormState, PageStatus},
    domain::{Code, Problem, Role},
    locales::{self, t},
    ui::components::{Frame, Layout},
};

/// The page for an unknown address. It is the same for a chat or link that the viewer may not see, so that the two
/// are indistinguishable. The server also shows it for every other problem without a page of its own.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    with_viewer(|_| async { Err(FormState::current().problem.unwrap_or_else(Problem::not_found)) })
}

#[component]
pub fn ProblemPage(viewer: Viewer, problem: Problem) -> impl IntoView {
    let locale = locales::current();
    PageStatus::request(problem.code.status());
    let (title, text) = match problem.code {
        Code::NotFound => (t!(locale, problem_page::NOTHING_HERE), t!(locale, problem_page::GONE).to_owned()),
        code => (code.title(locale), problem.message),
    };
    // The same text for existing and unknown chats, wrong links and missing cookies.
    let hints = (problem.code == Code::NotFound && viewer.user.is_none()).then(|| {
        view! {
            <p>{t!(locale, problem_page::GOT_A_LINK)}</p>
            <ul>
                <li>{t!(locale, problem_page::OPEN_AGAIN)}</li>
                <li>{t!(locale, problem_page::ALLOW_COOKIES)}</li>
                <li>{t!(locale, problem_page::LINK_REPLACED)}</li>
            </ul>
        }
    });
    let (way, to) = match viewer.user.as_ref().map(|user| user.role) {
        _ if problem.code == Code::Unauthorized => ("/login", t!(locale, frame::SIGN_IN)),
        Some(Role::Admin) => ("/admin", t!(locale, problem_page::BACK_TO_CHATS)),
        Some(Role::Customer) => ("/account", t!(locale, problem_page::BACK_TO_YOUR_CHATS)),
        None => ("/", t!(locale, problem_page::BACK_TO_START)),
    };
    // The unsent text, which would be lost otherwise.
    let kept = Some(FormState::current().value("content")).filter(|text| !text.is_empty());
    view! {
        <Frame viewer=viewer title=title layout=Layout::Sheet class="sheet">
            <h1 class="sheet__title">{title}</h1>
            <p class="sheet__lead">{text}</p>
            {kept
                .map(|kept| {
                    view! {
                        <div class="sheet__body">
                            <h2>{t!(locale, problem_page::YOUR_TEXT)}</h2>
                            <p class="sheet__kept" dir="auto">
                                {kept}
                            </p>
                        </div>
                    }
                })}
            {hints.map(|hints| view! { <div class="sheet__hints">{hints}</div> })}
            <p class="sheet__body">
                <a class="button" href=way>
                    {to}
                </a>
            </p>
        </Frame>
    }
}
