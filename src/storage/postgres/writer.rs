//! The few tasks that write changes of conversations, each with its own connection.
//!
//! The id of a conversation selects its lane. So this process writes and publishes its changes in one order,
//! concurrently with other conversations. A lane takes all queued jobs, runs each in a savepoint of one transaction,
//! and commits once. Then it publishes the commits and answers each job: one flush to the disk serves all of them. A
//! failed job rolls back only its own changes. The jobs of a conversation run in the order of the queue, even if their
//! callers cancel.

use std::{
    sync::{Arc, OnceLock},
    time::{Duration, Instant},
};

use futures_util::future::{BoxFuture, join_all};
use sqlx::{AssertSqlSafe, postgres::PgConnectOptions};
use tokio::{
    sync::{Mutex, mpsc, oneshot},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{
    acting::{Acting, BEGIN, COMMIT, is_lost},
    conn::{Conn, Patience, Suspicion, is_silence},
    connect, journal,
    tx::Tx,
};
use crate::{
    domain::ConversationId,
    storage::{
        Commit, Result, StoreError, StoreMetrics,
        batch::{answer, guard},
    },
};

/// How many lanes there are, each with its connection.
const LANES: usize = 4;
/// How many jobs may wait in a lane; later callers wait for a place, in order.
const QUEUE: usize = 1024;
/// How many jobs share a transaction at most, so that the first need not wait for ever.
const BATCH: usize = 256;
/// How long a whole transaction may take, of however many statements. Each has its own time, see [`Patience`].
const PATIENCE: Duration = Duration::from_secs(60);

/// The receiver of commits, once one is registered.
pub(super) type Listener = Arc<OnceLock<mpsc::UnboundedSender<Vec<Commit>>>>;

/// The way to the writing tasks.
pub(super) struct Writer {
    lanes: Vec<mpsc::Sender<Box<dyn Job>>>,
    closing: CancellationToken,
    tasks: Mutex<Vec<JoinHandle<()>>>,
}

impl Writer {
    pub(super) fn start(
        options: &PgConnectOptions,
        (patience, suspicion): (Patience, &Suspicion),
        listener: &Listener,
        metrics: &StoreMetrics,
    ) -> Self {
        let closing = CancellationToken::new();
        let start = |_| {
            let (queue, jobs) = mpsc::channel(QUEUE);
            let (listener, metrics) = (Arc::clone(listener), metrics.clone());
            let (options, suspicion) = (options.clone(), suspicion.clone());
            let lane = Lane { options, patience, suspicion, tx: None, listener, metrics };
            (queue, tokio::spawn(lane.run(jobs, closing.clone())))
        };
        let (lanes, tasks) = (0..LANES).map(start).unzip();
        Self { lanes, closing, tasks: Mutex::new(tasks) }
    }

    /// Queues `job` in the lane of `conversation` and waits until its changes are on disk. If the caller goes away
    /// after the job got its place in the queue, the job is done all the same. `first_lock` is the id of the row that
    /// the job locks first: the conversation, or the request that has none yet.
    pub(super) async fn write<T, F>(
        &self,
        conversation: ConversationId,
        first_lock: Uuid,
        acting: Acting<'_>,
        job: F,
    ) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Waiting { first_lock, acting: acting.statement(), job, result: None, reply };
        // The last byte of an id is random.
        let lane = usize::from(conversation.0.as_bytes()[15]) % self.lanes.len();
        self.lanes[lane].send(Box::new(job)).await.map_err(|_| sqlx::Error::PoolClosed)?;
        answer.await.map_err(|_| sqlx::Error::WorkerCrashed)?
    }

    /// How many jobs have a place in a queue.
    pub(super) fn waiting(&self) -> usize {
        self.lanes.iter().map(|lane| lane.max_capacity() - lane.capacity()).sum()
    }

    pub(super) fn is_running(&self) -> bool {
        !self.lanes.iter().any(mpsc::Sender::is_closed)
    }

    /// Takes no more jobs and finishes those that wait.
    pub(super) async fn finish(&self) {
        self.closing.cancel();
        join_all(self.tasks.lock().await.drain(..)).await;
    }
}

/// One of the tasks.
///
/// Other nodes write too, and wait for each other at a conversation's row, which each job locks before it writes
/// anything else. Within a transaction, jobs run in the order of their locks, so deadlocks between nodes are rare;
/// PostgreSQL then fails one transaction. After a rollback for a reason outside the jobs, the lane retries each job
/// once by itself.
struct Lane {
    options: PgConnectOptions,
    patience: Patience,
    suspicion: Suspicion,
    /// `None` before the first job, and after a failure that leaves the state of the connection unknown.
    tx: Option<Tx>,
    listener: Listener,
    metrics: StoreMetrics,
}

/// Why a transaction failed.
struct Failure {
    error: StoreError,
    then: Then,
}

enum Then {
    /// Doing the same again may succeed, and cannot do it twice.
    Repeat,
    /// The database cannot be reached.
    GiveUpAll,
    GiveUp,
}

impl Lane {
    async fn run(mut self, mut jobs: mpsc::Receiver<Box<dyn Job>>, closing: CancellationToken) {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                biased;
                () = closing.cancelled(), if !jobs.is_closed() => jobs.close(),
                taken = jobs.recv_many(&mut batch, BATCH) => match taken {
                    0 => break,
                    _ => {
                        self.write(&mut batch).await;
                        // Lets callers that were just answered queue more jobs for the next batch, not for the one
                        // after it.
                        tokio::task::yield_now().await;
                    }
                }
            }
        }
        if let Some(Tx { conn, .. }) = self.tx
            && let Err(error) = conn.close().await
        {
            tracing::warn!(%error, "a connection to the database was not closed cleanly");
        }
    }

    /// Writes all of `batch`, in one transaction if possible, and answers.
    async fn write(&mut self, batch: &mut Vec<Box<dyn Job>>) {
        // Stable: the jobs of a conversation stay in their order.
        batch.sort_by_key(|job| job.first_lock());
        match self.attempt(batch).await {
            Err(Failure { error, then: Then::Repeat }) => {
                tracing::debug!(%error, jobs = batch.len(), "writing again, one by one");
                while !batch.is_empty() {
                    let outcome = self.attempt(&mut batch[..1]).await;
                    // Each of those that wait would wait as long.
                    let is_over = outcome
                        .as_ref()
                        .is_err_and(|failure| matches!(failure.then, Then::GiveUpAll) || is_silent(&failure.error));
                    let answered = if is_over { batch.len() } else { 1 };
                    self.answer(batch.drain(..answered), outcome);
                }
            }
            outcome => self.answer(batch.drain(..), outcome),
        }
    }

    fn answer(&self, jobs: impl Iterator<Item = Box<dyn Job>>, outcome: std::result::Result<Vec<Commit>, Failure>) {
        let failure = match outcome {
            Ok(commits) => {
                // Before the answers: a message is published before its caller learns that it is on disk.
                if !commits.is_empty()
                    && let Some(listener) = self.listener.get()
                {
                    let _ = listener.send(commits);
                }
                None
            }
            Err(Failure { error, .. }) => Some(Arc::new(error)),
        };
        for job in jobs {
            job.answer(failure.as_ref());
        }
    }

    async fn attempt(&mut self, batch: &mut [Box<dyn Job>]) -> std::result::Result<Vec<Commit>, Failure> {
        // The connection stays out if anything goes wrong, and with it the transaction, which then ends
        // with it.
        let mut tx = match self.tx.take() {
            Some(tx) => tx,
            None => match connect(&self.options, self.patience.connect).await {
                Ok(conn) => {
                    let conn = Conn::own(conn, self.patience.begin, self.suspicion.clone());
                    Tx { conn, commits: Vec::new(), notices: Vec::new() }
                }
                Err(error) => return Err(Failure { error, then: Then::GiveUpAll }),
            },
        };
        tx.commits.clear();
        tx.notices.clear();
        let began = Instant::now();
        let patience = self.patience;
        let written = tokio::time::timeout(PATIENCE, async {
            match run(&mut tx, batch, patience).await {
                // From here on nobody knows what becomes of it, unless the answer comes.
                Ok(true) => execute(&mut tx, COMMIT.to_owned()).await.map_err(|error| (error, false)),
                Ok(false) => Ok(()),
                Err(error) => Err((error, true)),
            }
        });
        match written.await {
            Ok(Ok(())) => {
                self.metrics.commits.observe(began.elapsed().as_secs_f64());
                self.metrics.batches.observe(batch.len() as f64);
                let commits = std::mem::take(&mut tx.commits);
                self.tx = Some(tx);
                Ok(commits)
            }
            Ok(Err((error, is_undone))) => {
                let then = if is_undone && may_pass(&error) { Then::Repeat } else { Then::GiveUp };
                Err(Failure { error, then })
            }
            Err(_) => {
                let error = sqlx::Error::Io(std::io::ErrorKind::TimedOut.into()).into();
                Err(Failure { error, then: Then::GiveUp })
            }
        }
    }
}

/// Runs all jobs in one transaction, and says whether it is still open, to be committed.
async fn run(tx: &mut Tx, batch: &mut [Box<dyn Job>], patience: Patience) -> Result<bool> {
    // One text ends the previous job, begins the next and sets its actor, because each separate statement costs a round
    // trip. A job alone needs no savepoint.
    let is_alone = batch.len() == 1;
    tx.conn.answer_within(patience.begin);
    let mut before = if is_alone { BEGIN.to_owned() } else { format!("{BEGIN}; savepoint job") };
    for job in batch {
        execute(tx, format!("{before}; {}", job.acting())).await?;
        tx.conn.answer_within(patience.answer);
        let (told, noted) = (tx.commits.len(), tx.notices.len());
        match job.run(tx).await {
            Ran::Stands => before = "release savepoint job; savepoint job".to_owned(),
            Ran::Fails if is_alone => {
                tx.commits.clear();
                tx.notices.clear();
                execute(tx, "rollback".to_owned()).await?;
                return Ok(false);
            }
            Ran::Fails => {
                tx.commits.truncate(told);
                tx.notices.truncate(noted);
                before = "rollback to savepoint job".to_owned();
            }
            Ran::NotItsFault(error) => return Err(error),
        }
    }
    if before.starts_with("rollback") {
        execute(tx, before).await?;
    }
    if !tx.notices.is_empty() {
        execute(tx, Acting::System.statement()).await?;
        journal::note(&mut tx.conn, tx.notices.drain(..)).await?;
    }
    Ok(true)
}

async fn execute(tx: &mut Tx, sql: String) -> Result<()> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut tx.conn).await?;
    Ok(())
}

/// Whether the database did not answer in time.
fn is_silent(error: &StoreError) -> bool {
    matches!(error, StoreError::Database(error) if is_silence(error))
}

/// Whether a concurrent transaction is the reason.
fn may_pass(error: &StoreError) -> bool {
    let StoreError::Database(error) = error else { return false };
    // Serialization failure, deadlock, lock not available.
    let code = error.as_database_error().and_then(|error| error.code());
    is_lost(error) || code.is_some_and(|code| matches!(&*code, "40001" | "40P01" | "55P03"))
}

/// The result of a job.
enum Ran {
    Stands,
    /// Its own changes must be taken back.
    Fails,
    /// The whole transaction must be taken back, and may be done again.
    NotItsFault(StoreError),
}

/// A write job of any return type.
trait Job: Send {
    fn first_lock(&self) -> Uuid;
    /// The statement that says on whose behalf it runs.
    fn acting(&self) -> &str;
    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, Ran>;
    /// Called once the changes are on disk, or with the reason why nothing of the batch is.
    fn answer(self: Box<Self>, failure: Option<&Arc<StoreError>>);
}

struct Waiting<F, T> {
    first_lock: Uuid,
    acting: String,
    job: F,
    result: Option<Result<T>>,
    reply: oneshot::Sender<Result<T>>,
}

impl<F, T> Job for Waiting<F, T>
where
    T: Send,
    F: for<'c> FnOnce(&'c mut Tx) -> BoxFuture<'c, Result<T>> + Clone + Send,
{
    fn first_lock(&self) -> Uuid {
        self.first_lock
    }

    fn acting(&self) -> &str {
        &self.acting
    }

    fn run<'c>(&'c mut self, tx: &'c mut Tx) -> BoxFuture<'c, Ran> {
        // A copy runs, as it may have to run again.
        let job = self.job.clone();
        Box::pin(async move {
            self.result = guard(async move { job(tx).await }).await;
            match self.result.take_if(|result| result.as_ref().is_err_and(may_pass)) {
                Some(Err(error)) => Ran::NotItsFault(error),
                _ if matches!(self.result, Some(Ok(_))) => Ran::Stands,
                _ => Ran::Fails,
            }
        })
    }

    fn answer(self: Box<Self>, failure: Option<&Arc<StoreError>>) {
        // The caller may have gone away; the change stands.
        let _ = self.reply.send(answer(self.result, failure));
    }
}
