//! The viewer of a page.

use leptos::prelude::*;
use serde::{Deserialize, Serialize};

use super::PageClient;
use crate::domain::{Problem, PushId, User};

/// The viewer of a page, with the data that every page needs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Viewer {
    /// The signed-in account.
    pub user: Option<User>,
    /// The subscription to notifications of this browser.
    pub push: Option<PushId>,
    /// The name of the business.
    pub business: String,
    /// The currency of budgets, such as `EUR`.
    pub currency: String,
}

/// The viewer of the current page.
#[server(output = super::Json, endpoint = "load_viewer", client = PageClient)]
pub async fn load_viewer() -> Result<Viewer, Problem> {
    let asker = crate::http::asker()?;
    Ok(Viewer {
        user: asker.actor.as_ref().and_then(|actor| actor.user().cloned()),
        push: asker.service.push_of(asker.session_id()).await?,
        business: asker.service.business_name(),
        currency: asker.service.currency().to_owned(),
    })
}
