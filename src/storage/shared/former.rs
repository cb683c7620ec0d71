//! Removal of people and requests; `erasure` removes their messages, in a different way in each database.

use uuid::Uuid;

use super::{
    dialect::{Conn, lock, sql, unindexed},
    journal, request_files,
    rows::Word,
    tx::Tx,
    users,
};
use crate::{
    domain::{ConversationId, Email, LinkId, RequestId, Role, SessionId, Timestamp, TokenId, UserId},
    storage::{
        Expiry, Notice, Result, StoreError,
        rules::{FORMER, NOBODY, NOBODY_EMAIL, REMOVED},
        search::fold,
    },
};

pub const END_SESSIONS: &str = sql!(
    "delete from login_sessions
     where ",
    // Not among the sessions of all guests.
    unindexed!("user_id"),
    " is null
       and id in (select session_links.session_id from session_links
                  join links on links.id = session_links.link_id where links.conversation_id = $1)
       and not exists (select 1 from session_links join links on links.id = session_links.link_id
                       where session_links.session_id = login_sessions.id and links.conversation_id <> $1)
     returning id"
);

/// Ends the links of a conversation, and the sessions of those who have nothing but them.
pub async fn end_links(tx: &mut Tx, conversation: Uuid, now: Timestamp) -> Result<()> {
    let links: Vec<Uuid> = sqlx::query_scalar(sql!(
        "update links set revoked_at = $2 where conversation_id = $1 and revoked_at is null returning id"
    ))
    .bind(conversation)
    .bind(now)
    .fetch_all(&mut tx.conn)
    .await?;
    let sessions: Vec<Uuid> = sqlx::query_scalar(END_SESSIONS).bind(conversation).fetch_all(&mut tx.conn).await?;
    let links = links.into_iter().map(|id| Notice::Link(LinkId(id)));
    tx.note(links.chain(sessions.into_iter().map(|id| Notice::Session(SessionId(id))))).await
}

/// Makes the account of those who have none any more, unless it is there.
pub async fn make_nobody(conn: &mut Conn) -> Result<()> {
    sqlx::query(sql!(
        "insert into users (id, email, name, role, password_hash, created_at)
         values ($1, $2, $3, $4, '', $5)
         on conflict do nothing"
    ))
    .bind(NOBODY)
    .bind(NOBODY_EMAIL)
    .bind(FORMER)
    .bind(Role::Customer.word())
    .bind(Timestamp(0))
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a customer, their words and files out of requests: one, or all of an account. Returns the number of files.
async fn anonymise_requests(conn: &mut Conn, request: Option<RequestId>, customer: Option<UserId>) -> Result<u64> {
    make_nobody(&mut *conn).await?;
    let requests: Vec<Uuid> =
        sqlx::query_scalar(sql!("select id from custom_requests where id = $1 or customer_id = $2"))
            .bind(request.map(|id| id.0))
            .bind(customer.map(|id| id.0))
            .fetch_all(&mut *conn)
            .await?;
    let mut files = 0;
    for id in requests {
        files += request_files::discard(&mut *conn, RequestId(id)).await?;
    }
    sqlx::query(sql!(
        "update custom_requests
         set title = $1, description = $1, folded = $2, customer_id = $3
         where id = $4 or customer_id = $5"
    ))
    .bind(REMOVED)
    .bind(fold(&[REMOVED, REMOVED, FORMER, NOBODY_EMAIL].join("\n")))
    .bind(NOBODY)
    .bind(request.map(|id| id.0))
    .bind(customer.map(|id| id.0))
    .execute(conn)
    .await?;
    Ok(files)
}

/// Ends everything by which the customer with this address gets into an account, and the way to get it back.
/// `None` if there is no such account.
///
/// # Errors
/// [`StoreError::Forbidden`]: this is an admin.
pub async fn shut_out(conn: &mut Conn, email: &Email) -> Result<Option<UserId>> {
    let user = users::find_by_email(&mut *conn, email).await?.map(|(user, _)| user);
    if user.as_ref().is_some_and(|user| user.role == Role::Admin) {
        return Err(StoreError::Forbidden);
    }
    let Some(user) = user.map(|user| user.id).filter(|id| id.0 != NOBODY) else { return Ok(None) };
    let tokens: Vec<Uuid> = sqlx::query_scalar(sql!("delete from api_tokens where user_id = $1 returning id"))
        .bind(user.0)
        .fetch_all(&mut *conn)
        .await?;
    users::set_password(&mut *conn, user, String::new(), None).await?;
    sqlx::query(sql!("delete from email_confirmations where user_id = $1")).bind(user.0).execute(&mut *conn).await?;
    journal::note(conn, tokens.into_iter().map(|id| Notice::Token(TokenId(id)))).await?;
    Ok(Some(user))
}

/// Takes out an account that has no conversations any more, and its words and files in requests. Returns the number of
/// files.
pub async fn erase_account(conn: &mut Conn, user: UserId) -> Result<u64> {
    let files = anonymise_requests(&mut *conn, None, Some(user)).await?;
    // A former admin may still have assigned chats. In the order in which those who write to conversations wait for
    // them.
    lock!(conn, "conversations where assignee_id = $1 order by id for no key update", user.0);
    let unassigned: Vec<(Uuid, i64)> = sqlx::query_as(sql!(
        "update conversations set assignee_id = null, head = head + 1 where assignee_id = $1 returning id, head"
    ))
    .bind(user.0)
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query(sql!("delete from users where id = $1")).bind(user.0).execute(&mut *conn).await?;
    let changed = |(id, rev)| Notice::Conversation { id: ConversationId(id), rev: Some(rev) };
    journal::note(conn, unassigned.into_iter().map(changed).chain([Notice::User(user)])).await?;
    Ok(files)
}

/// Conversations of an account, and those about somebody with this address that belong to no account.
pub async fn conversations_of(
    conn: &mut Conn,
    email: &Email,
    user: Option<UserId>,
    limit: i64,
) -> Result<Vec<ConversationId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(sql!(
        "select id from conversations where customer_id = $1
         union
         select id from conversations where customer_email = $2 and customer_id is null
         limit $3"
    ))
    .bind(user.map(|user| user.0))
    .bind(email.as_str())
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ConversationId).collect())
}

/// Takes out a request that has no conversation any more, or its words.
pub async fn take_out_request(conn: &mut Conn, id: RequestId, how: Expiry) -> Result<()> {
    match how {
        Expiry::Anonymise => anonymise_requests(conn, Some(id), None).await.map(drop),
        Expiry::Delete => {
            request_files::discard(&mut *conn, id).await?;
            sqlx::query(sql!("delete from request_changes where request_id = $1"))
                .bind(id.0)
                .execute(&mut *conn)
                .await?;
            sqlx::query(sql!("delete from custom_requests where id = $1")).bind(id.0).execute(conn).await?;
            Ok(())
        }
    }
}
