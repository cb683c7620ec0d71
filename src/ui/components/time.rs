//! Times in words.

use crate::{
    client::labels::{self, utc},
    domain::Timestamp,
};

/// The day in UTC, such as "3 June 2026".
#[must_use]
pub fn long_date(time: Timestamp) -> String {
    labels::long_date(time, utc)
}
