//! Pages: access control, and rendering of the document.
//!
//! Handlers here decide about sign-in and redirects before rendering. The pages themselves (`ui::pages`) show the
//! results of their server functions, or the error instead, with its status.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use axum::{
    Extension, Json, RequestExt,
    body::{Body, to_bytes},
    extract::{FromRequestParts, Path, Query, Request, State, rejection::QueryRejection},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header, request::Parts},
    response::{IntoResponse, Redirect, Response},
};
use axum_extra::extract::CookieJar;
use leptos::{
    nonce::use_nonce,
    prelude::provide_context,
    server_fn::{axum::server_fn_paths, error::SERVER_FN_ERROR_HEADER},
};
use leptos_axum::ResponseOptions;
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    App, Asker, auth,
    body_size::BODY_BYTES,
    error,
    links::{self, Target},
};
use crate::{
    app::{FormState, PageSession, PageStatus, Styles, shell},
    domain::{Actor, Code, ConversationId, Problem, RequestId, Role, User, percent_encoded},
    locales::{self, t},
    protocol::{GUEST, VIEWER},
    service::{Confirming, Secret},
};

/// Renders the page at `uri` with the submitted values of its form.
pub(super) async fn render(app: &App, asker: Asker, uri: Uri, status: StatusCode, form: FormState) -> Response {
    let page_status = PageStatus::default();
    let nonce: Arc<OnceLock<String>> = Arc::default();
    let context = {
        let (asker, form, page_status, used) = (asker.clone(), form, page_status.clone(), nonce.clone());
        let session = PageSession(session_name(&asker));
        let public_url = app.service.public_url().to_owned();
        let styles = app.assets.styles(uri.path()).map(Styles);
        move || {
            provide_context(asker.clone());
            provide_context(form.clone());
            provide_context(page_status.clone());
            provide_context(session.clone());
            if let Some(styles) = styles.clone() {
                provide_context(styles);
            }
            let answer = leptos::prelude::expect_context::<ResponseOptions>();
            if let Some(nonce) = use_nonce() {
                let nonce = used.get_or_init(|| nonce.to_string());
                let mut headers = axum::http::HeaderMap::new();
                super::security::page_policy(&mut headers, nonce, &public_url);
                for (name, value) in headers.into_iter().filter_map(|(name, value)| Some((name?, value))) {
                    answer.insert_header(name, value);
                }
            }
        }
    };
    let options = app.options.clone();
    let mut request = Request::new(Body::empty());
    *request.method_mut() = Method::GET;
    *request.uri_mut() = uri;
    request.extensions_mut().insert(asker);
    let response = leptos_axum::render_app_async_with_context(context, move || shell(options.clone()))(request).await;
    // The islands of a page are known only after rendering, so the whole page is buffered.
    let (mut parts, body) = response.into_parts();
    let html = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let html = String::from_utf8(html.into()).unwrap_or_default();
    let html = app.assets.preloading(html, nonce.get().map(String::as_str));
    parts.status = page_status.get().and_then(|code| StatusCode::from_u16(code).ok()).unwrap_or(status);
    parts.headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    Response::from_parts(parts, Body::from(html))
}

/// Identifies the session of a browser on its pages.
fn session_name(asker: &Asker) -> Option<String> {
    asker.session_id().map(|id| id.to_string())
}

/// The id of the browser's current session. A cached page compares it with its own, to decide whether it may still be
/// shown.
pub(super) async fn session(Extension(asker): Extension<Asker>) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], session_name(&asker).unwrap_or_default()).into_response()
}

/// Renders an error page.
pub(super) async fn problem(app: &App, asker: Asker, problem: Problem) -> Response {
    let status = error::status(&problem);
    let retry_after = problem.retry_after_s;
    let form = FormState { problem: Some(problem), values: BTreeMap::new() };
    let mut response = render(app, asker, Uri::from_static("/problem"), status, form).await;
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

/// A page without sign-in.
pub(super) async fn public(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    plain(&app, asker, uri).await
}

/// Handles unknown addresses. A damaged link opens nevertheless.
pub(super) async fn not_found(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    method: Method,
    uri: Uri,
) -> Response {
    match links::meant(&uri).filter(|_| matches!(method, Method::GET | Method::HEAD)) {
        Some(Target { page: "chat", .. }) => open_link(State(app), Extension(asker), uri).await,
        Some(target) => see_other(&target.address()),
        None => problem(&app, asker, Problem::not_found()).await,
    }
}

/// The id in the address of a page. An invalid id is answered with the page for 404.
pub(super) struct PageId<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for PageId<T> {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Response> {
        match Path::from_request_parts(parts, app).await {
            Ok(Path(id)) => Ok(Self(id)),
            Err(_) => Err(match parts.extensions.get::<Asker>().cloned() {
                Some(asker) => problem(app, asker, Problem::not_found()).await,
                None => Problem::not_found().into_response(),
            }),
        }
    }
}

/// The first page after signing in.
pub(super) fn home_of(user: &User) -> &'static str {
    match user.role {
        Role::Admin => "/admin",
        Role::Customer => "/account",
    }
}

/// The secret in the address of a link from a mail. A missing secret fails like a wrong one.
fn token_in(uri: &Uri) -> Secret {
    links::secret_in(uri, "token").unwrap_or_else(|| Secret::presented(""))
}

pub(super) async fn setup(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    if let Some(address) = links::tidied(&uri) {
        return see_other(&address);
    }
    match app.service.check_setup(&token_in(&uri), asker.address).await {
        Ok(()) => render(&app, asker, uri, StatusCode::OK, FormState::default()).await,
        Err(error) => problem(&app, asker, error).await,
    }
}

#[derive(Default, Deserialize)]
pub(super) struct LoginQuery {
    token: Option<String>,
    next: Option<String>,
    /// `lost`: the browser returned after sign-in without the cookie.
    cookie: Option<String>,
}

pub(super) async fn login(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    query: Result<Query<LoginQuery>, QueryRejection>,
    jar: CookieJar,
    uri: Uri,
) -> Response {
    // A repeated parameter makes the query invalid; `token_in` finds its token nevertheless.
    let query = query.map_or_else(|_| LoginQuery::default(), |Query(query)| query);
    if query.token.is_some() || links::meant(&uri).is_some() {
        let secret = token_in(&uri);
        return match app.service.sign_in_by_link(&secret, asker.visitor()).await {
            Ok((user, cookie)) => signed_in(&app, &jar, &user, &cookie, query.next.as_deref()),
            Err(error) => problem(&app, asker, error).await,
        };
    }
    match asker.actor.as_ref().and_then(Actor::user) {
        Some(user) => see_other(home_of(user)),
        None => {
            let form = match query.cookie.as_deref() {
                Some("lost") if asker.session.is_none() => {
                    FormState { problem: Some(no_cookie(&app)), values: BTreeMap::new() }
                }
                _ => FormState::default(),
            };
            render(&app, asker, uri, StatusCode::OK, form).await
        }
    }
}

fn no_cookie(app: &App) -> Problem {
    let host = app.service.public_url().split_once("://").map_or(app.service.public_url(), |(_, host)| host);
    Problem::new(Code::Unauthorized, t!(locales::current(), problem::no_cookie(host)))
}

/// Redirects a person who has just signed in, and sets the cookie.
pub(super) fn signed_in(app: &App, jar: &CookieJar, user: &User, cookie: &Secret, next: Option<&str>) -> Response {
    let next = next.and_then(own_path);
    (auth::sign_in_cookies(jar, app.service.public_url(), cookie), see_other(next.unwrap_or_else(|| home_of(user))))
        .into_response()
}

/// The target address from a form, if it is a path of this server. `//host` and `/\host` would lead elsewhere, and so
/// would `/<tab>/host`, because browsers drop tabs and line breaks from addresses.
pub(super) fn own_path(path: &str) -> Option<&str> {
    let leads_here =
        path.starts_with('/') && !path.starts_with("//") && !path.chars().any(|c| c == '\\' || c.is_control());
    leads_here.then_some(path)
}

/// 303 and never cached.
pub(super) fn see_other(path: &str) -> Response {
    ([(header::CACHE_CONTROL, "no-store")], Redirect::to(path)).into_response()
}

pub(super) async fn logout(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    if asker.session.is_none() {
        return see_other("/");
    }
    render(&app, asker, uri, StatusCode::OK, FormState::default()).await
}

/// Redirects an unauthenticated person to the sign-in page, which then returns here.
fn to_login(app: &App, uri: &Uri, headers: &HeaderMap) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let why = if lost_cookie(app, headers) { "&cookie=lost" } else { "" };
    see_other(&format!("/login?next={}{why}", percent_encoded(path, b"-_.~/")))
}

/// Pages whose forms sign a person in.
const SIGN_IN_PAGES: [&str; 6] = ["/login", "/register", "/setup", "/reset", "/invite", "/confirm"];

/// Whether the browser rejected the cookie of a sign-in. Such a request comes from a sign-in page, which redirects
/// only signed-in people, and has no cookie. A successful sign-in needs no extra parameter for this check.
fn lost_cookie(app: &App, headers: &HeaderMap) -> bool {
    let from = headers.get(header::REFERER).and_then(|from| from.to_str().ok()?.parse::<Uri>().ok());
    let same_origin = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    same_origin
        && !auth::has_session_cookie(headers, app.service.public_url())
        && from.is_some_and(|from| SIGN_IN_PAGES.contains(&from.path()))
}

async fn plain(app: &App, asker: Asker, uri: Uri) -> Response {
    render(app, asker, uri, StatusCode::OK, FormState::default()).await
}

pub(super) async fn register(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    match asker.actor.as_ref().and_then(Actor::user) {
        Some(user) => see_other(home_of(user)),
        None => plain(&app, asker, uri).await,
    }
}

pub(super) async fn reset(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    if let Some(address) = links::tidied(&uri) {
        return see_other(&address);
    }
    match app.service.check_password_reset(&token_in(&uri), asker.address).await {
        Ok(()) => plain(&app, asker, uri).await,
        Err(error) => problem(&app, asker, error).await,
    }
}

/// Only shows the address and a button: mail scanners open links too.
pub(super) async fn confirm(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    if let Some(address) = links::tidied(&uri) {
        return see_other(&address);
    }
    confirmation(&app, asker, token_in(&uri).expose(), None).await
}

/// Renders the page on which an address is confirmed, with the error of its form.
pub(super) async fn confirmation(app: &App, asker: Asker, token: &str, reason: Option<Problem>) -> Response {
    let (email, how) = match app.service.check_confirmation(&Secret::presented(token), asker.visitor()).await {
        Ok(found) => found,
        Err(error) => return problem(app, asker, error).await,
    };
    let how = match how {
        Confirming::SignedIn => "signed in",
        Confirming::Password => "password",
        Confirming::SignIn => "sign in",
    };
    let values = [("token", token.to_owned()), ("email", email.to_string()), ("how", how.to_owned())];
    let values = values.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    let status = reason.as_ref().map_or(StatusCode::OK, error::status);
    render(app, asker, Uri::from_static("/confirm"), status, FormState { problem: reason, values }).await
}

#[derive(Deserialize)]
pub(super) struct UnsubscribeQuery {
    pub chat: ConversationId,
    pub token: String,
}

/// Only shows a button: mail scanners open links too.
pub(super) async fn unsubscribe(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    query: Result<Query<UnsubscribeQuery>, QueryRejection>,
    uri: Uri,
) -> Response {
    let checked = match query {
        Ok(Query(UnsubscribeQuery { chat, token })) => app.service.check_unsubscribe(chat, &token),
        Err(_) => Err(Problem::not_found()),
    };
    match checked {
        Ok(()) => {
            let values = BTreeMap::from([("address".to_owned(), uri.to_string())]);
            let form = FormState { problem: None, values };
            render(&app, asker, Uri::from_static("/unsubscribe"), StatusCode::OK, form).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}

pub(super) async fn invite(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    if let Some(address) = links::tidied(&uri) {
        return see_other(&address);
    }
    match app.service.check_invite(&token_in(&uri), asker.address).await {
        Ok(()) => plain(&app, asker, uri).await,
        Err(error) => problem(&app, asker, error).await,
    }
}

/// For people with an account, and the chats of guests.
pub(super) async fn account(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match &asker.actor {
        Some(Actor::Customer(..) | Actor::Admin(_)) => plain(&app, asker, uri).await,
        // Guests have no profile.
        Some(Actor::Guest(_)) if uri.query().is_none() => plain(&app, asker, uri).await,
        Some(Actor::Guest(_)) | None => to_login(&app, &uri, &headers),
    }
}

/// The form of a new request is for customers: admins do not create requests for themselves.
pub(super) async fn new_request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match &asker.actor {
        Some(Actor::Customer(..)) => plain(&app, asker, uri).await,
        Some(Actor::Admin(_)) => see_other("/admin/requests"),
        Some(Actor::Guest(_)) | None => to_login(&app, &uri, &headers),
    }
}

pub(super) async fn request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(RequestId(_)): PageId<RequestId>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match &asker.actor {
        Some(Actor::Customer(..) | Actor::Admin(_)) => plain(&app, asker, uri).await,
        Some(Actor::Guest(_)) | None => to_login(&app, &uri, &headers),
    }
}

/// A page for admins, whose existence is public.
pub(super) async fn for_admins(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match &asker.actor {
        Some(Actor::Admin(_)) => plain(&app, asker, uri).await,
        Some(Actor::Customer(..)) => problem(&app, asker, Problem::not_found()).await,
        Some(Actor::Guest(_)) | None => to_login(&app, &uri, &headers),
    }
}

#[derive(Deserialize)]
pub(super) struct DashboardQuery {
    #[expect(dead_code, reason = "an address that names no chat is refused")]
    chat: Option<ConversationId>,
}

pub(super) async fn admin(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    query: Result<Query<DashboardQuery>, QueryRejection>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    match &asker.actor {
        Some(Actor::Admin(_)) if query.is_err() => problem(&app, asker, Problem::not_found()).await,
        Some(Actor::Admin(_)) => plain(&app, asker, uri).await,
        // The dashboard's existence is public, but customers cannot use it.
        Some(Actor::Customer(..)) => problem(&app, asker, Problem::not_found()).await,
        Some(Actor::Guest(_)) | None => to_login(&app, &uri, &headers),
    }
}

/// Opens the shared link, and redirects to an address without the secret.
pub(super) async fn open_link(State(app): State<App>, Extension(asker): Extension<Asker>, uri: Uri) -> Response {
    // An invalid address fails like a wrong secret.
    let secret = links::secret_in(&uri, "chatId").unwrap_or_else(|| Secret::presented(""));
    match app.service.open_link(&secret, asker.visitor()).await {
        Ok((conversation, cookie)) => {
            let cookie = cookie.map(|cookie| auth::link_cookie(app.service.public_url(), &cookie));
            (cookie, see_other(&format!("/chat/{conversation}"))).into_response()
        }
        Err(error) => problem(&app, asker, error).await,
    }
}

pub(super) async fn chat(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    id: Result<PageId<ConversationId>, Response>,
    uri: Uri,
) -> Response {
    let id = match id {
        Ok(PageId(id)) => id,
        // Such as `/chat/%3FchatId=…`.
        Err(_) if links::meant(&uri).is_some() => return open_link(State(app), Extension(asker), uri).await,
        Err(not_found) => return not_found,
    };
    match &asker.actor {
        None => problem(&app, asker, Problem::not_found()).await,
        Some(actor @ Actor::Admin(_)) => match app.service.conversation(actor, id).await {
            // An admin who opens a link in the same browser stays signed in as an admin.
            Ok(_) => see_other(&format!("/admin?chat={id}")),
            Err(error) => problem(&app, asker, error).await,
        },
        Some(Actor::Customer(..) | Actor::Guest(_)) => plain(&app, asker, uri).await,
    }
}

/// Handles the server functions that islands call from the browser.
pub(super) async fn server_function(Extension(asker): Extension<Asker>, request: Request) -> Response {
    if !server_fn_paths().any(|(path, method)| path == request.uri().path() && method == *request.method()) {
        return Problem::not_found().into_response();
    }
    if let Some(viewer) = request.headers().get(VIEWER)
        && !is_page_of(viewer, asker.actor.as_ref())
    {
        return refused(&Problem::somebody_else());
    }
    // Leptos itself reads bodies without a limit.
    let (parts, body) = request.with_limited_body().into_parts();
    let Ok(body) = to_bytes(body, usize::MAX).await else {
        return refused(&Problem::new(Code::TooLarge, t!(locales::current(), problem::TOO_MUCH)));
    };
    // Arguments are named, as in all of the API.
    if body.trim_ascii_start().starts_with(b"[") {
        return refused(&Problem::new(Code::Invalid, t!(locales::current(), problem::NOT_UNDERSTOOD)));
    }
    let request = Request::from_parts(parts, Body::from(body));
    let context = move || provide_context(asker.clone());
    let mut response = leptos_axum::handle_server_fns_with_context(context, request).await.into_response();
    if response.headers().contains_key(SERVER_FN_ERROR_HEADER) && response.status().is_server_error() {
        response = with_own_status(response).await;
    }
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether the request comes from a page of the same person. A guest's page stays valid after signing in as a
/// customer, who has the same identity in the chats of their links. Unauthenticated requests pass: the function
/// itself rejects them.
fn is_page_of(viewer: &HeaderValue, actor: Option<&Actor>) -> bool {
    let Some(actor) = actor else { return true };
    match viewer.to_str() {
        Ok(GUEST) => !actor.is_admin(),
        Ok(id) => actor.user_id().is_some_and(|user| id.parse() == Ok(user)),
        Err(_) => false,
    }
}

/// A problem in the format of server functions.
fn refused(problem: &Problem) -> Response {
    let headers = [(header::CACHE_CONTROL, "no-store")];
    (error::status(problem), headers, Json(problem)).into_response()
}

/// Sets the status of the problem's code, because server functions return 500 for every problem.
async fn with_own_status(response: Response) -> Response {
    let (mut parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_BYTES).await.unwrap_or_default();
    if let Ok(problem) = serde_json::from_slice::<Problem>(&body) {
        parts.status = error::status(&problem);
        if let Some(seconds) = problem.retry_after_s {
            parts.headers.insert(header::RETRY_AFTER, seconds.into());
        }
    }
    Response::from_parts(parts, Body::from(body))
}
