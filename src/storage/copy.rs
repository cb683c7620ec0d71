//! Moving up: copies a whole SQLite database into an empty PostgreSQL database, and compares both.
//!
//! The data stays the same: clients resume at their last rev, and sessions, tokens and links remain valid. Each
//! transaction copies a number of a table's rows, in the order of its key. So an interrupted copy continues after the
//! last key in the target. Until both are equal, a table in the target locks all other processes out. Called by the
//! command line.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use super::{
    Result, StoreError,
    postgres::Target,
    search,
    sqlite::Source,
    times::{FIRST_MS, LAST_MS},
};
use Kind::{Bytes, Flag, Id, Integer, Json, Text, Time, Words};

/// How many rows go in one transaction: at most some 30 MB, if all are messages of the greatest length.
pub const BATCH: i64 = 1_000;

/// The kind of a column's values, independent of the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Id,
    Bytes,
    Text,
    Integer,
    Flag,
    /// SQLite stores milliseconds, under a name that ends in `_ms`.
    Time,
    Json,
    /// The words that search finds a message by. Only PostgreSQL stores them in a column.
    Words,
}

pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) kind: Kind,
}

pub(super) struct Table {
    pub(super) name: &'static str,
    /// How many of the columns, from the first, are the primary key. None of them is a time or JSON.
    key: usize,
    pub(super) columns: &'static [Column],
}

impl Table {
    pub(super) fn key(&self) -> &'static [Column] {
        &self.columns[..self.key]
    }
}

macro_rules! tables {
    ($($name:ident $key:literal { $($column:ident $kind:ident),+ $(,)? })+) => {
        &[$(Table {
            name: stringify!($name),
            key: $key,
            columns: &[$(Column { name: stringify!($column), kind: $kind }),+],
        }),+]
    };
}

/// All tables but `meta`, each after those that it refers to, with the length of its key.
pub(super) const TABLES: &[Table] = tables! {
    users 1 { id Id, email Text, name Text, role Text, password_hash Text, created_at Time, confirmed_email Text, folded Text }
    login_sessions 1 {
        id Id, secret_hash Bytes, user_id Id, created_at Time, last_seen_at Time, expires_at Time, user_agent Text,
    }
    sign_in_links 1 { secret_hash Bytes, user_id Id, created_at Time, expires_at Time }
    api_tokens 1 { id Id, secret_hash Bytes, user_id Id, created_at Time, revoked_at Time, name Text }
    password_resets 1 { secret_hash Bytes, user_id Id, created_at Time, expires_at Time }
    email_confirmations 1 { secret_hash Bytes, user_id Id, email Text, created_at Time, expires_at Time }
    invites 1 { id Id, secret_hash Bytes, invited_by Id, created_at Time, expires_at Time }
    custom_requests 1 {
        id Id, customer_id Id, title Text, description Text, budget_cents Integer, wanted_on Text, status Text,
        folded Text, created_at Time, updated_at Time, edited_at Time,
    }
    request_files 1 {
        id Id, request_id Id, uploader_id Id, name Text, media_type Text, size_bytes Integer, width Integer,
        height Integer, digest Bytes, created_at Time,
    }
    request_changes 2 {
        request_id Id, number Integer, status Text, changed_by Id, changed_by_name Text, changed_at Time,
    }
    conversations 1 {
        id Id, kind Text, request_id Id, status Text, customer_name Text, customer_email Text, customer_id Id,
        customer_participant_id Id, metadata Json, assignee_id Id, head Integer, last_seq Integer, last_message Text,
        customer_folded Text, last_message_folded Text, created_at Time, updated_at Time, closed_at Time,
        closed_by_name Text, anonymised_at Time, rating_score Integer, rating_comment Text, rated_at Time, is_sealed Flag,
    }
    links 1 { id Id, conversation_id Id, secret_hash Bytes, created_at Time, expires_at Time, revoked_at Time }
    session_links 2 { session_id Id, link_id Id }
    messages 1 {
        id Id, conversation_id Id, seq Integer, rev Integer, sender_type Text, sender_id Id, sender_name Text,
        client_id Id, created_at Time, edited_at Time, deleted_at Time, content Text, is_system Flag,
        attachments Json, words Words, sent_digest Bytes, reply_to Integer,
    }
    participants 2 { conversation_id Id, participant_id Id, kind Text, name Text, last_seen_at Time }
    receipts 2 { conversation_id Id, participant_id Id, seq Integer, read_at Time }
    attachments 1 {
        id Id, conversation_id Id, message_id Id, uploader_id Id, name Text, media_type Text, size_bytes Integer,
        created_at Time, width Integer, height Integer,
    }
    discarded_files 1 { id Id }
    mail_digests 1 { conversation_id Id, seq Integer, is_unsubscribed Flag }
    push_subscriptions 1 {
        id Id, session_id Id, endpoint Text, public_key Bytes, auth_secret Bytes, language Text, created_at Time,
    }
    notices 1 { number Integer, kind Text, subject_id Id, rev Integer, noted_at Time }
};

/// The columns of `meta` that both databases have. `needs_level` is each one's own, and so is `folded_before`.
pub(super) const META: [&str; 6] =
    ["only_row", "epoch", "setup_secret_hash", "needs_level", "folded_before", "business"];

/// A value in the form that both databases are compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Null,
    /// Also a flag; a time in microseconds since 1970 UTC, which is as exact as PostgreSQL keeps it.
    Integer(i64),
    /// Also JSON, see [`canonical_json`], and words in the order of their bytes with spaces between.
    Text(String),
    /// Also an id.
    Bytes(Vec<u8>),
}

pub(super) type Row = Vec<Value>;

/// One of the two databases.
pub(super) trait Rows {
    /// At most `limit` rows in the order of the key, those after `after`, each with the table's columns.
    async fn rows(&mut self, table: &Table, after: Option<&[Value]>, limit: i64) -> Result<Vec<Row>>;
}

/// A time of milliseconds, within the years that PostgreSQL is given.
pub(super) fn time(ms: i64) -> Value {
    Value::Integer(ms.clamp(FIRST_MS, LAST_MS) * 1_000)
}

/// JSON as text that is the same however a database has written it: members in order, and numbers without a
/// fraction as integers.
///
/// # Errors
/// If it is no JSON.
pub(super) fn canonical_json(text: &str) -> Result<Value> {
    let json: serde_json::Value = serde_json::from_str(text).map_err(|error| sqlx::Error::Decode(Box::new(error)))?;
    Ok(Value::Text(canonical(json).to_string()))
}

fn canonical(json: serde_json::Value) -> serde_json::Value {
    use serde_json::Value::{Array, Number, Object};
    const TWO_TO_63: f64 = 9_223_372_036_854_775_808.0;
    match json {
        Array(items) => Array(items.into_iter().map(canonical).collect()),
        Object(members) => {
            let mut members: Vec<_> = members.into_iter().map(|(name, value)| (name, canonical(value))).collect();
            members.sort_by(|(one, _), (other, _)| one.cmp(other));
            Object(members.into_iter().collect())
        }
        // Written as an integer or as a float, depending on the database. Rust casts these without loss.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within what fits")]
        Number(number) => match number.as_f64().filter(|float| number.is_f64() && float.fract() == 0.0) {
            Some(float) if (-TWO_TO_63..TWO_TO_63).contains(&float) => (float as i64).into(),
            Some(float) if (TWO_TO_63..2.0 * TWO_TO_63).contains(&float) => (float as u64).into(),
            _ => Number(number),
        },
        other => other,
    }
}

/// The words that search finds a message by.
pub(super) fn words(content: &str, is_found: bool) -> Value {
    let words = if is_found { search::of(content) } else { Vec::new() };
    sorted_words(words.iter().map(String::as_str))
}

pub(super) fn sorted_words<'w>(words: impl Iterator<Item = &'w str>) -> Value {
    let mut words: Vec<_> = words.collect();
    words.sort_unstable();
    Value::Text(words.join(" "))
}

/// Asserts that a database has exactly the columns that this program knows.
///
/// # Errors
/// [`StoreError::Unfit`]: what is not known would be lost without a word.
pub(super) fn require_known(database: &str, known: Vec<(String, String)>, found: Vec<(String, String)>) -> Result<()> {
    let (known, found): (BTreeSet<_>, BTreeSet<_>) = (known.into_iter().collect(), found.into_iter().collect());
    if let Some((table, column)) = known.difference(&found).next() {
        return Err(StoreError::Unfit(format!(
            "{database} has no {table}.{column}: run `bespoken migrate` on it first"
        )));
    }
    if let Some((table, column)) = found.difference(&known).next() {
        return Err(StoreError::Unfit(format!(
            "{database} has {table}.{column}, which this program does not know and would not copy"
        )));
    }
    Ok(())
}

/// How many rows a table has, and the SHA-256 over all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sum {
    pub rows: u64,
    pub sha256: String,
}

/// A table as it is in both databases.
#[derive(Clone, Debug)]
pub struct Compared {
    pub table: &'static str,
    pub source: Sum,
    pub target: Sum,
}

impl Compared {
    #[must_use]
    pub fn is_same(&self) -> bool {
        self.source == self.target
    }
}

#[derive(Default)]
struct Tally {
    rows: u64,
    hash: Sha256,
}

impl Tally {
    fn add(&mut self, row: &[Value]) {
        self.rows += 1;
        for value in row {
            // Lengths, so that no two rows have the same bytes.
            let (tag, bytes) = match value {
                Value::Null => (0_u8, &[][..]),
                Value::Integer(number) => (1, &number.to_be_bytes()[..]),
                Value::Text(text) => (2, text.as_bytes()),
                Value::Bytes(bytes) => (3, &bytes[..]),
            };
            self.hash.update([tag]);
            self.hash.update((bytes.len() as u64).to_be_bytes());
            self.hash.update(bytes);
        }
    }

    fn sum(self) -> Sum {
        let sha256 = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Sum { rows: self.rows, sha256 }
    }
}

async fn sum(database: &mut impl Rows, table: &Table, batch: i64) -> Result<Sum> {
    let mut tally = Tally::default();
    let mut after: Option<Row> = None;
    loop {
        let mut rows = database.rows(table, after.as_deref(), batch).await?;
        rows.iter().for_each(|row| tally.add(row));
        let Some(mut last) = rows.pop() else { return Ok(tally.sum()) };
        last.truncate(table.key);
        after = Some(last);
    }
}

/// Says which table it is about, and what PostgreSQL itself says.
fn in_table(table: &'static str) -> impl FnOnce(StoreError) -> StoreError {
    move |error| match error {
        StoreError::Database(error) => {
            let reason =
                error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
            StoreError::Unfit(format!("the table {table} was not copied to its end: {reason}"))
        }
        other => other,
    }
}

/// A copy under way. Whenever it is dropped, another can go on where it was. After a step that failed or was
/// given up, only another can.
pub struct DatabaseCopy {
    source: Source,
    target: Target,
    batch: i64,
    /// Of the table that is copied, in [`TABLES`].
    place: usize,
    goes_on: bool,
}

impl DatabaseCopy {
    /// Takes a snapshot of `from`, an SQLite database. Other processes may use it meanwhile; the copy omits their
    /// changes. Makes the tables in `to`, a PostgreSQL database, if it has none. `batch` is how many rows go at once.
    /// Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence for the operator: so if `to` is not empty, unless with a copy
    /// of the same database that was interrupted.
    pub async fn begin(from: &str, to: &str, batch: i64) -> Result<Self> {
        let source = Source::open(from).await?;
        let (target, goes_on) = Target::open(to, source.epoch()).await?;
        Ok(Self { source, target, batch, place: 0, goes_on })
    }

    /// Whether a part was there already.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Copies the next rows, and says of which table once they are on disk. `None` if there are no more.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence for the operator, also if the databases cannot be reached.
    pub async fn step(&mut self) -> Result<Option<&'static str>> {
        while let Some(table) = TABLES.get(self.place) {
            if self.copy_rows(table).await.map_err(in_table(table.name))? {
                return Ok(Some(table.name));
            }
            self.place += 1;
        }
        Ok(None)
    }

    async fn copy_rows(&mut self, table: &'static Table) -> Result<bool> {
        let after = self.target.last_key(table).await?;
        let rows = self.source.rows(table, after.as_deref(), self.batch).await?;
        if rows.is_empty() {
            return Ok(false);
        }
        self.target.insert(table, &rows).await?;
        Ok(true)
    }

    /// Compares both databases, table by table. Only if all is the same does the target count as whole, and
    /// can be opened.
    ///
    /// # Errors
    /// If a database fails.
    pub async fn finish(mut self) -> Result<Vec<Compared>> {
        let meta = self.source.meta().await?;
        self.target.begin_check(&meta).await?;
        let mut tallies = [Tally::default(), Tally::default()];
        tallies[0].add(&meta);
        tallies[1].add(&self.target.meta().await?);
        let [source, target] = tallies.map(Tally::sum);
        let mut compared = vec![Compared { table: "meta", source, target }];
        for table in TABLES {
            let source = sum(&mut self.source, table, self.batch).await?;
            let target = sum(&mut self.target, table, self.batch).await?;
            compared.push(Compared { table: table.name, source, target });
        }
        self.target.end_check(compared.iter().all(Compared::is_same)).await?;
        self.source.close().await?;
        Ok(compared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_the_same_however_it_was_written() {
        let same = |one: &str, other: &str| {
            let read = |text| canonical_json(text).unwrap();
            assert_eq!(read(one), read(other));
        };
        same(r#"{"b": 1, "aa": [1.0, -0.0]}"#, r#"{"aa":[1,0],"b":1.0}"#);
        same("1e20", "100000000000000000000");
        same("[1e17, 1e19]", "[100000000000000000, 10000000000000000000]");
        same("[0.1, 1.5e-7]", "[0.1, 0.00000015]");
        for (one, other) in [("9007199254740993", "9007199254740992"), ("1", "\"1\""), ("[1, 2]", "[2, 1]")] {
            assert_ne!(canonical_json(one).unwrap(), canonical_json(other).unwrap());
        }
    }

    #[test]
    fn no_two_rows_have_the_same_sum() {
        let text = |text: &str| Value::Text(text.to_owned());
        let rows = [
            vec![text("a"), text("b")],
            vec![text("ab"), text("")],
            vec![text("ab")],
            vec![text("ab"), Value::Null],
            vec![Value::Bytes(b"ab".to_vec())],
            vec![Value::Integer(0)],
        ];
        let sums: BTreeSet<_> = rows
            .iter()
            .map(|row| {
                let mut tally = Tally::default();
                tally.add(row);
                tally.sum().sha256
            })
            .collect();
        assert_eq!(sums.len(), rows.len());
    }
}
