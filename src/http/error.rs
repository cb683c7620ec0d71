//! A problem as an HTTP answer: RFC 9457 `application/problem+json` with the added member `code`.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::{
    domain::{Code, Problem},
    locales,
};

pub(super) fn status(problem: &Problem) -> StatusCode {
    StatusCode::from_u16(problem.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR)
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = status(&self);
        answer(self, status)
    }
}

/// A problem under another status than that of its code.
pub(super) fn answer(problem: Problem, status: StatusCode) -> Response {
    let mut body = json!({
        "type": "about:blank",
        "title": problem.code.title(locales::current()),
        "status": status.as_u16(),
        "code": problem.code,
        "detail": problem.message,
    });
    if let Some(field) = problem.field {
        body["field"] = field.into();
    }
    let mut response = (status, body.to_string()).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(seconds) = problem.retry_after_s {
        headers.insert(header::RETRY_AFTER, seconds.into());
    }
    if problem.code == Code::Unauthorized {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}
