//! Writes the journal of notices. Nodes commit concurrently. So each takes its numbers from a counter in `meta`, and
//! locks its row until the commit: no notice becomes visible after a later one.

use uuid::Uuid;

use super::conn::Conn;
use crate::{
    domain::Timestamp,
    storage::{
        Notice, Result, now,
        rules::{NOTICES_KEPT_MS, notice_columns},
    },
};

/// Adds the notices in the transaction of their changes, and deletes old ones. Numbers follow the order of the commits,
/// so concurrent transactions wait here. Call it last in a transaction, which then waits for nothing else.
pub(super) async fn note(conn: &mut Conn, notices: impl IntoIterator<Item = Notice>) -> Result<()> {
    let (mut kinds, mut ids, mut revs) = (Vec::new(), Vec::<Uuid>::new(), Vec::new());
    for (kind, id, rev) in notices.into_iter().map(notice_columns) {
        kinds.push(kind);
        ids.push(id);
        revs.push(rev);
    }
    if ids.is_empty() {
        return Ok(());
    }
    let now = now();
    sqlx::query(
        "with numbered as (
             update meta set last_notice = last_notice + cardinality($2) returning last_notice - cardinality($2) as last
         )
         insert into notices (number, kind, subject_id, rev, noted_at)
         select numbered.last + noted.place, noted.kind, noted.id, noted.rev, $4
         from numbered, unnest($1::text[], $2::uuid[], $3::bigint[]) with ordinality as noted (kind, id, rev, place)",
    )
    .bind(kinds)
    .bind(ids)
    .bind(revs)
    .bind(now)
    .execute(&mut *conn)
    .await?;
    sqlx::query("delete from notices where noted_at < $1")
        .bind(Timestamp(now.0 - NOTICES_KEPT_MS))
        .execute(conn)
        .await?;
    Ok(())
}

pub(super) async fn last(conn: &mut Conn) -> Result<i64> {
    Ok(sqlx::query_scalar("select last_notice from meta").fetch_one(conn).await?)
}
