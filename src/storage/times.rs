//! How each database stores a [`Timestamp`]: SQLite as an integer of milliseconds, PostgreSQL as `timestamptz`.

use sqlx::{
    Database, Decode, Encode, Postgres, Sqlite, Type, encode::IsNull, error::BoxDynError, postgres::PgHasArrayType,
    types::time::OffsetDateTime,
};

use crate::domain::Timestamp;

/// The range that PostgreSQL gets, in milliseconds: the years 1 to 9999.
pub(super) const FIRST_MS: i64 = -62_135_596_800_000;
pub(super) const LAST_MS: i64 = 253_402_300_799_999;

impl Type<Sqlite> for Timestamp {
    fn type_info() -> <Sqlite as Database>::TypeInfo {
        <i64 as Type<Sqlite>>::type_info()
    }

    fn compatible(stored: &<Sqlite as Database>::TypeInfo) -> bool {
        <i64 as Type<Sqlite>>::compatible(stored)
    }
}

impl Encode<'_, Sqlite> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut <Sqlite as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i64 as Encode<Sqlite>>::encode_by_ref(&self.0, buffer)
    }
}

impl<'r> Decode<'r, Sqlite> for Timestamp {
    fn decode(value: <Sqlite as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <i64 as Decode<Sqlite>>::decode(value).map(Self)
    }
}

impl Type<Postgres> for Timestamp {
    fn type_info() -> <Postgres as Database>::TypeInfo {
        <OffsetDateTime as Type<Postgres>>::type_info()
    }
}

impl PgHasArrayType for Timestamp {
    fn array_type_info() -> <Postgres as Database>::TypeInfo {
        <OffsetDateTime as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Timestamp {
    fn encode_by_ref(&self, buffer: &mut <Postgres as Database>::ArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <OffsetDateTime as Encode<Postgres>>::encode_by_ref(&to_date_time(*self), buffer)
    }
}

impl<'r> Decode<'r, Postgres> for Timestamp {
    fn decode(value: <Postgres as Database>::ValueRef<'r>) -> Result<Self, BoxDynError> {
        <OffsetDateTime as Decode<Postgres>>::decode(value).map(from_date_time)
    }
}

fn from_date_time(at: OffsetDateTime) -> Timestamp {
    // This program writes whole milliseconds, far from the ends of the range.
    let ms = at.unix_timestamp_nanos().div_euclid(1_000_000);
    Timestamp(i64::try_from(ms).unwrap_or(i64::MAX))
}

/// Only a time from outside, such as that of a cursor, can lie outside the range: it becomes the nearest end.
fn to_date_time(Timestamp(ms): Timestamp) -> OffsetDateTime {
    let ms = ms.clamp(FIRST_MS, LAST_MS);
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(ms) * 1_000_000).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_bound_and_read_to_the_millisecond() {
        for ms in [-62_135_596_800_000, -1, 0, 1, 1_763_780_000_123, 253_402_300_799_999] {
            assert_eq!(from_date_time(to_date_time(Timestamp(ms))), Timestamp(ms));
        }
        assert_eq!(to_date_time(Timestamp(i64::MIN)).year(), 1);
        assert_eq!(to_date_time(Timestamp(i64::MAX)).year(), 9999);
    }
}
