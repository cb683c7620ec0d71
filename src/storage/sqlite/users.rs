//! Accounts, their API tokens, and the one secret that sets up the first.

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow};

use super::{
    notices, requests,
    rows::{Columns, Word, user, user_columns},
    sessions,
    writer::Tx,
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
pub(super) async fn create(tx: &mut Tx, new: NewUser) -> Result<User> {
    let NewUser { email, name, role, is_confirmed, password_hash } = new;
    let user = User { id: UserId::new(), email, name, role, is_confirmed, created_at: now() };
    let done = sqlx::query(
        "insert into users (id, email, name, role, password_hash, created_at_ms, confirmed_email, folded)
         values (?1, ?2, ?3, ?4, ?5, ?6, case when ?7 then ?2 end, ?8)
         on conflict (email) do nothing",
    )
    .bind(user.id.0)
    .bind(user.email.as_str())
    .bind(user.name.as_str())
    .bind(user.role.word())
    .bind(password_hash)
    .bind(user.created_at.0)
    .bind(is_confirmed)
    .bind(folded_account(user.name.as_str(), user.email.as_str()))
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

const HAS_ADMIN: &str = "select exists (select 1 from users where role = 'admin')";

pub(super) async fn has_admin(conn: &mut SqliteConnection) -> Result<bool> {
    Ok(sqlx::query_scalar(HAS_ADMIN).fetch_one(conn).await?)
}

pub(super) const BY_EMAIL: &str = concat!("select ", user_columns!(), ", password_hash from users where email = ?1");

pub(super) async fn find_by_email(conn: &mut SqliteConnection, email: &Email) -> Result<Option<(User, String)>> {
    let row = sqlx::query(BY_EMAIL).bind(email.as_str()).fetch_optional(conn).await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub(super) const BY_ID: &str = concat!("select ", user_columns!(), ", password_hash from users where id = ?1");

pub(super) async fn find(conn: &mut SqliteConnection, id: UserId) -> Result<Option<(User, String)>> {
    let row = sqlx::query(BY_ID).bind(id.0).fetch_optional(conn).await?;
    Ok(row.map(|row| Ok::<_, sqlx::Error>((user(&row)?, row.try_get("password_hash")?))).transpose()?)
}

pub(super) async fn list(conn: &mut SqliteConnection, search: Option<&str>, limit: i64) -> Result<Vec<User>> {
    let rows = sqlx::query(concat!(
        "select ",
        user_columns!(),
        " from users
         where (?1 is null or instr(coalesce(folded, lower(name) || char(10) || email), ?1))
           -- Not a person: who has what belonged to those that were erased.
           and id <> zeroblob(16)
         order by role, coalesce(folded, lower(name)), id limit ?2"
    ))
    .bind(searched(search).map(fold))
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(rows.iter().map(user).collect::<sqlx::Result<_>>()?)
}

/// # Errors
/// [`StoreError::NotFound`].
async fn get(tx: &mut Tx, id: UserId) -> Result<User> {
    find(&mut tx.conn, id).await?.map(|(user, _)| user).ok_or(StoreError::NotFound)
}

/// # Errors
/// [`StoreError::Forbidden`], [`StoreError::NotFound`].
pub(super) async fn set_role(tx: &mut Tx, by: UserId, id: UserId, role: Role) -> Result<User> {
    // Asked within the transaction: of two admins who demote each other at once only one succeeds.
    if by == id || get(tx, by).await?.role != Role::Admin {
        return Err(StoreError::Forbidden);
    }
    sqlx::query("update users set role = ?2 where id = ?1").bind(id.0).bind(role.word()).execute(&mut tx.conn).await?;
    if role == Role::Customer {
        // For good: what an admin once handed out does not come back with the role.
        sqlx::query("update api_tokens set revoked_at_ms = ?2 where user_id = ?1 and revoked_at_ms is null")
            .bind(id.0)
            .bind(now().0)
            .execute(&mut tx.conn)
            .await?;
        sqlx::query("delete from invites where invited_by = ?1").bind(id.0).execute(&mut tx.conn).await?;
    }
    notices::note(tx, [Notice::User(id)]).await?;
    get(tx, id).await
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn rename(tx: &mut Tx, id: UserId, name: Name) -> Result<User> {
    let user = User { name, ..get(tx, id).await? };
    sqlx::query("update users set name = ?2, folded = ?3 where id = ?1")
        .bind(id.0)
        .bind(user.name.as_str())
        .bind(folded_account(user.name.as_str(), user.email.as_str()))
        .execute(&mut tx.conn)
        .await?;
    requests::customer_renamed(tx, id, &user.name, &user.email).await?;
    notices::note(tx, [Notice::User(id)]).await?;
    Ok(user)
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_confirmation(
    tx: &mut Tx,
    hash: SecretHash,
    user: UserId,
    email: Email,
    expires_at: Timestamp,
) -> Result<()> {
    if get(tx, user).await?.email != email {
        forget_other_addresses(tx, user).await?;
    }
    sqlx::query(
        "insert into email_confirmations (secret_hash, user_id, email, created_at_ms, expires_at_ms)
         values (?1, ?2, ?3, ?4, ?5)
         on conflict (user_id, email) do update set secret_hash = excluded.secret_hash,
             created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms",
    )
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(email.as_str())
    .bind(now().0)
    .bind(expires_at.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Forgets that the user wanted another address.
async fn forget_other_addresses(tx: &mut Tx, user: UserId) -> Result<()> {
    sqlx::query(
        "delete from email_confirmations
         where user_id = ?1 and email <> (select users.email from users where users.id = ?1)",
    )
    .bind(user.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

pub(super) const FIND_CONFIRMATION: &str = concat!(
    "select ",
    user_columns!(),
    ", email_confirmations.email as wanted_email
     from email_confirmations join users on users.id = email_confirmations.user_id
     where email_confirmations.secret_hash = ?1 and email_confirmations.expires_at_ms > ?2"
);

pub(super) async fn find_confirmation(
    conn: &mut SqliteConnection,
    hash: SecretHash,
    now: Timestamp,
) -> Result<Option<Confirmation>> {
    let row = sqlx::query(FIND_CONFIRMATION).bind(hash.0.to_vec()).bind(now.0).fetch_optional(conn).await?;
    let confirmation = |row: SqliteRow| {
        Ok::<_, sqlx::Error>(Confirmation { user: user(&row)?, email: Email::trusted(row.try_get("wanted_email")?) })
    };
    Ok(row.map(confirmation).transpose()?)
}

/// Gives the user this address as one that was confirmed.
async fn set_email(tx: &mut Tx, id: UserId, email: &Email) -> Result<()> {
    let name = get(tx, id).await?.name;
    sqlx::query("update users set email = ?2, confirmed_email = ?2, folded = ?3 where id = ?1")
        .bind(id.0)
        .bind(email.as_str())
        .bind(folded_account(name.as_str(), email.as_str()))
        .execute(&mut tx.conn)
        .await?;
    sqlx::query("delete from email_confirmations where user_id = ?1").bind(id.0).execute(&mut tx.conn).await?;
    Ok(())
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn confirm_email(
    tx: &mut Tx,
    hash: SecretHash,
    by: UserId,
    now: Timestamp,
) -> Result<Option<(User, User)>> {
    let found = find_confirmation(&mut tx.conn, hash, now).await?;
    let Some(Confirmation { user: before, email }) = found.filter(|found| found.user.id == by) else { return Ok(None) };
    let is_taken: bool = sqlx::query_scalar("select exists (select 1 from users where email = ?1 and id <> ?2)")
        .bind(email.as_str())
        .bind(by.0)
        .fetch_one(&mut tx.conn)
        .await?;
    if is_taken {
        return Err(StoreError::EmailTaken);
    }
    set_email(tx, by, &email).await?;
    // It went to the address before.
    sqlx::query("delete from password_resets where user_id = ?1").bind(by.0).execute(&mut tx.conn).await?;
    let after = get(tx, by).await?;
    requests::customer_renamed(tx, by, &after.name, &after.email).await?;
    notices::note(tx, [Notice::User(by)]).await?;
    Ok(Some((before, after)))
}

pub(super) async fn claim(
    tx: &mut Tx,
    hash: SecretHash,
    phc: String,
    now: Timestamp,
) -> Result<Option<(User, Vec<SessionId>)>> {
    let found = find_confirmation(&mut tx.conn, hash, now).await?.filter(Confirmation::is_own);
    let Some(Confirmation { user, email }) = found else { return Ok(None) };
    let ended = set_password(tx, user.id, phc, None).await?;
    set_email(tx, user.id, &email).await?;
    Ok(Some((get(tx, user.id).await?, ended)))
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn set_password(
    tx: &mut Tx,
    id: UserId,
    phc: String,
    keep: Option<SessionId>,
) -> Result<Vec<SessionId>> {
    let done = sqlx::query("update users set password_hash = ?2 where id = ?1")
        .bind(id.0)
        .bind(phc)
        .execute(&mut tx.conn)
        .await?;
    if done.rows_affected() == 0 {
        return Err(StoreError::NotFound);
    }
    // Whoever knew the old password may have asked for a new one.
    sqlx::query("delete from password_resets where user_id = ?1").bind(id.0).execute(&mut tx.conn).await?;
    sqlx::query("delete from sign_in_links where user_id = ?1").bind(id.0).execute(&mut tx.conn).await?;
    forget_other_addresses(tx, id).await?;
    sessions::end_all_of(tx, id, keep).await
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_password_reset(
    tx: &mut Tx,
    hash: SecretHash,
    user: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    get(tx, user).await?;
    sqlx::query(
        "insert into password_resets (secret_hash, user_id, created_at_ms, expires_at_ms) values (?1, ?2, ?3, ?4)
         on conflict (user_id) do update set secret_hash = excluded.secret_hash,
             created_at_ms = excluded.created_at_ms, expires_at_ms = excluded.expires_at_ms",
    )
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now().0)
    .bind(expires_at.0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

pub(super) const FIND_PASSWORD_RESET: &str = concat!(
    "select ",
    user_columns!(),
    " from password_resets join users on users.id = password_resets.user_id
     where password_resets.secret_hash = ?1 and password_resets.expires_at_ms > ?2"
);

pub(super) async fn find_password_reset(
    conn: &mut SqliteConnection,
    hash: SecretHash,
    now: Timestamp,
) -> Result<Option<User>> {
    let row = sqlx::query(FIND_PASSWORD_RESET).bind(hash.0.to_vec()).bind(now.0).fetch_optional(conn).await?;
    Ok(row.map(|row| user(&row)).transpose()?)
}

pub(super) async fn reset_password(
    tx: &mut Tx,
    hash: SecretHash,
    phc: String,
    now: Timestamp,
) -> Result<Option<(User, Vec<SessionId>)>> {
    let Some(user) = find_password_reset(&mut tx.conn, hash, now).await? else { return Ok(None) };
    let ended = set_password(tx, user.id, phc, None).await?;
    set_email(tx, user.id, &user.email).await?;
    Ok(Some((User { is_confirmed: true, ..user }, ended)))
}

/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn create_invite(
    tx: &mut Tx,
    id: InviteId,
    hash: SecretHash,
    by: UserId,
    expires_at: Timestamp,
) -> Result<()> {
    get(tx, by).await?;
    let done = sqlx::query(
        "insert into invites (id, secret_hash, invited_by, created_at_ms, expires_at_ms) values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do nothing",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(by.0)
    .bind(now().0)
    .bind(expires_at.0)
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::IdTaken) } else { Ok(()) }
}

/// An invitation counts while whoever made it is an admin. Binds `?1` the present moment.
macro_rules! select_invites {
    () => {
        "select invites.id, users.name, invites.created_at_ms, invites.expires_at_ms
         from invites join users on users.id = invites.invited_by
         where invites.expires_at_ms > ?1 and users.role = 'admin'"
    };
}

fn invite(row: &SqliteRow) -> sqlx::Result<Invite> {
    Ok(Invite {
        id: row.id("id", InviteId)?,
        invited_by: Name::trusted(row.try_get("name")?),
        created_at: row.time("created_at_ms")?,
        expires_at: row.time("expires_at_ms")?,
    })
}

pub(super) const FIND_INVITE: &str = concat!(select_invites!(), " and invites.secret_hash = ?2");

pub(super) async fn find_invite(
    conn: &mut SqliteConnection,
    hash: SecretHash,
    now: Timestamp,
) -> Result<Option<Invite>> {
    let row = sqlx::query(FIND_INVITE).bind(now.0).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.as_ref().map(invite).transpose()?)
}

pub(super) const LIST_INVITES: &str = concat!(select_invites!(), " order by invites.id desc");

pub(super) async fn list_invites(conn: &mut SqliteConnection, now: Timestamp) -> Result<Vec<Invite>> {
    let rows = sqlx::query(LIST_INVITES).bind(now.0).fetch_all(conn).await?;
    Ok(rows.iter().map(invite).collect::<sqlx::Result<_>>()?)
}

pub(super) async fn delete_invite(tx: &mut Tx, id: InviteId) -> Result<bool> {
    let done = sqlx::query("delete from invites where id = ?1").bind(id.0).execute(&mut tx.conn).await?;
    Ok(done.rows_affected() > 0)
}

/// # Errors
/// [`StoreError::EmailTaken`].
pub(super) async fn accept_invite(tx: &mut Tx, hash: SecretHash, new: NewUser, now: Timestamp) -> Result<Option<User>> {
    let Some(invite) = find_invite(&mut tx.conn, hash, now).await? else { return Ok(None) };
    delete_invite(tx, invite.id).await?;
    Ok(Some(create(tx, NewUser { role: Role::Admin, ..new }).await?))
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
pub(super) async fn create_token(
    tx: &mut Tx,
    id: TokenId,
    hash: SecretHash,
    user: UserId,
    name: Option<Name>,
) -> Result<()> {
    get(tx, user).await?;
    let done = sqlx::query(
        "insert into api_tokens (id, secret_hash, user_id, created_at_ms, name)
         values (?1, ?2, ?3, ?4, ?5)
         on conflict (id) do nothing",
    )
    .bind(id.0)
    .bind(hash.0.to_vec())
    .bind(user.0)
    .bind(now().0)
    .bind(name.as_ref().map(Name::as_str))
    .execute(&mut tx.conn)
    .await?;
    if done.rows_affected() == 0 { Err(StoreError::IdTaken) } else { Ok(()) }
}

macro_rules! select_tokens {
    () => {
        concat!(
            "select ",
            user_columns!(),
            ", api_tokens.id, api_tokens.created_at_ms, api_tokens.name as token_name
             from api_tokens join users on users.id = api_tokens.user_id
             where api_tokens.revoked_at_ms is null and users.role = 'admin'"
        )
    };
}

fn token(row: &SqliteRow) -> sqlx::Result<ApiToken> {
    Ok(ApiToken {
        id: row.id("id", TokenId)?,
        name: row.try_get::<Option<String>, _>("token_name")?.map(Name::trusted),
        user: user(row)?,
        created_at: row.time("created_at_ms")?,
    })
}

pub(super) const LIST_TOKENS: &str = concat!(select_tokens!(), " order by api_tokens.id desc");

pub(super) async fn list_tokens(conn: &mut SqliteConnection) -> Result<Vec<ApiToken>> {
    let rows = sqlx::query(LIST_TOKENS).fetch_all(conn).await?;
    Ok(rows.iter().map(token).collect::<sqlx::Result<_>>()?)
}

pub(super) const FIND_TOKEN: &str = concat!(select_tokens!(), " and api_tokens.secret_hash = ?1");

pub(super) async fn find_token(conn: &mut SqliteConnection, hash: SecretHash) -> Result<Option<ApiToken>> {
    let row = sqlx::query(FIND_TOKEN).bind(hash.0.to_vec()).fetch_optional(conn).await?;
    Ok(row.as_ref().map(token).transpose()?)
}

pub(super) async fn revoke_token(tx: &mut Tx, id: TokenId) -> Result<bool> {
    let done = sqlx::query("update api_tokens set revoked_at_ms = ?2 where id = ?1 and revoked_at_ms is null")
        .bind(id.0)
        .bind(now().0)
        .execute(&mut tx.conn)
        .await?;
    if done.rows_affected() == 0 {
        return Ok(false);
    }
    notices::note(tx, [Notice::Token(id)]).await?;
    Ok(true)
}
