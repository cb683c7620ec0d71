//! SQLite's differences within the sources of `storage/shared`.
//!
//! Their SQL is PostgreSQL's. [`sql`] replaces its words with SQLite's at compile time; the other macros replace longer
//! parts. `postgres::dialect` has the same names.

use sqlx::{ColumnIndex, Decode, Row, Sqlite, SqliteConnection, Type, sqlite::SqliteRow};
use uuid::Uuid;

/// The connection that runs statements.
pub(super) type Conn = SqliteConnection;
pub(super) type DbRow = SqliteRow;

/// Functions with another name here. With a null among its arguments `max` is null, which `greatest` is not.
const FUNCTIONS: [(&str, &str); 2] = [("greatest", "max"), ("strpos", "instr")];

/// Ends the name of each column with a time: SQLite has no type for it, so the name carries the unit.
const TIME: &str = "_at";
const TIME_HERE: &str = "_at_ms";

/// SQL of one or more parts as SQLite takes it, made by the compiler.
macro_rules! sql {
    ($($part:expr),+ $(,)?) => {{
        const SHARED: &str = concat!($($part),+);
        const LENGTH: usize = $crate::storage::sqlite::dialect::translate::<0>(SHARED).1;
        const BYTES: [u8; LENGTH] = $crate::storage::sqlite::dialect::translate(SHARED).0;
        const SQL: &str = match str::from_utf8(&BYTES) {
            Ok(sql) => sql,
            Err(_) => panic!("only whole words are replaced"),
        };
        SQL
    }};
}
pub(super) use sql;

/// Replaces words; returns as much as has room, and the length of all.
pub(super) const fn translate<const N: usize>(shared: &str) -> ([u8; N], usize) {
    let shared = shared.as_bytes();
    let (mut here, mut length, mut start) = ([0; N], 0, 0);
    while start < shared.len() {
        let mut end = start + 1;
        while is_of_name(shared[start]) && end < shared.len() && is_of_name(shared[end]) {
            end += 1;
        }
        let (_, rest) = shared.split_at(start);
        let (word, _) = rest.split_at(end - start);
        let (stem, ending) = word_here(word);
        let mut at = 0;
        while at < stem.len() + ending.len() {
            if length < N {
                here[length] = if at < stem.len() { stem[at] } else { ending[at - stem.len()] };
            }
            length += 1;
            at += 1;
        }
        start = end;
    }
    (here, length)
}

/// The same when the program runs.
#[cfg(test)]
pub(super) fn translated(shared: &str) -> String {
    let (here, length) = translate::<8192>(shared);
    String::from_utf8(here[..length].to_vec()).unwrap()
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

/// SQLite's replacement of a word, in two parts.
const fn word_here(word: &[u8]) -> (&[u8], &[u8]) {
    let mut at = 0;
    while at < FUNCTIONS.len() {
        if ends_with(word, FUNCTIONS[at].0) && word.len() == FUNCTIONS[at].0.len() {
            return (FUNCTIONS[at].1.as_bytes(), b"");
        }
        at += 1;
    }
    if ends_with(word, TIME) {
        let (stem, _) = word.split_at(word.len() - TIME.len());
        return (stem, TIME_HERE.as_bytes());
    }
    (word, b"")
}

const fn ends_with(word: &[u8], end: &str) -> bool {
    let end = end.as_bytes();
    if word.len() < end.len() {
        return false;
    }
    let mut at = 0;
    while at < end.len() {
        if word[word.len() - end.len() + at] != end[at] {
            return false;
        }
        at += 1;
    }
    true
}

/// Reads the time that the shared sources call `column`.
pub(super) fn read_time<'r, T>(row: &'r SqliteRow, column: &str) -> sqlx::Result<T>
where
    T: Decode<'r, Sqlite> + Type<Sqlite>,
{
    row.try_get(TimeColumn(column))
}

#[derive(Debug)]
struct TimeColumn<'a>(&'a str);

impl ColumnIndex<SqliteRow> for TimeColumn<'_> {
    fn index(&self, row: &SqliteRow) -> sqlx::Result<usize> {
        let Self(column) = self;
        // On the stack, because lists read thousands of these.
        let mut name = [0; 64];
        let length = column.len() + TIME_HERE.len() - TIME.len();
        let not_found = || sqlx::Error::ColumnNotFound((*column).to_owned());
        let here = name.get_mut(..length).filter(|_| column.ends_with(TIME)).ok_or_else(not_found)?;
        here[..column.len()].copy_from_slice(column.as_bytes());
        here[column.len() - TIME.len()..].copy_from_slice(TIME_HERE.as_bytes());
        str::from_utf8(here).map_err(|_| not_found())?.index(row)
    }
}

/// Whether the expression before it is one of the [`ids`] that `$ids` binds.
macro_rules! is_any {
    ($ids:literal) => {
        concat!("in (select unhex(value) from json_each(", $ids, "))")
    };
}
pub(super) use is_any;

/// Many ids as one bound value: SQLite has no arrays, and one statement for any number of ids stays prepared.
pub(super) fn ids(ids: impl IntoIterator<Item = Uuid>) -> String {
    let mut list = String::from("[");
    for id in ids {
        if list.len() > 1 {
            list.push(',');
        }
        list.push('"');
        list.push_str(id.simple().encode_lower(&mut Uuid::encode_buffer()));
        list.push('"');
    }
    list.push(']');
    list
}
pub(super) type Ids = String;

/// All ids of a column in a group as one text, with commas between.
macro_rules! joined_ids {
    ($column:literal) => {
        concat!("group_concat(hex(", $column, "))")
    };
}
pub(super) use joined_ids;

/// A time as a number of milliseconds.
macro_rules! ms {
    ($time:expr) => {
        $time
    };
}
pub(super) use ms;

/// The text before the first line break, if there is one.
macro_rules! first_line {
    ($text:literal) => {
        concat!("substr(", $text, ", 1, instr(", $text, ", char(10)) - 1)")
    };
}
pub(super) use first_line;

/// A column whose index SQLite must not use, because another index finds fewer rows. The `+` prevents it.
macro_rules! unindexed {
    ($column:literal) => {
        concat!("+", $column)
    };
}
pub(super) use unindexed;

/// SQLite takes an index whenever it has one.
pub(super) async fn prefer_indexes(_: &mut Conn) -> sqlx::Result<()> {
    Ok(())
}

/// Orders texts by their bytes.
macro_rules! bytewise {
    () => {
        ""
    };
}
pub(super) use bytewise;

/// The end of a query whose rows nobody else may change until the transaction ends. Here nobody can: the transaction
/// has held the only write lock since its first statement.
macro_rules! locking {
    ($how:literal) => {
        ""
    };
}
pub(super) use locking;

/// Runs a query for its [`locking`] alone.
macro_rules! lock {
    ($conn:expr, $rows:literal $(, $value:expr)*) => {{
        let _ = (&$conn, $(&$value),*);
    }};
}
pub(super) use lock;

/// Text to search for: SQLite takes any.
pub(super) fn searchable(text: String) -> String {
    text
}

#[cfg(test)]
mod tests {
    #[test]
    fn words_are_replaced_and_nothing_else() {
        assert_eq!(
            sql!("update a set b_at = greatest(a.b_at, $1), at = strpos(c, 'é'), d_at_ms = b_attic where greatest_at"),
            "update a set b_at_ms = max(a.b_at_ms, $1), at = instr(c, 'é'), d_at_ms = b_attic where greatest_at_ms"
        );
        assert_eq!(sql!("created_at"), "created_at_ms");
    }
}
