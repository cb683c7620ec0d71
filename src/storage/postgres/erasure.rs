//! Taking out what nobody may keep any longer: conversations because of their age, a customer because of
//! their wish.
//!
//! Each function does one step, small enough that messages sent meanwhile hardly wait, and can be called
//! again after a crash. What goes is gone from search and noted for removal from the disk in the same
//! transaction. A message that stays in an emptied form takes the next rev, as a deleted one does. All of it
//! acts as the eraser, the only one whom the policies let delete. What was written over stays in the
//! database's files until PostgreSQL vacuums them.

use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    conn::Conn,
    notices,
    rows::{Columns, Word, at},
    users,
    writer::Tx,
};
use crate::{
    domain::{ConversationId, Email, LinkId, RequestId, Role, SessionId, Timestamp, TokenId, UserId},
    storage::{
        Erased, Expired, Expiry, Notice, Result, StoreError, now,
        rules::{FORMER, NOBODY, NOBODY_EMAIL, REMOVED},
        search::fold,
    },
};

/// Whose words are taken out of a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Customers,
    Everyones,
}

/// Waits for whoever changes the conversation, and keeps others from it until the transaction ends; `false`
/// if it is gone.
async fn lock(tx: &mut Tx, conversation: Uuid) -> Result<bool> {
    let found = sqlx::query("select from conversations where id = $1 for no key update")
        .bind(conversation)
        .fetch_optional(&mut tx.conn)
        .await?;
    Ok(found.is_some())
}

/// Ends the links of a conversation, and the sessions of those who have nothing but them.
async fn end_links(tx: &mut Tx, conversation: Uuid, now: Timestamp) -> Result<()> {
    let links: Vec<Uuid> = sqlx::query_scalar(
        "update links set revoked_at = $2 where conversation_id = $1 and revoked_at is null returning id",
    )
    .bind(conversation)
    .bind(at(now))
    .fetch_all(&mut tx.conn)
    .await?;
    let sessions: Vec<Uuid> = sqlx::query_scalar(
        "delete from login_sessions
         where user_id is null
           and id in (select session_links.session_id from session_links
                      join links on links.id = session_links.link_id where links.conversation_id = $1)
           and not exists (select 1 from session_links join links on links.id = session_links.link_id
                           where session_links.session_id = login_sessions.id and links.conversation_id <> $1)
         returning id",
    )
    .bind(conversation)
    .fetch_all(&mut tx.conn)
    .await?;
    tx.notices.extend(links.into_iter().map(|id| Notice::Link(LinkId(id))));
    tx.notices.extend(sessions.into_iter().map(|id| Notice::Session(SessionId(id))));
    Ok(())
}

/// Takes the files of these messages, and those that the customer (or with [`Whose::Everyones`] anybody) has not
/// sent, from everyone.
async fn discard_files(tx: &mut Tx, conversation: Uuid, messages: &[Uuid], whose: Whose) -> Result<u64> {
    let done = sqlx::query(
        "with gone as (
             delete from attachments
             where conversation_id = $1
               and (message_id = any ($2)
                    or message_id is null
                       and ($3 or uploader_id = (select customer_participant_id from conversations where id = $1)))
             returning id
         )
         insert into discarded_files (id) select id from gone",
    )
    .bind(conversation)
    .bind(messages)
    .bind(whose == Whose::Everyones)
    .execute(&mut tx.conn)
    .await?;
    Ok(done.rows_affected())
}

/// Empties at most `batch` messages; when none is left, takes the customer out of the conversation itself and
/// returns that it is done. So it does if the conversation is gone.
pub(super) async fn anonymise(
    tx: &mut Tx,
    ConversationId(conversation): ConversationId,
    whose: Whose,
    batch: i64,
    now: Timestamp,
    erased: &mut Erased,
) -> Result<bool> {
    if !lock(tx, conversation).await? {
        return Ok(true);
    }
    end_links(tx, conversation, now).await?;
    let messages: Vec<Uuid> = sqlx::query_scalar(
        "select id from messages
         where conversation_id = $1 and not is_system and (sender_type = 'customer' or $2)
           and (deleted_at is null or sent_digest is not null
                or (sender_type = 'customer' and sender_name <> $3))
         order by seq limit $4",
    )
    .bind(conversation)
    .bind(whose == Whose::Everyones)
    .bind(FORMER)
    .bind(batch)
    .fetch_all(&mut tx.conn)
    .await?;
    erased.messages += messages.len() as u64;
    erased.files += discard_files(tx, conversation, &messages, whose).await?;
    sqlx::query(
        "with emptied as (
             update messages
             set rev = conversations.head + numbered.place, content = '', words = '', attachments = null,
                 sent_digest = null, edited_at = null, deleted_at = coalesce(messages.deleted_at, $3),
                 sender_name = case when messages.sender_type = 'customer' then $4 else messages.sender_name end
             from conversations, unnest($2::uuid[]) with ordinality as numbered (id, place)
             where conversations.id = $1 and messages.id = numbered.id
         )
         update conversations set head = head + cardinality($2) where id = $1",
    )
    .bind(conversation)
    .bind(&messages)
    .bind(at(now))
    .bind(FORMER)
    .execute(&mut tx.conn)
    .await?;
    if messages.len() as i64 == batch {
        return Ok(false);
    }

    make_nobody(&mut tx.conn).await?;
    let rev = sqlx::query_scalar(
        "update conversations
         set head = head + 1, customer_name = $2, customer_email = null, customer_folded = $3, metadata = 'null',
             customer_id = case when customer_id is not null then $4 end,
             last_message = case when not latest.is_empty then last_message end,
             last_message_folded = null
         from (select exists (select 1 from messages join conversations
                              on conversations.id = messages.conversation_id and conversations.last_seq = messages.seq
                              where conversations.id = $1 and messages.deleted_at is not null) as is_empty) as latest
         where id = $1
         returning head",
    )
    .bind(conversation)
    .bind(FORMER)
    .bind(fold(FORMER))
    .bind(NOBODY)
    .fetch_one(&mut tx.conn)
    .await?;
    sqlx::query(
        "update participants set name = $2, last_seen_at = null where conversation_id = $1 and kind <> 'admin'",
    )
    .bind(conversation)
    .bind(FORMER)
    .execute(&mut tx.conn)
    .await?;
    tx.notices.push(Notice::Conversation { id: ConversationId(conversation), rev: Some(rev) });
    erased.conversations += 1;
    Ok(true)
}

/// Makes the account of those who have none any more, unless it is there.
async fn make_nobody(conn: &mut Conn) -> Result<()> {
    sqlx::query(
        "insert into users (id, email, name, role, password_hash, created_at)
         values ($1, $2, $3, $4, '', to_timestamp(0))
         on conflict do nothing",
    )
    .bind(NOBODY)
    .bind(NOBODY_EMAIL)
    .bind(FORMER)
    .bind(Role::Customer.word())
    .execute(conn)
    .await?;
    Ok(())
}

/// Takes a customer and their words out of requests: one, or all of an account.
async fn anonymise_requests(conn: &mut Conn, request: Option<RequestId>, customer: Option<UserId>) -> Result<()> {
    make_nobody(&mut *conn).await?;
    sqlx::query(
        "update custom_requests
         set title = $1, description = $1, folded = $2, customer_id = $3
         where id = $4 or customer_id = $5",
    )
    .bind(REMOVED)
    .bind(fold(&[REMOVED, REMOVED, FORMER, NOBODY_EMAIL].join("\n")))
    .bind(NOBODY)
    .bind(request.map(|id| id.0))
    .bind(customer.map(|id| id.0))
    .execute(conn)
    .await?;
    Ok(())
}

/// Ends everything by which the customer with this address gets into an account, and the way to get it back.
/// `None` if there is no such account.
///
/// # Errors
/// [`StoreError::Forbidden`]: this is an admin.
pub(super) async fn shut_out(conn: &mut Conn, email: &Email) -> Result<Option<UserId>> {
    let user = users::find_by_email(&mut *conn, email).await?.map(|(user, _)| user);
    if user.as_ref().is_some_and(|user| user.role == Role::Admin) {
        return Err(StoreError::Forbidden);
    }
    let Some(user) = user.map(|user| user.id).filter(|id| id.0 != NOBODY) else { return Ok(None) };
    let tokens: Vec<Uuid> = sqlx::query_scalar("delete from api_tokens where user_id = $1 returning id")
        .bind(user.0)
        .fetch_all(&mut *conn)
        .await?;
    users::set_password(&mut *conn, user, String::new(), None).await?;
    sqlx::query("delete from email_confirmations where user_id = $1").bind(user.0).execute(&mut *conn).await?;
    notices::note(conn, tokens.into_iter().map(|id| Notice::Token(TokenId(id)))).await?;
    Ok(Some(user))
}

/// Takes out an account that has no conversations any more, and its words in requests.
pub(super) async fn erase_account(conn: &mut Conn, user: UserId) -> Result<()> {
    anonymise_requests(&mut *conn, None, Some(user)).await?;
    // Who was an admin once may still have been given chats. In the order in which those who write to
    // conversations wait for them.
    sqlx::query("select from conversations where assignee_id = $1 order by id for no key update")
        .bind(user.0)
        .execute(&mut *conn)
        .await?;
    let unassigned: Vec<(Uuid, i64)> = sqlx::query_as(
        "update conversations set assignee_id = null, head = head + 1 where assignee_id = $1 returning id, head",
    )
    .bind(user.0)
    .fetch_all(&mut *conn)
    .await?;
    sqlx::query("delete from users where id = $1").bind(user.0).execute(&mut *conn).await?;
    let changed = |(id, rev)| Notice::Conversation { id: ConversationId(id), rev: Some(rev) };
    notices::note(conn, unassigned.into_iter().map(changed).chain([Notice::User(user)])).await
}

/// Conversations of an account, and those about somebody with this address that belong to no account.
pub(super) async fn conversations_of(
    conn: &mut Conn,
    email: &Email,
    user: Option<UserId>,
    limit: i64,
) -> Result<Vec<ConversationId>> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "select id from conversations where customer_id = $1
         union
         select id from conversations where customer_email = $2 and customer_id is null
         limit $3",
    )
    .bind(user.map(|user| user.0))
    .bind(email.as_str())
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    Ok(ids.into_iter().map(ConversationId).collect())
}

/// A conversation without activity since `$1`. One about a request goes with the request, which must be done or
/// declined and as old. `$2`: also what was anonymised.
macro_rules! expired_conversation {
    () => {
        "conversations.updated_at < $1
         and (conversations.request_id is null
              or exists (select 1 from custom_requests
                         where custom_requests.id = conversations.request_id
                           and custom_requests.status in ('done', 'declined') and custom_requests.updated_at < $1))
         and ($2 or conversations.anonymised_at is null or conversations.updated_at > conversations.anonymised_at)"
    };
}

/// A request without a conversation, done or declined, and without activity since `$1`. `$2`: also what was
/// anonymised.
macro_rules! expired_request {
    () => {
        "custom_requests.status in ('done', 'declined') and custom_requests.updated_at < $1
         and not exists (select 1 from conversations where conversations.request_id = custom_requests.id)
         and ($2 or custom_requests.customer_id <> '00000000-0000-0000-0000-000000000000')"
    };
}

pub(super) async fn list_expired(conn: &mut Conn, before: Timestamp, how: Expiry, limit: i64) -> Result<Vec<Expired>> {
    let rows = sqlx::query(concat!(
        "(select id, true as is_conversation from conversations where ",
        expired_conversation!(),
        " order by updated_at limit $3)
         union all
         (select id, false from custom_requests where ",
        expired_request!(),
        " limit $3)
         order by is_conversation desc limit $3"
    ))
    .bind(at(before))
    .bind(how == Expiry::Delete)
    .bind(limit.max(0))
    .fetch_all(conn)
    .await?;
    let expired = |row: &PgRow| {
        Ok(if row.try_get("is_conversation")? {
            Expired::Conversation(row.id("id", ConversationId)?)
        } else {
            Expired::Request(row.id("id", RequestId)?)
        })
    };
    Ok(rows.iter().map(expired).collect::<sqlx::Result<_>>()?)
}

/// Takes out a request that has no conversation, if it is still too old.
pub(super) async fn expire_request(conn: &mut Conn, id: RequestId, before: Timestamp, how: Expiry) -> Result<()> {
    // Whoever opens its conversation at this moment is waited for, and then seen.
    sqlx::query("select from custom_requests where id = $1 for update").bind(id.0).execute(&mut *conn).await?;
    let is_expired: bool = sqlx::query_scalar(concat!(
        "select exists (select 1 from custom_requests where id = $3 and ",
        expired_request!(),
        ")"
    ))
    .bind(at(before))
    .bind(how == Expiry::Delete)
    .bind(id.0)
    .fetch_one(&mut *conn)
    .await?;
    if is_expired {
        take_out_request(conn, id, how).await?;
    }
    Ok(())
}

/// One step with a conversation of [`list_expired`]; `false` when there is nothing left to do, also because
/// somebody has written there since.
pub(super) async fn expire_conversation(
    tx: &mut Tx,
    id: ConversationId,
    before: Timestamp,
    how: Expiry,
    batch: i64,
) -> Result<bool> {
    // Whoever writes at this moment is waited for, and then seen.
    lock(tx, id.0).await?;
    let found: Option<Option<Uuid>> =
        sqlx::query_scalar(concat!("select request_id from conversations where id = $3 and ", expired_conversation!()))
            .bind(at(before))
            .bind(how == Expiry::Delete)
            .bind(id.0)
            .fetch_optional(&mut tx.conn)
            .await?;
    let Some(request) = found else { return Ok(false) };
    let now = now();
    let is_done = match how {
        Expiry::Delete => delete(tx, id, batch, now).await?,
        Expiry::Anonymise => anonymise(tx, id, Whose::Everyones, batch, now, &mut Erased::default()).await?,
    };
    if is_done {
        sqlx::query("update conversations set anonymised_at = $2 where id = $1")
            .bind(id.0)
            .bind(at(now))
            .execute(&mut tx.conn)
            .await?;
        if let Some(request) = request {
            take_out_request(&mut tx.conn, RequestId(request), how).await?;
        }
    }
    Ok(!is_done)
}

async fn take_out_request(conn: &mut Conn, id: RequestId, how: Expiry) -> Result<()> {
    match how {
        Expiry::Anonymise => anonymise_requests(conn, Some(id), None).await,
        Expiry::Delete => {
            sqlx::query("delete from request_changes where request_id = $1").bind(id.0).execute(&mut *conn).await?;
            sqlx::query("delete from custom_requests where id = $1").bind(id.0).execute(conn).await?;
            Ok(())
        }
    }
}

/// Deletes at most `batch` messages, the oldest first; when none is left, the conversation with everything about
/// it, and returns that it is done.
async fn delete(tx: &mut Tx, id: ConversationId, batch: i64, now: Timestamp) -> Result<bool> {
    end_links(tx, id.0, now).await?;
    let messages: Vec<Uuid> =
        sqlx::query_scalar("select id from messages where conversation_id = $1 order by seq limit $2")
            .bind(id.0)
            .bind(batch)
            .fetch_all(&mut tx.conn)
            .await?;
    discard_files(tx, id.0, &messages, Whose::Everyones).await?;
    sqlx::query("delete from messages where id = any ($1)").bind(&messages).execute(&mut tx.conn).await?;
    if messages.len() as i64 == batch {
        return Ok(false);
    }
    for sql in [
        "delete from receipts where conversation_id = $1",
        "delete from participants where conversation_id = $1",
        "delete from links where conversation_id = $1",
        "delete from conversations where id = $1",
    ] {
        sqlx::query(sql).bind(id.0).execute(&mut tx.conn).await?;
    }
    tx.notices.push(Notice::Conversation { id, rev: None });
    Ok(true)
}
