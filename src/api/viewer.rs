//! Who looks at the page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::PageClient;
use crate::domain::{Problem, User};

/// Who looks at the page, as far as every page needs to know.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Viewer {
    /// The account that is signed in.
    pub user: Option<User>,
    /// The name that the business goes by.
    pub business: String,
    /// What budgets are in: `EUR`.
    pub currency: String,
}

/// Who looks at the page.
#[server(output = super::Json, endpoint = "load_viewer", client = PageClient)]
pub async fn load_viewer() -> Result<Viewer, Problem> {
    let asker = crate::http::asker()?;
    Ok(Viewer {
        user: asker.actor.as_ref().and_then(|actor| actor.user().cloned()),
        business: asker.service.business_name(),
        currency: asker.service.currency().to_owned(),
    })
}
