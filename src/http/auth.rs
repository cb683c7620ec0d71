//! Who asks: from the cookie or the Authorization header of each request.

use std::{net::IpAddr, sync::Arc};

use axum::{
    RequestExt,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::{App, listener::Peer, router::SHORT_BODY_BYTES};
use crate::{
    domain::{Actor, Problem, SessionId, TokenId},
    service::{CookieSession, SESSION_DAYS, Secret, Service, Visitor},
};

/// The person and browser or program behind a request.
#[derive(Clone)]
pub struct Asker {
    pub service: Arc<Service>,
    /// `None`: nobody we know.
    pub actor: Option<Actor>,
    /// The browser's session, if a cookie named one. A request with a token has none.
    pub session: Option<CookieSession>,
    pub token: Option<TokenId>,
    /// Of the client, also if a trusted proxy stands between.
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

impl Asker {
    /// The service, and the person that it is to act for.
    ///
    /// # Errors
    /// `unauthorized` if nobody is signed in.
    pub fn require(self) -> Result<(Arc<Service>, Actor), Problem> {
        let actor = self.actor.ok_or_else(Problem::unauthorized)?;
        Ok((self.service, actor))
    }

    pub fn visitor(&self) -> Visitor<'_> {
        Visitor { address: self.address, user_agent: self.user_agent.as_deref(), session: self.session.as_ref() }
    }

    pub fn session_id(&self) -> Option<SessionId> {
        self.session.as_ref().map(|session| session.id)
    }
}

/// Who asks, within a server function or a page.
///
/// # Errors
/// `unavailable` outside of a request.
pub fn asker() -> Result<Asker, Problem> {
    leptos::prelude::use_context::<Asker>()
        .or_else(|| {
            let parts = leptos::prelude::use_context::<axum::http::request::Parts>()?;
            parts.extensions.get::<Asker>().cloned()
        })
        .ok_or_else(Problem::unavailable)
}

/// Finds out who asks and lets the request carry it on. A token that does not hold is refused here;
/// a cookie that does not hold counts as none.
pub(super) async fn identify(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = app.proxies.client(peer.0.ip(), request.headers());
    match find(app.service, address, request.headers()).await {
        Ok(asker) => {
            if asker.actor.is_none() {
                // Before anything is read: whatever strangers may send is short.
                DefaultBodyLimit::max(SHORT_BODY_BYTES).apply(&mut request);
                request = request.with_limited_body();
            }
            request.extensions_mut().insert(asker);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn find(service: Arc<Service>, address: IpAddr, headers: &HeaderMap) -> Result<Asker, Problem> {
    let user_agent = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let mut asker = Asker { service, actor: None, session: None, token: None, address, user_agent };
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let token = bearer(header).ok_or_else(Problem::unauthorized)?;
        let (actor, id) = asker.service.bearer(&Secret::presented(token), address).await?;
        asker.actor = Some(actor);
        asker.token = id;
    } else if let Some(cookie) = CookieJar::from_headers(headers).get(cookie_name(asker.service.public_url())) {
        asker.session = asker.service.session(&Secret::presented(cookie.value())).await?;
        asker.actor = asker.session.as_ref().map(|session| session.actor.clone());
    }
    Ok(asker)
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// Over https the name carries the `__Host-` prefix: browsers then take the cookie only from this
/// very host, over TLS (RFC 6265bis, section 4.1.3.2).
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https:") { "__Host-bespoken" } else { "bespoken" }
}

/// The cookie that names a session.
pub(super) fn session_cookie(public_url: &str, secret: &Secret) -> Cookie<'static> {
    Cookie::build((cookie_name(public_url), secret.expose().to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(public_url.starts_with("https:"))
        .max_age(time::Duration::days(SESSION_DAYS))
        .build()
}

/// Takes the cookie away.
pub(super) fn no_session_cookie(public_url: &str) -> Cookie<'static> {
    Cookie::build((cookie_name(public_url), ""))
        .path("/")
        .secure(public_url.starts_with("https:"))
        .http_only(true)
        .same_site(SameSite::Lax)
        .removal()
        .build()
}
