//! The journal of what every process has to hear of, also one that did not do it.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{rows::Columns, writer::Tx};
use crate::{
    domain::{ConversationId, LinkId, SessionId, TokenId, UserId},
    storage::{
        Notice, Result, now,
        rules::{NOTICES_KEPT_MS, notice_columns},
    },
};

const NOTE: &str = "insert into notices (kind, subject_id, rev, noted_at_ms) values (?, ?, ?, ?);
         delete from notices where noted_at_ms < ?";

/// Notes it in the transaction of what it tells, and clears away what is old.
pub(super) async fn note(tx: &mut Tx, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
    let now = now().0;
    for (kind, id, rev) in notices.into_iter().map(notice_columns) {
        sqlx::query(NOTE)
            .bind(kind)
            .bind(id)
            .bind(rev)
            .bind(now)
            .bind(now - NOTICES_KEPT_MS)
            .execute(&mut tx.conn)
            .await?;
    }
    Ok(())
}

pub(super) const LAST: &str = "select coalesce(max(number), 0) from notices";

pub(super) async fn last(conn: &mut SqliteConnection) -> Result<i64> {
    Ok(sqlx::query_scalar(LAST).fetch_one(conn).await?)
}

const LIST: &str = "select number, kind, subject_id, rev from notices where number > ?1 order by number limit ?2";

pub(super) async fn list(conn: &mut SqliteConnection, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
    let rows = sqlx::query(LIST).bind(after).bind(limit.max(0)).fetch_all(conn).await?;
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
