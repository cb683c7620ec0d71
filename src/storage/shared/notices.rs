//! The journal of notices for every process, not only the one that acted. `journal` writes it.

use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, sql},
    rows::Columns,
};
use crate::{
    domain::{ConversationId, LinkId, SessionId, TokenId, UserId},
    storage::{Notice, Result},
};

pub async fn list(conn: &mut Conn, after: i64, limit: i64) -> Result<Vec<(i64, Notice)>> {
    let rows = sqlx::query(sql!(
        "select number, kind, subject_id, rev from notices where number > $1 order by number limit $2"
    ))
    .bind(after)
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(|row| Ok((row.try_get("number")?, notice(row)?))).collect::<sqlx::Result<_>>()?)
}

fn notice(row: &DbRow) -> sqlx::Result<Notice> {
    Ok(match row.try_get("kind")? {
        "session" => Notice::Session(row.id("subject_id", SessionId)?),
        "token" => Notice::Token(row.id("subject_id", TokenId)?),
        "link" => Notice::Link(row.id("subject_id", LinkId)?),
        "user" => Notice::User(row.id("subject_id", UserId)?),
        _ => Notice::Conversation { id: row.id("subject_id", ConversationId)?, rev: row.try_get("rev")? },
    })
}
