//! Ends e-mail about a chat: by the button of its page, or by a mail program (RFC 8058).

use axum::{
    Extension,
    extract::{Query, State, rejection::QueryRejection},
    http::{StatusCode, Uri},
    response::Response,
};

use crate::{
    app::FormState,
    domain::Problem,
    http::{
        App, Asker,
        pages::{UnsubscribeQuery, problem, render},
    },
};

/// Needs no sign-in: the token is in the address, and mail programs send nothing else.
pub async fn unsubscribe(
    State(app): State<App>,
    Extension(asker): Extension<Asker>,
    query: Result<Query<UnsubscribeQuery>, QueryRejection>,
) -> Response {
    let done = match query {
        Ok(Query(UnsubscribeQuery { chat, token })) => app.service.unsubscribe_mail(chat, &token).await,
        Err(_) => Err(Problem::not_found()),
    };
    match done {
        Ok(()) => {
            let page = Uri::from_static("/unsubscribe");
            render(&app, asker, page, StatusCode::OK, FormState::default()).await
        }
        Err(reason) => problem(&app, asker, reason).await,
    }
}
