//! The request id, which connects the log lines of a request.
//!
//! Only the path is logged: the query may contain a secret, such as that of a shared link.

use std::time::Instant;

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    response::Response,
};
use tracing::Instrument;
use uuid::Uuid;

use crate::domain::shorten;

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Length limits of an id from a proxy, and of a path.
const MOST_ID: usize = 64;
const MOST_PATH: usize = 200;

/// Runs the request in a span with its id, and returns the id in a header.
pub(super) async fn name(request: Request, next: Next) -> Response {
    let id = given(request.headers()).unwrap_or_else(made);
    let path = shorten(request.uri().path(), MOST_PATH);
    let shown = id.to_str().unwrap_or_default();
    let span = tracing::info_span!("request", request_id = shown, method = %request.method(), path);
    let began = Instant::now();
    let mut response = next.run(request).instrument(span.clone()).await;
    let (status, ms) = (response.status().as_u16(), began.elapsed().as_secs_f64() * 1_000.0);
    span.in_scope(|| tracing::debug!(status, ms, "answered"));
    response.headers_mut().insert(REQUEST_ID, id);
    response
}

/// The id from a proxy, if it is safe to log.
fn given(headers: &HeaderMap) -> Option<HeaderValue> {
    let id = headers.get(REQUEST_ID)?;
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    ((1..=MOST_ID).contains(&id.len()) && id.as_bytes().iter().all(is_plain)).then(|| id.clone())
}

fn made() -> HeaderValue {
    let mut buffer = Uuid::encode_buffer();
    let id = Uuid::now_v7().simple().encode_lower(&mut buffer);
    HeaderValue::from_str(id).expect("hex digits are valid in a header")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plain_name_is_taken_over() {
        let given = |id: &str| given(&HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_str(id).unwrap())]));
        for plain in ["a", "0af7651916cd43dd8448eb211c80319c", "lb-7_x.1", &"a".repeat(64)] {
            assert_eq!(given(plain).unwrap(), plain);
        }
        for odd in ["", "two words", "a\tb", "{\"a\":1}", &"a".repeat(65)] {
            assert_eq!(given(odd), None, "{odd}");
        }
        assert_eq!(super::given(&HeaderMap::new()), None);
        assert_ne!(made(), made());
    }
}
