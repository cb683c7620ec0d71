//! The settings of the business.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Json, PageClient};
use crate::domain::{BusinessForm, Problem};

/// The page of the settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BusinessPage {
    /// The current settings, as the form shows them.
    pub form: BusinessForm,
    /// The names of time zones to choose from.
    pub zones: Vec<String>,
}

/// The current settings.
#[server(output = Json, endpoint = "load_business", client = PageClient)]
pub async fn load_business() -> Result<BusinessPage, Problem> {
    let (service, actor) = crate::http::asker()?.require()?;
    Ok(BusinessPage { form: service.business_form(&actor)?, zones: crate::service::zones() })
}
