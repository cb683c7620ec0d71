//! What admins set for the business on its settings page.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::{Content, Hours, HoursForm, Name, Problem};
use crate::locales::{self, Locale, t};

/// The settings of the business. Empty: as the flags of the server say, or nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Business {
    pub name: Option<Name>,
    /// The language for browsers that request none of the available ones.
    pub language: Option<Locale>,
    /// Above the first message of each chat, for customers.
    pub welcome: String,
    /// What the business does with personal data: at the start of each chat, for customers.
    pub privacy: String,
    /// First sentences that an empty chat offers to its customer.
    pub suggestions: Vec<String>,
    /// Days without a message after which a chat by link closes; `None`: never.
    pub idle_days: Option<u32>,
    /// Whether a customer's message reopens a closed chat.
    pub reopens: bool,
    /// Days without activity after which the server removes chats, and requests that are done or declined; 0: never.
    pub retention_days: Option<u32>,
    pub hours: Hours,
}

impl Business {
    pub const MAX_WELCOME_CHARS: usize = 500;
    pub const MAX_PRIVACY_CHARS: usize = 1_000;
    pub const MAX_SUGGESTIONS: usize = 3;
    /// Two at least: the warning comes a day before.
    pub const IDLE_DAYS: RangeInclusive<u32> = 2..=365;
    pub const RETENTION_DAYS: RangeInclusive<u32> = 7..=3_650;

    /// The settings in the fields of a form. An empty field sets nothing.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn parse(form: &BusinessForm) -> Result<Self, Problem> {
        let suggestions = form.suggestions.lines().filter(|line| !line.trim().is_empty());
        let suggestions: Vec<_> = suggestions
            .map(|line| Name::parse("suggestions", line).map(|line| line.to_string()))
            .collect::<Result<_, _>>()?;
        if suggestions.len() > Self::MAX_SUGGESTIONS {
            let words = t!(locales::current(), problem::too_many_suggestions(Self::MAX_SUGGESTIONS));
            return Err(Problem::invalid("suggestions", words));
        }
        Ok(Self {
            name: filled(&form.name).map(|name| Name::parse("name", name)).transpose()?,
            language: filled(&form.language).and_then(|tag| tag.parse().ok()),
            welcome: text("welcome", &form.welcome, Self::MAX_WELCOME_CHARS)?,
            privacy: text("privacy", &form.privacy, Self::MAX_PRIVACY_CHARS)?,
            suggestions,
            idle_days: days("idle_days", &form.idle_days, Self::IDLE_DAYS)?,
            reopens: !form.reopens.is_empty(),
            retention_days: match filled(&form.retention_days) {
                Some("0") => Some(0),
                _ => days("retention_days", &form.retention_days, Self::RETENTION_DAYS)?,
            },
            hours: Hours::parse(&form.hours)?,
        })
    }
}

/// The fields of the form of the settings, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BusinessForm {
    pub name: String,
    pub language: String,
    pub welcome: String,
    pub privacy: String,
    /// One on each line.
    pub suggestions: String,
    pub idle_days: String,
    /// Empty: no.
    pub reopens: String,
    pub retention_days: String,
    #[serde(flatten)]
    pub hours: HoursForm,
}

impl From<&Business> for BusinessForm {
    fn from(business: &Business) -> Self {
        let number = |days: Option<u32>| days.map(|days| days.to_string()).unwrap_or_default();
        Self {
            name: business.name.as_ref().map(Name::to_string).unwrap_or_default(),
            language: business.language.map(|language| language.tag().to_owned()).unwrap_or_default(),
            welcome: business.welcome.clone(),
            privacy: business.privacy.clone(),
            suggestions: business.suggestions.join("\n"),
            idle_days: number(business.idle_days),
            reopens: if business.reopens { "1".to_owned() } else { String::new() },
            retention_days: number(business.retention_days),
            hours: HoursForm::from(&business.hours),
        }
    }
}

fn filled(text: &str) -> Option<&str> {
    Some(text.trim()).filter(|text| !text.is_empty())
}

fn text(field: &str, text: &str, max_chars: usize) -> Result<String, Problem> {
    let Some(text) = filled(text) else { return Ok(String::new()) };
    Content::parse_as(field, text, max_chars).map(Content::into_string)
}

fn days(field: &str, text: &str, within: RangeInclusive<u32>) -> Result<Option<u32>, Problem> {
    let Some(text) = filled(text) else { return Ok(None) };
    let days = text.parse().ok().filter(|days| within.contains(days));
    let wrong = || Problem::invalid(field, t!(locales::current(), problem::days(*within.start(), *within.end())));
    days.map(Some).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_form_sets_nothing() {
        assert_eq!(Business::parse(&BusinessForm::default()), Ok(Business::default()));
        assert_eq!(serde_json::from_str::<Business>("{}").unwrap(), Business::default());
    }

    #[test]
    fn a_form_shows_what_it_has_set() {
        let form = BusinessForm {
            name: "Elm & Oak".into(),
            language: "de".into(),
            welcome: "Welcome!\nWe answer soon.".into(),
            privacy: "We keep chats for a year.".into(),
            suggestions: "How long does it take?\nWhat does it cost?".into(),
            idle_days: "14".into(),
            reopens: "1".into(),
            retention_days: "0".into(),
            hours: HoursForm { zone: "Europe/Berlin".into(), ..HoursForm::default() },
        };
        let business = Business::parse(&form).unwrap();
        assert_eq!(business.suggestions.len(), 2);
        assert_eq!(BusinessForm::from(&business), form);
        let stored = serde_json::to_string(&business).unwrap();
        assert_eq!(serde_json::from_str::<Business>(&stored).unwrap(), business);
    }

    #[test]
    fn wrong_fields_are_named() {
        let wrong = |change: fn(&mut BusinessForm)| {
            let mut form = BusinessForm::default();
            change(&mut form);
            Business::parse(&form).unwrap_err().field.unwrap()
        };
        assert_eq!(wrong(|form| form.name = "x".repeat(101)), "name");
        assert_eq!(wrong(|form| form.welcome = "x".repeat(501)), "welcome");
        assert_eq!(wrong(|form| form.privacy = "\0".into()), "privacy");
        assert_eq!(wrong(|form| form.suggestions = "a\nb\nc\nd".into()), "suggestions");
        assert_eq!(wrong(|form| form.suggestions = "x".repeat(101)), "suggestions");
        for days in ["1", "366", "-3", "two", "3.5"] {
            let form = BusinessForm { idle_days: days.into(), ..BusinessForm::default() };
            assert_eq!(Business::parse(&form).unwrap_err().field.as_deref(), Some("idle_days"), "{days}");
        }
        assert_eq!(wrong(|form| form.retention_days = "1".into()), "retention_days");
    }
}
