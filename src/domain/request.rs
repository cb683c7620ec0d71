//! Custom requests: what customers ask to have made.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{
    Attachment, ConversationId, Date, MessageEvent, Problem, RequestId, Timestamp, UserId, is_visible, objects, text,
};
use crate::locales::{self, Locale, t};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestStatus {
    New,
    InProgress,
    Done,
    Declined,
}

impl RequestStatus {
    pub const ALL: [Self; 4] = [Self::New, Self::InProgress, Self::Done, Self::Declined];

    /// The word for it in addresses and JSON.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::InProgress => "in_progress",
            Self::Done => "done",
            Self::Declined => "declined",
        }
    }

    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.word() == word)
    }

    /// Whether work on it may come or goes on.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::New | Self::InProgress)
    }

    /// The words for people.
    #[must_use]
    pub fn label(self, locale: Locale) -> &'static str {
        match self {
            Self::New => t!(locale, status::NEW),
            Self::InProgress => t!(locale, status::IN_PROGRESS),
            Self::Done => t!(locale, status::DONE),
            Self::Declined => t!(locale, status::DECLINED),
        }
    }
}

/// The order of a list of custom requests; ties by id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RequestOrder {
    /// Latest activity first.
    #[default]
    Activity,
    /// Newest first.
    Newest,
    /// Wanted soonest first; those without a day last.
    Wanted,
    /// By title, A first.
    Title,
}

/// A custom request as one person sees it: the fields about its conversation depend on this person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub struct CustomRequest {
    pub id: RequestId,
    /// The account that made it.
    pub customer_id: UserId,
    pub customer_name: String,
    pub customer_email: String,
    pub title: String,
    pub description: String,
    /// Hundredths of the business's currency.
    pub budget_cents: Option<i64>,
    /// The day on which it is wanted, such as `2026-12-24`.
    pub wanted_on: Option<String>,
    pub status: RequestStatus,
    /// Its conversation, once somebody has opened it.
    pub conversation_id: Option<ConversationId>,
    /// The latest message of its conversation, shortened.
    pub last_message: Option<String>,
    /// The event of that message, if it is a system line; see [`Message`](super::Message).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_event: Option<MessageEvent>,
    /// The number of others' messages that this person has not read.
    pub unread: i64,
    /// The files that were added to it, in the order of their arrival. Those of its conversation are in messages.
    pub attachments: Vec<Attachment>,
    pub created_at: Timestamp,
    /// When its customer last edited it.
    pub edited_at: Option<Timestamp>,
    /// The latest activity: in the request itself or in its conversation.
    pub updated_at: Timestamp,
}

objects!(CustomRequest);

impl CustomRequest {
    /// What its customer wrote.
    #[must_use]
    pub fn text(&self) -> RequestText {
        let Self { title, description, budget_cents, wanted_on, .. } = self.clone();
        RequestText { title, description, budget_cents, wanted_on }
    }
}

/// A status that a request was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct StatusChange {
    pub status: RequestStatus,
    pub by: String,
    pub at: Timestamp,
    /// Whether the customer withdrew the request, which is declined then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub withdrawn: bool,
}

objects!(StatusChange);

/// A customer's input, validated.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestText {
    pub title: String,
    pub description: String,
    pub budget_cents: Option<i64>,
    pub wanted_on: Option<String>,
}

impl RequestText {
    pub const MAX_TITLE_CHARS: usize = 120;
    pub const MAX_DESCRIPTION_CHARS: usize = 8_000;
    /// Ten billion of the business's currency.
    pub const MAX_BUDGET_CENTS: i64 = 1_000_000_000_000;

    /// Normalizes the texts, and validates all fields. The title has 1 to 120 characters on one line, the description 1
    /// to 8000. The budget is zero or more, and the day exists in the calendar.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn parse(
        title: &str,
        description: &str,
        budget_cents: Option<i64>,
        wanted_on: Option<&str>,
    ) -> Result<Self, Problem> {
        let title = text::title(title, Self::MAX_TITLE_CHARS)?;
        let description = text::normalized(description);
        if !description.chars().any(is_visible) {
            return Err(Problem::invalid("description", t!(locales::current(), problem::DESCRIPTION_EMPTY)));
        }
        if description.chars().count() > Self::MAX_DESCRIPTION_CHARS {
            let message = t!(locales::current(), problem::description_too_long(Self::MAX_DESCRIPTION_CHARS));
            return Err(Problem::invalid("description", message));
        }
        if description.contains('\0') {
            return Err(Problem::invalid("description", t!(locales::current(), problem::DESCRIPTION_NUL)));
        }
        if budget_cents.is_some_and(|cents| !(0..=Self::MAX_BUDGET_CENTS).contains(&cents)) {
            return Err(Problem::invalid("budget_cents", t!(locales::current(), problem::BUDGET)));
        }
        let wanted_on = wanted_on.map(str::trim).filter(|day| !day.is_empty());
        if wanted_on.is_some_and(|day| day.parse::<Date>().is_err()) {
            return Err(Problem::invalid("wanted_on", t!(locales::current(), problem::DAY)));
        }
        Ok(Self { title, description, budget_cents, wanted_on: wanted_on.map(str::to_owned) })
    }
}

/// Parses a person's input of an amount of money, in hundredths: `1200`, `1,200.50` or `1.200,50`. A comma or point is
/// for the decimals if one or two digits follow it to the end.
///
/// # Errors
/// `invalid`, naming `field`.
pub fn parse_money(field: &str, text: &str) -> Result<Option<i64>, Problem> {
    let wrong = || Problem::invalid(field, t!(locales::current(), problem::AMOUNT));
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if text.is_empty() {
        return Ok(None);
    }
    let (whole, cents) = match text.rfind([',', '.']) {
        Some(at) if (1..=2).contains(&(text.len() - at - 1)) => (&text[..at], &text[at + 1..]),
        _ => (&*text, ""),
    };
    let whole: String = whole.chars().filter(|c| !matches!(c, ',' | '.' | '\'')).collect();
    let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || !is_number(&whole) || !is_number(cents) {
        return Err(wrong());
    }
    let cents = match cents.len() {
        0 => 0,
        1 => cents.parse::<i64>().map_err(|_| wrong())? * 10,
        _ => cents.parse().map_err(|_| wrong())?,
    };
    Ok(Some(whole.parse::<i64>().map_err(|_| wrong())? * 100 + cents))
}

/// The amount as [`parse_money`] reads it.
#[must_use]
pub fn money_field(cents: i64) -> String {
    format!("{}.{:02}", cents / 100, cents % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_as_people_type_it() {
        for (text, cents) in [
            ("1200", 120_000),
            (" 1 200 ", 120_000),
            ("1,200", 120_000),
            ("1.200,50", 120_050),
            ("1,200.5", 120_050),
            ("0,99", 99),
            ("1'000", 100_000),
        ] {
            assert_eq!(parse_money("budget", text), Ok(Some(cents)), "{text}");
        }
        assert_eq!(parse_money("budget", "  "), Ok(None));
        for text in ["a lot", "-5", "12345678901", ".", "1e3", "5.", "€5"] {
            let parsed = parse_money("budget", text);
            assert!(parsed.is_err() || text == "5.", "{text}: {parsed:?}");
        }
    }

    #[test]
    fn a_request_needs_a_title_a_description_and_a_real_day() {
        let parse = |title: &str, description: &str, day: Option<&str>| {
            RequestText::parse(title, description, None, day).map_err(|problem| problem.field.unwrap_or_default())
        };
        assert_eq!(parse(" ", "b", None), Err("title".into()));
        assert_eq!(parse("a\nb", "b", None), Err("title".into()));
        assert_eq!(parse(&"a".repeat(121), "b", None), Err("title".into()));
        assert_eq!(parse("a", "\n", None), Err("description".into()));
        assert_eq!(parse("a", &"b".repeat(8_001), None), Err("description".into()));
        for day in ["tomorrow", "2026-13-01", "2026-02-30", "24.12.2026", "2026-1-1"] {
            assert_eq!(parse("a", "b", Some(day)), Err("wanted_on".into()), "{day}");
        }
        let text = parse(" a ", "b\r\nc ", Some("2028-02-29")).unwrap();
        assert_eq!((&*text.title, &*text.description, text.wanted_on.as_deref()), ("a", "b\nc", Some("2028-02-29")));
    }
}
