//! Access to conversations.
//!
//! A [`Seated`] comes from [`seat_all`], or from `conversations::find`, which also reads the conversation. Functions that read or
//! write one conversation for a person require one. Lists are limited to `actors::own_conversations`. Admins see all.
//! Customers see their own conversations, and those whose links they opened; guests see only the latter. A link is
//! valid until it is revoked or expires.

use sqlx::Row;

use super::{
    actors::{Asker, is_alive},
    dialect::{Conn, is_any, sql},
    rows::Columns,
    statements::{Batched, batches},
};
use crate::{
    domain::{Actor, ClientId, ConversationId, MessageId, ParticipantId, Timestamp},
    storage::{
        Result, StoreError,
        seated::{SeatRow, Seated},
    },
};

/// The actor who requests access, and the client id of a message that they may have sent before.
pub(super) struct Arrival<'a> {
    pub(super) actor: &'a Actor,
    pub(super) conversation: ConversationId,
    pub(super) client_id: Option<ClientId>,
}

pub(super) static SEATS: Batched = Batched::new(|count| {
    // No numbers: SQLite would look for each among all others.
    let asked = (0..count).map(|at| format!("({at}, ?, ?, ?, ?, ?, ?)")).collect::<Vec<_>>().join(", ");
    format!(
        "with asked (at, now, conversation, customer, links, admin, client_id) as (values {asked})
         select at, head, last_seq, status, is_sealed, customer_name, customer_participant_id,
                customer_id is not null as has_account,
                (select messages.id from messages
                 where messages.conversation_id = asked.conversation and messages.client_id = asked.client_id
                   and messages.sender_id = coalesce(asked.admin, customer_participant_id)) as sent_before
         from asked cross join conversations on conversations.id = asked.conversation
         where asked.admin is not null
            or customer_id = asked.customer
            or exists (select 1 from links
                       where links.conversation_id = conversations.id
                         and {is_alive}
                         and links.id {is_any})",
        is_alive = sql!(is_alive!("links", "asked.now")),
        is_any = is_any!("asked.links"),
    )
});

/// Lets the actor into the conversation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat(conn: &mut Conn, actor: &Actor, id: ConversationId, now: Timestamp) -> Result<Seated> {
    let arrival = Arrival { actor, conversation: id, client_id: None };
    let (seated, _) = seat_all(conn, &[arrival], now).await?.remove(0).ok_or(StoreError::NotFound)?;
    Ok(seated)
}

// The one writer lets nobody else change the conversation meanwhile.
pub(super) use self::seat as seat_to_change;

/// Lets each into its conversation, and finds the message that they sent to it with `client_id` before;
/// `None` for those who may not see it. All in one query, because this is how sending begins.
pub(super) async fn seat_all(
    conn: &mut Conn,
    arrivals: &[Arrival<'_>],
    now: Timestamp,
) -> Result<Vec<Option<(Seated, Option<MessageId>)>>> {
    let mut seats = Vec::with_capacity(arrivals.len());
    for some in batches(arrivals) {
        let mut query = sqlx::query(SEATS.of(some.len()));
        for Arrival { actor, conversation, client_id } in some {
            let asker = Asker::from(*actor);
            let client_id = client_id.map(|id| id.0);
            query = query.bind(now).bind(conversation.0).bind(asker.customer);
            query = query.bind(asker.links).bind(asker.admin).bind(client_id);
        }
        let first = seats.len();
        seats.extend(some.iter().map(|_| None));
        for row in query.fetch_all(&mut *conn).await? {
            let found = SeatRow {
                customer: row.id("customer_participant_id", ParticipantId::stored)?,
                customer_name: row.try_get("customer_name")?,
                has_account: row.try_get("has_account")?,
                status: row.word("status")?,
                head: row.try_get("head")?,
                last_seq: row.try_get("last_seq")?,
                is_sealed: row.try_get("is_sealed")?,
            };
            let at: u32 = row.try_get("at")?;
            let Arrival { actor, conversation, .. } = some[at as usize];
            let sent_before = row.optional_id("sent_before", MessageId)?;
            seats[first + at as usize] = Some((Seated::new(actor, conversation, found), sent_before));
        }
    }
    Ok(seats)
}
