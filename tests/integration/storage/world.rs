//! The initial data of tests, and short functions for their steps.

use std::sync::Arc;

use async_trait::async_trait;
pub use bespoken::{
    domain::{
        Actor, Attachment, AttachmentId, ClientId, Content, ConversationId, ConversationKind, ConversationStatus,
        CustomRequest, Email, InviteId, LinkId, MOST_UNREAD, Message, MessageId, Name, Participant, ParticipantId,
        ParticipantKind, Receipt, RequestId, RequestOrder, RequestStatus, RequestText, Role, SenderType, SessionId,
        Timestamp, TokenId, User, UserId,
    },
    locales::Locale,
    storage::{
        Change, Commit, ConversationFilter, Cursor, Database, Draft, Erased, Expired, Expiry, FileBytes, Link,
        LoginSession, MOST_REQUEST_FILES, NewConversation, NewLink, NewSession, NewUser, Notice, Posted,
        PushSubscription, Quota, RequestFilter, Seat, SecretHash, StatusCounts, Store, StoreError, Used, now,
    },
};

/// A test's changes of a database that no `Store` method makes.
#[async_trait]
pub trait Backend: Send + Sync + 'static {
    fn store(&self) -> Arc<dyn Store>;
    /// Makes the conversation belong to an account.
    async fn set_owner(&self, conversation: ConversationId, owner: UserId);
    async fn set_every_updated_at(&self, at: Timestamp);
    async fn set_request_times(&self, request: RequestId, created_at: Timestamp, updated_at: Timestamp);
    async fn set_last_seen(&self, session: SessionId, at: Timestamp);
}

pub struct World {
    pub store: Arc<dyn Store>,
    pub backend: Box<dyn Backend>,
    /// Ada, the first admin.
    pub admin: Actor,
}

/// A conversation with the guest who came by its link.
pub struct Room {
    pub id: ConversationId,
    pub guest: Actor,
    pub link: LinkId,
    pub link_hash: SecretHash,
}

/// A database that has just been made.
pub async fn empty<B: Backend>(backend: B) -> B {
    backend
}

pub async fn with_an_admin(backend: impl Backend) -> World {
    let store = backend.store();
    let ada = store.create_user(new_user("ada@example.com", "Ada", Role::Admin)).await.unwrap();
    World { store, backend: Box::new(backend), admin: Actor::Admin(ada) }
}

impl World {
    pub async fn user(&self, name: &str, role: Role) -> User {
        let email = format!("{}@example.com", name.to_lowercase());
        self.store.create_user(new_user(&email, name, role)).await.unwrap()
    }

    /// Gives somebody another address, which they have confirmed.
    pub async fn move_to(&self, user: UserId, email: &str) -> User {
        let (secret, email) = (hash(), Email::parse("email", email).unwrap());
        self.store.create_confirmation(secret, user, email, in_an_hour()).await.unwrap();
        self.store.confirm_email(secret, user).await.unwrap().unwrap().1
    }

    /// A customer who came by no link.
    pub async fn customer(&self, name: &str) -> Actor {
        Actor::Customer(self.user(name, Role::Customer).await, Vec::new())
    }

    pub async fn other_admin(&self) -> Actor {
        Actor::Admin(self.user("Second", Role::Admin).await)
    }

    /// A customer's request.
    pub async fn request(&self, customer: &Actor, title: &str) -> CustomRequest {
        self.store.create_request(customer, RequestId::new(), None, request_text(title)).await.unwrap()
    }

    /// Adds a file to a request. Its content is of one byte.
    pub async fn request_file(
        &self,
        actor: &Actor,
        request: RequestId,
        name: &str,
        content: u8,
    ) -> Result<Attachment, StoreError> {
        self.store.add_request_file(actor, request, (new_file(name), [content; 32]), Quota::NONE).await
    }

    /// The conversation of a request.
    pub async fn open(&self, actor: &Actor, request: RequestId) -> ConversationId {
        self.store.open_request_conversation(actor, request).await.unwrap().0.conversation.id
    }

    pub async fn set_request(&self, actor: &Actor, request: RequestId, status: RequestStatus) -> CustomRequest {
        self.store.set_request_status(actor, request, status).await.unwrap()
    }

    /// Puts a file into a conversation.
    pub async fn file(&self, actor: &Actor, room: ConversationId, name: &str) -> Attachment {
        let file = new_file(name);
        self.store.add_attachment(actor, room, file.clone(), Quota::NONE).await.unwrap();
        file
    }

    pub async fn room(&self, customer: &str) -> Room {
        let new = new_conversation(customer);
        let (id, NewLink { id: link, hash, .. }) = (new.id, new.link);
        self.store.open_conversation(&self.admin, new).await.unwrap();
        Room { id, guest: Actor::Guest(vec![link]), link, link_hash: hash }
    }

    pub async fn post(&self, actor: &Actor, id: ConversationId, text: &str) -> Message {
        self.store.post_message(actor, draft(id, text)).await.unwrap().message
    }

    pub async fn seat(&self, actor: &Actor, id: ConversationId) -> Seat {
        self.store.find_conversation(actor, id).await.unwrap()
    }

    /// The audience of a conversation; `None`: there is no such conversation.
    pub async fn audience(&self, id: ConversationId) -> Option<(Option<UserId>, Vec<LinkId>)> {
        let found = self.store.audiences(&[id]).await.unwrap().pop();
        found.map(|(found, audience)| {
            assert_eq!(found, id);
            (audience.customer, audience.links)
        })
    }

    pub async fn people(&self, actor: &Actor, id: ConversationId) -> Vec<Participant> {
        self.store.load_room(actor, id, None, 0).await.unwrap().participants
    }

    pub async fn receipts(&self, actor: &Actor, id: ConversationId) -> Vec<Receipt> {
        self.store.load_room(actor, id, None, 0).await.unwrap().receipts
    }

    /// All messages, loaded anew in parts.
    pub async fn messages(&self, actor: &Actor, id: ConversationId) -> Vec<Message> {
        let mut messages: Vec<Message> = Vec::new();
        loop {
            let before = messages.first().map(|message| message.seq);
            let page = self.store.list_before(actor, id, before, 7).await.unwrap();
            messages.splice(0..0, page.messages);
            if !page.more {
                return messages;
            }
        }
    }
}

pub fn new_user(email: &str, name: &str, role: Role) -> NewUser {
    NewUser {
        email: Email::parse("email", email).unwrap(),
        name: Name::parse("name", name).unwrap(),
        role,
        is_confirmed: true,
        password_hash: format!("$argon2id$of {name}"),
    }
}

/// A hash that no other call returned.
pub fn hash() -> SecretHash {
    let id = SessionId::new().0;
    let mut hash = [0; 32];
    hash[..16].copy_from_slice(id.as_bytes());
    SecretHash(hash)
}

pub fn new_link() -> NewLink {
    NewLink { id: LinkId::new(), hash: hash(), expires_at: None }
}

pub fn new_conversation(customer: &str) -> NewConversation {
    NewConversation {
        id: ConversationId::new(),
        is_sealed: false,
        customer_id: None,
        customer_name: Name::parse("customer_name", customer).unwrap(),
        customer_email: None,
        metadata: serde_json::Value::Null,
        link: new_link(),
    }
}

pub fn request_text(title: &str) -> RequestText {
    RequestText { title: title.to_owned(), description: "Of oak".to_owned(), budget_cents: None, wanted_on: None }
}

pub fn new_file(name: &str) -> Attachment {
    Attachment {
        id: AttachmentId::new(),
        name: name.to_owned(),
        media_type: "application/pdf".to_owned(),
        size_bytes: 3,
        width: Some(640),
        height: None,
    }
}

pub fn content(text: &str) -> Content {
    Content::parse(text, 8_000).unwrap()
}

pub fn new_session(hash: SecretHash, user: Option<UserId>, links: &[LinkId], expires_at: Timestamp) -> NewSession {
    NewSession { hash, user, links: links.to_vec(), user_agent: None, expires_at }
}

pub fn new_push(path: &str) -> PushSubscription {
    PushSubscription {
        endpoint: format!("https://push.example/{path}"),
        public_key: vec![4; 65],
        auth_secret: vec![7; 16],
        locale: Locale::De,
    }
}

/// A session, however long it was not seen.
pub async fn find_session(store: &dyn Store, hash: SecretHash) -> Option<LoginSession> {
    store.find_session(hash, Timestamp(0)).await.unwrap()
}

pub fn draft(conversation_id: ConversationId, text: &str) -> Draft {
    Draft {
        conversation_id,
        client_id: Some(ClientId::new()),
        content: content(text),
        attachments: Vec::new(),
        reply_to: None,
    }
}

pub fn in_an_hour() -> Timestamp {
    Timestamp(now().0 + 3_600_000)
}

pub fn just_over() -> Timestamp {
    Timestamp(now().0 - 1)
}

/// Asserts that a result is a certain error, or one of several.
macro_rules! assert_err {
    ($result:expr, $error:pat) => {
        match $result {
            Err($error) => {}
            other => panic!("expected {}, got {other:?}", stringify!($error)),
        }
    };
}
pub(crate) use assert_err;
