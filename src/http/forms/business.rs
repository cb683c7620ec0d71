//! The settings of the business, for admins.

use axum::{Extension, extract::State, response::Response};

use super::{Fields, refused};
use crate::{
    domain::{BusinessForm, HoursForm},
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
            let BusinessForm {
                name,
                language,
                welcome,
                privacy,
                suggestions,
                idle_days,
                reopens,
                retention_days,
                hours: HoursForm { zone, closed_days, mut week },
            } = form;
            let fields = [
                ("name", name),
                ("language", language),
                ("welcome", welcome),
                ("privacy", privacy),
                ("suggestions", suggestions),
                ("idle_days", idle_days),
                ("reopens", reopens),
                ("retention_days", retention_days),
                ("zone", zone),
                ("closed_days", closed_days),
            ];
            let times = [HoursForm::FROM, HoursForm::TO].concat();
            let times = times.into_iter().map(|name| (name, week.remove(name).unwrap_or_default()));
            refused(&app, asker, PAGE, reason, fields.into_iter().chain(times)).await
        }
    }
}
