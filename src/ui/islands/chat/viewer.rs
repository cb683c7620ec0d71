//! A picture of the chat in full, over the page: with the keyboard, in several sizes, and to save. The browser loads it
//! for the first picture that somebody opens. Without scripts, a picture is a link to itself.

use std::{any::Any, cell::RefCell};

use leptos::{ev, html, mount::mount_to, prelude::*};
use wasm_bindgen::JsCast;
use web_sys::{Element, KeyboardEvent};

use super::panel::Panel;
use crate::{
    client::{labels, page},
    domain::Attachment,
    locales::{self, t},
    ui::components::{Icon, Text, icon},
};

/// The width of the picture, in parts of the window's; the first shows all of it.
const ZOOMS: [u32; 4] = [1, 2, 4, 8];

thread_local! {
    /// The open viewer.
    static OPEN: RefCell<Option<(Owner, Box<dyn Any>)>> = const { RefCell::new(None) };
}

/// Opens the picture at this address.
pub(super) fn open(panel: Panel, address: &str) {
    let pictures: Vec<_> = panel.room.with_untracked(|room| {
        let files = room.timeline.messages().flat_map(|message| &message.attachments);
        files.filter(|file| file.is_picture()).cloned().collect()
    });
    let first = pictures.iter().position(|file| address == file.address());
    let (Some(first), Some(body)) = (first, document().body()) else { return };
    let owner = Owner::new();
    let view = owner.with(|| mount_to(body, move || view! { <Viewer pictures first /> }));
    OPEN.set(Some((owner, Box::new(view))));
}

#[component]
fn Viewer(pictures: Vec<Attachment>, first: usize) -> impl IntoView {
    let locale = locales::current();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            let _ = dialog.show_modal();
        }
    });
    let last = pictures.len() - 1;
    let pictures = StoredValue::new(pictures);
    let (at, zoom) = (RwSignal::new(first), RwSignal::new(0));
    let shown = Memo::new(move |_| pictures.with_value(|pictures| pictures[at.get()].clone()));
    let go = move |to: usize| {
        at.set(to.min(last));
        zoom.set(0);
    };
    let back = move || go(at.get_untracked().saturating_sub(1));
    let on = move || go(at.get_untracked() + 1);
    let larger = move || zoom.update(|zoom| *zoom = (*zoom + 1).min(ZOOMS.len() - 1));
    let smaller = move || zoom.update(|zoom| *zoom = zoom.saturating_sub(1));
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let on_key = move |event: KeyboardEvent| {
        match &*event.key() {
            "ArrowLeft" if zoom.get_untracked() == 0 => back(),
            "ArrowRight" if zoom.get_untracked() == 0 => on(),
            "+" | "=" => larger(),
            "-" => smaller(),
            "0" => zoom.set(0),
            _ => return,
        }
        event.prevent_default();
    };
    // After the event, which still needs the element.
    let closed = move |_| page::after_layout(|| drop(OPEN.take()));
    let on_click = move |event: ev::MouseEvent| {
        // The dialog itself is only hit beside its content.
        if event.target() == event.current_target() {
            close();
        }
    };
    view! {
        <dialog
            class="viewer"
            node_ref=dialog
            aria-label=move || shown.read().name.clone()
            on:keydown=on_key
            on:close=closed
            on:click=on_click
        >
            <header class="viewer__head">
                <p class="viewer__name" dir="auto">
                    <Text of=Signal::derive(move || shown.with(|file| labels::file(&file.name, file.size_bytes))) />
                </p>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=t!(locale, chat::SMALLER)
                    disabled=move || zoom.get() == 0
                    on:click=move |_| smaller()
                >
                    <Icon d=icon::MINUS />
                </button>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=t!(locale, chat::LARGER)
                    disabled=move || zoom.get() + 1 == ZOOMS.len()
                    on:click=move |_| larger()
                >
                    <Icon d=icon::PLUS />
                </button>
                <a
                    class="icon-button"
                    aria-label=t!(locale, chat::SAVE_PICTURE)
                    href=move || shown.read().address()
                    download=move || shown.read().name.clone()
                >
                    <Icon d=icon::SAVE />
                </a>
                <button class="icon-button" type="button" aria-label=t!(locale, chat::CLOSE) autofocus on:click=move |_| close()>
                    <Icon d=icon::CLOSE />
                </button>
            </header>
            <div class="viewer__stage">
                <img
                    class="viewer__picture"
                    class:viewer__picture--whole=move || zoom.get() == 0
                    style:width=move || format!("{}%", 100 * ZOOMS[zoom.get()])
                    src=move || shown.read().address()
                    alt=move || shown.read().name.clone()
                    on:dblclick=move |_| zoom.update(|zoom| *zoom = usize::from(*zoom == 0))
                />
            </div>
            <footer class="viewer__foot" hidden=last == 0>
                <button
                    class="icon-button"
                    type="button"
                    aria-label=t!(locale, chat::PREVIOUS)
                    disabled=move || at.get() == 0
                    on:click=move |_| back()
                >
                    <Icon d=icon::BACK />
                </button>
                <p role="status">
                    <Text of=Signal::derive(move || format!("{} / {}", at.get() + 1, last + 1)) />
                </p>
                <button
                    class="icon-button viewer__on"
                    type="button"
                    aria-label=t!(locale, chat::NEXT)
                    disabled=move || at.get() == last
                    on:click=move |_| on()
                >
                    <Icon d=icon::BACK />
                </button>
            </footer>
        </dialog>
    }
}

/// The address of the picture that a click opens, if it opens one here.
pub(super) fn opened(event: &web_sys::Event) -> Option<String> {
    let click = event.unchecked_ref::<ev::MouseEvent>();
    let picture = click.target()?.unchecked_into::<Element>();
    if click.ctrl_key() || click.meta_key() || picture.tag_name() != "IMG" {
        return None;
    }
    picture.parent_element()?.get_attribute("href")
}
