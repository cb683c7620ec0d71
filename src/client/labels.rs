//! Times, counts and quotes in words. Pure: the zone is a function parameter. So the server and the browser's first rendering
//! agree (in UTC), and the browser then switches to local time.

use std::borrow::Cow;

use crate::{
    domain::{Date, MOST_COUNTED, Quote, Timestamp},
    locales::{self, DateStyle, t},
};

/// Minutes that a moment's local clock is ahead of UTC.
pub type Zone = fn(Timestamp) -> i64;

#[must_use]
pub fn utc(_: Timestamp) -> i64 {
    0
}

const MINUTE_MS: i64 = 60_000;

/// A name for the middle of a sentence. A name in a right-to-left script is isolated, so the sentence around it
/// preserves its direction (Unicode Bidirectional Algorithm, FSI and PDI).
#[must_use]
pub fn isolated(name: &str) -> Cow<'_, str> {
    let runs_from_right = |c| matches!(c, '\u{590}'..='\u{8ff}' | '\u{fb1d}'..='\u{fdff}' | '\u{fe70}'..='\u{feff}');
    if name.contains(runs_from_right) { Cow::Owned(format!("\u{2068}{name}\u{2069}")) } else { Cow::Borrowed(name) }
}

/// A quoted message on one line: its sender, and its excerpt.
#[must_use]
pub fn quote(quote: &Quote) -> String {
    let excerpt = if quote.excerpt.is_empty() { t!(locales::current(), chat::DELETED) } else { &*quote.excerpt };
    [&*isolated(&quote.sender_name), ": ", &*isolated(excerpt)].concat()
}

/// A file's name and its size in decimal units.
#[must_use]
pub fn file(name: &str, size_bytes: i64) -> String {
    let tenths = (size_bytes + 50_000) / 100_000;
    let size = match tenths {
        0..10 => [&*((size_bytes + 999) / 1_000).to_string(), " KB"].concat(),
        _ => t!(locales::current(), chat::megabytes(&(tenths / 10).to_string(), &(tenths % 10).to_string())),
    };
    [&*isolated(name), " · ", &*size].concat()
}

/// The calendar day of a moment.
#[must_use]
pub fn local_date(time: Timestamp, zone: Zone) -> Date {
    time.shifted(zone(time)).date()
}

/// `14:03`
#[must_use]
pub fn clock(time: Timestamp, zone: Zone) -> String {
    let (hour, minute) = time.shifted(zone(time)).clock();
    two(hour) + ":" + &two(minute)
}

fn two(number: i64) -> String {
    (if number < 10 { "0" } else { "" }).to_owned() + &number.to_string()
}

/// `14:03` of today, `3 June, 14:03` of another day.
#[must_use]
pub fn moment(time: Timestamp, today: Date, zone: Zone) -> String {
    let day = local_date(time, zone);
    let clock = clock(time, zone);
    if day == today { clock } else { t!(locales::current(), time::at(&date(day, today), &clock)) }
}

/// `3 June`, and `3 June 2025` outside the present year.
#[must_use]
pub fn date(day: Date, today: Date) -> String {
    let style = if day.year == today.year { DateStyle::Day } else { DateStyle::Year };
    locales::date(locales::current(), day, style)
}

/// `Today`, `Yesterday`, `Tuesday 3 June`
#[must_use]
pub fn day(day: Date, today: Date) -> String {
    let locale = locales::current();
    match today.days() - day.days() {
        0 => t!(locale, time::TODAY).to_owned(),
        1 => t!(locale, time::YESTERDAY).to_owned(),
        _ if day.year == today.year => locales::date(locale, day, DateStyle::Weekday),
        _ => locales::date(locale, day, DateStyle::WeekdayYear),
    }
}

/// `Tuesday, 3 June 2025, 14:03`, for tooltips and screen readers.
#[must_use]
pub fn full(time: Timestamp, zone: Zone) -> String {
    let locale = locales::current();
    let day = locales::date(locale, local_date(time, zone), DateStyle::WeekdayYear);
    t!(locale, time::at(&day, &clock(time, zone)))
}

/// `3 June 2025`
#[must_use]
pub fn long_date(time: Timestamp, zone: Zone) -> String {
    locales::date(locales::current(), local_date(time, zone), DateStyle::Year)
}

/// `just now`, `5 min ago`, `3 h ago`, from a day on the date.
#[must_use]
pub fn relative(time: Timestamp, now: Timestamp, zone: Zone) -> String {
    let locale = locales::current();
    let minutes = (now.0 - time.0) / MINUTE_MS;
    match minutes {
        ..1 => t!(locale, time::JUST_NOW).to_owned(),
        1..60 => t!(locale, time::minutes_ago(minutes)),
        60..1440 => t!(locale, time::hours_ago(minutes / 60)),
        _ => date(local_date(time, zone), local_date(now, zone)),
    }
}

/// How many of something there are; `999+` for [`MOST_COUNTED`] or more.
#[must_use]
pub fn count(number: i64) -> String {
    if number < MOST_COUNTED { number.to_string() } else { (MOST_COUNTED - 1).to_string() + "+" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn days_and_clocks_follow_the_zone() {
        let east: Zone = |_| 120;
        let time = at("2025-06-03T22:05:00Z");
        assert_eq!(clock(time, utc), "22:05");
        assert_eq!(clock(time, east), "00:05");
        assert_eq!(full(time, utc), "Tuesday, 3 June 2025, 22:05");
        assert_eq!(full(time, east), "Wednesday, 4 June 2025, 00:05");
        let today = local_date(at("2025-06-04T10:00:00Z"), utc);
        assert_eq!(day(local_date(time, utc), today), "Yesterday");
        assert_eq!(day(local_date(time, east), today), "Today");
        assert_eq!(day(local_date(at("2025-06-01T10:00:00Z"), utc), today), "Sunday 1 June");
        assert_eq!(day(local_date(at("2024-12-31T10:00:00Z"), utc), today), "Tuesday, 31 December 2024");
    }

    #[test]
    fn counts_end_somewhere() {
        assert_eq!([0, 999, 1_000, 4_000].map(count), ["0", "999", "999+", "999+"]);
    }

    #[test]
    fn recent_times_are_relative() {
        let now = at("2025-06-03T12:00:00Z");
        for (time, text) in [
            ("2025-06-03T12:00:20Z", "just now"),
            ("2025-06-03T11:59:01Z", "just now"),
            ("2025-06-03T11:55:00Z", "5 min ago"),
            ("2025-06-03T11:00:00Z", "1 h ago"),
            ("2025-06-02T12:00:01Z", "23 h ago"),
            ("2025-06-02T12:00:00Z", "2 June"),
            ("2024-06-02T12:00:00Z", "2 June 2024"),
        ] {
            assert_eq!(relative(at(time), now, utc), text, "{time}");
        }
    }
}
