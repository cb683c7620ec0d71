//! API tokens: made, listed and revoked.

use leptos::prelude::*;

use super::{Beside, with_viewer};
use crate::{
    api::{Token, list_tokens},
    app::FormState,
    domain::Name,
    ui::{
        components::{Field, FormKey, FormProblem, long_date},
        islands::MadeLink,
    },
};

#[component]
pub fn TokensPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let tokens = list_tokens().await?;
        let made = FormState::current().value("made");
        Ok(view! {
            <Beside viewer=viewer title="API tokens" beside=None>
                <h1 class="page__title">"API tokens"</h1>
                <p class="page__words">
                    "A program that has a token can do everything that you can. " <a href="/docs/api">"What it can call"</a>
                    "."
                </p>
                {(!made.is_empty())
                    .then(|| {
                        view! {
                            <p class="notice notice--ok" role="status">
                                "This token is shown only now. Copy it to where it is used."
                            </p>
                            <MadeLink link=made label="The new token" />
                        }
                    })}
                <form class="form page__form" method="post" action="/admin/tokens">
                    <FormKey />
                    <FormProblem fields=&["name"] />
                    <Field
                        name="name"
                        label="What is it for?"
                        help="A few words that tell you later which one it is."
                        autocomplete="off"
                        max_chars=Name::MAX_CHARS
                    />
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            "Make a token"
                        </button>
                    </div>
                </form>
                <ul class="cards">{tokens.into_iter().map(|token| view! { <Card token=token /> }).collect_view()}</ul>
            </Beside>
        }
        .into_any())
    })
}

#[component]
fn Card(token: Token) -> impl IntoView {
    let name = token.name.unwrap_or_else(|| "Without a name".into());
    let label = format!("Revoke {name}");
    view! {
        <li class="card">
            <p class="card__head">
                <span class="card__title">{name}</span>
            </p>
            <div class="card__foot">
                <span>{format!("Acts as {}, since {}", token.acts_as, long_date(token.created_at))}</span>
                <form method="post" action=format!("/admin/tokens/{}/revoke", token.id)>
                    <button class="button button--small button--danger" type="submit" aria-label=label>
                        "Revoke"
                    </button>
                </form>
            </div>
        </li>
    }
}
