//! The settings of the business, for admins.

use std::sync::LazyLock;

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Beside, with_viewer};
use crate::{
    api::{BusinessPage, load_business},
    app::FormState,
    domain::{Business, BusinessForm, HoursForm, Name},
    locales::{self, Locale, t},
    ui::components::{Field, FormProblem},
};

/// The fields that show their own errors.
static FIELDS: LazyLock<Vec<&str>> = LazyLock::new(|| {
    let fields = ["name", "welcome", "privacy", "suggestions", "idle_days", "retention_days", "zone", "closed_days"];
    [&fields[..], &HoursForm::FROM, &HoursForm::TO].concat()
});

#[component]
pub fn SettingsPage() -> impl IntoView {
    let is_done = use_query_map().get_untracked().get("done").is_some();
    with_viewer(move |viewer| async move {
        let locale = locales::current();
        let typed = FormState::current();
        let BusinessPage { form: current, zones } = load_business().await?;
        // A rejected form shows what was typed.
        let shown = match typed.problem {
            None => current,
            Some(_) => BusinessForm {
                language: typed.value("language"),
                reopens: typed.value("reopens"),
                hours: HoursForm { week: typed.values, ..current.hours },
                ..current
            },
        };
        let BusinessForm { name, language, welcome, privacy, suggestions, idle_days, reopens, retention_days, hours } =
            shown;
        Ok(view! {
            <Beside viewer=viewer title=t!(locale, settings::TITLE) beside=None>
                <h1 class="page__title">{t!(locale, settings::TITLE)}</h1>
                <p class="page__words">{t!(locale, settings::LEAD)}</p>
                {is_done
                    .then(|| {
                        view! {
                            <p class="notice notice--ok" role="status">
                                {t!(locale, settings::DONE)}
                            </p>
                        }
                    })}
                <form class="form page__form" method="post" action="/admin/settings">
                    <FormProblem fields=FIELDS.as_slice() />
                    <Field
                        name="name"
                        label=t!(locale, settings::NAME)
                        help=t!(locale, settings::NAME_HELP)
                        optional=true
                        autocomplete="organization"
                        value=name
                        max_chars=Name::MAX_CHARS
                    />
                    <Field
                        name="welcome"
                        label=t!(locale, settings::WELCOME)
                        kind="textarea"
                        help=t!(locale, settings::WELCOME_HELP)
                        optional=true
                        value=welcome
                        max_chars=Business::MAX_WELCOME_CHARS
                    />
                    <Field
                        name="suggestions"
                        label=t!(locale, settings::SUGGESTIONS)
                        kind="textarea"
                        help=t!(locale, settings::suggestions_help(Business::MAX_SUGGESTIONS))
                        optional=true
                        value=suggestions
                    />
                    <Field
                        name="privacy"
                        label=t!(locale, settings::PRIVACY)
                        kind="textarea"
                        help=t!(locale, settings::PRIVACY_HELP)
                        optional=true
                        value=privacy
                        max_chars=Business::MAX_PRIVACY_CHARS
                    />
                    <HoursFields hours zones />
                    <Field
                        name="idle_days"
                        label=t!(locale, settings::IDLE_DAYS)
                        help=t!(locale, settings::IDLE_DAYS_HELP)
                        optional=true
                        inputmode="numeric"
                        value=idle_days
                    />
                    <label class="check">
                        <input type="checkbox" name="reopens" value="1" checked=!reopens.is_empty() />
                        <span>{t!(locale, settings::REOPENS)}</span>
                    </label>
                    <Field
                        name="retention_days"
                        label=t!(locale, settings::RETENTION_DAYS)
                        help=t!(locale, settings::RETENTION_DAYS_HELP)
                        optional=true
                        inputmode="numeric"
                        value=retention_days
                    />
                    <div class="field">
                        <label class="field__label" for="language">
                            {t!(locale, settings::LANGUAGE)}
                        </label>
                        <select class="input" id="language" name="language" aria-describedby="language-help">
                            <option value="">{t!(locale, settings::LANGUAGE_DEFAULT)}</option>
                            {Locale::ALL
                                .map(|choice| {
                                    view! {
                                        <option value=choice.tag() lang=choice.tag() selected=language == choice.tag()>
                                            {choice.name()}
                                        </option>
                                    }
                                })
                                .collect_view()}
                        </select>
                        <p class="field__help" id="language-help">
                            {t!(locale, settings::LANGUAGE_HELP)}
                        </p>
                    </div>
                    <div class="form__actions">
                        <button class="button button--primary" type="submit">
                            {t!(locale, form::SAVE)}
                        </button>
                    </div>
                </form>
            </Beside>
        }
        .into_any())
    })
}

/// The opening hours: a row for each weekday, the zone, and closed days.
#[component]
fn HoursFields(hours: HoursForm, zones: Vec<String>) -> impl IntoView {
    let locale = locales::current();
    let time = {
        let hours = hours.clone();
        move |name: &'static str, day: &str, which: &str, is_wrong: bool| {
            view! {
                <input
                    class="input"
                    id=name
                    name=name
                    type="time"
                    value=hours.time(name).to_owned()
                    aria-label=[day, " ", which].concat()
                    aria-describedby="hours-help"
                    aria-invalid=is_wrong.then_some("true")
                    autofocus=is_wrong
                />
            }
        }
    };
    let row = move |day: usize| {
        let (name, from, to) = (t!(locale, answers::WEEKDAYS)[day], HoursForm::FROM[day], HoursForm::TO[day]);
        let wrong = FormState::current()
            .problem
            .filter(|problem| problem.field.as_deref().is_some_and(|field| field == from || field == to));
        let is_wrong = |field: &str| wrong.as_ref().is_some_and(|problem| problem.field.as_deref() == Some(field));
        let (is_from_wrong, is_to_wrong) = (is_wrong(from), is_wrong(to));
        view! {
            <div class="hours__day">
                <span>{name}</span>
                {time(from, name, t!(locale, settings::OPENS), is_from_wrong)}
                <span aria-hidden="true">"–"</span>
                {time(to, name, t!(locale, settings::CLOSES), is_to_wrong)}
                {wrong
                    .map(|problem| {
                        view! {
                            <p class="field__error" role="alert">
                                {problem.message}
                            </p>
                        }
                    })}
            </div>
        }
    };
    view! {
        <fieldset class="hours">
            <legend class="field__label">
                {t!(locale, settings::HOURS)} " " <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
            </legend>
            <p class="field__help" id="hours-help">
                {t!(locale, settings::HOURS_HELP)}
            </p>
            {(0..7).map(row).collect_view()}
        </fieldset>
        <Field
            name="zone"
            label=t!(locale, settings::ZONE)
            help=t!(locale, settings::ZONE_HELP)
            optional=true
            value=hours.zone
            list="zones"
        />
        <datalist id="zones">
            {zones.into_iter().map(|zone| view! { <option value=zone></option> }).collect_view()}
        </datalist>
        <Field
            name="closed_days"
            label=t!(locale, settings::CLOSED_DAYS)
            kind="textarea"
            help=t!(locale, settings::CLOSED_DAYS_HELP)
            optional=true
            value=hours.closed_days
        />
    }
}
