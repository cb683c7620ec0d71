//! The form that replaces a message while it is edited.

use leptos::{ev, html, mount::mount_to, prelude::*};
use web_sys::{HtmlElement, KeyboardEvent};

use super::{
    composer::{grow, is_composing, sends},
    panel::Panel,
    part::Need,
};
use crate::{
    domain::MessageId,
    locales::{self, t},
};

#[component]
pub(super) fn Edit(panel: Panel, id: MessageId) -> impl IntoView {
    let place = NodeRef::<html::Div>::new();
    let owner = Owner::current();
    Effect::new(move || {
        if let (Some(place), Some(owner)) = (place.get(), owner.clone()) {
            panel.need(Need::Edit(place.into(), owner, id));
        }
    });
    view! { <div class="edit" node_ref=place></div> }
}

/// Puts the form in its place. The browser loads it when somebody edits.
pub(super) fn fill(place: HtmlElement, owner: Owner, panel: Panel, id: MessageId) {
    panel.if_alive(|| {
        owner.with(|| {
            let form = mount_to(place, move || view! { <Form panel id /> });
            // It goes with the message's place.
            StoredValue::new_local(form);
        });
    });
}

#[component]
fn Form(panel: Panel, id: MessageId) -> impl IntoView {
    let locale = locales::current();
    let field = NodeRef::<html::Textarea>::new();
    Effect::new(move || {
        if let Some(field) = field.get() {
            field.set_value(&panel.edit_text.get_untracked());
            let _ = field.focus();
            let end = field.value().encode_utf16().count() as u32;
            let _ = field.set_selection_range(end, end);
            grow(&field);
        }
    });
    let on_submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        panel.save_edit(id);
    };
    let on_key = move |event: KeyboardEvent| {
        // An Esc that an input method consumes does not end the edit.
        if event.key() == "Escape" && !is_composing(&event) {
            panel.edit(None);
        } else if sends(&event) {
            event.prevent_default();
            panel.save_edit(id);
        }
    };
    let on_input = move |_| {
        if let Some(field) = field.get_untracked() {
            panel.edit_text.set(field.value());
            grow(&field);
        }
    };
    let name = format!("edit-{id}");
    view! {
        <form on:submit=on_submit>
            <label class="visually-hidden" for=name.clone()>
                {t!(locale, chat::EDIT_MESSAGE)}
            </label>
            <textarea
                class="edit__input"
                id=name
                rows="1"
                dir="auto"
                node_ref=field
                on:keydown=on_key
                on:input=on_input
            ></textarea>
            <p class="edit__actions">
                <span class="edit__hint">{t!(locale, chat::EDIT_HINT)}</span>
                <button class="button button--quiet button--small" type="button" on:click=move |_| panel.edit(None)>
                    {t!(locale, form::CANCEL)}
                </button>
                <button class="button button--primary button--small" type="submit">
                    {t!(locale, form::SAVE)}
                </button>
            </p>
        </form>
    }
}
