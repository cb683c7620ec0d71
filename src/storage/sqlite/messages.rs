//! Storing messages: each takes the next seq and rev of its conversation.
//!
//! The numbers are counted up from what [`Seated`] says. That is safe because the transaction holds the database's only
//! write lock from its first statement on. The unique constraints on seq and rev reject anything else. Several messages
//! share a few statements, see `writer`.

use std::collections::BTreeMap;

use sqlx::types::Json;

use super::{
    access::{Arrival, seat_all},
    attachments,
    rows::Word,
    statements::{Batched, batches},
    timeline::{announce, compose, find, sent_before_as},
    tx::Tx,
};
use crate::{
    domain::{Actor, ConversationId, Message, MessageEvent, MessageId, ParticipantKind, Timestamp},
    locales::Locale,
    storage::{
        Change, Draft, Posted, Result, StoreError,
        rules::{self, last_message, stored_content},
        seated::{Doer, Seated},
    },
};

/// Stores messages of people, each in a conversation of its own; makes the senders participants and moves their
/// receipts. Repeats are not stored again.
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
            Some(id) => match find(&mut tx.conn, &seated, id).await {
                Ok(message) => sent_before_as(&mut tx.conn, message, draft).await,
                Err(error) => Err(error),
            },
            None => {
                let message = compose(&mut tx.conn, &seated, draft, now).await;
                message.map(|message| Posted { message, fresh: true })
            }
        };
        match outcome {
            Err(StoreError::Database(error)) => return Err(error.into()),
            Ok(Posted { ref message, fresh: true }) => {
                let (kind, is_sealed) = (seated.me().kind, seated.is_sealed());
                new.push(New { message: message.clone(), kind, is_sealed })
            }
            _ => {}
        }
        posted.push(outcome);
    }
    insert(tx, &new).await?;
    for New { message, .. } in new {
        if !message.attachments.is_empty() {
            attachments::send(&mut tx.conn, &message).await?;
        }
        announce(tx, message, Change::Posted);
    }
    Ok(posted)
}

/// Stores a line about a person's action, also in a closed conversation. It is news to everyone else; what the person
/// has not read stays unread.
pub(super) async fn post_system(
    tx: &mut Tx,
    conversation: ConversationId,
    by: Doer,
    event: MessageEvent,
    at: Timestamp,
) -> Result<()> {
    let (head, last_seq): (i64, i64) = sqlx::query_as("select head, last_seq from conversations where id = ?1")
        .bind(conversation.0)
        .fetch_one(&mut tx.conn)
        .await?;
    let kind = by.kind;
    let message = Message {
        id: MessageId::new(),
        conversation_id: conversation,
        seq: last_seq + 1,
        rev: head + 1,
        sender_type: by.kind.sender_type(),
        sender_id: by.id,
        sender_name: by.name,
        content: event.words(Locale::En),
        system: true,
        event: Some(event),
        client_id: None,
        created_at: at,
        edited_at: None,
        deleted_at: None,
        attachments: Vec::new(),
        reply_to: None,
    };
    insert(tx, &[New { message: message.clone(), kind, is_sealed: false }]).await?;
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

/// A receipt at the last message before a system line covers the line too.
const READ_ON: &str = "insert into receipts (conversation_id, participant_id, seq, read_at_ms)
     select ?1, ?2, ?3, ?4
     where ?3 = 1
        or exists (select 1 from receipts where conversation_id = ?1 and participant_id = ?2 and seq = ?3 - 1)
     on conflict (conversation_id, participant_id)
     do update set seq = excluded.seq, read_at_ms = excluded.read_at_ms";

/// A message to store, with its sender's seat in the conversation.
struct New {
    message: Message,
    kind: ParticipantKind,
    /// Search gives it no number, and lists do not show it.
    is_sealed: bool,
}

/// Stores messages, updates their conversations and their senders' receipts, and makes the senders participants. One
/// text, because each statement sent by itself is a round trip to the connection's thread. The values are in the order
/// of the question marks: sqlx counts wrong when numbers are left out.
pub(super) static INSERT: Batched = Batched::new(|count| {
    let rows = |row: &str| vec![row; count].join(", ");
    format!(
        "insert into messages
             (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id, created_at_ms, content,
              is_system, attachments, reply_to, search_id)
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
        messages = rows("(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"),
        conversations = rows("(?, ?, ?, ?, ?)"),
        participants = rows("(?, ?, ?, ?)"),
        receipts = rows("(?, ?, ?, ?, ?)"),
    )
});

/// Makes messages found by their words: `?1` is a JSON object of contents by number. One statement for any number of
/// them, because FTS5 flushes its buffer whenever another begins.
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
    let mut numbers = last + 1..;
    let new: Vec<_> = new.iter().map(|new| (if new.is_sealed { None } else { numbers.next() }, new)).collect();
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
                .bind(stored_content(message))
                .bind(message.system)
                .bind((!message.attachments.is_empty()).then_some(Json(&message.attachments)))
                .bind(message.reply_to.as_ref().map(|quoted| quoted.seq))
                .bind(search_id);
        }
        for (_, New { message, is_sealed, .. }) in some {
            query = query
                .bind(message.conversation_id.0)
                .bind(message.rev)
                .bind(message.seq)
                .bind(last_message(message, *is_sealed))
                .bind(message.created_at.0);
        }
        for (_, New { message, kind, .. }) in some {
            query = query
                .bind(message.conversation_id.0)
                .bind(message.sender_id.in_storage())
                .bind(kind.word())
                .bind(&message.sender_name);
        }
        // A sender has read everything before the message; a line of the server does not imply that.
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
    let contents: BTreeMap<_, _> = new
        .iter()
        .filter_map(|(search_id, New { message, .. })| Some(((*search_id)?, stored_content(message))))
        .collect();
    sqlx::query(INDEX).bind(Json(contents)).execute(&mut tx.conn).await?;
    sqlx::query(MERGE).bind((MERGED + new.len()) as i64).execute(&mut tx.conn).await?;
    Ok(())
}

/// Stores what an edit or a deletion changed. `last_message` is for lists, if it is the latest. `sent` is the digest of
/// the original, if this is its first change.
pub(super) async fn store_change(
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
             reply_to = iif(? is null, reply_to, null), sent_digest = coalesce(sent_digest, ?)
         where id = ?;

         update conversations
         set head = ?,
             last_message = iif(last_seq = ?, ?, last_message),
             last_message_folded = null
         where id = ?",
    )
    .bind(stored_content(message))
    .bind(message.id.0)
    // The message
    .bind(message.rev)
    .bind(stored_content(message))
    .bind(message.edited_at.map(|at| at.0))
    .bind(message.deleted_at.map(|at| at.0))
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
