//! The one writer task.
//!
//! It takes all queued jobs, runs each in a savepoint of one transaction, and commits once. Then it publishes the
//! commits and answers each job: one flush to the disk serves all of them. A failed job rolls back only its own
//! changes. Jobs run in the order of the queue, even if their callers cancel. If the transaction itself fails, the
//! batch changes nothing, all its jobs return the error, and the task continues with a new connection.
//!
//! The task stores consecutive messages, the most frequent jobs, together: one of each conversation at a time, in a
//! shared savepoint. So those of a conversation keep their order. If one of them fails, the task stores each by itself.

use std::{
    collections::HashMap,
    sync::{Arc, OnceLock},
    time::Instant,
};

use futures_util::future::BoxFuture;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

use super::{connect, messages, tx::Tx};
use crate::{
    domain::Actor,
    storage::{
        Commit, Draft, Posted, Result, StoreError, StoreMetrics,
        batch::{answer, guard},
        now,
    },
};

/// How many jobs may wait, and then share a transaction; later callers wait for a place, in order.
const QUEUE: usize = 1024;

/// The receiver of commits, once one is registered.
pub(super) type Listener = Arc<OnceLock<mpsc::UnboundedSender<Vec<Commit>>>>;

/// The way to the writing task.
pub(super) struct Writer {
    queue: mpsc::Sender<Queued>,
    closing: CancellationToken,
    task: Mutex<Option<JoinHandle<Option<Tx>>>>,
}

impl Writer {
    pub(super) fn start(
        conn: SqliteConnection,
        options: SqliteConnectOptions,
        listener: Listener,
        metrics: StoreMetrics,
    ) -> Self {
        let (queue, jobs) = mpsc::channel(QUEUE);
        let closing = CancellationToken::new();
        let tx = Some(Tx { conn, commits: Vec::new() });
        let task = tokio::spawn(Task { options, tx, listener, metrics }.run(jobs, closing.clone()));
        Self { queue, closing, task: Mutex::new(Some(task)) }
    }

    /// Queues `job` and waits until its changes are on disk. If the caller goes away after the job
    /// got its place in the queue, the job is done all the same.
    pub(super) async fn write<T, F>(&self, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Queued::Job(Box::new(Waiting { job: Some(job), result: None, reply: Some(reply) }));
        self.queue.send(job).await.map_err(|_| sqlx::Error::PoolClosed)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// The same for a message that somebody sends.
    pub(super) async fn post(&self, actor: Actor, draft: Draft) -> Result<Posted> {
        let (reply, answer) = oneshot::channel();
        let post = Queued::Post(Box::new(Post { actor, draft, result: None, reply }));
        self.queue.send(post).await.map_err(|_| sqlx::Error::PoolClosed)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// Queues `job` if there is a place, without waiting; for jobs that may be lost.
    pub(super) fn write_later<F>(&self, job: F)
    where
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<()>> + Send + 'static,
    {
        // A full queue means that there are more urgent things to write.
        let _ = self.queue.try_send(Queued::Job(Box::new(Waiting { job: Some(job), result: None, reply: None })));
    }

    /// How many jobs have a place in the queue.
    pub(super) fn waiting(&self) -> usize {
        self.queue.max_capacity() - self.queue.capacity()
    }

    pub(super) fn is_running(&self) -> bool {
        !self.queue.is_closed()
    }

    /// Takes no more jobs and finishes those that wait. Returns the connection the first time, if
    /// it is sound; a later call returns when the first is through.
    pub(super) async fn finish(&self) -> Option<SqliteConnection> {
        self.closing.cancel();
        let mut task = self.task.lock().await;
        let tx = task.take()?.await.ok().flatten()?;
        Some(tx.conn)
    }
}

struct Task {
    options: SqliteConnectOptions,
    /// `None` after a failure that leaves the state of the connection unknown.
    tx: Option<Tx>,
    listener: Listener,
    metrics: StoreMetrics,
}

impl Task {
    async fn run(mut self, mut jobs: mpsc::Receiver<Queued>, closing: CancellationToken) -> Option<Tx> {
        let mut batch = Vec::with_capacity(QUEUE);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut batch, QUEUE) => match taken {
                    0 => return self.tx,
                    _ => {
                        self.write(&mut batch).await;
                        // Lets callers that were just answered queue more jobs for the next batch, not for the one
                        // after it.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
    }

    /// Writes all of `batch` in one transaction and answers.
    async fn write(&mut self, batch: &mut Vec<Queued>) {
        let began = Instant::now();
        match self.attempt(batch).await {
            Ok(commits) => {
                self.metrics.commits.observe(began.elapsed().as_secs_f64());
                self.metrics.batches.observe(batch.len() as f64);
                // Before the answers: a message is published before its caller learns that it is on disk.
                if !commits.is_empty()
                    && let Some(listener) = self.listener.get()
                {
                    let _ = listener.send(commits);
                }
                for job in batch.drain(..) {
                    job.answer(None);
                }
            }
            Err(error) => {
                // What SQLite has rolled back by itself differs from failure to failure: a new
                // connection is sure to have no transaction open.
                self.tx = None;
                let error = Arc::new(error);
                for job in batch.drain(..) {
                    job.answer(Some(&error));
                }
            }
        }
    }

    async fn attempt(&mut self, batch: &mut [Queued]) -> Result<Vec<Commit>> {
        let tx = match &mut self.tx {
            Some(tx) => tx,
            none => none.insert(Tx { conn: connect_to_write(&self.options).await?, commits: Vec::new() }),
        };
        tx.commits.clear();

        let mut parts = parts(batch);
        if let [part] = &mut parts[..] {
            // One that is alone needs no savepoint.
            execute(tx, "begin immediate").await?;
            if part.run(tx).await.is_ok() {
                execute(tx, "commit").await?;
                return Ok(std::mem::take(&mut tx.commits));
            }
            execute(tx, "rollback").await?;
            tx.commits.clear();
            parts = parts.into_iter().flat_map(Part::divide).collect();
            if parts.is_empty() {
                return Ok(Vec::new());
            }
        }
        execute(tx, "begin immediate; savepoint part").await?;
        for mut part in parts {
            if !run_in_savepoint(tx, &mut part).await? {
                for mut one in part.divide() {
                    run_in_savepoint(tx, &mut one).await?;
                }
            }
        }
        execute(tx, "commit").await?;
        Ok(std::mem::take(&mut tx.commits))
    }
}

/// If SQLite cannot open a file for writing, it silently opens it for reading, and stays so even when the file becomes
/// writable again.
async fn connect_to_write(options: &SqliteConnectOptions) -> Result<SqliteConnection> {
    let mut conn = connect(options).await?;
    // Reaches no disk, but is refused at once where nothing can be written.
    sqlx::query("begin immediate; pragma user_version = 1; rollback").execute(&mut conn).await?;
    Ok(conn)
}

/// Says whether the changes of `part` stand, and begins the next savepoint.
async fn run_in_savepoint(tx: &mut Tx, part: &mut Part<'_>) -> Result<bool> {
    let before = tx.commits.len();
    match part.run(tx).await {
        Ok(()) => {
            execute(tx, "release part; savepoint part").await?;
            Ok(true)
        }
        Err(reason) => {
            // Fails if SQLite has rolled back all: then the part's own error says why.
            execute(tx, "rollback to part")
                .await
                .map_err(|_| sqlx::Error::Protocol(format!("all was rolled back: {reason}")))?;
            tx.commits.truncate(before);
            Ok(false)
        }
    }
}

/// Jobs that share a savepoint.
enum Part<'a> {
    Job(&'a mut Box<dyn Job>),
    /// Each of another conversation.
    Posts(Vec<&'a mut Post>),
}

/// The parts of a batch, in their order.
fn parts(batch: &mut [Queued]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    // The place of the part that holds the latest message of each conversation, since the last other job.
    let mut latest = HashMap::new();
    let mut first = 0;
    for queued in batch {
        match queued {
            Queued::Job(job) => {
                parts.push(Part::Job(job));
                latest.clear();
                first = parts.len();
            }
            Queued::Post(post) => {
                let next = latest.entry(post.draft.conversation_id).and_modify(|place| *place += 1).or_insert(first);
                match parts.get_mut(*next) {
                    Some(Part::Posts(posts)) => posts.push(post),
                    _ => parts.push(Part::Posts(vec![post])),
                }
            }
        }
    }
    parts
}

impl Part<'_> {
    /// # Errors
    /// The reason why its changes must be taken back.
    async fn run(&mut self, tx: &mut Tx) -> std::result::Result<(), String> {
        match self {
            Self::Job(job) => job.run(tx).await,
            Self::Posts(posts) => {
                let drafts: Vec<_> = posts.iter().map(|post| (&post.actor, &post.draft)).collect();
                match guard(messages::post(tx, &drafts, now())).await {
                    Some(Ok(results)) => {
                        posts.iter_mut().zip(results).for_each(|(post, result)| post.result = Some(result));
                        Ok(())
                    }
                    Some(Err(error)) => {
                        let reason = error.to_string();
                        if let [post] = &mut posts[..] {
                            post.result = Some(Err(error));
                        }
                        Err(reason)
                    }
                    None => Err(BUG.to_owned()),
                }
            }
        }
    }

    /// Its messages one by one, if there are several.
    fn divide(self) -> Vec<Self> {
        match self {
            Self::Posts(posts) if posts.len() > 1 => posts.into_iter().map(|post| Self::Posts(vec![post])).collect(),
            _ => Vec::new(),
        }
    }
}

/// Transactions are plain SQL here: sqlx's nesting count becomes wrong when SQLite rolls back by itself, as on a full
/// disk.
async fn execute(tx: &mut Tx, sql: &'static str) -> Result<()> {
    sqlx::query(sql).execute(&mut tx.conn).await?;
    Ok(())
}

const BUG: &str = "a bug";

enum Queued {
    Post(Box<Post>),
    Job(Box<dyn Job>),
}

impl Queued {
    /// Called once the changes are on disk, or with the reason why nothing of the batch is.
    fn answer(self, failure: Option<&Arc<StoreError>>) {
        match self {
            // The caller may have gone away; the change stands.
            Self::Post(post) => drop(post.reply.send(answer(post.result, failure))),
            Self::Job(job) => job.answer(failure),
        }
    }
}

/// A message that somebody sends.
struct Post {
    actor: Actor,
    draft: Draft,
    result: Option<Result<Posted>>,
    reply: oneshot::Sender<Result<Posted>>,
}

/// Another write job, of any return type.
trait Job: Send {
    /// # Errors
    /// The reason why its changes must be taken back.
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, std::result::Result<(), String>>;
    fn answer(self: Box<Self>, failure: Option<&Arc<StoreError>>);
}

struct Waiting<F, T> {
    job: Option<F>,
    result: Option<Result<T>>,
    reply: Option<oneshot::Sender<Result<T>>>,
}

impl<F, T> Job for Waiting<F, T>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Send,
{
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, std::result::Result<(), String>> {
        Box::pin(async move {
            let Some(job) = self.job.take() else { return Err(BUG.to_owned()) };
            self.result = guard(async move { job(tx).await }).await;
            match &self.result {
                Some(Ok(_)) => Ok(()),
                Some(Err(error)) => Err(error.to_string()),
                None => Err(BUG.to_owned()),
            }
        })
    }

    fn answer(self: Box<Self>, failure: Option<&Arc<StoreError>>) {
        if let Some(reply) = self.reply {
            // The caller may have gone away; the change stands.
            let _ = reply.send(answer(self.result, failure));
        }
    }
}

/// Brings the whole write-ahead log into the database file and closes.
pub(super) async fn checkpoint_and_close(mut conn: SqliteConnection) {
    if let Err(error) = sqlx::query("pragma wal_checkpoint(truncate)").execute(&mut conn).await {
        // Nothing is lost: the next start reads the log.
        tracing::warn!(%error, "the write-ahead log could not be checkpointed");
    }
    if let Err(error) = conn.close().await {
        tracing::warn!(%error, "the database was not closed cleanly");
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;
    use sqlx::sqlite::SqliteJournalMode;
    use tempfile::TempDir;

    use super::*;
    use crate::{
        domain::{Content, ConversationId, Email, LinkId, Name, Role, User, UserId},
        storage::{Change, Database, NewConversation, NewLink, SecretHash, Store, sqlite::SqliteStore},
    };

    /// A writer on a file with one table, and its commits.
    async fn start(folder: &TempDir, pragma: &'static str) -> (Writer, Listener) {
        let options = SqliteConnectOptions::new()
            .filename(folder.path().join("writer.db"))
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal);
        let mut conn = connect(&options).await.unwrap();
        sqlx::query("create table words (word text not null unique)").execute(&mut conn).await.unwrap();
        sqlx::raw_sql(pragma).execute(&mut conn).await.unwrap();
        let listener = Listener::default();
        (Writer::start(conn, options, Arc::clone(&listener), StoreMetrics::default()), listener)
    }

    /// Publishes the length of the word as rev.
    async fn insert(tx: &mut Tx, word: String) -> Result<()> {
        let rev = i64::try_from(word.len()).unwrap();
        tx.commits.push(Commit { conversation_id: ConversationId::new(), rev, change: Change::Conversation });
        sqlx::query("insert into words values (?1)").bind(word).execute(&mut tx.conn).await?;
        Ok(())
    }

    async fn words(writer: &Writer) -> Vec<String> {
        let words = writer.write(|tx| {
            Box::pin(async move {
                let words = sqlx::query_scalar("select substr(word, 1, 9) from words order by rowid");
                Ok(words.fetch_all(&mut tx.conn).await?)
            })
        });
        words.await.unwrap()
    }

    #[tokio::test]
    async fn a_bug_in_one_job_does_not_end_all_writing() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, listener) = start(&folder, "").await;
        let (sender, mut told) = mpsc::unbounded_channel();
        listener.set(sender).unwrap();
        let write = |word: &'static str| {
            writer.write(move |tx| {
                Box::pin(async move {
                    insert(tx, word.to_owned()).await?;
                    assert_ne!(word, "bug");
                    Ok(())
                })
            })
        };
        let alone = write("bug").await;
        assert!(matches!(alone, Err(StoreError::Database(sqlx::Error::WorkerCrashed))), "{alone:?}");
        let (first, before, bug, after) = tokio::join!(write("first"), write("before"), write("bug"), write("after"));
        assert!(first.is_ok() && before.is_ok() && after.is_ok());
        assert!(matches!(bug, Err(StoreError::Database(sqlx::Error::WorkerCrashed))), "{bug:?}");
        assert_eq!(words(&writer).await, ["first", "before", "after"]);
        let told: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).flatten().map(|commit| commit.rev).collect();
        assert_eq!(told, [5, 6, 5], "what was taken back is not told");
    }

    /// As after a time in which its file could only be read.
    #[tokio::test]
    async fn a_connection_that_only_reads_is_not_taken() {
        let folder = tempfile::tempdir().unwrap();
        drop(start(&folder, "pragma user_version = 7").await);
        let options = SqliteConnectOptions::new().filename(folder.path().join("writer.db"));
        let mut writing = connect_to_write(&options).await.unwrap();
        let version: i64 = sqlx::query_scalar("pragma user_version").fetch_one(&mut writing).await.unwrap();
        assert_eq!(version, 7, "it was only tried");
        let refusal = connect_to_write(&options.read_only(true)).await.expect_err("it cannot write");
        assert!(refusal.to_string().contains("readonly"), "{refusal}");
    }

    /// As on a full disk: SQLite may roll everything back by itself, and the next batch finds room.
    #[tokio::test]
    async fn a_full_disk_fails_its_batch_and_no_later_one() {
        for neighbours in [0, 2] {
            let folder = tempfile::tempdir().unwrap();
            let (writer, _) = start(&folder, "pragma max_page_count = 20").await;
            let write = |word: String| writer.write(move |tx| Box::pin(insert(tx, word)));
            write("small".to_owned()).await.unwrap();

            let mut words_at_once: Vec<_> = (0..neighbours).map(|n| format!("neighbour {n}")).collect();
            words_at_once.insert(neighbours / 2, "large".repeat(100_000));
            // SQLite rolls back the shared transaction, and each job returns the error.
            for outcome in join_all(words_at_once.into_iter().map(write)).await {
                let error = outcome.unwrap_err().to_string();
                assert!(error.contains("full"), "{error}");
            }
            assert_eq!(words(&writer).await, ["small"]);

            write("later".to_owned()).await.unwrap();
            assert_eq!(words(&writer).await, ["small", "later"]);
        }
    }

    #[tokio::test]
    async fn a_failed_commit_fails_the_batch() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, listener) = start(&folder, "").await;
        let (sender, mut told) = mpsc::unbounded_channel();
        listener.set(sender).unwrap();
        // A broken reference that may be mended until the commit, and is not.
        let broken = writer.write(|tx| {
            Box::pin(async move {
                let sql = "create table a (id integer primary key);
                           create table b (a integer references a (id) deferrable initially deferred);
                           insert into b values (1)";
                sqlx::raw_sql(sql).execute(&mut tx.conn).await?;
                insert(tx, "broken".to_owned()).await
            })
        });
        let error = broken.await.unwrap_err().to_string();
        assert!(error.contains("the transaction failed") && error.contains("FOREIGN KEY"), "{error}");
        assert!(told.try_recv().is_err());
        writer.write(|tx| Box::pin(insert(tx, "next".to_owned()))).await.unwrap();
        assert_eq!(words(&writer).await, ["next"]);
    }

    #[tokio::test]
    async fn jobs_that_may_be_lost_are_written_in_order() {
        let folder = tempfile::tempdir().unwrap();
        let (writer, _) = start(&folder, "").await;
        writer.write_later(|tx| Box::pin(insert(tx, "later".to_owned())));
        assert_eq!(words(&writer).await, ["later"]);
        assert!(writer.is_running());
        assert!(writer.finish().await.is_some());
        assert!(writer.finish().await.is_none());
        assert!(!writer.is_running());
        writer.write_later(|tx| Box::pin(insert(tx, "too late".to_owned())));
    }

    /// If one message of a group cannot be stored, the writer tries each by itself.
    #[tokio::test]
    async fn one_message_that_cannot_be_stored_is_alone_in_that() {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(&format!("sqlite://{}/writer.db", folder.path().display())).await.unwrap();
        const SQL: &str = "create trigger refuse before insert on messages when new.content = 'refused'
                   begin select raise(abort, 'this one not'); end";
        let trigger = store.writer.write(|tx| Box::pin(async { Ok(sqlx::query(SQL).execute(&mut tx.conn).await?) }));
        trigger.await.unwrap();
        let admin = Actor::Admin(User {
            id: UserId::new(),
            email: Email::trusted("admin@example.org".to_owned()),
            name: Name::trusted("Admin".to_owned()),
            role: Role::Admin,
            is_confirmed: true,
            created_at: now(),
        });
        let mut rooms = Vec::new();
        for n in 0..10 {
            let new = NewConversation {
                id: ConversationId::new(),
                is_sealed: false,
                customer_name: Name::trusted(format!("Customer {n}")),
                customer_id: None,
                customer_email: None,
                metadata: serde_json::Value::Null,
                link: NewLink { id: LinkId::new(), hash: SecretHash([n; 32]), expires_at: None },
            };
            rooms.push(new.id);
            store.open_conversation(&admin, new).await.unwrap();
        }
        let mut told = store.commits().unwrap();
        let outcomes = join_all(rooms.iter().enumerate().map(|(n, &conversation_id)| {
            let content = Content::parse(if n == 4 { "refused" } else { "fine" }, 10).unwrap();
            let draft = Draft { conversation_id, client_id: None, content, attachments: Vec::new(), reply_to: None };
            store.post_message(&admin, draft)
        }))
        .await;
        for (n, outcome) in outcomes.iter().enumerate() {
            match outcome {
                Ok(posted) => assert!(n != 4 && posted.fresh && posted.message.seq == 1),
                Err(error) => assert!(n == 4 && error.to_string().contains("this one not"), "{n}: {error}"),
            }
        }
        let told: Vec<_> = std::iter::from_fn(|| told.try_recv().ok()).flatten().map(|c| c.conversation_id).collect();
        let stored: Vec<_> = rooms.iter().copied().filter(|room| *room != rooms[4]).collect();
        assert_eq!(told, stored, "each is told once, and what was taken back is not");
    }
}
