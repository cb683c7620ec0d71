//! Login sessions and sign-in links: the owners of cookies and printed links.

use sqlx::Row;
use uuid::Uuid;

use super::{
    actors::is_alive,
    dialect::{Conn, DbRow, ids, is_any, joined_ids, locking, sql},
    journal, pushes,
    rows::{Columns, links, user, user_columns},
};
use crate::{
    domain::{LinkId, SessionId, Timestamp, User, UserId},
    storage::{
        LoginSession, NewSession, Notice, Result, SecretHash, SessionEntry, StoreError, now, rules::SEEN_EVERY_MS,
    },
};

/// Stores a session, and clears away those that have expired.
///
/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub async fn create(conn: &mut Conn, new: NewSession) -> Result<SessionId> {
    let NewSession { hash, user, links, user_agent, expires_at } = new;
    let id = SessionId::new();
    let now = now();
    sqlx::query(sql!("delete from login_sessions where expires_at <= $1")).bind(now).execute(&mut *conn).await?;
    let done = sqlx::query(sql!(
        "insert into login_sessions (id, secret_hash, user_id, created_at, last_seen_at, expires_at, user_agent)
         select $1, $2, $3, $4, $4, $5, $6
         where $3 is null or exists (select 1 from users where id = $3)"
    ))
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.map(|user| user.0))
    .bind(now)
    .bind(expires_at)
    .bind(user_agent)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    sqlx::query(sql!(
        "insert into session_links (session_id, link_id)
         select $1, links.id from links where links.id ",
        is_any!("$2")
    ))
    .bind(id.0)
    .bind(ids(links.iter().map(|link| link.0)))
    .execute(&mut *conn)
    .await?;
    Ok(id)
}

pub const FIND: &str = sql!(
    "select ",
    user_columns!(),
    ", login_sessions.id, login_sessions.last_seen_at, login_sessions.expires_at,
        (select ",
    joined_ids!("links.id"),
    " from session_links join links on links.id = session_links.link_id
         where session_links.session_id = login_sessions.id and ",
    is_alive!("links", "$1"),
    ") as links
     from login_sessions left join users on users.id = login_sessions.user_id
     where login_sessions.secret_hash = $2 and login_sessions.expires_at > $1
       and login_sessions.last_seen_at > $3"
);

/// The session, and whether it is time to note that it was seen.
pub async fn find(
    conn: &mut Conn,
    hash: SecretHash,
    seen_after: Timestamp,
    now: Timestamp,
) -> Result<Option<(LoginSession, bool)>> {
    let row = sqlx::query(FIND).bind(now).bind(hash.0.to_vec()).bind(seen_after).fetch_optional(conn).await?;
    let Some(row) = row else { return Ok(None) };

    let id = row.id("id", SessionId)?;
    let signed_in = row.try_get::<Option<Uuid>, _>("user_id")?.is_some();
    let user = if signed_in { Some(user(&row)?) } else { None };
    let links = links(&row)?;
    let is_due = now.0 - row.time("last_seen_at")?.0 >= SEEN_EVERY_MS;
    Ok(Some((LoginSession { id, user, links, expires_at: row.time("expires_at")? }, is_due)))
}

pub async fn note_seen(conn: &mut Conn, id: SessionId, seen_at: Timestamp) -> Result<()> {
    sqlx::query(sql!("update login_sessions set last_seen_at = greatest(last_seen_at, $2) where id = $1"))
        .bind(id.0)
        .bind(seen_at)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

pub async fn end(conn: &mut Conn, id: SessionId) -> Result<()> {
    let done = sqlx::query(sql!("delete from login_sessions where id = $1")).bind(id.0).execute(&mut *conn).await?;
    if done.rows_affected() > 0 {
        journal::note(conn, [Notice::Session(id)]).await?;
    }
    Ok(())
}

pub const LIST: &str = sql!(
    "select id, user_agent, created_at, last_seen_at from login_sessions
     where user_id = $1 and last_seen_at > $2 and expires_at > $3
     order by last_seen_at desc, id desc"
);

pub async fn list(conn: &mut Conn, user: UserId, seen_after: Timestamp, now: Timestamp) -> Result<Vec<SessionEntry>> {
    let rows = sqlx::query(LIST).bind(user.0).bind(seen_after).bind(now).fetch_all(conn).await?;
    let entry = |row: &DbRow| {
        Ok(SessionEntry {
            id: row.id("id", SessionId)?,
            user_agent: row.try_get("user_agent")?,
            created_at: row.time("created_at")?,
            last_seen_at: row.time("last_seen_at")?,
        })
    };
    Ok(rows.iter().map(entry).collect::<sqlx::Result<_>>()?)
}

pub async fn end_of(conn: &mut Conn, user: UserId, id: SessionId) -> Result<bool> {
    let done = sqlx::query(sql!("delete from login_sessions where id = $1 and user_id = $2"))
        .bind(id.0)
        .bind(user.0)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    journal::note(conn, [Notice::Session(id)]).await?;
    Ok(true)
}

/// Ends the sessions of a user, except `keep`.
pub async fn end_all_of(conn: &mut Conn, user: UserId, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
    let ended: Vec<Uuid> = sqlx::query_scalar(sql!(
        "delete from login_sessions where user_id = $1 and id is distinct from $2 returning id"
    ))
    .bind(user.0)
    .bind(keep.map(|id| id.0))
    .fetch_all(&mut *conn)
    .await?;
    let ended: Vec<_> = ended.into_iter().map(SessionId).collect();
    journal::note(conn, ended.iter().copied().map(Notice::Session)).await?;
    Ok(ended)
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such session or link.
pub async fn grant_link(conn: &mut Conn, session: SessionId, link: LinkId) -> Result<()> {
    // Locked, so a concurrent end of the session happens before or after.
    let both_exist: Option<i32> = sqlx::query_scalar(sql!(
        "select 1 from login_sessions where id = $1 and exists (select 1 from links where id = $2)",
        locking!(" for key share")
    ))
    .bind(session.0)
    .bind(link.0)
    .fetch_optional(&mut *conn)
    .await?;
    if both_exist.is_none() {
        return Err(StoreError::NotFound);
    }
    sqlx::query(sql!("insert into session_links (session_id, link_id) values ($1, $2) on conflict do nothing"))
        .bind(session.0)
        .bind(link.0)
        .execute(&mut *conn)
        .await?;
    Ok(())
}

/// # Errors
/// [`StoreError::NotFound`]: there is no session `into`.
pub async fn merge(conn: &mut Conn, from: SessionId, into: SessionId) -> Result<()> {
    // Both are locked, always in one order: no link is given to the one in between.
    let locked: Vec<Uuid> = sqlx::query_scalar(sql!(
        "select id from login_sessions where id = $1 or id = $2",
        locking!(" order by id for update")
    ))
    .bind(from.0)
    .bind(into.0)
    .fetch_all(&mut *conn)
    .await?;
    if !locked.contains(&into.0) {
        return Err(StoreError::NotFound);
    }
    sqlx::query(sql!(
        "insert into session_links (session_id, link_id)
         select $2, link_id from session_links where session_id = $1 on conflict do nothing"
    ))
    .bind(from.0)
    .bind(into.0)
    .execute(&mut *conn)
    .await?;
    pushes::hand_over(conn, from, into).await?;
    end(conn, from).await
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub async fn create_sign_in_link(conn: &mut Conn, hash: SecretHash, user: UserId, expires_at: Timestamp) -> Result<()> {
    let done = sqlx::query(sql!(
        "insert into sign_in_links (secret_hash, user_id, created_at, expires_at)
         select $1, users.id, $3, $4 from users where users.id = $2"
    ))
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now())
    .bind(expires_at)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(()) }
}

pub const FIND_SIGN_IN_LINK: &str = sql!(
    "select ",
    user_columns!(),
    " from sign_in_links join users on users.id = sign_in_links.user_id
     where sign_in_links.secret_hash = $2 and sign_in_links.expires_at > $1"
);

pub async fn find_sign_in_link(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<User>> {
    let row = sqlx::query(FIND_SIGN_IN_LINK).bind(now).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}
