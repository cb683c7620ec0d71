//! API tokens: creation, list and revocation.

use leptos::prelude::*;

use super::{Beside, with_viewer};
use crate::{
    api::{Token, list_tokens},
    app::FormState,
    domain::Name,
    locales::{self, t},
    ui::{
        components::{Field, FormKey, FormProblem, long_date},
        islands::MadeLink,
    },
};

#[component]
pub fn TokensPage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let locale = locales::current();
        let tokens = list_tokens().await?;
        let made = FormState::current().value("made");
        Ok(view! {
            <Beside viewer=viewer title=t!(locale, frame::API_TOKENS) beside=None>
                <h1 class="page__title">{t!(locale, frame::API_TOKENS)}</h1>
                <p class="page__words">
                    {t!(locale, tokens::LEAD)} <a href="/docs/api">{t!(locale, tokens::API_REFERENCE)}</a>
                </p>
                {(!made.is_empty())
                    .then(|| {
                        view! {
                            <p class="notice notice--ok" role="status">
                                {t!(locale, tokens::MADE)}
                            </p>
                            <MadeLink link=made label=t!(locale, tokens::NEW) />
                        }
                    })}
                <form class="form page__form" method="post" action="/admin/tokens">
                    <FormKey />
                    <FormProblem fields=&["name"] />
                    <Field
                        name="name"
                        label=t!(locale, tokens::NAME)
                        help=t!(locale, tokens::NAME_HELP)
                        autocomplete="off"
                        max_chars=Name::MAX_CHARS
                    />
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            {t!(locale, tokens::MAKE)}
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
    let locale = locales::current();
    let name = token.name.unwrap_or_else(|| t!(locale, tokens::UNNAMED).into());
    let label = t!(locale, tokens::revoke(&name));
    view! {
        <li class="card">
            <p class="card__head">
                <span class="card__title" dir="auto">
                    {name}
                </span>
            </p>
            <div class="card__foot">
                <span>{t!(locale, tokens::acts_as(&token.acts_as, &long_date(token.created_at)))}</span>
                <form method="post" action=format!("/admin/tokens/{}/revoke", token.id)>
                    <button class="button button--small button--danger" type="submit" aria-label=label>
                        {t!(locale, tokens::REVOKE)}
                    </button>
                </form>
            </div>
        </li>
    }
}
