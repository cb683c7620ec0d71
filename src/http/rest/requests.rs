//! `/api/v1/requests`.

use axum::{Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::{
    Body, Id, Params, SignedIn,
    conversations::{default_limit, present},
};
use crate::{
    domain::{Conversation, CustomRequest, Problem, RequestId, RequestOrder, RequestStatus, RequestText, UserId},
    locales::{self, t},
    storage::RequestFilter,
};

#[derive(Deserialize, ToSchema)]
#[schema(as = NewRequest)]
pub(in crate::http) struct New {
    /// 1 to 120 characters on one line.
    #[schema(min_length = 1, max_length = 120)]
    title: String,
    /// 1 to 8000 characters.
    #[schema(min_length = 1, max_length = 8000)]
    description: String,
    /// Hundredths of the business's currency.
    #[schema(minimum = 0)]
    budget_cents: Option<i64>,
    /// A day, such as `2026-12-24`.
    #[schema(format = Date)]
    wanted_on: Option<String>,
    /// For admins: the account of the customer.
    customer_id: Option<UserId>,
}

/// Create a custom request
///
/// Customers create their own, admins create one for a customer.
#[utoipa::path(post, path = "/requests", tag = "Custom requests", request_body = New,
    responses((status = 201, description = "The request, new", body = CustomRequest)))]
pub(in crate::http) async fn create(
    by: SignedIn,
    Body(new): Body<New>,
) -> Result<(StatusCode, Json<CustomRequest>), Problem> {
    let text = RequestText::parse(&new.title, &new.description, new.budget_cents, new.wanted_on.as_deref())?;
    let request = by.service.create_request(&by.actor, None, new.customer_id, text).await?;
    Ok((StatusCode::CREATED, Json(request)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(in crate::http) struct Filter {
    #[param(inline)]
    status: Option<RequestStatus>,
    /// Part of the title, the description, or the customer's name or e-mail.
    q: Option<String>,
    /// The order: by latest activity, newest first, wanted soonest first, or by title.
    #[serde(default)]
    #[param(inline)]
    sort: RequestOrder,
    /// `next_cursor` of the previous part, in the same order.
    cursor: Option<String>,
    /// Maximum number of items; values above 200 count as 200.
    #[serde(default = "default_limit")]
    #[param(minimum = 1, default = 50)]
    limit: i64,
}

#[derive(Serialize, ToSchema)]
#[schema(as = CustomRequests)]
pub(in crate::http) struct List {
    items: Vec<CustomRequest>,
    /// Null in the last part.
    next_cursor: Option<String>,
}

/// List custom requests
///
/// Admins get all, customers their own, guests none.
#[utoipa::path(get, path = "/requests", tag = "Custom requests", params(Filter),
    responses((status = 200, description = "A part of the list", body = List)))]
pub(in crate::http) async fn list(by: SignedIn, Params(query): Params<Filter>) -> Result<Json<List>, Problem> {
    let filter = RequestFilter { status: query.status, search: query.q, order: query.sort };
    let (items, next_cursor) = by.service.requests(&by.actor, filter, query.cursor.as_deref(), query.limit).await?;
    Ok(Json(List { items, next_cursor }))
}

/// Get a custom request
#[utoipa::path(get, path = "/requests/{id}", tag = "Custom requests", params(("id" = RequestId, Path)),
    responses((status = 200, description = "The request", body = CustomRequest)))]
pub(in crate::http) async fn show(by: SignedIn, Id(id): Id<RequestId>) -> Result<Json<CustomRequest>, Problem> {
    by.service.request(&by.actor, id).await.map(Json)
}

#[derive(Deserialize, ToSchema)]
#[schema(as = RequestChange)]
pub(in crate::http) struct Change {
    status: Option<RequestStatus>,
    /// As in a new request.
    title: Option<String>,
    description: Option<String>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<i64>, minimum = 0)]
    budget_cents: Option<Option<i64>>,
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<String>, format = Date)]
    wanted_on: Option<Option<String>>,
}

/// Set the status of a custom request, or edit it
///
/// Admins set the status. Its customer edits the other members, or withdraws the request with the status `declined`, as
/// long as it is new. The server adds a message about a new status to the conversation.
#[utoipa::path(patch, path = "/requests/{id}", tag = "Custom requests", params(("id" = RequestId, Path)),
    request_body = Change, responses((status = 200, description = "The changed request", body = CustomRequest)))]
pub(in crate::http) async fn change(
    by: SignedIn,
    Id(id): Id<RequestId>,
    Body(change): Body<Change>,
) -> Result<Json<CustomRequest>, Problem> {
    let Change { status, title, description, budget_cents, wanted_on } = change;
    let has_text = title.is_some() || description.is_some() || budget_cents.is_some() || wanted_on.is_some();
    match status {
        Some(status) if !has_text => by.service.set_request_status(&by.actor, id, status).await.map(Json),
        None if has_text => {
            let before = by.service.request(&by.actor, id).await?;
            let text = RequestText::parse(
                &title.unwrap_or(before.title),
                &description.unwrap_or(before.description),
                budget_cents.unwrap_or(before.budget_cents),
                wanted_on.unwrap_or(before.wanted_on).as_deref(),
            )?;
            by.service.edit_request(&by.actor, id, text).await.map(Json)
        }
        _ => Err(Problem::invalid("status", t!(locales::current(), api::EITHER_STATUS_OR_TEXT))),
    }
}

/// Open the conversation of a custom request
///
/// Each request has one conversation: the first call opens it, and later calls return the same one.
#[utoipa::path(post, path = "/requests/{id}/conversation", tag = "Custom requests", params(("id" = RequestId, Path)),
    responses(
        (status = 201, description = "The conversation, newly opened", body = Conversation),
        (status = 200, description = "The conversation", body = Conversation)))]
pub(in crate::http) async fn open_conversation(
    by: SignedIn,
    Id(id): Id<RequestId>,
) -> Result<(StatusCode, Json<Conversation>), Problem> {
    let (conversation, is_new) = by.service.open_request_conversation(&by.actor, id).await?;
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(conversation)))
}
