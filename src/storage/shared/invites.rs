//! Invitations to become an admin.

use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, sql},
    rows::Columns,
    users,
};
use crate::{
    domain::{InviteId, Name, Role, Timestamp, User, UserId},
    storage::{Invite, NewUser, Result, SecretHash, StoreError, now},
};

/// # Errors
/// [`StoreError::NotFound`].
pub async fn create(conn: &mut Conn, id: InviteId, hash: SecretHash, by: UserId, expires_at: Timestamp) -> Result<()> {
    users::get(&mut *conn, by).await?;
    let done = sqlx::query(sql!(
        "insert into invites (id, secret_hash, invited_by, created_at, expires_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing"
    ))
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(by.0)
    .bind(now())
    .bind(expires_at)
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::IdTaken) } else { Ok(()) }
}

/// An invitation is valid while its creator is an admin. Binds `$1` the present moment.
macro_rules! select_invites {
    () => {
        "select invites.id, users.name, invites.created_at, invites.expires_at
         from invites join users on users.id = invites.invited_by
         where invites.expires_at > $1 and users.role = 'admin'"
    };
}

fn invite(row: &DbRow) -> sqlx::Result<Invite> {
    Ok(Invite {
        id: row.id("id", InviteId)?,
        invited_by: Name::trusted(row.try_get("name")?),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

pub const FIND: &str = sql!(select_invites!(), " and invites.secret_hash = $2");

pub async fn find(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Invite>> {
    let row = sqlx::query(FIND).bind(now).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.as_ref().map(invite).transpose()?)
}

pub const LIST: &str = sql!(select_invites!(), " order by invites.id desc");

pub async fn list(conn: &mut Conn, now: Timestamp) -> Result<Vec<Invite>> {
    let rows = sqlx::query(LIST).bind(now).fetch_all(conn).await?;
    Ok(rows.iter().map(invite).collect::<sqlx::Result<_>>()?)
}

pub async fn delete(conn: &mut Conn, id: InviteId) -> Result<bool> {
    let done = sqlx::query(sql!("delete from invites where id = $1")).bind(id.0).execute(&mut *conn).await?;
    Ok(done.rows_affected() > 0)
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub async fn accept(conn: &mut Conn, hash: SecretHash, new: NewUser, now: Timestamp) -> Result<Option<User>> {
    let Some(invite) = find(&mut *conn, hash, now).await? else { return Ok(None) };
    // Of several at once one deletes it.
    if !delete(&mut *conn, invite.id).await? {
        return Ok(None);
    }
    Ok(Some(users::create(conn, NewUser { role: Role::Admin, ..new }).await?))
}
