//! Connections that read, each lent to one caller at a time.
//!
//! sqlx's own pool checks each returned connection, in its thread. That costs as much as many of the reads themselves.
//! A connection to a file does not go away, so nobody need ask.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

use sqlx::{ConnectOptions, Connection, Sqlite, SqliteConnection, Transaction, sqlite::SqliteConnectOptions};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::require_fit;
use crate::storage::{
    Result,
    metrics::{StoreMetrics, Timer},
};

/// SQLite answers from memory in most cases, so a few connections serve many.
const READERS: u32 = 4;
/// Cache of each reader, as SQLite's negative number of KiB. It holds the upper pages of a large database's tables and
/// indexes; for a million messages, the default of 2 MB does not.
const CACHE: &str = "-8192";

pub(super) struct Readers {
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    /// A permit for each connection that is idle. Closed with them.
    permits: Arc<Semaphore>,
    metrics: StoreMetrics,
}

impl Readers {
    /// Connects to a database that is there.
    pub(super) async fn open(options: SqliteConnectOptions, metrics: StoreMetrics) -> Result<Self> {
        let options = options.pragma("query_only", "on").pragma("cache_size", CACHE);
        let mut idle = Vec::new();
        for _ in 0..READERS {
            let mut conn = options.connect().await?;
            require_fit(&mut conn).await?;
            idle.push(conn);
        }
        let permits = Arc::new(Semaphore::new(idle.len()));
        Ok(Self { idle: Arc::new(Mutex::new(idle)), permits, metrics })
    }

    /// Waits for a connection.
    pub(super) async fn acquire(&self) -> Result<Reader> {
        let timer = Timer::start(&self.metrics.reads);
        let permit = self.permits.clone().acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
        let conn = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop().ok_or(sqlx::Error::PoolClosed)?;
        Ok(Reader { conn: Some(conn), idle: self.idle.clone(), _permit: permit, _timer: timer })
    }

    /// Waits for all connections to come back, and closes them.
    pub(super) async fn close(&self) {
        let all = self.permits.acquire_many(READERS).await;
        self.permits.close();
        drop(all);
        let idle = std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner));
        for conn in idle {
            // It has nothing to write.
            conn.close().await.ok();
        }
    }
}

/// A connection on loan, and how long the loan takes. All reads in one transaction see the same snapshot. Without
/// writes, nobody waits for the transaction's end.
pub(super) struct Reader {
    /// `None` once it is on its way back.
    conn: Option<SqliteConnection>,
    idle: Arc<Mutex<Vec<SqliteConnection>>>,
    // After the connection is back: fields are dropped in their order, after `drop`.
    _permit: OwnedSemaphorePermit,
    _timer: Timer,
}

impl Reader {
    /// For several statements: all that is read in it is of one moment.
    pub(super) async fn snapshot(&mut self) -> Result<Transaction<'_, Sqlite>> {
        Ok(self.begin().await?)
    }
}

impl Deref for Reader {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        self.conn.as_ref().expect("it is on loan")
    }
}

impl DerefMut for Reader {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        self.conn.as_mut().expect("it is on loan")
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        // If a caller cancels, the connection's thread rolls its transaction back before any other work.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).extend(self.conn.take());
    }
}
