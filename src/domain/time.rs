//! Points in time. This module uses no library, because the browser loads this code. All of it costs less than the
//! parser of the smallest date library.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use utoipa::ToSchema;

/// Milliseconds since 1970-01-01T00:00:00Z. In JSON an RFC 3339 string in UTC with three decimals,
/// such as `2026-01-31T09:30:00.000Z`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, ToSchema)]
#[schema(value_type = String, format = DateTime)]
pub struct Timestamp(pub i64);

/// Year, month (1 to 12) and day (1 to 31) of the proleptic Gregorian calendar. In JSON as in `2026-12-24`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Date {
    pub year: i64,
    pub month: u8,
    pub day: u8,
}

const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// The same moment, shifted so that reading it as UTC shows the clock of a zone that is
    /// `offset_minutes` ahead of UTC.
    #[must_use]
    pub fn shifted(self, offset_minutes: i64) -> Self {
        Self(self.0 + offset_minutes * 60_000)
    }

    /// The calendar day in UTC.
    #[must_use]
    pub fn date(self) -> Date {
        Date::from_days(self.0.div_euclid(DAY_MS))
    }

    /// Hours and minutes in UTC.
    #[must_use]
    pub fn clock(self) -> (i64, i64) {
        let minutes = self.0.rem_euclid(DAY_MS) / 60_000;
        (minutes / 60, minutes % 60)
    }

    /// What [`Display`](fmt::Display) shows, in ASCII. Every message has a time or two in it, and to format each of
    /// their parts takes ten times as long.
    fn text(self) -> [u8; 24] {
        let Date { year, month, day } = self.date();
        let ms = self.0.rem_euclid(DAY_MS);
        let (hour, minute) = self.clock();
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let mut write = |end: usize, digits: usize, mut number: i64| {
            for place in text[end - digits..end].iter_mut().rev() {
                *place = b'0' + (number % 10) as u8;
                number /= 10;
            }
        };
        // RFC 3339 has years of four digits only.
        write(4, 4, year.clamp(0, 9_999));
        write(7, 2, month.into());
        write(10, 2, day.into());
        write(13, 2, hour);
        write(16, 2, minute);
        write(19, 2, ms / 1_000 % 60);
        write(23, 3, ms % 1_000);
        text
    }
}

impl Date {
    /// From days since 1970-01-01. After Howard Hinnant, "chrono-Compatible Low-Level Date
    /// Algorithms", `civil_from_days`.
    #[must_use]
    pub fn from_days(days: i64) -> Self {
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let day_of_era = shifted.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        Self { year, month: month as u8, day: day as u8 }
    }

    /// Days since 1970-01-01 (`days_from_civil` of the same source).
    #[must_use]
    pub fn days(self) -> i64 {
        let year = if self.month <= 2 { self.year - 1 } else { self.year };
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let month_from_march = (i64::from(self.month) + 9) % 12;
        let day_of_year = (153 * month_from_march + 2) / 5 + i64::from(self.day) - 1;
        era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
    }
}

impl Date {
    /// 0 for Monday to 6 for Sunday.
    #[must_use]
    pub fn weekday(self) -> usize {
        // 1970-01-01 was a Thursday.
        (self.days() + 3).rem_euclid(7) as usize
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

impl TryFrom<String> for Date {
    type Error = NotATime;

    fn try_from(text: String) -> Result<Self, NotATime> {
        text.parse()
    }
}

impl FromStr for Date {
    type Err = NotATime;

    /// Reads a day of the calendar, as in `2026-12-24`.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        if text.len() != 10 {
            return Err(NotATime);
        }
        format!("{text}T00:00:00Z").parse().map(Timestamp::date)
    }
}

/// ISO 8601: `2026-06-03`.
impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

/// Text that is not a time as this program writes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotATime;

impl fmt::Display for NotATime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("expected a UTC time like 2026-01-31T09:30:00.000Z")
    }
}

impl std::error::Error for NotATime {}

impl FromStr for Timestamp {
    type Err = NotATime;

    /// Reads RFC 3339 in UTC (`Z`), with any number of decimals; what is finer than a millisecond
    /// is dropped.
    fn from_str(text: &str) -> Result<Self, NotATime> {
        let number = |range: std::ops::Range<usize>| -> Result<i64, NotATime> {
            let digits = text.get(range).filter(|part| part.bytes().all(|b| b.is_ascii_digit()));
            digits.and_then(|part| part.parse().ok()).ok_or(NotATime)
        };
        let separators = [(4, '-'), (7, '-'), (10, 'T'), (13, ':'), (16, ':')];
        if !text.is_ascii() || separators.iter().any(|&(at, c)| text.as_bytes().get(at) != Some(&(c as u8))) {
            return Err(NotATime);
        }
        let fraction = text.get(19..).and_then(|rest| rest.strip_suffix('Z')).ok_or(NotATime)?;
        let ms = match fraction.strip_prefix('.') {
            None if fraction.is_empty() => 0,
            Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
                let thousandths: String = digits.chars().chain("000".chars()).take(3).collect();
                thousandths.parse().map_err(|_| NotATime)?
            }
            _ => return Err(NotATime),
        };
        let date = Date { year: number(0..4)?, month: number(5..7)? as u8, day: number(8..10)? as u8 };
        let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
        if !(1..=12).contains(&date.month)
            || hour > 23
            || minute > 59
            || second > 59
            || Date::from_days(date.days()) != date
        {
            return Err(NotATime);
        }
        Ok(Self(date.days() * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1_000 + ms))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl de::Visitor<'_> for Text {
            type Value = Timestamp;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a time in RFC 3339")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Timestamp, E> {
                text.parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn known_moments() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999, "2024-02-29T23:59:59.999Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(Timestamp(ms).to_string(), text);
            assert_eq!(text.parse(), Ok(Timestamp(ms)));
        }
        assert_eq!("2026-01-31T09:30:00Z".parse::<Timestamp>().unwrap().clock(), (9, 30));
    }

    #[test]
    fn invalid_times_are_rejected() {
        for text in [
            "",
            "2026-01-31",
            "2026-02-30T00:00:00Z",
            "2026-01-31T24:00:00Z",
            "2026-01-31T09:30:00+01:00",
            "2026-01-31T09:30:00.Z",
            "２026-01-31T09:30:00Z",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(NotATime), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn text_and_back(ms in -62_135_596_800_000i64..253_402_300_800_000) {
            let time = Timestamp(ms);
            prop_assert_eq!(time.to_string().parse(), Ok(time));
        }
    }
}
