//! [`Store`] in one SQLite file.
//!
//! One task writes (see `writer`), so that many callers share one flush to the disk; a few
//! connections read, each in its own snapshot. `open` refuses a database that would not keep what
//! was acknowledged. Each noun has a file with its SQL; who may see what is decided in `access`.

mod access;
mod attachments;
mod backup;
mod conversations;
mod erasure;
mod links;
mod messages;
mod notices;
mod participants;
mod readers;
mod refold;
mod requests;
mod rows;
mod search;
mod sessions;
mod source;
mod users;
mod writer;

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

use self::{
    access::{seat, seat_by_message},
    backup::{InUse, Served},
    readers::{Reader, Readers},
    writer::{Listener, Tx, Writer},
};
use super::{
    ApiToken, Audience, Commit, Confirmation, ConversationFilter, Cursor, Draft, Erased, Expired, Expiry, FileBytes,
    Invite, Link, LoginSession, NewConversation, NewLink, NewSession, NewUser, Notice, Page, Posted, Quota,
    RequestCounts, RequestCursor, RequestFilter, Result, Room, Seat, SecretHash, SessionEntry, StatusCounts, Store,
    StoreError, StoreMetrics, now, private, seated::Seated,
};
use crate::domain::{
    Actor, Attachment, AttachmentId, Content, ConversationId, ConversationStatus, CustomRequest, Email, Epoch,
    InviteId, LinkId, Message, MessageId, Name, ParticipantId, Receipt, RequestId, RequestStatus, RequestText, Role,
    SessionId, StatusChange, Timestamp, TokenId, User, UserId,
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
];

/// Pages in the write-ahead log before they are brought into the database: 32 MB. Messages that are stored soon
/// after each other change the same pages, which are then brought there once.
const CHECKPOINT_PAGES: &str = "8000";
/// Of the writing connection, in KiB as SQLite has it, with a minus: all that a full batch changes, or SQLite would
/// write pages out before the batch is done, and read them again.
const WRITER_CACHE: &str = "-32768";

/// What the writing connection takes back if it must, such as a batch's savepoint, it keeps in memory until then.
const WRITER_TEMPORARY: &str = "memory";

/// Rows that a connection may read ahead. More than most lists have, so that its thread need not
/// stop in the middle of one.
const ROWS_AHEAD: usize = 256;
/// How long to wait for another process that writes to the same file.
const BUSY: Duration = Duration::from_secs(5);

/// The database in one SQLite file. Dropping it without [`Store::close`] loses nothing that was
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
    /// [`StoreError::Unfit`] with a sentence for the operator, if this cannot be a database that
    /// keeps what it acknowledged; [`StoreError::Migration`] if it was made by another version.
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

    async fn reader(&self) -> Result<Reader> {
        self.readers.acquire().await
    }

    async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        self.writer.write(job).await
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

/// Asks SQLite itself whether what it acknowledges will be on disk: it takes unknown settings
/// without a word, and some file systems and builds cannot do what was asked.
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
    // The parts of the index of words are merged a little with each batch of messages: by itself FTS5 merges hundreds of
    // pages at a time, for which everybody who sends would wait.
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
impl Store for SqliteStore {
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
        sqlx::query("select 1 from meta").execute(&mut *self.reader().await?).await?;
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

    async fn last_notice(&self) -> Result<i64> {
        notices::last(&mut *self.reader().await?).await
    }

    async fn list_notices(&self, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
        notices::list(&mut *self.reader().await?, after, limit).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User> {
        self.write(move |tx| Box::pin(users::create(tx, new))).await
    }

    async fn create_first_admin(&self, new: NewUser) -> Result<Option<User>> {
        self.write(move |tx| Box::pin(users::create_first_admin(tx, new))).await
    }

    async fn has_admin(&self) -> Result<bool> {
        users::has_admin(&mut *self.reader().await?).await
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<(User, String)>> {
        users::find_by_email(&mut *self.reader().await?, email).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<(User, String)>> {
        users::find(&mut *self.reader().await?, id).await
    }

    async fn list_users(&self, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
        users::list(&mut *self.reader().await?, search, limit).await
    }

    async fn set_role(&self, by: UserId, id: UserId, role: Role) -> Result<User> {
        self.write(move |tx| Box::pin(users::set_role(tx, by, id, role))).await
    }

    async fn rename_user(&self, id: UserId, name: Name) -> Result<User> {
        self.write(move |tx| Box::pin(users::rename(tx, id, name))).await
    }

    async fn create_confirmation(
        &self,
        hash: SecretHash,
        user: UserId,
        email: Email,
        expires_at: Timestamp,
    ) -> Result<()> {
        self.write(move |tx| Box::pin(users::create_confirmation(tx, hash, user, email, expires_at))).await
    }

    async fn find_confirmation(&self, hash: SecretHash) -> Result<Option<Confirmation>> {
        users::find_confirmation(&mut *self.reader().await?, hash, now()).await
    }

    async fn confirm_email(&self, hash: SecretHash, user: UserId) -> Result<Option<(User, User)>> {
        self.write(move |tx| Box::pin(users::confirm_email(tx, hash, user, now()))).await
    }

    async fn claim_account(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        self.write(move |tx| Box::pin(users::claim(tx, hash, phc, now()))).await
    }

    async fn set_password(&self, id: UserId, phc: String, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
        self.write(move |tx| Box::pin(users::set_password(tx, id, phc, keep))).await
    }

    async fn create_password_reset(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        self.write(move |tx| Box::pin(users::create_password_reset(tx, hash, user, expires_at))).await
    }

    async fn find_password_reset(&self, hash: SecretHash) -> Result<Option<User>> {
        users::find_password_reset(&mut *self.reader().await?, hash, now()).await
    }

    async fn reset_password(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        self.write(move |tx| Box::pin(users::reset_password(tx, hash, phc, now()))).await
    }

    async fn create_invite(&self, id: InviteId, hash: SecretHash, by: UserId, expires_at: Timestamp) -> Result<()> {
        self.write(move |tx| Box::pin(users::create_invite(tx, id, hash, by, expires_at))).await
    }

    async fn find_invite(&self, hash: SecretHash) -> Result<Option<Invite>> {
        users::find_invite(&mut *self.reader().await?, hash, now()).await
    }

    async fn list_invites(&self) -> Result<Vec<Invite>> {
        users::list_invites(&mut *self.reader().await?, now()).await
    }

    async fn delete_invite(&self, id: InviteId) -> Result<bool> {
        self.write(move |tx| Box::pin(users::delete_invite(tx, id))).await
    }

    async fn accept_invite(&self, hash: SecretHash, new: NewUser) -> Result<Option<User>> {
        self.write(move |tx| Box::pin(users::accept_invite(tx, hash, new, now()))).await
    }

    async fn create_session(&self, new: NewSession) -> Result<SessionId> {
        self.write(move |tx| Box::pin(sessions::create(tx, new))).await
    }

    async fn find_session(&self, hash: SecretHash, seen_after: Timestamp) -> Result<Option<LoginSession>> {
        let now = now();
        let found = sessions::find(&mut *self.reader().await?, hash, seen_after, now).await?;
        Ok(found.map(|(session, is_due)| {
            if is_due {
                let id = session.id;
                self.writer.write_later(move |tx| Box::pin(sessions::note_seen(tx, id, now)));
            }
            session
        }))
    }

    async fn list_sessions(&self, user: UserId, seen_after: Timestamp) -> Result<Vec<SessionEntry>> {
        sessions::list(&mut *self.reader().await?, user, seen_after, now()).await
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool> {
        self.write(move |tx| Box::pin(sessions::end_of(tx, user, id))).await
    }

    async fn adopt_links(&self, user: UserId, links: &[LinkId]) -> Result<Vec<ConversationId>> {
        let links = links.to_vec();
        self.write(move |tx| Box::pin(async move { conversations::adopt(tx, user, &links, now()).await })).await
    }

    async fn end_session(&self, id: SessionId) -> Result<()> {
        self.write(move |tx| Box::pin(sessions::end(tx, id))).await
    }

    async fn grant_link(&self, session: SessionId, link: LinkId) -> Result<()> {
        self.write(move |tx| Box::pin(sessions::grant_link(tx, session, link))).await
    }

    async fn merge_session(&self, from: SessionId, into: SessionId) -> Result<()> {
        self.write(move |tx| Box::pin(sessions::merge(tx, from, into))).await
    }

    async fn create_sign_in_link(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        self.write(move |tx| Box::pin(sessions::create_sign_in_link(tx, hash, user, expires_at))).await
    }

    async fn find_sign_in_link(&self, hash: SecretHash) -> Result<Option<User>> {
        sessions::find_sign_in_link(&mut *self.reader().await?, hash, now()).await
    }

    async fn put_setup_secret(&self, hash: SecretHash) -> Result<()> {
        self.write(move |tx| Box::pin(users::put_setup_secret(tx, hash))).await
    }

    async fn is_setup_secret(&self, hash: SecretHash) -> Result<bool> {
        users::is_setup_secret(&mut *self.reader().await?, hash).await
    }

    async fn create_token(&self, id: TokenId, hash: SecretHash, user: UserId, name: Option<Name>) -> Result<()> {
        self.write(move |tx| Box::pin(users::create_token(tx, id, hash, user, name))).await
    }

    async fn list_tokens(&self) -> Result<Vec<ApiToken>> {
        users::list_tokens(&mut *self.reader().await?).await
    }

    async fn find_token(&self, hash: SecretHash) -> Result<Option<ApiToken>> {
        users::find_token(&mut *self.reader().await?, hash).await
    }

    async fn revoke_token(&self, id: TokenId) -> Result<bool> {
        self.write(move |tx| Box::pin(users::revoke_token(tx, id))).await
    }

    async fn find_link(&self, hash: SecretHash) -> Result<Option<Link>> {
        links::find(&mut *self.reader().await?, hash, now()).await
    }

    async fn replace_link(&self, actor: &Actor, id: ConversationId, new: NewLink) -> Result<Vec<LinkId>> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                links::replace(tx, &seated, new, now).await
            })
        })
        .await
    }

    async fn revoke_links(&self, actor: &Actor, id: ConversationId) -> Result<Vec<LinkId>> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                links::revoke(tx, &seated, now).await
            })
        })
        .await
    }

    async fn open_conversation(&self, actor: &Actor, new: NewConversation) -> Result<Seat> {
        let actor = actor.clone();
        self.write(move |tx| Box::pin(async move { conversations::open(tx, &actor, new).await })).await
    }

    async fn find_conversation(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        conversations::find(&mut *self.reader().await?, actor, id).await
    }

    async fn find_conversations(&self, actor: &Actor, ids: &[ConversationId]) -> Result<Vec<Seat>> {
        conversations::load_some(&mut *self.reader().await?, actor, ids).await
    }

    async fn list_conversations(
        &self,
        actor: &Actor,
        filter: &ConversationFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Seat>> {
        conversations::list(&mut *self.reader().await?, actor, filter, cursor, limit).await
    }

    async fn count_conversations(&self, actor: &Actor) -> Result<StatusCounts> {
        conversations::count(&mut *self.reader().await?, actor).await
    }

    async fn heads(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>> {
        conversations::heads(&mut *self.reader().await?, ids).await
    }

    async fn list_active(&self, since: Timestamp, limit: i64) -> Result<Vec<(ConversationId, i64)>> {
        conversations::list_active(&mut *self.reader().await?, since, limit).await
    }

    async fn set_status(&self, actor: &Actor, id: ConversationId, status: ConversationStatus) -> Result<Seat> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                conversations::set_status(tx, &actor, &seated, status, now).await
            })
        })
        .await
    }

    async fn assign(&self, actor: &Actor, id: ConversationId, assignee: Option<UserId>) -> Result<Seat> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                conversations::assign(tx, &actor, &seated, assignee, now).await
            })
        })
        .await
    }

    async fn audiences(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, Audience)>> {
        conversations::audiences(&mut *self.reader().await?, ids, now()).await
    }

    async fn count_unread(
        &self,
        actor: &Actor,
        ids: &[ConversationId],
        admins: &[UserId],
    ) -> Result<Vec<(ConversationId, UserId, i64)>> {
        conversations::count_unread(&mut *self.reader().await?, actor, ids, admins).await
    }

    async fn count_all_unread(&self, admin: &Actor) -> Result<i64> {
        conversations::count_all_unread(&mut *self.reader().await?, admin).await
    }

    async fn create_request(
        &self,
        actor: &Actor,
        id: RequestId,
        customer: Option<UserId>,
        text: RequestText,
    ) -> Result<CustomRequest> {
        let actor = actor.clone();
        self.write(move |tx| Box::pin(async move { requests::create(tx, &actor, id, customer, text).await })).await
    }

    async fn find_request(&self, actor: &Actor, id: RequestId) -> Result<CustomRequest> {
        requests::find(&mut *self.reader().await?, actor, id).await
    }

    async fn list_requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
        cursor: Option<RequestCursor>,
        limit: i64,
    ) -> Result<Vec<(CustomRequest, RequestCursor)>> {
        requests::list(&mut *self.reader().await?, actor, filter, cursor, limit).await
    }

    async fn count_requests(&self, actor: &Actor) -> Result<RequestCounts> {
        requests::count(&mut *self.reader().await?, actor).await
    }

    async fn list_request_changes(&self, actor: &Actor, id: RequestId) -> Result<Vec<StatusChange>> {
        requests::changes(&mut *self.reader().await?, actor, id).await
    }

    async fn set_request_status(&self, actor: &Actor, id: RequestId, status: RequestStatus) -> Result<CustomRequest> {
        let actor = actor.clone();
        self.write(move |tx| Box::pin(async move { requests::set_status(tx, &actor, id, status, now()).await })).await
    }

    async fn open_request_conversation(&self, actor: &Actor, id: RequestId) -> Result<(Seat, bool)> {
        let actor = actor.clone();
        self.write(move |tx| Box::pin(async move { requests::open_conversation(tx, &actor, id, now()).await })).await
    }

    async fn add_attachment(&self, actor: &Actor, id: ConversationId, file: Attachment, quota: Quota) -> Result<()> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                attachments::add(tx, &seated, file, quota, now).await
            })
        })
        .await
    }

    async fn file_bytes(&self, actor: &Actor, id: ConversationId, since: Timestamp) -> Result<FileBytes> {
        let mut conn = self.reader().await?;
        let seated = seat(&mut conn, actor, id, now()).await?;
        attachments::bytes(&mut conn, &seated, since).await
    }

    async fn all_file_bytes(&self) -> Result<u64> {
        attachments::all_bytes(&mut *self.reader().await?).await
    }

    async fn find_attachment(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment> {
        attachments::find(&mut *self.reader().await?, actor, id, now()).await
    }

    async fn discard_unsent_attachments(&self, before: Timestamp) -> Result<()> {
        self.write(move |tx| Box::pin(attachments::discard_unsent(tx, before))).await
    }

    async fn list_discarded_attachments(&self, limit: i64) -> Result<Vec<AttachmentId>> {
        attachments::list_discarded(&mut *self.reader().await?, limit).await
    }

    async fn forget_discarded_attachments(&self, ids: &[AttachmentId]) -> Result<()> {
        let ids = ids.to_vec();
        self.write(move |tx| Box::pin(async move { attachments::forget_discarded(tx, &ids).await })).await
    }

    async fn search_messages(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<MessageId>,
        limit: i64,
    ) -> Result<Vec<Message>> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        search::messages(&mut snapshot, actor, query, after, limit).await
    }

    async fn post_message(&self, actor: &Actor, draft: Draft) -> Result<Posted> {
        self.writer.post(actor.clone(), draft).await
    }

    async fn edit_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
        content: Content,
    ) -> Result<Message> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_by_message(&mut tx.conn, &actor, room, id, now).await?;
                messages::edit(tx, &seated, id, content, now).await
            })
        })
        .await
    }

    async fn delete_message(&self, actor: &Actor, room: Option<ConversationId>, id: MessageId) -> Result<Message> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_by_message(&mut tx.conn, &actor, room, id, now).await?;
                messages::delete(tx, &seated, id, now).await
            })
        })
        .await
    }

    async fn find_changer(&self, actor: &Actor, id: MessageId) -> Result<ParticipantId> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        Ok(seat_by_message(&mut snapshot, actor, None, id, now()).await?.me().id)
    }

    async fn list_before(
        &self,
        actor: &Actor,
        id: ConversationId,
        before_seq: Option<i64>,
        limit: i64,
    ) -> Result<Page> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        let seated = seat(&mut snapshot, actor, id, now()).await?;
        messages::list_before(&mut snapshot, &seated, before_seq, limit).await
    }

    async fn list_after(&self, actor: &Actor, id: ConversationId, after_rev: i64, limit: i64) -> Result<Page> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        let seated = seat(&mut snapshot, actor, id, now()).await?;
        messages::list_after(&mut snapshot, &seated, after_rev, limit).await
    }

    async fn load_room(&self, actor: &Actor, id: ConversationId, after_rev: Option<i64>, limit: i64) -> Result<Room> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        let seat = conversations::find(&mut snapshot, actor, id).await?;
        let seated = Seated::of(&seat);
        Ok(Room {
            seat,
            page: match after_rev {
                None => messages::list_before(&mut snapshot, &seated, None, limit).await?,
                Some(rev) => messages::list_after(&mut snapshot, &seated, rev, limit).await?,
            },
            participants: participants::list(&mut snapshot, &seated).await?,
            receipts: participants::receipts(&mut snapshot, &seated).await?,
        })
    }

    async fn erase_customer(&self, email: &Email, batch: i64) -> Result<Option<Erased>> {
        let email = email.clone();
        self.write(move |tx| Box::pin(async move { erasure::erase_customer(tx, &email, batch).await })).await
    }

    async fn list_conversations_of(&self, email: &Email) -> Result<Vec<ConversationId>> {
        let mut conn = self.reader().await?;
        let mut snapshot = conn.begin().await?;
        let user = users::find_by_email(&mut snapshot, email).await?.map(|(user, _)| user.id);
        erasure::conversations_of(&mut snapshot, email, user, i64::MAX).await
    }

    async fn list_expired(&self, before: Timestamp, how: Expiry, limit: i64) -> Result<Vec<Expired>> {
        erasure::list_expired(&mut *self.reader().await?, before, how, limit).await
    }

    async fn expire(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
        self.write(move |tx| Box::pin(erasure::expire(tx, what, before, how, batch))).await
    }

    async fn forget_deleted_words(&self, is_first: bool) -> Result<bool> {
        self.write(move |tx| Box::pin(erasure::forget_words(tx, is_first))).await
    }

    async fn join(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        // Whoever comes back, as all do after a restart, need not wait for the disk.
        let mut conn = self.reader().await?;
        let seat = conversations::find(&mut conn, actor, id).await?;
        if participants::is_in(&mut conn, &Seated::of(&seat)).await? {
            return Ok(seat);
        }
        drop(conn);

        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let seat = conversations::find(&mut tx.conn, &actor, id).await?;
                participants::join(tx, &Seated::of(&seat)).await?;
                Ok(seat)
            })
        })
        .await
    }

    async fn read_up_to(&self, actor: &Actor, id: ConversationId, seq: i64) -> Result<Option<Receipt>> {
        let actor = actor.clone();
        self.write(move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat(&mut tx.conn, &actor, id, now).await?;
                participants::read_up_to(tx, &seated, seq, now).await
            })
        })
        .await
    }

    async fn left(&self, id: ConversationId, participant: ParticipantId, at: Timestamp) -> Result<()> {
        self.write(move |tx| Box::pin(participants::note_left(tx, id, participant, at))).await
    }
}

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
