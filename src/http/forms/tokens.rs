//! API tokens, for admins.

use std::sync::Arc;

use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{Fields, key_after, lead_on, made, refused};
use crate::{
    domain::{Actor, ClientId, Problem, TokenId},
    http::{App, Asker, pages::PageId},
    locales::{self, t},
    service::Service,
};

#[derive(Deserialize)]
pub struct NewToken {
    #[serde(default)]
    form_key: Option<ClientId>,
    name: String,
}

pub async fn create_token(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<NewToken>,
) -> Response {
    let created = match asker.clone().require() {
        Ok((service, actor)) => service.create_own_token(&actor, form.form_key, Some(&form.name)).await,
        Err(reason) => Err(reason),
    };
    match created {
        Ok((_, secret)) => made(&app, asker, "/admin/tokens", secret.expose().to_owned()).await,
        Err(reason) => {
            let values = [key_after(&reason, form.form_key), ("name", form.name)];
            refused(&app, asker, "/admin/tokens", reason, values).await
        }
    }
}

pub async fn revoke_token(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<TokenId>,
) -> Response {
    let revoke = async |service: Arc<Service>, actor: Actor| match actor {
        Actor::Admin(_) => service.revoke_token(id).await,
        _ => Err(Problem::forbidden(t!(locales::current(), problem::ADMIN_NEEDED))),
    };
    lead_on(&app, asker, revoke, |()| "/admin/tokens".to_owned()).await
}
