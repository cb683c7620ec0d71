//! The HTML document and the table of pages.
//!
//! Pages run on the server only; what lives in the browser are the islands inside them. The server
//! tells pages about a refused form through [`FormState`] and learns their status from
//! [`PageStatus`], both through context.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    ParamSegment, SsrMode, StaticSegment,
    components::{Route, Router, Routes},
    location::RequestUrl,
};

use crate::{
    domain::Problem,
    ui::pages::{
        AccountPage, AdminRequestsPage, ConfirmPage, DashboardPage, ForgotPage, GuestChatPage, HomePage, InvitePage,
        LoginPage, LogoutPage, NewRequestPage, NotFoundPage, PeoplePage, ReferencePage, RegisterPage, RequestPage,
        ResetPage, SetupPage, TokensPage,
    },
};

/// The HTTP status that a page asks for. The server provides one per request and reads it when the
/// page is rendered.
#[derive(Clone, Default)]
pub struct PageStatus(pub Arc<AtomicU16>);

impl PageStatus {
    /// What the page asked for; `None` means 200.
    #[must_use]
    pub fn get(&self) -> Option<u16> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&status| status != 0)
    }

    /// Asks the server, if there is one, to answer with `status`.
    pub fn request(status: u16) {
        if let Some(page) = use_context::<Self>() {
            page.0.store(status, Ordering::Relaxed);
        }
    }
}

/// Names the session that the browser has; nothing without one. No secret. A page that the browser kept is shown
/// again only in the session that it was written for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageSession(pub Option<String>);

/// A form that was sent and refused: the page that holds it is shown again with what was typed and
/// what is wrong. Never contains passwords.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    pub problem: Option<Problem>,
    /// By the name of the input.
    pub values: BTreeMap<String, String>,
}

impl FormState {
    /// The form that was refused in this request, if any.
    #[must_use]
    pub fn current() -> Self {
        use_context().unwrap_or_default()
    }

    #[must_use]
    pub fn value(&self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

/// What begins every page: see there.
const BOOT: &str = include_str!("ui/boot.js");

/// The HTML document. `options.output_name` is the hashed name under which `/pkg` has the script, the
/// WASM module and the stylesheet.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let files = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    let stylesheet = format!("{files}.css");
    let islands = use_context::<RequestUrl>().is_some_and(|url| has_islands(url.as_ref()));
    let client = islands.then(|| files.clone());
    let session = use_context::<PageSession>().unwrap_or_default().0;
    let form = FormState::current();
    let answer = (form.problem.is_some() || !form.values.is_empty()).then_some("true");
    let nonce = use_nonce();
    if let Some(context) = Owner::current_shared_context() {
        // Outside of islands nothing is taken over in the browser.
        context.set_is_hydrating(false);
    }
    view! {
        <!DOCTYPE html>
        <html lang="en" data-session=session>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#1a1d24" />
                <script nonce=nonce.clone() data-client=client data-answer=answer inner_html=BOOT></script>
                <link rel="stylesheet" href=stylesheet />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link rel="manifest" href="/site.webmanifest" />
                {islands
                    .then(|| {
                        let (module, wasm) = (format!("{files}.js"), format!("{files}_bg.wasm"));
                        view! {
                            <link rel="modulepreload" href=module nonce=nonce />
                            <link rel="preload" href=wasm r#as="fetch" r#type="application/wasm" crossorigin="" />
                        }
                    })}
                <MetaTags />
            </head>
            <body>
                <App />
            </body>
        </html>
    }
}

/// Whether the page at this address has anything for the browser to run. The others load no script.
fn has_islands(address: &str) -> bool {
    let path = address.split(['?', '#']).next().unwrap_or_default();
    let path = path.split_once("://").map_or(path, |(_, rest)| rest.find('/').map_or("/", |slash| &rest[slash..]));
    ["/admin", "/chat/", "/account", "/requests/"].iter().any(|begin| path.starts_with(begin))
        && path != "/requests/new"
}

/// The table of pages.
#[component]
pub fn App() -> impl IntoView {
    provide_meta_context();
    view! {
        <Router>
            <Routes fallback=NotFoundPage>
                <Route path=StaticSegment("") view=HomePage ssr=SsrMode::Async />
                <Route path=StaticSegment("login") view=LoginPage ssr=SsrMode::Async />
                <Route path=StaticSegment("logout") view=LogoutPage ssr=SsrMode::Async />
                <Route path=StaticSegment("setup") view=SetupPage ssr=SsrMode::Async />
                <Route path=StaticSegment("register") view=RegisterPage ssr=SsrMode::Async />
                <Route path=StaticSegment("forgot") view=ForgotPage ssr=SsrMode::Async />
                <Route path=StaticSegment("reset") view=ResetPage ssr=SsrMode::Async />
                <Route path=StaticSegment("confirm") view=ConfirmPage ssr=SsrMode::Async />
                <Route path=StaticSegment("invite") view=InvitePage ssr=SsrMode::Async />
                <Route path=StaticSegment("account") view=AccountPage ssr=SsrMode::Async />
                <Route path=StaticSegment("admin") view=DashboardPage ssr=SsrMode::Async />
                <Route
                    path=(StaticSegment("admin"), StaticSegment("requests"))
                    view=AdminRequestsPage
                    ssr=SsrMode::Async
                />
                <Route path=(StaticSegment("admin"), StaticSegment("people")) view=PeoplePage ssr=SsrMode::Async />
                <Route path=(StaticSegment("admin"), StaticSegment("tokens")) view=TokensPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("requests"), StaticSegment("new")) view=NewRequestPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("requests"), ParamSegment("id")) view=RequestPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("docs"), StaticSegment("api")) view=ReferencePage ssr=SsrMode::Async />
                <Route path=(StaticSegment("chat"), ParamSegment("id")) view=GuestChatPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}

#[cfg(test)]
mod tests {
    use super::has_islands;

    #[test]
    fn only_chats_load_scripts() {
        for address in
            ["/admin", "/admin?chat=1", "/chat/1", "https://example.com/chat/1", "/account", "/requests/1?chat=1"]
        {
            assert!(has_islands(address), "{address}");
        }
        for address in
            ["/", "/login?next=/admin", "https://example.com", "/register", "/chat", "/setup?token=a", "/requests/new"]
        {
            assert!(!has_islands(address), "{address}");
        }
    }
}
