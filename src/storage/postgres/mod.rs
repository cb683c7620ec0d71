//! [`Store`] in a PostgreSQL database, which several nodes may share.
//!
//! What concerns a conversation is written by a few tasks (see `writer`), so that many callers share one
//! flush to the disk; everything else is a transaction of the pool's. Each transaction says who acts
//! before anything else (see `acting`), and the database itself shows no more than this person may see.
//! `open` refuses a database that would not keep what was acknowledged. Each noun has a file with its
//! SQL; who may see what is decided in `access`, and once more by the policies in `migrations/postgres`.

mod access;
mod acting;
mod attachments;
mod conn;
mod conversations;
mod erasure;
mod links;
mod messages;
mod notices;
mod participants;
mod refold;
mod requests;
mod rows;
mod schema;
mod search;
mod sessions;
mod target;
mod users;
mod writer;

use std::{str::FromStr, time::Duration};

use async_trait::async_trait;
use futures_util::future::BoxFuture;
use sqlx::{
    ConnectOptions, Connection, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::sync::mpsc;

pub use self::conn::Patience;
use self::{
    access::{conversation_of, seat, seat_sender, seat_to_change},
    acting::{Acting, Purpose, Transaction},
    conn::Suspicion,
    erasure::Whose,
    writer::{Listener, Tx, Writer},
};
pub(super) use self::{
    rows::{FIRST_MS, LAST_MS},
    target::Target,
};
use super::{
    ApiToken, Audience, Commit, Confirmation, ConversationFilter, Cursor, Draft, Erased, Expired, Expiry, FileBytes,
    Invite, Link, LoginSession, NewConversation, NewLink, NewSession, NewUser, Notice, Page, Posted, Quota,
    RequestCounts, RequestCursor, RequestFilter, Result, Room, Seat, SecretHash, SessionEntry, StatusCounts, Store,
    StoreError, StoreMetrics, now, seated::Seated,
};
use crate::domain::{
    Actor, Attachment, AttachmentId, Content, ConversationId, ConversationStatus, CustomRequest, Email, Epoch,
    InviteId, LinkId, Message, MessageId, Name, ParticipantId, Receipt, RequestId, RequestStatus, RequestText, Role,
    SessionId, StatusChange, Timestamp, TokenId, User, UserId,
};

/// The oldest version that has all that is used: views that see what their reader may see.
const OLDEST_VERSION: u32 = 15;
/// Connections beside those of the lanes.
const POOL: u32 = 8;
/// How long closing may take, when nothing that matters is left to do.
const CLOSE_WITHIN: Duration = Duration::from_secs(5);

/// A PostgreSQL database. Dropping it without [`Store::close`] loses nothing that was acknowledged.
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
    /// [`StoreError::Unfit`] with a sentence for the operator, if this cannot be a database that keeps
    /// what it acknowledged and each customer's data apart, or if it cannot be reached.
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

    /// What is read in one of these is all of one moment.
    async fn read(&self, acting: Acting<'_>) -> Result<Transaction> {
        self.begin(Purpose::Read, acting).await
    }

    /// For what is written beside the lanes: nothing that takes a rev.
    async fn change(&self, acting: Acting<'_>) -> Result<Transaction> {
        self.begin(Purpose::Write, acting).await
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
            // PostgreSQL's own words say more than what sqlx puts around them.
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

/// Asks PostgreSQL whether what it acknowledges will be on disk.
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
impl Store for PostgresStore {
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
        // Waits until all connections have taken leave, which a server that keeps silent never allows.
        tokio::time::timeout(CLOSE_WITHIN, self.pool.close()).await.ok();
    }

    async fn serve_alone(&self) -> Result<()> {
        // Several may: they hear of each other.
        Ok(())
    }

    async fn last_notice(&self) -> Result<i64> {
        notices::last(&mut *self.read(Acting::System).await?).await
    }

    async fn list_notices(&self, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
        notices::list(&mut *self.read(Acting::System).await?, after, limit).await
    }

    async fn create_user(&self, new: NewUser) -> Result<User> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::create(&mut tx, new).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_first_admin(&self, new: NewUser) -> Result<Option<User>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::create_first_admin(&mut tx, new).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn has_admin(&self) -> Result<bool> {
        users::has_admin(&mut *self.read(Acting::System).await?).await
    }

    async fn find_user_by_email(&self, email: &Email) -> Result<Option<(User, String)>> {
        users::find_by_email(&mut *self.read(Acting::System).await?, email).await
    }

    async fn find_user(&self, id: UserId) -> Result<Option<(User, String)>> {
        users::find(&mut *self.read(Acting::System).await?, id).await
    }

    async fn list_users(&self, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
        users::list(&mut *self.read(Acting::System).await?, search, limit).await
    }

    async fn set_role(&self, by: UserId, id: UserId, role: Role) -> Result<User> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::set_role(&mut tx, by, id, role).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn rename_user(&self, id: UserId, name: Name) -> Result<User> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::rename(&mut tx, id, name).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_confirmation(
        &self,
        hash: SecretHash,
        user: UserId,
        email: Email,
        expires_at: Timestamp,
    ) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        users::create_confirmation(&mut tx, hash, user, email, expires_at).await?;
        tx.commit().await
    }

    async fn find_confirmation(&self, hash: SecretHash) -> Result<Option<Confirmation>> {
        users::find_confirmation(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn confirm_email(&self, hash: SecretHash, user: UserId) -> Result<Option<(User, User)>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::confirm_email(&mut tx, hash, user, now()).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn claim_account(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::claim(&mut tx, hash, phc, now()).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn set_password(&self, id: UserId, phc: String, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::set_password(&mut tx, id, phc, keep).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_password_reset(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::create_password_reset(&mut tx, hash, user, expires_at).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn find_password_reset(&self, hash: SecretHash) -> Result<Option<User>> {
        users::find_password_reset(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn reset_password(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::reset_password(&mut tx, hash, phc, now()).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_invite(&self, id: InviteId, hash: SecretHash, by: UserId, expires_at: Timestamp) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::create_invite(&mut tx, id, hash, by, expires_at).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn find_invite(&self, hash: SecretHash) -> Result<Option<Invite>> {
        users::find_invite(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn list_invites(&self) -> Result<Vec<Invite>> {
        users::list_invites(&mut *self.read(Acting::System).await?, now()).await
    }

    async fn delete_invite(&self, id: InviteId) -> Result<bool> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::delete_invite(&mut tx, id).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn accept_invite(&self, hash: SecretHash, new: NewUser) -> Result<Option<User>> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::accept_invite(&mut tx, hash, new, now()).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_session(&self, new: NewSession) -> Result<SessionId> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::create(&mut tx, new).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn find_session(&self, hash: SecretHash, seen_after: Timestamp) -> Result<Option<LoginSession>> {
        let now = now();
        let found = sessions::find(&mut *self.read(Acting::System).await?, hash, seen_after, now).await?;
        let Some((session, is_due)) = found else { return Ok(None) };
        if is_due {
            let mut tx = self.change(Acting::System).await?;
            sessions::note_seen(&mut tx, session.id, now).await?;
            tx.commit().await?;
        }
        Ok(Some(session))
    }

    async fn list_sessions(&self, user: UserId, seen_after: Timestamp) -> Result<Vec<SessionEntry>> {
        sessions::list(&mut *self.read(Acting::System).await?, user, seen_after, now()).await
    }

    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::end_of(&mut tx, user, id).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn adopt_links(&self, user: UserId, links: &[LinkId]) -> Result<Vec<ConversationId>> {
        let mut tx = self.change(Acting::System).await?;
        let adopted = conversations::adopt(&mut tx, user, links, now()).await?;
        tx.commit().await?;
        Ok(adopted)
    }

    async fn end_session(&self, id: SessionId) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::end(&mut tx, id).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn grant_link(&self, session: SessionId, link: LinkId) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::grant_link(&mut tx, session, link).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn merge_session(&self, from: SessionId, into: SessionId) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::merge(&mut tx, from, into).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn create_sign_in_link(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = sessions::create_sign_in_link(&mut tx, hash, user, expires_at).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn find_sign_in_link(&self, hash: SecretHash) -> Result<Option<User>> {
        sessions::find_sign_in_link(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn put_setup_secret(&self, hash: SecretHash) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::put_setup_secret(&mut tx, hash).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn is_setup_secret(&self, hash: SecretHash) -> Result<bool> {
        users::is_setup_secret(&mut *self.read(Acting::System).await?, hash).await
    }

    async fn create_token(&self, id: TokenId, hash: SecretHash, user: UserId, name: Option<Name>) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::create_token(&mut tx, id, hash, user, name).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn list_tokens(&self) -> Result<Vec<ApiToken>> {
        users::list_tokens(&mut *self.read(Acting::System).await?).await
    }

    async fn find_token(&self, hash: SecretHash) -> Result<Option<ApiToken>> {
        users::find_token(&mut *self.read(Acting::System).await?, hash).await
    }

    async fn revoke_token(&self, id: TokenId) -> Result<bool> {
        let mut tx = self.change(Acting::System).await?;
        let done = users::revoke_token(&mut tx, id).await?;
        tx.commit().await?;
        Ok(done)
    }

    async fn find_link(&self, hash: SecretHash) -> Result<Option<Link>> {
        links::find(&mut *self.read(Acting::System).await?, hash, now()).await
    }

    async fn replace_link(&self, actor: &Actor, id: ConversationId, new: NewLink) -> Result<Vec<LinkId>> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                links::replace(tx, &seated, new, now).await
            })
        })
        .await
    }

    async fn revoke_links(&self, actor: &Actor, id: ConversationId) -> Result<Vec<LinkId>> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                links::revoke(tx, &seated, now).await
            })
        })
        .await
    }

    async fn open_conversation(&self, actor: &Actor, new: NewConversation) -> Result<Seat> {
        let (by, id) = (actor.clone(), new.id);
        self.write(id, Acting::Actor(actor), move |tx| Box::pin(async move { conversations::open(tx, &by, new).await }))
            .await
    }

    async fn find_conversation(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        conversations::find(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    async fn find_conversations(&self, actor: &Actor, ids: &[ConversationId]) -> Result<Vec<Seat>> {
        conversations::load_some(&mut *self.read(Acting::Actor(actor)).await?, actor, ids).await
    }

    async fn list_conversations(
        &self,
        actor: &Actor,
        filter: &ConversationFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Seat>> {
        conversations::list(&mut *self.read(Acting::Actor(actor)).await?, actor, filter, cursor, limit).await
    }

    async fn count_conversations(&self, actor: &Actor) -> Result<StatusCounts> {
        conversations::count(&mut *self.read(Acting::Actor(actor)).await?, actor).await
    }

    async fn set_status(&self, actor: &Actor, id: ConversationId, status: ConversationStatus) -> Result<Seat> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                conversations::set_status(tx, &by, &seated, status, now).await
            })
        })
        .await
    }

    async fn assign(&self, actor: &Actor, id: ConversationId, assignee: Option<UserId>) -> Result<Seat> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                conversations::assign(tx, &by, &seated, assignee, now).await
            })
        })
        .await
    }

    async fn heads(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>> {
        conversations::heads(&mut *self.read(Acting::System).await?, ids).await
    }

    async fn list_active(&self, since: Timestamp, limit: i64) -> Result<Vec<(ConversationId, i64)>> {
        conversations::list_active(&mut *self.read(Acting::System).await?, since, limit).await
    }

    async fn audiences(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, Audience)>> {
        conversations::audiences(&mut *self.read(Acting::System).await?, ids, now()).await
    }

    async fn count_unread(
        &self,
        actor: &Actor,
        ids: &[ConversationId],
        admins: &[UserId],
    ) -> Result<Vec<(ConversationId, UserId, i64)>> {
        conversations::count_unread(&mut *self.read(Acting::Actor(actor)).await?, actor, ids, admins).await
    }

    async fn count_all_unread(&self, admin: &Actor) -> Result<i64> {
        conversations::count_all_unread(&mut *self.read(Acting::Actor(admin)).await?, admin).await
    }

    async fn create_request(
        &self,
        actor: &Actor,
        id: RequestId,
        customer: Option<UserId>,
        text: RequestText,
    ) -> Result<CustomRequest> {
        let mut tx = self.change(Acting::Actor(actor)).await?;
        let request = requests::create(&mut tx, actor, id, customer, text).await?;
        tx.commit().await?;
        Ok(request)
    }

    async fn find_request(&self, actor: &Actor, id: RequestId) -> Result<CustomRequest> {
        requests::find(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    async fn list_requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
        cursor: Option<RequestCursor>,
        limit: i64,
    ) -> Result<Vec<(CustomRequest, RequestCursor)>> {
        requests::list(&mut *self.read(Acting::Actor(actor)).await?, actor, filter, cursor, limit).await
    }

    async fn count_requests(&self, actor: &Actor) -> Result<RequestCounts> {
        requests::count(&mut *self.read(Acting::Actor(actor)).await?, actor).await
    }

    async fn list_request_changes(&self, actor: &Actor, id: RequestId) -> Result<Vec<StatusChange>> {
        requests::changes(&mut *self.read(Acting::Actor(actor)).await?, actor, id).await
    }

    async fn set_request_status(&self, actor: &Actor, id: RequestId, status: RequestStatus) -> Result<CustomRequest> {
        loop {
            let conversation = self.find_request(actor, id).await?.conversation_id;
            // Without a conversation there is nothing to tell, and any lane does.
            let lane = conversation.unwrap_or(ConversationId(id.0));
            let by = actor.clone();
            let written = self.writer.write(lane, lane.0, Acting::Actor(actor), move |tx| {
                Box::pin(async move { requests::set_status(tx, &by, (id, conversation), status, now()).await })
            });
            if let Some(request) = written.await? {
                return Ok(request);
            }
            // Somebody has just opened the conversation, which stays the request's.
        }
    }

    async fn open_request_conversation(&self, actor: &Actor, id: RequestId) -> Result<(Seat, bool)> {
        loop {
            if let Some(conversation) = self.find_request(actor, id).await?.conversation_id {
                return Ok((self.join(actor, conversation).await?, false));
            }
            let (by, conversation) = (actor.clone(), ConversationId::new());
            let opened = self.writer.write(conversation, id.0, Acting::Actor(actor), move |tx| {
                Box::pin(async move { requests::open_conversation(tx, &by, id, conversation, now()).await })
            });
            if let Some(seat) = opened.await? {
                return Ok((seat, true));
            }
            // Somebody else has just opened it.
        }
    }

    async fn add_attachment(&self, actor: &Actor, id: ConversationId, file: Attachment, quota: Quota) -> Result<()> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                attachments::add(&mut tx.conn, &seated, file, quota, now).await
            })
        })
        .await
    }

    async fn file_bytes(&self, actor: &Actor, id: ConversationId, since: Timestamp) -> Result<FileBytes> {
        let mut conn = self.read(Acting::Actor(actor)).await?;
        let seated = seat(&mut conn, actor, id, now()).await?;
        attachments::bytes(&mut conn, &seated, since).await
    }

    async fn all_file_bytes(&self) -> Result<u64> {
        // Whom alone the policies let see all files, and nothing is erased.
        attachments::all_bytes(&mut *self.read(Acting::Eraser).await?).await
    }

    async fn find_attachment(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment> {
        attachments::find(&mut *self.read(Acting::Actor(actor)).await?, actor, id, now()).await
    }

    async fn discard_unsent_attachments(&self, before: Timestamp) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        attachments::discard_unsent(&mut tx, before).await?;
        tx.commit().await
    }

    async fn list_discarded_attachments(&self, limit: i64) -> Result<Vec<AttachmentId>> {
        attachments::list_discarded(&mut *self.read(Acting::System).await?, limit).await
    }

    async fn forget_discarded_attachments(&self, ids: &[AttachmentId]) -> Result<()> {
        let mut tx = self.change(Acting::System).await?;
        attachments::forget_discarded(&mut tx, ids).await?;
        tx.commit().await
    }

    async fn search_messages(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<MessageId>,
        limit: i64,
    ) -> Result<Vec<Message>> {
        search::messages(&mut *self.read(Acting::Actor(actor)).await?, actor, query, after, limit).await
    }

    async fn post_message(&self, actor: &Actor, draft: Draft) -> Result<Posted> {
        let (by, id) = (actor.clone(), draft.conversation_id);
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let (seated, sent_before) =
                    seat_sender(&mut tx.conn, &by, draft.conversation_id, draft.client_id, now).await?;
                messages::post(tx, &seated, sent_before, draft, now).await
            })
        })
        .await
    }

    async fn edit_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
        content: Content,
    ) -> Result<Message> {
        let conversation = conversation_of(&mut *self.read(Acting::Actor(actor)).await?, room, id).await?;
        let by = actor.clone();
        self.write(conversation, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, conversation, now).await?;
                messages::edit(tx, &seated, id, content, now).await
            })
        })
        .await
    }

    async fn delete_message(&self, actor: &Actor, room: Option<ConversationId>, id: MessageId) -> Result<Message> {
        let conversation = conversation_of(&mut *self.read(Acting::Actor(actor)).await?, room, id).await?;
        let by = actor.clone();
        self.write(conversation, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, conversation, now).await?;
                messages::delete(tx, &seated, id, now).await
            })
        })
        .await
    }

    async fn find_changer(&self, actor: &Actor, id: MessageId) -> Result<ParticipantId> {
        let mut tx = self.read(Acting::Actor(actor)).await?;
        let conversation = conversation_of(&mut tx, None, id).await?;
        Ok(seat(&mut tx, actor, conversation, now()).await?.me().id)
    }

    async fn list_before(
        &self,
        actor: &Actor,
        id: ConversationId,
        before_seq: Option<i64>,
        limit: i64,
    ) -> Result<Page> {
        let mut tx = self.read(Acting::Actor(actor)).await?;
        let seated = seat(&mut tx, actor, id, now()).await?;
        messages::list_before(&mut tx, &seated, before_seq, limit).await
    }

    async fn list_after(&self, actor: &Actor, id: ConversationId, after_rev: i64, limit: i64) -> Result<Page> {
        let mut tx = self.read(Acting::Actor(actor)).await?;
        let seated = seat(&mut tx, actor, id, now()).await?;
        messages::list_after(&mut tx, &seated, after_rev, limit).await
    }

    async fn load_room(&self, actor: &Actor, id: ConversationId, after_rev: Option<i64>, limit: i64) -> Result<Room> {
        let mut tx = self.read(Acting::Actor(actor)).await?;
        let seat = conversations::find(&mut tx, actor, id).await?;
        let seated = Seated::of(&seat);
        Ok(Room {
            seat,
            page: match after_rev {
                None => messages::list_before(&mut tx, &seated, None, limit).await?,
                Some(rev) => messages::list_after(&mut tx, &seated, rev, limit).await?,
            },
            participants: participants::list(&mut tx, &seated).await?,
            receipts: participants::receipts(&mut tx, &seated).await?,
        })
    }

    async fn erase_customer(&self, email: &Email, batch: i64) -> Result<Option<Erased>> {
        let mut tx = self.change(Acting::Eraser).await?;
        let user = erasure::shut_out(&mut tx, email).await?;
        let of = erasure::conversations_of(&mut tx, email, user, 1).await?;
        tx.commit().await?;
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
        let mut tx = self.change(Acting::Eraser).await?;
        erasure::erase_account(&mut tx, user).await?;
        tx.commit().await?;
        Ok(Some(Erased::default()))
    }

    async fn list_conversations_of(&self, email: &Email) -> Result<Vec<ConversationId>> {
        let mut tx = self.read(Acting::System).await?;
        let user = users::find_by_email(&mut tx, email).await?.map(|(user, _)| user.id);
        erasure::conversations_of(&mut tx, email, user, i64::MAX).await
    }

    async fn list_expired(&self, before: Timestamp, how: Expiry, limit: i64) -> Result<Vec<Expired>> {
        erasure::list_expired(&mut *self.read(Acting::Eraser).await?, before, how, limit).await
    }

    async fn expire(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
        match what {
            Expired::Conversation(id) => {
                self.write(id, Acting::Eraser, move |tx| {
                    Box::pin(erasure::expire_conversation(tx, id, before, how, batch))
                })
                .await
            }
            Expired::Request(id) => {
                let mut tx = self.change(Acting::Eraser).await?;
                erasure::expire_request(&mut tx, id, before, how).await?;
                tx.commit().await?;
                Ok(false)
            }
        }
    }

    async fn forget_deleted_words(&self, _is_first: bool) -> Result<bool> {
        // Words stand in their message's row, and went with it. PostgreSQL's own vacuum does the rest.
        Ok(false)
    }

    async fn join(&self, actor: &Actor, id: ConversationId) -> Result<Seat> {
        let mut tx = self.read(Acting::Actor(actor)).await?;
        let seat = conversations::find(&mut tx, actor, id).await?;
        // Whoever comes back, as all do after a restart, need not wait for the disk.
        if participants::is_in(&mut tx, &Seated::of(&seat)).await? {
            return Ok(seat);
        }
        drop(tx);

        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let seated = seat_to_change(&mut tx.conn, &by, id, now()).await?;
                participants::join(&mut tx.conn, &seated).await?;
                conversations::load(&mut tx.conn, &by, &seated).await
            })
        })
        .await
    }

    async fn read_up_to(&self, actor: &Actor, id: ConversationId, seq: i64) -> Result<Option<Receipt>> {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                participants::read_up_to(&mut tx.conn, &seated, seq, now).await
            })
        })
        .await
    }

    async fn left(&self, id: ConversationId, participant: ParticipantId, at: Timestamp) -> Result<()> {
        self.write(id, Acting::System, move |tx| {
            Box::pin(async move {
                conversations::lock(&mut tx.conn, id).await?;
                participants::note_left(&mut tx.conn, id, participant, at).await
            })
        })
        .await
    }
}
