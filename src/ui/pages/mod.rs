//! Pages: rendered on the server, complete without JavaScript. A file each.
//!
//! A page asks through `api` inside a [`Suspend`](leptos::prelude::Suspend), and every route waits
//! for it, so the HTML that leaves the server has the content in it.

mod account;
mod dashboard;
mod guest_chat;
mod home;
mod login;
mod logout;
mod problem;
mod setup;

pub use account::AccountPage;
pub use dashboard::DashboardPage;
pub use guest_chat::GuestChatPage;
pub use home::HomePage;
pub use login::LoginPage;
pub use logout::LogoutPage;
pub use problem::{NotFoundPage, ProblemPage};
pub use setup::SetupPage;

use leptos::prelude::*;

use crate::{
    api::{self, Chat, Viewer, load_viewer},
    domain::Problem,
};

/// Loads the viewer and shows `page`, or the problem if that is not possible.
fn with_viewer<F>(page: impl Fn(Viewer) -> F + Clone + Send + Sync + 'static) -> impl IntoView
where
    F: Future<Output = Result<AnyView, Problem>> + Send + 'static,
{
    let load = move || {
        let page = page.clone();
        async move {
            let viewer = match load_viewer().await {
                Ok(viewer) => viewer,
                Err(problem) => {
                    let nobody = Viewer { user: None, business: "Bespoken".into() };
                    return view! { <ProblemPage viewer=nobody problem=problem /> }.into_any();
                }
            };
            match page(viewer.clone()).await {
                Ok(view) => view,
                Err(problem) => view! { <ProblemPage viewer=viewer problem=problem /> }.into_any(),
            }
        }
    };
    view! { <Suspense>{move || Suspend::new(load())}</Suspense> }
}

/// Most parts of 50 messages that one page shows without JavaScript.
const MOST_PARTS: usize = 40;

/// Puts earlier messages on top of the latest ones: all from 50 before `before` on, so that what the
/// page shows has no hole.
async fn with_earlier(mut chat: Chat, before: Option<i64>) -> Result<Chat, Problem> {
    let Some(before) = before else { return Ok(chat) };
    for _ in 0..MOST_PARTS {
        let Some(first) = chat.joined.messages.first().map(|message| message.seq) else { break };
        if !chat.joined.more || first < before {
            break;
        }
        let mut older = api::list_older(chat.joined.room, first).await?;
        chat.joined.more = older.more;
        older.messages.append(&mut chat.joined.messages);
        chat.joined.messages = older.messages;
    }
    Ok(chat)
}
