//! Writes the journal of notices.

use super::dialect::Conn;
use crate::storage::{
    Notice, Result, now,
    rules::{NOTICES_KEPT_MS, notice_columns},
};

const NOTE: &str = "insert into notices (kind, subject_id, rev, noted_at_ms) values (?, ?, ?, ?);
         delete from notices where noted_at_ms < ?";

/// Adds the notices in the transaction of their changes, and deletes old ones.
pub(super) async fn note(conn: &mut Conn, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
    let now = now().0;
    for (kind, id, rev) in notices.into_iter().map(notice_columns) {
        sqlx::query(NOTE)
            .bind(kind)
            .bind(id)
            .bind(rev)
            .bind(now)
            .bind(now - NOTICES_KEPT_MS)
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

pub(super) const LAST: &str = "select coalesce(max(number), 0) from notices";

pub(super) async fn last(conn: &mut Conn) -> Result<i64> {
    Ok(sqlx::query_scalar(LAST).fetch_one(conn).await?)
}
