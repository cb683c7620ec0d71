//! Accounts, their API tokens, and the one secret that sets up the first.

use sqlx::{Row, postgres::PgRow};

use super::{
    conn::Conn,
    notices, requests,
    rows::{Columns, Word, at, searchable, user, user_columns},
    sessions,
};
use crate::{
    domain::{Email, InviteId, Name, Role, SessionId, Timestamp, TokenId, User, UserId},
    storage::{
        ApiToken, Confirmation, Invite, NewUser, Notice, Result, SecretHash, StoreError, now,
        rules::{folded_account, searched},
        search::fold,
    },
};

/// Stores a user.
///
/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn create(conn: &mut Conn, new: NewUser) -> Result<User> {
    let NewUser { email, name, role, is_confirmed, password_hash } = new;
    let user = User { id: UserId::new(), email, name, role, is_confirmed, created_at: now() };
    let done = sqlx::query(
        "insert into users (id, email, name, role, password_hash, created_at, confirmed_email, folded)
         values ($1, $2, $3, $4, $5, $6, case when $7 then $2 end, $8)
         on conflict (email) do nothing",
    )
    .bind(user.id.0)
    .bind(user.email.as_str())
    .bind(user.name.as_str())
    .bind(user.role.word())
    .bind(password_hash)
    .bind(at(user.created_at))
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
pub(super) async fn create_first_admin(conn: &mut Conn, new: NewUser) -> Result<Option<User>> {
    // Whoever asks at the same moment waits here, and then finds the admin.
    sqlx::query("select from meta for update").execute(&mut *conn).await?;
    if has_admin(&mut *conn).await? {
        return Ok(None);
    }
    let user = create(&mut *conn, NewUser { role: Role::Admin, ..new }).await?;
    sqlx::query("update meta set setup_secret_hash = null").execute(&mut *conn).await?;
    Ok(Some(user))
}

pub(super) async fn has_admin(conn: &mut Conn) -> Result<bool> {
    Ok(sqlx::query_scalar("select exists (select 1 from users where role = 'admin')").fetch_one(conn).await?)
}

pub(super) async fn find_by_email(conn: &mut Conn, email: &Email) -> Result<Option<(User, String)>> {
    let row = sqlx::query(concat!("select ", user_columns!(), ", password_hash from users where email = $1"))
        .bind(email.as_str())
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub(super) async fn find(conn: &mut Conn, id: UserId) -> Result<Option<(User, String)>> {
    let row = sqlx::query(concat!("select ", user_columns!(), ", password_hash from users where id = $1"))
        .bind(id.0)
        .fetch_optional(conn)
        .await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub(super) async fn list(conn: &mut Conn, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
    let rows = sqlx::query(concat!(
        "select ",
        user_columns!(),
        " from users
         where ($1 is null or strpos(coalesce(folded, lower(name) || E'\n' || email), $1) > 0)
           -- Not a person: who has what belonged to those that were erased.
           and id <> '00000000-0000-0000-0000-000000000000'
         order by role, coalesce(folded, lower(name)) collate \"C\", id limit $2"
    ))
    .bind(searched(search).map(|text| searchable(&fold(text))))
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(user).collect::<sqlx::Result<_>>()?)
}

/// # Errors
/// [`StoreError::NotFound`].
async fn get(conn: &mut Conn, id: UserId) -> Result<User> {
    find(&mut *conn, id).await?.map(|(user, _)| user).ok_or(StoreError::NotFound)
}

/// # Errors
/// [`StoreError::Forbidden`], [`StoreError::NotFound`].
pub(super) async fn set_role(conn: &mut Conn, by: UserId, id: UserId, role: Role) -> Result<User> {
    // Both are held until the transaction ends, in the same order for everyone: of two admins who demote
    // each other at once only one succeeds.
    sqlx::query("select from users where id in ($1, $2) order by id for no key update")
        .bind(by.0)
        .bind(id.0)
        .execute(&mut *conn)
        .await?;
    if by == id || get(&mut *conn, by).await?.role != Role::Admin {
        return Err(StoreError::Forbidden);
    }
    sqlx::query("update users set role = $2 where id = $1").bind(id.0).bind(role.word()).execute(&mut *conn).await?;
    if role == Role::Customer {
        // For good: what an admin once handed out does not come back with the role.
        sqlx::query("update api_tokens set revoked_at = $2 where user_id = $1 and revoked_at is null")
            .bind(id.0)
            .bind(at(now()))
            .execute(&mut *conn)
            .await?;
        sqlx::query("delete from invites where invited_by = $1").bind(id.0).execute(&mut *conn).await?;
    }
    let user = get(&mut *conn, id).await?;
    notices::note(conn, [Notice::User(id)]).await?;
    Ok(user)
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn rename(conn: &mut Conn, id: UserId, name: Name) -> Result<User> {
    lock(&mut *conn, id).await?;
    let user = User { name, ..get(&mut *conn, id).await? };
    sqlx::query("update users set name = $2, folded = $3 where id = $1")
        .bind(id.0)
        .bind(user.name.as_str())
        .bind(folded_account(user.name.as_str(), user.email.as_str()))
        .execute(&mut *conn)
        .await?;
    requests::customer_renamed(&mut *conn, id, &user.name, &user.email).await?;
    notices::note(conn, [Notice::User(id)]).await?;
    Ok(user)
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_confirmation(
    conn: &mut Conn,
    hash: SecretHash,
    user: UserId,
    email: Email,
    expires_at: Timestamp,
) -> Result<()> {
    // One address to come takes the place of another, also of several at once.
    lock(&mut *conn, user).await?;
    if get(&mut *conn, user).await?.email != email {
        forget_other_addresses(&mut *conn, user).await?;
    }
    sqlx::query(
        "insert into email_confirmations (secret_hash, user_id, email, created_at, expires_at)
         values ($1, $2, $3, $4, $5)
         on conflict (user_id, email) do update set secret_hash = excluded.secret_hash,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
    )
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(email.as_str())
    .bind(at(now()))
    .bind(at(expires_at))
    .execute(&mut *conn)
    .await?;
    Ok(())
}

/// Holds an account until the transaction ends: of those who change its address or password each finds what the
/// one before left.
async fn lock(conn: &mut Conn, user: UserId) -> Result<()> {
    sqlx::query("select from users where id = $1 for no key update").bind(user.0).execute(conn).await?;
    Ok(())
}

/// Forgets that the user wanted another address.
async fn forget_other_addresses(conn: &mut Conn, user: UserId) -> Result<()> {
    sqlx::query(
        "delete from email_confirmations
         where user_id = $1 and email <> (select users.email from users where users.id = $1)",
    )
    .bind(user.0)
    .execute(conn)
    .await?;
    Ok(())
}

pub(super) async fn find_confirmation(
    conn: &mut Conn,
    hash: SecretHash,
    now: Timestamp,
) -> Result<Option<Confirmation>> {
    let row = sqlx::query(concat!(
        "select ",
        user_columns!(),
        ", email_confirmations.email as wanted_email
         from email_confirmations join users on users.id = email_confirmations.user_id
         where email_confirmations.secret_hash = $1 and email_confirmations.expires_at > $2"
    ))
    .bind(hash.0.to_vec())
    .bind(at(now))
    .fetch_optional(conn)
    .await?;
    let confirmation = |row: PgRow| {
        Ok::<_, sqlx::Error>(Confirmation { user: user(&row)?, email: Email::trusted(row.try_get("wanted_email")?) })
    };
    Ok(row.map(confirmation).transpose()?)
}

/// The confirmation as it is once its account is held, so that it is used once.
async fn hold_confirmation(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Confirmation>> {
    let Some(found) = find_confirmation(&mut *conn, hash, now).await? else { return Ok(None) };
    lock(&mut *conn, found.user.id).await?;
    find_confirmation(conn, hash, now).await
}

/// Gives the user this address as one that was confirmed.
///
/// # Errors
/// [`StoreError::EmailTaken`].
async fn set_email(conn: &mut Conn, id: UserId, email: &Email) -> Result<()> {
    let name = get(&mut *conn, id).await?.name;
    sqlx::query("update users set email = $2, confirmed_email = $2, folded = $3 where id = $1")
        .bind(id.0)
        .bind(email.as_str())
        .bind(folded_account(name.as_str(), email.as_str()))
        .execute(&mut *conn)
        .await
        .map_err(|error| match error.as_database_error().and_then(|error| error.constraint()) {
            Some("users_email_unique") => StoreError::EmailTaken,
            _ => error.into(),
        })?;
    sqlx::query("delete from email_confirmations where user_id = $1").bind(id.0).execute(conn).await?;
    Ok(())
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn confirm_email(
    conn: &mut Conn,
    hash: SecretHash,
    by: UserId,
    now: Timestamp,
) -> Result<Option<(User, User)>> {
    let found = hold_confirmation(&mut *conn, hash, now).await?;
    let Some(Confirmation { user: before, email }) = found.filter(|found| found.user.id == by) else { return Ok(None) };
    set_email(&mut *conn, by, &email).await?;
    // It went to the address before.
    sqlx::query("delete from password_resets where user_id = $1").bind(by.0).execute(&mut *conn).await?;
    let after = get(&mut *conn, by).await?;
    requests::customer_renamed(&mut *conn, by, &after.name, &after.email).await?;
    notices::note(conn, [Notice::User(by)]).await?;
    Ok(Some((before, after)))
}

pub(super) async fn claim(
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
pub(super) async fn set_password(
    conn: &mut Conn,
    id: UserId,
    phc: String,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>> {
    let done = sqlx::query("update users set password_hash = $2 where id = $1")
        .bind(id.0)
        .bind(phc)
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    // Whoever knew the old password may have asked for a new one.
    sqlx::query("delete from password_resets where user_id = $1").bind(id.0).execute(&mut *conn).await?;
    sqlx::query("delete from sign_in_links where user_id = $1").bind(id.0).execute(&mut *conn).await?;
    forget_other_addresses(&mut *conn, id).await?;
    sessions::end_all_of(conn, id, keep).await
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_password_reset(
    conn: &mut Conn,
    hash: SecretHash,
    user: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    get(&mut *conn, user).await?;
    sqlx::query(
        "insert into password_resets (secret_hash, user_id, created_at, expires_at) values ($1, $2, $3, $4)
         on conflict (user_id) do update set secret_hash = excluded.secret_hash,
             created_at = excluded.created_at, expires_at = excluded.expires_at",
    )
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(at(now()))
    .bind(at(expires_at))
    .execute(&mut *conn)
    .await?;
    Ok(())
}

pub(super) async fn find_password_reset(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<User>> {
    let row = sqlx::query(concat!(
        "select ",
        user_columns!(),
        " from password_resets join users on users.id = password_resets.user_id
         where password_resets.secret_hash = $1 and password_resets.expires_at > $2"
    ))
    .bind(hash.0.to_vec())
    .bind(at(now))
    .fetch_optional(conn)
    .await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}

pub(super) async fn reset_password(
    conn: &mut Conn,
    hash: SecretHash,
    phc: String,
    now: Timestamp,
) -> Result<Option<(User, Vec<SessionId>)>> {
    // The account is held first: of several at once one uses it, and the others find nothing.
    let Some(found) = find_password_reset(&mut *conn, hash, now).await? else { return Ok(None) };
    lock(&mut *conn, found.id).await?;
    let Some(user) = find_password_reset(&mut *conn, hash, now).await? else { return Ok(None) };
    set_email(&mut *conn, user.id, &user.email).await?;
    let ended = set_password(conn, user.id, phc, None).await?;
    Ok(Some((User { is_confirmed: true, ..user }, ended)))
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_invite(
    conn: &mut Conn,
    id: InviteId,
    hash: SecretHash,
    by: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    get(&mut *conn, by).await?;
    let done = sqlx::query(
        "insert into invites (id, secret_hash, invited_by, created_at, expires_at) values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(by.0)
    .bind(at(now()))
    .bind(at(expires_at))
    .execute(&mut *conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::IdTaken) } else { Ok(()) }
}

/// An invitation counts while whoever made it is an admin. Binds `$1` the present moment.
macro_rules! select_invites {
    () => {
        "select invites.id, users.name, invites.created_at, invites.expires_at
         from invites join users on users.id = invites.invited_by
         where invites.expires_at > $1 and users.role = 'admin'"
    };
}

fn invite(row: &PgRow) -> sqlx::Result<Invite> {
    Ok(Invite {
        id: row.id("id", InviteId)?,
        invited_by: Name::trusted(row.try_get("name")?),
        created_at: row.time("created_at")?,
        expires_at: row.time("expires_at")?,
    })
}

pub(super) async fn find_invite(conn: &mut Conn, hash: SecretHash, now: Timestamp) -> Result<Option<Invite>> {
    let row = sqlx::query(concat!(select_invites!(), " and invites.secret_hash = $2"))
        .bind(at(now))
        .bind(hash.0.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.as_ref().map(invite).transpose()?)
}

pub(super) async fn list_invites(conn: &mut Conn, now: Timestamp) -> Result<Vec<Invite>> {
    let rows =
        sqlx::query(concat!(select_invites!(), " order by invites.id desc")).bind(at(now)).fetch_all(conn).await?;
    Ok(rows.iter().map(invite).collect::<sqlx::Result<_>>()?)
}

pub(super) async fn delete_invite(conn: &mut Conn, id: InviteId) -> Result<bool> {
    let done = sqlx::query("delete from invites where id = $1").bind(id.0).execute(&mut *conn).await?;
    Ok(done.rows_affected() > 0)
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn accept_invite(
    conn: &mut Conn,
    hash: SecretHash,
    new: NewUser,
    now: Timestamp,
) -> Result<Option<User>> {
    let Some(invite) = find_invite(&mut *conn, hash, now).await? else { return Ok(None) };
    // Of several at once one deletes it.
    if !delete_invite(&mut *conn, invite.id).await? {
        return Ok(None);
    }
    Ok(Some(create(conn, NewUser { role: Role::Admin, ..new }).await?))
}

pub(super) async fn put_setup_secret(conn: &mut Conn, hash: SecretHash) -> Result<()> {
    sqlx::query("update meta set setup_secret_hash = $1").bind(hash.0.to_vec()).execute(&mut *conn).await?;
    Ok(())
}

pub(super) async fn is_setup_secret(conn: &mut Conn, hash: SecretHash) -> Result<bool> {
    Ok(sqlx::query_scalar("select exists (select 1 from meta where setup_secret_hash = $1)")
        .bind(hash.0.to_vec())
        .fetch_one(conn)
        .await?)
}

/// # Errors
/// [`StoreError::NotFound`]: there is no such user.
pub(super) async fn create_token(
    conn: &mut Conn,
    id: TokenId,
    hash: SecretHash,
    user: UserId,
    name: Option<Name>,
) -> Result<()> {
    get(&mut *conn, user).await?;
    let done = sqlx::query(
        "insert into api_tokens (id, secret_hash, user_id, created_at, name)
         values ($1, $2, $3, $4, $5)
         on conflict (id) do nothing",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(at(now()))
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

fn token(row: &PgRow) -> sqlx::Result<ApiToken> {
    Ok(ApiToken {
        id: row.id("id", TokenId)?,
        name: row.try_get::<Option<String>, _>("token_name")?.map(Name::trusted),
        user: user(row)?,
        created_at: row.time("created_at")?,
    })
}

pub(super) async fn list_tokens(conn: &mut Conn) -> Result<Vec<ApiToken>> {
    let rows = sqlx::query(concat!(select_tokens!(), " order by api_tokens.id desc")).fetch_all(conn).await?;
    Ok(rows.iter().map(token).collect::<sqlx::Result<_>>()?)
}

pub(super) async fn find_token(conn: &mut Conn, hash: SecretHash) -> Result<Option<ApiToken>> {
    let row = sqlx::query(concat!(select_tokens!(), " and api_tokens.secret_hash = $1"))
        .bind(hash.0.to_vec())
        .fetch_optional(conn)
        .await?;
    Ok(row.as_ref().map(token).transpose()?)
}

pub(super) async fn revoke_token(conn: &mut Conn, id: TokenId) -> Result<bool> {
    let done = sqlx::query("update api_tokens set revoked_at = $2 where id = $1 and revoked_at is null")
        .bind(id.0)
        .bind(at(now()))
        .execute(&mut *conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    notices::note(conn, [Notice::Token(id)]).await?;
    Ok(true)
}
