//! The settings of the business, for admins.

use axum::{Extension, extract::State, response::Response};

use super::{Fields, refused};
use crate::{
    domain::BusinessForm,
    http::{App, Asker, pages::see_other},
};

const PAGE: &str = "/admin/settings";

pub async fn set(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    Fields(form): Fields<BusinessForm>,
) -> Response {
    let set = match asker.clone().require() {
        Ok((service, actor)) => service.set_business(&actor, &form).await,
        Err(reason) => Err(reason),
    };
    match set {
        Ok(()) => see_other("/admin/settings?done=1"),
        Err(reason) => {
            let BusinessForm { name, language, welcome, privacy, suggestions, idle_days, reopens, retention_days } =
                form;
            let values = [
                ("name", name),
                ("language", language),
                ("welcome", welcome),
                ("privacy", privacy),
                ("suggestions", suggestions),
                ("idle_days", idle_days),
                ("reopens", reopens),
                ("retention_days", retention_days),
            ];
            refused(&app, asker, PAGE, reason, values).await
        }
    }
}
