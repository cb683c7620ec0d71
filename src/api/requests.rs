//! Custom requests, for pages.

use leptos::{prelude::*, server_fn::codec::Json};
use serde::{Deserialize, Serialize};

use super::PageClient;
use crate::domain::{CustomRequest, Problem, RequestId, RequestOrder, RequestStatus, StatusChange};

/// A part of the requests that the viewer may see.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestList {
    pub items: Vec<CustomRequest>,
    /// Where the next part begins; `None` at the end.
    pub next_cursor: Option<String>,
    /// How many there are of each status, in the order of [`RequestStatus::ALL`]; each at most
    /// [`MOST_COUNTED`](crate::domain::MOST_COUNTED).
    pub counts: [i64; 4],
}

/// A request with all that its page tells.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RequestDetails {
    pub request: CustomRequest,
    /// Each status that it was given, the first one first.
    pub changes: Vec<StatusChange>,
}

/// A part of the requests that the viewer may see.
#[server(input = Json, endpoint = "list_requests", client = PageClient)]
pub async fn list_requests(
    status: Option<RequestStatus>,
    search: Option<String>,
    order: RequestOrder,
    cursor: Option<String>,
) -> Result<RequestList, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.request_list(&actor, status, search, order, cursor.as_deref()).await
}

/// One request.
#[server(input = Json, endpoint = "load_request", client = PageClient)]
pub async fn load_request(id: RequestId) -> Result<RequestDetails, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    let request = service.request(&actor, id).await?;
    Ok(RequestDetails { changes: service.request_changes(&actor, id).await?, request })
}
