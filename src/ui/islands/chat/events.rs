//! What people do with the panel. One listener for each kind of event, however many messages there
//! are: `data-act` says what an element does, the row around it with what.

use std::rc::Rc;

use leptos::{prelude::*, server_fn::ServerFn};
use uuid::Uuid;
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlElement, KeyboardEvent};

use super::{composer, panel::Panel};
use crate::{
    api,
    client::{ask::ask, json::Object, page, wire::status_word},
    domain::{ClientId, Conversation, ConversationStatus},
};

/// The element that an event is about.
fn target(event: &Event) -> Option<Element> {
    event.target()?.dyn_into().ok()
}

fn is_in(element: &Element, selector: &str) -> bool {
    element.closest(selector).ok().flatten().is_some()
}

impl Panel {
    pub fn listen(self: &Rc<Self>) {
        let parts = &self.parts;
        // What is wrong with a text is said beside it, not in the browser's own bubble.
        let _ = parts.composer.set_attribute("novalidate", "");
        if let Some(hint) = document().get_element_by_id("content-hint") {
            crate::client::paint::show(&hint, true);
        }
        self.restore_draft();

        let panel = self.clone();
        page::on(&parts.root, "click", move |event| panel.pressed(event));
        let panel = self.clone();
        page::on(&parts.root, "submit", move |event| panel.submitted(event));
        let panel = self.clone();
        page::on(&parts.root, "keydown", move |event| {
            if let Some(event) = event.dyn_ref() {
                panel.key_down(event);
            }
        });
        let panel = self.clone();
        page::on(&parts.root, "input", move |event| match target(event).and_then(|target| target.dyn_into().ok()) {
            Some(field) if field != panel.parts.input => composer::grow(&field),
            _ => {
                panel.typed();
                panel.tell_typing(panel.sight.with_untracked(|sight| sight.has_text));
            }
        });
        let panel = self.clone();
        page::on(&parts.input, "blur", move |_| panel.tell_typing(false));
        let panel = self.clone();
        page::on(&parts.log, "scroll", move |_| panel.moved());
        let panel = self.clone();
        page::on_return(move || {
            if page::is_looked_at() {
                panel.room.write().divide();
            }
            panel.look();
        });
        // A menu closes when something else on the page is pressed.
        page::on(&window(), "click", |event| {
            let target = target(event);
            close_menu(|menu| !menu.contains(target.as_deref()));
        });
    }

    fn pressed(self: &Rc<Self>, event: &Event) {
        let Some(button) = target(event).and_then(|target| target.closest("[data-act]").ok()?) else { return };
        let row = button.closest("li").ok().flatten();
        let named = |name: &str| row.as_ref().and_then(|row| row.get_attribute(name));
        let seq = named("data-seq").and_then(|seq| seq.parse().ok());
        let id = seq.and_then(|seq| self.room.with_untracked(|room| room.message_at(seq).map(|message| message.id)));
        // What is on its way has no number yet.
        let client_id = named("data-client-id").and_then(|id| Uuid::try_parse(&id).ok()).map(ClientId);
        match (button.get_attribute("data-act").as_deref(), id, client_id) {
            (Some("end"), ..) => self.to_end(),
            (Some("older"), ..) => {
                event.prevent_default();
                self.load_older();
            }
            (Some("edit"), Some(id), _) => self.edit(Some(id)),
            (Some("cancel"), ..) => self.edit(None),
            (Some("delete"), Some(id), _) => self.delete(id),
            (Some("retry"), _, Some(id)) => {
                self.act(|room| room.retry(id, page::new_client_id(), page::now_ms()));
            }
            (Some("discard"), _, Some(id)) => self.act(|room| room.discard(id)),
            _ => {}
        }
        close_menu(|_| true);
    }

    fn submitted(self: &Rc<Self>, event: &Event) {
        event.prevent_default();
        match target(event) {
            Some(form) if form == self.parts.composer => self.send(),
            Some(form) if is_in(&form, ".edit") => self.save_edit(),
            _ => self.reopen(),
        }
    }

    /// The other sockets of the room hear of it as this one does.
    fn reopen(self: &Rc<Self>) {
        let panel = self.clone();
        let id = self.room.with_untracked(|room| room.id().to_string());
        let arguments = Object::default().text("id", &id).text("status", status_word(ConversationStatus::Open));
        ask::<Conversation>(api::SetStatus::PATH, arguments, move |answer| {
            panel.room.write().notice = answer.err().map(|problem| problem.message);
        });
    }

    fn key_down(self: &Rc<Self>, event: &KeyboardEvent) {
        let Some(field) = target(event) else { return };
        let is_edit = is_in(&field, ".edit");
        if event.key() == "Escape" {
            if is_edit {
                self.edit(None);
            }
            close_menu(|menu| {
                if let Some(button) =
                    menu.first_element_child().and_then(|button| button.dyn_into::<HtmlElement>().ok())
                {
                    let _ = button.focus();
                }
                true
            });
        } else if composer::sends(event) && is_edit && field.tag_name() == "TEXTAREA" {
            event.prevent_default();
            self.save_edit();
        } else if field.id() != "content" {
        } else if composer::sends(event) {
            event.prevent_default();
            self.send();
        } else if event.key() == "ArrowUp" && self.parts.input.value().is_empty() {
            let last = self.room.with_untracked(|room| room.last_own().map(|message| message.id));
            if last.is_some() {
                event.prevent_default();
                self.edit(last);
            }
        }
    }
}

/// Closes the menu that is open, if it `closes`.
fn close_menu(closes: impl FnOnce(&Element) -> bool) {
    if let Some(menu) = document().query_selector(".message__menu[open]").ok().flatten()
        && closes(&menu)
    {
        let _ = menu.remove_attribute("open");
    }
}
