//! Opening hours at real moments: when the business is open, and the hours as readers elsewhere see them.

use std::sync::LazyLock;

use jiff::{
    civil,
    tz::{TimeZone, TimeZoneDatabase},
};

use crate::{
    domain::{Date, Hours, Opening, Timestamp},
    locales::{DateStyle, Locale, date, t},
};

const MINUTE_MS: i64 = 60_000;
const WEEK: i64 = 7 * Hours::DAY as i64;
/// How many days ahead the next opening is looked for.
const AHEAD: i64 = 60;
/// The hours of a week in more parts than this are left out of a sentence.
const MOST_PARTS: usize = 3;
/// Within so many days, the name of a weekday is clear.
const WEEKDAY_IS_CLEAR: i64 = 6;

/// The zones inside the program. A client names its zone, and must not cause reads of files.
static ZONES: LazyLock<TimeZoneDatabase> = LazyLock::new(TimeZoneDatabase::bundled);

pub(super) fn zone(name: &str) -> Option<TimeZone> {
    ZONES.get(name).ok()
}

/// The zones to choose from, by name: those of places, and UTC.
#[must_use]
pub fn zones() -> Vec<String> {
    let names = ZONES.available().map(|zone| zone.as_str().to_owned());
    let is_place = |name: &String| name == "UTC" || (name.contains('/') && !name.starts_with("Etc/"));
    let mut names: Vec<_> = names.filter(is_place).collect();
    names.sort_unstable();
    names
}

fn offset(zone: &TimeZone, at: Timestamp) -> i64 {
    jiff::Timestamp::from_millisecond(at.0).map_or(0, |at| i64::from(zone.to_offset(at).seconds()) / 60)
}

fn local(zone: &TimeZone, at: Timestamp) -> Timestamp {
    at.shifted(offset(zone, at))
}

/// Whether the business is open, and until when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// `None`: no end within a week.
    Open(Option<Timestamp>),
    /// `None`: no opening within [`AHEAD`] days.
    Closed(Option<Timestamp>),
}

/// The opening hours in their zone.
pub(super) struct Schedule<'a> {
    hours: &'a Hours,
    zone: TimeZone,
}

impl<'a> Schedule<'a> {
    /// `None` if the business has no fixed hours.
    pub fn new(hours: &'a Hours) -> Option<Self> {
        Some(Self { hours, zone: zone(&hours.zone).filter(|_| hours.is_set())? })
    }

    /// The moments at which the opening of a day begins and ends. A clock that is set forward skips no end: a missing
    /// time is read with the offset before.
    fn on(&self, day: Date) -> Option<(Timestamp, Timestamp)> {
        let Opening { from, to } = self.hours.on(day)?;
        Some((self.moment(day, from)?, self.moment(day, to)?))
    }

    fn moment(&self, day: Date, minute: u16) -> Option<Timestamp> {
        // The end of a day is the beginning of the next.
        let day = Date::from_days(day.days() + i64::from(minute / Hours::DAY));
        let (year, month) = (i16::try_from(day.year).ok()?, i8::try_from(day.month).ok()?);
        let date = civil::Date::new(year, month, i8::try_from(day.day).ok()?).ok()?;
        let minute = minute % Hours::DAY;
        let at = date.at(i8::try_from(minute / 60).ok()?, i8::try_from(minute % 60).ok()?, 0, 0);
        Some(Timestamp(self.zone.to_timestamp(at).ok()?.as_millisecond()))
    }

    fn openings(&self, from: Timestamp, days: i64) -> impl Iterator<Item = (Timestamp, Timestamp)> {
        let first = local(&self.zone, from).date().days();
        (first..=first + days).filter_map(|day| self.on(Date::from_days(day)))
    }

    pub fn state(&self, at: Timestamp) -> State {
        let mut openings = self.openings(at, AHEAD).skip_while(|(_, to)| *to <= at).peekable();
        let Some((from, mut to)) = openings.next() else { return State::Closed(None) };
        if from > at {
            return State::Closed(Some(from));
        }
        // Open beyond midnight.
        while let Some((_, later)) = openings.next_if(|(next, _)| *next <= to) {
            to = later;
        }
        let has_end = to.0 - at.0 < WEEK * MINUTE_MS;
        State::Open(has_end.then_some(to))
    }

    /// The milliseconds between two moments in which the business was open.
    pub fn open_ms(&self, from: Timestamp, to: Timestamp) -> i64 {
        let days = (to.0 - from.0) / (i64::from(Hours::DAY) * MINUTE_MS) + 1;
        self.openings(from, days).map(|(begin, end)| (end.min(to).0 - begin.max(from).0).max(0)).sum()
    }

    /// `We answer Mon–Fri 9:00–17:00, again on Monday at 9:00` on the clock of `reader`. Without it, on the clock of
    /// the business, whose place the sentence then names.
    pub fn closed_words(&self, locale: Locale, reader: Option<&TimeZone>, at: Timestamp) -> String {
        let zone = reader.unwrap_or(&self.zone);
        let place = match reader {
            Some(_) => String::new(),
            None => [" ", &t!(locale, answers::zone(&place(&self.hours.zone)))].concat(),
        };
        let again = match self.state(at) {
            State::Closed(Some(again)) => Some(again_words(locale, zone, again, at)),
            State::Closed(None) | State::Open(_) => None,
        };
        let parts = self.week(locale, zone, at);
        match (parts.len() <= MOST_PARTS, again) {
            (true, Some(again)) => t!(locale, answers::hours_again(&(parts.join(", ") + &place), &again)),
            (true, None) | (false, None) => t!(locale, answers::hours(&(parts.join(", ") + &place))),
            (false, Some(again)) => t!(locale, answers::hours(&(again + &place))),
        }
    }

    /// `We answer until 17:00`
    pub fn open_words(&self, locale: Locale, reader: Option<&TimeZone>, until: Timestamp) -> String {
        let words = t!(locale, answers::until(&clock(local(reader.unwrap_or(&self.zone), until))));
        match reader {
            Some(_) => words,
            None => [&*words, " ", &t!(locale, answers::zone(&place(&self.hours.zone)))].concat(),
        }
    }

    /// The hours of a usual week on the clock of `zone`: `Mon–Fri 9:00–17:00`. The difference between both clocks is
    /// that of the moment `at`. A weekday is the one on which an opening begins.
    fn week(&self, locale: Locale, zone: &TimeZone, at: Timestamp) -> Vec<String> {
        let ahead = offset(zone, at) - offset(&self.zone, at);
        let mut parts: Vec<((i64, i64), [bool; 7])> = Vec::new();
        for (weekday, opening) in (0..).zip(&self.hours.week) {
            let Some(Opening { from, to }) = opening else { continue };
            let begin = (weekday * i64::from(Hours::DAY) + i64::from(*from) + ahead).rem_euclid(WEEK);
            let (weekday, minute) = (begin / i64::from(Hours::DAY), begin % i64::from(Hours::DAY));
            let times = (minute, minute + i64::from(to - from));
            let at = parts.iter().position(|(known, _)| *known == times).unwrap_or_else(|| {
                parts.push((times, [false; 7]));
                parts.len() - 1
            });
            parts[at].1[weekday as usize] = true;
        }
        let words = |((from, to), days): ((i64, i64), [bool; 7])| {
            format!("{} {}–{}", days_words(locale, days), minutes(from), minutes(to))
        };
        parts.into_iter().map(words).collect()
    }
}

/// `Mon–Fri` or `Mon, Wed–Fri`; across the end of the week `Sat–Mon`.
fn days_words(locale: Locale, days: [bool; 7]) -> String {
    let names = t!(locale, answers::DAYS);
    let is_in = |day: usize| days[day % 7];
    if (0..7).all(is_in) {
        return [names[0], "–", names[6]].concat();
    }
    let first = |day: &usize| is_in(*day) && !is_in(day + 6);
    let run = |day: usize| {
        let last = (day..day + 6).take_while(|day| is_in(*day)).last().unwrap_or(day);
        match last - day {
            0 => names[day].to_owned(),
            1 => [names[day], ", ", names[last % 7]].concat(),
            _ => [names[day], "–", names[last % 7]].concat(),
        }
    };
    (0..7).filter(first).map(run).collect::<Vec<_>>().join(", ")
}

/// `again at 9:00` today, then `again on Monday at 9:00`, and after a week `again on 3 January at 9:00`.
fn again_words(locale: Locale, zone: &TimeZone, again: Timestamp, now: Timestamp) -> String {
    let (again, today) = (local(zone, again), local(zone, now).date());
    let (day, clock) = (again.date(), clock(again));
    match day.days() - today.days() {
        0 => t!(locale, answers::again_at(&clock)),
        1..=WEEKDAY_IS_CLEAR => t!(locale, answers::again_on(t!(locale, answers::WEEKDAYS)[day.weekday()], &clock)),
        _ => t!(locale, answers::again_on(&date(locale, day, DateStyle::Day), &clock)),
    }
}

/// `9:00`; 24:00 is 0:00.
fn minutes(all: i64) -> String {
    format!("{}:{:02}", all / 60 % 24, all % 60)
}

fn clock(local: Timestamp) -> String {
    let (hour, minute) = local.clock();
    minutes(hour * 60 + minute)
}

/// The place in the name of a zone: `Berlin` of `Europe/Berlin`.
fn place(zone: &str) -> String {
    zone.rsplit('/').next().unwrap_or(zone).replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Closed;

    fn hours(zone: &str, week: [Option<(u16, u16)>; 7]) -> Hours {
        let week = week.map(|day| day.map(|(from, to)| Opening { from: from * 60, to: to * 60 }));
        Hours { zone: zone.to_owned(), week, closed: Vec::new() }
    }

    const OFFICE: Option<(u16, u16)> = Some((9, 17));

    fn office(zone: &str) -> Hours {
        hours(zone, [OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, None, None])
    }

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn closed(hours: &Hours, reader: Option<&str>, now: &str) -> String {
        let reader = reader.map(|name| zone(name).unwrap());
        Schedule::new(hours).unwrap().closed_words(Locale::En, reader.as_ref(), at(now))
    }

    #[test]
    fn open_within_the_hours_of_the_own_zone() {
        let hours = office("Europe/Berlin");
        let state = |now: &str| Schedule::new(&hours).unwrap().state(at(now));
        // A Monday in summer: Berlin is two hours ahead.
        assert_eq!(state("2026-06-01T06:59:59Z"), State::Closed(Some(at("2026-06-01T07:00:00Z"))));
        assert_eq!(state("2026-06-01T07:00:00Z"), State::Open(Some(at("2026-06-01T15:00:00Z"))));
        assert_eq!(state("2026-06-01T14:59:59Z"), State::Open(Some(at("2026-06-01T15:00:00Z"))));
        assert_eq!(state("2026-06-01T15:00:00Z"), State::Closed(Some(at("2026-06-02T07:00:00Z"))));
        assert_eq!(state("2026-06-05T15:00:00Z"), State::Closed(Some(at("2026-06-08T07:00:00Z"))), "over the weekend");
    }

    #[test]
    fn the_clock_changes_on_a_weekend() {
        let hours = office("Europe/Berlin");
        let state = |now: &str| Schedule::new(&hours).unwrap().state(at(now));
        assert_eq!(state("2026-03-27T16:00:00Z"), State::Closed(Some(at("2026-03-30T07:00:00Z"))), "winter to summer");
        assert_eq!(state("2026-10-23T15:00:00Z"), State::Closed(Some(at("2026-10-26T08:00:00Z"))), "summer to winter");
        // Two o’clock does not exist on this day, and exists twice on the other.
        let night = self::hours("Europe/Berlin", [None, None, None, None, None, None, Some((2, 4))]);
        let opening = |now: &str| Schedule::new(&night).unwrap().openings(at(now), 0).collect::<Vec<_>>();
        assert_eq!(opening("2026-03-29T12:00:00Z"), [(at("2026-03-29T01:00:00Z"), at("2026-03-29T02:00:00Z"))]);
        assert_eq!(opening("2026-10-25T12:00:00Z"), [(at("2026-10-25T00:00:00Z"), at("2026-10-25T03:00:00Z"))]);
    }

    #[test]
    fn open_until_and_beyond_midnight() {
        let late = hours("Europe/Berlin", [Some((20, 24)), Some((0, 2)), None, None, None, None, None]);
        let schedule = Schedule::new(&late).unwrap();
        let end = at("2026-06-02T00:00:00Z");
        assert_eq!(schedule.state(at("2026-06-01T21:59:59Z")), State::Open(Some(end)), "Tuesday continues Monday");
        assert_eq!(schedule.state(at("2026-06-01T22:00:00Z")), State::Open(Some(end)));
        assert_eq!(schedule.state(end), State::Closed(Some(at("2026-06-08T18:00:00Z"))));
        let always = hours("UTC", [Some((0, 24)); 7]);
        assert_eq!(Schedule::new(&always).unwrap().state(end), State::Open(None));
    }

    #[test]
    fn closed_days_are_left_out() {
        let day = |text: &str| text.parse().unwrap();
        let closed_days = vec![Closed { first: day("2026-12-24"), last: day("2027-01-03") }];
        let hours = Hours { closed: closed_days, ..office("Europe/Berlin") };
        let schedule = Schedule::new(&hours).unwrap();
        assert_eq!(schedule.state(at("2026-12-23T16:00:00Z")), State::Closed(Some(at("2027-01-04T08:00:00Z"))));
        assert_eq!(schedule.state(at("2026-12-24T10:00:00Z")), State::Closed(Some(at("2027-01-04T08:00:00Z"))));
        // The local day counts: this is already the 24th there.
        let tokyo = Hours { zone: "Asia/Tokyo".into(), ..hours.clone() };
        let state = Schedule::new(&tokyo).unwrap().state(at("2026-12-23T23:30:00Z"));
        assert_eq!(state, State::Closed(Some(at("2027-01-04T00:00:00Z"))));
        let forever = Hours { closed: vec![Closed { first: day("2026-01-01"), last: day("2030-01-01") }], ..hours };
        let words = closed(&forever, Some("Europe/Berlin"), "2026-12-23T16:00:00Z");
        assert_eq!(words, "We answer Mon–Fri 9:00–17:00");
    }

    #[test]
    fn only_open_time_counts() {
        let hours = office("Europe/Berlin");
        let open = |from: &str, to: &str| Schedule::new(&hours).unwrap().open_ms(at(from), at(to)) / MINUTE_MS;
        assert_eq!(open("2026-06-01T08:00:00Z", "2026-06-01T08:10:00Z"), 10);
        assert_eq!(open("2026-06-05T14:50:00Z", "2026-06-08T07:05:00Z"), 15, "over the weekend");
        assert_eq!(open("2026-06-05T18:00:00Z", "2026-06-06T10:00:00Z"), 0, "answered in leisure time");
        assert_eq!(open("2026-06-01T00:00:00Z", "2026-06-15T00:00:00Z"), 10 * 8 * 60);
    }

    #[test]
    fn the_hours_on_the_clock_of_the_reader() {
        let hours = office("Europe/Berlin");
        let monday = "2026-06-01T04:00:00Z";
        for (reader, words) in [
            (None, "We answer Mon–Fri 9:00–17:00 (Berlin time), again at 9:00"),
            (Some("Europe/Berlin"), "We answer Mon–Fri 9:00–17:00, again at 9:00"),
            (Some("America/New_York"), "We answer Mon–Fri 3:00–11:00, again at 3:00"),
            (Some("Asia/Kathmandu"), "We answer Mon–Fri 12:45–20:45, again at 12:45"),
            (Some("Pacific/Auckland"), "We answer Mon–Fri 19:00–3:00, again at 19:00"),
            (Some("Pacific/Honolulu"), "We answer Sun–Thu 21:00–5:00, again at 21:00"),
        ] {
            assert_eq!(closed(&hours, reader, monday), words, "{reader:?}");
        }
        // Both change their clocks, but New York three weeks earlier.
        let words = closed(&hours, Some("America/New_York"), "2026-03-15T12:00:00Z");
        assert_eq!(words, "We answer Mon–Fri 4:00–12:00, again on Monday at 4:00");
    }

    #[test]
    fn when_it_opens_again() {
        let hours = Hours {
            closed: vec![Closed { first: "2026-06-08".parse().unwrap(), last: "2026-06-12".parse().unwrap() }],
            ..office("Europe/Berlin")
        };
        let again = |now: &str| closed(&hours, Some("Europe/Berlin"), now);
        let pattern = "We answer Mon–Fri 9:00–17:00";
        assert_eq!(again("2026-06-01T20:00:00Z"), format!("{pattern}, again on Tuesday at 9:00"));
        assert_eq!(again("2026-06-01T22:00:00Z"), format!("{pattern}, again at 9:00"), "after midnight");
        assert_eq!(again("2026-06-05T20:00:00Z"), format!("{pattern}, again on 15 June at 9:00"));
        let schedule = Schedule::new(&hours).unwrap();
        let words = schedule.closed_words(Locale::De, None, at("2026-06-01T20:00:00Z"));
        assert_eq!(words, "Wir antworten Mo–Fr 9:00–17:00 (Zeit in Berlin), wieder am Dienstag um 9:00");
        let words = schedule.closed_words(Locale::De, None, at("2026-06-05T20:00:00Z"));
        assert_eq!(words, "Wir antworten Mo–Fr 9:00–17:00 (Zeit in Berlin), wieder am 15. Juni um 9:00");
    }

    #[test]
    fn days_with_the_same_hours_share_a_part() {
        let names = |days: &[usize]| days_words(Locale::En, std::array::from_fn(|day| days.contains(&day)));
        assert_eq!(names(&[0, 1, 2, 3, 4]), "Mon–Fri");
        assert_eq!(names(&[0, 2, 3, 4]), "Mon, Wed–Fri");
        assert_eq!(names(&[5, 6]), "Sat, Sun");
        assert_eq!(names(&[0, 5, 6]), "Sat–Mon");
        assert_eq!(names(&[0, 1, 2, 3, 4, 5, 6]), "Mon–Sun");
        let mixed = hours("UTC", [OFFICE, Some((13, 18)), OFFICE, None, OFFICE, Some((10, 14)), None]);
        let words = closed(&mixed, Some("UTC"), "2026-06-06T20:00:00Z");
        assert_eq!(
            words,
            "We answer Mon, Wed, Fri 9:00–17:00, Tue 13:00–18:00, Sat 10:00–14:00, again on Monday at 9:00"
        );
        let many =
            hours("America/New_York", [Some((8, 9)), Some((8, 10)), Some((8, 11)), Some((8, 12)), None, None, None]);
        let words = closed(&many, None, "2026-06-06T20:00:00Z");
        assert_eq!(words, "We answer again on Monday at 8:00 (New York time)");
    }

    #[test]
    fn zones_have_names() {
        assert!(zone("Europe/Berlin").is_some() && zone("utc").is_some());
        for name in ["", "Berlin", "../etc/passwd", "Europe/Berlin\0", "+02:00"] {
            assert!(zone(name).is_none(), "{name}");
        }
        let zones = zones();
        assert!(
            zones.len() > 300
                && zones.contains(&"Asia/Tokyo".to_owned())
                && zones.iter().all(|name| zone(name).is_some())
        );
        assert!(Schedule::new(&office("Nowhere")).is_none() && Schedule::new(&hours("UTC", [None; 7])).is_none());
    }
}
