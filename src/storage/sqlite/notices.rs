//! The journal of what every process has to hear of, also one that did not do it.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{rows::Columns, writer::Tx};
use crate::{
    domain::{ConversationId, LinkId, SessionId, TokenId, UserId},
    storage::{Notice, Result, now},
};

/// How long a notice is kept: whoever does not ask for so long has no sockets any more.
const KEPT_MS: i64 = 86_400_000;

fn columns(notice: Notice) -> (&'static str, Uuid, Option<i64>) {
    match notice {
        Notice::Session(SessionId(id)) => ("session", id, None),
        Notice::Token(TokenId(id)) => ("token", id, None),
        Notice::Link(LinkId(id)) => ("link", id, None),
        Notice::User(UserId(id)) => ("user", id, None),
        Notice::Conversation { id: ConversationId(id), rev } => ("conversation", id, rev),
    }
}

/// Notes it in the transaction of what it tells, and clears away what is old.
pub(super) async fn note(tx: &mut Tx, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
    let now = now().0;
    for (kind, id, rev) in notices.into_iter().map(columns) {
        sqlx::query(
            "insert into notices (kind, subject_id, rev, noted_at_ms) values (?, ?, ?, ?);
             delete from notices where noted_at_ms < ?",
        )
        .bind(kind)
        .bind(id)
        .bind(rev)
        .bind(now)
        .bind(now - KEPT_MS)
        .execute(&mut tx.conn)
        .await?;
    }
    Ok(())
}

pub(super) async fn last(conn: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar("select coalesce(max(number), 0) from notices").fetch_one(conn).await?)
}

pub(super) async fn list(conn: &mut SqliteConnection, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
    let rows =
        sqlx::query("select number, kind, subject_id, rev from notices where number > ?1 order by number limit ?2")
            .bind(after)
            .bind(limit.max(0))
            .fetch_all(conn)
            .await?;
    Ok(rows.iter().map(|row| Ok((row.try_get("number")?, notice(row)?))).collect::<sqlx::Result<_>>()?)
}

fn notice(row: &SqliteRow) -> sqlx::Result<Notice> {
    Ok(match row.try_get("kind")? {
        "session" => Notice::Session(row.id("subject_id", SessionId)?),
        "token" => Notice::Token(row.id("subject_id", TokenId)?),
        "link" => Notice::Link(row.id("subject_id", LinkId)?),
        "user" => Notice::User(row.id("subject_id", UserId)?),
        _ => Notice::Conversation { id: row.id("subject_id", ConversationId)?, rev: row.try_get("rev")? },
    })
}
