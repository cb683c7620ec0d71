//! Keeps everything durable: one trait, SQLite or PostgreSQL behind it.
//!
//! Three things always hold. A function returns `Ok` for a change only after that change is on
//! disk. Every change of a conversation takes the next `head` in its own transaction, so seq and
//! rev have neither holes nor repeats. Whatever concerns a conversation takes the [`Actor`] who
//! asks, and for what this actor may not see the answer is [`StoreError::NotFound`], as if it did
//! not exist. Called by `service` only.

mod batch;
mod copy;
mod metrics;
pub mod postgres;
pub mod private;
pub mod sqlite;

mod rules;
pub mod search;
mod seated;
mod words;

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use crate::domain::Change;
use crate::domain::{
    Actor, Attachment, AttachmentId, ClientId, Content, Conversation, ConversationId, ConversationStatus,
    CustomRequest, Email, Epoch, InviteId, LinkId, Message, MessageId, Name, Participant, ParticipantId, Receipt,
    RequestId, RequestOrder, RequestStatus, RequestText, Role, SessionId, StatusChange, Timestamp, TokenId, User,
    UserId,
};

pub use copy::{BATCH, Compared, DatabaseCopy, Sum};
pub use metrics::StoreMetrics;

/// Opens the database that `url` names, `sqlite:` or `postgres:`, and brings it up to date. Must be called
/// within a Tokio runtime.
///
/// # Errors
/// [`StoreError::Unfit`] with a sentence for the operator; [`StoreError::Migration`].
pub async fn open(url: &str) -> Result<Arc<dyn Store>> {
    if url.starts_with("postgres") {
        Ok(Arc::new(postgres::PostgresStore::open(url).await?))
    } else if url.starts_with("sqlite:") {
        Ok(Arc::new(sqlite::SqliteStore::open(url).await?))
    } else {
        Err(StoreError::Unfit("the address of a database begins with sqlite: or postgres:".to_owned()))
    }
}

/// `url` as it can be shown: without a password.
#[must_use]
pub fn shown(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    match place.rsplit_once('@') {
        Some((user, host)) => {
            let user = user.split(':').next().unwrap_or_default();
            format!("{scheme}://{user}@{host}")
        }
        // A password with a question mark in it, perhaps.
        None if parameters.contains('@') => format!("{scheme}://…"),
        None => format!("{scheme}://{place}"),
    }
}

/// The present moment, as every stored time is taken.
#[must_use]
pub fn now() -> Timestamp {
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX))
}

/// SHA-256 of a secret. Secrets themselves are never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// Why storage did not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It does not exist, or the actor may not see it.
    #[error("not found")]
    NotFound,
    /// The actor may see it, but not do this.
    #[error("forbidden")]
    Forbidden,
    /// The conversation is closed.
    #[error("closed")]
    Closed,
    /// An attached file is not one that this sender has put into the conversation and not sent yet.
    #[error("no such attachment")]
    NoAttachment,
    /// This person has put more files into the conversation, without sending them, than may wait there.
    #[error("too many unsent files")]
    TooManyFiles,
    /// This client id names another message of the sender's.
    #[error("this client id names another message")]
    Conflict,
    /// With this file there would be more bytes than may be.
    #[error("no room for this file")]
    QuotaUsed(Used),
    /// Something was stored under this id before.
    #[error("this id is taken")]
    IdTaken,
    /// Another user has this e-mail address.
    #[error("this e-mail address is taken")]
    EmailTaken,
    /// The database failed; nothing was changed.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// The schema could not be brought up to date.
    #[error("migration: {0}")]
    Migration(#[from] sqlx::migrate::MigrateError),
    /// The database does not keep the promises that this program makes with it.
    #[error("{0}")]
    Unfit(String),
}

impl StoreError {
    /// Whether the store was closed before this could be done.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self, Self::Database(sqlx::Error::PoolClosed))
    }
}

pub type Result<T> = std::result::Result<T, StoreError>;

/// Whose bytes are used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Used {
    ByPerson,
    InConversation,
}

/// Bytes of files: those that a person has added since a moment, and those of a conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FileBytes {
    pub by_person: u64,
    pub in_conversation: u64,
}

/// How many bytes of files there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    pub most: FileBytes,
    /// From when on a person's files count.
    pub since: Timestamp,
}

impl Quota {
    /// Any number.
    pub const NONE: Self =
        Self { most: FileBytes { by_person: u64::MAX, in_conversation: u64::MAX }, since: Timestamp(0) };

    /// How many bytes there may be more than `now`, and who sets that bound.
    #[must_use]
    pub fn room(&self, now: FileBytes) -> (u64, Used) {
        let by_person = self.most.by_person.saturating_sub(now.by_person);
        let in_conversation = self.most.in_conversation.saturating_sub(now.in_conversation);
        if by_person <= in_conversation { (by_person, Used::ByPerson) } else { (in_conversation, Used::InConversation) }
    }

    /// # Errors
    /// [`StoreError::QuotaUsed`] if there is no room for so many bytes.
    fn require(&self, now: FileBytes, size_bytes: i64) -> Result<()> {
        let (room, used) = self.room(now);
        if u64::try_from(size_bytes).is_ok_and(|size| size <= room) { Ok(()) } else { Err(StoreError::QuotaUsed(used)) }
    }
}

/// A change that is on disk, told in the order of `rev` within its conversation.
#[derive(Clone, Debug)]
pub struct Commit {
    pub conversation_id: ConversationId,
    pub rev: i64,
    pub change: Change,
}

/// The person behind an actor in one conversation, with the conversation as this person sees it
/// (`link` and `customer_online` are not storage's to fill).
#[derive(Clone, Debug)]
pub struct Seat {
    pub conversation: Conversation,
    /// `online` is always false here: storage does not know it.
    pub me: Participant,
    /// The valid link of the conversation, for admins.
    pub link: Option<LinkId>,
}

#[derive(Clone, Debug)]
pub struct NewUser {
    pub email: Email,
    pub name: Name,
    pub role: Role,
    /// Whether the address counts without a mail that is answered.
    pub is_confirmed: bool,
    /// A PHC string.
    pub password_hash: String,
}

/// An e-mail address that its account is yet to confirm.
#[derive(Clone, Debug)]
pub struct Confirmation {
    pub user: User,
    /// The account's own, or the one that is to take its place.
    pub email: Email,
}

impl Confirmation {
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.email == self.user.email
    }
}

/// A sign-in as its owner sees it in a list.
#[derive(Clone, Debug)]
pub struct SessionEntry {
    pub id: SessionId,
    /// What the browser called itself.
    pub user_agent: Option<String>,
    pub created_at: Timestamp,
    /// Exact to the hour.
    pub last_seen_at: Timestamp,
}

/// A sign-in that is about to be made.
#[derive(Clone, Debug)]
pub struct NewSession {
    pub hash: SecretHash,
    pub user: Option<UserId>,
    pub links: Vec<LinkId>,
    pub user_agent: Option<String>,
    pub expires_at: Timestamp,
}

/// An invitation to become an admin that was neither used nor has expired.
#[derive(Clone, Debug)]
pub struct Invite {
    pub id: InviteId,
    pub invited_by: Name,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A signed-in browser: somebody's account, or links that were opened, or both.
#[derive(Clone, Debug)]
pub struct LoginSession {
    pub id: SessionId,
    pub user: Option<User>,
    pub links: Vec<LinkId>,
    pub expires_at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct NewConversation {
    pub id: ConversationId,
    /// The account that it belongs to, if any.
    pub customer_id: Option<UserId>,
    pub customer_name: Name,
    pub customer_email: Option<Email>,
    pub metadata: serde_json::Value,
    /// The link to share, made with the conversation.
    pub link: NewLink,
}

#[derive(Clone, Copy, Debug)]
pub struct NewLink {
    pub id: LinkId,
    pub hash: SecretHash,
    pub expires_at: Option<Timestamp>,
}

/// A shared link that is neither revoked nor expired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Link {
    pub id: LinkId,
    pub conversation_id: ConversationId,
}

/// Which conversations to list.
#[derive(Clone, Debug, Default)]
pub struct ConversationFilter {
    pub status: Option<ConversationStatus>,
    pub kind: Option<crate::domain::ConversationKind>,
    /// Part of the customer's name or e-mail; any case.
    pub search: Option<String>,
}

/// A place in a list of conversations, ordered by latest activity, ties by id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub updated_at: Timestamp,
    pub id: ConversationId,
}

/// Each at most [`MOST_COUNTED`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StatusCounts {
    pub open: i64,
    pub closed: i64,
}

#[derive(Clone, Debug)]
pub struct Draft {
    pub conversation_id: ConversationId,
    pub client_id: Option<ClientId>,
    pub content: Content,
    /// Files that the sender has put into this conversation and not sent yet.
    pub attachments: Vec<AttachmentId>,
}

/// A message that is on disk.
#[derive(Clone, Debug)]
pub struct Posted {
    pub message: Message,
    /// False if the same was stored under this client id before, and `message` is what became of it.
    pub fresh: bool,
}

/// A part of a conversation's messages, read in one snapshot with `head`.
#[derive(Clone, Debug)]
pub struct Page {
    pub messages: Vec<Message>,
    pub head: i64,
    /// Whether more messages lie beyond this part, in the direction of reading.
    pub more: bool,
}

/// A conversation as a chat starts from it, all of one moment.
#[derive(Clone, Debug)]
pub struct Room {
    pub seat: Seat,
    pub page: Page,
    pub participants: Vec<Participant>,
    pub receipts: Vec<Receipt>,
}

#[derive(Clone, Debug)]
pub struct ApiToken {
    pub id: TokenId,
    /// What it is for, in the words of whoever made it.
    pub name: Option<Name>,
    pub user: User,
    pub created_at: Timestamp,
}

/// Whose sockets may be told of a conversation, besides all admins'.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    pub customer: Option<UserId>,
    /// Those that are alive.
    pub links: Vec<LinkId>,
}

/// Something that every process has to hear of, also one that did not do it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Notice {
    /// Has ended, for good.
    Session(SessionId),
    /// Was revoked, for good.
    Token(TokenId),
    /// Was revoked, for good.
    Link(LinkId),
    /// Has another role, name or address, or is gone.
    User(UserId),
    /// Was changed in many places, at last with this rev; `None`: is gone.
    Conversation { id: ConversationId, rev: Option<i64> },
}

/// What happens to what is too old to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expiry {
    /// It goes, with everything about it.
    Delete,
    /// Customers, words and files go; that something was there stays.
    Anonymise,
}

/// Something that is too old to be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// With the request that it is about, if any.
    Conversation(ConversationId),
    /// One that has no conversation.
    Request(RequestId),
}

/// What was taken out of the database.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    pub conversations: u64,
    pub messages: u64,
    pub files: u64,
}

/// Which custom requests to list, and in which order.
#[derive(Clone, Debug, Default)]
pub struct RequestFilter {
    pub status: Option<RequestStatus>,
    /// Part of the title, description, customer's name or e-mail; any case.
    pub search: Option<String>,
    pub order: RequestOrder,
}

/// A place in a list of custom requests: the value that the list is ordered by, and the id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestCursor {
    pub key: String,
    pub id: RequestId,
}

/// How many custom requests there are of each status, in the order of [`RequestStatus::ALL`]; each at most
/// [`MOST_COUNTED`].
pub type RequestCounts = [i64; 4];

/// See the module for what always holds. Lists have at most `limit` items; the caller bounds it.
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// The commits from now on, in order for each conversation. Can be taken once. A change is told
    /// here before whoever made it gets its answer.
    fn commits(&self) -> Option<mpsc::UnboundedReceiver<Vec<Commit>>>;

    /// Whether there may be commits that are never told here: other processes make some, or the answer to
    /// a commit got lost on its way.
    fn may_keep_silent(&self) -> bool {
        false
    }

    /// The handles with which this store measures itself.
    fn metrics(&self) -> &StoreMetrics;
    /// How many changes wait for their turn to be written.
    fn waiting_writes(&self) -> usize;

    /// Fails if the database does not answer.
    async fn ping(&self) -> Result<()>;
    async fn epoch(&self) -> Result<Epoch>;
    /// Lets queued writes finish, then closes the database.
    async fn close(&self);
    /// Keeps other servers from this database until it is closed, if it can have only one. Waits some seconds for one
    /// that is about to end.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if another goes on serving it.
    async fn serve_alone(&self) -> Result<()>;

    // The journal of what every process has to hear of. Whatever ends a session, token or link, changes a user, or
    // changes a conversation without telling each change as a commit, adds to it in its own transaction. No entry
    // becomes visible after a later one did. Entries are kept for a day.

    /// The number of the latest entry; 0 before the first.
    async fn last_notice(&self) -> Result<i64>;
    /// The entries after number `after` in their order, each with its number.
    async fn list_notices(&self, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>>;

    // Accounts

    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn create_user(&self, new: NewUser) -> Result<User>;
    /// Creates the first admin, unless there is one: then `Ok(None)`. Two callers at once make one.
    /// Uses up the setup secret.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn create_first_admin(&self, new: NewUser) -> Result<Option<User>>;
    async fn has_admin(&self) -> Result<bool>;
    /// The user with the PHC string of the password.
    async fn find_user_by_email(&self, email: &Email) -> Result<Option<(User, String)>>;
    async fn find_user(&self, id: UserId) -> Result<Option<(User, String)>>;
    /// Admins first, then by name; with `search` those whose name or e-mail has it.
    async fn list_users(&self, search: Option<&str>, limit: i64) -> Result<Vec<User>>;
    /// Gives `id` a role. Only by somebody who is an admin by now, and never their own:
    /// [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn set_role(&self, by: UserId, id: UserId, role: Role) -> Result<User>;
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn rename_user(&self, id: UserId, name: Name) -> Result<User>;
    /// Remembers a secret that confirms `email` for its user: their own address, or one that is to take its place.
    /// Takes the place of any secret before for the same address, and of one address to come the place of any other.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_confirmation(
        &self,
        hash: SecretHash,
        user: UserId,
        email: Email,
        expires_at: Timestamp,
    ) -> Result<()>;
    async fn find_confirmation(&self, hash: SecretHash) -> Result<Option<Confirmation>>;
    /// Uses up the secret: its address is the user's now, and confirmed. Forgets whatever else was sent to confirm
    /// or regain the account. Returns the user before and after; `None` if the secret is wrong, expired, used, or
    /// another user's.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`].
    async fn confirm_email(&self, hash: SecretHash, user: UserId) -> Result<Option<(User, User)>>;
    /// Uses up a secret for the user's own address, which is confirmed then; sets the PHC string and ends all sessions.
    /// `None` if the secret is wrong, expired, used, or for another address than the user's.
    async fn claim_account(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>>;
    /// Sets the PHC string and ends the user's sessions except `keep`; returns those that ended. Forgets what was
    /// sent to give the account another address or password.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn set_password(&self, id: UserId, phc: String, keep: Option<SessionId>) -> Result<Vec<SessionId>>;
    /// Remembers a secret that lets its user choose a new password, in place of any before.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_password_reset(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()>;
    async fn find_password_reset(&self, hash: SecretHash) -> Result<Option<User>>;
    /// Uses up the secret, sets the PHC string and ends all sessions of its user, whose address is confirmed by
    /// that; `None` if it is wrong, expired or used.
    async fn reset_password(&self, hash: SecretHash, phc: String) -> Result<Option<(User, Vec<SessionId>)>>;

    // Invitations of admins

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user; [`StoreError::IdTaken`].
    async fn create_invite(&self, id: InviteId, hash: SecretHash, by: UserId, expires_at: Timestamp) -> Result<()>;
    async fn find_invite(&self, hash: SecretHash) -> Result<Option<Invite>>;
    async fn list_invites(&self) -> Result<Vec<Invite>>;
    /// False if there is no such invitation.
    async fn delete_invite(&self, id: InviteId) -> Result<bool>;
    /// Uses up the invitation and creates its user; `None` if it is wrong, expired or used.
    ///
    /// # Errors
    /// [`StoreError::EmailTaken`]; the invitation can then still be used.
    async fn accept_invite(&self, hash: SecretHash, new: NewUser) -> Result<Option<User>>;

    // Login sessions, found by the hash of the secret in the cookie

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_session(&self, new: NewSession) -> Result<SessionId>;
    /// The session if it has not expired and was seen after `seen_after`. `links` has only valid ones. Notes that it was seen, at
    /// most once an hour.
    async fn find_session(&self, hash: SecretHash, seen_after: Timestamp) -> Result<Option<LoginSession>>;
    async fn end_session(&self, id: SessionId) -> Result<()>;
    /// The user's sessions that can still be used, last seen first.
    async fn list_sessions(&self, user: UserId, seen_after: Timestamp) -> Result<Vec<SessionEntry>>;
    /// False if this user has no such session.
    async fn end_session_of(&self, user: UserId, id: SessionId) -> Result<bool>;
    /// Adds a link to a session; adding it again changes nothing.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such session or link.
    async fn grant_link(&self, session: SessionId, link: LinkId) -> Result<()>;
    /// Ends a session and gives its links to another, in one step: none that it is given meanwhile is lost.
    /// One that has ended before has nothing to give.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no session `into`; the other goes on.
    async fn merge_session(&self, from: SessionId, into: SessionId) -> Result<()>;
    /// Gives the user the conversations of these links that belong to nobody yet; returns them.
    async fn adopt_links(&self, user: UserId, links: &[LinkId]) -> Result<Vec<ConversationId>>;

    /// A secret that signs its user in until it expires, as printed by `--demo`.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user.
    async fn create_sign_in_link(&self, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()>;
    async fn find_sign_in_link(&self, hash: SecretHash) -> Result<Option<User>>;

    /// Remembers the hash of the one secret that opens /setup, in place of any before.
    async fn put_setup_secret(&self, hash: SecretHash) -> Result<()>;
    async fn is_setup_secret(&self, hash: SecretHash) -> Result<bool>;

    // API tokens

    /// # Errors
    /// [`StoreError::NotFound`]: there is no such user; [`StoreError::IdTaken`].
    async fn create_token(&self, id: TokenId, hash: SecretHash, user: UserId, name: Option<Name>) -> Result<()>;
    /// Those that work, newest first.
    async fn list_tokens(&self) -> Result<Vec<ApiToken>>;
    /// The token if its user is an admin.
    async fn find_token(&self, hash: SecretHash) -> Result<Option<ApiToken>>;
    /// False if there is no such token or it was revoked before.
    async fn revoke_token(&self, id: TokenId) -> Result<bool>;

    // Shared links

    async fn find_link(&self, hash: SecretHash) -> Result<Option<Link>>;
    /// Makes `new` the conversation's link; returns the links that died, also one that had just
    /// expired. Admins only, else [`StoreError::Forbidden`].
    async fn replace_link(&self, actor: &Actor, id: ConversationId, new: NewLink) -> Result<Vec<LinkId>>;
    /// Returns the links that died, also one that had just expired. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn revoke_links(&self, actor: &Actor, id: ConversationId) -> Result<Vec<LinkId>>;

    // Conversations

    /// Opens a `session` conversation (rev 1). Admins only, else [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::IdTaken`].
    async fn open_conversation(&self, actor: &Actor, new: NewConversation) -> Result<Seat>;
    async fn find_conversation(&self, actor: &Actor, id: ConversationId) -> Result<Seat>;
    /// Those of `ids` that the actor may see, in no order.
    async fn find_conversations(&self, actor: &Actor, ids: &[ConversationId]) -> Result<Vec<Seat>>;
    /// Latest activity first, after `cursor`. Admins: all; others: their own.
    async fn list_conversations(
        &self,
        actor: &Actor,
        filter: &ConversationFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<Seat>>;
    async fn count_conversations(&self, actor: &Actor) -> Result<StatusCounts>;
    /// The heads of those of `ids` that exist, in any order. Tells nothing else about them.
    async fn heads(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, i64)>>;
    /// The conversations in which something was posted, or whose status was set, at `since` or later, with
    /// their heads; latest first. Tells nothing else about them.
    async fn list_active(&self, since: Timestamp, limit: i64) -> Result<Vec<(ConversationId, i64)>>;
    /// Closes or reopens. Admins only, else [`StoreError::Forbidden`]. Already so: no new rev.
    async fn set_status(&self, actor: &Actor, id: ConversationId, status: ConversationStatus) -> Result<Seat>;
    /// Assigns an admin or nobody. Admins only, else [`StoreError::Forbidden`]. An assignee who is no
    /// admin: [`StoreError::NotFound`]. Already so: no new rev.
    async fn assign(&self, actor: &Actor, id: ConversationId, assignee: Option<UserId>) -> Result<Seat>;

    /// Whom changes of those of `ids` that exist concern. Tells nothing else about them.
    async fn audiences(&self, ids: &[ConversationId]) -> Result<Vec<(ConversationId, Audience)>>;
    /// How many messages of those of `ids` that exist each of `admins` has not read. Admins only, else
    /// [`StoreError::Forbidden`].
    async fn count_unread(
        &self,
        actor: &Actor,
        ids: &[ConversationId],
        admins: &[UserId],
    ) -> Result<Vec<(ConversationId, UserId, i64)>>;
    /// How many messages the admin has not read in all open conversations together, at most
    /// [`MOST_UNREAD`](crate::domain::MOST_UNREAD). Admins only, else [`StoreError::Forbidden`].
    async fn count_all_unread(&self, admin: &Actor) -> Result<i64>;

    // Custom requests

    /// Customers make their own; admins one for `customer`. Guests, and admins who name nobody, are
    /// [`StoreError::Forbidden`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`]: `customer` is no customer's account; [`StoreError::IdTaken`].
    async fn create_request(
        &self,
        actor: &Actor,
        id: RequestId,
        customer: Option<UserId>,
        text: RequestText,
    ) -> Result<CustomRequest>;
    async fn find_request(&self, actor: &Actor, id: RequestId) -> Result<CustomRequest>;
    /// After `cursor`, which came with a list in the same order. Admins: all; others: their own.
    async fn list_requests(
        &self,
        actor: &Actor,
        filter: &RequestFilter,
        cursor: Option<RequestCursor>,
        limit: i64,
    ) -> Result<Vec<(CustomRequest, RequestCursor)>>;
    async fn count_requests(&self, actor: &Actor) -> Result<RequestCounts>;
    async fn list_request_changes(&self, actor: &Actor, id: RequestId) -> Result<Vec<StatusChange>>;
    /// Gives a request a status, and tells so in its conversation, if there is one. Admins only, else
    /// [`StoreError::Forbidden`]. Already so: no change.
    async fn set_request_status(&self, actor: &Actor, id: RequestId, status: RequestStatus) -> Result<CustomRequest>;
    /// The conversation of a request, and whether it was opened just now: then it begins with what
    /// the request has gone through. Callers at once get the same one.
    async fn open_request_conversation(&self, actor: &Actor, id: RequestId) -> Result<(Seat, bool)>;

    // Files

    /// Notes a file that the actor has put into a conversation.
    ///
    /// # Errors
    /// [`StoreError::Closed`], [`StoreError::TooManyFiles`], [`StoreError::QuotaUsed`].
    async fn add_attachment(&self, actor: &Actor, id: ConversationId, file: Attachment, quota: Quota) -> Result<()>;
    /// How many bytes the files have that count for what this actor adds to this conversation.
    async fn file_bytes(&self, actor: &Actor, id: ConversationId, since: Timestamp) -> Result<FileBytes>;
    /// How many bytes all files have. Reads all of their sizes.
    async fn all_file_bytes(&self) -> Result<u64>;
    /// A file of a message, or one that the actor has put there and not sent yet.
    async fn find_attachment(&self, actor: &Actor, id: AttachmentId) -> Result<Attachment>;
    /// Discards the files that were put somewhere before `before` and never sent.
    async fn discard_unsent_attachments(&self, before: Timestamp) -> Result<()>;
    /// Files that nobody can have any more, and that may still be on the disk: discarded ones, and those of
    /// deleted messages.
    async fn list_discarded_attachments(&self, limit: i64) -> Result<Vec<AttachmentId>>;
    /// Forgets discarded files that are not on the disk any more.
    async fn forget_discarded_attachments(&self, ids: &[AttachmentId]) -> Result<()>;

    // Messages

    /// Messages that have all the words of `query` (of each, also what merely begins with it), latest
    /// first, after the message `after`.
    async fn search_messages(
        &self,
        actor: &Actor,
        query: &str,
        after: Option<MessageId>,
        limit: i64,
    ) -> Result<Vec<Message>>;
    /// Takes the next seq and rev. Moves the sender's receipt to the new message.
    ///
    /// # Errors
    /// [`StoreError::Conflict`]: something else was stored under this client id; [`StoreError::Closed`], unless the
    /// same was; [`StoreError::NoAttachment`].
    async fn post_message(&self, actor: &Actor, draft: Draft) -> Result<Posted>;
    /// By its author only, else [`StoreError::Forbidden`], as for system lines; a deleted one is [`StoreError::NotFound`].
    /// `room`, if given, must be the message's conversation. The same content again: no new rev, and
    /// no error if the conversation was closed since.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn edit_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
        content: Content,
    ) -> Result<Message>;
    /// By its author or an admin, else [`StoreError::Forbidden`], as for system lines. Deleted already: no new rev, and no
    /// error if the conversation was closed since.
    ///
    /// # Errors
    /// [`StoreError::Closed`].
    async fn delete_message(&self, actor: &Actor, room: Option<ConversationId>, id: MessageId) -> Result<Message>;
    /// Who the actor is in the conversation of this message.
    async fn find_changer(&self, actor: &Actor, id: MessageId) -> Result<ParticipantId>;
    /// The latest messages, or those before `before_seq`; ascending by seq.
    async fn list_before(&self, actor: &Actor, id: ConversationId, before_seq: Option<i64>, limit: i64)
    -> Result<Page>;
    /// The messages whose last change has a higher rev; ascending by rev.
    async fn list_after(&self, actor: &Actor, id: ConversationId, after_rev: i64, limit: i64) -> Result<Page>;
    /// The conversation with its people and the latest messages, or those that changed after `after_rev`.
    async fn load_room(&self, actor: &Actor, id: ConversationId, after_rev: Option<i64>, limit: i64) -> Result<Room>;

    // Erasure. What goes is gone from search and noted as discarded files in the same transaction; messages that stay
    // in an emptied form take the next rev; whole conversations are told as notices, not as commits. Each call is a step
    // of at most `batch` messages, so that nobody waits for long, and can be repeated after a crash.

    /// A step in erasing the customer with this address: first whatever lets them in, then their words and name in
    /// each of their conversations, then in their requests, and at last the account. `None`: nothing is left.
    ///
    /// # Errors
    /// [`StoreError::Forbidden`]: this is an admin.
    async fn erase_customer(&self, email: &Email, batch: i64) -> Result<Option<Erased>>;
    /// The conversations of the account with this address, and those about somebody with it who has none.
    async fn list_conversations_of(&self, email: &Email) -> Result<Vec<ConversationId>>;
    /// Conversations without activity since `before`, and requests that are done or declined. What is about a request
    /// goes only with it.
    async fn list_expired(&self, before: Timestamp, how: Expiry, limit: i64) -> Result<Vec<Expired>>;
    /// A step with one of [`Store::list_expired`]; `false` when nothing is left to do with it.
    async fn expire(&self, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool>;
    /// A step in removing what a search index still holds of deleted messages, where it holds any; `false` when
    /// nothing is left.
    async fn forget_deleted_words(&self, is_first: bool) -> Result<bool>;

    // Participants and receipts

    /// Makes the actor a participant, if not yet.
    async fn join(&self, actor: &Actor, id: ConversationId) -> Result<Seat>;
    /// Moves the actor's receipt forward to `seq`, at most to the last message. `None`: it stood
    /// there or further.
    async fn read_up_to(&self, actor: &Actor, id: ConversationId, seq: i64) -> Result<Option<Receipt>>;
    /// Notes when the last socket of a participant left.
    async fn left(&self, id: ConversationId, participant: ParticipantId, at: Timestamp) -> Result<()>;
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn no_password_is_shown() {
        for (url, fine) in [
            ("sqlite://data/bespoken.db", "sqlite://data/bespoken.db"),
            ("sqlite:a.db", "sqlite:a.db"),
            ("postgres://ada:se%40cret@db.example:5432/chat", "postgres://ada@db.example:5432/chat"),
            ("postgres://ada:s@cret@db.example/chat?password=secret", "postgres://ada@db.example/chat"),
            ("postgres://db.example/chat", "postgres://db.example/chat"),
            ("postgres:///chat?host=/run&password=secret", "postgres:///chat"),
            ("postgres://ada:s/e@db.example/chat", "postgres://ada@db.example/chat"),
            ("postgres://ada:s?e@db.example/chat", "postgres://…"),
        ] {
            assert_eq!(shown(url), fine);
        }
    }
}
