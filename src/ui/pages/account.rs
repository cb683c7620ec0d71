//! My Account: a customer's requests and chats, and the profile and security of all accounts.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Beside, BesidePage, NewPassword, with_viewer};
use crate::{
    api::{self, Session, Viewer, list_account, list_sessions},
    app::FormState,
    client::page,
    domain::{Name, Problem, Role},
    locales::{self, Locale, t},
    ui::{
        components::{Clock, Field, FormProblem, When, address, long_date},
        islands::CustomerLists,
    },
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Tab {
    Requests,
    Profile,
    Security,
}

#[component]
pub fn AccountPage() -> impl IntoView {
    let query = use_query_map().get_untracked();
    let tab = match query.get("tab").as_deref() {
        Some("profile") => Tab::Profile,
        Some("security") => Tab::Security,
        _ => Tab::Requests,
    };
    let chosen = query.get("chat");
    let cursor = query.get("cursor");
    let done = query.get("done").is_some();
    let (sent, confirmed) = (query.get("sent").is_some(), query.get("confirmed").is_some());
    with_viewer(move |viewer| {
        let (cursor, chosen) = (cursor.clone(), chosen.clone());
        async move {
            let locale = locales::current();
            let Some(user) = viewer.user.clone() else { return guest_chats(viewer).await };
            let is_customer = user.role == Role::Customer;
            // Admins have no requests of their own.
            let tab = if tab == Tab::Requests && !is_customer { Tab::Profile } else { tab };
            let mut beside = None;
            let content = match tab {
                Tab::Requests => {
                    let lists = list_account(cursor.clone()).await?;
                    beside = Some(
                        BesidePage::load(
                            address("/account", &[("cursor", cursor.as_deref().unwrap_or_default())]),
                            chosen.clone(),
                            None,
                        )
                        .await?,
                    );
                    view! {
                        <CustomerLists
                            lists
                            business=viewer.business.clone()
                            is_guest=false
                            cursor
                            chosen
                            now=page::now()
                        />
                    }
                    .into_any()
                }
                Tab::Profile => view! {
                    <Done done=sent words=t!(locale, account::LINK_SENT) />
                    <Done done=confirmed words=t!(locale, account::CONFIRMED) />
                    {(!user.is_confirmed).then(|| view! { <Unconfirmed email=user.email.to_string() /> })}
                    <Profile name=user.name.to_string() email=user.email.to_string() done=done />
                }
                .into_any(),
                Tab::Security => view! { <Security sessions=list_sessions().await? done=done /> }.into_any(),
            };
            Ok(view! {
                <Beside viewer=viewer title=t!(locale, frame::MY_ACCOUNT) beside=beside>
                    <h1 class="page__title">{t!(locale, frame::MY_ACCOUNT)}</h1>
                    <nav class="tabs" aria-label=t!(locale, account::PARTS)>
                        {is_customer
                            .then(|| {
                                view! {
                                    <TabLink
                                        name=t!(locale, requests::CAPTION)
                                        address="/account"
                                        is_here=tab == Tab::Requests
                                    />
                                }
                            })}
                        <TabLink
                            name=t!(locale, frame::PROFILE)
                            address="/account?tab=profile"
                            is_here=tab == Tab::Profile
                        />
                        <TabLink
                            name=t!(locale, frame::SECURITY)
                            address="/account?tab=security"
                            is_here=tab == Tab::Security
                        />
                    </nav>
                    {(!user.is_confirmed && tab != Tab::Profile)
                        .then(|| {
                            view! {
                                <p class="notice">
                                    {t!(locale, account::unconfirmed(user.email.as_str()))}
                                    <a href="/account?tab=profile">{t!(locale, account::NO_MAIL)}</a>
                                </p>
                            }
                        })}
                    {content}
                </Beside>
            }
            .into_any())
        }
    })
}

/// The chats whose links were opened in this browser.
async fn guest_chats(viewer: Viewer) -> Result<AnyView, Problem> {
    let locale = locales::current();
    let lists = list_account(None).await?;
    let business = viewer.business.clone();
    Ok(view! {
        <Beside viewer=viewer title=t!(locale, account::YOUR_CHATS) beside=None>
            <h1 class="page__title">{t!(locale, account::YOUR_CHATS)}</h1>
            <p class="page__words">
                {t!(locale, account::THIS_BROWSER_ONLY)} " " <a href="/register">{t!(locale, frame::REGISTER)}</a>
            </p>
            <CustomerLists lists business is_guest=true cursor=None chosen=None now=page::now() />
        </Beside>
    }
    .into_any())
}

#[component]
fn TabLink(name: &'static str, address: &'static str, is_here: bool) -> impl IntoView {
    view! {
        <a class="tabs__tab" href=address aria-current=is_here.then_some("page")>
            {name}
        </a>
    }
}

#[component]
fn Unconfirmed(email: String) -> impl IntoView {
    let locale = locales::current();
    view! {
        <form class="form page__form" method="post" action="/account/confirmation">
            <p class="notice">{t!(locale, account::unconfirmed_in_full(&email))}</p>
            <div class="form__actions">
                <button class="button" type="submit">
                    {t!(locale, account::SEND_AGAIN)}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Profile(name: String, email: String, done: bool) -> impl IntoView {
    let locale = locales::current();
    view! {
        <form class="form page__form" method="post" action="/account/profile">
            <Done done=done words=t!(locale, account::PROFILE_SAVED) />
            <FormProblem fields=&["name", "email", "current_password"] />
            <Field
                name="name"
                label=t!(locale, form::YOUR_NAME)
                autocomplete="name"
                max_chars=Name::MAX_CHARS
                value=name
            />
            <Field name="email" label=t!(locale, form::EMAIL) kind="email" autocomplete="username" value=email />
            <Field
                name="current_password"
                label=t!(locale, form::PASSWORD)
                kind="password"
                autocomplete="current-password"
                help=t!(locale, account::PASSWORD_HELP)
                optional=true
            />
            <div class="form__actions">
                <button class="button button--primary" type="submit">
                    {t!(locale, form::SAVE)}
                </button>
            </div>
        </form>
    }
}

#[component]
fn Done(done: bool, words: &'static str) -> impl IntoView {
    let done = done && FormState::current().problem.is_none();
    done.then(|| {
        view! {
            <p class="notice notice--ok" role="status">
                {words}
            </p>
        }
    })
}

#[component]
fn Security(sessions: Vec<Session>, done: bool) -> impl IntoView {
    let locale = locales::current();
    view! {
        <form class="form page__form" method="post" action="/account/password">
            <h2 class="page__subtitle">{t!(locale, account::CHANGE_PASSWORD_TITLE)}</h2>
            <Done done=done words=t!(locale, account::PASSWORD_CHANGED) />
            <FormProblem fields=&["current_password", "password"] />
            <Field
                name="current_password"
                label=t!(locale, account::CURRENT_PASSWORD)
                kind="password"
                autocomplete="current-password"
            />
            <NewPassword label=t!(locale, form::NEW_PASSWORD) />
            <div class="form__actions">
                <button class="button button--primary" type="submit">
                    {t!(locale, account::CHANGE_PASSWORD)}
                </button>
            </div>
        </form>
        <h2 class="page__subtitle">{t!(locale, account::SESSIONS)}</h2>
        <ul class="cards">
            {sessions.into_iter().map(|session| view! { <SessionCard session=session /> }).collect_view()}
        </ul>
    }
}

#[component]
fn SessionCard(session: api::Session) -> impl IntoView {
    let locale = locales::current();
    let browser = session
        .user_agent
        .as_deref()
        .map_or_else(|| t!(locale, account::UNKNOWN_BROWSER).to_owned(), |agent| browser_name(agent, locale));
    let end = if session.is_this {
        t!(locale, frame::SIGN_OUT).to_owned()
    } else {
        t!(locale, account::sign_out_of(&browser))
    };
    view! {
        <li class="card">
            <p class="card__head">
                <span class="card__title">{browser}</span>
                {session.is_this.then(|| view! { <span class="chip chip--ok">{t!(locale, account::THIS_BROWSER)}</span> })}
            </p>
            <div class="card__foot">
                <span>
                    {t!(locale, account::since_and_last_seen(&long_date(session.created_at)))}
                    <When at=session.last_seen_at clock=Clock::new(page::now()) />
                </span>
                <form method="post" action=format!("/account/sessions/{}/end", session.id)>
                    <button class="button button--small" type="submit" aria-label=end>
                        {t!(locale, frame::SIGN_OUT)}
                    </button>
                </form>
            </div>
        </li>
    }
}

/// The browser and its system in a few words, from its User-Agent, which may be wrong.
fn browser_name(user_agent: &str, locale: Locale) -> String {
    let first = |known: &[(&str, &'static str)]| {
        known.iter().find(|(sign, _)| user_agent.contains(sign)).map(|(_, name)| *name)
    };
    // In this order, because most User-Agents also contain names below their own.
    let browser = first(&[
        ("Edg", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari/", "Safari"),
        ("curl/", "curl"),
    ]);
    let system = first(&[
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Android", "Android"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => t!(locale, account::browser_on_system(browser, system)),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => user_agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Locale, browser_name};

    #[test]
    fn browsers_have_short_names() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";
        assert_eq!(browser_name(chrome, Locale::En), "Chrome on Linux");
        assert_eq!(browser_name(chrome, Locale::De), "Chrome unter Linux");
        assert_eq!(browser_name(&format!("{chrome} Edg/140.0.0.0"), Locale::En), "Edge on Linux");
        let phone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Mobile/15E148 Safari/604.1";
        assert_eq!(browser_name(phone, Locale::En), "Safari on iPhone");
        assert_eq!(browser_name("something else entirely", Locale::En), "something else entirely");
    }
}
