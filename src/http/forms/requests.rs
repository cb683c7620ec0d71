//! Custom requests.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{Fields, key_after, lead_on, refused};
use crate::{
    domain::{ClientId, RequestId, RequestStatus, RequestText, parse_money},
    http::{
        App, Asker,
        pages::{PageId, own_path, see_other},
    },
    service::Service,
};

#[derive(Deserialize)]
pub struct NewRequest {
    #[serde(default)]
    form_key: Option<ClientId>,
    title: String,
    description: String,
    #[serde(default)]
    budget: String,
    #[serde(default)]
    wanted_on: String,
}

pub async fn new_request(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewRequest>,
) -> Response {
    let NewRequest { form_key, title, description, budget, wanted_on } = form;
    let made = async {
        let (service, actor) = asker.clone().require()?;
        let cents = parse_money("budget", &budget)?;
        let text = RequestText::parse(&title, &description, cents, Some(&wanted_on))?;
        service.create_request(&actor, form_key, None, text).await
    };
    match made.await {
        Ok(request) => see_other(&format!("/requests/{}", request.id)),
        Err(reason) => {
            let values = [
                key_after(&reason, form_key),
                ("title", title),
                ("description", description),
                ("budget", budget),
                ("wanted_on", wanted_on),
            ];
            refused(&app, asker, "/requests/new", reason, values).await
        }
    }
}

#[derive(Deserialize)]
pub struct OpenRequestChat {
    /// The page with the chat beside it.
    #[serde(default)]
    from: String,
}

pub async fn open_request_chat(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<OpenRequestChat>,
) -> Response {
    let open = async |service: Arc<Service>, actor| service.open_request_conversation(&actor, id).await;
    lead_on(&app, asker, open, |_| own_path(&form.from).map_or_else(|| format!("/requests/{id}?chat=1"), str::to_owned))
        .await
}

#[derive(Deserialize)]
pub struct SetStatus {
    status: RequestStatus,
    #[serde(default)]
    from: String,
}

pub async fn set_request_status(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<RequestId>,
    Fields(form): Fields<SetStatus>,
) -> Response {
    let set = async |service: Arc<Service>, actor| service.set_request_status(&actor, id, form.status).await;
    lead_on(&app, asker, set, |_| own_path(&form.from).map_or_else(|| format!("/requests/{id}"), str::to_owned)).await
}
