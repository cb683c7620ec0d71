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
        Code::NotFound => (
            "There is nothing here",
            "This address is wrong, or what was here is gone. If somebody sent you a link to a chat, \
             it may have been replaced: ask for a new one."
                .to_owned(),
        ),
        code => (code.title(), problem.message),
    };
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
            <p class="sheet__body">
                <a class="button" href=way>
                    {to}
                </a>
            </p>
        </Frame>
    }
}
