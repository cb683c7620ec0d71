//! The HTML document and the table of pages.
//!
//! Pages run on the server only; the islands inside them run in the browser. The server passes a rejected form to
//! pages through [`FormState`], and reads their status from [`PageStatus`], both through context.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicU16, Ordering},
    },
};

use leptos::{config::LeptosOptions, nonce::use_nonce, prelude::*};
use leptos_meta::{MetaTags, provide_meta_context};
use leptos_router::{
    ParamSegment, SsrMode, StaticSegment,
    components::{Route, Router, Routes},
};

use crate::{
    domain::Problem,
    locales::{self, t},
    ui::pages::{
        AccountPage, AdminRequestsPage, ConfirmPage, DashboardPage, EditRequestPage, ForgotPage, GuestChatPage,
        HomePage, InvitePage, LoginPage, LogoutPage, NewRequestPage, NotFoundPage, PeoplePage, ReferencePage,
        RegisterPage, RequestPage, ResetPage, SettingsPage, SetupPage, TokensPage, UnsubscribePage,
    },
};

/// The HTTP status that a page requests. The server provides one per request and reads it after the page is rendered.
#[derive(Clone, Default)]
pub struct PageStatus(pub Arc<AtomicU16>);

impl PageStatus {
    /// The requested status; `None` means 200.
    #[must_use]
    pub fn get(&self) -> Option<u16> {
        Some(self.0.load(Ordering::Relaxed)).filter(|&status| status != 0)
    }

    /// Requests `status` for the response. Does nothing in the browser.
    pub fn request(status: u16) {
        if let Some(page) = use_context::<Self>() {
            page.0.store(status, Ordering::Relaxed);
        }
    }
}

/// The id of the browser's session, if any; not a secret. A cached page is shown again only in the session for which
/// it was rendered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageSession(pub Option<String>);

/// The address of the page's styles, if they are not all styles. For the server.
#[derive(Clone, Debug)]
pub struct Styles(pub String);

/// A rejected form: its page is shown again with the typed values and the errors. Never contains passwords.
#[derive(Clone, Debug, Default)]
pub struct FormState {
    pub problem: Option<Problem>,
    /// The values by the name of the input.
    pub values: BTreeMap<String, String>,
}

impl FormState {
    /// The form that was rejected in this request, if any.
    #[must_use]
    pub fn current() -> Self {
        use_context().unwrap_or_default()
    }

    #[must_use]
    pub fn value(&self, name: &str) -> String {
        self.values.get(name).cloned().unwrap_or_default()
    }
}

/// The script at the start of every page, without its comments.
static BOOT: LazyLock<String> = LazyLock::new(|| {
    let lines = include_str!("ui/boot.js").lines().map(str::trim);
    lines.filter(|line| !line.starts_with("//")).collect::<Vec<_>>().join("\n")
});

/// The HTML document. `options.site_pkg_dir` is the folder of this build's script, WASM and styles. `ui/boot.js`
/// hydrates the islands; it replaces and extends Leptos' `HydrationScripts`.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    let client = format!("/{}/{}", options.site_pkg_dir, options.output_name);
    let stylesheet = use_context::<Styles>().map_or_else(|| format!("{client}.css"), |styles| styles.0);
    let session = use_context::<PageSession>().unwrap_or_default().0;
    let form = FormState::current();
    let answer = (form.problem.is_some() || !form.values.is_empty()).then_some("true");
    let nonce = use_nonce();
    let locale = locales::current();
    if let Some(context) = Owner::current_shared_context() {
        // The browser hydrates only islands.
        context.set_is_hydrating(false);
    }
    view! {
        <!DOCTYPE html>
        <html lang=locale.tag() dir="ltr" data-session=session>
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1, interactive-widget=resizes-content" />
                <meta name="color-scheme" content="light dark" />
                <meta name="theme-color" media="(prefers-color-scheme: light)" content="#ffffff" />
                <meta name="theme-color" media="(prefers-color-scheme: dark)" content="#1a1d24" />
                <script
                    nonce=nonce.clone()
                    data-client=client
                    data-answer=answer
                    data-locale=locale.tag()
                    data-updated=t!(locale, frame::UPDATED)
                    data-broken=t!(locale, frame::BROKEN)
                    data-cut-off=t!(locale, frame::CUT_OFF)
                    data-reload=t!(locale, frame::RELOAD)
                    inner_html=BOOT.as_str()
                ></script>
                <link rel="stylesheet" href=stylesheet />
                // The first paint shows the whole page: the log stands at its end, so later parts would move it.
                <link rel="expect" href="#end" blocking="render" />
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <link rel="manifest" href="/site.webmanifest" />
                <MetaTags />
            </head>
            <body>
                <App />
                // A page without this was truncated in transit: see `ui/boot.js`.
                <template id="end"></template>
            </body>
        </html>
    }
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
                <Route path=StaticSegment("unsubscribe") view=UnsubscribePage ssr=SsrMode::Async />
                <Route path=StaticSegment("invite") view=InvitePage ssr=SsrMode::Async />
                <Route path=StaticSegment("account") view=AccountPage ssr=SsrMode::Async />
                <Route path=StaticSegment("admin") view=DashboardPage ssr=SsrMode::Async />
                <Route
                    path=(StaticSegment("admin"), StaticSegment("requests"))
                    view=AdminRequestsPage
                    ssr=SsrMode::Async
                />
                <Route path=(StaticSegment("admin"), StaticSegment("people")) view=PeoplePage ssr=SsrMode::Async />
                <Route path=(StaticSegment("admin"), StaticSegment("settings")) view=SettingsPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("admin"), StaticSegment("tokens")) view=TokensPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("requests"), StaticSegment("new")) view=NewRequestPage ssr=SsrMode::Async />
                <Route path=(StaticSegment("requests"), ParamSegment("id")) view=RequestPage ssr=SsrMode::Async />
                <Route
                    path=(StaticSegment("requests"), ParamSegment("id"), StaticSegment("edit"))
                    view=EditRequestPage
                    ssr=SsrMode::Async
                />
                <Route path=(StaticSegment("docs"), StaticSegment("api")) view=ReferencePage ssr=SsrMode::Async />
                <Route path=(StaticSegment("chat"), ParamSegment("id")) view=GuestChatPage ssr=SsrMode::Async />
            </Routes>
        </Router>
    }
}
