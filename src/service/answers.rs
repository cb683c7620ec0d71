//! When a customer can expect an answer: the line above the composer.
//!
//! Outside opening hours it states them. Within, or without fixed hours, it states how soon the business usually
//! answers: the median of its first answers, of which only open time counts.

use std::{
    sync::{
        Arc, Weak,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use super::{
    Service,
    hours::{Schedule, State, zone},
    sessions::DAY_MS,
};
use crate::{
    api::Answers,
    domain::{Actor, Role, Timestamp},
    locales::{self, Locale, t},
    storage::{StoreError, now},
};

/// How often the median is read anew.
const EVERY: Duration = Duration::from_secs(600);
/// The days whose first answers count.
const DAYS: i64 = 30;
/// The latest chats that count.
const MOST: i64 = 1_000;
/// Fewer answers than this are no habit.
const FEWEST: usize = 5;
/// How long a page may show the line, if nothing changes it before.
const HOLDS_MS: i64 = HOUR_MS;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;

/// The median of the first answers.
pub(super) struct Median {
    /// Milliseconds; negative while it is unknown.
    ms: AtomicI64,
    /// Wakes the task that reads it anew.
    stale: Arc<Notify>,
}

impl Default for Median {
    fn default() -> Self {
        Self { ms: AtomicI64::new(-1), stale: Arc::default() }
    }
}

impl Median {
    /// The hours have changed, and with them the time that counts.
    pub fn is_stale(&self) {
        self.stale.notify_one();
    }

    fn set(&self, ms: Option<i64>) {
        self.ms.store(ms.unwrap_or(-1), Ordering::Relaxed);
    }

    fn words(&self, locale: Locale) -> Option<String> {
        let words = match self.ms.load(Ordering::Relaxed) {
            ..0 => return None,
            ms if ms <= 3 * MINUTE_MS => t!(locale, answers::FEW_MINUTES),
            ms if ms <= 10 * MINUTE_MS => t!(locale, answers::TEN_MINUTES),
            ms if ms <= HOUR_MS => t!(locale, answers::HOUR),
            ms if ms <= 4 * HOUR_MS => t!(locale, answers::FEW_HOURS),
            ms if ms <= DAY_MS => t!(locale, answers::DAY),
            _ => return None,
        };
        Some(t!(locale, answers::within(words)))
    }
}

/// The middle of at least [`FEWEST`] numbers; the higher one of two.
fn median(mut all: Vec<i64>) -> Option<i64> {
    let middle = all.len() / 2;
    (all.len() >= FEWEST).then(|| *all.select_nth_unstable(middle).1)
}

/// Keeps the median up to date. Ends with the service, or with its store.
pub(super) async fn keep(service: Weak<Service>) {
    loop {
        let Some(strong) = service.upgrade() else { return };
        let stale = strong.median.stale.clone();
        match strong.learn_answers(now()).await {
            Ok(()) => {}
            Err(error) if error.is_closed() => return,
            Err(error) => tracing::warn!(%error, "could not read how soon the business answers"),
        }
        drop(strong);
        let _ = tokio::time::timeout(EVERY, stale.notified()).await;
    }
}

impl Service {
    /// Reads how soon the business usually answers.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn learn_answers(&self, now: Timestamp) -> Result<(), StoreError> {
        let users = self.store.list_users(None, 1).await?;
        let Some(admin) = users.into_iter().find(|user| user.role == Role::Admin) else { return Ok(()) };
        let since = Timestamp(now.0 - DAYS * DAY_MS);
        let answers = self.store.list_first_answers(&Actor::Admin(admin), since, MOST).await?;
        let business = self.business();
        let schedule = Schedule::new(&business.hours);
        let waited = |(asked, answered): (Timestamp, Timestamp)| match &schedule {
            Some(schedule) => schedule.open_ms(asked, answered),
            None => answered.0 - asked.0,
        };
        self.median.set(median(answers.into_iter().map(waited).collect()));
        Ok(())
    }

    /// The line for a customer whose clock is that of the zone `reader`, an IANA name. Without a known zone, the line
    /// names the place of the business.
    #[must_use]
    pub fn answers(&self, reader: Option<&str>, at: Timestamp) -> Answers {
        let locale = locales::current();
        let zone = reader.and_then(zone);
        let later = Timestamp(at.0 + HOLDS_MS);
        let soon = || self.median.words(locale);
        let business = self.business();
        let Some(schedule) = Schedule::new(&business.hours) else {
            return Answers { words: soon().unwrap_or_default(), until: later };
        };
        let (words, changes) = match schedule.state(at) {
            State::Closed(again) => (schedule.closed_words(locale, zone.as_ref(), at), again),
            State::Open(until) => {
                let open = || until.map(|until| schedule.open_words(locale, zone.as_ref(), until));
                (soon().or_else(open).unwrap_or_default(), until)
            }
        };
        // A browser that has not told its zone asks at once.
        let until = if reader.is_none() { at } else { changes.map_or(later, |changes| changes.min(later)) };
        Answers { words, until }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_habit_needs_some_answers() {
        assert_eq!(median(vec![1, 2, 3, 4]), None);
        assert_eq!(median(vec![9, 1, 5, 7, 3]), Some(5));
        assert_eq!(median(vec![9, 1, 5, 7, 3, 11]), Some(7), "rather later than promised too early");
    }

    #[test]
    fn the_median_in_steps() {
        let words = |ms| {
            let median = Median::default();
            median.set(ms);
            median.words(Locale::En)
        };
        assert_eq!(words(None), None);
        for (ms, step) in [
            (0, "a few minutes"),
            (3 * MINUTE_MS, "a few minutes"),
            (3 * MINUTE_MS + 1, "10 minutes"),
            (10 * MINUTE_MS + 1, "an hour"),
            (HOUR_MS + 1, "a few hours"),
            (4 * HOUR_MS + 1, "a day"),
        ] {
            assert_eq!(words(Some(ms)), Some(format!("Usually answers within {step}")), "{ms}");
        }
        assert_eq!(words(Some(DAY_MS + 1)), None);
    }
}
