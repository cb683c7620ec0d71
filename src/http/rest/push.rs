//! `/api/v1/push`: subscriptions to notifications (Web Push).

use axum::{Extension, Json, http::StatusCode};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Body, Id, SignedIn};
use crate::{
    domain::{Problem, PushId, objects},
    http::Asker,
    service::NewPush,
};

#[derive(Serialize, ToSchema)]
#[schema(as = PushKey)]
pub(in crate::http) struct Key {
    /// The server's key in base64url, for `applicationServerKey`.
    public_key: String,
}

/// Get the server's key
///
/// Browsers need it to subscribe.
#[utoipa::path(get, path = "/push/key", tag = "Notifications",
    responses((status = 200, description = "The key", body = Key)))]
pub(in crate::http) async fn key(by: SignedIn) -> Json<Key> {
    Json(Key { public_key: by.service.push_key() })
}

/// What the browser's `PushSubscription.toJSON()` gives.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewPushSubscription)]
pub(in crate::http) struct New {
    /// An https address of the browser's push service, at most 1,024 bytes long.
    #[schema(max_length = 1024)]
    endpoint: String,
    #[schema(inline)]
    keys: Keys,
}

/// The browser's keys in base64url.
#[derive(Deserialize, ToSchema)]
#[serde(remote = "Self")]
pub(in crate::http) struct Keys {
    p256dh: String,
    auth: String,
}

objects!(read Keys);

#[derive(Serialize, ToSchema)]
#[schema(as = PushSubscription)]
pub(in crate::http) struct Subscription {
    id: PushId,
}

/// Notify this browser
///
/// Needs the cookie of a session; a token has no browser. The subscription ends with the session. The same endpoint
/// again replaces its subscription.
#[utoipa::path(post, path = "/push/subscriptions", tag = "Notifications", request_body = New,
    responses((status = 201, description = "The subscription", body = Subscription)))]
pub(in crate::http) async fn subscribe(
    by: SignedIn,
    Extension(asker): Extension<Asker>,
    Body(New { endpoint, keys: Keys { p256dh, auth } }): Body<New>,
) -> Result<(StatusCode, Json<Subscription>), Problem> {
    let new = NewPush { endpoint, p256dh, auth };
    let id = by.service.subscribe(&by.actor, asker.session_id(), new).await?;
    Ok((StatusCode::CREATED, Json(Subscription { id })))
}

/// Stop notifying this browser
#[utoipa::path(delete, path = "/push/subscriptions/{id}", tag = "Notifications", params(("id" = PushId, Path)),
    responses((status = 204, description = "The subscription has ended")))]
pub(in crate::http) async fn unsubscribe(
    by: SignedIn,
    Extension(asker): Extension<Asker>,
    Id(id): Id<PushId>,
) -> Result<StatusCode, Problem> {
    by.service.unsubscribe(asker.session_id(), id).await?;
    Ok(StatusCode::NO_CONTENT)
}
