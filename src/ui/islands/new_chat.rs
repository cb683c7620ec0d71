//! Opening a chat: a dialog that ends with the link already copied. Without JavaScript the button
//! leads to the same form as a page.

use std::{cell::Cell, rc::Rc};

use leptos::{prelude::*, server_fn::ServerFn};
use wasm_bindgen::JsCast;
use web_sys::{Element, Event, HtmlDialogElement, HtmlFormElement, HtmlInputElement, HtmlTextAreaElement};

use super::copy_link::CopyLink;
use crate::{
    api,
    client::{
        ask::ask,
        json::Object,
        page,
        paint::{say, set, show},
    },
    domain::{ClientId, Code, Conversation, Name, Problem},
    ui::components::{Icon, icon},
};

/// The fields, by their names in the form.
const FIELDS: [&str; 3] = ["customer_name", "customer_email", "first_message"];

#[component]
fn DialogHead(title: &'static str, id: &'static str) -> impl IntoView {
    view! {
        <header class="dialog__head">
            <h2 class="dialog__title" id=id>
                {title}
            </h2>
            <button class="icon-button" type="button" aria-label="Close" data-act="close-dialog">
                <Icon d=icon::CLOSE />
            </button>
        </header>
    }
}

#[component]
fn FieldError(of: &'static str) -> impl IntoView {
    view! { <p class="field__error" id=format!("new-{of}-error") role="alert" hidden></p> }
}

/// The dialog; it stays closed until the island opens it.
#[component]
pub(super) fn NewChatDialog() -> impl IntoView {
    view! {
        <dialog class="dialog" aria-labelledby="new-chat-title" closedby="any">
            <form class="form" method="post" action="/admin/chats" novalidate>
                <DialogHead title="New chat" id="new-chat-title" />
                <div class="field">
                    <label class="field__label" for="new-customer_name">
                        "Customer’s name"
                    </label>
                    <input
                        class="input"
                        id="new-customer_name"
                        name="customer_name"
                        required
                        maxlength=(2 * Name::MAX_CHARS).to_string()
                        autocomplete="off"
                        autofocus
                        aria-describedby="new-customer_name-error"
                    />
                    <FieldError of="customer_name" />
                </div>
                <div class="field">
                    <label class="field__label" for="new-customer_email">
                        "E-mail "
                        <span class="field__optional">"optional"</span>
                    </label>
                    <input
                        class="input"
                        id="new-customer_email"
                        name="customer_email"
                        type="email"
                        autocomplete="off"
                        aria-describedby="new-customer_email-error"
                    />
                    <FieldError of="customer_email" />
                </div>
                <div class="field">
                    <label class="field__label" for="new-first_message">
                        "First message "
                        <span class="field__optional">"optional"</span>
                    </label>
                    <textarea
                        class="input"
                        id="new-first_message"
                        name="first_message"
                        rows="3"
                        aria-describedby="new-first_message-error"
                    ></textarea>
                    <FieldError of="first_message" />
                </div>
                <FieldError of="chat" />
                <footer class="dialog__foot">
                    <button class="button button--quiet" type="button" data-act="close-dialog">
                        "Cancel"
                    </button>
                    <button class="button button--primary" type="submit">
                        "Open chat"
                    </button>
                </footer>
            </form>
            <div class="form" hidden>
                <DialogHead title="The chat is open" id="opened-chat-title" />
                <p class="dialog__words" role="status"></p>
                <CopyLink link=String::new() />
                <footer class="dialog__foot">
                    <a class="button button--primary" href="/admin">
                        "Go to the chat"
                    </a>
                </footer>
            </div>
        </dialog>
    }
}

/// The dialog on the page.
struct Dialog {
    dialog: HtmlDialogElement,
    form: HtmlFormElement,
    opened: Element,
    busy: Cell<bool>,
    /// Names the chat that it opens: asked again after a lost answer, it is the same one.
    key: Cell<ClientId>,
}

/// Lets the buttons in `root` open the dialog in it.
pub(super) fn offer_new_chat(root: &Element) {
    let part = |selector: &str| root.query_selector(selector).ok().flatten();
    let dialog = part(".dialog").and_then(|dialog| dialog.dyn_into().ok());
    let form = part(".dialog form").and_then(|form| form.dyn_into().ok());
    let (Some(dialog), Some(form), Some(opened)) = (dialog, form, part(".dialog div.form")) else { return };
    let dialog =
        Rc::new(Dialog { dialog, form, opened, busy: Cell::new(false), key: Cell::new(page::new_client_id()) });

    let pressing = dialog.clone();
    page::on(root, "click", move |event| pressing.pressed(event));
    page::on(&dialog.form.clone(), "submit", move |event| {
        event.prevent_default();
        dialog.submit();
    });
}

impl Dialog {
    fn pressed(&self, event: &Event) {
        let target = event.target().and_then(|target| target.dyn_into::<Element>().ok());
        let act = target.and_then(|target| target.closest("[data-act], a[href='/admin?new=1']").ok()?);
        match act.map(|act| act.get_attribute("data-act")) {
            Some(Some(act)) if act == "close-dialog" => self.dialog.close(),
            Some(Some(act)) if act != "new-chat" => {}
            Some(_) => {
                event.prevent_default();
                self.open();
            }
            None => {}
        }
    }

    fn open(&self) {
        self.form.reset();
        self.key.set(page::new_client_id());
        self.tell(None);
        show(&self.form, true);
        show(&self.opened, false);
        let _ = self.dialog.show_modal();
    }

    fn submit(self: &Rc<Self>) {
        if self.busy.replace(true) {
            return;
        }
        let value = |name: &str| {
            let field = self.form.query_selector(&["[name=", name, "]"].concat()).ok().flatten()?;
            let value = match field.dyn_into::<HtmlInputElement>() {
                Ok(input) => input.value(),
                Err(field) => field.dyn_into::<HtmlTextAreaElement>().ok()?.value(),
            };
            Some(value).filter(|value| !value.trim().is_empty())
        };
        let [name, email, first] = FIELDS.map(value);
        let arguments = Object::default().text("form_key", &self.key.get().to_string());
        let arguments = arguments.text("customer_name", name.as_deref().unwrap_or_default());
        let arguments =
            arguments.some_text("customer_email", email.as_deref()).some_text("first_message", first.as_deref());
        let dialog = self.clone();
        ask::<Conversation>(api::OpenChat::PATH, arguments, move |answer| {
            dialog.busy.set(false);
            match answer {
                Ok(conversation) => dialog.opened(conversation),
                Err(problem) => {
                    if problem.code == Code::Conflict {
                        dialog.key.set(page::new_client_id());
                    }
                    dialog.tell(Some(&problem));
                }
            }
        });
    }

    /// Says what is wrong beside the field it is about, or above the buttons if it is about none.
    fn tell(&self, problem: Option<&Problem>) {
        let about = problem.map(|problem| {
            let field = problem.field.as_deref();
            FIELDS.into_iter().find(|name| field == Some(name)).unwrap_or("chat")
        });
        for name in FIELDS.into_iter().chain(["chat"]) {
            let wrong = problem.filter(|_| about == Some(name));
            if let Some(place) = document().get_element_by_id(&["new-", name, "-error"].concat()) {
                say(&place, wrong.map_or("", |problem| &problem.message));
                show(&place, wrong.is_some());
            }
            if let Some(field) = document().get_element_by_id(&["new-", name].concat()) {
                set(&field, "aria-invalid", wrong.map(|_| "true"));
            }
        }
    }

    /// The chat is there: copies its link and says so.
    fn opened(self: Rc<Self>, conversation: Conversation) {
        let Conversation { id, customer_name: name, link, .. } = conversation;
        let link = link.unwrap_or_default();
        let part = |selector: &str| self.opened.query_selector(selector).ok().flatten();
        if let Some(title) = part(".dialog__title") {
            say(&title, &["Chat with ", &name, " is open"].concat());
        }
        if let Some(to_chat) = part("a") {
            set(&to_chat, "href", Some(&["/admin?chat=", &id.to_string()].concat()));
        }
        let shown = part("input").and_then(|input| input.dyn_into::<HtmlInputElement>().ok());
        show(&self.form, false);
        show(&self.opened, true);
        if let Some(shown) = &shown {
            shown.set_value(&link);
            shown.select();
        }
        let words = part(".dialog__words");
        page::copy(&link, move |copied| {
            let begin = if copied { "The link is copied. Send it to " } else { "Copy this link and send it to " };
            if let Some(place) = words {
                say(&place, &[begin, &name, ": whoever has it can read and write in this chat."].concat());
            }
        });
    }
}
