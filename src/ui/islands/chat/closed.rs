//! A closed chat: what happened, and what each side can do now.

use leptos::{either::Either, prelude::*};

use super::{
    composer::Notice,
    panel::{Panel, closed_words},
    plain::{Forms, Plain, PlainForm},
};
use crate::{
    api::Extras,
    domain::{ConversationId, ParticipantKind, Rating},
    locales::{self, t},
    ui::components::{Text, textarea_html},
};

/// Replaces the composer in a closed chat.
#[component]
pub(super) fn Closed(panel: Panel, forms: StoredValue<Forms>) -> impl IntoView {
    let words = move || closed_words(&panel.room.read(), panel.now.get(), panel.zone.get());
    view! {
        <div class="composer composer--closed" hidden=move || panel.is_open()>
            <p class="composer__closed">
                <Text of=Signal::derive(words) />
            </p>
            <PlainForm panel which=Plain::Afterwards forms />
            <Notice panel />
        </div>
    }
}

/// What each side can do now.
#[component]
pub(super) fn Afterwards(forms: Forms) -> impl IntoView {
    match forms.kind {
        ParticipantKind::Admin => Either::Left(view! { <Reopen id=forms.id /> }),
        ParticipantKind::Customer | ParticipantKind::Guest => Either::Right(view! { <Rate forms /> }),
    }
}

#[component]
fn Reopen(id: ConversationId) -> impl IntoView {
    view! {
        <form method="post" action=format!("/admin/chats/{id}/reopen")>
            <button class="button" type="submit">
                {t!(locales::current(), chat::REOPEN)}
            </button>
        </form>
    }
}

/// The customer side's rating, and the transcript.
#[component]
fn Rate(forms: Forms) -> impl IntoView {
    let locale = locales::current();
    let Forms { id, is_sealed, from, extras, comment, mailed, .. } = forms;
    let Extras { rating, has_email, .. } = extras;
    let given = rating.as_ref().map(|rating| rating.score);
    let star = move |score: i64| {
        let is_full = given.is_some_and(|given| given >= score);
        view! {
            <button
                class=if is_full { "rating__star rating__star--full" } else { "rating__star" }
                type="submit"
                name="score"
                value=score
                aria-label=t!(locale, chat::score(score))
                aria-pressed=if given == Some(score) { "true" } else { "false" }
            >
                "★"
            </button>
        }
    };
    let come_back = from.map(|from| view! { <input type="hidden" name="from" value=from /> });
    let comment =
        if comment.is_empty() { rating.and_then(|rating| rating.comment).unwrap_or_default() } else { comment };
    view! {
        <form class="rating" method="post" action=format!("/chat/{id}/rating")>
            {come_back.clone()}
            <fieldset class="rating__stars">
                <legend>{if given.is_some() { t!(locale, chat::RATED) } else { t!(locale, chat::RATE) }}</legend>
                {Rating::SCORES.map(star).collect_view()}
            </fieldset>
            <label class="visually-hidden" for="comment">
                {t!(locale, chat::COMMENT)}
            </label>
            <div class="rating__comment">
                <textarea
                    class="input"
                    id="comment"
                    name="comment"
                    rows="1"
                    maxlength=Rating::MAX_COMMENT_CHARS
                    dir="auto"
                    placeholder=t!(locale, chat::COMMENT)
                    inner_html=textarea_html(&comment)
                ></textarea>
                {given
                    .map(|score| {
                        view! {
                            <button class="button" type="submit" name="score" value=score>
                                {t!(locale, form::SAVE)}
                            </button>
                        }
                    })}
            </div>
        </form>
            {(!is_sealed)
                .then(|| {
                    view! {
                        <a class="button button--small" href=format!("/api/v1/conversations/{id}/transcript?format=html") download="">
                            {t!(locale, desk::SAVE_TRANSCRIPT)}
                        </a>
                    }
                })}
            {has_email
                .then(|| {
                    view! {
                        <form method="post" action=format!("/chat/{id}/transcript")>
                            {come_back}
                            <button class="button button--small" type="submit">
                                {t!(locale, chat::MAIL_TRANSCRIPT)}
                            </button>
                        </form>
                    }
                })}
            {mailed.then(|| view! { <p role="status">{t!(locale, chat::MAILED)}</p> })}
    }
}
