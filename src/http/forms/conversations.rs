//! Chats and their links, for admins.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{Fields, key_after, lead_on, refused};
use crate::{
    domain::{ClientId, Conversation, ConversationId, ConversationStatus},
    http::{
        App, Asker,
        pages::{PageId, see_other},
    },
    service::Service,
};

#[derive(Deserialize)]
pub struct OpenChat {
    #[serde(default)]
    form_key: Option<ClientId>,
    customer_name: String,
    #[serde(default)]
    customer_email: String,
    #[serde(default)]
    first_message: String,
}

pub async fn open_chat(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<OpenChat>,
) -> Response {
    let OpenChat { form_key, customer_name, customer_email, first_message } = form;
    let opened = match asker.clone().require() {
        Ok((service, actor)) => {
            let (email, first) = (Some(&*customer_email), Some(&*first_message));
            // A page without scripts can make no key.
            service.open_chat(&actor, form_key, &customer_name, email, first, false).await
        }
        Err(reason) => Err(reason),
    };
    match opened {
        Ok(conversation) => see_other(&format!("/admin?chat={}", conversation.id)),
        Err(reason) => {
            let values = [
                key_after(&reason, form_key),
                ("customer_name", customer_name),
                ("customer_email", customer_email),
                ("first_message", first_message),
            ];
            refused(&app, asker, "/admin?new=1", reason, values).await
        }
    }
}

/// The page of a conversation on the dashboard.
fn desk(conversation: Conversation) -> String {
    format!("/admin?chat={}", conversation.id)
}

pub async fn close(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    let close = async |service: Arc<Service>, actor| service.set_status(&actor, id, ConversationStatus::Closed).await;
    lead_on(&app, asker, close, desk).await
}

pub async fn reopen(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    let reopen = async |service: Arc<Service>, actor| service.set_status(&actor, id, ConversationStatus::Open).await;
    lead_on(&app, asker, reopen, desk).await
}

pub async fn make_link(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    lead_on(&app, asker, async |service: Arc<Service>, actor| service.make_link(&actor, id).await, desk).await
}

pub async fn revoke_link(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
) -> Response {
    lead_on(&app, asker, async |service: Arc<Service>, actor| service.revoke_link(&actor, id).await, desk).await
}
