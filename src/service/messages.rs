//! Messages: posting, editing, deleting, reading.

use super::{Service, conversations::bounded, problem, rate};
use crate::{
    api::Older,
    domain::{Actor, ClientId, Content, ConversationId, Message, MessageId, Problem, Receipt},
    live::{Person, frame},
    protocol::{JOIN_LATEST, ServerFrame},
    storage::{Draft, Page, Posted},
};

impl Service {
    /// Posts a message. The same client id again returns what was stored the first time.
    ///
    /// # Errors
    /// `invalid`, `not_found`, `closed`, `rate_limited`, `unavailable`.
    pub async fn post_message(
        &self,
        actor: &Actor,
        room: ConversationId,
        client_id: Option<ClientId>,
        content: &str,
        attachments: usize,
    ) -> Result<Posted, Problem> {
        self.count_send(actor)?;
        if attachments > 0 {
            return Err(Problem::invalid("attachment_ids", "There is no such attachment."));
        }
        let content = Content::parse(content, self.settings.limits.message_chars)?;
        let draft = Draft { conversation_id: room, client_id, content };
        self.store.post_message(actor, draft).await.map_err(problem)
    }

    /// Changes a message's content; its author only.
    ///
    /// # Errors
    /// `invalid`, `not_found`, `forbidden`, `closed`, `rate_limited`, `unavailable`.
    pub async fn edit_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
        content: &str,
    ) -> Result<Message, Problem> {
        self.count_send(actor)?;
        let content = Content::parse(content, self.settings.limits.message_chars)?;
        self.store.edit_message(actor, room, id, content).await.map_err(problem)
    }

    /// Deletes a message's content; its author or an admin.
    ///
    /// # Errors
    /// `not_found`, `forbidden`, `closed`, `rate_limited`, `unavailable`.
    pub async fn delete_message(
        &self,
        actor: &Actor,
        room: Option<ConversationId>,
        id: MessageId,
    ) -> Result<Message, Problem> {
        self.count_send(actor)?;
        self.store.delete_message(actor, room, id).await.map_err(problem)
    }

    fn count_send(&self, actor: &Actor) -> Result<(), Problem> {
        self.sends.take(Person::from(actor)).map_err(|wait| Problem::rate_limited(rate::seconds(wait)))
    }

    /// The messages before `before_seq`, or the latest; ascending by seq.
    ///
    /// # Errors
    /// `invalid` for the limit, `not_found`.
    pub async fn list_before(
        &self,
        actor: &Actor,
        id: ConversationId,
        before_seq: Option<i64>,
        limit: i64,
    ) -> Result<Page, Problem> {
        self.store.list_before(actor, id, before_seq, bounded(limit)?).await.map_err(problem)
    }

    /// The messages whose last change has a higher rev than `after_rev`; ascending by rev.
    ///
    /// # Errors
    /// `invalid` for the limit, `not_found`.
    pub async fn list_after(
        &self,
        actor: &Actor,
        id: ConversationId,
        after_rev: i64,
        limit: i64,
    ) -> Result<Page, Problem> {
        self.store.list_after(actor, id, after_rev, bounded(limit)?).await.map_err(problem)
    }

    /// The messages before those that a browser has.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn list_older(&self, actor: &Actor, id: ConversationId, before_seq: i64) -> Result<Older, Problem> {
        let page = self.list_before(actor, id, Some(before_seq), JOIN_LATEST).await?;
        Ok(Older { messages: page.messages, more: page.more })
    }

    /// Moves the actor's receipt forward and tells the room. `None`: it stood there or further.
    ///
    /// # Errors
    /// `invalid` for a negative seq, `not_found`.
    pub async fn read_up_to(&self, actor: &Actor, room: ConversationId, seq: i64) -> Result<Option<Receipt>, Problem> {
        if seq < 0 {
            return Err(Problem::invalid("seq", "A seq is never negative."));
        }
        let receipt = self.store.read_up_to(actor, room, seq).await.map_err(problem)?;
        if let Some(receipt) = receipt {
            let Receipt { participant, seq, .. } = receipt;
            self.hub.tell(room, &frame(&ServerFrame::Read { room, participant, seq }));
            self.inbox_changed(room);
        }
        Ok(receipt)
    }
}
