//! Every text that people read, in each language: [`en`] and [`de`].
//!
//! A key is a constant, or a function of the text's arguments, at the same path in each language. [`t!`] chooses the
//! language. A key that one language lacks does not compile where it is used; a key that nobody uses is dead code.
//! docs/client.md says why this is not a library.

pub(crate) mod de;
pub(crate) mod en;

use std::{cell::Cell, pin::pin, str::FromStr, task::Poll};

use serde::{Deserialize, Serialize};

/// A language of the pages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    #[default]
    En,
    De,
}

impl Locale {
    pub const ALL: [Self; 2] = [Self::En, Self::De];

    /// As it stands in `lang`, in the cookie and in settings (RFC 5646).
    #[must_use]
    pub fn tag(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::De => "de",
        }
    }

    /// What the language calls itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::En => "English",
            Self::De => "Deutsch",
        }
    }

    /// Whose way of writing dates and numbers it is: days before months and 24 hours.
    #[must_use]
    pub fn region_tag(self) -> &'static str {
        match self {
            Self::En => "en-GB",
            Self::De => "de-DE",
        }
    }
}

/// From a tag such as `de` or `de-AT`.
impl FromStr for Locale {
    type Err = String;

    fn from_str(tag: &str) -> Result<Self, String> {
        let language = tag.split('-').next().unwrap_or(tag);
        let found = Self::ALL.into_iter().find(|locale| locale.tag().eq_ignore_ascii_case(language));
        found.ok_or_else(|| format!("there is no language {tag} here"))
    }
}

/// A text in the language `$locale`: `t!(locale, chat::SEND)`, or with arguments `t!(locale, chat::is_here(&name))`.
macro_rules! t {
    ($locale:expr, $($key:ident)::+) => {
        match $locale {
            $crate::locales::Locale::En => $crate::locales::en::$($key)::+,
            $crate::locales::Locale::De => $crate::locales::de::$($key)::+,
        }
    };
    ($locale:expr, $($key:ident)::+ ($($argument:expr),* $(,)?)) => {
        (match $locale {
            $crate::locales::Locale::En => $crate::locales::en::$($key)::+,
            $crate::locales::Locale::De => $crate::locales::de::$($key)::+,
        })($($argument),*)
    };
}

pub(crate) use t;

pub use crate::format::{amount, date};

/// What a date says beside its day and month, which are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateStyle {
    Day,
    Year,
    Weekday,
    WeekdayYear,
}

thread_local! {
    static CURRENT: Cell<Locale> = const { Cell::new(Locale::En) };
}

/// The language of the request that the server is answering, or of the page that the browser shows.
#[must_use]
pub fn current() -> Locale {
    CURRENT.get()
}

/// The browser shows a page in this language.
pub fn set_current(locale: Locale) {
    CURRENT.set(locale);
}

/// Gives this thread its language back, also if the work panics.
struct Restore(Locale);

impl Drop for Restore {
    fn drop(&mut self) {
        CURRENT.set(self.0);
    }
}

/// Does work that speaks `locale`. What the work spawns does not: texts are made before that.
pub async fn within<F: Future>(locale: Locale, work: F) -> F::Output {
    let mut work = pin!(work);
    std::future::poll_fn(move |context| -> Poll<F::Output> {
        let _restore = Restore(CURRENT.replace(locale));
        work.as_mut().poll(context)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_is_known_by_its_tag() {
        for (tag, locale) in [("de", Locale::De), ("DE-at", Locale::De), ("en-US", Locale::En), ("en", Locale::En)] {
            assert_eq!(tag.parse(), Ok(locale), "{tag}");
        }
        for tag in ["fr", "", "den", "*"] {
            assert!(tag.parse::<Locale>().is_err(), "{tag}");
        }
    }

    #[test]
    fn work_speaks_its_language_and_nothing_else_does() {
        let block_on = futures_util::FutureExt::now_or_never;
        let seen = block_on(within(Locale::De, async {
            (current(), within(Locale::En, async { current() }).await, current())
        }));
        assert_eq!(seen, Some((Locale::De, Locale::En, Locale::De)));
        assert_eq!(current(), Locale::En);
    }
}
