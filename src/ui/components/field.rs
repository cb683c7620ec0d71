//! Inputs of plain forms. After an error each shows the typed value again, and the error beside it. Both are from the
//! [`FormState`] of the request.

use leptos::prelude::*;

use super::textarea_html;
use crate::{
    app::FormState,
    domain::ClientId,
    locales::{self, t},
};

/// One labelled input. `name` is its name in the form and its id in the page.
#[component]
pub fn Field(
    name: &'static str,
    label: &'static str,
    /// The input's `type`; `textarea` for several lines.
    #[prop(default = "text")]
    kind: &'static str,
    #[prop(optional, into)] help: String,
    /// Whether the input may be empty.
    #[prop(optional)]
    optional: bool,
    #[prop(optional)] autocomplete: Option<&'static str>,
    #[prop(optional)] inputmode: Option<&'static str>,
    /// The id of a list of suggestions.
    #[prop(optional)]
    list: Option<&'static str>,
    /// The initial value.
    #[prop(optional, into)]
    value: String,
    #[prop(optional)] minlength: Option<u16>,
    /// The server's limit. Browsers count UTF-16 units, of which a character has up to two, and truncate pasted text.
    /// So the page sets no stricter limit than the server, which reports longer text.
    #[prop(optional)]
    max_chars: Option<usize>,
    /// Whether the input takes the focus when the page opens, unless an error elsewhere takes it.
    #[prop(optional)]
    focus: bool,
) -> impl IntoView {
    let state = FormState::current();
    let error =
        state.problem.as_ref().filter(|problem| problem.field.as_deref() == Some(name)).map(|p| p.message.clone());
    let wrong = error.is_some();
    let focus = wrong || (focus && state.problem.is_none());
    let help_id = format!("{name}-help");
    let error_id = format!("{name}-error");
    let maxlength = max_chars.map(|chars| 2 * chars);
    let described = [(!help.is_empty(), &help_id), (wrong, &error_id)];
    let described: Vec<&str> = described.iter().filter(|(there, _)| *there).map(|(_, id)| id.as_str()).collect();
    let described = (!described.is_empty()).then(|| described.join(" "));
    // The text may be in any language.
    let dir = matches!(kind, "text" | "textarea").then_some("auto");
    let invalid = wrong.then_some("true");
    let value = state.values.get(name).cloned().unwrap_or(value);
    let input = if kind == "textarea" {
        view! {
            <textarea
                class="input"
                id=name
                name=name
                rows="3"
                required=!optional
                autofocus=focus
                autocomplete=autocomplete
                dir=dir
                maxlength=maxlength
                aria-invalid=invalid
                aria-describedby=described
                inner_html=textarea_html(&value)
            ></textarea>
        }
        .into_any()
    } else {
        let value = (kind != "password").then_some(value).filter(|value| !value.is_empty());
        view! {
            <input
                class="input"
                id=name
                name=name
                type=kind
                value=value
                required=!optional
                autofocus=focus
                autocomplete=autocomplete
                minlength=minlength
                maxlength=maxlength
                inputmode=inputmode
                list=list
                dir=dir
                aria-invalid=invalid
                aria-describedby=described
            />
        }
        .into_any()
    };
    view! {
        <div class="field">
            <label class="field__label" for=name>
                {label}
                {optional
                    .then(|| {
                        view! {
                            " "
                            <span class="field__optional">{t!(locales::current(), form::OPTIONAL)}</span>
                        }
                    })}
            </label>
            {input}
            {(!help.is_empty())
                .then(|| {
                    view! {
                        <p class="field__help" id=help_id>
                            {help}
                        </p>
                    }
                })}
            {error
                .map(|error| {
                    view! {
                        <p class="field__error" id=error_id role="alert">
                            {error}
                        </p>
                    }
                })}
        </div>
    }
}

/// The error of the whole form: a problem that none of its `fields` can show. Takes the focus, so that screen readers
/// read it first.
#[component]
pub fn FormProblem(fields: &'static [&'static str]) -> impl IntoView {
    let problem =
        FormState::current().problem.filter(|p| p.field.as_deref().is_none_or(|field| !fields.contains(&field)));
    problem.map(|problem| {
        view! {
            <p class="notice notice--danger" role="alert" tabindex="-1" autofocus>
                {problem.message}
            </p>
        }
    })
}

/// The key of a form that creates something, so that sending it twice creates one. See `service::once`.
#[component]
pub fn FormKey() -> impl IntoView {
    let key = FormState::current().value("form_key").parse().unwrap_or_else(|_| ClientId::new());
    view! { <input type="hidden" name="form_key" value=key.to_string() /> }
}
