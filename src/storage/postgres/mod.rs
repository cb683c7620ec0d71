//! [`Store`] in a PostgreSQL database, which several nodes may share.
//!
//! A few tasks write changes of conversations (see `writer`), so many callers share one flush to the disk. All other
//! calls are transactions of the pool. Each transaction first sets the actor (see `acting`), and the database itself
//! limits reads to this actor's data. `open` refuses a database that could lose acknowledged data. `access` decides
//! about permissions, and the policies in `migrations/postgres` check them again. `storage/shared` contains the SQL
//! that SQLite shares, one file per noun. This module contains only PostgreSQL's differences.

mod access;
mod acting;
mod conn;
mod conversation_lists;
mod dialect;
mod discarded_files;
mod erasure;
mod journal;
mod messages;
mod refold;
mod schema;
mod search;
mod target;
mod tx;
mod writer;

#[path = "../shared/mod.rs"]
mod shared;

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::mpsc;

pub use self::conn::Patience;
use shared::{
    actors, answers, attachments, business, conversations, digests, former, idle, invites, links, notices,
    participants, pushes, request_files, requests, rows, sessions, timeline, tokens, users,
};

pub(super) use self::target::Target;
use self::{
    access::{seat, seat_sender},
    acting::{Acting, Purpose, Transaction},
    actors::conversation_of,
    conn::{Conn, Suspicion},
    erasure::Whose,
    tx::Tx,
    writer::{Listener, Writer},
};
use super::{
    ApiToken, Audience, Commit, Confirmation, ConversationFilter, Cursor, Database, Digest, Draft, Erased, Expired,
    Expiry, FileBytes, Idle, Invite, Link, LoginSession, NewConversation, NewLink, NewSession, NewUser, Notice, Page,
    Posted, PushRecipient, PushSubscription, Quiet, Quota, RequestCounts, RequestCursor, RequestFilter, Result, Seat,
    SecretHash, SessionEntry, Snapshot, StatusCounts, Store, StoreError, StoreMetrics, now, seated::Seated,
};
use crate::domain::{
    Actor, Attachment, AttachmentId, Business, Content, ConversationId, ConversationStatus, CustomRequest, Email,
    Epoch, InviteId, LinkId, Message, MessageId, Name, ParticipantId, PushId, Rating, Receipt, RequestId,
    RequestStatus, RequestText, Role, SessionId, StatusChange, Timestamp, TokenId, User, UserId,
};

/// The oldest version that has all that is used: views that see what their reader may see.
const OLDEST_VERSION: u32 = 15;
/// Connections beside those of the lanes.
const POOL: u32 = 8;
/// How long closing may take, when nothing that matters is left to do.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// What `shared` calls this database.
use PostgresStore as Here;

/// A PostgreSQL database. Dropping it without [`Database::close`] loses nothing that was acknowledged.
pub struct PostgresStore {
    epoch: Epoch,
    pool: PgPool,
    patience: Patience,
    suspicion: Suspicion,
    writer: Writer,
    listener: Listener,
    metrics: StoreMetrics,
}

impl PostgresStore {
    /// Opens the database that `url` names, such as `postgres://user@host/database`. If `user` owns the
    /// tables, or there are none yet, it brings the schema up to date; otherwise it must be so. Must be
    /// called within a Tokio runtime.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence for the operator, if the database is unreachable, loses acknowledged data,
    /// or does not separate customers' data.
    pub async fn open(url: &str) -> Result<Self> {
        Self::with(url, POOL, Patience::default()).await
    }

    /// Like [`PostgresStore::open`], with so many connections beside those of the lanes.
    ///
    /// # Errors
    /// As those of [`PostgresStore::open`].
    pub async fn with_pool(url: &str, connections: u32) -> Result<Self> {
        Self::with(url, connections, Patience::default()).await
    }

    /// The same, with another patience.
    ///
    /// # Errors
    /// As those of [`PostgresStore::open`].
    pub async fn with(url: &str, connections: u32, patience: Patience) -> Result<Self> {
        let options = options(url, &patience)?;
        let mut conn = connect(&options, patience.connect).await.map_err(|error| cannot_open(&options, &error))?;
        let epoch = schema::prepare(&mut conn).await?;
        refold::all(&mut conn).await?;
        conn.close().await?;

        let suspicion = Suspicion::default();
        let pool = PgPoolOptions::new()
            .max_connections(connections)
            .acquire_timeout(patience.connect)
            // One that was lost is noticed when a transaction begins, which costs no question in advance.
            .test_before_acquire(false)
            .before_acquire({
                let suspicion = suspicion.clone();
                move |_, idle| {
                    let is_trusted = !suspicion.falls_on(&idle);
                    Box::pin(async move { Ok(is_trusted) })
                }
            })
            .after_connect(|conn, _| {
                Box::pin(async move {
                    require_durable(conn).await.map_err(|error| match error {
                        StoreError::Database(error) => error,
                        other => sqlx::Error::Configuration(other.to_string().into()),
                    })
                })
            })
            .connect_lazy_with(options.clone());
        let listener = Listener::default();
        let metrics = StoreMetrics::default();
        let writer = Writer::start(&options, (patience, &suspicion), &listener, &metrics);
        Ok(Self { epoch, pool, patience, suspicion, writer, listener, metrics })
    }

    /// All reads in one of these see the same snapshot.
    async fn read(&self, acting: Acting<'_>) -> Result<Transaction> {
        self.begin(Purpose::Read, acting).await
    }

    /// For what is written beside the lanes: nothing that takes a rev.
    async fn change<T, F>(&self, acting: Acting<'_>, job: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c mut Conn) -> BoxFuture<'c, Result<T>> + Send,
    {
        let mut tx = self.begin(Purpose::Write, acting).await?;
        let done = job(&mut tx).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn begin(&self, purpose: Purpose, acting: Acting<'_>) -> Result<Transaction> {
        Transaction::begin(&self.pool, (self.patience, &self.suspicion), purpose, acting, &self.metrics).await
    }

    /// Writes to a conversation, in its turn.
    async fn write<T, F>(&self, conversation: ConversationId, acting: Acting<'_>, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        self.writer.write(conversation, conversation.0, acting, job).await
    }

    /// The same for a new conversation of a request, which the job locks first.
    async fn write_holding<T, F>(
        &self,
        request: RequestId,
        new: ConversationId,
        acting: Acting<'_>,
        job: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        self.writer.write(new, request.0, acting, job).await
    }

    async fn post(&self, actor: &Actor, draft: Draft) -> Result<Posted> {
        let (by, id) = (actor.clone(), draft.conversation_id);
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let (seated, sent_before) = seat_sender(&mut tx.conn, &by, id, draft.client_id, now).await?;
                messages::post(tx, &seated, sent_before, draft, now).await
            })
        })
        .await
    }

    async fn note_seen(&self, session: SessionId, at: Timestamp) -> Result<()> {
        self.change(Acting::System, move |conn| Box::pin(sessions::note_seen(conn, session, at))).await
    }

    async fn erase(&self, email: &Email, batch: i64) -> Result<Option<Erased>> {
        let email = email.clone();
        let (user, of) = self
            .change(Acting::Eraser, move |conn| {
                Box::pin(async move {
                    let user = former::shut_out(conn, &email).await?;
                    Ok((user, former::conversations_of(conn, &email, user, 1).await?))
                })
            })
            .await?;
        if let Some(conversation) = of.first().copied() {
            let erased = self.write(conversation, Acting::Eraser, move |tx| {
                Box::pin(async move {
                    let mut erased = Erased::default();
                    erasure::anonymise(tx, conversation, Whose::Customers, batch, now(), &mut erased).await?;
                    Ok(erased)
                })
            });
            return erased.await.map(Some);
        }
        let Some(user) = user else { return Ok(None) };
        let files = self.change(Acting::Eraser, move |conn| Box::pin(former::erase_account(conn, user))).await?;
        Ok(Some(Erased { files, ..Erased::default() }))
    }

    async fn take_out(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
        match what {
            Expired::Conversation(id) => {
                self.write(id, Acting::Eraser, move |tx| {
                    Box::pin(erasure::expire_conversation(tx, id, before, how, batch))
                })
                .await
            }
            Expired::Request(id) => {
                self.change(Acting::Eraser, move |conn| Box::pin(erasure::expire_request(conn, id, before, how)))
                    .await?;
                Ok(false)
            }
        }
    }

    async fn forget_words(&self, _is_first: bool) -> Result<bool> {
        // Words are in their message's row, so they are already gone. PostgreSQL's own vacuum does the rest.
        Ok(false)
    }
}

fn options(url: &str, patience: &Patience) -> Result<PgConnectOptions> {
    if !(url.starts_with("postgres:") || url.starts_with("postgresql:")) {
        return Err(StoreError::Unfit("the address of a PostgreSQL database begins with postgres:".to_owned()));
    }
    let options = PgConnectOptions::from_str(url)
        // Without the URL, which may have a password in it.
        .map_err(|error| StoreError::Unfit(format!("this is no address of a PostgreSQL database: {error}")))?;
    Ok(options.application_name("bespoken").options(patience.settings()))
}

fn cannot_open(options: &PgConnectOptions, error: &StoreError) -> StoreError {
    match error {
        StoreError::Unfit(_) => StoreError::Unfit(error.to_string()),
        StoreError::Database(error) => {
            let (host, port, user) = (options.get_host(), options.get_port(), options.get_username());
            let database = options.get_database().unwrap_or(user);
            // PostgreSQL's own message is clearer than sqlx's wrapper.
            let reason =
                error.as_database_error().map_or_else(|| error.to_string(), |error| error.message().to_owned());
            StoreError::Unfit(format!("cannot connect to {database} at {host}:{port} as {user}: {reason}"))
        }
        _ => StoreError::Unfit(format!("cannot connect: {error}")),
    }
}

/// A connection outside the pool.
async fn connect(options: &PgConnectOptions, within: Duration) -> Result<PgConnection> {
    let connecting = tokio::time::timeout(within, async {
        let mut conn = options.connect().await?;
        require_durable(&mut conn).await?;
        Ok(conn)
    });
    connecting.await.map_err(|_| sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()))?
}

/// Checks that PostgreSQL acknowledges only commits that are on disk.
async fn require_durable(conn: &mut PgConnection) -> Result<()> {
    let setting: String =
        sqlx::query_scalar("select current_setting('synchronous_commit')").fetch_one(&mut *conn).await?;
    if matches!(&*setting, "on" | "remote_apply") {
        return Ok(());
    }
    Err(StoreError::Unfit(format!(
        "PostgreSQL acknowledges what is not on disk yet: synchronous_commit is {setting}, and must be on"
    )))
}

#[async_trait]
impl Database for PostgresStore {
    fn commits(&self) -> Option<mpsc::UnboundedReceiver<Vec<Commit>>> {
        let (listener, commits) = mpsc::unbounded_channel();
        self.listener.set(listener).ok().map(|()| commits)
    }

    fn may_keep_silent(&self) -> bool {
        true
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
        self.writer.finish().await;
        // Waits until all connections are closed, which an unresponsive server never allows.
        tokio::time::timeout(CLOSE_WITHIN, self.pool.close()).await.ok();
    }

    async fn serve_alone(&self) -> Result<()> {
        // Several servers may share the database: they exchange their changes.
        Ok(())
    }
}

macro_rules! methods {
    ($($methods:tt)*) => { implement_store! { PostgresStore: $($methods)* } };
}
#[path = "../shared/store.rs"]
mod store;
