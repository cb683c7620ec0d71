//! Plain forms: everything that works without JavaScript.
//!
//! A form posts to the address of its own page. On success the server answers 303 to the page that shows the result.
//! On failure it shows the same page again, with the reason next to the field and all typed values except passwords.

pub(super) mod accounts;
pub(super) mod business;
pub(super) mod closing;
pub(super) mod conversations;
pub(super) mod mail;
pub(super) mod messages;
pub(super) mod people;
pub(super) mod requests;
pub(super) mod tokens;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::{
    Form,
    extract::{FromRequest, Request},
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde::de::DeserializeOwned;

use super::{
    App, Asker, error,
    pages::{problem, render, see_other},
};
use crate::{
    app::FormState,
    domain::{Actor, ClientId, Code, Problem},
    locales::{self, t},
    service::Service,
};

fn too_much() -> Problem {
    Problem::new(Code::TooLarge, t!(locales::current(), problem::TOO_MUCH))
}

/// The fields of a form. An invalid form is answered with an error page.
pub(super) struct Fields<T>(pub(super) T);

impl<T: DeserializeOwned> FromRequest<App> for Fields<T> {
    type Rejection = Response;

    async fn from_request(request: Request, app: &App) -> Result<Self, Response> {
        let asker = request.extensions().get::<Asker>().cloned();
        let rejection = match Form::from_request(request, app).await {
            Ok(Form(fields)) => return Ok(Self(fields)),
            Err(rejection) => rejection,
        };
        let reason = match rejection.status() {
            StatusCode::PAYLOAD_TOO_LARGE => too_much(),
            _ => Problem::new(Code::Invalid, t!(locales::current(), problem::FORM)),
        };
        Err(match asker {
            Some(asker) => problem(app, asker, reason).await,
            None => reason.into_response(),
        })
    }
}

/// Shows the page at `path` again.
async fn again<'a>(
    app: &App,
    asker: Asker,
    path: &str,
    reason: Problem,
    values: impl IntoIterator<Item = (&'a str, String)>,
) -> Response {
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<BTreeMap<_, _>>();
    let uri = path.parse().unwrap_or_else(|_| Uri::from_static("/"));
    let (status, retry_after) = (error::status(&reason), reason.retry_after_s);
    let mut response = render(app, asker, uri, status, FormState { problem: Some(reason), values }).await;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// The key of a form that creates something, when the form is shown again. It stays the same, because the object may
/// have been created despite the error. After a conflict the form gets a new one.
fn key_after(reason: &Problem, key: Option<ClientId>) -> (&'static str, String) {
    let key = key.filter(|_| reason.code != Code::Conflict);
    ("form_key", key.map(|key| key.to_string()).unwrap_or_default())
}

/// Redirects after success, and shows an error on a page of its own.
async fn lead_on<T>(
    app: &App,
    asker: Asker,
    done: impl AsyncFnOnce(Arc<Service>, Actor) -> Result<T, Problem>,
    to: impl FnOnce(T) -> String,
) -> Response {
    let done = match asker.clone().require() {
        Ok((service, actor)) => done(service, actor).await,
        Err(reason) => Err(reason),
    };
    match done {
        Ok(done) => see_other(&to(done)),
        Err(reason) => problem(app, asker, reason).await,
    }
}

/// Answers a rejected form: shows its page again if a retry can succeed, else an error page.
async fn refused<'a>(
    app: &App,
    asker: Asker,
    path: &str,
    reason: Problem,
    values: impl IntoIterator<Item = (&'a str, String)>,
) -> Response {
    match reason.code {
        Code::Invalid | Code::Conflict | Code::RateLimited | Code::Unavailable => {
            again(app, asker, path, reason, values).await
        }
        _ => problem(app, asker, reason).await,
    }
}

/// Shows the page at `path` with a new secret that is shown once.
async fn made(app: &App, asker: Asker, path: &'static str, what: String) -> Response {
    let form = FormState { problem: None, values: BTreeMap::from([("made".to_owned(), what)]) };
    render(app, asker, Uri::from_static(path), StatusCode::OK, form).await
}
