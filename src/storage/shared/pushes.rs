//! Subscriptions to notifications: where browsers take them, and whom they concern.

use sqlx::Row;
use uuid::Uuid;

use super::{
    actors::is_alive,
    dialect::{Conn, DbRow, joined_ids, locking, sql},
    rows::{Columns, links, user, user_columns},
};
use crate::{
    domain::{Actor, ConversationId, PushId, SessionId, Timestamp},
    locales::Locale,
    storage::{PushRecipient, PushSubscription, Result, StoreError, now},
};

/// How many subscriptions a session's person has, beside that of endpoint `$2`: in all sessions of the same account,
/// and in those that opened one of the same links.
pub const COUNT: &str = sql!(
    "select count(*) from push_subscriptions
     where endpoint <> $2 and session_id in (
         select id from login_sessions where id = $1
         union select others.id
         from login_sessions as mine join login_sessions as others on others.user_id = mine.user_id
         where mine.id = $1
         union select others.session_id
         from session_links as mine join session_links as others on others.link_id = mine.link_id
         where mine.session_id = $1)"
);

/// Stores a subscription, in place of any before with the same endpoint. `None` if the person has `most` others.
///
/// # Errors
/// [`StoreError::NotFound`]: there is no such session.
pub async fn add(conn: &mut Conn, session: SessionId, new: PushSubscription, most: i64) -> Result<Option<PushId>> {
    // Locked, so a concurrent end of the session happens before or after.
    let exists: Option<i32> =
        sqlx::query_scalar(sql!("select 1 from login_sessions where id = $1", locking!(" for key share")))
            .bind(session.0)
            .fetch_optional(&mut *conn)
            .await?;
    if exists.is_none() {
        return Err(StoreError::NotFound);
    }
    let others: i64 = sqlx::query_scalar(COUNT).bind(session.0).bind(&new.endpoint).fetch_one(&mut *conn).await?;
    if others >= most {
        return Ok(None);
    }
    let id: Uuid = sqlx::query_scalar(sql!(
        "insert into push_subscriptions (id, session_id, endpoint, public_key, auth_secret, language, created_at)
         values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (endpoint) do update
         set session_id = excluded.session_id, public_key = excluded.public_key, auth_secret = excluded.auth_secret,
             language = excluded.language
         returning id"
    ))
    .bind(PushId::new().0)
    .bind(session.0)
    .bind(new.endpoint)
    .bind(new.public_key)
    .bind(new.auth_secret)
    .bind(new.locale.tag())
    .bind(now())
    .fetch_one(&mut *conn)
    .await?;
    Ok(Some(PushId(id)))
}

pub async fn any(conn: &mut Conn) -> Result<bool> {
    Ok(sqlx::query_scalar(sql!("select exists (select 1 from push_subscriptions)")).fetch_one(conn).await?)
}

/// The latest subscription of a session.
pub async fn find(conn: &mut Conn, session: SessionId) -> Result<Option<PushId>> {
    let id: Option<Uuid> =
        sqlx::query_scalar(sql!("select id from push_subscriptions where session_id = $1 order by id desc limit 1"))
            .bind(session.0)
            .fetch_optional(conn)
            .await?;
    Ok(id.map(PushId))
}

pub async fn delete(conn: &mut Conn, session: SessionId, id: PushId) -> Result<bool> {
    let done = sqlx::query(sql!("delete from push_subscriptions where id = $1 and session_id = $2"))
        .bind(id.0)
        .bind(session.0)
        .execute(conn)
        .await?;
    Ok(done.rows_affected() > 0)
}

/// Deletes a subscription that its push service does not know any more.
pub async fn forget(conn: &mut Conn, id: PushId) -> Result<()> {
    sqlx::query(sql!("delete from push_subscriptions where id = $1")).bind(id.0).execute(conn).await?;
    Ok(())
}

/// Gives the subscriptions of a session to another one of the same browser, unless another account owned them.
pub async fn hand_over(conn: &mut Conn, from: SessionId, into: SessionId) -> Result<()> {
    sqlx::query(sql!(
        "update push_subscriptions set session_id = $2
         where session_id = $1
           and exists (select 1 from login_sessions as one, login_sessions as other
                       where one.id = $1 and other.id = $2
                         and (one.user_id is null or one.user_id = other.user_id))"
    ))
    .bind(from.0)
    .bind(into.0)
    .execute(conn)
    .await?;
    Ok(())
}

/// The browsers of all admins, of the conversation's account, and of those that opened its living link. `$1` is the
/// present moment, `$2` when a session must have been seen, `$3` the conversation.
pub const RECIPIENTS: &str = sql!(
    "select push_subscriptions.id as push_id, push_subscriptions.endpoint, push_subscriptions.public_key,
            push_subscriptions.auth_secret, push_subscriptions.language, login_sessions.user_id as account_id, ",
    user_columns!(),
    ", (select ",
    joined_ids!("links.id"),
    " from session_links join links on links.id = session_links.link_id
        where session_links.session_id = login_sessions.id and ",
    is_alive!("links", "$1"),
    ") as links
     from push_subscriptions
     join login_sessions on login_sessions.id = push_subscriptions.session_id
     left join users on users.id = login_sessions.user_id
     where login_sessions.expires_at > $1 and login_sessions.last_seen_at > $2
       and push_subscriptions.session_id in (
           select sessions.id from users as admins join login_sessions as sessions on sessions.user_id = admins.id
           where admins.role = 'admin'
           union select sessions.id
           from conversations join login_sessions as sessions on sessions.user_id = conversations.customer_id
           where conversations.id = $3
           union select session_links.session_id
           from links join session_links on session_links.link_id = links.id
           where links.conversation_id = $3 and ",
    is_alive!("links", "$1"),
    ")"
);

pub async fn recipients(
    conn: &mut Conn,
    conversation: ConversationId,
    seen_after: Timestamp,
    now: Timestamp,
) -> Result<Vec<PushRecipient>> {
    let rows = sqlx::query(RECIPIENTS).bind(now).bind(seen_after).bind(conversation.0).fetch_all(conn).await?;
    let recipients: sqlx::Result<Vec<_>> = rows.iter().map(recipient).collect();
    Ok(recipients?.into_iter().flatten().collect())
}

fn recipient(row: &DbRow) -> sqlx::Result<Option<PushRecipient>> {
    let has_account = row.try_get::<Option<Uuid>, _>("account_id")?.is_some();
    let user = if has_account { Some(user(row)?) } else { None };
    let Some(actor) = Actor::of_browser(user, links(row)?) else { return Ok(None) };
    let subscription = PushSubscription {
        endpoint: row.try_get("endpoint")?,
        public_key: row.try_get("public_key")?,
        auth_secret: row.try_get("auth_secret")?,
        // A language that this version does not have.
        locale: row.try_get::<&str, _>("language")?.parse().unwrap_or(Locale::En),
    };
    Ok(Some(PushRecipient { id: row.id("push_id", PushId)?, actor, subscription }))
}
