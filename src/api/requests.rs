//! Custom requests, for pages.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Chat, Json, PageClient};
use crate::domain::{
    Attachment, Conversation, CustomRequest, Problem, RequestId, RequestOrder, RequestStatus, StatusChange, objects,
};

/// A part of the requests that the viewer may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RequestList {
    /// Without their descriptions, which can be long and are on each request's page.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub items: Vec<CustomRequest>,
    /// The cursor of the next part; `None` in the last one.
    pub next_cursor: Option<String>,
    /// The number of requests per status, in the order of [`RequestStatus::ALL`]; each at most
    /// [`MOST_COUNTED`](crate::domain::MOST_COUNTED).
    pub counts: [i64; 4],
}

objects!(RequestList);

/// A request with all data of its page.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RequestDetails {
    pub request: CustomRequest,
    /// All status changes, oldest first.
    pub changes: Vec<StatusChange>,
    /// Its own files, and those in its chat.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub files: Vec<RequestFile>,
}

objects!(RequestDetails);

/// A file of a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RequestFile {
    pub file: Attachment,
    /// The place of its message in the request's chat; `None` if it belongs to the request itself.
    pub seq: Option<i64>,
}

objects!(RequestFile);

/// The lists of a customer's account.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct AccountLists {
    pub requests: RequestList,
    /// Chats without a request, latest activity first.
    #[cfg_attr(target_arch = "wasm32", serde(skip_serializing))]
    pub chats: Vec<Conversation>,
}

objects!(AccountLists);

/// The chat about a request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct RequestChat {
    pub request: RequestId,
    pub title: String,
    /// `None` until it is opened.
    pub chat: Option<Chat>,
}

objects!(RequestChat);

/// A part of the requests that the viewer may see.
#[server(input = Json, output = Json, endpoint = "list_requests", client = PageClient)]
pub async fn list_requests(
    status: Option<RequestStatus>,
    search: Option<String>,
    order: RequestOrder,
    cursor: Option<String>,
) -> Result<RequestList, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.request_list(&actor, status, search, order, cursor.as_deref()).await
}

/// A part of a customer's requests, latest activity first, and their other chats.
#[server(input = Json, output = Json, endpoint = "list_account", client = PageClient)]
pub async fn list_account(cursor: Option<String>) -> Result<AccountLists, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.account_lists(&actor, cursor.as_deref()).await
}

/// One request, with its history and its files.
#[server(input = Json, output = Json, endpoint = "load_request", client = PageClient)]
pub async fn load_request(id: RequestId) -> Result<RequestDetails, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.request_details(&actor, id).await
}

/// Sets the status of a request, and adds a message about it to its conversation. For admins.
#[server(input = Json, output = Json, endpoint = "set_request_status", client = PageClient)]
pub async fn set_request_status(id: RequestId, status: RequestStatus) -> Result<CustomRequest, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.set_request_status(&actor, id, status).await
}

/// Opens the chat about a request, unless it is open already.
#[server(input = Json, output = Json, endpoint = "open_request_chat", client = PageClient)]
pub async fn open_request_chat(id: RequestId) -> Result<(), Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.open_request_conversation(&actor, id).await.map(drop)
}

/// The chat about a request, if it has one.
#[server(input = Json, output = Json, endpoint = "load_request_chat", client = PageClient)]
pub async fn load_request_chat(id: RequestId) -> Result<RequestChat, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.request_chat(&actor, id).await
}
