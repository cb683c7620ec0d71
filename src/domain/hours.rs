//! Opening hours, as admins set them. `service::answers` applies them, because only the server knows time zones.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Date, Problem};
use crate::locales::{self, t};

/// When the business answers. Without an opening it has no fixed hours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Hours {
    /// The time zone's IANA name, such as `Europe/Berlin`; empty if there is no opening.
    pub zone: String,
    /// From Monday to Sunday.
    pub week: [Option<Opening>; 7],
    pub closed: Vec<Closed>,
}

/// An opening of one day, in minutes after its midnight. `to` is after `from`, and 1440 at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opening {
    pub from: u16,
    pub to: u16,
}

/// Closed days: the first and the last one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closed {
    pub first: Date,
    pub last: Date,
}

impl Hours {
    /// Lines with closed days.
    pub const MAX_CLOSED: usize = 100;
    /// Minutes of a day.
    pub const DAY: u16 = 24 * 60;

    /// Whether there is an opening in the week.
    #[must_use]
    pub fn is_set(&self) -> bool {
        self.week.iter().any(Option::is_some)
    }

    /// The opening on this day of the calendar.
    #[must_use]
    pub fn on(&self, day: Date) -> Option<Opening> {
        let is_closed = self.closed.iter().any(|closed| (closed.first..=closed.last).contains(&day));
        if is_closed { None } else { self.week[day.weekday()] }
    }

    /// The hours in the fields of a form. Does not know which zones exist.
    ///
    /// # Errors
    /// `invalid`, naming the field.
    pub fn parse(form: &HoursForm) -> Result<Self, Problem> {
        let mut week = [None; 7];
        for (weekday, opening) in week.iter_mut().enumerate() {
            *opening = form.opening(weekday)?;
        }
        let lines = form.closed_days.lines().filter(|line| !line.trim().is_empty());
        let closed = lines.map(closed).collect::<Option<Vec<_>>>().filter(|closed| closed.len() <= Self::MAX_CLOSED);
        let wrong = || Problem::invalid("closed_days", t!(locales::current(), problem::closed_days(Self::MAX_CLOSED)));
        let hours = Self { zone: form.zone.trim().to_owned(), week, closed: closed.ok_or_else(wrong)? };
        if hours.is_set() && hours.zone.is_empty() {
            return Err(Problem::invalid("zone", t!(locales::current(), problem::ZONE)));
        }
        Ok(hours)
    }
}

/// The fields of the form of the hours, as they were typed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HoursForm {
    pub zone: String,
    /// A day or two on each line: one closed day, or the first and the last one.
    pub closed_days: String,
    /// The times under the names of [`HoursForm::FROM`] and [`HoursForm::TO`]. Other names mean nothing.
    #[serde(flatten)]
    pub week: BTreeMap<String, String>,
}

impl HoursForm {
    /// The fields of each weekday, from Monday to Sunday.
    pub const FROM: [&str; 7] = ["from_1", "from_2", "from_3", "from_4", "from_5", "from_6", "from_7"];
    pub const TO: [&str; 7] = ["to_1", "to_2", "to_3", "to_4", "to_5", "to_6", "to_7"];

    /// What was typed into a field of the week.
    #[must_use]
    pub fn time(&self, name: &str) -> &str {
        self.week.get(name).map_or("", |time| time.trim())
    }

    fn opening(&self, weekday: usize) -> Result<Option<Opening>, Problem> {
        let (from_name, to_name) = (Self::FROM[weekday], Self::TO[weekday]);
        let (from, to) = (self.time(from_name), self.time(to_name));
        if from.is_empty() && to.is_empty() {
            return Ok(None);
        }
        let wrong = |name| move || Problem::invalid(name, t!(locales::current(), problem::TIME_OF_DAY));
        let from = minutes(from).filter(|from| *from < Hours::DAY).ok_or_else(wrong(from_name))?;
        // An input for times knows no 24:00.
        let to = minutes(to).map(|to| if to == 0 { Hours::DAY } else { to }).ok_or_else(wrong(to_name))?;
        if to <= from {
            return Err(Problem::invalid(to_name, t!(locales::current(), problem::CLOSES_BEFORE)));
        }
        Ok(Some(Opening { from, to }))
    }
}

impl From<&Hours> for HoursForm {
    fn from(hours: &Hours) -> Self {
        let mut week = BTreeMap::new();
        for (weekday, opening) in hours.week.iter().enumerate() {
            if let Some(Opening { from, to }) = opening {
                for (name, minutes) in [(Self::FROM[weekday], from), (Self::TO[weekday], to)] {
                    week.insert(name.to_owned(), format!("{:02}:{:02}", minutes / 60 % 24, minutes % 60));
                }
            }
        }
        let closed = hours
            .closed
            .iter()
            .map(|Closed { first, last }| if first == last { first.to_string() } else { format!("{first} – {last}") });
        Self { zone: hours.zone.clone(), closed_days: closed.collect::<Vec<_>>().join("\n"), week }
    }
}

/// Minutes after midnight: `9:00`, `09:00` or `24:00`.
fn minutes(text: &str) -> Option<u16> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<u16>().ok())?;
    let (hour, minute) = (number(hour)?, number(minute).filter(|_| minute.len() == 2)?);
    Some(hour.checked_mul(60)? + minute).filter(|all| minute < 60 && *all <= Hours::DAY)
}

/// A closed day, or the first and the last one with anything but digits between them.
fn closed(line: &str) -> Option<Closed> {
    let days: Vec<&str> = line.split(|c: char| !c.is_ascii_digit() && c != '-').filter(|part| part.len() > 1).collect();
    let (first, last) = match days[..] {
        [day] => (day, day),
        [first, last] => (first, last),
        _ => return None,
    };
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some(Closed { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(week: &[(&str, &str)]) -> HoursForm {
        let week = week.iter().map(|(name, time)| ((*name).to_owned(), (*time).to_owned())).collect();
        HoursForm { zone: "Europe/Berlin".into(), week, ..HoursForm::default() }
    }

    #[test]
    fn a_form_shows_what_it_has_set() {
        let form = HoursForm {
            closed_days: "2026-12-24 – 2027-01-02\n2027-05-01".into(),
            ..form(&[("from_1", "09:00"), ("to_1", "17:30"), ("from_7", "00:00"), ("to_7", "00:00")])
        };
        let hours = Hours::parse(&form).unwrap();
        assert_eq!(hours.week[0], Some(Opening { from: 540, to: 1050 }));
        assert_eq!(hours.week[6], Some(Opening { from: 0, to: 1440 }), "the whole day");
        assert_eq!(HoursForm::from(&hours), form);
        let stored = serde_json::to_string(&hours).unwrap();
        assert_eq!(serde_json::from_str::<Hours>(&stored).unwrap(), hours);
    }

    #[test]
    fn times_and_days_as_people_type_them() {
        assert_eq!(["9:00", "09:05", "24:00", "0:00"].map(minutes), [Some(540), Some(545), Some(1440), Some(0)]);
        for wrong in ["", "9", "9:0", "24:01", "25:00", "9:60", "-1:00", "+9:00", "9:000", "99999:00"] {
            assert_eq!(minutes(wrong), None, "{wrong}");
        }
        let day = |text: &str| text.parse::<Date>().unwrap();
        for line in ["2026-12-24 2026-12-26", " 2026-12-24 - 2026-12-26 ", "2026-12-24 to 2026-12-26"] {
            let range = Closed { first: day("2026-12-24"), last: day("2026-12-26") };
            assert_eq!(closed(line), Some(range), "{line}");
        }
        for wrong in ["24.12.2026", "2026-12-26 2026-12-24", "2026-02-30", "2026-12-24 2026-12-25 2026-12-26", "Easter"]
        {
            assert_eq!(closed(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn wrong_fields_are_named() {
        let wrong = |form: &HoursForm| Hours::parse(form).unwrap_err().field.unwrap();
        assert_eq!(wrong(&form(&[("from_2", "9:00")])), "to_2");
        assert_eq!(wrong(&form(&[("to_2", "9:00")])), "from_2");
        assert_eq!(wrong(&form(&[("from_2", "24:00"), ("to_2", "24:00")])), "from_2");
        assert_eq!(wrong(&form(&[("from_3", "17:00"), ("to_3", "9:00")])), "to_3");
        assert_eq!(wrong(&form(&[("from_3", "17:00"), ("to_3", "17:00")])), "to_3");
        assert_eq!(wrong(&HoursForm { zone: " ".into(), ..form(&[("from_3", "9:00"), ("to_3", "17:00")]) }), "zone");
        assert_eq!(wrong(&HoursForm { closed_days: "Christmas".into(), ..form(&[]) }), "closed_days");
        assert_eq!(wrong(&HoursForm { closed_days: "2026-12-24\n".repeat(101), ..form(&[]) }), "closed_days");
    }

    #[test]
    fn a_closed_day_has_no_opening() {
        let closed_days = "2026-12-24 – 2026-12-26".into();
        let hours = Hours::parse(&HoursForm { closed_days, ..form(&[("from_4", "9:00"), ("to_4", "17:00")]) }).unwrap();
        let on = |day: &str| hours.on(day.parse().unwrap()).is_some();
        assert_eq!(
            [on("2026-12-17"), on("2026-12-24"), on("2026-12-31"), on("2027-01-01")],
            [true, false, true, false]
        );
    }
}
