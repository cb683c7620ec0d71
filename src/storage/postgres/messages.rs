//! Storing messages: each takes the next seq and rev of its conversation.
//!
//! The numbers are counted up from what [`Seated`] says. That is safe because each change of a conversation locks its
//! row before it reads it (`access::seat_to_change`). The unique constraints on seq and rev reject anything else. A
//! message is stored by one statement, because each is a round trip.

use sqlx::types::Json;

use super::{
    attachments,
    conn::Conn,
    rows::Word,
    timeline::{announce, compose, find, message_in, select_messages, sent_before_as},
    tx::Tx,
};
use crate::{
    domain::{ConversationId, Message, MessageEvent, MessageId, ParticipantKind, Timestamp},
    locales::Locale,
    storage::{
        Change, Draft, Posted, Result,
        rules::{self, last_message, stored_content},
        search,
        seated::{Doer, Seated},
    },
};

/// Stores a message, makes its sender a participant and moves the sender's receipt to it; unless
/// the same was `sent_before`.
///
/// # Errors
/// As those of [`Store::post_message`](crate::storage::Store::post_message).
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
    let message = compose(&mut tx.conn, seated, &draft, now).await?;
    if !insert(&mut tx.conn, &message, seated.me().kind, seated.is_sealed()).await? {
        // Sent by way of another node while this one waited for the conversation.
        let message = find_sent(&mut tx.conn, seated, &message).await?;
        return sent_before_as(&mut tx.conn, message, &draft).await;
    }
    if !message.attachments.is_empty() {
        attachments::send(&mut tx.conn, &message).await?;
    }
    announce(tx, message.clone(), Change::Posted);
    Ok(Posted { message, fresh: true })
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
    insert(&mut tx.conn, &message, ParticipantKind::Admin, false).await?;
    announce(tx, message, Change::Posted);
    Ok(())
}

/// Stores a message, updates its conversation and its sender's receipt, and makes the sender a participant. False, and
/// no change, if its sender has stored its client id before. Search does not find what `is_sealed`, and lists do not
/// show it.
async fn insert(conn: &mut Conn, message: &Message, kind: ParticipantKind, is_sealed: bool) -> Result<bool> {
    let words = if message.system || is_sealed { Vec::new() } else { search::of(&message.content) };
    // One statement, because each is a round trip. Its parts see the tables as they were before it.
    let done = sqlx::query(
        "with posted as (
             insert into messages
                 (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, client_id, created_at, content,
                  is_system, attachments, words, reply_to)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, array_to_tsvector($13), $16)
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
    .bind(message.created_at)
    .bind(stored_content(message))
    .bind(message.system)
    .bind((!message.attachments.is_empty()).then_some(Json(&message.attachments)))
    .bind(words)
    .bind(kind.word())
    .bind(last_message(message, is_sealed))
    .bind(message.reply_to.as_ref().map(|quoted| quoted.seq))
    .execute(conn)
    .await?;
    Ok(done.rows_affected() > 0)
}

/// The message that has the sender and the client id of `message`.
async fn find_sent(conn: &mut Conn, seated: &Seated, sent: &Message) -> Result<Message> {
    let row =
        sqlx::query(concat!(select_messages!(), " where conversation_id = $1 and sender_id = $2 and client_id = $3"))
            .bind(sent.conversation_id.0)
            .bind(sent.sender_id.in_storage())
            .bind(sent.client_id.map(|id| id.0))
            .fetch_one(conn)
            .await?;
    Ok(message_in(seated, &row)?)
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
        "with changed as (
             update messages
             set rev = $3, content = $4, edited_at = $5, deleted_at = $6, words = array_to_tsvector($7),
                 attachments = case when $6 is null then attachments end,
                 reply_to = case when $6 is null then reply_to end,
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
    .bind(stored_content(message))
    .bind(message.edited_at)
    .bind(message.deleted_at)
    .bind(if seated.is_sealed() { Vec::new() } else { search::of(&message.content) })
    .bind(message.seq)
    .bind(last_message.as_deref())
    .bind(sent)
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
