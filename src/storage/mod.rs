//! Keeps everything durable: one trait, SQLite or PostgreSQL behind it.
//!
//! Three things always hold. A function returns `Ok` for a change only after that change is on disk. Every change of a
//! conversation takes the next `head` in its own transaction, so seq and rev have neither holes nor repeats. Every
//! method on a conversation takes the requesting [`Actor`]. It returns [`StoreError::NotFound`] for data that this
//! actor may not see, as for missing data. Called by `service` only.

/// Implements [`Store`] for the database `$store` with the methods in `shared/store.rs`.
macro_rules! implement_store {
    ($store:ty: $($(#[$about:meta])* async fn $name:ident($($arguments:tt)*) -> $result:ty { $($body:tt)* })*) => {
        #[async_trait]
        impl Store for $store {
            $(async fn $name($($arguments)*) -> $result { $($body)* })*
        }
    };
}

mod acting;
mod batch;
mod copy;
mod metrics;
#[expect(clippy::duplicate_mod, reason = "both databases compile the sources in `shared`")]
pub mod postgres;
pub mod private;
#[expect(clippy::duplicate_mod, reason = "both databases compile the sources in `shared`")]
pub mod sqlite;

mod rules;
pub mod search;
mod seated;
mod times;
mod words;

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use crate::domain::Change;
use crate::domain::{
    Actor, Attachment, AttachmentId, Business, ClientId, Content, Conversation, ConversationId, ConversationStatus,
    CustomRequest, Email, Epoch, InviteId, LinkId, Message, MessageId, Name, Participant, ParticipantId, Problem,
    PushId, Rating, Receipt, RequestId, RequestOrder, RequestStatus, RequestText, Role, SessionId, StatusChange,
    Timestamp, TokenId, User, UserId,
};
use crate::locales::Locale;

pub use copy::{BATCH, Compared, DatabaseCopy, Sum};
pub use metrics::StoreMetrics;
pub use rules::MOST_REQUEST_FILES;

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
    let now = i64::try_from(since_1970.as_millis()).unwrap_or(i64::MAX);
    Timestamp(now - REWOUND_MS.load(Ordering::Relaxed))
}

/// How far the clock of this process is set back.
static REWOUND_MS: AtomicI64 = AtomicI64::new(0);

/// Sets the clock of this process back, until it is dropped. Only for filling a demo before anybody uses the server:
/// everything that is stored meanwhile has the earlier time. Nothing else can date data back.
pub(crate) struct Rewound(());

impl Rewound {
    pub(crate) fn to(at: Timestamp) -> Self {
        let rewound = Self(());
        rewound.set(at);
        rewound
    }

    /// Sets another time.
    pub(crate) fn set(&self, at: Timestamp) {
        REWOUND_MS.store(0, Ordering::Relaxed);
        REWOUND_MS.store((now().0 - at.0).max(0), Ordering::Relaxed);
    }
}

impl Drop for Rewound {
    fn drop(&mut self) {
        REWOUND_MS.store(0, Ordering::Relaxed);
    }
}

/// SHA-256 of a secret. Secrets themselves are never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct SecretHash(pub [u8; 32]);

/// The reason of a failure.
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
    /// The content does not fit the conversation, which is sealed, or is not.
    #[error("refused: {}", .0.message)]
    Refused(Box<Problem>),
    /// A sealed conversation has no files.
    #[error("sealed")]
    SealedFiles,
    /// An attached file is not one that this sender has put into the conversation and not sent yet.
    #[error("no such attachment")]
    NoAttachment,
    /// [`MAX_REPLIES`](crate::domain::MAX_REPLIES) messages reply to this one.
    #[error("too many replies to this message")]
    TooManyReplies,
    /// This person has put more files into the conversation, without sending them, than may wait there.
    #[error("too many unsent files")]
    TooManyFiles,
    /// [`MOST_REQUEST_FILES`](rules::MOST_REQUEST_FILES) belong to the request.
    #[error("too many files of this request")]
    RequestFull,
    /// The request is done or declined.
    #[error("the request has ended")]
    RequestEnded,
    /// The request is not new any more, and only new ones are edited or withdrawn.
    #[error("the request is not new")]
    RequestBegun,
    /// The conversation is open, and only closed ones are rated.
    #[error("not closed")]
    NotClosed,
    /// The rating is older than [`Rating::CHANGEABLE_MS`].
    #[error("the rating is final")]
    RatingFinal,
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
    /// The database does not fulfil this program's guarantees.
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

/// SHA-256 of a file.
pub type Digest = [u8; 32];

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

    /// The number of bytes allowed beyond `now`, and the limit that sets it.
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

/// A change that is on disk, published in the order of `rev` within its conversation.
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
    pub rating: Option<Rating>,
    /// Whether the conversation has an address for e-mails to the customer.
    pub has_email: bool,
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
    /// The browser's user agent.
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
    /// Whether browsers encrypt its messages.
    pub is_sealed: bool,
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
    pub reply_to: Option<MessageId>,
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
pub struct Snapshot {
    pub seat: Seat,
    pub page: Page,
    pub participants: Vec<Participant>,
    pub receipts: Vec<Receipt>,
}

#[derive(Clone, Debug)]
pub struct ApiToken {
    pub id: TokenId,
    /// Its purpose, in its creator's words.
    pub name: Option<Name>,
    pub user: User,
    pub created_at: Timestamp,
}

/// Where a browser takes notifications: its `PushSubscription` (Push API), and the language of its page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PushSubscription {
    /// A secret address of the browser's push service.
    pub endpoint: String,
    /// The key of the browser, an uncompressed point of P-256.
    pub public_key: Vec<u8>,
    pub auth_secret: Vec<u8>,
    pub locale: Locale,
}

/// A browser to notify, and the person in it.
#[derive(Clone, Debug)]
pub struct PushRecipient {
    pub id: PushId,
    pub actor: Actor,
    pub subscription: PushSubscription,
}

/// A conversation without activity for a while, whose latest messages were not considered for an e-mail.
#[derive(Clone, Debug)]
pub struct Quiet {
    pub id: ConversationId,
    pub last_seq: i64,
    /// The last message that was considered; 0 before the first.
    pub considered_seq: i64,
    /// The customer's account, if there is one.
    pub customer: Option<User>,
    /// The address of a customer without an account, as an admin gave it.
    pub customer_email: Option<Email>,
    /// The living link.
    pub link: Option<LinkId>,
    pub is_unsubscribed: bool,
}

/// The people whose sockets may receive a conversation, besides all admins.
#[derive(Clone, Debug, Default)]
pub struct Audience {
    pub customer: Option<UserId>,
    /// Those that are alive.
    pub links: Vec<LinkId>,
}

/// A chat by link in which the business waits for an answer, since before a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    Silent(Timestamp),
    /// A line warns that it will close.
    Warned(Timestamp),
}

/// A change that every process must learn of, not only the one that made it.
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

/// The treatment of expired data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum Expiry {
    /// They are deleted, with everything about them
    Delete,
    /// Customers' names and addresses, all messages and all files are taken out
    Anonymise,
}

/// An expired object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expired {
    /// With the request that it is about, if any.
    Conversation(ConversationId),
    /// One that has no conversation.
    Request(RequestId),
}

/// The data removed from the database.
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

/// The methods that differ between the databases: lifecycle and metrics.
#[async_trait]
pub trait Database: Send + Sync + 'static {
    /// The commits from now on, in order for each conversation. Can be taken once. It receives each change before the
    /// change's caller gets its answer.
    fn commits(&self) -> Option<mpsc::UnboundedReceiver<Vec<Commit>>>;

    /// Whether the listener may miss commits: those of other processes, and those whose answer got lost.
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
    /// Locks other servers out of this database until it is closed, if it can have only one. Waits some seconds for one
    /// that is about to end.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if another continues to serve it.
    async fn serve_alone(&self) -> Result<()>;
}

/// Makes the trait of the methods in `shared/store.rs`.
macro_rules! methods {
    ($($(#[$about:meta])* async fn $name:ident($($arguments:tt)*) -> $result:ty { $($body:tt)* })*) => {
        /// See the module [`storage`](crate::storage) for the invariants. Lists have at most `limit` items; the caller
        /// bounds it.
        #[async_trait]
        pub trait Store: Database {
            $($(#[$about])* async fn $name($($arguments)*) -> $result;)*
        }
    };
}
#[path = "shared/store.rs"]
mod store;
pub use store::Store;

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
