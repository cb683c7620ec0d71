//! The settings of the business.

use leptos::prelude::*;

use super::{Json, PageClient};
use crate::domain::{BusinessForm, Problem};

/// The current settings, as the form shows them.
#[server(output = Json, endpoint = "load_business", client = PageClient)]
pub async fn load_business() -> Result<BusinessForm, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    service.business_form(&actor)
}
