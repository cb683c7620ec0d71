//! A connection with timeouts: the only place that waits for PostgreSQL's answer.
//!
//! A network can drop packets without an error. A statement would then wait until the system closes the connection,
//! which takes minutes. Here each statement has a timeout. After one, the pool discards the connection, and suspects
//! those that were idle meanwhile, because they most likely broke too.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use futures_util::{
    StreamExt,
    future::BoxFuture,
    stream::{BoxStream, unfold},
};
use sqlx::{
    Either, Execute, Executor, PgConnection, Postgres, SqlStr,
    pool::{PoolConnection, PoolConnectionMetadata},
    postgres::{PgQueryResult, PgRow, PgStatement, PgTypeInfo},
};
use tokio::time::{timeout, timeout_at};

/// How long a call waits for PostgreSQL before it fails. The caller can then retry a write to a conversation; after a
/// commit the outcome is unknown.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a new connection, or a place in the pool.
    pub connect: Duration,
    /// For the answer to a statement that has nothing to do. Shows that a connection is alive.
    pub begin: Duration,
    /// For the answer to any other. PostgreSQL's own timeout is shorter, so that it can report the error.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        let [connect, begin, answer] = [5, 3, 10].map(Duration::from_secs);
        Self { connect, begin, answer }
    }
}

impl Patience {
    /// The timeouts that PostgreSQL itself enforces. PostgreSQL ends the transaction of an unresponsive program and
    /// releases its locks. The settings for TCP count where it is used.
    pub(super) fn settings(&self) -> [(&'static str, String); 7] {
        let ms = |time: Duration| time.as_millis().to_string();
        let seconds = |time: Duration| time.as_secs().max(1).to_string();
        [
            ("statement_timeout", ms(self.answer * 4 / 5)),
            ("lock_timeout", ms(self.answer / 2)),
            ("idle_in_transaction_session_timeout", ms(self.answer)),
            ("tcp_user_timeout", ms(self.answer)),
            ("tcp_keepalives_idle", seconds(self.answer)),
            ("tcp_keepalives_interval", seconds(self.answer / 4)),
            ("tcp_keepalives_count", "3".to_owned()),
        ]
    }
}

/// The start of the last silence of any connection.
#[derive(Clone, Debug, Default)]
pub(super) struct Suspicion(Arc<Mutex<Option<Instant>>>);

impl Suspicion {
    fn arise(&self, silent_for: Duration) {
        let since = Instant::now().checked_sub(silent_for);
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *last = since.max(*last);
    }

    /// Whether a connection of the pool has answered nothing since.
    pub(super) fn falls_on(&self, connection: &PoolConnectionMetadata) -> bool {
        let since = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        since.is_some_and(|since| connection.idle_for >= since.elapsed())
    }
}

/// See the module. It is an [`Executor`], as `PgConnection` is.
#[derive(Debug)]
pub(super) struct Conn {
    raw: Raw,
    within: Duration,
    has_been_silent: bool,
    suspicion: Suspicion,
}

enum Raw {
    Pooled(PoolConnection<Postgres>),
    Own(PgConnection),
}

impl std::fmt::Debug for Raw {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Pooled(_) => "Pooled",
            Self::Own(_) => "Own",
        })
    }
}

impl Raw {
    fn get(&mut self) -> &mut PgConnection {
        match self {
            Self::Pooled(conn) => conn,
            Self::Own(conn) => conn,
        }
    }
}

impl Conn {
    pub(super) fn pooled(conn: PoolConnection<Postgres>, within: Duration, suspicion: Suspicion) -> Self {
        Self { raw: Raw::Pooled(conn), within, has_been_silent: false, suspicion }
    }

    pub(super) fn own(conn: PgConnection, within: Duration, suspicion: Suspicion) -> Self {
        Self { raw: Raw::Own(conn), within, has_been_silent: false, suspicion }
    }

    /// How long the statements from here on may take.
    pub(super) fn answer_within(&mut self, within: Duration) {
        self.within = within;
    }

    pub(super) fn has_been_silent(&self) -> bool {
        self.has_been_silent
    }

    /// Closes the socket without a word, and leaves its place in the pool to another.
    pub(super) fn discard(self) {
        match self.raw {
            Raw::Pooled(conn) => drop(conn.detach()),
            Raw::Own(conn) => drop(conn),
        }
    }

    /// Takes leave of the server, if this is no connection of the pool.
    pub(super) async fn close(self) -> sqlx::Result<()> {
        match self.raw {
            Raw::Pooled(conn) => drop(conn),
            Raw::Own(conn) => {
                let closing = sqlx::Connection::close(conn);
                timeout(self.within, closing).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
            }
        }
        Ok(())
    }
}

/// Records that a connection did not answer.
fn silence(silent_for: Duration, has_been_silent: &mut bool, suspicion: &Suspicion) -> sqlx::Error {
    *has_been_silent = true;
    suspicion.arise(silent_for);
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, "the database does not answer"))
}

/// Whether the answer did not come in time.
pub(super) fn is_silence(error: &sqlx::Error) -> bool {
    matches!(error, sqlx::Error::Io(error) if error.kind() == io::ErrorKind::TimedOut)
}

impl Conn {
    /// Awaits what `ask` asks, for as long as it may take.
    fn bounded<'e, T>(
        &'e mut self,
        ask: impl FnOnce(&'e mut PgConnection) -> BoxFuture<'e, sqlx::Result<T>>,
    ) -> BoxFuture<'e, sqlx::Result<T>>
    where
        T: Send + 'e,
    {
        let Self { raw, within, has_been_silent, suspicion } = self;
        let within = *within;
        let answer = timeout(within, ask(raw.get()));
        Box::pin(async move {
            match answer.await {
                Ok(answer) => answer,
                Err(_) => Err(silence(within, has_been_silent, suspicion)),
            }
        })
    }
}

impl<'c> Executor<'c> for &'c mut Conn {
    type Database = Postgres;

    fn execute<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<PgQueryResult>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.bounded(|conn| conn.execute(query))
    }

    fn fetch_all<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Vec<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.bounded(|conn| conn.fetch_all(query))
    }

    fn fetch_optional<'e, 'q: 'e, E>(self, query: E) -> BoxFuture<'e, sqlx::Result<Option<PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        self.bounded(|conn| conn.fetch_optional(query))
    }

    fn fetch_many<'e, 'q: 'e, E>(self, query: E) -> BoxStream<'e, sqlx::Result<Either<PgQueryResult, PgRow>>>
    where
        'c: 'e,
        E: 'q + Execute<'q, Postgres>,
    {
        let Conn { raw, within, has_been_silent, suspicion } = self;
        let within = *within;
        let until = tokio::time::Instant::now() + within;
        let rows = Some((raw.get().fetch_many(query), has_been_silent));
        let suspicion = &*suspicion;
        unfold(rows, move |rows| async move {
            let (mut rows, has_been_silent) = rows?;
            match timeout_at(until, rows.next()).await {
                Ok(row) => Some((row?, Some((rows, has_been_silent)))),
                Err(_) => Some((Err(silence(within, has_been_silent, suspicion)), None)),
            }
        })
        .boxed()
    }

    fn prepare_with<'e>(self, sql: SqlStr, parameters: &'e [PgTypeInfo]) -> BoxFuture<'e, sqlx::Result<PgStatement>>
    where
        'c: 'e,
    {
        self.bounded(move |conn| conn.prepare_with(sql, parameters))
    }
}
