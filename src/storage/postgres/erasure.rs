//! Retention and erasure: of conversations because of their age, of a customer on request.
//!
//! Each function runs one step, small enough that concurrent messages hardly wait. The caller can repeat it after a
//! crash. The same transaction removes the data from search and marks its files for deletion. An emptied message takes
//! the next rev, as a deleted one does. All steps act as the eraser, the only actor whose policies allow deletion.
//! Overwritten data stays in the database's files until PostgreSQL vacuums them.

use sqlx::{Row, postgres::PgRow};
use uuid::Uuid;

use super::{
    conn::Conn,
    former::{end_links, make_nobody, take_out_request},
    rows::Columns,
    tx::Tx,
};
use crate::{
    domain::{ConversationId, RequestId, Timestamp},
    storage::{
        Erased, Expired, Expiry, Notice, Result, now,
        rules::{FORMER, NOBODY},
        search::fold,
    },
};

/// The people whose messages an erasure empties in a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    Customers,
    Everyones,
}

/// Waits for concurrent changes of the conversation, and locks it until the transaction ends; `false` if it is gone.
async fn lock(tx: &mut Tx, conversation: Uuid) -> Result<bool> {
    let found = sqlx::query("select from conversations where id = $1 for no key update")
        .bind(conversation)
        .fetch_optional(&mut tx.conn)
        .await?;
    Ok(found.is_some())
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
    .bind(now)
    .bind(FORMER)
    .execute(&mut tx.conn)
    .await?;
    if messages.len() as i64 == batch {
        return Ok(false);
    }

    make_nobody(&mut tx.conn).await?;
    let rev = sqlx::query_scalar(
        "update conversations
         set head = head + 1, customer_name = $2, customer_email = null, customer_folded = $3, rating_comment = null, metadata = 'null',
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
    .bind(before)
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
    // Waits for a concurrent opening of its conversation, and then sees it.
    sqlx::query("select from custom_requests where id = $1 for update").bind(id.0).execute(&mut *conn).await?;
    let is_expired: bool = sqlx::query_scalar(concat!(
        "select exists (select 1 from custom_requests where id = $3 and ",
        expired_request!(),
        ")"
    ))
    .bind(before)
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
    // Waits for concurrent writes, and then sees them.
    lock(tx, id.0).await?;
    let found: Option<Option<Uuid>> =
        sqlx::query_scalar(concat!("select request_id from conversations where id = $3 and ", expired_conversation!()))
            .bind(before)
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
            .bind(now)
            .execute(&mut tx.conn)
            .await?;
        if let Some(request) = request {
            take_out_request(&mut tx.conn, RequestId(request), how).await?;
        }
    }
    Ok(!is_done)
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
