//! Conversations: opening, listing, closing, and their links.

use super::{
    Service,
    once::{id_for, made_before},
    problem,
    rate::held_back,
    sessions::require_admin,
};
use crate::{
    api::{Chat, Extras, FOUND_MESSAGES, Found, Inbox},
    domain::{
        Actor, Business, ClientId, Code, Content, Conversation, ConversationId, ConversationKind, ConversationStatus,
        Email, LinkId, Name, ParticipantId, Problem, Rating, Timestamp, User,
    },
    locales::{self, t},
    protocol::{JOIN_LATEST, Joined},
    storage::{
        self, ConversationFilter, Cursor, Draft, NewConversation, NewLink, Seat, StoreError, now,
        search::{Excerpt, excerpt},
    },
};

/// Conversations in one part of the sidebar.
const INBOX_PAGE: i64 = 50;
/// Maximum number of items per response of the API.
pub(super) const MAX_LIST: i64 = 200;
/// Maximum length of a search.
const MAX_SEARCH_CHARS: usize = 200;
/// Maximum number of parts, of 50 messages each, in the first load of a chat.
const MOST_PARTS: usize = 40;
/// Size limit in bytes of a conversation's metadata, as JSON.
const MAX_METADATA_BYTES: usize = 16_384;

/// Whether a text in `value` contains a character that PostgreSQL cannot store.
fn has_nul(value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => text.contains('\0'),
        serde_json::Value::Array(items) => items.iter().any(has_nul),
        serde_json::Value::Object(members) => members.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        _ => false,
    }
}

impl Service {
    /// Opens a session; its `link` is ready to be shared. With `first_message`, the chat begins with a message of the
    /// admin; a sealed chat accepts none, because its key does not exist yet. A repeated call with the same `key`
    /// returns the chat of the first call.
    ///
    /// # Errors
    /// `conflict` if another chat or message was created with this key; `forbidden` unless the actor is an admin;
    /// `invalid` for the fields.
    pub async fn open_chat(
        &self,
        actor: &Actor,
        key: Option<ClientId>,
        customer_name: &str,
        customer_email: Option<&str>,
        first_message: Option<&str>,
        sealed: bool,
    ) -> Result<Conversation, Problem> {
        let first_message = first_message
            .filter(|text| !text.trim().is_empty())
            .map(|text| Content::parse_as("first_message", text, self.settings.limits.message_chars))
            .transpose()?;
        if sealed && first_message.is_some() {
            return Err(Problem::invalid("first_message", t!(locales::current(), problem::SEALED_FIRST)));
        }
        let none = serde_json::Value::Null;
        let conversation = self.open_conversation(actor, key, customer_name, customer_email, none, sealed).await?;
        if let Some(content) = first_message {
            let client_id = key.map(|_| ClientId(id_for(actor, key, "first message")));
            let draft =
                Draft { conversation_id: conversation.id, client_id, content, attachments: Vec::new(), reply_to: None };
            self.store.post_message(actor, draft).await.map_err(|error| match error {
                StoreError::Conflict => made_before(),
                other => problem(other),
            })?;
        }
        self.conversation(actor, conversation.id).await
    }

    /// Opens a session, with a program's metadata. `key` works as in [`Service::open_chat`].
    ///
    /// # Errors
    /// `conflict`, `forbidden` unless the actor is an admin; `invalid` for the fields; `rate_limited`.
    pub async fn open_conversation(
        &self,
        actor: &Actor,
        key: Option<ClientId>,
        customer_name: &str,
        customer_email: Option<&str>,
        metadata: serde_json::Value,
        sealed: bool,
    ) -> Result<Conversation, Problem> {
        let Actor::Admin(admin) = actor else {
            return Err(Problem::forbidden(t!(locales::current(), problem::ADMIN_NEEDED)));
        };
        let customer_name = Name::parse("customer_name", customer_name)?;
        let customer_email = customer_email
            .filter(|text| !text.trim().is_empty())
            .map(|text| Email::parse("customer_email", text))
            .transpose()?;
        if !(metadata.is_object() || metadata.is_null()) {
            return Err(Problem::invalid("metadata", t!(locales::current(), api::METADATA_KIND)));
        }
        if has_nul(&metadata) {
            return Err(Problem::invalid("metadata", t!(locales::current(), api::METADATA_NUL)));
        }
        if metadata.to_string().len() > MAX_METADATA_BYTES {
            return Err(Problem::invalid(
                "metadata",
                t!(locales::current(), api::metadata_too_long(MAX_METADATA_BYTES)),
            ));
        }
        self.count_opening(admin)?;
        let id = ConversationId(id_for(actor, key, "conversation"));
        let link = self.new_link();
        let new =
            NewConversation { id, is_sealed: sealed, customer_id: None, customer_name, customer_email, metadata, link };
        let (name, email) = (new.customer_name.to_string(), new.customer_email.as_ref().map(Email::to_string));
        match self.store.open_conversation(actor, new).await {
            Err(StoreError::IdTaken) => {
                let known = self.conversation(actor, id).await?;
                let is_same = known.customer_name == name && known.customer_email == email && known.sealed == sealed;
                if is_same { Ok(known) } else { Err(made_before()) }
            }
            opened => Ok(self.seen_by(actor, opened.map_err(problem)?)),
        }
    }

    /// Counts a chat or a request that an admin opens.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn count_opening(&self, admin: &User) -> Result<(), Problem> {
        let counted = self.openings.take(admin.id);
        counted.map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_chats(seconds))))
    }

    /// # Errors
    /// `not_found`.
    pub async fn conversation(&self, actor: &Actor, id: ConversationId) -> Result<Conversation, Problem> {
        let seat = self.store.find_conversation(actor, id).await.map_err(problem)?;
        Ok(self.seen_by(actor, seat))
    }

    /// Those of `ids` that the actor may see.
    ///
    /// # Errors
    /// `unavailable`.
    pub(super) async fn conversations_of(
        &self,
        actor: &Actor,
        ids: &[ConversationId],
    ) -> Result<Vec<Conversation>, Problem> {
        let seats = self.store.find_conversations(actor, ids).await.map_err(problem)?;
        Ok(seats.into_iter().map(|seat| self.seen_by(actor, seat)).collect())
    }

    /// The conversations that the actor may see, latest activity first, with the cursor of the next
    /// part.
    ///
    /// # Errors
    /// `invalid` for the cursor, limit or search.
    pub async fn conversations(
        &self,
        actor: &Actor,
        status: Option<ConversationStatus>,
        kind: Option<ConversationKind>,
        search: Option<String>,
        cursor: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<Conversation>, Option<String>), Problem> {
        let limit = bounded(limit)?;
        let cursor = cursor.map(parse_cursor).transpose()?;
        let search = search.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
        searchable("search", search.as_deref().unwrap_or_default())?;
        let filter = ConversationFilter { status, kind, search };
        let mut seats = self.store.list_conversations(actor, &filter, cursor, limit + 1).await.map_err(problem)?;
        let more = seats.len() as i64 > limit;
        seats.truncate(limit as usize);
        let next = seats.last().filter(|_| more).map(|seat| {
            let Conversation { updated_at, id, .. } = &seat.conversation;
            format!("{}_{id}", updated_at.0)
        });
        Ok((seats.into_iter().map(|seat| self.seen_by(actor, seat)).collect(), next))
    }

    /// A part of the dashboard's sidebar.
    ///
    /// # Errors
    /// `invalid` for the cursor or search.
    pub async fn inbox(
        &self,
        actor: &Actor,
        status: ConversationStatus,
        search: Option<String>,
        cursor: Option<String>,
    ) -> Result<Inbox, Problem> {
        let (items, next_cursor) =
            self.conversations(actor, Some(status), None, search.clone(), cursor.as_deref(), INBOX_PAGE).await?;
        let counts = self.store.count_conversations(actor).await.map_err(problem)?;
        let found = match search {
            Some(search) if cursor.is_none() => self.found(actor, &search).await?,
            _ => Vec::new(),
        };
        let unread = if actor.is_admin() { self.store.count_all_unread(actor).await.map_err(problem)? } else { 0 };
        Ok(Inbox { items, next_cursor, open: counts.open, closed: counts.closed, unread, found })
    }

    /// The latest messages that match a search, each with its chat.
    async fn found(&self, actor: &Actor, search: &str) -> Result<Vec<Found>, Problem> {
        let messages = self.store.search_messages(actor, search, None, FOUND_MESSAGES).await.map_err(problem)?;
        let ids: Vec<_> = messages.iter().map(|message| message.conversation_id).collect();
        let chats = if ids.is_empty() { Vec::new() } else { self.conversations_of(actor, &ids).await? };
        let found = messages.into_iter().filter_map(|message| {
            let chat = chats.iter().find(|chat| chat.id == message.conversation_id)?;
            let Excerpt { before, found, after } = excerpt(&message.content, search);
            Some(Found {
                id: message.id,
                conversation_id: message.conversation_id,
                seq: message.seq,
                customer_name: chat.customer_name.clone(),
                sender_name: message.sender_name,
                created_at: message.created_at,
                before,
                word: found,
                after,
            })
        });
        Ok(found.collect())
    }

    /// The initial state of a chat panel, with the latest messages. With `before`, it starts 50 messages before that
    /// one, so that the panel shows no gap.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn chat(&self, actor: &Actor, id: ConversationId, before: Option<i64>) -> Result<Chat, Problem> {
        let mut chat = self.latest(actor, id).await?;
        let Some(before) = before else { return Ok(chat) };
        let joined = &mut chat.joined;
        for _ in 0..MOST_PARTS {
            let Some(first) = joined.messages.first().map(|message| message.seq) else { break };
            if !joined.more || first < before {
                break;
            }
            let mut older = self.list_older(actor, id, first).await?;
            joined.more = older.more;
            older.messages.append(&mut joined.messages);
            joined.messages = older.messages;
        }
        Ok(chat)
    }

    async fn latest(&self, actor: &Actor, id: ConversationId) -> Result<Chat, Problem> {
        let room = self.store.load_room(actor, id, None, JOIN_LATEST).await.map_err(problem)?;
        let (me, extras) = (room.seat.me.clone(), self.extras_of(&room.seat));
        let message_chars = self.settings.limits.message_chars;
        let reopens = self.may_reopen(actor);
        let answers = (!actor.is_admin()).then(|| self.answers(None, now()));
        let (answers, answers_until) = answers.map(|answers| (answers.words, answers.until)).unzip();
        let answers = answers.unwrap_or_default();
        let joined = self.joined(actor, id, room);
        Ok(Chat { joined, me, message_chars, reopens, answers, answers_until, extras })
    }

    /// What the customer side sees beside the messages.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn extras(&self, actor: &Actor, id: ConversationId) -> Result<Extras, Problem> {
        Ok(self.extras_of(&self.store.find_conversation(actor, id).await.map_err(problem)?))
    }

    fn extras_of(&self, Seat { conversation, rating, has_email, .. }: &Seat) -> Extras {
        let Business { welcome, privacy, suggestions, .. } = (*self.business()).clone();
        // An earlier closing may have been rated.
        let is_current = |rated: &Rating| conversation.closed_at.is_some_and(|at| rated.is_since(at));
        let rating = rating.clone().filter(is_current);
        // There is nothing to read in the transcript of a sealed chat.
        let has_email = *has_email && self.mail.has_server() && !conversation.sealed;
        Extras { welcome, privacy, suggestions, rating, has_email }
    }

    /// A loaded room from the view of `actor`, with current presence.
    pub(super) fn joined(&self, actor: &Actor, id: ConversationId, loaded: storage::Snapshot) -> Joined {
        let storage::Snapshot { seat, page, mut participants, receipts } = loaded;
        self.hub.mark_online(id, &mut participants);
        Joined {
            room: id,
            epoch: self.epoch,
            head: page.head,
            conversation: self.seen_by(actor, seat),
            participants,
            receipts,
            messages: page.messages,
            more: page.more,
        }
    }

    /// Closes or reopens a conversation.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin; `not_found`.
    pub async fn set_status(
        &self,
        actor: &Actor,
        id: ConversationId,
        status: ConversationStatus,
    ) -> Result<Conversation, Problem> {
        let seat = self.store.set_status(actor, id, status).await.map_err(problem)?;
        Ok(self.seen_by(actor, seat))
    }

    /// Assigns a conversation to an admin, identified by participant or account id, or to no one.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin; `invalid` if the assignee is not an admin.
    pub async fn assign(
        &self,
        actor: &Actor,
        id: ConversationId,
        assignee: Option<ParticipantId>,
    ) -> Result<Conversation, Problem> {
        // Checked first, so that a later `not found` means the assignee.
        self.store.find_conversation(actor, id).await.map_err(problem)?;
        require_admin(actor)?;
        let nobody = || Problem::invalid("assignee_id", t!(locales::current(), api::NO_SUCH_ADMIN));
        let assignee = match assignee {
            None => None,
            Some(sought) => {
                // Admins come first in this list.
                let users = self.store.list_users(None, MAX_LIST).await.map_err(problem)?;
                let is_sought = |user: &User| sought == user.id.into() || sought == ParticipantId::told(user.id.0);
                Some(users.into_iter().find(is_sought).ok_or_else(nobody)?.id)
            }
        };
        let seat = self.store.assign(actor, id, assignee).await.map_err(|error| match problem(error) {
            Problem { code: Code::NotFound, .. } => nobody(),
            other => other,
        })?;
        Ok(self.seen_by(actor, seat))
    }

    /// Creates a new link. Invalidates the previous one, and revokes its guests' access.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin; `not_found`.
    pub async fn make_link(&self, actor: &Actor, id: ConversationId) -> Result<Conversation, Problem> {
        let dead = self.store.replace_link(actor, id, self.new_link()).await.map_err(problem)?;
        self.hub.close_links(&dead);
        // The change has no rev, but other dashboards show the link.
        self.inbox_changed(id);
        self.conversation(actor, id).await
    }

    /// Revokes the link, and its guests' access.
    ///
    /// # Errors
    /// `forbidden` unless the actor is an admin; `not_found`.
    pub async fn revoke_link(&self, actor: &Actor, id: ConversationId) -> Result<Conversation, Problem> {
        let dead = self.store.revoke_links(actor, id).await.map_err(problem)?;
        self.hub.close_links(&dead);
        self.inbox_changed(id);
        self.conversation(actor, id).await
    }

    /// Adds the data that storage lacks.
    pub(super) fn seen_by(&self, actor: &Actor, seat: Seat) -> Conversation {
        let mut conversation = seat.conversation;
        if actor.is_admin() {
            conversation.link = seat.link.map(|link| self.link_address(link));
            conversation.customer_online = Some(self.hub.customer_online(conversation.id));
            conversation.rating = seat.rating;
        }
        conversation
    }

    pub(super) fn link_address(&self, link: LinkId) -> String {
        format!("{}/chat?chatId={}", self.public_url, self.link_key.secret(link).expose())
    }

    pub(super) fn new_link(&self) -> NewLink {
        let id = LinkId::new();
        NewLink { id, hash: self.link_key.secret(id).hash(), expires_at: None }
    }
}

/// The effective limit for a requested one: at most 200.
///
/// # Errors
/// `invalid` if it is below 1.
pub(super) fn bounded(limit: i64) -> Result<i64, Problem> {
    if limit < 1 {
        return Err(Problem::invalid("limit", t!(locales::current(), api::LIMIT)));
    }
    Ok(limit.min(MAX_LIST))
}

/// # Errors
/// `invalid`, naming `field`, for a search that is too long.
pub(super) fn searchable(field: &str, text: &str) -> Result<(), Problem> {
    if text.trim().chars().count() > MAX_SEARCH_CHARS {
        return Err(Problem::invalid(field, t!(locales::current(), problem::search_too_long(MAX_SEARCH_CHARS))));
    }
    Ok(())
}

pub(super) fn foreign_cursor() -> Problem {
    Problem::invalid("cursor", t!(locales::current(), api::CURSOR))
}

fn parse_cursor(text: &str) -> Result<Cursor, Problem> {
    text.split_once('_')
        .and_then(|(updated_at, id)| {
            Some(Cursor { updated_at: Timestamp(updated_at.parse().ok()?), id: id.parse().ok()? })
        })
        .ok_or_else(foreign_cursor)
}
