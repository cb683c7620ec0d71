//! The language of a response: the one chosen in this browser, else the best of those that the browser accepts, else
//! the installation's.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use axum_extra::extract::cookie::CookieJar;
use serde::Deserialize;

use super::{App, auth, forms::Fields, pages};
use crate::locales::{self, Locale};

/// Stores the chosen language, without identifying the person.
const COOKIE: &str = "bespoken_language";
const COOKIE_DAYS: i64 = 400;

/// Sets the language in which a request is answered.
pub(super) async fn speak(State(app): State<App>, request: Request, next: Next) -> Response {
    let locale = wanted(request.headers()).unwrap_or_else(|| app.service.locale());
    locales::within(locale, next.run(request)).await
}

fn wanted(headers: &HeaderMap) -> Option<Locale> {
    let chosen = CookieJar::from_headers(headers).get(COOKIE).and_then(|cookie| cookie.value().parse().ok());
    chosen.or_else(|| accepted(headers.get(header::ACCEPT_LANGUAGE)?.to_str().ok()?))
}

/// The best available language of an Accept-Language header (RFC 9110, section 12.5.4).
fn accepted(header: &str) -> Option<Locale> {
    let mut best: Option<(f32, Locale)> = None;
    for range in header.split(',') {
        let (tag, weight) =
            range.split_once(";q=").map_or((range, Ok(1.0)), |(tag, weight)| (tag, weight.trim().parse()));
        if let (Ok(locale), Ok(weight)) = (tag.trim().parse(), weight)
            && weight > best.map_or(0.0, |(weight, _)| weight)
        {
            best = Some((weight, locale));
        }
    }
    best.map(|(_, locale)| locale)
}

#[derive(Deserialize)]
pub(super) struct Choice {
    language: Locale,
    /// The page that contained the form.
    next: String,
}

/// Stores a language, and shows the page again.
pub(super) async fn choose(State(app): State<App>, Fields(choice): Fields<Choice>) -> Response {
    let tag = choice.language.tag().to_owned();
    let cookie = auth::cookie(COOKIE.to_owned(), tag, app.service.public_url(), COOKIE_DAYS);
    let next = pages::see_other(pages::own_path(&choice.next).unwrap_or("/"));
    (CookieJar::new().add(cookie), next).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_best_language_that_there_is_counts() {
        for (header, locale) in [
            ("de-DE,de;q=0.9,en;q=0.8", Some(Locale::De)),
            ("fr, en;q=0.4, de;q=0.7", Some(Locale::De)),
            ("en-US,en;q=0.5,de", Some(Locale::En)),
            ("de;q=0, en;q=0.1", Some(Locale::En)),
            ("fr-FR, *;q=0.1", None),
            ("de;q=nan", None),
            ("de;q=many", None),
            ("", None),
        ] {
            assert_eq!(accepted(header), locale, "{header}");
        }
    }
}
