//! API tokens of admins.

use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, sql},
    journal,
    rows::{Columns, user, user_columns},
    users,
};
use crate::{
    domain::{Name, TokenId, UserId},
    storage::{ApiToken, Notice, Result, SecretHash, StoreError, now},
};

/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub async fn create(conn: &mut Conn, id: TokenId, hash: SecretHash, user: UserId, name: Option<Name>) -> Result<()> {
    users::get(&mut *conn, user).await?;
    let done = sqlx::query(sql!(
        "insert into api_tokens (id, secret_hash, user_id, created_at, name)
         values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing"
    ))
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now())
    .bind(name.as_ref().map(Name::as_str))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::IdTaken) } else { Ok(()) }
}

macro_rules! select_tokens {
    () => {
        concat!(
            "select ",
            user_columns!(),
            ", api_tokens.id, api_tokens.created_at, api_tokens.name as token_name
             from api_tokens join users on users.id = api_tokens.user_id
             where api_tokens.revoked_at is null and users.role = 'admin'"
        )
    };
}

fn token(row: &DbRow) -> sqlx::Result<ApiToken> {
    Ok(ApiToken {
        id: row.id("id", TokenId)?,
        name: row.try_get::<Option<String>, _>("token_name")?.map(Name::trusted),
        user: user(row)?,
        created_at: row.time("created_at")?,
    })
}

pub const LIST: &str = sql!(select_tokens!(), " order by api_tokens.id desc");

pub async fn list(conn: &mut Conn) -> Result<Vec<ApiToken>> {
    let rows = sqlx::query(LIST).fetch_all(conn).await?;
    Ok(rows.iter().map(token).collect::<sqlx::Result<_>>()?)
}

pub const FIND: &str = sql!(select_tokens!(), " and api_tokens.secret_hash = $1");

pub async fn find(conn: &mut Conn, hash: SecretHash) -> Result<Option<ApiToken>> {
    let row = sqlx::query(FIND).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.as_ref().map(token).transpose()?)
}

pub async fn revoke(conn: &mut Conn, id: TokenId) -> Result<bool> {
    let done = sqlx::query(sql!("update api_tokens set revoked_at = $2 where id = $1 and revoked_at is null"))
        .bind(id.0)
        .bind(now())
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    journal::note(conn, [Notice::Token(id)]).await?;
    Ok(true)
}
