//! Opening a chat: a dialog that ends with the link already copied.

use leptos::{html, prelude::*, task::spawn_local};

use super::copy_link::CopyButton;
use crate::{
    api,
    client::page,
    domain::{Conversation, Problem},
    ui::components::{Icon, icon},
};

/// The button, and in the browser the dialog. Without JavaScript the button leads to the same form
/// as a page.
#[component]
pub(super) fn NewChat(awake: RwSignal<bool>) -> impl IntoView {
    let dialog = NodeRef::<html::Dialog>::new();
    let open = move |event: web_sys::MouseEvent| {
        if let Some(dialog) = dialog.get_untracked() {
            event.prevent_default();
            let _ = dialog.show_modal();
        }
    };
    view! {
        <a class="button button--primary button--small" href="/admin?new=1" on:click=open>
            <Icon d=icon::PLUS />
            "New chat"
        </a>
        {move || awake.get().then(|| view! { <Dialog dialog=dialog /> })}
    }
}

#[component]
fn Dialog(dialog: NodeRef<html::Dialog>) -> impl IntoView {
    let opened = RwSignal::new(None::<(Conversation, bool)>);
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    view! {
        <dialog
            class="dialog"
            aria-labelledby="new-chat-title"
            closedby="any"
            node_ref=dialog
            on:close=move |_| opened.set(None)
        >
            {move || match opened.get() {
                None => view! { <Form opened=opened close=close /> }.into_any(),
                Some((conversation, copied)) => {
                    view! { <Opened conversation=conversation copied=copied close=close /> }.into_any()
                }
            }}
        </dialog>
    }
}

#[component]
fn DialogHead(title: String, close: impl Fn() + Copy + 'static) -> impl IntoView {
    view! {
        <header class="dialog__head">
            <h2 class="dialog__title" id="new-chat-title">
                {title}
            </h2>
            <button class="icon-button" type="button" aria-label="Close" on:click=move |_| close()>
                <Icon d=icon::CLOSE />
            </button>
        </header>
    }
}

#[component]
fn Form(opened: RwSignal<Option<(Conversation, bool)>>, close: impl Fn() + Copy + Send + 'static) -> impl IntoView {
    let name = NodeRef::<html::Input>::new();
    let email = NodeRef::<html::Input>::new();
    let first = NodeRef::<html::Textarea>::new();
    let problem = RwSignal::new(None::<Problem>);
    let busy = RwSignal::new(false);
    // What is wrong stands beside the field it is about, and beside the buttons if it is about none.
    let wrong = move |field: &'static str| {
        let is_about = move |problem: &Problem| match problem.field.as_deref() {
            Some(known @ ("customer_name" | "customer_email" | "first_message")) => known == field,
            _ => field.is_empty(),
        };
        problem.get().filter(is_about).map(|problem| {
            view! {
                <p class="field__error" id=[field, "-error"].concat() role="alert">
                    {problem.message}
                </p>
            }
        })
    };
    let invalid = move |field: &'static str| {
        problem.with(|problem| problem.as_ref()?.field.as_deref().filter(|at| *at == field).map(|_| "true"))
    };
    let submit = move |event: web_sys::SubmitEvent| {
        event.prevent_default();
        let (Some(name), Some(email), Some(first)) =
            (name.get_untracked(), email.get_untracked(), first.get_untracked())
        else {
            return;
        };
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        let some = |text: String| Some(text).filter(|text| !text.trim().is_empty());
        let (customer, email, first) = (name.value(), some(email.value()), some(first.value()));
        spawn_local(async move {
            match api::open_chat(customer, email, first).await {
                Ok(conversation) => {
                    let link = conversation.link.clone().unwrap_or_default();
                    page::copy(&link, move |copied| opened.set(Some((conversation, copied))));
                }
                Err(wrong) => problem.set(Some(wrong)),
            }
            busy.set(false);
        });
    };
    view! {
        <form class="form" method="post" action="/admin/chats" novalidate on:submit=submit>
            <DialogHead title="New chat".to_owned() close=close />
            <div class="field">
                <label class="field__label" for="customer_name">
                    "Customer’s name"
                </label>
                <input
                    class="input"
                    id="customer_name"
                    name="customer_name"
                    required
                    maxlength="100"
                    autocomplete="off"
                    autofocus
                    aria-invalid=move || invalid("customer_name")
                    aria-describedby="customer_name-error"
                    node_ref=name
                />
                {move || wrong("customer_name")}
            </div>
            <div class="field">
                <label class="field__label" for="customer_email">
                    "E-mail "
                    <span class="field__optional">"optional"</span>
                </label>
                <input
                    class="input"
                    id="customer_email"
                    name="customer_email"
                    type="email"
                    autocomplete="off"
                    aria-invalid=move || invalid("customer_email")
                    aria-describedby="customer_email-error"
                    node_ref=email
                />
                {move || wrong("customer_email")}
            </div>
            <div class="field">
                <label class="field__label" for="first_message">
                    "First message "
                    <span class="field__optional">"optional"</span>
                </label>
                <textarea
                    class="input"
                    id="first_message"
                    name="first_message"
                    rows="3"
                    aria-invalid=move || invalid("first_message")
                    aria-describedby="first_message-error"
                    node_ref=first
                ></textarea>
                {move || wrong("first_message")}
            </div>
            {move || wrong("")}
            <footer class="dialog__foot">
                <button class="button button--quiet" type="button" on:click=move |_| close()>
                    "Cancel"
                </button>
                <button
                    class="button button--primary"
                    type="submit"
                    aria-busy=move || busy.get().then_some("true")
                >
                    "Open chat"
                </button>
            </footer>
        </form>
    }
}

#[component]
fn Opened(conversation: Conversation, copied: bool, close: impl Fn() + Copy + 'static) -> impl IntoView {
    let Conversation { id, customer_name: name, link, .. } = conversation;
    let link = link.unwrap_or_default();
    let words = if copied {
        ["The link is copied. Send it to ", &name, ": whoever has it can read and write in this chat."]
    } else {
        ["Copy this link and send it to ", &name, ": whoever has it can read and write in this chat."]
    };
    view! {
        <div class="form">
            <DialogHead title=["Chat with ", &name, " is open"].concat() close=close />
            <p role="status">{words.concat()}</p>
            <div class="copy">
                <input class="input copy__input" readonly value=link.clone() aria-label="Link to this chat" />
                <CopyButton link=link />
            </div>
            <footer class="dialog__foot">
                <a class="button button--primary" href="/admin?chat=".to_owned() + &id.to_string()>
                    "Go to the chat"
                </a>
            </footer>
        </div>
    }
}
