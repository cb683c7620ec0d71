//! Pages: rendered on the server, complete without JavaScript. A file each.
//!
//! A page loads its data through `api` inside a [`Suspend`](leptos::prelude::Suspend), and every route waits for it.
//! So the HTML contains the content.

mod account;
mod confirm;
mod dashboard;
mod forgot;
mod guest_chat;
mod home;
mod invite;
mod login;
mod logout;
mod people;
mod problem;
mod reference;
mod register;
mod requests;
mod settings;
mod setup;
mod tokens;
mod unsubscribe;

pub use account::AccountPage;
pub use confirm::ConfirmPage;
pub use dashboard::DashboardPage;
pub use forgot::{ForgotPage, ResetPage};
pub use guest_chat::GuestChatPage;
pub use home::HomePage;
pub use invite::InvitePage;
pub use login::LoginPage;
pub use logout::LogoutPage;
pub use people::PeoplePage;
pub use problem::{NotFoundPage, ProblemPage};
pub use reference::ReferencePage;
pub use register::RegisterPage;
pub use requests::{AdminRequestsPage, EditRequestPage, NewRequestPage, RequestPage};
pub use settings::SettingsPage;
pub use setup::SetupPage;
pub use tokens::TokensPage;
pub use unsubscribe::UnsubscribePage;

use leptos::prelude::*;

use crate::{
    api::{RequestChat, Viewer, load_request_chat, load_viewer},
    client::page,
    domain::{Name, Problem, RequestId},
    locales::{self, t},
    ui::{
        components::{Field, FormProblem, Frame, Layout},
        islands::{ChatBeside, MessageForm},
    },
};

/// Loads the viewer and shows `page`, or the problem of a failed load.
fn with_viewer<F>(page: impl FnOnce(Viewer) -> F + Send + 'static) -> impl IntoView
where
    F: Future<Output = Result<AnyView, Problem>> + Send + 'static,
{
    // Not within `Suspense`, which would start the load three times.
    Suspend::new(async move {
        let viewer = match load_viewer().await {
            Ok(viewer) => viewer,
            Err(problem) => {
                let nobody = Viewer { user: None, push: None, business: "Bespoken".into(), currency: String::new() };
                return view! { <ProblemPage viewer=nobody problem=problem /> }.into_any();
            }
        };
        match page(viewer.clone()).await {
            Ok(view) => view,
            Err(problem) => view! { <ProblemPage viewer=viewer problem=problem /> }.into_any(),
        }
    })
}

/// The chat beside a page of requests.
struct BesidePage {
    /// The open chat in the page's address.
    chosen: Option<String>,
    first: Option<RequestChat>,
    /// The address of the page without a chat.
    page: String,
    /// The request that is the page's subject, if any.
    request: Option<RequestId>,
}

impl BesidePage {
    /// Loads the `chosen` chat, if any.
    async fn load(page: String, chosen: Option<String>, request: Option<RequestId>) -> Result<Self, Problem> {
        let wanted = chosen.as_ref().and_then(|chosen| request.or(chosen.parse().ok()));
        let first = match wanted {
            Some(id) => Some(load_request_chat(id).await?),
            None => None,
        };
        Ok(Self { chosen, first, page, request })
    }
}

/// A page that can show a chat beside it. The chat is in its own column on a wide screen, and in front of everything
/// on a small one.
#[component]
fn Beside(
    viewer: Viewer,
    #[prop(into)] title: String,
    beside: Option<BesidePage>,
    /// Whether its content is wider than text.
    #[prop(optional)]
    is_wide: bool,
    children: Children,
) -> impl IntoView {
    let business = viewer.business.clone();
    let page = if is_wide { "page page--wide" } else { "page" };
    let chat = beside.map(|BesidePage { chosen, first, page, request }| {
        view! { <ChatBeside first chosen request page business form=MessageForm::current() now=page::now() /> }
    });
    view! {
        <Frame viewer=viewer title=title layout=Layout::Sheet class="beside">
            <div class=page>{children()}</div>
            {chat}
        </Frame>
    }
}

/// The field for a new password.
#[component]
fn NewPassword(label: &'static str) -> impl IntoView {
    view! {
        <Field
            name="password"
            label=label
            kind="password"
            help=t!(locales::current(), form::PASSWORD_HELP)
            autocomplete="new-password"
            minlength=10
        />
    }
}

/// The form that creates an admin's account with the secret `token`.
#[component]
fn NewAdminForm(action: &'static str, token: String) -> impl IntoView {
    let locale = locales::current();
    view! {
        <form class="form sheet__body" method="post" action=action>
            <FormProblem fields=&["name", "email", "password"] />
            <input type="hidden" name="token" value=token />
            <Field
                name="name"
                label=t!(locale, form::YOUR_NAME)
                help=t!(locale, new_admin::NAME_HELP)
                autocomplete="name"
                max_chars=Name::MAX_CHARS
                focus=true
            />
            <Field name="email" label=t!(locale, form::EMAIL) kind="email" autocomplete="username" />
            <NewPassword label=t!(locale, form::PASSWORD) />
            <button class="button button--primary button--wide" type="submit">
                {t!(locale, form::CREATE_ACCOUNT)}
            </button>
        </form>
    }
}
