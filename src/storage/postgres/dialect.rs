//! What PostgreSQL writes in its own way within the sources of `storage/shared`. `sqlite::dialect` has the same names.

use sqlx::{Decode, Postgres, Row, Type, postgres::PgRow};
use uuid::Uuid;

pub(super) use super::conn::Conn;
pub(super) type DbRow = PgRow;

/// SQL of one or more parts: as the shared sources have it.
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {
        concat!($($part),+)
    };
}
pub(super) use sql;

/// Reads the time that the shared sources call `column`.
pub(super) fn read_time<'r, T>(row: &'r PgRow, column: &str) -> sqlx::Result<T>
where
    T: Decode<'r, Postgres> + Type<Postgres>,
{
    row.try_get(column)
}

/// Whether the expression before it is one of the [`ids`] that `$ids` binds.
macro_rules! is_any {
    ($ids:literal) => {
        concat!("= any (", $ids, ")")
    };
}
pub(super) use is_any;

/// Many ids as one bound value.
pub(super) fn ids(ids: impl IntoIterator<Item = Uuid>) -> Vec<Uuid> {
    ids.into_iter().collect()
}
pub(super) type Ids = Vec<Uuid>;

/// All ids of a column in a group as one text, with commas between.
macro_rules! joined_ids {
    ($column:literal) => {
        concat!("string_agg(", $column, "::text, ',')")
    };
}
pub(super) use joined_ids;

/// A time as a number of milliseconds.
macro_rules! ms {
    ($time:expr) => {
        concat!("(extract(epoch from ", $time, ") * 1000)::bigint")
    };
}
pub(super) use ms;

/// The text before the first line break, if there is one.
macro_rules! first_line {
    ($text:literal) => {
        concat!("split_part(", $text, ", E'\\n', 1)")
    };
}
pub(super) use first_line;

/// A column of which no index is to be used, as another one finds less. PostgreSQL sees that itself.
macro_rules! unindexed {
    ($column:literal) => {
        $column
    };
}
pub(super) use unindexed;

/// Keeps PostgreSQL from reading whole tables until the transaction ends.
pub(super) async fn prefer_indexes(conn: &mut Conn) -> sqlx::Result<()> {
    sqlx::raw_sql("set local enable_seqscan = off").execute(conn).await?;
    Ok(())
}

/// Orders texts by their bytes.
macro_rules! bytewise {
    () => {
        " collate \"C\""
    };
}
pub(super) use bytewise;

/// The end of a query whose rows nobody else may change until the transaction ends.
macro_rules! locking {
    ($how:literal) => {
        $how
    };
}
pub(super) use locking;

/// Runs a query for its [`locking`] alone: `$rows` says of which table, which rows, and in which order.
macro_rules! lock {
    ($conn:expr, $rows:literal $(, $value:expr)*) => {
        sqlx::query(concat!("select from ", $rows))$(.bind($value))*.execute(&mut *$conn).await?
    };
}
pub(super) use lock;

/// Text to search for: PostgreSQL's has no NUL, so nothing is found by one.
pub(super) fn searchable(text: String) -> String {
    text.replace('\0', "\u{fffd}")
}
