//! The start of every transaction: it sets the actor before it reads or writes.
//!
//! PostgreSQL's row-level security uses these settings (see the policies in `migrations/postgres`). It is said for the
//! transaction alone, together with the role to work as, so that it ends with the transaction, however that ends.
//! Without it a connection sees no customer's data at all.

use std::{
    ops::{Deref, DerefMut},
    time::Instant,
};

use sqlx::{AssertSqlSafe, PgPool};
use uuid::Uuid;

use super::conn::{Conn, Patience, Suspicion, is_silence};
pub(super) use crate::storage::acting::Acting;
use crate::{
    domain::Actor,
    storage::{Result, StoreMetrics},
};

/// The role that every transaction works as. It owns nothing and cannot bypass row-level security.
pub(super) const ROLE: &str = "bespoken_app";

/// Begins a transaction at the level `read committed`, regardless of the server's default: a statement that waited for
/// a row must see its committed state.
pub(super) const BEGIN: &str = "begin isolation level read committed";
/// PostgreSQL takes the commit of a transaction in which a statement failed without a word, and changes
/// nothing. The empty question before it is refused then.
pub(super) const COMMIT: &str = "select; commit";

impl Acting<'_> {
    /// The statement that sets the actor of its transaction. Made of fixed words and of ids, which have nothing in them
    /// that would need quoting.
    pub(super) fn statement(self) -> String {
        let (kind, user, links) = match self {
            Self::System => ("system", None, &[][..]),
            Self::Eraser => ("eraser", None, &[][..]),
            Self::Actor(Actor::Admin(user)) => ("admin", Some(user.id.0), &[][..]),
            Self::Actor(Actor::Customer(user, links)) => ("customer", Some(user.id.0), &links[..]),
            Self::Actor(Actor::Guest(links)) => ("guest", None, &links[..]),
        };
        let user = user.as_ref().map(Uuid::to_string).unwrap_or_default();
        let links: Vec<_> = links.iter().map(|link| link.0.to_string()).collect();
        format!(
            "select set_config('role', '{ROLE}', true), set_config('bespoken.actor_kind', '{kind}', true), \
             set_config('bespoken.user_id', '{user}', true), set_config('bespoken.links', '{{{}}}', true)",
            links.join(",")
        )
    }
}

/// Whether the connection has ended, and not just a statement.
pub(super) fn is_lost(error: &sqlx::Error) -> bool {
    match error.as_database_error() {
        // The server goes down, or ended the connection.
        Some(error) => error.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("08")),
        None => matches!(error, sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::Tls(_)),
    }
}

/// The purpose of a transaction.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// All that is read is of one moment.
    Read,
    Write,
}

/// A connection of the pool, in a transaction in which somebody acts. Dropping it rolls it back; a read-only
/// transaction needs no other end.
pub(super) struct Transaction {
    /// `None` once it has ended.
    conn: Option<Conn>,
    patience: Patience,
    purpose: Purpose,
    since: Instant,
    metrics: StoreMetrics,
}

impl Transaction {
    pub(super) async fn begin(
        pool: &PgPool,
        (patience, suspicion): (Patience, &Suspicion),
        purpose: Purpose,
        acting: Acting<'_>,
        metrics: &StoreMetrics,
    ) -> Result<Self> {
        let since = Instant::now();
        let begin = match purpose {
            Purpose::Read => "begin isolation level repeatable read read only",
            Purpose::Write => BEGIN,
        };
        // One text, because each statement sent by itself is a round trip.
        let sql = format!("{begin}; {}", acting.statement());
        let (mut lost, mut has_been_silent) = (0, false);
        loop {
            // Set before the first statement, so a cancelled caller leaves no open transaction in the pool.
            let conn = Conn::pooled(pool.acquire().await?, patience.begin, suspicion.clone());
            let mut tx = Self { conn: Some(conn), patience, purpose, since, metrics: metrics.clone() };
            match sqlx::raw_sql(AssertSqlSafe(sql.clone())).execute(&mut *tx).await {
                Ok(_) => {
                    tx.answer_within(patience.answer);
                    return Ok(tx);
                }
                // A second one is no relic of a silence that is over.
                Err(error) if is_silence(&error) && has_been_silent => return Err(error.into()),
                Err(error) if is_silence(&error) => has_been_silent = true,
                // As all of the pool are after the server was started anew.
                Err(error) if is_lost(&error) && lost < pool.options().get_max_connections() => lost += 1,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// For several statements: all that is read here is of one moment.
    pub(super) async fn snapshot(&mut self) -> Result<Snapshot<'_>> {
        Ok(Snapshot(self))
    }

    /// Returns when the changes are on disk.
    pub(super) async fn commit(mut self) -> Result<()> {
        sqlx::raw_sql(COMMIT).execute(&mut *self).await?;
        self.conn = None;
        self.metrics.commits.observe(self.since.elapsed().as_secs_f64());
        self.metrics.batches.observe(1.0);
        Ok(())
    }
}

/// A transaction that reads, as the shared sources name it.
pub(super) struct Snapshot<'a>(&'a mut Conn);

impl Deref for Snapshot<'_> {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.0
    }
}

impl DerefMut for Snapshot<'_> {
    fn deref_mut(&mut self) -> &mut Conn {
        self.0
    }
}

impl Deref for Transaction {
    type Target = Conn;

    fn deref(&self) -> &Conn {
        self.conn.as_ref().expect("it has not ended")
    }
}

impl DerefMut for Transaction {
    fn deref_mut(&mut self) -> &mut Conn {
        self.conn.as_mut().expect("it has not ended")
    }
}

impl Drop for Transaction {
    fn drop(&mut self) {
        let Some(mut conn) = self.conn.take() else { return };
        if self.purpose == Purpose::Read {
            self.metrics.reads.observe(self.since.elapsed().as_secs_f64());
        }
        // A late answer could arrive, and nothing would match it to its statement.
        let runtime = tokio::runtime::Handle::try_current().ok().filter(|_| !conn.has_been_silent());
        let Some(runtime) = runtime else {
            // Also when the program is ending. A connection that is dropped takes everything back as well.
            conn.discard();
            return;
        };
        // The caller may have gone away at any point, so nothing is known about the connection but that it
        // answers in order.
        conn.answer_within(self.patience.begin);
        runtime.spawn(async move {
            if sqlx::raw_sql("rollback").execute(&mut conn).await.is_err() {
                conn.discard();
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::LinkId;

    #[test]
    fn every_setting_is_sent_each_time() {
        let link = LinkId::new();
        for acting in [Acting::System, Acting::Actor(&Actor::Guest(vec![])), Acting::Actor(&Actor::Guest(vec![link]))] {
            let statement = acting.statement();
            for setting in ["role", "bespoken.actor_kind", "bespoken.user_id", "bespoken.links"] {
                assert!(statement.contains(&format!("set_config('{setting}', ")), "{statement}");
            }
        }
        let guest = Actor::Guest(vec![link, link]);
        assert!(Acting::Actor(&guest).statement().contains(&format!("'{{{link},{link}}}'")));
    }
}
