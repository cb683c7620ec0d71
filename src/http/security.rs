//! Security headers of responses, and checks of requests.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, header},
    response::{IntoResponse, Response},
};
use tower_http::csrf::{CsrfLayer, ProtectionError};

use super::App;
use crate::{
    domain::{ConversationId, Problem},
    locales::{self, t},
};

const CROSS_ORIGIN_OPENER_POLICY: HeaderName = HeaderName::from_static("cross-origin-opener-policy");
const CROSS_ORIGIN_RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
const PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");
/// The pages use none of these, so injected scripts cannot use them either.
const NO_DEVICES: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), hid=(), \
                          magnetometer=(), microphone=(), midi=(), payment=(), serial=(), usb=()";

/// Rejects state-changing cross-site requests from browsers. Programs send neither `Origin` nor `Sec-Fetch-Site` and
/// pass. They send only cookies that they obtained themselves.
pub(super) fn same_origin(public_url: &str) -> CsrfLayer<impl FnMut(ProtectionError) -> Response + Clone + use<>> {
    let layer = CsrfLayer::new();
    // The public URL was validated at start; with an invalid one only the check against `Host` remains.
    let layer = layer.clone().add_trusted_origin(public_url).unwrap_or(layer);
    layer.with_rejection_response(|_| Problem::forbidden(t!(locales::current(), problem::ANOTHER_SITE)).into_response())
}

/// Removes the origin of a request with a token. No site can make a browser send a token, so such requests may come
/// from anywhere. They never use the cookie that may be sent with them.
pub(super) async fn trust_tokens(mut request: Request) -> Request {
    if request.headers().contains_key(header::AUTHORIZATION) {
        request.headers_mut().remove(header::ORIGIN);
        request.headers_mut().remove("sec-fetch-site");
    }
    request
}

/// Disables compression for a page of the desk unless its address only selects a chat and a list. Such pages contain
/// links to chats, and the size of a compressed page reveals whether words of its address occur in a link.
pub(super) async fn compress_unless_varied(mut request: Request) -> Request {
    let is_a_choice = |parameter: &str| match parameter.split_once('=') {
        Some(("chat", id)) => id.parse::<ConversationId>().is_ok(),
        Some(("status", list)) => ["open", "closed"].contains(&list),
        _ => false,
    };
    let only_chooses = |query: &str| query.split('&').all(is_a_choice);
    if request.method() != Method::GET || !request.uri().query().is_none_or(only_chooses) {
        request.headers_mut().remove(header::ACCEPT_ENCODING);
    }
    request
}

/// Makes the browser delete the pages cached for its Back button. Does not clear `storage`: queued messages there
/// belong to their author, who can send them after signing in again.
pub(super) const FORGET_PAGES: [(&str, &str); 1] = [("clear-site-data", "\"cache\"")];

/// Forbids caches to store a response, which is valid for this person and moment only.
pub(super) async fn keep_private(mut response: Response) -> Response {
    response.headers_mut().entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// Adds the security headers to every response. A page has set its own content policy by then; all other responses
/// may load nothing.
pub(super) async fn headers(State(app): State<App>, mut response: Response) -> Response {
    let headers = response.headers_mut();
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, "default-src 'none'; frame-ancestors 'none'"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
        // Not `no-referrer`: browsers would then send `Origin: null` with forms.
        (header::REFERRER_POLICY, "same-origin"),
        // Blocks access from windows, frames and documents of other sites.
        (CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (CROSS_ORIGIN_RESOURCE_POLICY, "same-origin"),
        (PERMISSIONS_POLICY, NO_DEVICES),
    ] {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    if app.service.public_url().starts_with("https:") {
        let value = HeaderValue::from_static("max-age=31536000");
        headers.entry(header::STRICT_TRANSPORT_SECURITY).or_insert(value);
    }
    response
}

/// The policy of a page: it may load this server's files. A script runs only with the response's nonce, or if a
/// script with it loads it (`strict-dynamic`). So uploaded files never run.
pub(super) fn page_policy(headers: &mut HeaderMap, nonce: &str, public_url: &str) {
    // Older versions of Safari exclude wss: from 'self'.
    let sockets = public_url.replacen("http", "ws", 1);
    let policy = format!(
        "default-src 'none'; script-src 'nonce-{nonce}' 'strict-dynamic' 'wasm-unsafe-eval'; object-src 'none'; \
         style-src 'self'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self' {sockets}; \
         manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    );
    if let Ok(policy) = HeaderValue::try_from(policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    if public_url.starts_with("https:") {
        headers.insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000"));
    }
}
