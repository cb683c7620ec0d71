//! Reading messages, and changing or deleting one: each change takes the next rev of its conversation.
//!
//! The rev is counted up from what [`Seated`] says, as `messages` does for new ones.

use sqlx::{Row, types::Json};

use super::{
    attachments,
    dialect::{Conn, DbRow, sql},
    discarded_files,
    messages::store_change,
    rows::Columns,
    tx::Tx,
};
use crate::{
    domain::{
        Attachment, ClientId, Content, ConversationId, EXCERPT_CHARS, MAX_REPLIES, Message, MessageId, ParticipantId,
        Quote, Timestamp, excerpt,
    },
    storage::{Change, Commit, Draft, Page, Posted, Result, StoreError, rules, rules::last_message, seated::Seated},
};

macro_rules! select_messages {
    () => {
        "select id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id,
                created_at, edited_at, deleted_at, content, is_system, attachments,
                quoted_id, quoted_seq, quoted_name, quoted_content, quoted_is_system, quoted_attachments, quoted_changed
         from messages
         left join (select conversation_id as quoted_conversation, id as quoted_id, seq as quoted_seq,
                           sender_name as quoted_name, content as quoted_content, is_system as quoted_is_system,
                           attachments as quoted_attachments,
                           edited_at is not null or deleted_at is not null as quoted_changed
                    from messages) as quoted
             on quoted_conversation = conversation_id and quoted_seq = reply_to"
    };
}
pub(crate) use select_messages;

/// Reads [`select_messages`].
pub fn message(row: &DbRow) -> sqlx::Result<Message> {
    let system = row.try_get("is_system")?;
    let (content, event) = rules::read_content(row.try_get("content")?, system);
    Ok(Message {
        id: row.id("id", MessageId)?,
        conversation_id: row.id("conversation_id", ConversationId)?,
        seq: row.try_get("seq")?,
        rev: row.try_get("rev")?,
        sender_type: row.word("sender_type")?,
        sender_id: row.id("sender_id", ParticipantId::stored)?,
        sender_name: rules::shown(row.try_get("sender_name")?),
        content,
        client_id: row.optional_id("client_id", ClientId)?,
        created_at: row.time("created_at")?,
        edited_at: row.optional_time("edited_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        system,
        event,
        attachments: attachments_in(row, "attachments")?,
        reply_to: quote(row)?.map(Box::new),
    })
}

fn attachments_in(row: &DbRow, column: &str) -> sqlx::Result<Vec<Attachment>> {
    let attachments = row.try_get::<Option<Json<_>>, _>(column)?;
    Ok(attachments.map_or_else(Vec::new, |Json(attachments)| attachments))
}

fn quote(row: &DbRow) -> sqlx::Result<Option<Quote>> {
    let Some(id) = row.optional_id("quoted_id", MessageId)? else { return Ok(None) };
    let (content, _) = rules::read_content(row.try_get("quoted_content")?, row.try_get("quoted_is_system")?);
    Ok(Some(Quote {
        id,
        seq: row.try_get("quoted_seq")?,
        sender_name: rules::shown(row.try_get("quoted_name")?),
        excerpt: excerpt(&content, &attachments_in(row, "quoted_attachments")?, EXCERPT_CHARS),
        changed: row.try_get("quoted_changed")?,
    }))
}

/// Reads [`select_messages`] of a conversation that may be sealed: quotes there have no text.
pub fn message_in(seated: &Seated, row: &DbRow) -> sqlx::Result<Message> {
    let mut message = message(row)?;
    message.reply_to = message.reply_to.map(|quote| Box::new(shown_in(seated, *quote)));
    Ok(message)
}

fn shown_in(seated: &Seated, quote: Quote) -> Quote {
    if seated.is_sealed() { Quote { excerpt: String::new(), ..quote } } else { quote }
}

/// The message that an earlier send stored under the client id of `draft`, if it is the same.
///
/// # Errors
/// [`StoreError::Conflict`].
pub async fn sent_before_as(conn: &mut Conn, message: Message, draft: &Draft) -> Result<Posted> {
    let digest: Option<rules::SentDigest> = if rules::needs_digest(&message) {
        let digest = sqlx::query_scalar(sql!("select sent_digest from messages where id = $1"));
        digest.bind(message.id.0).fetch_one(conn).await?
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
/// [`StoreError::Refused`], [`StoreError::SealedFiles`], [`StoreError::Closed`], [`StoreError::NoAttachment`],
/// [`StoreError::NotFound`]: there is no message to reply to; [`StoreError::TooManyReplies`].
pub async fn compose(conn: &mut Conn, seated: &Seated, draft: &Draft, now: Timestamp) -> Result<Message> {
    if seated.is_sealed() && !draft.attachments.is_empty() {
        return Err(StoreError::SealedFiles);
    }
    seated.require_form(&draft.content)?;
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
        event: None,
        client_id: draft.client_id,
        created_at: now,
        edited_at: None,
        deleted_at: None,
        attachments: attachments::unsent(conn, seated, &draft.attachments).await?,
        reply_to: match draft.reply_to {
            Some(id) => Some(Box::new(quoted(conn, seated, id).await?)),
            None => None,
        },
    })
}

/// The message to reply to. It may be deleted: a reply that was written before is not lost.
///
/// # Errors
/// [`StoreError::NotFound`], [`StoreError::TooManyReplies`].
async fn quoted(conn: &mut Conn, seated: &Seated, id: MessageId) -> Result<Quote> {
    let message = find(conn, seated, id).await?;
    let replies: i64 =
        sqlx::query_scalar(REPLIES).bind(seated.conversation_id().0).bind(message.seq).fetch_one(conn).await?;
    if replies >= MAX_REPLIES { Err(StoreError::TooManyReplies) } else { Ok(shown_in(seated, Quote::from(&message))) }
}

pub const REPLIES: &str = sql!("select count(*) from messages where conversation_id = $1 and reply_to = $2");

pub const BY_ID: &str = sql!(select_messages!(), " where conversation_id = $1 and id = $2");

/// # Errors
/// [`StoreError::NotFound`].
pub async fn find(conn: &mut Conn, seated: &Seated, id: MessageId) -> Result<Message> {
    let row = sqlx::query(BY_ID).bind(seated.conversation_id().0).bind(id.0).fetch_optional(conn).await?;
    Ok(message_in(seated, &row.ok_or(StoreError::NotFound)?)?)
}

/// Replaces the content, unless it is the same already.
///
/// # Errors
/// [`StoreError::NotFound`]: it was deleted; [`StoreError::Forbidden`]: it is somebody else's;
/// [`StoreError::Refused`], [`StoreError::Closed`].
pub async fn edit(tx: &mut Tx, seated: &Seated, id: MessageId, content: Content, now: Timestamp) -> Result<Message> {
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
    seated.require_form(&content)?;
    seated.require_open()?;

    let sent = rules::digest_to_keep(&message);
    let message = Message { rev: seated.head() + 1, content: content.into_string(), edited_at: Some(now), ..message };
    store_change(tx, seated, &message, last_message(&message, seated.is_sealed()), sent).await?;
    announce(tx, message.clone(), Change::Edited);
    requote(tx, seated, &message).await?;
    Ok(message)
}

/// Empties the message, which keeps its place; unless that was done before.
///
/// # Errors
/// [`StoreError::Forbidden`]: it is somebody else's, and the actor no admin; [`StoreError::Closed`].
pub async fn delete(tx: &mut Tx, seated: &Seated, id: MessageId, now: Timestamp) -> Result<Message> {
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
        discarded_files::discard(&mut tx.conn, id).await?;
    }
    let sent = rules::digest_to_keep(&message);
    let message = Message {
        rev: seated.head() + 1,
        content: String::new(),
        deleted_at: Some(now),
        attachments: Vec::new(),
        reply_to: None,
        ..message
    };
    store_change(tx, seated, &message, None, sent).await?;
    announce(tx, message.clone(), Change::Deleted);
    requote(tx, seated, &message).await?;
    Ok(message)
}

/// The replies to a message, by seq, take the revs after `$3`.
pub const REQUOTE: &str = sql!(
    "update messages
     set rev = $3 + (select count(*) from messages as earlier
                     where earlier.conversation_id = $1 and earlier.reply_to = $2 and earlier.seq <= messages.seq)
     where conversation_id = $1 and reply_to = $2"
);

/// Every reply to a message that was just changed shows it: each takes a rev, so clients that resume get it.
async fn requote(tx: &mut Tx, seated: &Seated, changed: &Message) -> Result<()> {
    let (conversation, head) = (changed.conversation_id.0, changed.rev);
    let replies = sqlx::query(REQUOTE).bind(conversation).bind(changed.seq).bind(head).execute(&mut tx.conn).await?;
    if replies.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query(sql!("update conversations set head = $2 where id = $1"))
        .bind(conversation)
        .bind(head + replies.rows_affected() as i64)
        .execute(&mut tx.conn)
        .await?;
    let rows = sqlx::query(AFTER).bind(conversation).bind(head).bind(MAX_REPLIES).fetch_all(&mut tx.conn).await?;
    for row in &rows {
        announce(tx, message_in(seated, row)?, Change::Edited);
    }
    Ok(())
}

/// Publishes a change once it is on disk.
pub fn announce(tx: &mut Tx, message: Message, change: fn(Message) -> Change) {
    let commit = Commit { conversation_id: message.conversation_id, rev: message.rev, change: change(message) };
    tx.commits.push(commit);
}

pub const BEFORE: &str =
    sql!(select_messages!(), " where conversation_id = $1 and seq < $2 order by seq desc limit $3");

/// The latest messages before `before_seq`. Call it in the transaction in which `seated` was made.
pub async fn list_before(conn: &mut Conn, seated: &Seated, before_seq: Option<i64>, limit: i64) -> Result<Page> {
    let mut page = page(conn, BEFORE, seated, before_seq.unwrap_or(i64::MAX), limit).await?;
    page.messages.reverse();
    Ok(page)
}

pub const AFTER: &str = sql!(select_messages!(), " where conversation_id = $1 and rev > $2 order by rev limit $3");

/// The changes after `after_rev`. Call it in the transaction in which `seated` was made.
pub async fn list_after(conn: &mut Conn, seated: &Seated, after_rev: i64, limit: i64) -> Result<Page> {
    page(conn, AFTER, seated, after_rev, limit).await
}

async fn page(conn: &mut Conn, sql: &'static str, seated: &Seated, bound: i64, limit: i64) -> Result<Page> {
    let limit = limit.max(0);
    // One more than the limit shows whether there are more.
    let rows = sqlx::query(sql)
        .bind(seated.conversation_id().0)
        .bind(bound)
        .bind(limit.saturating_add(1))
        .fetch_all(conn)
        .await?;
    let wanted = usize::try_from(limit).unwrap_or(usize::MAX);
    let messages = rows.iter().take(wanted).map(|row| message_in(seated, row)).collect::<sqlx::Result<_>>()?;
    Ok(Page { messages, head: seated.head(), more: rows.len() > wanted })
}
