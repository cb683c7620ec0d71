//! Retention and erasure: of conversations because of their age, of a customer on request.
//!
//! Each function runs one step, small enough that concurrent messages hardly wait. The caller can repeat it after a
//! crash. The same transaction removes the data from search and marks its files for deletion. An emptied message takes
//! the next rev, as a deleted one does.

use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::{
    dialect::ids,
    former::{self, end_links, make_nobody, take_out_request},
    rows::Columns,
    tx::Tx,
};
use crate::{
    domain::{ConversationId, Email, RequestId, Timestamp},
    storage::{
        Erased, Expired, Expiry, Notice, Result, now,
        rules::{FORMER, NOBODY},
        search::fold,
    },
};

/// The people whose messages an erasure empties in a conversation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Whose {
    Customers,
    Everyones,
}

/// Overwrites what is deleted in this transaction also within the database file.
async fn overwrite(tx: &mut Tx, on: bool) -> Result<()> {
    let sql = if on { "pragma secure_delete = on" } else { "pragma secure_delete = off" };
    sqlx::query(sql).fetch_optional(&mut tx.conn).await?;
    Ok(())
}

const DISCARD_FILES: &str = "delete from attachments
     where conversation_id = ?1
       and (message_id in (select unhex(value) from json_each(?2))
            or message_id is null
               and (?3 or uploader_id = (select customer_participant_id from conversations where id = ?1)))
     returning id";

/// Takes the files of these messages, and those that the customer (or with [`Whose::Everyones`] anybody) has not
/// sent, from everyone.
async fn discard_files(tx: &mut Tx, conversation: Uuid, messages: &str, whose: Whose) -> Result<u64> {
    let files: Vec<Uuid> = sqlx::query_scalar(DISCARD_FILES)
        .bind(conversation)
        .bind(messages)
        .bind(whose == Whose::Everyones)
        .fetch_all(&mut tx.conn)
        .await?;
    sqlx::query("insert into discarded_files (id) select unhex(value) from json_each(?1)")
        .bind(ids(files.iter().copied()))
        .execute(&mut tx.conn)
        .await?;
    Ok(files.len() as u64)
}

const UNSEARCH: &str = "delete from message_search
     where rowid in (select search_id from messages where id in (select unhex(value) from json_each(?)));
     update messages set search_id = null where id in (select unhex(value) from json_each(?))";

/// Takes messages out of search.
async fn unsearch(tx: &mut Tx, messages: &str) -> Result<()> {
    sqlx::query(UNSEARCH).bind(messages).bind(messages).execute(&mut tx.conn).await?;
    Ok(())
}

const TO_ANONYMISE: &str = "select id from messages
     where conversation_id = ?1 and not is_system and (sender_type = 'customer' or ?2)
       and (deleted_at_ms is null or sent_digest is not null or (sender_type = 'customer' and sender_name <> ?3))
     order by seq limit ?4";

/// Empties at most `batch` messages; when none is left, takes the customer out of the conversation itself and
/// returns that it is done.
async fn anonymise(
    tx: &mut Tx,
    conversation: Uuid,
    whose: Whose,
    batch: i64,
    now: Timestamp,
    erased: &mut Erased,
) -> Result<bool> {
    end_links(tx, conversation, now).await?;
    let messages: Vec<Uuid> = sqlx::query_scalar(TO_ANONYMISE)
        .bind(conversation)
        .bind(whose == Whose::Everyones)
        .bind(FORMER)
        .bind(batch)
        .fetch_all(&mut tx.conn)
        .await?;
    let list = ids(messages.iter().copied());
    erased.messages += messages.len() as u64;
    erased.files += discard_files(tx, conversation, &list, whose).await?;
    unsearch(tx, &list).await?;
    // The key is the place in the list, which is in the order of seq.
    sqlx::query(
        "update messages
         set rev = 1 + numbered.key + (select head from conversations where conversations.id = messages.conversation_id),
             content = '', attachments = null, sent_digest = null, edited_at_ms = null,
             deleted_at_ms = coalesce(deleted_at_ms, ?),
             sender_name = iif(sender_type = 'customer', ?, sender_name)
         from json_each(?) as numbered
         where messages.id = unhex(numbered.value);

         update conversations set head = head + ? where id = ?",
    )
    .bind(now.0)
    .bind(FORMER)
    .bind(&list)
    .bind(messages.len() as i64)
    .bind(conversation)
    .execute(&mut tx.conn)
    .await?;
    if messages.len() as i64 == batch {
        return Ok(false);
    }

    make_nobody(&mut tx.conn).await?;
    sqlx::query(
        "update conversations
         set head = head + 1, customer_name = ?, customer_email = null, customer_folded = ?, rating_comment = null, metadata = 'null',
             customer_id = iif(customer_id is null, null, ?),
             last_message = iif(is_empty, null, last_message), last_message_folded = null
         from (select exists (select 1 from messages join conversations
                              on conversations.id = messages.conversation_id and conversations.last_seq = messages.seq
                              where conversations.id = ? and messages.deleted_at_ms is not null) as is_empty)
         where id = ?;

         update participants set name = ?, last_seen_at_ms = null where conversation_id = ? and kind <> 'admin'",
    )
    .bind(FORMER)
    .bind(fold(FORMER))
    .bind(NOBODY)
    .bind(conversation)
    .bind(conversation)
    .bind(FORMER)
    .bind(conversation)
    .execute(&mut tx.conn)
    .await?;
    let rev = sqlx::query_scalar("select head from conversations where id = ?1")
        .bind(conversation)
        .fetch_one(&mut tx.conn)
        .await?;
    tx.note([Notice::Conversation { id: ConversationId(conversation), rev: Some(rev) }]).await?;
    erased.conversations += 1;
    Ok(true)
}

/// # Errors
/// [`StoreError::Forbidden`](crate::storage::StoreError::Forbidden): this is an admin.
pub(super) async fn erase_customer(tx: &mut Tx, email: &Email, batch: i64) -> Result<Option<Erased>> {
    overwrite(tx, true).await?;
    let user = former::shut_out(&mut tx.conn, email).await;
    if user.is_err() {
        // No rollback does this.
        overwrite(tx, false).await?;
    }
    let user = user?;
    let mut erased = Erased::default();
    let of = former::conversations_of(&mut tx.conn, email, user, 1).await?;
    let took_a_step = if let Some(ConversationId(conversation)) = of.first().copied() {
        anonymise(tx, conversation, Whose::Customers, batch, now(), &mut erased).await?;
        true
    } else if let Some(user) = user {
        erased.files += former::erase_account(&mut tx.conn, user).await?;
        true
    } else {
        false
    };
    overwrite(tx, false).await?;
    Ok(took_a_step.then_some(erased))
}

/// A conversation without activity since `?1`. One about a request goes with the request, which must be done or
/// declined and as old.
macro_rules! expired_conversation {
    () => {
        "conversations.updated_at_ms < ?1
         and (conversations.request_id is null
              or exists (select 1 from custom_requests
                         where custom_requests.id = conversations.request_id
                           and custom_requests.status in ('done', 'declined') and custom_requests.updated_at_ms < ?1))
         and (?2 or conversations.anonymised_at_ms is null
              or conversations.updated_at_ms > conversations.anonymised_at_ms)"
    };
}

/// A request without a conversation, done or declined, and without activity since `?1`.
macro_rules! expired_request {
    () => {
        "custom_requests.status in ('done', 'declined') and custom_requests.updated_at_ms < ?1
         and not exists (select 1 from conversations where conversations.request_id = custom_requests.id)
         and (?2 or custom_requests.customer_id <> zeroblob(16))"
    };
}

pub(super) const LIST_EXPIRED: &str = concat!(
    "select * from (select id, true as is_conversation from conversations where ",
    expired_conversation!(),
    " order by updated_at_ms limit ?3)
     union all
     select * from (select id, false from custom_requests where ",
    expired_request!(),
    " limit ?3) limit ?3"
);

pub(super) async fn list_expired(
    conn: &mut SqliteConnection,
    before: Timestamp,
    how: Expiry,
    limit: i64,
) -> Result<Vec<Expired>> {
    let rows =
        sqlx::query(LIST_EXPIRED).bind(before.0).bind(how == Expiry::Delete).bind(limit.max(0)).fetch_all(conn).await?;
    let expired = |row: &sqlx::sqlite::SqliteRow| {
        Ok(if row.try_get("is_conversation")? {
            Expired::Conversation(row.id("id", ConversationId)?)
        } else {
            Expired::Request(row.id("id", RequestId)?)
        })
    };
    Ok(rows.iter().map(expired).collect::<sqlx::Result<_>>()?)
}

pub(super) const IS_REQUEST_EXPIRED: &str =
    concat!("select exists (select 1 from custom_requests where id = ?3 and ", expired_request!(), ")");
pub(super) const FIND_EXPIRED_CONVERSATION: &str =
    concat!("select request_id from conversations where id = ?3 and ", expired_conversation!());

/// One step with one of [`list_expired`]; `false` when there is nothing left to do, also because somebody has
/// written there since.
pub(super) async fn expire(tx: &mut Tx, what: Expired, before: Timestamp, how: Expiry, batch: i64) -> Result<bool> {
    let now = now();
    overwrite(tx, true).await?;
    let more = match what {
        Expired::Request(id) => {
            let is_expired: bool = sqlx::query_scalar(IS_REQUEST_EXPIRED)
                .bind(before.0)
                .bind(how == Expiry::Delete)
                .bind(id.0)
                .fetch_one(&mut tx.conn)
                .await?;
            if is_expired {
                take_out_request(&mut tx.conn, id, how).await?;
            }
            false
        }
        Expired::Conversation(id) => {
            let found: Option<Option<Uuid>> = sqlx::query_scalar(FIND_EXPIRED_CONVERSATION)
                .bind(before.0)
                .bind(how == Expiry::Delete)
                .bind(id.0)
                .fetch_optional(&mut tx.conn)
                .await?;
            match found {
                None => false,
                Some(request) => {
                    let is_done = match how {
                        Expiry::Delete => delete(tx, id, batch, now).await?,
                        Expiry::Anonymise => {
                            anonymise(tx, id.0, Whose::Everyones, batch, now, &mut Erased::default()).await?
                        }
                    };
                    if is_done {
                        sqlx::query("update conversations set anonymised_at_ms = ?2 where id = ?1")
                            .bind(id.0)
                            .bind(now.0)
                            .execute(&mut tx.conn)
                            .await?;
                        if let Some(request) = request {
                            take_out_request(&mut tx.conn, RequestId(request), how).await?;
                        }
                    }
                    !is_done
                }
            }
        }
    };
    overwrite(tx, false).await?;
    Ok(more)
}

const TO_DELETE: &str = "select id from messages where conversation_id = ?1 order by seq limit ?2";

/// Deletes at most `batch` messages, the oldest first; when none is left, the conversation with everything about
/// it, and returns that it is done.
async fn delete(tx: &mut Tx, id: ConversationId, batch: i64, now: Timestamp) -> Result<bool> {
    end_links(tx, id.0, now).await?;
    let messages: Vec<Uuid> = sqlx::query_scalar(TO_DELETE).bind(id.0).bind(batch).fetch_all(&mut tx.conn).await?;
    let list = ids(messages.iter().copied());
    discard_files(tx, id.0, &list, Whose::Everyones).await?;
    unsearch(tx, &list).await?;
    sqlx::query("delete from messages where id in (select unhex(value) from json_each(?1))")
        .bind(&list)
        .execute(&mut tx.conn)
        .await?;
    if messages.len() as i64 == batch {
        return Ok(false);
    }
    sqlx::query(
        "delete from receipts where conversation_id = ?;
         delete from participants where conversation_id = ?;
         delete from links where conversation_id = ?;
         delete from conversations where id = ?",
    )
    .bind(id.0)
    .bind(id.0)
    .bind(id.0)
    .bind(id.0)
    .execute(&mut tx.conn)
    .await?;
    tx.note([Notice::Conversation { id, rev: None }]).await?;
    Ok(true)
}

/// Pages that one step of [`forget_words`] writes.
const MERGE_PAGES: i64 = 200;

/// One step in removing the words of deleted messages from the index of search, where they stay until its
/// parts are merged. `is_first` begins anew; `false` when there is nothing more to do.
pub(super) async fn forget_words(tx: &mut Tx, is_first: bool) -> Result<bool> {
    overwrite(tx, true).await?;
    // https://www.sqlite.org/fts5.html#the_merge_command: a negative number begins with all parts, and two changes or
    // more mean that there was work to do.
    let pages = if is_first { -MERGE_PAGES } else { MERGE_PAGES };
    let before: i64 = sqlx::query_scalar("select total_changes()").fetch_one(&mut tx.conn).await?;
    sqlx::query("insert into message_search (message_search, rank) values ('merge', ?1)")
        .bind(pages)
        .execute(&mut tx.conn)
        .await?;
    let after: i64 = sqlx::query_scalar("select total_changes()").fetch_one(&mut tx.conn).await?;
    overwrite(tx, false).await?;
    Ok(after - before >= 2)
}
