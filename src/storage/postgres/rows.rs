//! Between rows and the types of the domain.
//!
//! What does not fit its type fails to decode: it was not written by this program.

use sqlx::{Row, postgres::PgRow, types::time::OffsetDateTime};
use uuid::Uuid;

use crate::domain::{Email, Name, Timestamp, User, UserId};
pub(super) use crate::storage::words::Word;

/// Reads the columns of a row by name.
pub(super) trait Columns {
    fn id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<T>;
    fn optional_id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<Option<T>>;
    fn word<T: Word>(&self, column: &str) -> sqlx::Result<T>;
    fn time(&self, column: &str) -> sqlx::Result<Timestamp>;
    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>>;
}

impl Columns for PgRow {
    fn id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<T> {
        self.try_get(column).map(name)
    }

    fn optional_id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<Option<T>> {
        Ok(self.try_get::<Option<Uuid>, _>(column)?.map(name))
    }

    fn word<T: Word>(&self, column: &str) -> sqlx::Result<T> {
        let word: &str = self.try_get(column)?;
        T::from_word(word).ok_or_else(|| sqlx::Error::ColumnDecode {
            index: column.to_owned(),
            source: format!("unknown word {word:?}").into(),
        })
    }

    fn time(&self, column: &str) -> sqlx::Result<Timestamp> {
        self.try_get(column).map(timestamp)
    }

    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        Ok(self.try_get::<Option<OffsetDateTime>, _>(column)?.map(timestamp))
    }
}

fn timestamp(at: OffsetDateTime) -> Timestamp {
    // What this program wrote is of whole milliseconds, and far from the ends of the range.
    let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// The ends of what is bound.
pub(in crate::storage) const FIRST_MS: i64 = -62_135_596_800_000;
pub(in crate::storage) const LAST_MS: i64 = 253_402_300_799_999;

/// A moment as queries bind it. What lies outside the years 1 to 9999, as nothing does but what comes from outside,
/// is taken for their ends.
pub(super) fn at(Timestamp(ms): Timestamp) -> OffsetDateTime {
    let ms = ms.clamp(FIRST_MS, LAST_MS);
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

/// Text as queries bind it that comes from a search or a cursor: PostgreSQL's has no NUL, so nothing is
/// found by one.
pub(super) fn searchable(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

/// The columns of a user, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "users.id as user_id, users.email, users.name, users.role, users.created_at as user_created_at,
         users.confirmed_email is not distinct from users.email as is_confirmed"
    };
}
pub(super) use user_columns;

/// Reads [`user_columns`].
pub(super) fn user(row: &PgRow) -> sqlx::Result<User> {
    Ok(User {
        id: row.id("user_id", UserId)?,
        email: Email::trusted(row.try_get("email")?),
        name: Name::trusted(row.try_get("name")?),
        role: row.word("role")?,
        is_confirmed: row.try_get("is_confirmed")?,
        created_at: row.time("user_created_at")?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bound_and_read_to_the_millisecond() {
        for ms in [-62_135_596_800_000, -1, 0, 1, 1_763_780_000_123, 253_402_300_799_999] {
            assert_eq!(timestamp(at(Timestamp(ms))), Timestamp(ms));
        }
        assert_eq!(at(Timestamp(i64::MIN)).year(), 1);
        assert_eq!(at(Timestamp(i64::MAX)).year(), 9999);
    }
}
