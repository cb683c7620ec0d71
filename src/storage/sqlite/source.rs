//! A database as it is at one moment, to be copied elsewhere: see `storage::copy`.

use sqlx::{AssertSqlSafe, Connection, Row as _, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{backup::InUse, cannot_open, connect, options};
use crate::{
    domain::Epoch,
    storage::{
        Result, StoreError,
        copy::{Column, Kind, META, Row, Rows, TABLES, Table, Value, canonical_json, require_known, time, words},
    },
};

/// Reads from one snapshot until it is dropped, regardless of concurrent writes. Nobody restores a backup into the
/// database as long.
pub(in crate::storage) struct Source {
    conn: SqliteConnection,
    epoch: Epoch,
    _in_use: InUse,
}

impl Source {
    /// # Errors
    /// [`StoreError::Unfit`] if there is no such database, or it is of another version.
    pub(in crate::storage) async fn open(url: &str) -> Result<Self> {
        let options = options(url)?.create_if_missing(false).pragma("query_only", "on");
        let file = options.get_filename();
        if !file.exists() {
            return Err(StoreError::Unfit(format!("there is no database {}", file.display())));
        }
        let in_use = InUse::begin(file)?;
        let mut conn = connect(&options).await.map_err(|error| match error {
            StoreError::Database(error) => cannot_open(&options, &error),
            other => other,
        })?;
        // The first question takes the snapshot.
        sqlx::query("begin").execute(&mut conn).await?;
        let found: Vec<(String, String)> = sqlx::query_as(
            "select tables.name, columns.name
             from sqlite_schema as tables join pragma_table_info(tables.name) as columns
             where tables.type = 'table' and tables.name <> '_sqlx_migrations'
               and tables.name not like 'sqlite_%' and tables.name not like 'message_search%'
               and tables.name not like 'customer_search%'",
        )
        .fetch_all(&mut conn)
        .await?;
        let columns = |table: &Table| {
            let names = table.columns.iter().filter(|column| column.kind != Kind::Words).map(own_name);
            names.map(|name| (table.name.to_owned(), name)).collect::<Vec<_>>()
        };
        let mut known: Vec<_> = TABLES.iter().flat_map(columns).collect();
        known.extend(META.map(|column| ("meta".to_owned(), column.to_owned())));
        // Of the indexes of words and names, which are not copied.
        known.push(("messages".to_owned(), "search_id".to_owned()));
        known.push(("conversations".to_owned(), "number".to_owned()));
        require_known("the database to copy", known, found)?;
        let epoch: Uuid = sqlx::query_scalar("select epoch from meta").fetch_one(&mut conn).await?;
        Ok(Self { conn, epoch: Epoch(epoch), _in_use: in_use })
    }

    pub(in crate::storage) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The epoch, the hash of the secret for the first admin, the number of the latest notice, and the business.
    pub(in crate::storage) async fn meta(&mut self) -> Result<Row> {
        let (hash, last_notice, business): (Option<Vec<u8>>, i64, Option<String>) = sqlx::query_as(
            "select setup_secret_hash, coalesce((select seq from sqlite_sequence where name = 'notices'), 0), business
             from meta",
        )
        .fetch_one(&mut self.conn)
        .await?;
        let epoch = self.epoch.0.as_bytes().to_vec();
        let business = business.map_or(Value::Null, Value::Text);
        Ok(vec![Value::Bytes(epoch), hash.map_or(Value::Null, Value::Bytes), Value::Integer(last_notice), business])
    }

    pub(in crate::storage) async fn close(self) -> Result<()> {
        Ok(self.conn.close().await?)
    }
}

impl Rows for Source {
    async fn rows(&mut self, table: &Table, after: Option<&[Value]>, limit: i64) -> Result<Vec<Row>> {
        let columns = table.columns.iter().filter(|column| column.kind != Kind::Words).map(own_name);
        let mut columns: Vec<_> = columns.collect();
        if table.columns.iter().any(|column| column.kind == Kind::Words) {
            columns.push("search_id".to_owned());
        }
        let columns = columns.join(", ");
        let keys = table.key().iter().map(own_name).collect::<Vec<_>>().join(", ");
        let places = vec!["?"; table.key().len()].join(", ");
        let beyond = if after.is_some() { format!("where ({keys}) > ({places})") } else { String::new() };
        let sql = format!("select {columns} from {} {beyond} order by {keys} limit {limit}", table.name);
        let mut query = sqlx::query(AssertSqlSafe(sql));
        for value in after.unwrap_or_default() {
            query = match value {
                Value::Null => query.bind(None::<i64>),
                Value::Integer(number) => query.bind(*number),
                Value::Text(text) => query.bind(text.clone()),
                Value::Bytes(bytes) => query.bind(bytes.clone()),
            };
        }
        let rows = query.fetch_all(&mut self.conn).await?;
        rows.iter().map(|row| table.columns.iter().map(|column| read(row, column)).collect()).collect()
    }
}

/// This database's name of a column.
fn own_name(column: &Column) -> String {
    match column.kind {
        Kind::Time => format!("{}_ms", column.name),
        _ => column.name.to_owned(),
    }
}

fn read(row: &SqliteRow, column: &Column) -> Result<Value> {
    let name = own_name(column);
    let name = name.as_str();
    let value = match column.kind {
        Kind::Id | Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(name)?.map(Value::Bytes),
        Kind::Text => row.try_get::<Option<String>, _>(name)?.map(Value::Text),
        Kind::Integer | Kind::Flag => row.try_get::<Option<i64>, _>(name)?.map(Value::Integer),
        Kind::Time => row.try_get::<Option<i64>, _>(name)?.map(time),
        Kind::Json => row.try_get::<Option<String>, _>(name)?.map(|text| canonical_json(&text)).transpose()?,
        Kind::Words => {
            let content: &str = row.try_get("content")?;
            let (is_system, search_id): (bool, Option<i64>) = (row.try_get("is_system")?, row.try_get("search_id")?);
            // Search has no number for messages of sealed conversations.
            Some(words(content, !is_system && search_id.is_some()))
        }
    };
    Ok(value.unwrap_or(Value::Null))
}
