//! The connection of a job, and what the job has changed.

use super::conn::Conn;
use crate::storage::{Commit, Notice, Result};

/// What a job works with. A job hands on every database error it meets: after one nothing more can be
/// written in its savepoint.
pub(super) struct Tx {
    pub(super) conn: Conn,
    /// What the batch changed so far. A job adds to it what it changed.
    pub(super) commits: Vec<Commit>,
    /// What others have to hear of. A job adds to it; it is noted right before the commit, so that lanes and
    /// nodes wait for each other at the journal and then for nothing more.
    pub(super) notices: Vec<Notice>,
}

impl Tx {
    /// Adds to the journal of what every process has to hear of, right before the commit.
    pub(super) async fn note(&mut self, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
        self.notices.extend(notices);
        Ok(())
    }
}
