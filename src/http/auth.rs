//! Authenticates each request by its cookie or its Authorization header.

use std::{iter, net::IpAddr, sync::Arc};

use axum::{
    RequestExt,
    extract::{ConnectInfo, DefaultBodyLimit, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, header},
    middleware::Next,
    response::{AppendHeaders, IntoResponse, Response},
};
use axum_extra::extract::cookie::{Cookie, CookieJar, SameSite};

use super::{App, body_size::SHORT_BODY_BYTES, listener::Peer};
use crate::{
    domain::{Actor, Problem, SessionId, TokenId},
    service::{CookieSession, SESSION_DAYS, Secret, Service, Visitor},
};

/// The person and browser or program behind a request.
#[derive(Clone)]
pub struct Asker {
    pub service: Arc<Service>,
    /// `None` for an unauthenticated request.
    pub actor: Option<Actor>,
    /// The browser's session, if a cookie named one. A request with a token has none.
    pub session: Option<CookieSession>,
    /// Cookies without a session: the response deletes them.
    stale: Vec<String>,
    pub token: Option<TokenId>,
    /// The client's address, also behind a trusted proxy.
    pub address: IpAddr,
    pub user_agent: Option<String>,
}

impl Asker {
    /// The service, and the authenticated actor.
    ///
    /// # Errors
    /// `unauthorized` for an unauthenticated request.
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

/// The asker of the current request, for a server function or a page.
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

/// Authenticates a request and stores the [`Asker`] in its extensions. An invalid token is rejected here; an invalid
/// cookie counts as none.
pub(super) async fn identify(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    mut request: Request,
    next: Next,
) -> Response {
    let address = app.proxies.client(peer.0.ip(), request.headers());
    match find(app.service.clone(), address, request.headers()).await {
        Ok(mut asker) => {
            if asker.actor.is_none() {
                // Set before the body is read: anonymous requests are short.
                DefaultBodyLimit::max(SHORT_BODY_BYTES).apply(&mut request);
                request = request.with_limited_body();
            }
            let stale = std::mem::take(&mut asker.stale);
            request.extensions_mut().insert(asker);
            let response = next.run(request).await;
            if stale.is_empty() {
                return response;
            }
            let gone = stale.into_iter().map(|name| no_cookie(name, app.service.public_url()));
            (set_cookies(gone), response).into_response()
        }
        Err(problem) => problem.into_response(),
    }
}

pub(super) async fn find(service: Arc<Service>, address: IpAddr, headers: &HeaderMap) -> Result<Asker, Problem> {
    let user_agent = headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).map(str::to_owned);
    let mut asker = Asker { service, actor: None, session: None, stale: Vec::new(), token: None, address, user_agent };
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        let token = bearer(header).ok_or_else(Problem::unauthorized)?;
        let (actor, id) = asker.service.bearer(&Secret::presented(token), address).await?;
        asker.actor = Some(actor);
        asker.token = id;
        return Ok(asker);
    }
    let jar = CookieJar::from_headers(headers);
    let mut names = session_cookies(&jar, asker.service.public_url());
    names.truncate(MAX_SESSION_COOKIES);
    let secrets: Vec<_> = names.iter().filter_map(|name| jar.get(name)).map(|c| Secret::presented(c.value())).collect();
    asker.session = match &*secrets {
        [] => None,
        [secret] => asker.service.session(secret).await?,
        several => {
            let (session, kept) = asker.service.merge_sessions(several).await?;
            asker.stale = iter::zip(names, kept).filter(|(_, kept)| !kept).map(|(name, _)| name).collect();
            session
        }
    };
    asker.actor = asker.session.as_ref().map(|session| session.actor.clone());
    Ok(asker)
}

fn bearer(header: &HeaderValue) -> Option<&str> {
    let (scheme, token) = header.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

/// The session cookies that one request may carry. The next request merges the rest, since its response deletes
/// merged ones.
const MAX_SESSION_COOKIES: usize = 16;

/// Over https the name has the prefix `__Host-`: browsers then accept the cookie only from this exact host, over TLS
/// (RFC 6265bis, section 4.1.3.2).
fn cookie_name(public_url: &str) -> &'static str {
    if public_url.starts_with("https:") { "__Host-bespoken" } else { "bespoken" }
}

/// The names of the session cookies in a stable order: first the one that signing in sets, then those of links.
fn session_cookies(jar: &CookieJar, public_url: &str) -> Vec<String> {
    let name = cookie_name(public_url);
    let is_ours = |cookie: &&Cookie| {
        let rest = cookie.name().strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.strip_prefix('-').is_some_and(is_mark))
    };
    let mut names: Vec<_> = jar.iter().filter(is_ours).map(|cookie| cookie.name().to_owned()).collect();
    names.sort_unstable();
    names
}

/// Whether the request has a session cookie, valid or expired.
pub(super) fn has_session_cookie(headers: &HeaderMap, public_url: &str) -> bool {
    !session_cookies(&CookieJar::from_headers(headers), public_url).is_empty()
}

/// Characters that distinguish the cookies of two links' sessions.
const MARK_CHARS: usize = 8;

fn is_mark(text: &str) -> bool {
    text.len() == MARK_CHARS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Response headers that set cookies.
pub(super) type SetCookies = AppendHeaders<Vec<(HeaderName, String)>>;

fn set_cookies(cookies: impl IntoIterator<Item = Cookie<'static>>) -> SetCookies {
    AppendHeaders(cookies.into_iter().map(|cookie| (header::SET_COOKIE, cookie.to_string())).collect())
}

/// The cookie that names the session of an account. It replaces all others.
pub(super) fn sign_in_cookies(jar: &CookieJar, public_url: &str, secret: &Secret) -> SetCookies {
    let name = cookie_name(public_url);
    let others = session_cookies(jar, public_url).into_iter().filter(|other| other != name);
    let gone = others.map(|name| no_cookie(name, public_url));
    set_cookies(iter::once(session_cookie(name.to_owned(), public_url, secret)).chain(gone))
}

/// The cookie that names the session of a link. Its name is unique: when a new browser opens two links at once,
/// neither response may overwrite the other's cookie.
pub(super) fn link_cookie(public_url: &str, secret: &Secret) -> SetCookies {
    let mark: String = secret.hash().0[..MARK_CHARS / 2].iter().map(|byte| format!("{byte:02x}")).collect();
    set_cookies([session_cookie(format!("{}-{mark}", cookie_name(public_url)), public_url, secret)])
}

/// A cookie for the whole site. Scripts cannot read it, and other sites' forms are sent without it.
pub(super) fn cookie(name: String, value: String, public_url: &str, days: i64) -> Cookie<'static> {
    Cookie::build((name, value))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(public_url.starts_with("https:"))
        .max_age(time::Duration::days(days))
        .build()
}

fn session_cookie(name: String, public_url: &str, secret: &Secret) -> Cookie<'static> {
    cookie(name, secret.expose().to_owned(), public_url, SESSION_DAYS)
}

/// Deletes every session cookie.
pub(super) fn no_session_cookies(jar: &CookieJar, public_url: &str) -> SetCookies {
    set_cookies(session_cookies(jar, public_url).into_iter().map(|name| no_cookie(name, public_url)))
}

fn no_cookie(name: String, public_url: &str) -> Cookie<'static> {
    let mut cookie = cookie(name, String::new(), public_url, 0);
    cookie.make_removal();
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_cookies_are_recognised_and_ordered() {
        let header =
            "bespoken-ffffffff=1; other=2; bespoken-00000000=3; bespoken-x=4; bespoken=5; bespoken-000000001=6";
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static(header));
        let jar = CookieJar::from_headers(&headers);
        let names = session_cookies(&jar, "http://127.0.0.1:3000");
        assert_eq!(names, ["bespoken", "bespoken-00000000", "bespoken-ffffffff"]);
        assert!(session_cookies(&jar, "https://chat.example").is_empty());
    }
}
