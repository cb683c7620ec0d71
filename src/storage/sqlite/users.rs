//! Accounts, their API tokens, and the one secret that sets up the first.

use sqlx::{Row, SqliteConnection};

use super::{
    rows::{Columns, Word, id_list, user, user_columns},
    writer::Tx,
};
use crate::{
    domain::{Email, Role, TokenId, User, UserId},
    storage::{ApiToken, NewUser, Result, SecretHash, StoreError, now},
};

/// Stores a user.
///
/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn create(tx: &mut Tx, new: NewUser) -> Result<User> {
    let user = User { id: UserId::new(), email: new.email, name: new.name, role: new.role, created_at: now() };
    let done = sqlx::query(
        "insert into users (id, email, name, role, password_hash, created_at_ms)
         values (?1, ?2, ?3, ?4, ?5, ?6)
         on conflict (email) do nothing",
    )
    .bind(user.id.0)
    .bind(user.email.as_str())
    .bind(user.name.as_str())
    .bind(user.role.word())
    .bind(new.password_hash)
    .bind(user.created_at.0)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::EmailTaken) } else { Ok(user) }
}

/// Stores an admin unless there is one, and forgets the secret that allowed it.
///
/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn create_first_admin(tx: &mut Tx, new: NewUser) -> Result<Option<User>> {
    if has_admin(&mut tx.conn).await? {
        return Ok(None);
    }
    let user = create(tx, NewUser { role: Role::Admin, ..new }).await?;
    sqlx::query("update meta set setup_secret_hash = null").execute(&mut tx.conn).await?;
    Ok(Some(user))
}

pub(super) async fn has_admin(conn: &mut SqliteConnection) -> Result<bool> {
    Ok(sqlx::query_scalar("select exists (select 1 from users where role = 'admin')").fetch_one(conn).await?)
}

pub(super) async fn find_by_email(conn: &mut SqliteConnection, email: &Email) -> Result<Option<(User, String)>> {
    let row = sqlx::query(concat!("select ", user_columns!(), ", password_hash from users where email = ?1"))
        .bind(email.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub(super) async fn put_setup_secret(tx: &mut Tx, hash: SecretHash) -> Result<()> {
    sqlx::query("update meta set setup_secret_hash = ?1").bind(hash.0.to_vec()).execute(&mut tx.conn).await?;
    Ok(())
}

pub(super) async fn is_setup_secret(conn: &mut SqliteConnection, hash: SecretHash) -> Result<bool> {
    Ok(sqlx::query_scalar("select exists (select 1 from meta where setup_secret_hash = ?1)")
        .bind(hash.0.to_vec())
        .fetch_one(conn)
        .await?)
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub(super) async fn create_token(tx: &mut Tx, hash: SecretHash, user: UserId) -> Result<TokenId> {
    let id = TokenId::new();
    let done = sqlx::query(
        "insert into api_tokens (id, secret_hash, user_id, created_at_ms)
         select ?1, ?2, users.id, ?4 from users where users.id = ?3",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now().0)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::NotFound) } else { Ok(id) }
}

pub(super) async fn find_token(conn: &mut SqliteConnection, hash: SecretHash) -> Result<Option<ApiToken>> {
    let row = sqlx::query(concat!(
        "select ",
        user_columns!(),
        ", api_tokens.id, api_tokens.created_at_ms
         from api_tokens join users on users.id = api_tokens.user_id
         where api_tokens.secret_hash = ?1 and api_tokens.revoked_at_ms is null"
    ))
    .bind(hash.0.to_vec())
    .fetch_optional(conn)
    .await?;
    let token = row.map(|row| {
        Ok::<_, sqlx::Error>(ApiToken {
            id: row.id("id", TokenId)?,
            user: user(&row)?,
            created_at: row.time("created_at_ms")?,
        })
    });
    Ok(token.transpose()?)
}

pub(super) async fn revoke_token(tx: &mut Tx, id: TokenId) -> Result<bool> {
    let done = sqlx::query("update api_tokens set revoked_at_ms = ?2 where id = ?1 and revoked_at_ms is null")
        .bind(id.0)
        .bind(now().0)
        .execute(&mut tx.conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

pub(super) async fn list_revoked_tokens(conn: &mut SqliteConnection, tokens: &[TokenId]) -> Result<Vec<TokenId>> {
    let ids = id_list(tokens.iter().map(|token| token.0));
    let revoked: Vec<uuid::Uuid> = sqlx::query_scalar(
        "select id from api_tokens
         where revoked_at_ms is not null and id in (select unhex(value) from json_each(?1))",
    )
    .bind(ids)
    .fetch_all(conn)
    .await?;
    Ok(revoked.into_iter().map(TokenId).collect())
}
