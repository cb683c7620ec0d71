//! Access to conversations. The policies of the tables repeat these checks, in case this module has a gap.
//!
//! A [`Seated`] comes from [`seat`], or from `conversations::find`, which also reads the conversation. Functions that read or
//! write one conversation for a person require one. Lists are limited to `actors::own_conversations`. Admins see all.
//! Customers see their own conversations, and those whose links they opened; guests see only the latter. A link is
//! valid until it is revoked or expires.

use sqlx::Row;

use super::{
    actors::{Asker, is_alive},
    conn::Conn,
    rows::Columns,
};
use crate::{
    domain::{Actor, ClientId, ConversationId, MessageId, ParticipantId, Timestamp},
    storage::{
        Result, StoreError,
        seated::{SeatRow, Seated},
    },
};

macro_rules! select_seat {
    ($lock:literal) => {
        concat!(
            "
    select head, last_seq, status, is_sealed, customer_name, customer_participant_id,
           customer_id is not null as has_account,
           (select messages.id from messages
            where messages.conversation_id = $4 and messages.client_id = $6
              and messages.sender_id = coalesce($5, customer_participant_id)) as sent_before
    from conversations
    where id = $4
      and ($5 is not null
           or customer_id = $2
           or exists (select 1 from links
                      where links.conversation_id = conversations.id
                        and ",
            is_alive!("links", "$1"),
            "
                        and links.id = any ($3)))
    ",
            $lock
        )
    };
}

pub(super) const SEAT: &str = select_seat!("");
/// Waits for concurrent changes of the conversation on any node, and then locks it until the transaction ends. So the
/// caller can derive the next rev and seq from the head and last seq that it reads. References to the conversation need
/// not wait.
const SEAT_TO_CHANGE: &str = select_seat!("for no key update of conversations");

/// Lets the actor into the conversation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat(conn: &mut Conn, actor: &Actor, id: ConversationId, now: Timestamp) -> Result<Seated> {
    Ok(read_seat(conn, SEAT, actor, id, None, now).await?.0)
}

/// Lets the actor into the conversation, to change it.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat_to_change(
    conn: &mut Conn,
    actor: &Actor,
    id: ConversationId,
    now: Timestamp,
) -> Result<Seated> {
    Ok(seat_sender(conn, actor, id, None, now).await?.0)
}

/// Grants the actor write access to the conversation, and finds the actor's earlier message with `client_id`. One query
/// does both, because most writes begin like this. The query can miss a message that another transaction has just
/// committed, because it sees messages as of the start of its wait.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat_sender(
    conn: &mut Conn,
    actor: &Actor,
    id: ConversationId,
    client_id: Option<ClientId>,
    now: Timestamp,
) -> Result<(Seated, Option<MessageId>)> {
    read_seat(conn, SEAT_TO_CHANGE, actor, id, client_id, now).await
}

async fn read_seat(
    conn: &mut Conn,
    sql: &'static str,
    actor: &Actor,
    id: ConversationId,
    client_id: Option<ClientId>,
    now: Timestamp,
) -> Result<(Seated, Option<MessageId>)> {
    let asker = Asker::from(actor);
    let row = sqlx::query(sql)
        .bind(now)
        .bind(asker.customer)
        .bind(asker.links)
        .bind(id.0)
        .bind(asker.admin)
        .bind(client_id.map(|id| id.0))
        .fetch_optional(conn)
        .await?
        .ok_or(StoreError::NotFound)?;
    let found = SeatRow {
        customer: row.id("customer_participant_id", ParticipantId::stored)?,
        customer_name: row.try_get("customer_name")?,
        has_account: row.try_get("has_account")?,
        status: row.word("status")?,
        head: row.try_get("head")?,
        last_seq: row.try_get("last_seq")?,
        is_sealed: row.try_get("is_sealed")?,
    };
    Ok((Seated::new(actor, id, found), row.optional_id("sent_before", MessageId)?))
}
