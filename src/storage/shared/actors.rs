//! An actor as queries bind it, and the condition by which lists find what is an actor's own.

use uuid::Uuid;

use super::dialect::{Conn, Ids, ids, sql};
use crate::{
    domain::{Actor, ConversationId, MessageId, UserId},
    storage::{Result, StoreError},
};

/// Whether the link `$link` is alive at the moment `$now`.
macro_rules! is_alive {
    ($link:literal, $now:literal) => {
        concat!(
            $link,
            ".revoked_at is null and (",
            $link,
            ".expires_at is null or ",
            $link,
            ".expires_at > ",
            $now,
            ")"
        )
    };
}
pub(crate) use is_alive;

/// The ids of a customer's or guest's conversations; `$1` is the present moment, `$2` the user's id
/// or null, `$3` the ids of opened links.
macro_rules! own_conversations {
    () => {
        concat!(
            "select conversations.id from conversations where conversations.customer_id = $2 ",
            "union select links.conversation_id from links where links.id ",
            is_any!("$3"),
            " and ",
            is_alive!("links", "$1")
        )
    };
}
pub(crate) use own_conversations;

/// An actor as queries bind it.
pub struct Asker {
    /// Set for admins only: who they are in every conversation.
    pub admin: Option<Uuid>,
    /// Set for customers only.
    pub customer: Option<Uuid>,
    /// The links that were opened.
    pub links: Ids,
}

impl From<&Actor> for Asker {
    fn from(actor: &Actor) -> Self {
        let user = actor.user_id().map(|UserId(id)| id);
        let (admin, customer) = if actor.is_admin() { (user, None) } else { (None, user) };
        Self { admin, customer, links: ids(actor.links().iter().map(|link| link.0)) }
    }
}

/// The conversation of a message, which never moves to another; `room`, if given, must be this conversation. Whether
/// the actor may see it is for `access` to say.
///
/// # Errors
/// [`StoreError::NotFound`].
pub async fn conversation_of(conn: &mut Conn, room: Option<ConversationId>, id: MessageId) -> Result<ConversationId> {
    sqlx::query_scalar(sql!("select conversation_id from messages where id = $1"))
        .bind(id.0)
        .fetch_optional(conn)
        .await?
        .map(ConversationId)
        .filter(|conversation| room.is_none_or(|room| room == *conversation))
        .ok_or(StoreError::NotFound)
}
