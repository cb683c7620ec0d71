//! Accounts, their addresses and passwords, and the one secret that sets up the first.

use sqlx::Row;

use super::{
    dialect::{Conn, DbRow, bytewise, lock, searchable, sql},
    journal, requests,
    rows::{Word, user, user_columns},
    sessions,
};
use crate::{
    domain::{Email, Name, Role, SessionId, Timestamp, User, UserId},
    storage::{
        Confirmation, NewUser, Notice, Result, SecretHash, StoreError, now,
        rules::{NOBODY, folded_account, searched},
        search::fold,
    },
};

/// Stores a user.
///
/// # Errors
/// [`StoreError::EmailTaken`].
pub async fn create(conn: &mut Conn, new: NewUser) -> Result<User> {
    let NewUser { email, name, role, is_confirmed, password_hash } = new;
    let user = User { id: UserId::new(), email, name, role, is_confirmed, created_at: now() };
    let done = sqlx::query(sql!(
        "insert into users (id, email, name, role, password_hash, created_at, confirmed_email, folded)
         values ($1, $2, $3, $4, $5, $6, case when $7 then $2 end, $8)
         on conflict (email) do nothing"
    ))
    .bind(user.id.0)
    .bind(user.email.as_str())
    .bind(user.name.as_str())
    .bind(user.role.word())
    .bind(password_hash)
    .bind(user.created_at)
    .bind(is_confirmed)
    .bind(folded_account(user.name.as_str(), user.email.as_str()))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::EmailTaken) } else { Ok(user) }
}

/// Stores an admin unless there is one, and forgets the secret that allowed it.
///
/// # Errors
/// [`StoreError::EmailTaken`].
pub async fn create_first_admin(conn: &mut Conn, new: NewUser) -> Result<Option<User>> {
    // A concurrent caller waits here, and then finds the admin.
    lock!(conn, "meta for update");
    if has_admin(&mut *conn).await? {
        return Ok(None);
    }
    let user = create(&mut *conn, NewUser { role: Role::Admin, ..new }).await?;
    sqlx::query(sql!("update meta set setup_secret_hash = null")).execute(&mut *conn).await?;
    Ok(Some(user))
}

pub async fn has_admin(conn: &mut Conn) -> Result<bool> {
    Ok(sqlx::query_scalar(sql!("select exists (select 1 from users where role = 'admin')")).fetch_one(conn).await?)
}

pub const BY_EMAIL: &str = sql!("select ", user_columns!(), ", password_hash from users where email = $1");

pub async fn find_by_email(conn: &mut Conn, email: &Email) -> Result<Option<(User, String)>> {
    let row = sqlx::query(BY_EMAIL).bind(email.as_str()).fetch_optional(conn).await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub const BY_ID: &str = sql!("select ", user_columns!(), ", password_hash from users where id = $1");

pub async fn find(conn: &mut Conn, id: UserId) -> Result<Option<(User, String)>> {
    let row = sqlx::query(BY_ID).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub async fn list(conn: &mut Conn, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
    let rows = sqlx::query(sql!(
        "select ",
        user_columns!(),
        " from users
         where ($1 is null or strpos(coalesce(folded, lower(name) || '\n' || email), $1) > 0) and id <> $3
         order by role, coalesce(folded, lower(name))",
        bytewise!(),
        ", id limit $2"
    ))
    .bind(searched(search).map(|text| searchable(fold(text))))
    .bind(limit.max(0))
    // Not a person: the account that has what belonged to those that were erased.
    .bind(NOBODY)
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(user).collect::<sqlx::Result<_>>()?)
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn get(conn: &mut Conn, id: UserId) -> Result<User> {
    find(&mut *conn, id).await?.map(|(user, _)| user).ok_or(StoreError::NotFound)
}

/// # Errors
/// [`StoreError::Forbidden`], [`StoreError::NotFound`].
pub async fn set_role(conn: &mut Conn, by: UserId, id: UserId, role: Role) -> Result<User> {
    // Both are held until the transaction ends, in the same order for everyone: of two admins who demote
    // each other at once only one succeeds.
    lock!(conn, "users where id in ($1, $2) order by id for no key update", by.0, id.0);
    if by == id || get(&mut *conn, by).await?.role != Role::Admin {
        return Err(StoreError::Forbidden);
    }
    sqlx::query(sql!("update users set role = $2 where id = $1"))
        .bind(id.0)
        .bind(role.word())
        .execute(&mut *conn)
        .await?;
    if role == Role::Customer {
        // For good: what an admin once handed out does not come back with the role.
        sqlx::query(sql!("update api_tokens set revoked_at = $2 where user_id = $1 and revoked_at is null"))
            .bind(id.0)
            .bind(now())
            .execute(&mut *conn)
            .await?;
        sqlx::query(sql!("delete from invites where invited_by = $1")).bind(id.0).execute(&mut *conn).await?;
    }
    let user = get(&mut *conn, id).await?;
    journal::note(conn, [Notice::User(id)]).await?;
    Ok(user)
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn rename(conn: &mut Conn, id: UserId, name: Name) -> Result<User> {
    hold(conn, id).await?;
    let user = User { name, ..get(&mut *conn, id).await? };
    sqlx::query(sql!("update users set name = $2, folded = $3 where id = $1"))
        .bind(id.0)
        .bind(user.name.as_str())
        .bind(folded_account(user.name.as_str(), user.email.as_str()))
        .execute(&mut *conn)
        .await?;
    requests::customer_renamed(&mut *conn, id, &user.name, &user.email).await?;
    journal::note(conn, [Notice::User(id)]).await?;
    Ok(user)
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn create_confirmation(
    conn: &mut Conn,
    hash: SecretHash,
    user: UserId,
    email: Email,
    expires_at: Timestamp,
) -> Result<()> {
    // One address to come takes the place of another, also of several at once.
    hold(conn, user).await?;
    if get(&mut *conn, user).await?.email != email {
        forget_other_addresses(&mut *conn, user).await?;
    }
    sqlx::query(sql!(
        "insert into email_confirmations (secret_hash, user_id, email, created_at, expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict (user_id, email) do update set secret_hash = excluded.secret_hash,
             created_at = excluded.created_at, expires_at = excluded.expires_at"
    ))
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(email.as_str())
    .bind(now())
    .bind(expires_at)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Holds an account until the transaction ends: of those who change its address or password each finds what the
/// one before left.
async fn hold(conn: &mut Conn, user: UserId) -> Result<()> {
    lock!(conn, "users where id = $1 for no key update", user.0);
    Ok(())
}

/// Forgets that the user wanted another address.
async fn forget_other_addresses(conn: &mut Conn, user: UserId) -> Result<()> {
    sqlx::query(sql!(
        "delete from email_confirmations
         where user_id = $1 and email <> (select users.email from users where users.id = $1)"
    ))
    .bind(user.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub const FIND_CONFIRMATION: &str = sql!(
    "select ",
    user_columns!(),
    ", email_confirmations.email as wanted_email
     from email_confirmations join users on users.id = email_confirmations.user_id
     where email_confirmations.secret_hash = $1 and email_confirmations.expires_at > $2"
);

pub async fn find_confirmation(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Confirmation>> {
    let row = sqlx::query(FIND_CONFIRMATION).bind(hash.0.to_vec()).bind(now).fetch_optional(conn).await?;
    let confirmation = |row: DbRow| {
        Ok::<_, sqlx::Error>(Confirmation { user: user(&row)?, email: Email::trusted(row.try_get("wanted_email")?) })
    };
    Ok(row.map(confirmation).transpose()?)
}

/// The confirmation as it is once its account is held, so that it is used once.
async fn hold_confirmation(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Confirmation>> {
    let Some(found) = find_confirmation(&mut *conn, hash, now).await? else { return Ok(None) };
    hold(conn, found.user.id).await?;
    find_confirmation(conn, hash, now).await
}

/// Gives the user this address as one that was confirmed.
///
/// # Errors
/// [`StoreError::EmailTaken`].
async fn set_email(conn: &mut Conn, id: UserId, email: &Email) -> Result<()> {
    let name = get(&mut *conn, id).await?.name;
    let done = sqlx::query(sql!(
        "update users set email = $2, confirmed_email = $2, folded = $3
         where id = $1 and not exists (select 1 from users as other where other.email = $2 and other.id <> $1)"
    ))
    .bind(id.0)
    .bind(email.as_str())
    .bind(folded_account(name.as_str(), email.as_str()))
    .execute(&mut *conn)
    .await
    // Two transactions that take the address at once do not see each other: the constraint stops the second.
    .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
        Some("users_email_unique") => StoreError::EmailTaken,
        _ => error.into(),
    })?;
    if done.rows_affected() == 0 {
        return Err(StoreError::EmailTaken);
    }
    sqlx::query(sql!("delete from email_confirmations where user_id = $1")).bind(id.0).execute(conn).await?;
    Ok(())
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub async fn confirm_email(
    conn: &mut Conn,
    hash: SecretHash,
    by: UserId,
    now: Timestamp,
) -> Result<Option<(User, User)>> {
    let found = hold_confirmation(&mut *conn, hash, now).await?;
    let Some(Confirmation { user: before, email }) = found.filter(|found| found.user.id == by) else { return Ok(None) };
    set_email(&mut *conn, by, &email).await?;
    // It went to the address before.
    sqlx::query(sql!("delete from password_resets where user_id = $1")).bind(by.0).execute(&mut *conn).await?;
    let after = get(&mut *conn, by).await?;
    requests::customer_renamed(&mut *conn, by, &after.name, &after.email).await?;
    journal::note(conn, [Notice::User(by)]).await?;
    Ok(Some((before, after)))
}

pub async fn claim(
    conn: &mut Conn,
    hash: SecretHash,
    phc: String,
    now: Timestamp,
) -> Result<Option<(User, Vec<SessionId>)>> {
    let found = hold_confirmation(&mut *conn, hash, now).await?.filter(Confirmation::is_own);
    let Some(Confirmation { user, email }) = found else { return Ok(None) };
    set_email(&mut *conn, user.id, &email).await?;
    let ended = set_password(conn, user.id, phc, None).await?;
    Ok(Some((User { is_confirmed: true, ..user }, ended)))
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn set_password(conn: &mut Conn, id: UserId, phc: String, keep: Option<SessionId>) -> Result<Vec<SessionId>> {
    let done = sqlx::query(sql!("update users set password_hash = $2 where id = $1"))
        .bind(id.0)
        .bind(phc)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    // A person with the old password may have requested a reset.
    sqlx::query(sql!("delete from password_resets where user_id = $1")).bind(id.0).execute(&mut *conn).await?;
    sqlx::query(sql!("delete from sign_in_links where user_id = $1")).bind(id.0).execute(&mut *conn).await?;
    forget_other_addresses(&mut *conn, id).await?;
    sessions::end_all_of(conn, id, keep).await
}

/// # Errors
/// [`StoreError::NotFound`].
pub async fn create_password_reset(
    conn: &mut Conn,
    hash: SecretHash,
    user: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    get(&mut *conn, user).await?;
    sqlx::query(sql!(
        "insert into password_resets (secret_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)
         on conflict (user_id) do update set secret_hash = excluded.secret_hash,
             created_at = excluded.created_at, expires_at = excluded.expires_at"
    ))
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now())
    .bind(expires_at)
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub const FIND_PASSWORD_RESET: &str = sql!(
    "select ",
    user_columns!(),
    " from password_resets join users on users.id = password_resets.user_id
     where password_resets.secret_hash = $1 and password_resets.expires_at > $2"
);

pub async fn find_password_reset(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<User>> {
    let row = sqlx::query(FIND_PASSWORD_RESET).bind(hash.0.to_vec()).bind(now).fetch_optional(conn).await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}

pub async fn reset_password(
    conn: &mut Conn,
    hash: SecretHash,
    phc: String,
    now: Timestamp,
) -> Result<Option<(User, Vec<SessionId>)>> {
    // The account is held first: of several at once one uses it, and the others find nothing.
    let Some(found) = find_password_reset(&mut *conn, hash, now).await? else { return Ok(None) };
    hold(conn, found.id).await?;
    let Some(user) = find_password_reset(&mut *conn, hash, now).await? else { return Ok(None) };
    set_email(&mut *conn, user.id, &user.email).await?;
    let ended = set_password(conn, user.id, phc, None).await?;
    Ok(Some((User { is_confirmed: true, ..user }, ended)))
}

pub async fn put_setup_secret(conn: &mut Conn, hash: SecretHash) -> Result<()> {
    sqlx::query(sql!("update meta set setup_secret_hash = $1")).bind(hash.0.to_vec()).execute(&mut *conn).await?;
    Ok(())
}

pub async fn is_setup_secret(conn: &mut Conn, hash: SecretHash) -> Result<bool> {
    Ok(sqlx::query_scalar(sql!("select exists (select 1 from meta where setup_secret_hash = $1)"))
        .bind(hash.0.to_vec())
        .fetch_one(conn)
        .await?)
}
