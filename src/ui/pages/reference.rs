//! The reference of the REST API: the content of `/api/v1/openapi.json`, in English.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::{Call, Kind, Member, Reference, load_reference},
    locales::{self, t},
    ui::components::{Frame, Layout},
};

#[component]
pub fn ReferencePage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let locale = locales::current();
        let Reference { words, calls, kinds } = load_reference().await?;
        let mut groups: Vec<(String, Vec<Call>)> = Vec::new();
        for call in calls {
            match groups.last_mut() {
                Some((group, calls)) if *group == call.group => calls.push(call),
                _ => groups.push((call.group.clone(), vec![call])),
            }
        }
        Ok(view! {
            <Frame viewer=viewer title=t!(locale, reference::TITLE) layout=Layout::Sheet class="reference">
                <h1 class="page__title">{t!(locale, reference::TITLE)}</h1>
                <Words of=words />
                <p class="page__words">
                    {t!(locale, reference::PREFIX)} <code>"/api/v1"</code> ". "
                    <a href="/api/v1/openapi.json">{t!(locale, reference::OPENAPI)}</a>
                </p>
                {groups
                    .into_iter()
                    .map(|(group, calls)| {
                        view! {
                            <h2 class="reference__group" lang="en">
                                {group}
                            </h2>
                            {calls.into_iter().map(|call| view! { <OneCall call=call /> }).collect_view()}
                        }
                    })
                    .collect_view()}
                <h2 class="reference__group">{t!(locale, reference::TYPES)}</h2>
                {kinds.into_iter().map(|kind| view! { <OneKind kind=kind /> }).collect_view()}
            </Frame>
        }
        .into_any())
    })
}

/// Renders text whose parts between backticks are code.
fn with_code(words: &str) -> impl IntoView + use<> {
    let parts = words.split('`').map(str::to_owned).enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { part.into_any() } else { view! { <code>{part}</code> }.into_any() })
        .collect_view()
}

#[component]
fn Words(of: String) -> impl IntoView {
    (!of.is_empty()).then(|| view! { <p class="page__words" lang="en">{with_code(&of)}</p> })
}

#[component]
fn OneCall(call: Call) -> impl IntoView {
    let locale = locales::current();
    view! {
        <section class="reference__call">
            <h3 class="reference__title">
                <code class="reference__path">
                    <b>{call.method}</b>
                    " "
                    {call.path}
                </code>
                <span lang="en">{call.title}</span>
            </h3>
            <Words of=call.words />
            <Members members=call.parameters />
            {call
                .body
                .map(|body| {
                    view! {
                        <p>{t!(locale, reference::BODY)} <code>{body}</code></p>
                    }
                })}
            <ul class="reference__answers">
                {call
                    .answers
                    .into_iter()
                    .map(|(status, words, body)| {
                        view! {
                            <li lang="en">
                                <code>{status}</code>
                                " "
                                {words}
                                {body.map(|body| view! { ": " <code>{body}</code> })}
                            </li>
                        }
                    })
                    .collect_view()}
            </ul>
        </section>
    }
}

#[component]
fn OneKind(kind: Kind) -> impl IntoView {
    view! {
        <section class="reference__call">
            <h3 class="reference__title">
                <code class="reference__path">{kind.name}</code>
            </h3>
            <Words of=kind.words />
            <Members members=kind.members />
        </section>
    }
}

#[component]
fn Members(members: Vec<Member>) -> impl IntoView {
    let locale = locales::current();
    (!members.is_empty()).then(|| {
        view! {
            <dl class="reference__members">
                {members
                    .into_iter()
                    .map(|member| {
                        view! {
                            <dt>
                                <code>{member.name}</code>
                                {(!member.required)
                                    .then(|| {
                                        view! {
                                            " "
                                            <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
                                        }
                                    })}
                            </dt>
                            <dd lang="en">
                                <code>{member.kind}</code>
                                " "
                                {with_code(&member.words)}
                            </dd>
                        }
                    })
                    .collect_view()}
            </dl>
        }
    })
}
