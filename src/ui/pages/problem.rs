//! What is shown when a page cannot be: what happened, what to do, a way back.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::Viewer,
    app::{FormState, PageStatus},
    domain::{Code, Problem, Role},
    ui::components::{Frame, Layout},
};

/// The page for an address that leads nowhere; also for a chat or link that is not (any more) the
/// viewer's to see, so that the two cannot be told apart. The server also shows it for every other
/// problem that has no page of its own.
#[component]
pub fn NotFoundPage() -> impl IntoView {
    with_viewer(|_| async { Err(FormState::current().problem.unwrap_or_else(Problem::not_found)) })
}

#[component]
pub fn ProblemPage(viewer: Viewer, problem: Problem) -> impl IntoView {
    PageStatus::request(problem.code.status());
    let (title, text) = match problem.code {
        Code::NotFound => ("There is nothing here", "This address is wrong, or what was here is gone.".to_owned()),
        code => (code.title(crate::locales::current()), problem.message),
    };
    // The same words whether there is such a chat or not, and whether the link was wrong or the cookie is missing.
    let hints = (problem.code == Code::NotFound && viewer.user.is_none()).then(|| {
        view! {
            <p>"Were you sent a link to a chat?"</p>
            <ul>
                <li>
                    "Open that link again. An address that was copied from another browser does not work: \
                     a chat opens only in the browser in which its link was opened."
                </li>
                <li>
                    "If the link leads here, your browser may not have kept the cookie that this site needs: \
                     allow cookies for this site, and open the link again."
                </li>
                <li>"Or the link was replaced: ask for a new one."</li>
            </ul>
        }
    });
    let (way, to) = match viewer.user.as_ref().map(|user| user.role) {
        _ if problem.code == Code::Unauthorized => ("/login", "Sign in"),
        Some(Role::Admin) => ("/admin", "Back to the chats"),
        Some(Role::Customer) => ("/account", "Back to your chats"),
        None => ("/", "Back to the start"),
    };
    // What was not sent, for whom it would be lost otherwise.
    let kept = Some(FormState::current().value("content")).filter(|text| !text.is_empty());
    view! {
        <Frame viewer=viewer title=title layout=Layout::Sheet class="sheet">
            <h1 class="sheet__title">{title}</h1>
            <p class="sheet__lead">{text}</p>
            {kept
                .map(|kept| {
                    view! {
                        <div class="sheet__body">
                            <h2>"What you wrote"</h2>
                            <p class="sheet__kept">{kept}</p>
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
