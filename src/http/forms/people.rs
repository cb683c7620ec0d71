//! Admins and their invitations, for admins.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{Fields, key_after, lead_on, made, refused};
use crate::{
    domain::{ClientId, InviteId, Role, UserId},
    http::{App, Asker, pages::PageId},
    service::Service,
};

#[derive(Deserialize)]
pub struct NewInvite {
    #[serde(default)]
    form_key: Option<ClientId>,
}

pub async fn invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewInvite>,
) -> Response {
    let invited = match asker.clone().require() {
        Ok((service, actor)) => service.invite(&actor, form.form_key).await,
        Err(reason) => Err(reason),
    };
    match invited {
        Ok(link) => made(&app, asker, "/admin/people", link).await,
        Err(reason) => {
            let key = key_after(&reason, form.form_key);
            refused(&app, asker, "/admin/people", reason, [key]).await
        }
    }
}

pub async fn withdraw_invite(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<InviteId>,
) -> Response {
    let withdraw = async |service: Arc<Service>, actor| service.withdraw_invite(&actor, id).await;
    lead_on(&app, asker, withdraw, |()| "/admin/people".to_owned()).await
}

#[derive(Deserialize)]
pub struct NewRole {
    role: Role,
}

pub async fn set_role(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<UserId>,
    Fields(form): Fields<NewRole>,
) -> Response {
    let set = async |service: Arc<Service>, actor| service.set_role(&actor, id, form.role).await;
    lead_on(&app, asker, set, |_| "/admin/people".to_owned()).await
}
