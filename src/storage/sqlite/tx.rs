//! The connection of a job, and what the job has changed.

use sqlx::SqliteConnection;

use super::journal;
use crate::storage::{Commit, Notice, Result};

/// What a job works with. A job hands on every database error it meets: after some of them SQLite
/// has already rolled back, and nothing more may be written.
pub(super) struct Tx {
    pub(super) conn: SqliteConnection,
    /// What the batch changed so far. A job adds to it what it changed.
    pub(super) commits: Vec<Commit>,
}

impl Tx {
    /// Adds to the journal of what every process has to hear of.
    pub(super) async fn note(&mut self, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
        journal::note(&mut self.conn, notices).await
    }
}
