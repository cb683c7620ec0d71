//! [`Store`] in one SQLite file.
//!
//! One task writes (see `writer`), so that many callers share one flush to the disk; a few connections read, each in
//! its own snapshot. `open` refuses a database that could lose acknowledged data. `access` decides about permissions.
//! `storage/shared` contains the SQL that PostgreSQL shares, one file per noun. This module contains only SQLite's
//! differences.

mod access;
mod backup;
mod conversation_lists;
mod dialect;
mod discarded_files;
mod erasure;
mod journal;
mod messages;
mod readers;
mod refold;
mod search;
mod source;
mod statements;
mod tx;
mod writer;

#[path = "../shared/mod.rs"]
mod shared;

#[cfg(test)]
mod plans;

use std::{
    path::PathBuf,
    str::FromStr,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, SqlStr, SqliteConnection,
    migrate::{Migration, MigrationType, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous},
};
use tokio::sync::mpsc;
use uuid::Uuid;

pub(super) use self::source::Source;
pub use backup::{Replacement, copy};

use shared::{
    actors, answers, attachments, business, conversations, digests, former, idle, invites, links, notices,
    participants, pushes, request_files, requests, rows, sessions, timeline, tokens, users,
};

use self::{
    access::seat,
    actors::conversation_of,
    backup::{InUse, Served},
    dialect::Conn,
    readers::{Reader, Readers},
    tx::Tx,
    writer::{Listener, Writer},
};
use super::{
    ApiToken, Audience, Commit, Confirmation, ConversationFilter, Cursor, Database, Digest, Draft, Erased, Expired,
    Expiry, FileBytes, Idle, Invite, Link, LoginSession, NewConversation, NewLink, NewSession, NewUser, Notice, Page,
    Posted, PushRecipient, PushSubscription, Quiet, Quota, RequestCounts, RequestCursor, RequestFilter, Result, Seat,
    SecretHash, SessionEntry, Snapshot, StatusCounts, Store, StoreError, StoreMetrics, acting::Acting, now, private,
    seated::Seated,
};
use crate::domain::{
    Actor, Attachment, AttachmentId, Business, Content, ConversationId, ConversationStatus, CustomRequest, Email,
    Epoch, InviteId, LinkId, Message, MessageId, Name, ParticipantId, PushId, Rating, Receipt, RequestId,
    RequestStatus, RequestText, Role, SessionId, StatusChange, Timestamp, TokenId, User, UserId,
};

/// Every migration: its number, its name, its text. Listed here, and not found by sqlx's macro: that
/// would compile SQLite and half of sqlx a second time, for the compiler's own use.
const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "accounts and conversations", include_str!("../../../migrations/sqlite/0001_accounts_and_conversations.sql")),
    (2, "requests files and search", include_str!("../../../migrations/sqlite/0002_requests_files_and_search.sql")),
    (3, "operations", include_str!("../../../migrations/sqlite/0003_operations.sql")),
    (4, "search of customers", include_str!("../../../migrations/sqlite/0004_search_of_customers.sql")),
    (5, "confirmed addresses", include_str!("../../../migrations/sqlite/0005_confirmed_addresses.sql")),
    (6, "form keys", include_str!("../../../migrations/sqlite/0006_form_keys.sql")),
    (7, "search without accents", include_str!("../../../migrations/sqlite/0007_search_without_accents.sql")),
    (8, "files", include_str!("../../../migrations/sqlite/0008_files.sql")),
    (9, "replies", include_str!("../../../migrations/sqlite/0009_replies.sql")),
    (10, "ratings", include_str!("../../../migrations/sqlite/0010_ratings.sql")),
    (11, "push", include_str!("../../../migrations/sqlite/0011_push.sql")),
    (12, "business", include_str!("../../../migrations/sqlite/0012_business.sql")),
    (13, "request_files", include_str!("../../../migrations/sqlite/0013_request_files.sql")),
    (14, "sealed", include_str!("../../../migrations/sqlite/0014_sealed.sql")),
];

/// Pages in the write-ahead log before they are brought into the database: 32 MB. Messages that are stored soon
/// after each other change the same pages, which are then brought there once.
const CHECKPOINT_PAGES: &str = "8000";
/// Cache of the writing connection, as SQLite's negative number of KiB. It holds all pages that a full batch changes.
/// Otherwise SQLite would write pages before the end of the batch, and read them again.
const WRITER_CACHE: &str = "-32768";

/// The writing connection stores data for rollbacks, such as a batch's savepoint, in memory.
const WRITER_TEMPORARY: &str = "memory";

/// Rows that a connection may read ahead. More than most lists have, so that its thread need not
/// stop in the middle of one.
const ROWS_AHEAD: usize = 256;
/// How long to wait for another process that writes to the same file.
const BUSY: Duration = Duration::from_secs(5);

/// What `shared` calls this database.
use SqliteStore as Here;

/// The database in one SQLite file. Dropping it without [`Database::close`] loses nothing that was
/// acknowledged.
pub struct SqliteStore {
    epoch: Epoch,
    readers: Readers,
    writer: Writer,
    listener: Listener,
    metrics: StoreMetrics,
    /// Until it is closed, nobody replaces the file. `None` where there is no file.
    in_use: Mutex<Option<InUse>>,
    /// `None` where there is no file.
    file: Option<PathBuf>,
    served: Mutex<Option<Served>>,
}

impl SqliteStore {
    /// Opens the file that `url` names, such as `sqlite://data/bespoken.db`; creates it and its
    /// folder if need be, and brings its schema up to date. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence for the operator, if the database could lose acknowledged data.
    /// [`StoreError::Migration`] if another version created it.
    pub async fn open(url: &str) -> Result<Self> {
        let options = options(url)?;
        let is_file = !url.contains(":memory:");
        if is_file {
            make_file(&options)?;
        }
        let file = is_file.then(|| options.get_filename().to_owned());
        let in_use = file.as_deref().map(InUse::begin).transpose()?;
        let mut conn = first_connection(&options).await?;
        let epoch = migrate(&mut conn).await?;

        let listener = Listener::default();
        let metrics = StoreMetrics::default();
        let readers = Readers::open(options.clone(), metrics.clone()).await?;
        let writer = Writer::start(conn, options, Arc::clone(&listener), metrics.clone());
        let (in_use, served) = (Mutex::new(in_use), Mutex::default());
        Ok(Self { epoch, readers, writer, listener, metrics, in_use, file, served })
    }

    /// For one statement; see [`Reader::snapshot`] for several.
    async fn read(&self, _: Acting<'_>) -> Result<Reader> {
        self.readers.acquire().await
    }

    /// For what changes no conversation.
    async fn change<T, F>(&self, _: Acting<'_>, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.write(move |tx| job(&mut tx.conn)).await
    }

    /// Writes to a conversation, in its turn.
    async fn write<T, F>(&self, _: ConversationId, _: Acting<'_>, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.write(job).await
    }

    /// The same for a new conversation of a request: nobody else can open another meanwhile.
    async fn write_holding<T, F>(&self, _: RequestId, new: ConversationId, acting: Acting<'_>, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.write(new, acting, job).await
    }

    async fn post(&self, actor: &Actor, draft: Draft) -> Result<Posted> {
        self.writer.post(actor.clone(), draft).await
    }

    /// Notes it some time, if there is not too much else to write.
    async fn note_seen(&self, session: SessionId, at: Timestamp) -> Result<()> {
        self.writer.write_later(move |tx| Box::pin(sessions::note_seen(&mut tx.conn, session, at)));
        Ok(())
    }

    async fn erase(&self, email: &Email, batch: i64) -> Result<Option<Erased>> {
        let email = email.clone();
        self.writer.write(move |tx| Box::pin(async move { erasure::erase_customer(tx, &email, batch).await })).await
    }

    async fn take_out(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
        self.writer.write(move |tx| Box::pin(erasure::expire(tx, what, before, how, batch))).await
    }

    async fn forget_words(&self, is_first: bool) -> Result<bool> {
        self.writer.write(move |tx| Box::pin(erasure::forget_words(tx, is_first))).await
    }
}

fn options(url: &str) -> Result<SqliteConnectOptions> {
    // Without the scheme sqlx takes anything for the name of a file.
    if !url.starts_with("sqlite:") {
        return Err(StoreError::Unfit("the address of an SQLite database begins with sqlite:".to_owned()));
    }
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|error| StoreError::Unfit(format!("{url} does not name an SQLite database: {error}")))?
        .create_if_missing(true)
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .row_buffer_size(ROWS_AHEAD)
        .busy_timeout(BUSY)
        .pragma("wal_autocheckpoint", CHECKPOINT_PAGES);
    Ok(options)
}

fn writing(options: &SqliteConnectOptions) -> SqliteConnectOptions {
    options.clone().pragma("cache_size", WRITER_CACHE).pragma("temp_store", WRITER_TEMPORARY)
}

fn cannot_open(options: &SqliteConnectOptions, error: &sqlx::Error) -> StoreError {
    match error {
        // `require_fit` has said all.
        sqlx::Error::Configuration(sentence) => StoreError::Unfit(sentence.to_string()),
        _ => StoreError::Unfit(format!("cannot open the database {}: {error}", options.get_filename().display())),
    }
}

/// Makes the file, if it is not there, so that only its owner can read it; SQLite gives the files beside it the same
/// rights.
fn make_file(options: &SqliteConnectOptions) -> Result<()> {
    let path = options.get_filename();
    if let Some(folder) = path.parent() {
        private::folder(folder).map_err(|error| {
            StoreError::Unfit(format!("cannot make the folder {} for the database: {error}", folder.display()))
        })?;
    }
    if !path.exists() {
        // If this fails, SQLite says what is wrong.
        private::file(path).ok();
    }
    Ok(())
}

/// Opens the file as none has opened it before: turns on the write-ahead log, which stays on from then.
async fn first_connection(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let with_log = writing(options).journal_mode(SqliteJournalMode::Wal);
    let mut attempts = 0;
    let mut conn = loop {
        match with_log.connect().await {
            // SQLite does not wait by itself when two turn the log on at the same moment.
            Err(error) if is_busy(&error) && attempts < 100 => {
                attempts += 1;
                tokio::time::sleep(BUSY / 100).await;
            }
            other => break other.map_err(|error| cannot_open(options, &error))?,
        }
    };
    require_fit(&mut conn).await?;
    Ok(conn)
}

fn is_busy(error: &sqlx::Error) -> bool {
    // The low byte of an extended result code is the primary one; 5 is SQLITE_BUSY.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Another connection to a database that [`SqliteStore::open`] has prepared.
async fn connect(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let mut conn = writing(options).connect().await?;
    require_fit(&mut conn).await?;
    Ok(conn)
}

/// Checks that SQLite acknowledges only commits that are on disk. SQLite silently accepts unknown settings, and some
/// file systems and builds do not support the required ones.
async fn require_fit(conn: &mut SqliteConnection) -> Result<()> {
    let journal_mode: String = sqlx::query_scalar("pragma journal_mode").fetch_one(&mut *conn).await?;
    if journal_mode != "wal" {
        return Err(StoreError::Unfit(format!(
            "the database must be a file on a local disk: SQLite cannot keep a write-ahead log for it (journal_mode is {journal_mode})"
        )));
    }
    let synchronous: i64 = sqlx::query_scalar("pragma synchronous").fetch_one(&mut *conn).await?;
    if synchronous != 2 {
        return Err(StoreError::Unfit(format!(
            "SQLite does not write through to the disk (synchronous is {synchronous}, not 2)"
        )));
    }
    let foreign_keys: i64 = sqlx::query_scalar("pragma foreign_keys").fetch_one(&mut *conn).await?;
    if foreign_keys != 1 {
        return Err(StoreError::Unfit("this build of SQLite does not enforce foreign keys".to_owned()));
    }
    Ok(())
}

/// Brings the schema up to date, all or nothing, while other processes wait; returns the epoch. A schema
/// that is newer than this program is taken as it is, unless it says that it needs a newer program.
async fn migrate(conn: &mut SqliteConnection) -> Result<Epoch> {
    let mut tx = conn.begin_with("begin immediate").await?;
    let all = MIGRATIONS.iter().map(|&(version, name, sql)| {
        Migration::new(version, name.into(), MigrationType::Simple, SqlStr::from_static(sql), false)
    });
    Migrator::with_migrations(all.collect()).set_ignore_missing(true).run_direct(None, &mut *tx, false).await?;
    sqlx::query("insert into meta (only_row, epoch) values (1, ?1) on conflict do nothing")
        .bind(Epoch::new().0)
        .execute(&mut *tx)
        .await?;
    // Each batch of messages merges a small part of the index of words. By itself FTS5 merges hundreds of pages at a
    // time, and all senders would wait.
    sqlx::query(
        "insert into message_search (message_search, rank) select 'automerge', 0
         where not exists (select 1 from message_search_config where k = 'automerge' and v = 0)",
    )
    .execute(&mut *tx)
    .await?;
    let (epoch, needs_level): (Uuid, i64) =
        sqlx::query_as("select epoch, needs_level from meta").fetch_one(&mut *tx).await?;
    if MIGRATIONS.iter().all(|(level, ..)| *level < needs_level) {
        return Err(StoreError::Unfit("the database needs a newer version of this program".to_owned()));
    }
    refold::all(&mut tx).await?;
    tx.commit().await?;
    Ok(Epoch(epoch))
}

#[async_trait]
impl Database for SqliteStore {
    fn commits(&self) -> Option<mpsc::UnboundedReceiver<Vec<Commit>>> {
        let (listener, commits) = mpsc::unbounded_channel();
        self.listener.set(listener).ok().map(|()| commits)
    }

    fn metrics(&self) -> &StoreMetrics {
        &self.metrics
    }

    fn waiting_writes(&self) -> usize {
        self.writer.waiting()
    }

    async fn ping(&self) -> Result<()> {
        if !self.writer.is_running() {
            return Err(sqlx::Error::PoolClosed.into());
        }
        sqlx::query("select 1 from meta").execute(&mut *self.read(Acting::System).await?).await?;
        Ok(())
    }

    async fn epoch(&self) -> Result<Epoch> {
        Ok(self.epoch)
    }

    async fn close(&self) {
        let conn = self.writer.finish().await;
        self.readers.close().await;
        if let Some(conn) = conn {
            writer::checkpoint_and_close(conn).await;
        }
        self.served.lock().unwrap_or_else(PoisonError::into_inner).take();
        self.in_use.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    async fn serve_alone(&self) -> Result<()> {
        if let Some(file) = &self.file {
            let served = Served::begin(file).await?;
            *self.served.lock().unwrap_or_else(PoisonError::into_inner) = Some(served);
        }
        Ok(())
    }
}

macro_rules! methods {
    ($($methods:tt)*) => { implement_store! { SqliteStore: $($methods)* } };
}
#[path = "../shared/store.rs"]
mod store;

#[cfg(test)]
mod tests {
    use super::MIGRATIONS;

    #[test]
    fn every_migration_is_listed() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("migrations/sqlite");
        let files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap())
            .collect();
        assert_eq!(files.len(), MIGRATIONS.len());
        for (_, name, sql) in MIGRATIONS {
            assert!(files.iter().any(|file| file == sql), "{name}");
        }
        assert!(MIGRATIONS.is_sorted_by_key(|(version, ..)| version));
    }
}
