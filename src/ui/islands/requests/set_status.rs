//! The form that sets the status of a request.

use leptos::{ev, html, prelude::*, task::spawn_local};

use crate::{
    api,
    domain::{CustomRequest, RequestStatus},
    locales::{self, t},
    ui::components::Refusal,
};

/// `from` is the address of this page, to which the plain form returns.
#[component]
pub(super) fn SetStatus(request: Memo<CustomRequest>, from: String) -> impl IntoView {
    let locale = locales::current();
    let (id, title) = request.with_untracked(|request| (request.id, request.title.clone()));
    let status = Memo::new(move |_| request.read().status);
    let first = status.get_untracked();
    let field = format!("status-{id}");
    let choice = NodeRef::<html::Select>::new();
    // The value that the page set itself. The person may have chosen another, also before hydration.
    let written = RwSignal::new(first);
    let has_focus = RwSignal::new(false);
    Effect::new(move || {
        let (status, Some(choice)) = (status.get(), choice.get()) else { return };
        // A list that may be open is updated after it has lost the focus.
        if !has_focus.get() && choice.value() == written.get_untracked().word() {
            choice.set_value(status.word());
        }
        if choice.value() == status.word() {
            written.set(status);
        }
    });
    let problem = RwSignal::new(None);
    let set = move |event: ev::SubmitEvent| {
        event.prevent_default();
        let chosen = choice.get_untracked().and_then(|choice| RequestStatus::from_word(&choice.value()));
        let Some(chosen) = chosen else { return };
        spawn_local(async move {
            // The update of the request arrives as a frame.
            problem.set(api::set_request_status(id, chosen).await.err().map(|refused| refused.message));
        });
    };
    view! {
        <form class="set-status" method="post" action=format!("/requests/{id}/status") on:submit=set>
            <input type="hidden" name="from" value=from />
            <label class="visually-hidden" for=field.clone()>
                {t!(locale, requests::STATUS_OF)}
                " "
                <bdi>{title}</bdi>
            </label>
            <select
                class="input set-status__choice"
                id=field
                name="status"
                node_ref=choice
                on:focus=move |_| has_focus.set(true)
                on:blur=move |_| has_focus.set(false)
            >
                {RequestStatus::ALL
                    .map(|status| {
                        view! {
                            <option value=status.word() selected=status == first>
                                {status.label(locale)}
                            </option>
                        }
                    })}
            </select>
            <button class="button button--small" type="submit">
                {t!(locale, requests::SET)}
            </button>
            <Refusal words=problem />
        </form>
    }
}
