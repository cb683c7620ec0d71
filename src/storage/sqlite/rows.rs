//! Between rows and the types of the domain.
//!
//! What does not fit its type fails to decode: it was not written by this program.

use std::sync::OnceLock;

use sqlx::{Row, sqlite::SqliteRow};
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

impl Columns for SqliteRow {
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
        self.try_get(column).map(Timestamp)
    }

    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        Ok(self.try_get::<Option<i64>, _>(column)?.map(Timestamp))
    }
}

/// The columns of a user, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "users.id as user_id, users.email, users.name, users.role, users.created_at_ms as user_created_at_ms,
         users.confirmed_email is users.email as is_confirmed"
    };
}
pub(super) use user_columns;

/// Reads [`user_columns`].
pub(super) fn user(row: &SqliteRow) -> sqlx::Result<User> {
    Ok(User {
        id: row.id("user_id", UserId)?,
        email: Email::trusted(row.try_get("email")?),
        name: Name::trusted(row.try_get("name")?),
        role: row.word("role")?,
        is_confirmed: row.try_get("is_confirmed")?,
        created_at: row.time("user_created_at_ms")?,
    })
}

/// Many ids as one bound value, for `select unhex(value) from json_each(?)`: SQLite has no arrays,
/// and one statement for any number of ids stays prepared.
pub(super) fn id_list(ids: impl IntoIterator<Item = Uuid>) -> String {
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

/// Into how many rows [`batches`] divides. Each number has a text of its own, which a connection keeps prepared.
const BATCHES: [usize; 5] = [256, 64, 16, 4, 1];

/// Divides rows into as few statements as may be, for each of which [`Batched`] has a text.
pub(super) fn batches<T>(mut rows: &[T]) -> impl Iterator<Item = &[T]> {
    std::iter::from_fn(move || {
        let count = BATCHES.into_iter().find(|count| *count <= rows.len())?;
        let (batch, rest) = rows.split_at(count);
        rows = rest;
        Some(batch)
    })
}

/// What is asked for several rows at once.
pub(super) struct Batched {
    make: fn(usize) -> String,
    texts: OnceLock<[String; BATCHES.len()]>,
}

impl Batched {
    /// `make` writes it for so many rows.
    pub(super) const fn new(make: fn(usize) -> String) -> Self {
        Self { make, texts: OnceLock::new() }
    }

    /// The text for as many rows as one of [`batches`] has.
    pub(super) fn of(&self, count: usize) -> &str {
        let place = BATCHES.iter().position(|size| *size == count).expect("only batches are asked for");
        &self.texts.get_or_init(|| BATCHES.map(self.make))[place]
    }
}
