//! A database that another is copied into: see `storage::copy`.
//!
//! Works as the owner of the tables. Row-level security also applies to the owner (`force`). So each transaction
//! removes `force` from its tables and restores it before the commit. No other transaction ever sees a table without
//! it, and an interruption leaves no trace.

use std::{fmt::Write, time::Duration};

use sqlx::{AssertSqlSafe, Connection, PgConnection, Row as _, postgres::PgRow};
use uuid::Uuid;

use super::{
    acting::{BEGIN, COMMIT},
    cannot_open,
    conn::Patience,
    connect, options,
    schema::{self, UNFINISHED_COPY},
};
use crate::{
    domain::{Epoch, Timestamp},
    storage::{
        Result, StoreError,
        copy::{Column, Kind, META, Row, Rows, TABLES, Table, Value, canonical_json, require_known, sorted_words},
    },
};

/// Rows go by the thousand, and all of a table is read again.
const PATIENCE: Patience =
    Patience { connect: Duration::from_secs(5), begin: Duration::from_secs(5), answer: Duration::from_secs(60) };

/// Nobody else copies into it, and no server starts on it, until the copy is whole.
pub(in crate::storage) struct Target {
    conn: PgConnection,
}

impl Target {
    /// Brings the database up to date, and marks it as one that `source` is being copied into. Says whether
    /// it was marked so before.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence for the operator.
    pub(in crate::storage) async fn open(url: &str, source: Epoch) -> Result<(Self, bool)> {
        let options = options(url, &PATIENCE)?;
        let mut conn = connect(&options, PATIENCE.connect).await.map_err(|error| cannot_open(&options, &error))?;
        schema::bring_up_to_date(&mut conn).await?;
        let owns: bool = sqlx::query_scalar(
            "select pg_has_role(current_user, relowner, 'usage') from pg_class where oid = 'meta'::regclass",
        )
        .fetch_one(&mut conn)
        .await?;
        if !owns {
            let sentence = "a database is copied as the owner of the tables, which this user is not";
            return Err(StoreError::Unfit(sentence.to_owned()));
        }
        let found: Vec<(String, String)> = sqlx::query_as(
            "select relname::text, attname::text from pg_class join pg_attribute on attrelid = pg_class.oid
             where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p')
               and attnum > 0 and not attisdropped and relname <> all ($1)",
        )
        .bind(vec!["_sqlx_migrations", UNFINISHED_COPY])
        .fetch_all(&mut conn)
        .await?;
        let columns = |table: &Table| {
            table.columns.iter().map(|column| (table.name.to_owned(), column.name.to_owned())).collect::<Vec<_>>()
        };
        let mut known: Vec<_> = TABLES.iter().flat_map(columns).collect();
        known.extend(META.map(|column| ("meta".to_owned(), column.to_owned())));
        known.push(("meta".to_owned(), "last_notice".to_owned()));
        require_known("the database to copy into", known, found)?;

        // One that has just been interrupted may take a moment to end.
        let alone = "set lock_timeout = '10s'; select pg_advisory_lock(hashtext('bespoken copy'))";
        sqlx::raw_sql(alone).execute(&mut conn).await.map_err(|error| match error.as_database_error() {
            Some(_) => StoreError::Unfit("another copy into this database is under way".to_owned()),
            None => error.into(),
        })?;
        let mut target = Self { conn };
        let goes_on = target.mark(source).await?;
        Ok((target, goes_on))
    }

    async fn mark(&mut self, source: Epoch) -> Result<bool> {
        if schema::has_unfinished_copy(&mut self.conn).await? {
            let of: Uuid = sqlx::query_scalar(AssertSqlSafe(format!("select source_epoch from {UNFINISHED_COPY}")))
                .fetch_one(&mut self.conn)
                .await?;
            if Epoch(of) == source {
                return Ok(true);
            }
            let sentence = "the database to copy into holds an unfinished copy of another database";
            return Err(StoreError::Unfit(sentence.to_owned()));
        }
        self.begin(TABLES).await?;
        for table in TABLES {
            if !self.rows(table, None, 1).await?.is_empty() {
                return Err(StoreError::Unfit(format!(
                    "the database to copy into is in use: its table {} is not empty",
                    table.name
                )));
            }
        }
        // The epoch is the only thing in it and has no quotes in it.
        let mark = format!(
            "create table {UNFINISHED_COPY} (source_epoch uuid not null);
             insert into {UNFINISHED_COPY} values ('{}')",
            source.0
        );
        self.execute(mark).await?;
        self.commit(TABLES).await?;
        Ok(false)
    }

    /// Begins a transaction that sees and changes everything in these tables.
    async fn begin(&mut self, tables: &[Table]) -> Result<()> {
        let mut sql = BEGIN.to_owned();
        for table in tables {
            let _ = write!(sql, "; alter table {} no force row level security", table.name);
        }
        self.execute(sql).await
    }

    async fn commit(&mut self, tables: &[Table]) -> Result<()> {
        let mut sql = String::new();
        for table in tables {
            let _ = write!(sql, "alter table {} force row level security; ", table.name);
        }
        self.execute(sql + COMMIT).await
    }

    async fn execute(&mut self, sql: String) -> Result<()> {
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut self.conn).await?;
        Ok(())
    }

    /// The key of the last row that is there.
    pub(in crate::storage) async fn last_key(&mut self, table: &'static Table) -> Result<Option<Row>> {
        self.begin(std::slice::from_ref(table)).await?;
        let keys: Vec<_> = table.key().iter().map(|column| format!("{} desc", qualified(table, column))).collect();
        let sql = format!("{} order by {} limit 1", select(table, table.key()), keys.join(", "));
        let found = sqlx::query(AssertSqlSafe(sql)).fetch_optional(&mut self.conn).await?;
        self.execute("rollback".to_owned()).await?;
        found.map(|row| read(&row, table.key())).transpose()
    }

    /// Returns when the rows are on disk. If anything goes wrong, none of them is.
    pub(in crate::storage) async fn insert(&mut self, table: &'static Table, rows: &[Row]) -> Result<()> {
        self.begin(std::slice::from_ref(table)).await?;
        let mut query = sqlx::query(AssertSqlSafe(insert(table)));
        for (place, column) in table.columns.iter().enumerate() {
            let values = rows.iter().map(|row| &row[place]);
            query = match column.kind {
                Kind::Id => query.bind(values.map(id).collect::<Result<Vec<_>>>()?),
                Kind::Bytes => query.bind(values.map(bytes).collect::<Vec<_>>()),
                Kind::Integer | Kind::Flag => query.bind(values.map(integer).collect::<Vec<_>>()),
                Kind::Time => query.bind(values.map(moment).collect::<Vec<_>>()),
                Kind::Text | Kind::Json | Kind::Words => query.bind(values.map(text).collect::<Vec<_>>()),
            };
        }
        query.execute(&mut self.conn).await?;
        self.commit(std::slice::from_ref(table)).await
    }

    /// Gives the database the history of its source, and begins the transaction in which they are compared.
    /// Nobody else reads or writes until it ends.
    pub(in crate::storage) async fn begin_check(&mut self, meta: &[Value]) -> Result<()> {
        self.begin(TABLES).await?;
        let [epoch, setup_secret_hash, last_notice, business] = meta else {
            return Err(sqlx::Error::RowNotFound.into());
        };
        sqlx::query(
            "update meta
             set epoch = $1, setup_secret_hash = $2, last_notice = $3, business = $4, folded_before = null",
        )
        .bind(id(epoch)?)
        .bind(bytes(setup_secret_hash))
        .bind(integer(last_notice))
        .bind(text(business))
        .execute(&mut self.conn)
        .await?;
        Ok(())
    }

    /// As the source has it, see there.
    pub(in crate::storage) async fn meta(&mut self) -> Result<Row> {
        let (epoch, hash, last_notice, business): (Uuid, Option<Vec<u8>>, i64, Option<String>) =
            sqlx::query_as("select epoch, setup_secret_hash, last_notice, business from meta")
                .fetch_one(&mut self.conn)
                .await?;
        let epoch = epoch.as_bytes().to_vec();
        let business = business.map_or(Value::Null, Value::Text);
        Ok(vec![Value::Bytes(epoch), hash.map_or(Value::Null, Value::Bytes), Value::Integer(last_notice), business])
    }

    /// Makes the database one that can be opened, if it `is_whole`.
    pub(in crate::storage) async fn end_check(mut self, is_whole: bool) -> Result<()> {
        if is_whole {
            self.execute(format!("drop table {UNFINISHED_COPY}")).await?;
            self.commit(TABLES).await?;
        }
        Ok(self.conn.close().await?)
    }
}

impl Rows for Target {
    async fn rows(&mut self, table: &Table, after: Option<&[Value]>, limit: i64) -> Result<Vec<Row>> {
        let names: Vec<_> = table.key().iter().map(|column| qualified(table, column)).collect();
        let keys = names.join(", ");
        let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
        let beyond = match after {
            Some(_) => format!("where ({keys}) > ({})", places.join(", ")),
            None => String::new(),
        };
        let sql = format!("{} {beyond} order by {keys} limit {limit}", select(table, table.columns));
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for (column, value) in table.key().iter().zip(after.unwrap_or_default()) {
            query = match column.kind {
                Kind::Id => query.bind(id(value)?),
                Kind::Bytes => query.bind(bytes(value)),
                _ => query.bind(integer(value)),
            };
        }
        let rows = query.fetch_all(&mut self.conn).await?;
        rows.iter().map(|row| read(row, table.columns)).collect()
    }
}

fn qualified(table: &Table, column: &Column) -> String {
    format!("{}.{}", table.name, column.name)
}

/// Selects these columns in the form in which [`read`] takes them.
fn select(table: &Table, columns: &[Column]) -> String {
    let columns: Vec<_> = columns
        .iter()
        .map(|column| {
            let name = qualified(table, column);
            match column.kind {
                Kind::Id => format!("uuid_send({name})"),
                Kind::Bytes | Kind::Text => name,
                Kind::Integer => format!("{name}::bigint"),
                Kind::Flag => format!("{name}::integer::bigint"),
                Kind::Time => format!("(extract(epoch from {name}) * 1000000)::bigint"),
                Kind::Json => format!("{name}::text"),
                Kind::Words => format!("array_to_string(tsvector_to_array({name}), ' ')"),
            }
        })
        .collect();
    format!("select {} from {}", columns.join(", "), table.name)
}

/// Inserts rows that are bound as one array for each column.
fn insert(table: &Table) -> String {
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    let (mut arrays, mut values) = (Vec::new(), Vec::new());
    for (place, Column { name, kind }) in (1..).zip(table.columns) {
        let (array, value) = match kind {
            Kind::Id => ("uuid", format!("given.{name}")),
            Kind::Bytes => ("bytea", format!("given.{name}")),
            Kind::Text => ("text", format!("given.{name}")),
            Kind::Integer => ("bigint", format!("given.{name}")),
            Kind::Flag => ("bigint", format!("given.{name} <> 0")),
            Kind::Time => ("timestamptz", format!("given.{name}")),
            Kind::Json => ("text", format!("given.{name}::jsonb")),
            Kind::Words => ("text", format!("array_to_tsvector(string_to_array(given.{name}, ' '))")),
        };
        arrays.push(format!("${place}::{array}[]"));
        values.push(value);
    }
    format!(
        "insert into {table} ({names}) select {values} from unnest({arrays}) as given ({names})",
        table = table.name,
        names = names.join(", "),
        values = values.join(", "),
        arrays = arrays.join(", "),
    )
}

fn read(row: &PgRow, columns: &[Column]) -> Result<Row> {
    let read = |(place, column): (usize, &Column)| {
        let value = match column.kind {
            Kind::Id | Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(place)?.map(Value::Bytes),
            Kind::Text => row.try_get::<Option<String>, _>(place)?.map(Value::Text),
            Kind::Integer | Kind::Flag | Kind::Time => row.try_get::<Option<i64>, _>(place)?.map(Value::Integer),
            Kind::Json => row.try_get::<Option<String>, _>(place)?.map(|text| canonical_json(&text)).transpose()?,
            Kind::Words => row.try_get::<Option<String>, _>(place)?.map(|words| sorted_words(words.split(' '))),
        };
        Ok(value.unwrap_or(Value::Null))
    };
    columns.iter().enumerate().map(read).collect()
}

fn id(value: &Value) -> Result<Option<Uuid>> {
    let Value::Bytes(bytes) = value else { return Ok(None) };
    Ok(Some(Uuid::from_slice(bytes).map_err(|error| sqlx::Error::Decode(Box::new(error)))?))
}

fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bytes(bytes) => Some(bytes),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Integer(number) => Some(*number),
        _ => None,
    }
}

fn moment(value: &Value) -> Option<Timestamp> {
    integer(value).map(|microseconds| Timestamp(microseconds.div_euclid(1_000)))
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::Text(text) => Some(text),
        _ => None,
    }
}
