//! Messages: posting, editing, deleting, reading.

use super::{
    Service,
    conversations::{MAX_LIST, bounded, foreign_cursor, searchable},
    problem, rate,
};
use crate::{
    api::Older,
    domain::{
        Actor, AttachmentId, ClientId, Code, Content, Conversation, ConversationId, Message, MessageId, ParticipantId,
        Problem, Receipt,
    },
    live::{BusEvent, Person, Socket, Topic, frame},
    locales::{self, t},
    protocol::{JOIN_LATEST, ServerFrame},
    storage::{Draft, Page, Posted, StoreError},
};

/// Maximum number of files per message.
pub const MAX_ATTACHMENTS: usize = 10;

/// `invalid`, naming `field`, for more files than [`MAX_ATTACHMENTS`].
#[must_use]
pub fn too_many_attachments(field: &str) -> Problem {
    Problem::invalid(field, t!(locales::current(), problem::files_per_message(MAX_ATTACHMENTS)))
}

fn same_person(sender: ParticipantId, me: ParticipantId) -> Result<(), Problem> {
    if sender == me { Ok(()) } else { Err(Problem::somebody_else()) }
}

/// Compares the sender that a page sent, if any, with the actor. An admin has one id everywhere; the customer side's
/// must be looked up.
async fn same_actor(
    sender: Option<ParticipantId>,
    actor: &Actor,
    customer_side: impl Future<Output = Result<ParticipantId, StoreError>>,
) -> Result<(), Problem> {
    let Some(sender) = sender else { return Ok(()) };
    let me = match actor {
        Actor::Admin(user) => user.id.into(),
        Actor::Customer(..) | Actor::Guest(_) => customer_side.await.map_err(problem)?,
    };
    same_person(sender, me)
}

/// A message to post.
#[derive(Clone, Debug, Default)]
pub struct NewMessage {
    pub client_id: Option<ClientId>,
    /// May be empty if files go with it.
    pub content: String,
    /// At most [`MAX_ATTACHMENTS`].
    pub attachment_ids: Vec<AttachmentId>,
    /// A message of the same conversation.
    pub reply_to: Option<MessageId>,
}

impl NewMessage {
    #[must_use]
    pub fn text(content: impl Into<String>) -> Self {
        Self { content: content.into(), ..Self::default() }
    }
}

impl Service {
    /// Posts a message. A repeated call with the same client id returns the message of the first call.
    ///
    /// # Errors
    /// `conflict` if another message was stored with this client id; `invalid`, `not_found`, `closed`,
    /// `rate_limited`, `unavailable`.
    pub async fn post_message(&self, actor: &Actor, room: ConversationId, new: NewMessage) -> Result<Posted, Problem> {
        let outcome = self.try_post(actor, room, new).await;
        self.outcomes.count(&outcome);
        outcome
    }

    /// Posts the message of a form with files. Its client id alone does not identify the content: a browser can stop a
    /// form in transit, and send the same page's form with other files.
    ///
    /// # Errors
    /// Those of [`Service::post_message`], except `conflict`.
    pub async fn post_files(&self, actor: &Actor, room: ConversationId, new: NewMessage) -> Result<(), Problem> {
        let client_id = match new.client_id {
            Some(key) => Some(self.send_of(actor, key, &new).await?),
            None => None,
        };
        match self.post_message(actor, room, NewMessage { client_id, ..new }).await {
            // The same files, uploaded twice: the sweep removes the second upload as unsent.
            Err(problem) if problem.code == Code::Conflict => Ok(()),
            posted => posted.map(drop),
        }
    }

    async fn try_post(&self, actor: &Actor, room: ConversationId, new: NewMessage) -> Result<Posted, Problem> {
        self.count_send(actor)?;
        let NewMessage { client_id, content, attachment_ids: attachments, reply_to } = new;
        if attachments.len() > MAX_ATTACHMENTS {
            return Err(too_many_attachments("attachment_ids"));
        }
        let max_chars = self.settings.limits.message_chars;
        let content = if attachments.is_empty() {
            Content::parse_any(&content, max_chars)?
        } else {
            Content::beside_files(&content, max_chars)?
        };
        let draft = Draft { conversation_id: room, client_id, content, attachments, reply_to };
        let again = self.may_reopen(actor).then(|| draft.clone());
        let posted = match (self.store.post_message(actor, draft).await, again) {
            (Err(StoreError::Closed), Some(draft)) => {
                self.store.reopen(actor, room).await.map_err(problem)?;
                self.store.post_message(actor, draft).await
            }
            (posted, _) => posted,
        };
        posted.map_err(problem)
    }

    /// Whether this person's messages reopen closed conversations.
    pub(super) fn may_reopen(&self, actor: &Actor) -> bool {
        !actor.is_admin() && self.business().reopens
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
        let content = Content::parse_any(content, self.settings.limits.message_chars)?;
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
        let message = self.store.delete_message(actor, room, id).await.map_err(problem)?;
        // The message may have had files.
        self.files.discarded.notify_one();
        Ok(message)
    }

    pub(super) fn count_send(&self, actor: &Actor) -> Result<(), Problem> {
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

    /// The messages before those that a browser has loaded.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn list_older(&self, actor: &Actor, id: ConversationId, before_seq: i64) -> Result<Older, Problem> {
        let page = self.list_before(actor, id, Some(before_seq), JOIN_LATEST).await?;
        Ok(Older { messages: page.messages, more: page.more })
    }

    /// Messages that match all words of `query`, latest first, with the cursor of the next part.
    ///
    /// # Errors
    /// `invalid` for the query, cursor or limit.
    pub async fn search(
        &self,
        actor: &Actor,
        query: &str,
        cursor: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<Message>, Option<String>), Problem> {
        let limit = bounded(limit)?;
        searchable("q", query)?;
        if !query.chars().any(char::is_alphanumeric) {
            return Err(Problem::invalid("q", t!(locales::current(), problem::SEARCH_EMPTY)));
        }
        let after = cursor.map(|id| id.parse().map_err(|_| foreign_cursor())).transpose()?;
        let mut messages = self.store.search_messages(actor, query, after, limit + 1).await.map_err(problem)?;
        let more = messages.len() as i64 > limit;
        messages.truncate(limit as usize);
        let next = messages.last().filter(|_| more).map(|message| message.id.to_string());
        Ok((messages, next))
    }

    /// Every message of a conversation, from the first to the last.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn transcript(&self, actor: &Actor, id: ConversationId) -> Result<(Conversation, Vec<Message>), Problem> {
        // The file may be shared with people who must not open the chat.
        let conversation = Conversation { link: None, ..self.conversation(actor, id).await? };
        let mut parts = Vec::new();
        let mut before = None;
        loop {
            let page = self.store.list_before(actor, id, before, MAX_LIST).await.map_err(problem)?;
            before = page.messages.first().map(|message| message.seq);
            parts.push(page.messages);
            if !page.more {
                break;
            }
        }
        Ok((conversation, parts.into_iter().rev().flatten().collect()))
    }

    /// Rejects a page that was rendered for another person: its browser may have been signed in as someone else
    /// since. `sender` is the person for whom the page was rendered; `None` if it did not send one.
    ///
    /// An actor's identity in a conversation never changes, so checking it outside of the transaction is enough.
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `unavailable`.
    pub async fn require_sender(
        &self,
        actor: &Actor,
        room: ConversationId,
        sender: Option<ParticipantId>,
    ) -> Result<(), Problem> {
        same_actor(sender, actor, async { Ok(self.store.find_conversation(actor, room).await?.me.id) }).await
    }

    /// The same for a socket, which knows its participant in the rooms that it has joined.
    ///
    /// # Errors
    /// As for [`Service::require_sender`].
    pub async fn require_sender_on(
        &self,
        socket: &Socket,
        room: ConversationId,
        sender: Option<ParticipantId>,
    ) -> Result<(), Problem> {
        if let (Some(sender), false) = (sender, socket.actor.is_admin()) {
            if let Some(me) = self.hub.participant(socket.id, room) {
                return same_person(sender, me);
            }
            self.count_ask(&socket.actor)?;
        }
        self.require_sender(&socket.actor, room, sender).await
    }

    /// The same for a change of a message.
    ///
    /// # Errors
    /// As for [`Service::require_sender`].
    pub async fn require_sender_to(
        &self,
        actor: &Actor,
        message: MessageId,
        sender: Option<ParticipantId>,
    ) -> Result<(), Problem> {
        same_actor(sender, actor, async { self.store.find_changer(actor, message).await }).await
    }

    /// Advances the actor's receipt and broadcasts it to the room. `None` if the receipt was there or further.
    ///
    /// # Errors
    /// `invalid` for a negative seq, `not_found`, `rate_limited`.
    pub async fn read_up_to(&self, actor: &Actor, room: ConversationId, seq: i64) -> Result<Option<Receipt>, Problem> {
        self.count_ask(actor)?;
        if seq < 0 {
            return Err(Problem::invalid("seq", t!(locales::current(), api::SEQ)));
        }
        let receipt = self.store.read_up_to(actor, room, seq).await.map_err(problem)?;
        if let Some(receipt) = receipt {
            let Receipt { participant, seq, .. } = receipt;
            self.hub.broadcast(room, &frame(&ServerFrame::Read { room, participant, seq }));
            self.hub.publish(Topic::Room(room), || BusEvent::Read { participant, seq });
            self.inbox_changed(room);
        }
        Ok(receipt)
    }
}
