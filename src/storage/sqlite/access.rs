//! Who may see which conversation: decided here and nowhere else.
//!
//! [`seat_all`] is the only way to a [`Seated`], and every function that reads or writes one
//! conversation takes one: a query without a check of access does not compile. Lists narrow what
//! they read to [`own_conversations`]. Admins see all; customers what is theirs, and what the links
//! that they opened lead to; guests the latter. A link counts while it is neither revoked nor expired.

use sqlx::{Row, SqliteConnection};
use uuid::Uuid;

use super::rows::{Batched, Columns, batches, id_list};
use crate::{
    domain::{Actor, ClientId, ConversationId, MessageId, ParticipantId, Timestamp, UserId},
    storage::{
        Result, StoreError,
        seated::{Found, Seated},
    },
};

/// Whether the link `$link` is alive at the moment `$now`.
macro_rules! is_alive {
    ($link:literal, $now:literal) => {
        concat!(
            $link,
            ".revoked_at_ms is null and (",
            $link,
            ".expires_at_ms is null or ",
            $link,
            ".expires_at_ms > ",
            $now,
            ")"
        )
    };
}
pub(super) use is_alive;

/// The ids of a customer's or guest's conversations; `?1` is the present moment, `?2` the user's id
/// or null, `?3` the [`id_list`] of opened links.
macro_rules! own_conversations {
    () => {
        concat!(
            "select conversations.id from conversations where conversations.customer_id = ?2 ",
            "union select links.conversation_id from links ",
            "where links.id in (select unhex(value) from json_each(?3)) and ",
            crate::storage::sqlite::access::is_alive!("links", "?1")
        )
    };
}
pub(super) use own_conversations;

/// An actor as queries bind it.
pub(super) struct Asker {
    /// Set for admins only: who they are in every conversation.
    pub(super) admin: Option<Uuid>,
    /// Set for customers only.
    pub(super) customer: Option<Uuid>,
    /// [`id_list`] of the links that were opened.
    pub(super) links: String,
}

impl From<&Actor> for Asker {
    fn from(actor: &Actor) -> Self {
        let user = actor.user_id().map(|UserId(id)| id);
        let (admin, customer) = if actor.is_admin() { (user, None) } else { (None, user) };
        Self { admin, customer, links: id_list(actor.links().iter().map(|link| link.0)) }
    }
}

/// Who wants to be let in, and the message that they may have sent before.
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
         select at, head, last_seq, status, customer_name, customer_participant_id,
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
                         and links.id in (select unhex(value) from json_each(asked.links)))",
        is_alive = is_alive!("links", "asked.now"),
    )
});

/// Lets the actor into the conversation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat(
    conn: &mut SqliteConnection,
    actor: &Actor,
    id: ConversationId,
    now: Timestamp,
) -> Result<Seated> {
    let arrival = Arrival { actor, conversation: id, client_id: None };
    let (seated, _) = seat_all(conn, &[arrival], now).await?.remove(0).ok_or(StoreError::NotFound)?;
    Ok(seated)
}

/// Lets each into its conversation, and finds the message that they sent to it with `client_id` before;
/// `None` for those who may not see it. All in one query, because this is how sending begins.
pub(super) async fn seat_all(
    conn: &mut SqliteConnection,
    arrivals: &[Arrival<'_>],
    now: Timestamp,
) -> Result<Vec<Option<(Seated, Option<MessageId>)>>> {
    let mut seats = Vec::with_capacity(arrivals.len());
    for some in batches(arrivals) {
        let mut query = sqlx::query(SEATS.of(some.len()));
        for Arrival { actor, conversation, client_id } in some {
            let asker = Asker::from(*actor);
            let client_id = client_id.map(|id| id.0);
            query = query.bind(now.0).bind(conversation.0).bind(asker.customer);
            query = query.bind(asker.links).bind(asker.admin).bind(client_id);
        }
        let first = seats.len();
        seats.extend(some.iter().map(|_| None));
        for row in query.fetch_all(&mut *conn).await? {
            let found = Found {
                customer: row.id("customer_participant_id", ParticipantId::stored)?,
                customer_name: row.try_get("customer_name")?,
                has_account: row.try_get("has_account")?,
                status: row.word("status")?,
                head: row.try_get("head")?,
                last_seq: row.try_get("last_seq")?,
            };
            let at: u32 = row.try_get("at")?;
            let Arrival { actor, conversation, .. } = some[at as usize];
            let sent_before = row.optional_id("sent_before", MessageId)?;
            seats[first + at as usize] = Some((Seated::new(actor, conversation, found), sent_before));
        }
    }
    Ok(seats)
}

const CONVERSATION_OF: &str = "select conversation_id from messages where id = ?1";

/// Lets the actor into the conversation of a message; `room`, if given, must be this conversation.
///
/// # Errors
/// [`StoreError::NotFound`].
pub(super) async fn seat_by_message(
    conn: &mut SqliteConnection,
    actor: &Actor,
    room: Option<ConversationId>,
    id: MessageId,
    now: Timestamp,
) -> Result<Seated> {
    let conversation = sqlx::query_scalar(CONVERSATION_OF)
        .bind(id.0)
        .fetch_optional(&mut *conn)
        .await?
        .map(ConversationId)
        .filter(|conversation| room.is_none_or(|room| room == *conversation))
        .ok_or(StoreError::NotFound)?;
    seat(conn, actor, conversation, now).await
}
