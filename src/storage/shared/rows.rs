//! Between rows and the types of the domain.
//!
//! A value that does not fit its type fails to decode: another program wrote it.

use sqlx::Row;
use uuid::Uuid;

use super::dialect::{DbRow, read_time};
use crate::domain::{Email, LinkId, Name, Timestamp, User, UserId};
pub(in crate::storage) use crate::storage::words::Word;

/// Reads the columns of a row by name.
pub trait Columns {
    fn id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<T>;
    fn optional_id<T>(&self, column: &str, name: fn(Uuid) -> T) -> sqlx::Result<Option<T>>;
    fn word<T: Word>(&self, column: &str) -> sqlx::Result<T>;
    fn time(&self, column: &str) -> sqlx::Result<Timestamp>;
    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>>;
}

impl Columns for DbRow {
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
        read_time(self, column)
    }

    fn optional_time(&self, column: &str) -> sqlx::Result<Option<Timestamp>> {
        read_time(self, column)
    }
}

/// Reads `joined_ids!` of links in the column `links`.
pub fn links(row: &DbRow) -> sqlx::Result<Vec<LinkId>> {
    let links: Option<&str> = row.try_get("links")?;
    let links = links.unwrap_or_default().split(',').filter_map(|id| Uuid::try_parse(id).ok()).map(LinkId);
    let mut links: Vec<_> = links.collect();
    links.sort_unstable();
    Ok(links)
}

/// The columns of a user, as [`user`] reads them.
macro_rules! user_columns {
    () => {
        "users.id as user_id, users.email, users.name, users.role, users.created_at as user_created_at,
         users.confirmed_email is not distinct from users.email as is_confirmed"
    };
}
pub(crate) use user_columns;

/// Reads [`user_columns`].
pub fn user(row: &DbRow) -> sqlx::Result<User> {
    Ok(User {
        id: row.id("user_id", UserId)?,
        email: Email::trusted(row.try_get("email")?),
        name: Name::trusted(row.try_get("name")?),
        role: row.word("role")?,
        is_confirmed: row.try_get("is_confirmed")?,
        created_at: row.time("user_created_at")?,
    })
}
