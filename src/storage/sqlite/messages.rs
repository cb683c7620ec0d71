//! Messages: each change takes the next rev of its conversation, each new message the next seq too.
//!
//! The numbers are counted up from what [`Seated`] says. That is safe because the whole transaction
//! holds the database's only write lock from its first statement on; the unique constraints on seq
//! and rev would stop anything else.

use std::collections::BTreeMap;

use sqlx::{Row, SqliteConnection, sqlite::SqliteRow, types::Json};

use super::{
    access::{Arrival, seat_all},
    attachments,
    rows::{Batched, Columns, Word, batches},
    writer::Tx,
};
use crate::{
    domain::{
        Actor, ClientId, Content, ConversationId, Message, MessageId, ParticipantId, ParticipantKind, SenderType,
        Timestamp,
    },
    storage::{Change, Commit, Draft, Page, Posted, Result, StoreError, rules, rules::last_message, seated::Seated},
};

macro_rules! select_messages {
    () => {
        "select id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id,
                created_at_ms, edited_at_ms, deleted_at_ms, content, is_system, attachments
         from messages"
    };
}
pub(super) use select_messages;

/// Reads [`select_messages`].
pub(super) fn message(row: &SqliteRow) -> sqlx::Result<Message> {
    Ok(Message {
        id: row.id("id", MessageId)?,
        conversation_id: row.id("conversation_id", ConversationId)?,
        seq: row.try_get("seq")?,
        rev: row.try_get("rev")?,
        sender_type: row.word("sender_type")?,
        sender_id: row.id("sender_id", ParticipantId::stored)?,
        sender_name: row.try_get("sender_name")?,
        content: row.try_get("content")?,
        client_id: row.optional_id("client_id", ClientId)?,
        created_at: row.time("created_at_ms")?,
        edited_at: row.optional_time("edited_at_ms")?,
        deleted_at: row.optional_time("deleted_at_ms")?,
        system: row.try_get("is_system")?,
        attachments: match row.try_get::<Option<Json<_>>, _>("attachments")? {
            Some(Json(attachments)) => attachments,
            None => Vec::new(),
        },
    })
}

/// Stores messages of people, each in a conversation of its own; makes the senders participants and moves their
/// receipts. What was sent before is not stored again.
///
/// # Errors
/// Of the database: then none of them may stay. Of each: [`StoreError::NotFound`], [`StoreError::Conflict`],
/// [`StoreError::Closed`], [`StoreError::NoAttachment`].
pub(super) async fn post(tx: &mut Tx, posts: &[(&Actor, &Draft)], now: Timestamp) -> Result<Vec<Result<Posted>>> {
    let arrivals: Vec<_> = posts
        .iter()
        .map(|&(actor, draft)| Arrival { actor, conversation: draft.conversation_id, client_id: draft.client_id })
        .collect();
    let seats = seat_all(&mut tx.conn, &arrivals, now).await?;
    let mut posted = Vec::with_capacity(posts.len());
    let mut new = Vec::with_capacity(posts.len());
    for (seat, (_, draft)) in seats.into_iter().zip(posts) {
        let Some((seated, sent_before)) = seat else {
            posted.push(Err(StoreError::NotFound));
            continue;
        };
        let outcome = match sent_before {
            Some(id) => sent_before_as(&mut tx.conn, &seated, id, draft).await,
            None => {
                let message = compose(&mut tx.conn, &seated, draft, now).await;
                message.map(|message| Posted { message, fresh: true })
            }
        };
        match outcome {
            Err(StoreError::Database(error)) => return Err(error.into()),
            Ok(Posted { ref message, fresh: true }) => {
                new.push(New { message: message.clone(), kind: seated.me().kind })
            }
            _ => {}
        }
        posted.push(outcome);
    }
    insert(tx, &new).await?;
    for New { message, .. } in new {
        if !message.attachments.is_empty() {
            attachments::send(tx, &message).await?;
        }
        announce(tx, message, Change::Posted);
    }
    Ok(posted)
}

pub(super) const SENT_DIGEST: &str = "select sent_digest from messages where id = ?1";

/// The message that was stored under the client id of `draft` before, if the same was sent.
///
/// # Errors
/// [`StoreError::Conflict`].
async fn sent_before_as(conn: &mut SqliteConnection, seated: &Seated, id: MessageId, draft: &Draft) -> Result<Posted> {
    let message = find(conn, seated, id).await?;
    let digest: Option<rules::SentDigest> = if rules::needs_digest(&message) {
        sqlx::query_scalar(SENT_DIGEST).bind(id.0).fetch_one(conn).await?
    } else {
        None
    };
    if !rules::is_repeat(&message, digest.as_deref(), draft) {
        return Err(StoreError::Conflict);
    }
    Ok(Posted { message, fresh: false })
}

/// The next message of this conversation.
///
/// # Errors
/// [`StoreError::Closed`], [`StoreError::NoAttachment`].
async fn compose(conn: &mut SqliteConnection, seated: &Seated, draft: &Draft, now: Timestamp) -> Result<Message> {
    seated.require_open()?;
    let me = seated.me();
    Ok(Message {
        id: MessageId::new(),
        conversation_id: seated.conversation_id(),
        seq: seated.last_seq() + 1,
        rev: seated.head() + 1,
        sender_type: me.kind.sender_type(),
        sender_id: me.id,
        sender_name: me.name.clone(),
        content: draft.content.as_str().to_owned(),
        system: false,
        client_id: draft.client_id,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        attachments: attachments::unsent(conn, seated, &draft.attachments).await?,
    })
}

/// Somebody who did what a system line tells.
pub(super) struct Doer {
    pub(super) id: ParticipantId,
    pub(super) name: String,
}

/// Stores a line that tells what an admin did, also in a closed conversation. It is news to everyone
/// else; what the admin has not read stays unread.
pub(super) async fn post_system(
    tx: &mut Tx,
    conversation: ConversationId,
    by: Doer,
    content: String,
    at: Timestamp,
) -> Result<()> {
    let (head, last_seq): (i64, i64) = sqlx::query_as("select head, last_seq from conversations where id = ?1")
        .bind(conversation.0)
        .fetch_one(&mut tx.conn)
        .await?;
    let message = Message {
        id: MessageId::new(),
        conversation_id: conversation,
        seq: last_seq + 1,
        rev: head + 1,
        sender_type: SenderType::Admin,
        sender_id: by.id,
        sender_name: by.name,
        content,
        system: true,
        client_id: None,
        created_at: at,
        edited_at: None,
        deleted_at: None,
        attachments: Vec::new(),
    };
    insert(tx, &[New { message: message.clone(), kind: ParticipantKind::Admin }]).await?;
    sqlx::query(READ_ON)
        .bind(message.conversation_id.0)
        .bind(message.sender_id.in_storage())
        .bind(message.seq)
        .bind(message.created_at.0)
        .execute(&mut tx.conn)
        .await?;
    announce(tx, message, Change::Posted);
    Ok(())
}

/// Whoever has read all that stands above a system line has read it too.
const READ_ON: &str = "insert into receipts (conversation_id, participant_id, seq, read_at_ms)
     select ?1, ?2, ?3, ?4
     where ?3 = 1
        or exists (select 1 from receipts where conversation_id = ?1 and participant_id = ?2 and seq = ?3 - 1)
     on conflict (conversation_id, participant_id)
     do update set seq = excluded.seq, read_at_ms = excluded.read_at_ms";

/// A message to be stored, and what its sender is in the conversation.
struct New {
    message: Message,
    kind: ParticipantKind,
}

/// Stores messages with what they do to their conversations and to their senders' receipts, and makes their senders
/// participants. One text, because each statement sent by itself is a round trip to the connection's thread.
/// The values are in the order of the question marks: sqlx counts wrong when numbers are left out.
pub(super) static INSERT: Batched = Batched::new(|count| {
    let rows = |row: &str| vec![row; count].join(", ");
    format!(
        "insert into messages
             (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id, created_at_ms, content,
              is_system, attachments, search_id)
         values {messages};

         with new (id, rev, seq, last_message, at) as (values {conversations})
         update conversations
         set head = new.rev, last_seq = new.seq, last_message = new.last_message, last_message_folded = null,
             updated_at_ms = max(updated_at_ms, new.at)
         from new where conversations.id = new.id;

         insert into participants (conversation_id, participant_id, kind, name) values {participants}
         on conflict (conversation_id, participant_id) do update set kind = excluded.kind, name = excluded.name
         where kind <> excluded.kind or name <> excluded.name;

         with new (conversation_id, participant_id, seq, read_at_ms, is_system) as (values {receipts})
         insert into receipts (conversation_id, participant_id, seq, read_at_ms)
         select conversation_id, participant_id, seq, read_at_ms from new where not is_system
         on conflict (conversation_id, participant_id)
         do update set seq = excluded.seq, read_at_ms = excluded.read_at_ms",
        messages = rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        conversations = rows("(?, ?, ?, ?, ?)"),
        participants = rows("(?, ?, ?, ?)"),
        receipts = rows("(?, ?, ?, ?, ?)"),
    )
});

/// Makes messages found by their words: `?1` is a JSON object of contents by number. One statement for any number of
/// them, as FTS5 writes out what it has gathered whenever another begins.
const INDEX: &str = "insert into message_search (rowid, content) select cast(key as integer), value from json_each(?1)";

/// Merges parts of the index, if there are many: writes some `?1` pages.
const MERGE: &str = "insert into message_search (message_search, rank) values ('merge', ?1)";
/// Pages that are merged with each batch, besides one for each of its messages. A message of 256 characters is a 15th of
/// a page, which is merged five times while a million others come.
const MERGED: usize = 4;

/// The greatest number that search has given to a message.
pub(super) const LAST_INDEXED: &str = "select coalesce(max(search_id), 0) from messages where search_id is not null";

/// Each is of another conversation.
async fn insert(tx: &mut Tx, new: &[New]) -> Result<()> {
    if new.is_empty() {
        return Ok(());
    }
    let last: i64 = sqlx::query_scalar(LAST_INDEXED).fetch_one(&mut tx.conn).await?;
    let new: Vec<_> = (last + 1..).zip(new).collect();
    for some in batches(&new) {
        let mut query = sqlx::query(INSERT.of(some.len()));
        for (search_id, New { message, .. }) in some {
            query = query
                .bind(message.id.0)
                .bind(message.conversation_id.0)
                .bind(message.seq)
                .bind(message.rev)
                .bind(message.sender_type.word())
                .bind(message.sender_id.in_storage())
                .bind(&message.sender_name)
                .bind(message.client_id.map(|id| id.0))
                .bind(message.created_at.0)
                .bind(&message.content)
                .bind(message.system)
                .bind((!message.attachments.is_empty()).then_some(Json(&message.attachments)))
                .bind(search_id);
        }
        for (_, New { message, .. }) in some {
            query = query
                .bind(message.conversation_id.0)
                .bind(message.rev)
                .bind(message.seq)
                .bind(last_message(message))
                .bind(message.created_at.0);
        }
        for (_, New { message, kind }) in some {
            query = query
                .bind(message.conversation_id.0)
                .bind(message.sender_id.in_storage())
                .bind(kind.word())
                .bind(&message.sender_name);
        }
        // Who writes has read what stands above; a line of the server's does not tell that.
        for (_, New { message, .. }) in some {
            query = query
                .bind(message.conversation_id.0)
                .bind(message.sender_id.in_storage())
                .bind(message.seq)
                .bind(message.created_at.0)
                .bind(message.system);
        }
        query.execute(&mut tx.conn).await?;
    }
    // Last, so that FTS5 gathers it all until then.
    let contents: BTreeMap<_, _> =
        new.iter().map(|(search_id, New { message, .. })| (search_id, &message.content)).collect();
    sqlx::query(INDEX).bind(Json(contents)).execute(&mut tx.conn).await?;
    sqlx::query(MERGE).bind((MERGED + new.len()) as i64).execute(&mut tx.conn).await?;
    Ok(())
}

pub(super) const BY_ID: &str = concat!(select_messages!(), " where conversation_id = ?1 and id = ?2");

/// # Errors
/// [`StoreError::NotFound`].
async fn find(conn: &mut SqliteConnection, seated: &Seated, id: MessageId) -> Result<Message> {
    let row = sqlx::query(BY_ID).bind(seated.conversation_id().0).bind(id.0).fetch_optional(conn).await?;
    Ok(message(&row.ok_or(StoreError::NotFound)?)?)
}

/// Replaces the content, unless it is the same already.
///
/// # Errors
/// [`StoreError::NotFound`]: it was deleted; [`StoreError::Forbidden`]: it is somebody else's;
/// [`StoreError::Closed`].
pub(super) async fn edit(
    tx: &mut Tx,
    seated: &Seated,
    id: MessageId,
    content: Content,
    now: Timestamp,
) -> Result<Message> {
    let message = find(&mut tx.conn, seated, id).await?;
    if message.deleted_at.is_some() {
        return Err(StoreError::NotFound);
    }
    if message.system || message.sender_id != seated.me().id {
        return Err(StoreError::Forbidden);
    }
    // Before it matters whether the conversation is closed: the caller may only not know yet that
    // the same request succeeded.
    if message.content == content.as_str() {
        return Ok(message);
    }
    seated.require_open()?;

    let sent = rules::digest_to_keep(&message);
    let message = Message { rev: seated.head() + 1, content: content.into_string(), edited_at: Some(now), ..message };
    store_change(tx, seated, &message, Some(last_message(&message)), sent).await?;
    announce(tx, message.clone(), Change::Edited);
    Ok(message)
}

/// Empties the message, which keeps its place; unless that was done before.
///
/// # Errors
/// [`StoreError::Forbidden`]: it is somebody else's, and the actor no admin; [`StoreError::Closed`].
pub(super) async fn delete(tx: &mut Tx, seated: &Seated, id: MessageId, now: Timestamp) -> Result<Message> {
    let message = find(&mut tx.conn, seated, id).await?;
    if message.system {
        return Err(StoreError::Forbidden);
    }
    if message.sender_id != seated.me().id {
        seated.require_admin()?;
    }
    if message.deleted_at.is_some() {
        return Ok(message);
    }
    seated.require_open()?;

    if !message.attachments.is_empty() {
        attachments::discard(tx, id).await?;
    }
    let sent = rules::digest_to_keep(&message);
    let message = Message {
        rev: seated.head() + 1,
        content: String::new(),
        deleted_at: Some(now),
        attachments: Vec::new(),
        ..message
    };
    store_change(tx, seated, &message, None, sent).await?;
    announce(tx, message.clone(), Change::Deleted);
    Ok(message)
}

/// Stores what an edit or a deletion changed. `last_message` is for lists, if it is the latest; `sent` tells what it was
/// sent as, if this is its first change.
async fn store_change(
    tx: &mut Tx,
    seated: &Seated,
    message: &Message,
    last_message: Option<String>,
    sent: Option<rules::SentDigest>,
) -> Result<()> {
    sqlx::query(
        "update message_search set content = ? where rowid = (select search_id from messages where id = ?);

         update messages
         set rev = ?, content = ?, edited_at_ms = ?, deleted_at_ms = ?, attachments = iif(? is null, attachments, null),
             sent_digest = coalesce(sent_digest, ?)
         where id = ?;

         update conversations
         set head = ?,
             last_message = iif(last_seq = ?, ?, last_message),
             last_message_folded = null
         where id = ?",
    )
    .bind(&message.content)
    .bind(message.id.0)
    // The message
    .bind(message.rev)
    .bind(&message.content)
    .bind(message.edited_at.map(|at| at.0))
    .bind(message.deleted_at.map(|at| at.0))
    .bind(message.deleted_at.map(|at| at.0))
    .bind(sent)
    .bind(message.id.0)
    // The conversation
    .bind(message.rev)
    .bind(message.seq)
    .bind(last_message.as_deref())
    .bind(seated.conversation_id().0)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

fn announce(tx: &mut Tx, message: Message, change: fn(Message) -> Change) {
    let commit = Commit { conversation_id: message.conversation_id, rev: message.rev, change: change(message) };
    tx.commits.push(commit);
}

pub(super) const BEFORE: &str =
    concat!(select_messages!(), " where conversation_id = ?1 and seq < ?2 order by seq desc limit ?3");

/// The latest messages before `before_seq`. Call it in the transaction in which `seated` was made.
pub(super) async fn list_before(
    conn: &mut SqliteConnection,
    seated: &Seated,
    before_seq: Option<i64>,
    limit: i64,
) -> Result<Page> {
    let mut page = page(conn, BEFORE, seated, before_seq.unwrap_or(i64::MAX), limit).await?;
    page.messages.reverse();
    Ok(page)
}

pub(super) const AFTER: &str =
    concat!(select_messages!(), " where conversation_id = ?1 and rev > ?2 order by rev limit ?3");

/// What changed after `after_rev`. Call it in the transaction in which `seated` was made.
pub(super) async fn list_after(
    conn: &mut SqliteConnection,
    seated: &Seated,
    after_rev: i64,
    limit: i64,
) -> Result<Page> {
    page(conn, AFTER, seated, after_rev, limit).await
}

async fn page(conn: &mut SqliteConnection, sql: &'static str, seated: &Seated, bound: i64, limit: i64) -> Result<Page> {
    let limit = limit.max(0);
    // One more than asked for tells whether there are more.
    let rows = sqlx::query(sql)
        .bind(seated.conversation_id().0)
        .bind(bound)
        .bind(limit.saturating_add(1))
        .fetch_all(conn)
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let messages = rows.iter().take(wanted).map(message).collect::<sqlx::Result<_>>()?;
    Ok(Page { messages, head: seated.head(), more: rows.len() > wanted })
}
