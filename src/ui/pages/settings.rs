//! The settings of the business, for admins.

use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

use super::{Beside, with_viewer};
use crate::{
    api::load_business,
    app::FormState,
    domain::{Business, BusinessForm, Name},
    locales::{self, Locale, t},
    ui::components::{Field, FormProblem},
};

const FIELDS: &[&str] = &["name", "welcome", "privacy", "suggestions", "idle_days", "retention_days"];

#[component]
pub fn SettingsPage() -> impl IntoView {
    let is_done = use_query_map().get_untracked().get("done").is_some();
    with_viewer(move |viewer| async move {
        let locale = locales::current();
        let typed = FormState::current();
        let current = load_business().await?;
        // A rejected form shows what was typed.
        let shown = match typed.problem {
            None => current,
            Some(_) => BusinessForm { language: typed.value("language"), reopens: typed.value("reopens"), ..current },
        };
        let BusinessForm { name, language, welcome, privacy, suggestions, idle_days, reopens, retention_days } = shown;
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
                    <FormProblem fields=FIELDS />
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
