//! Custom requests: creating and listing them, changing their status, and opening their conversations.

use super::{
    HOUR, Service,
    conversations::{bounded, foreign_cursor, searchable},
    once::{id_for, made_before},
    problem,
    rate::held_back,
};
use crate::{
    api::{AccountLists, RequestChat, RequestDetails, RequestFile, RequestList},
    domain::{
        Actor, ClientId, Code, Conversation, ConversationKind, ConversationStatus, CustomRequest, Problem, RequestId,
        RequestOrder, RequestStatus, RequestText, UserId,
    },
    live::{BusEvent, Topic, frame},
    locales::{self, t},
    protocol::ServerFrame,
    storage::{RequestCursor, RequestFilter, StoreError},
};

/// Files of a chat that the page of its request lists.
const FILES_SHOWN: i64 = 100;
/// Requests in one part of a page.
const REQUEST_PAGE: i64 = 25;

impl Service {
    /// Creates a request: a customer their own, an admin one for the account `customer`. A repeated call with the
    /// same `key` returns the request of the first call.
    ///
    /// # Errors
    /// `conflict` if another request was created with this key; `forbidden` for guests; `invalid` if an admin names
    /// no customer; `rate_limited`.
    pub async fn create_request(
        &self,
        actor: &Actor,
        key: Option<ClientId>,
        customer: Option<UserId>,
        text: RequestText,
    ) -> Result<CustomRequest, Problem> {
        match actor {
            Actor::Guest(_) => {
                return Err(Problem::forbidden(t!(locales::current(), problem::REGISTER_FIRST)));
            }
            Actor::Admin(_) if customer.is_none() => {
                return Err(Problem::invalid("customer_id", t!(locales::current(), api::WHOSE_REQUEST)));
            }
            Actor::Admin(admin) => self.count_opening(admin)?,
            Actor::Customer(customer, _) => {
                self.require_few_open(actor).await?;
                self.requests.take(customer.id).map_err(|wait| {
                    held_back(wait, |seconds| t!(locales::current(), problem::too_many_requests(seconds)))
                })?;
            }
        }
        let id = RequestId(id_for(actor, key, "request"));
        let made = self.store.create_request(actor, id, customer, text.clone()).await;
        if matches!(made, Err(StoreError::IdTaken)) {
            let known = self.request(actor, id).await?;
            return if known.text() == text { Ok(known) } else { Err(made_before()) };
        }
        let request = made.map_err(|error| match problem(error) {
            Problem { code: Code::NotFound, .. } => {
                Problem::invalid("customer_id", t!(locales::current(), api::NO_SUCH_CUSTOMER))
            }
            other => other,
        })?;
        self.request_changed(&request);
        Ok(request)
    }

    /// # Errors
    /// `rate_limited` if this customer has the maximum number of open requests.
    async fn require_few_open(&self, customer: &Actor) -> Result<(), Problem> {
        let counts = self.store.count_requests(customer).await.map_err(problem)?;
        let open: i64 =
            RequestStatus::ALL.into_iter().zip(counts).filter(|(status, _)| status.is_open()).map(|(_, n)| n).sum();
        let most = self.settings.limits.open_requests;
        if open < most.into() {
            return Ok(());
        }
        // The time until one is done is unknown; an hour is a guess.
        Err(Problem::held_back(HOUR.as_secs(), t!(locales::current(), problem::open_requests(most))))
    }

    /// # Errors
    /// `not_found`.
    pub async fn request(&self, actor: &Actor, id: RequestId) -> Result<CustomRequest, Problem> {
        self.store.find_request(actor, id).await.map_err(problem)
    }

    /// The requests that the actor may see, with the cursor of the next part.
    ///
    /// # Errors
    /// `invalid` for the cursor, limit or search.
    pub async fn requests(
        &self,
        actor: &Actor,
        filter: RequestFilter,
        cursor: Option<&str>,
        limit: i64,
    ) -> Result<(Vec<CustomRequest>, Option<String>), Problem> {
        let limit = bounded(limit)?;
        searchable("q", filter.search.as_deref().unwrap_or_default())?;
        let cursor = cursor.map(|text| parse_cursor(text, filter.order)).transpose()?;
        let mut requests = self.store.list_requests(actor, &filter, cursor, limit + 1).await.map_err(problem)?;
        let more = requests.len() as i64 > limit;
        requests.truncate(limit as usize);
        let next = requests.last().filter(|_| more).map(|(_, cursor)| format!("{}_{}", cursor.id, cursor.key));
        Ok((requests.into_iter().map(|(request, _)| request).collect(), next))
    }

    /// A part of the requests, for the lists on pages.
    ///
    /// # Errors
    /// `invalid` for the cursor or search.
    pub async fn request_list(
        &self,
        actor: &Actor,
        status: Option<RequestStatus>,
        search: Option<String>,
        order: RequestOrder,
        cursor: Option<&str>,
    ) -> Result<RequestList, Problem> {
        let filter = RequestFilter { status, search, order };
        let (mut items, next_cursor) = self.requests(actor, filter, cursor, REQUEST_PAGE).await?;
        for request in &mut items {
            request.description.clear();
            request.attachments.clear();
        }
        let counts = self.store.count_requests(actor).await.map_err(problem)?;
        Ok(RequestList { items, next_cursor, counts })
    }

    /// A part of a customer's requests, latest activity first, and their other chats.
    ///
    /// # Errors
    /// `invalid` for the cursor.
    pub async fn account_lists(&self, actor: &Actor, cursor: Option<&str>) -> Result<AccountLists, Problem> {
        let requests = self.request_list(actor, None, None, RequestOrder::Activity, cursor).await?;
        let open = self.inbox(actor, ConversationStatus::Open, None, None).await?.items;
        let closed = self.inbox(actor, ConversationStatus::Closed, None, None).await?.items;
        let is_session = |chat: &Conversation| chat.kind == ConversationKind::Session;
        let mut chats: Vec<_> = open.into_iter().chain(closed).filter(is_session).collect();
        chats.sort_by_key(|chat| std::cmp::Reverse((chat.updated_at, chat.id.0)));
        Ok(AccountLists { requests, chats })
    }

    /// The chat about a request, if it has one.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn request_chat(&self, actor: &Actor, id: RequestId) -> Result<RequestChat, Problem> {
        let request = self.request(actor, id).await?;
        let chat = match request.conversation_id {
            Some(conversation) => Some(self.chat(actor, conversation, None).await?),
            None => None,
        };
        Ok(RequestChat { request: id, title: request.title, chat })
    }

    /// Sets the status of a request, and adds a message about it to its conversation.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for customers, who can only withdraw: decline a request that is new; `conflict` if it is not
    /// new any more.
    pub async fn set_request_status(
        &self,
        actor: &Actor,
        id: RequestId,
        status: RequestStatus,
    ) -> Result<CustomRequest, Problem> {
        let before = self.request(actor, id).await?;
        let request = self.store.set_request_status(actor, id, status).await.map_err(problem)?;
        if request.status != before.status {
            self.request_changed(&request);
        }
        Ok(request)
    }

    /// Replaces the text of the actor's own new request.
    ///
    /// # Errors
    /// `not_found`; `forbidden` for admins; `conflict` if the request is not new any more; `rate_limited`.
    pub async fn edit_request(
        &self,
        actor: &Actor,
        id: RequestId,
        text: RequestText,
    ) -> Result<CustomRequest, Problem> {
        self.count_send(actor)?;
        let request = self.store.edit_request(actor, id, text).await.map_err(problem)?;
        self.request_changed(&request);
        Ok(request)
    }

    /// A request with its history, and all of its files in one place: its own, then those in its conversation, latest
    /// first.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn request_details(&self, actor: &Actor, id: RequestId) -> Result<RequestDetails, Problem> {
        let mut request = self.request(actor, id).await?;
        let own = std::mem::take(&mut request.attachments);
        let mut files: Vec<_> = own.into_iter().map(|file| RequestFile { file, seq: None }).collect();
        if let Some(chat) = request.conversation_id {
            let in_chat = self.store.list_conversation_files(actor, chat, FILES_SHOWN).await.map_err(problem)?;
            files.extend(in_chat.into_iter().map(|(file, seq)| RequestFile { file, seq: Some(seq) }));
        }
        let changes = self.store.list_request_changes(actor, id).await.map_err(problem)?;
        Ok(RequestDetails { request, changes, files })
    }

    /// The conversation of a request, and whether this call opened it.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn open_request_conversation(
        &self,
        actor: &Actor,
        id: RequestId,
    ) -> Result<(Conversation, bool), Problem> {
        let (seat, is_new) = self.store.open_request_conversation(actor, id).await.map_err(problem)?;
        Ok((self.seen_by(actor, seat), is_new))
    }

    pub(super) fn request_changed(&self, request: &CustomRequest) {
        let CustomRequest { id, customer_id: customer, status, .. } = *request;
        self.hub.send_request(customer, &frame(&ServerFrame::Request { id, status }));
        self.hub.publish(Topic::Nodes, || BusEvent::Request { customer, id, status });
    }
}

fn parse_cursor(text: &str, order: RequestOrder) -> Result<RequestCursor, Problem> {
    let (id, key) = text.split_once('_').ok_or_else(foreign_cursor)?;
    let by_number = matches!(order, RequestOrder::Activity | RequestOrder::Newest);
    if by_number && key.parse::<i64>().is_err() {
        return Err(foreign_cursor());
    }
    Ok(RequestCursor { id: id.parse().map_err(|_| foreign_cursor())?, key: key.to_owned() })
}
