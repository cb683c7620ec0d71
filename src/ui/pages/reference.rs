//! The REST API for people to read: what `/api/v1/openapi.json` says.

use leptos::prelude::*;

use super::with_viewer;
use crate::{
    api::{Call, Kind, Member, Reference, load_reference},
    ui::components::{Frame, Layout},
};

#[component]
pub fn ReferencePage() -> impl IntoView {
    with_viewer(|viewer| async move {
        let Reference { words, calls, kinds } = load_reference().await?;
        let mut groups: Vec<(String, Vec<Call>)> = Vec::new();
        for call in calls {
            match groups.last_mut() {
                Some((group, calls)) if *group == call.group => calls.push(call),
                _ => groups.push((call.group.clone(), vec![call])),
            }
        }
        Ok(view! {
            <Frame viewer=viewer title="API" layout=Layout::Sheet class="reference">
                <h1 class="page__title">"API"</h1>
                <Words of=words />
                <p class="page__words">
                    "All addresses begin with " <code>"/api/v1"</code> ". For tools: "
                    <a href="/api/v1/openapi.json">"the description as OpenAPI"</a> "."
                </p>
                {groups
                    .into_iter()
                    .map(|(group, calls)| {
                        view! {
                            <h2 class="reference__group">{group}</h2>
                            {calls.into_iter().map(|call| view! { <OneCall call=call /> }).collect_view()}
                        }
                    })
                    .collect_view()}
                <h2 class="reference__group">"Types"</h2>
                {kinds.into_iter().map(|kind| view! { <OneKind kind=kind /> }).collect_view()}
            </Frame>
        }
        .into_any())
    })
}

/// Text in which every other part between backticks is code.
fn with_code(words: &str) -> impl IntoView + use<> {
    let parts = words.split('`').map(str::to_owned).enumerate();
    parts
        .map(|(at, part)| if at % 2 == 0 { part.into_any() } else { view! { <code>{part}</code> }.into_any() })
        .collect_view()
}

#[component]
fn Words(of: String) -> impl IntoView {
    (!of.is_empty()).then(|| view! { <p class="page__words">{with_code(&of)}</p> })
}

#[component]
fn OneCall(call: Call) -> impl IntoView {
    view! {
        <section class="reference__call">
            <h3 class="reference__title">
                <code class="reference__path">
                    <b>{call.method}</b>
                    " "
                    {call.path}
                </code>
                {call.title}
            </h3>
            <Words of=call.words />
            <Members members=call.parameters />
            {call
                .body
                .map(|body| {
                    view! {
                        <p>"Body: " <code>{body}</code></p>
                    }
                })}
            <ul class="reference__answers">
                {call
                    .answers
                    .into_iter()
                    .map(|(status, words, body)| {
                        view! {
                            <li>
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
    (!members.is_empty()).then(|| {
        view! {
            <dl class="reference__members">
                {members
                    .into_iter()
                    .map(|member| {
                        view! {
                            <dt>
                                <code>{member.name}</code>
                                {(!member.required).then(|| view! { <span class="field__optional">" optional"</span> })}
                            </dt>
                            <dd>
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
