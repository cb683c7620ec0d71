//! Login sessions and sign-in links: what a cookie or a printed link stands for.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};
use uuid::Uuid;

use super::{
    access::is_alive,
    notices,
    rows::{Columns, id_list, user, user_columns},
    writer::Tx,
};
use crate::{
    domain::{LinkId, SessionId, Timestamp, User, UserId},
    storage::{
        LoginSession, NewSession, Notice, Result, SecretHash, SessionEntry, StoreError, now, rules::SEEN_EVERY_MS,
    },
};

const CLEAR: &str = "delete from login_sessions where expires_at_ms <= ?1";

/// Stores a session, and clears away those that have expired.
///
/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub(super) async fn create(tx: &mut Tx, new: NewSession) -> Result<SessionId> {
    let NewSession { hash, user, links, user_agent, expires_at } = new;
    let id = SessionId::new();
    let now = now();
    sqlx::query(CLEAR).bind(now.0).execute(&mut tx.conn).await?;
    let done = sqlx::query(
        "insert into login_sessions (id, secret_hash, user_id, created_at_ms, last_seen_at_ms, expires_at_ms, user_agent)
         select ?1, ?2, ?3, ?4, ?4, ?5, ?6
         where ?3 is null or exists (select 1 from users where id = ?3)",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.map(|user| user.0))
    .bind(now.0)
    .bind(expires_at.0)
    .bind(user_agent)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    sqlx::query(
        "insert into session_links (session_id, link_id)
         select ?1, links.id from links where links.id in (select unhex(value) from json_each(?2))",
    )
    .bind(id.0)
    .bind(id_list(links.iter().map(|link| link.0)))
    .execute(&mut tx.conn)
    .await?;
    Ok(id)
}

pub(super) const FIND: &str = concat!(
    "select ",
    user_columns!(),
    ", login_sessions.id, login_sessions.last_seen_at_ms, login_sessions.expires_at_ms,
        (select group_concat(hex(links.id)) from session_links join links on links.id = session_links.link_id
         where session_links.session_id = login_sessions.id and ",
    is_alive!("links", "?1"),
    ") as links
     from login_sessions left join users on users.id = login_sessions.user_id
     where login_sessions.secret_hash = ?2 and login_sessions.expires_at_ms > ?1
       and login_sessions.last_seen_at_ms > ?3"
);

/// The session, and whether it is time to note that it was seen.
pub(super) async fn find(
    conn: &mut SqliteConnection,
    hash: SecretHash,
    seen_after: Timestamp,
    now: Timestamp,
) -> Result<Option<(LoginSession, bool)>> {
    let row = sqlx::query(FIND).bind(now.0).bind(hash.0.to_vec()).bind(seen_after.0).fetch_optional(&mut *conn).await?;
    let Some(row) = row else { return Ok(None) };

    let id = row.id("id", SessionId)?;
    let signed_in = row.try_get::<Option<Uuid>, _>("user_id")?.is_some();
    let user = if signed_in { Some(user(&row)?) } else { None };
    let links: Option<&str> = row.try_get("links")?;
    let links = links.unwrap_or_default().split(',').filter_map(|id| Uuid::try_parse(id).ok()).map(LinkId);
    let mut links: Vec<_> = links.collect();
    links.sort_unstable();

    let is_due = now.0 - row.time("last_seen_at_ms")?.0 >= SEEN_EVERY_MS;
    Ok(Some((LoginSession { id, user, links, expires_at: row.time("expires_at_ms")? }, is_due)))
}

pub(super) async fn note_seen(tx: &mut Tx, id: SessionId, at: Timestamp) -> Result<()> {
    sqlx::query("update login_sessions set last_seen_at_ms = max(last_seen_at_ms, ?2) where id = ?1")
        .bind(id.0)
        .bind(at.0)
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

pub(super) async fn end(tx: &mut Tx, id: SessionId) -> Result<()> {
    let done = sqlx::query("delete from login_sessions where id = ?1").bind(id.0).execute(&mut tx.conn).await?;
    if done.rows_affected() > 0 {
        notices::note(tx, [Notice::Session(id)]).await?;
    }
    Ok(())
}

pub(super) const LIST: &str = "select id, user_agent, created_at_ms, last_seen_at_ms from login_sessions
     where user_id = ?1 and last_seen_at_ms > ?2 and expires_at_ms > ?3
     order by last_seen_at_ms desc, id desc";

pub(super) async fn list(
    conn: &mut SqliteConnection,
    user: UserId,
    seen_after: Timestamp,
    now: Timestamp,
) -> Result<Vec<SessionEntry>> {
    let rows = sqlx::query(LIST).bind(user.0).bind(seen_after.0).bind(now.0).fetch_all(conn).await?;
    let entry = |row: &SqliteRow| {
        Ok(SessionEntry {
            id: row.id("id", SessionId)?,
            user_agent: row.try_get("user_agent")?,
            created_at: row.time("created_at_ms")?,
            last_seen_at: row.time("last_seen_at_ms")?,
        })
    };
    Ok(rows.iter().map(entry).collect::<sqlx::Result<_>>()?)
}

pub(super) async fn end_of(tx: &mut Tx, user: UserId, id: SessionId) -> Result<bool> {
    let done = sqlx::query("delete from login_sessions where id = ?1 and user_id = ?2")
        .bind(id.0)
        .bind(user.0)
        .execute(&mut tx.conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    notices::note(tx, [Notice::Session(id)]).await?;
    Ok(true)
}

const END_ALL: &str = "delete from login_sessions where user_id = ?1 and id is not ?2 returning id";

/// Ends the sessions of a user, except `keep`.
pub(super) async fn end_all_of(tx: &mut Tx, user: UserId, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
    let ended: Vec<Uuid> =
        sqlx::query_scalar(END_ALL).bind(user.0).bind(keep.map(|id| id.0)).fetch_all(&mut tx.conn).await?;
    let ended: Vec<_> = ended.into_iter().map(SessionId).collect();
    notices::note(tx, ended.iter().copied().map(Notice::Session)).await?;
    Ok(ended)
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such session or link.
pub(super) async fn grant_link(tx: &mut Tx, session: SessionId, link: LinkId) -> Result<()> {
    let both_exist: bool = sqlx::query_scalar(
        "select exists (select 1 from login_sessions where id = ?1) and exists (select 1 from links where id = ?2)",
    )
    .bind(session.0)
    .bind(link.0)
    .fetch_one(&mut tx.conn)
    .await?;
    if !both_exist {
        return Err(StoreError::NotFound);
    }
    sqlx::query("insert into session_links (session_id, link_id) values (?1, ?2) on conflict do nothing")
        .bind(session.0)
        .bind(link.0)
        .execute(&mut tx.conn)
        .await?;
    Ok(())
}

/// # Errors
/// [`StoreError::NotFound`]: there is no session `into`.
pub(super) async fn merge(tx: &mut Tx, from: SessionId, into: SessionId) -> Result<()> {
    let exists: bool = sqlx::query_scalar("select exists (select 1 from login_sessions where id = ?1)")
        .bind(into.0)
        .fetch_one(&mut tx.conn)
        .await?;
    if !exists {
        return Err(StoreError::NotFound);
    }
    sqlx::query(
        "insert into session_links (session_id, link_id)
         select ?2, link_id from session_links where session_id = ?1 on conflict do nothing",
    )
    .bind(from.0)
    .bind(into.0)
    .execute(&mut tx.conn)
    .await?;
    end(tx, from).await
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub(super) async fn create_sign_in_link(
    tx: &mut Tx,
    hash: SecretHash,
    user: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    let done = sqlx::query(
        "insert into sign_in_links (secret_hash, user_id, created_at_ms, expires_at_ms)
         select ?1, users.id, ?3, ?4 from users where users.id = ?2",
    )
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now().0)
    .bind(expires_at.0)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

pub(super) const FIND_SIGN_IN_LINK: &str = concat!(
    "select ",
    user_columns!(),
    " from sign_in_links join users on users.id = sign_in_links.user_id
     where sign_in_links.secret_hash = ?2 and sign_in_links.expires_at_ms > ?1"
);

pub(super) async fn find_sign_in_link(
    conn: &mut SqliteConnection,
    hash: SecretHash,
    now: Timestamp,
) -> Result<Option<User>> {
    let row = sqlx::query(FIND_SIGN_IN_LINK).bind(now.0).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}
