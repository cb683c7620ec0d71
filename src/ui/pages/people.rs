//! People with an account, and how somebody becomes an admin.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Beside, with_viewer};
use crate::{
    api::{Invitation, People, list_people},
    app::FormState,
    domain::{Role, User},
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
            let People { users, invitations } = list_people(Some(search.clone()).filter(|q| !q.is_empty())).await?;
            let me = viewer.user.as_ref().map(|user| user.id);
            let made = FormState::current().value("made");
            Ok(view! {
                <Beside viewer=viewer title="People" beside=None>
                    <h1 class="page__title">"People"</h1>
                    <FormProblem fields=&[] />
                    <section class="page__part">
                        <h2 class="page__subtitle">"Invite an admin"</h2>
                        <p class="page__words">
                            "You get a link that works once, within 7 days. Whoever opens it can see and answer all chats."
                        </p>
                        {if made.is_empty() {
                            view! {
                                <form method="post" action="/admin/people/invites">
                                    <FormKey />
                                    <button class="button button--primary" type="submit">
                                        "Make an invitation"
                                    </button>
                                </form>
                            }
                                .into_any()
                        } else {
                            view! {
                                <p class="notice notice--ok" role="status">
                                    "This link is shown only now. Send it to the person whom you invite."
                                </p>
                                <MadeLink link=made label="Link of the invitation" />
                            }
                                .into_any()
                        }}
                        <ul class="cards">
                            {invitations.into_iter().map(|invitation| view! { <Open invitation=invitation /> }).collect_view()}
                        </ul>
                    </section>
                    <section class="page__part">
                        <h2 class="page__subtitle">"Accounts"</h2>
                        <form class="filters" role="search" method="get" action="/admin/people">
                            <SearchField label="Search people" placeholder="Name or e-mail" value=search />
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
    view! {
        <li class="card">
            <div class="card__foot">
                <span>
                    {format!("Invitation by {}, until {}", invitation.invited_by, long_date(invitation.expires_at))}
                </span>
                <form method="post" action=format!("/admin/people/invites/{}/withdraw", invitation.id)>
                    <button class="button button--small button--danger" type="submit">
                        "Withdraw"
                    </button>
                </form>
            </div>
        </li>
    }
}

#[component]
fn Person(user: User, is_me: bool) -> impl IntoView {
    let (other, words) = match user.role {
        Role::Admin => ("customer", "Make a customer"),
        Role::Customer => ("admin", "Make an admin"),
    };
    let is_admin = user.role == Role::Admin;
    let label = format!("{words}: {}", user.name);
    view! {
        <li class="card">
            <p class="card__head">
                <span class="card__title">{user.name.to_string()}</span>
                {is_admin.then(|| view! { <span class="chip chip--accent">"Admin"</span> })}
                {(!user.is_confirmed).then(|| view! { <span class="chip chip--warn">"Address not confirmed"</span> })}
                {is_me.then(|| view! { <span class="chip">"You"</span> })}
            </p>
            <div class="card__foot">
                <span>{format!("{}, since {}", user.email, long_date(user.created_at))}</span>
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
