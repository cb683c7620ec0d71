//! Messages: each change takes the next rev of its conversation, each new message the next seq too.
//!
//! The numbers are counted up from what [`Seated`] says. That is safe because whoever changes a
//! conversation has locked its row when it was read (`access::seat_to_change`); the unique constraints on
//! seq and rev would stop anything else.

use sqlx::{Row, postgres::PgRow, types::Json};

use super::{
    attachments,
    conn::Conn,
    rows::{Columns, Word, at},
    writer::Tx,
};
use crate::{
    domain::{
        ClientId, Content, ConversationId, Message, MessageId, ParticipantId, ParticipantKind, SenderType, Timestamp,
    },
    storage::{
        Change, Commit, Draft, Page, Posted, Result, StoreError, rules, rules::last_message, search, seated::Seated,
    },
};

macro_rules! select_messages {
    () => {
        "select id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id,
                created_at, edited_at, deleted_at, content, is_system, attachments
         from messages"
    };
}
pub(super) use select_messages;

/// Reads [`select_messages`].
pub(super) fn message(row: &PgRow) -> sqlx::Result<Message> {
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
        created_at: row.time("created_at")?,
        edited_at: row.optional_time("edited_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        system: row.try_get("is_system")?,
        attachments: match row.try_get::<Option<Json<_>>, _>("attachments")? {
            Some(Json(attachments)) => attachments,
            None => Vec::new(),
        },
    })
}

/// Stores a message, makes its sender a participant and moves the sender's receipt to it; unless
/// the same was `sent_before`.
///
/// # Errors
/// [`StoreError::Conflict`], [`StoreError::Closed`], [`StoreError::NoAttachment`].
pub(super) async fn post(
    tx: &mut Tx,
    seated: &Seated,
    sent_before: Option<MessageId>,
    draft: Draft,
    now: Timestamp,
) -> Result<Posted> {
    if let Some(id) = sent_before {
        let message = find(&mut tx.conn, seated, id).await?;
        return sent_before_as(&mut tx.conn, message, &draft).await;
    }
    seated.require_open()?;

    let me = seated.me();
    let message = Message {
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
        attachments: attachments::unsent(&mut tx.conn, seated, &draft.attachments).await?,
    };
    if !insert(&mut tx.conn, &message, me.kind).await? {
        // Sent by way of another node while this one waited for the conversation.
        let message = find_sent(&mut tx.conn, &message).await?;
        return sent_before_as(&mut tx.conn, message, &draft).await;
    }
    if !draft.attachments.is_empty() {
        attachments::send(&mut tx.conn, &draft.attachments, message.id).await?;
    }
    announce(tx, &message, Change::Posted);
    Ok(Posted { message, fresh: true })
}

/// What was stored under the client id of `draft` before, if the same was sent.
///
/// # Errors
/// [`StoreError::Conflict`].
async fn sent_before_as(conn: &mut Conn, message: Message, draft: &Draft) -> Result<Posted> {
    let digest: Option<rules::SentDigest> = if rules::needs_digest(&message) {
        let digest = sqlx::query_scalar("select sent_digest from messages where id = $1");
        digest.bind(message.id.0).fetch_one(conn).await?
    } else {
        None
    };
    if !rules::is_repeat(&message, digest.as_deref(), draft) {
        return Err(StoreError::Conflict);
    }
    Ok(Posted { message, fresh: false })
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
    let (head, last_seq): (i64, i64) =
        sqlx::query_as("select head, last_seq from conversations where id = $1 for no key update")
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
    insert(&mut tx.conn, &message, ParticipantKind::Admin).await?;
    announce(tx, &message, Change::Posted);
    Ok(())
}

/// Stores a message with what it does to its conversation and to its sender's receipt, and makes its
/// sender a participant. False, and no change, if its sender has stored its client id before.
async fn insert(conn: &mut Conn, message: &Message, kind: ParticipantKind) -> Result<bool> {
    let words = if message.system { Vec::new() } else { search::of(&message.content) };
    // One statement, because each is a round trip. Its parts see the tables as they were before it.
    let done = sqlx::query(
        "with posted as (
             insert into messages
                 (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id, created_at, content,
                  is_system, attachments, words)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, array_to_tsvector($13))
             on conflict on constraint messages_client_id_unique do nothing
             returning conversation_id, sender_id
         ),
         joined as (
             insert into participants (conversation_id, participant_id, kind, name)
             select conversation_id, sender_id, $14, $7 from posted
             on conflict (conversation_id, participant_id) do update set kind = excluded.kind, name = excluded.name
             where participants.kind <> excluded.kind or participants.name <> excluded.name
         ),
         -- Who writes has read what stands above; a line of the server's does not tell that.
         has_read as (
             insert into receipts (conversation_id, participant_id, seq, read_at)
             select conversation_id, sender_id, $3, $9 from posted
             where not $11 or $3 = 1
                or exists (select 1 from receipts
                           where receipts.conversation_id = $2 and receipts.participant_id = $6
                             and receipts.seq = $3 - 1)
             on conflict (conversation_id, participant_id)
             do update set seq = excluded.seq, read_at = excluded.read_at
         )
         update conversations
         set head = $4, last_seq = $3, last_message = $15, last_message_folded = null,
             updated_at = greatest(conversations.updated_at, $9)
         from posted where conversations.id = posted.conversation_id",
    )
    .bind(message.id.0)
    .bind(message.conversation_id.0)
    .bind(message.seq)
    .bind(message.rev)
    .bind(message.sender_type.word())
    .bind(message.sender_id.in_storage())
    .bind(&message.sender_name)
    .bind(message.client_id.map(|id| id.0))
    .bind(at(message.created_at))
    .bind(&message.content)
    .bind(message.system)
    .bind((!message.attachments.is_empty()).then_some(Json(&message.attachments)))
    .bind(words)
    .bind(kind.word())
    .bind(last_message(message))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The message that has the sender and the client id of `message`.
async fn find_sent(conn: &mut Conn, sent: &Message) -> Result<Message> {
    let row =
        sqlx::query(concat!(select_messages!(), " where conversation_id = $1 and sender_id = $2 and client_id = $3"))
            .bind(sent.conversation_id.0)
            .bind(sent.sender_id.in_storage())
            .bind(sent.client_id.map(|id| id.0))
            .fetch_one(conn)
            .await?;
    Ok(message(&row)?)
}

pub(super) const BY_ID: &str = concat!(select_messages!(), " where conversation_id = $1 and id = $2");

/// # Errors
/// [`StoreError::NotFound`].
async fn find(conn: &mut Conn, seated: &Seated, id: MessageId) -> Result<Message> {
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
    announce(tx, &message, Change::Edited);
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
        attachments::discard(&mut tx.conn, id).await?;
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
    announce(tx, &message, Change::Deleted);
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
        "with changed as (
             update messages
             set rev = $3, content = $4, edited_at = $5, deleted_at = $6, words = array_to_tsvector($7),
                 attachments = case when $6 is null then attachments end,
                 sent_digest = coalesce(sent_digest, $10)
             where id = $2
         )
         update conversations
         set head = $3,
             last_message = case when last_seq = $8 then $9 else last_message end,
             last_message_folded = null
         where id = $1",
    )
    .bind(seated.conversation_id().0)
    .bind(message.id.0)
    .bind(message.rev)
    .bind(&message.content)
    .bind(message.edited_at.map(at))
    .bind(message.deleted_at.map(at))
    .bind(search::of(&message.content))
    .bind(message.seq)
    .bind(last_message.as_deref())
    .bind(sent)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

fn announce(tx: &mut Tx, message: &Message, change: fn(Message) -> Change) {
    let commit = Commit { conversation_id: message.conversation_id, rev: message.rev, change: change(message.clone()) };
    tx.commits.push(commit);
}

pub(super) const BEFORE: &str =
    concat!(select_messages!(), " where conversation_id = $1 and seq < $2 order by seq desc limit $3");

/// The latest messages before `before_seq`. Call it in the transaction in which `seated` was made.
pub(super) async fn list_before(conn: &mut Conn, seated: &Seated, before_seq: Option<i64>, limit: i64) -> Result<Page> {
    let mut page = page(conn, BEFORE, seated, before_seq.unwrap_or(i64::MAX), limit).await?;
    page.messages.reverse();
    Ok(page)
}

pub(super) const AFTER: &str =
    concat!(select_messages!(), " where conversation_id = $1 and rev > $2 order by rev limit $3");

/// What changed after `after_rev`. Call it in the transaction in which `seated` was made.
pub(super) async fn list_after(conn: &mut Conn, seated: &Seated, after_rev: i64, limit: i64) -> Result<Page> {
    page(conn, AFTER, seated, after_rev, limit).await
}

async fn page(conn: &mut Conn, sql: &'static str, seated: &Seated, bound: i64, limit: i64) -> Result<Page> {
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
