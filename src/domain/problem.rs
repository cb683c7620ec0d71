//! The one public error. It maps to REST, WebSocket, server-function and page errors, and never carries SQL, paths or
//! secrets: `message` is for the requesting person.

use std::fmt;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::objects;
use crate::locales::{self, Locale, t};

/// The kinds of failure that a client can distinguish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// Nobody is signed in, or the secret is wrong.
    Unauthorized,
    /// May see it, may not do it.
    Forbidden,
    /// Does not exist, or the asker may not know that it does.
    NotFound,
    Invalid,
    /// The conversation is closed.
    Closed,
    /// The key names something else already: nothing was stored.
    Conflict,
    TooLarge,
    RateLimited,
    /// The server cannot do it now; the same request may succeed later.
    Unavailable,
}

impl Code {
    pub const ALL: [Self; 9] = [
        Self::Unauthorized,
        Self::Forbidden,
        Self::NotFound,
        Self::Invalid,
        Self::Closed,
        Self::Conflict,
        Self::TooLarge,
        Self::RateLimited,
        Self::Unavailable,
    ];

    /// Its name in answers.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not_found",
            Self::Invalid => "invalid",
            Self::Closed => "closed",
            Self::Conflict => "conflict",
            Self::TooLarge => "too_large",
            Self::RateLimited => "rate_limited",
            Self::Unavailable => "unavailable",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub fn status(self) -> u16 {
        match self {
            Self::Unauthorized => 401,
            Self::Forbidden => 403,
            Self::NotFound => 404,
            Self::Invalid => 422,
            Self::Closed | Self::Conflict => 409,
            Self::TooLarge => 413,
            Self::RateLimited => 429,
            Self::Unavailable => 503,
        }
    }

    /// A short description.
    #[must_use]
    pub fn title(self, locale: Locale) -> &'static str {
        match self {
            Self::Unauthorized => t!(locale, code::UNAUTHORIZED),
            Self::Forbidden => t!(locale, code::FORBIDDEN),
            Self::NotFound => t!(locale, code::NOT_FOUND),
            Self::Invalid => t!(locale, code::INVALID),
            Self::Closed => t!(locale, code::CLOSED),
            Self::Conflict => t!(locale, code::CONFLICT),
            Self::TooLarge => t!(locale, code::TOO_LARGE),
            Self::RateLimited => t!(locale, code::RATE_LIMITED),
            Self::Unavailable => t!(locale, code::UNAVAILABLE),
        }
    }
}

/// A failure, as an answer to the requesting person or program, in the language of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct Problem {
    pub code: Code,
    /// A sentence for the person: the reason and the next step.
    pub message: String,
    /// The input that is at fault, by its name in the form or request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds after which another try makes sense; with `rate_limited`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
}

objects!(Problem);

impl Problem {
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), field: None, retry_after_s: None }
    }

    #[must_use]
    pub fn unauthorized() -> Self {
        Self::new(Code::Unauthorized, t!(locales::current(), problem::SIGN_IN))
    }

    #[must_use]
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self::new(Code::Forbidden, message)
    }

    /// A page of one person asks, and its browser has been signed in as another since.
    #[must_use]
    pub fn somebody_else() -> Self {
        Self::forbidden(t!(locales::current(), frame::SOMEBODY_ELSE))
    }

    /// The same text for missing and for forbidden objects.
    #[must_use]
    pub fn not_found() -> Self {
        Self::new(Code::NotFound, t!(locales::current(), problem::NOT_FOUND))
    }

    #[must_use]
    pub fn invalid(field: &str, message: impl Into<String>) -> Self {
        Self { field: Some(field.into()), ..Self::new(Code::Invalid, message) }
    }

    #[must_use]
    pub fn closed() -> Self {
        Self::new(Code::Closed, t!(locales::current(), problem::CLOSED))
    }

    #[must_use]
    pub fn rate_limited(retry_after_s: u64) -> Self {
        Self::held_back(retry_after_s, t!(locales::current(), problem::too_many_at_once(retry_after_s)))
    }

    /// Somebody did something too often and has to wait.
    #[must_use]
    pub fn held_back(retry_after_s: u64, message: impl Into<String>) -> Self {
        Self { retry_after_s: Some(retry_after_s), ..Self::new(Code::RateLimited, message) }
    }

    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Code::Unavailable, t!(locales::current(), problem::UNAVAILABLE))
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_the_word_that_answers_have() {
        for code in Code::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.word());
        }
    }
}
