//! Times in words.

use crate::domain::{Date, Timestamp};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The day in UTC, such as "3 June 2026".
#[must_use]
pub fn long_date(time: Timestamp) -> String {
    let Date { year, month, day } = time.date();
    format!("{day} {} {year}", MONTHS[usize::from(month) - 1])
}
