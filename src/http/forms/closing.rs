//! What the customer side does with a closed chat.

use axum::{Extension, extract::State, response::Response};
use serde::Deserialize;

use super::{Fields, messages::page_of, refused};
use crate::{
    domain::ConversationId,
    http::{
        App, Asker,
        pages::{PageId, see_other},
    },
};

#[derive(Deserialize)]
pub struct Rate {
    score: i64,
    #[serde(default)]
    comment: String,
    /// The page that shows the chat beside it, if any.
    #[serde(default)]
    from: Option<String>,
}

pub async fn rate(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    Fields(form): Fields<Rate>,
) -> Response {
    let page = page_of(asker.actor.as_ref(), id, form.from.as_deref());
    let rated = match asker.clone().require() {
        Ok((service, actor)) => service.rate(&actor, id, form.score, Some(&form.comment)).await,
        Err(reason) => Err(reason),
    };
    match rated {
        Ok(_) => see_other(&page),
        Err(reason) => refused(&app, asker, &page, reason, [("comment", form.comment)]).await,
    }
}

#[derive(Deserialize)]
pub struct MailTranscript {
    /// The page that shows the chat beside it, if any.
    #[serde(default)]
    from: Option<String>,
}

pub async fn mail_transcript(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    PageId(id): PageId<ConversationId>,
    Fields(form): Fields<MailTranscript>,
) -> Response {
    let page = page_of(asker.actor.as_ref(), id, form.from.as_deref());
    let sent = match asker.clone().require() {
        Ok((service, actor)) => service.mail_transcript(&actor, id, asker.address).await,
        Err(reason) => Err(reason),
    };
    match sent {
        Ok(()) => {
            let and = if page.contains('?') { '&' } else { '?' };
            see_other(&format!("{page}{and}mailed=1"))
        }
        Err(reason) => refused(&app, asker, &page, reason, []).await,
    }
}
