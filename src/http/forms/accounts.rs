//! Accounts and sessions: the first admin, signing in and out, registering, passwords, and people's own settings.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::{
    Extension,
    extract::State,
    http::{StatusCode, Uri},
    response::{IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde::Deserialize;

use super::{Fields, again, lead_on, refused};
use crate::{
    app::FormState,
    domain::{Actor, Code, Problem, SessionId, User},
    http::{
        App, Asker, auth,
        pages::{PageId, confirmation, problem, render, see_other, signed_in},
        security,
    },
    service::{Secret, Service},
};

#[derive(Deserialize)]
pub struct SetUp {
    token: String,
    name: String,
    email: String,
    password: String,
}

pub async fn set_up(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SetUp>,
) -> Response {
    let SetUp { token, name, email, password } = form;
    let secret = Secret::presented(&token).as_link();
    let done = async {
        let user = app.service.set_up(&secret, asker.address, &email, &name, &password).await?;
        let cookie = app.service.start_session(&user, asker.visitor()).await?;
        Ok::<_, Problem>((user, cookie))
    };
    match done.await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) if reason.code == Code::Invalid => {
            let path = format!("/setup?token={}", url_part(&token));
            again(&app, asker, &path, reason, [("token", token), ("name", name), ("email", email)]).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}

/// Drops all characters that a query would have to encode: tokens contain none.
fn url_part(text: &str) -> String {
    text.chars().filter(char::is_ascii_alphanumeric).collect()
}

#[derive(Deserialize)]
pub struct SignIn {
    email: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

pub async fn sign_in(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SignIn>,
) -> Response {
    let SignIn { email, password, next } = form;
    match app.service.sign_in(&email, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, next.as_deref()),
        Err(reason) => {
            again(&app, asker, "/login", reason, [("email", email), ("next", next.unwrap_or_default())]).await
        }
    }
}

pub async fn sign_out(State(app): State<App>, Extension(asker): Extension<Asker>, jar: CookieJar) -> Response {
    if let Some(session) = asker.session_id()
        && let Err(reason) = app.service.sign_out(session).await
    {
        return problem(&app, asker, reason).await;
    }
    (auth::no_session_cookies(&jar, app.service.public_url()), security::FORGET_PAGES, see_other("/")).into_response()
}

#[derive(Deserialize)]
pub struct Register {
    name: String,
    email: String,
    password: String,
    #[serde(default)]
    next: Option<String>,
}

pub async fn register(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Register>,
) -> Response {
    let Register { name, email, password, next } = form;
    match app.service.register(&email, &name, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, next.as_deref()),
        Err(reason) => {
            let values = [("name", name), ("email", email), ("next", next.unwrap_or_default())];
            refused(&app, asker, "/register", reason, values).await
        }
    }
}

#[derive(Deserialize)]
pub struct Forgot {
    email: String,
}

pub async fn forgot(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<Forgot>,
) -> Response {
    match app.service.ask_for_password_reset(&form.email, asker.address).await {
        Ok(()) => {
            let values = BTreeMap::from([("email".to_owned(), form.email)]);
            let form = FormState { problem: None, values };
            render(&app, asker, Uri::from_static("/forgot"), StatusCode::OK, form).await
        }
        Err(reason) => refused(&app, asker, "/forgot", reason, [("email", form.email)]).await,
    }
}

#[derive(Deserialize)]
pub struct Reset {
    token: String,
    password: String,
}

pub async fn reset(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Reset>,
) -> Response {
    let secret = Secret::presented(&form.token).as_link();
    match app.service.reset_password(&secret, &form.password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) => {
            let path = format!("/reset?token={}", url_part(&form.token));
            refused(&app, asker, &path, reason, [("token", form.token)]).await
        }
    }
}

#[derive(Deserialize)]
pub struct Confirm {
    token: String,
    #[serde(default)]
    password: String,
}

pub async fn confirm(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<Confirm>,
) -> Response {
    let secret = Secret::presented(&form.token);
    match app.service.confirm_email(&secret, &form.password, asker.visitor()).await {
        Ok((user, Some(cookie))) => signed_in(&app, &jar, &user, &cookie, None),
        Ok((_, None)) => see_other("/account?tab=profile&confirmed=1"),
        Err(reason) if matches!(reason.code, Code::Invalid | Code::Unauthorized) => {
            confirmation(&app, asker, &form.token, Some(reason)).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}

pub async fn ask_for_confirmation(State(app): State<App>, Extension(asker): Extension<Asker>) -> Response {
    let asked = async {
        let user = account(&asker)?;
        app.service.ask_for_confirmation(&user, asker.visitor()).await
    };
    match asked.await {
        Ok(()) => see_other("/account?tab=profile&sent=1"),
        Err(reason) => refused(&app, asker, "/account?tab=profile", reason, []).await,
    }
}

pub async fn accept_invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    jar: CookieJar,
    Fields(form): Fields<SetUp>,
) -> Response {
    let SetUp { token, name, email, password } = form;
    let secret = Secret::presented(&token).as_link();
    match app.service.accept_invite(&secret, &email, &name, &password, asker.visitor()).await {
        Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, None),
        Err(reason) => {
            let path = format!("/invite?token={}", url_part(&token));
            refused(&app, asker, &path, reason, [("token", token), ("name", name), ("email", email)]).await
        }
    }
}

/// The account that is signed in.
///
/// # Errors
/// `unauthorized`.
fn account(asker: &Asker) -> Result<User, Problem> {
    asker.actor.as_ref().and_then(Actor::user).cloned().ok_or_else(Problem::unauthorized)
}

#[derive(Deserialize)]
pub struct Profile {
    name: String,
    email: String,
    #[serde(default)]
    current_password: String,
}

pub async fn set_profile(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<Profile>,
) -> Response {
    let Profile { name, email, current_password } = form;
    let done = async {
        let user = account(&asker)?;
        app.service.set_profile(&user, &name, &email, &current_password, asker.visitor()).await
    };
    match done.await {
        Ok(false) => see_other("/account?tab=profile&done=1"),
        Ok(true) => see_other("/account?tab=profile&sent=1"),
        Err(reason) => refused(&app, asker, "/account?tab=profile", reason, [("name", name), ("email", email)]).await,
    }
}

#[derive(Deserialize)]
pub struct NewPassword {
    current_password: String,
    password: String,
}

pub async fn change_password(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewPassword>,
) -> Response {
    let done = async {
        let user = account(&asker)?;
        app.service.change_password(&user, &form.current_password, &form.password, asker.visitor()).await
    };
    match done.await {
        Ok(()) => see_other("/account?tab=security&done=1"),
        Err(reason) => refused(&app, asker, "/account?tab=security", reason, []).await,
    }
}

pub async fn end_session(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<SessionId>,
) -> Response {
    let end = async |service: Arc<Service>, actor: Actor| {
        service.end_session(actor.user().ok_or_else(Problem::unauthorized)?, id).await
    };
    // Ending the current session signs the person out.
    let forget = (asker.session_id() == Some(id)).then_some(security::FORGET_PAGES);
    (forget, lead_on(&app, asker, end, |()| "/account?tab=security".to_owned()).await).into_response()
}
