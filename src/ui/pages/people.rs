//! People with an account, and invitations for new admins.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Beside, with_viewer};
use crate::{
    api::{Invitation, People, list_people},
    app::FormState,
    domain::{Role, User},
    locales::{self, t},
    ui::{
        components::{FormKey, FormProblem, SearchField, long_date},
        islands::MadeLink,
    },
};

#[component]
pub fn PeoplePage() -> impl IntoView {
    let search = use_query_map().get_untracked().get("q").unwrap_or_default();
    with_viewer(move |viewer| {
        let search = search.clone();
        async move {
            let locale = locales::current();
            let People { users, invitations } = list_people(Some(search.clone()).filter(|q| !q.is_empty())).await?;
            let me = viewer.user.as_ref().map(|user| user.id);
            let made = FormState::current().value("made");
            Ok(view! {
                <Beside viewer=viewer title=t!(locale, frame::PEOPLE) beside=None>
                    <h1 class="page__title">{t!(locale, frame::PEOPLE)}</h1>
                    <FormProblem fields=&[] />
                    <section class="page__part">
                        <h2 class="page__subtitle">{t!(locale, people::INVITE)}</h2>
                        <p class="page__words">{t!(locale, people::INVITE_HELP)}</p>
                        {if made.is_empty() {
                            view! {
                                <form method="post" action="/admin/people/invites">
                                    <FormKey />
                                    <button class="button button--primary" type="submit">
                                        {t!(locale, people::MAKE_INVITATION)}
                                    </button>
                                </form>
                            }
                                .into_any()
                        } else {
                            view! {
                                <p class="notice notice--ok" role="status">
                                    {t!(locale, people::MADE)}
                                </p>
                                <MadeLink link=made label=t!(locale, people::LINK) />
                            }
                                .into_any()
                        }}
                        <ul class="cards">
                            {invitations.into_iter().map(|invitation| view! { <Open invitation=invitation /> }).collect_view()}
                        </ul>
                    </section>
                    <section class="page__part">
                        <h2 class="page__subtitle">{t!(locale, people::ACCOUNTS)}</h2>
                        <form class="filters" role="search" method="get" action="/admin/people">
                            <SearchField
                                label=t!(locale, people::SEARCH)
                                placeholder=t!(locale, people::NAME_OR_EMAIL)
                                value=search
                            />
                        </form>
                        <ul class="cards">
                            {users
                                .into_iter()
                                .map(|user| view! { <Person is_me=me == Some(user.id) user=user /> })
                                .collect_view()}
                        </ul>
                    </section>
                </Beside>
            }
            .into_any())
        }
    })
}

#[component]
fn Open(invitation: Invitation) -> impl IntoView {
    let locale = locales::current();
    view! {
        <li class="card">
            <div class="card__foot">
                <span>
                    {t!(locale, people::invitation(&invitation.invited_by, &long_date(invitation.expires_at)))}
                </span>
                <form method="post" action=format!("/admin/people/invites/{}/withdraw", invitation.id)>
                    <button class="button button--small button--danger" type="submit">
                        {t!(locale, people::WITHDRAW)}
                    </button>
                </form>
            </div>
        </li>
    }
}

#[component]
fn Person(user: User, is_me: bool) -> impl IntoView {
    let locale = locales::current();
    let (other, words, label) = match user.role {
        Role::Admin => {
            ("customer", t!(locale, people::MAKE_CUSTOMER), t!(locale, people::make_customer_of(user.name.as_str())))
        }
        Role::Customer => {
            ("admin", t!(locale, people::MAKE_ADMIN), t!(locale, people::make_admin_of(user.name.as_str())))
        }
    };
    let is_admin = user.role == Role::Admin;
    view! {
        <li class="card">
            <p class="card__head">
                <span class="card__title" dir="auto">
                    {user.name.to_string()}
                </span>
                {is_admin.then(|| view! { <span class="chip chip--accent">{t!(locale, people::ADMIN)}</span> })}
                {(!user.is_confirmed).then(|| view! { <span class="chip chip--warn">{t!(locale, people::UNCONFIRMED)}</span> })}
                {is_me.then(|| view! { <span class="chip">{t!(locale, people::YOU)}</span> })}
            </p>
            <div class="card__foot">
                <span>{t!(locale, people::email_and_since(user.email.as_str(), &long_date(user.created_at)))}</span>
                {(!is_me)
                    .then(|| {
                        view! {
                            <form method="post" action=format!("/admin/people/{}/role", user.id)>
                                <input type="hidden" name="role" value=other />
                                <button class="button button--small" type="submit" aria-label=label>
                                    {words}
                                </button>
                            </form>
                        }
                    })}
            </div>
        </li>
    }
}
