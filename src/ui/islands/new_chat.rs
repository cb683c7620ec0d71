//! The dialog that opens a chat and copies its link. Without JavaScript the button leads to the same form as a page.

use leptos::{
    either::EitherOf3,
    ev::{MouseEvent, SubmitEvent},
    html,
    mount::mount_to,
    prelude::*,
    task::spawn_local,
};
use web_sys::HtmlElement;

use super::{chat::sealed, copy_link::CopyLink, desk::State};
use crate::{
    api,
    client::{history, page, storage},
    domain::{ClientId, Code, Conversation, ConversationId, Name, Problem, sealed::BEFORE_KEY},
    locales::{self, t},
    ui::components::{Anew, Icon, icon},
};

/// The fields, by their names in the form.
const FIELDS: [&str; 3] = ["customer_name", "customer_email", "first_message"];

/// The step of the dialog.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    /// The form, with the key of its chat: a retry after a lost response opens the same chat.
    Form(ClientId),
    Opened(ConversationId),
}

/// The dialog, for the buttons that open it.
#[derive(Clone, Copy)]
pub(super) struct NewChat {
    dialog: NodeRef<html::Dialog>,
    /// `None` while the dialog is closed.
    step: RwSignal<Option<Step>>,
    opened: RwSignal<Option<Conversation>>,
    /// Whether the dialog contains the steps.
    is_filled: StoredValue<bool>,
    /// Whether the browser has stored the key of the opened chat, if that is sealed.
    is_kept: StoredValue<bool>,
}

impl NewChat {
    pub fn new() -> Self {
        Self {
            dialog: NodeRef::new(),
            step: RwSignal::new(None),
            opened: RwSignal::new(None),
            is_filled: StoredValue::new(false),
            is_kept: StoredValue::new(true),
        }
    }

    /// Opens the dialog for a click on a link to the form's page.
    pub fn pressed(self, desk: State, click: &MouseEvent) {
        let Some(dialog) = self.dialog.get_untracked().filter(|_| history::is_plain(click)) else { return };
        click.prevent_default();
        self.step.set(Some(Step::Form(page::new_client_id())));
        spawn_local(async move {
            if !self.is_filled.get_value() {
                self.is_filled.set_value(true);
                fill(dialog.clone().into(), desk).await;
            }
            page::after_layout(move || drop(dialog.show_modal()));
        });
    }

    fn close(self) {
        if let Some(dialog) = self.dialog.get_untracked() {
            dialog.close();
        }
    }
}

/// The dialog, closed until the person opens a new chat.
#[component]
pub(super) fn NewChatDialog(desk: State) -> impl IntoView {
    let new = desk.new_chat;
    view! {
        <dialog
            class="dialog"
            aria-labelledby="new-chat-title"
            closedby="any"
            node_ref=new.dialog
            on:close=move |_| new.step.set(None)
        ></dialog>
    }
}

/// Adds the steps to the dialog. The browser loads this function on the first use.
#[lazy]
fn fill(dialog: HtmlElement, desk: State) {
    let steps = move || {
        let new = desk.new_chat;
        view! {
            <Anew value=move || new.step.get() let:step>
                {match step {
                    None => EitherOf3::A(()),
                    Some(Step::Form(key)) => EitherOf3::B(view! { <NewChatForm new key /> }),
                    Some(Step::Opened(id)) => EitherOf3::C(view! { <Opened desk id /> }),
                }}
            </Anew>
        }
    };
    mount_to(dialog, steps).forget();
}

#[component]
fn DialogHead<C: IntoView + 'static>(new: NewChat, children: TypedChildren<C>) -> impl IntoView {
    let locale = locales::current();
    view! {
        <header class="dialog__head">
            <h2 class="dialog__title" id="new-chat-title">
                {children.into_inner()()}
            </h2>
            <button class="icon-button" type="button" aria-label=t!(locale, chat::CLOSE) on:click=move |_| new.close()>
                <Icon d=icon::CLOSE />
            </button>
        </header>
    }
}

#[component]
fn NewChatForm(new: NewChat, key: ClientId) -> impl IntoView {
    let locale = locales::current();
    let [name, email, first] = FIELDS.map(|_| RwSignal::new(String::new()));
    // The key, if the chat is sealed.
    let seal = RwSignal::new(None::<String>);
    let can_seal = sealed::new_key().is_some();
    let key = RwSignal::new(key);
    let is_busy = RwSignal::new(false);
    let problem = RwSignal::new(None::<Problem>);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if is_busy.get_untracked() {
            return;
        }
        is_busy.set(true);
        let optional = |field: RwSignal<String>| Some(field.get_untracked()).filter(|text| !text.trim().is_empty());
        let seal = seal.get_untracked();
        let first = optional(first).filter(|_| seal.is_none());
        let (key_of_form, name, is_sealed) = (Some(key.get_untracked()), name.get_untracked(), Some(seal.is_some()));
        let asked = api::open_chat(key_of_form, name, optional(email), first, is_sealed);
        spawn_local(async move {
            match asked.await {
                Ok(mut conversation) => {
                    // Also if the dialog was closed meanwhile: no other place has the key.
                    if let Some(seal) = seal {
                        new.is_kept.set_value(storage::keep(&storage::seal(conversation.id), &seal));
                        conversation.link = conversation.link.map(|link| [&*link, BEFORE_KEY, &seal].concat());
                    }
                    // If the dialog was closed meanwhile, it stays closed: the chat is in the list.
                    if new.step.get_untracked().is_some() {
                        let id = conversation.id;
                        new.opened.set(Some(conversation));
                        new.step.set(Some(Step::Opened(id)));
                    }
                }
                Err(refused) => {
                    if refused.code == Code::Conflict {
                        key.try_set(page::new_client_id());
                    }
                    problem.try_set(Some(refused));
                    is_busy.try_set(false);
                }
            }
        });
    };
    // The error of a field, or of the form for other errors.
    let wrong = move |of: &'static str| {
        let about = |problem: &Problem| {
            let field = problem.field.as_deref();
            FIELDS.into_iter().find(|name| field == Some(name)).unwrap_or("chat")
        };
        problem.with(|problem| problem.as_ref().filter(|it| about(it) == of).map(|it| it.message.clone()))
    };
    let is_wrong = move |of| wrong(of).map(|_| "true");
    let error = move |of: &'static str| {
        view! {
            <Anew value=move || wrong(of) let:words>{
                    words
                        .map(|words| {
                            view! {
                                <p class="field__error" id=format!("new-{of}-error") role="alert">
                                    {words}
                                </p>
                            }
                        })
                }</Anew>
        }
    };
    view! {
        <form class="form" method="post" action="/admin/chats" novalidate on:submit=submit>
            <DialogHead new>{t!(locale, desk::NEW_CHAT)}</DialogHead>
            <div class="field">
                <label class="field__label" for="new-customer_name">
                    {t!(locale, desk::CUSTOMER_NAME)}
                </label>
                <input
                    class="input"
                    id="new-customer_name"
                    name="customer_name"
                    dir="auto"
                    required
                    maxlength=(2 * Name::MAX_CHARS).to_string()
                    autocomplete="off"
                    autofocus
                    aria-describedby="new-customer_name-error"
                    aria-invalid=move || is_wrong("customer_name")
                    bind:value=name
                />
                {error("customer_name")}
            </div>
            <div class="field">
                <label class="field__label" for="new-customer_email">
                    {t!(locale, form::EMAIL)}
                    " "
                    <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
                </label>
                <input
                    class="input"
                    id="new-customer_email"
                    name="customer_email"
                    type="email"
                    autocomplete="off"
                    aria-describedby="new-customer_email-error"
                    aria-invalid=move || is_wrong("customer_email")
                    bind:value=email
                />
                {error("customer_email")}
            </div>
            <div class="field" hidden=move || seal.read().is_some()>
                <label class="field__label" for="new-first_message">
                    {t!(locale, desk::FIRST_MESSAGE)}
                    " "
                    <span class="field__optional">{t!(locale, form::OPTIONAL)}</span>
                </label>
                <textarea
                    class="input"
                    id="new-first_message"
                    name="first_message"
                    dir="auto"
                    rows="3"
                    aria-describedby="new-first_message-error"
                    aria-invalid=move || is_wrong("first_message")
                    bind:value=first
                ></textarea>
                {error("first_message")}
            </div>
            <div class="field">
                <label class="check">
                    <input
                        type="checkbox"
                        name="sealed"
                        disabled=!can_seal
                        aria-describedby="new-sealed-help"
                        on:change=move |event| seal.set(event_target_checked(&event).then(sealed::new_key).flatten())
                    />
                    <span>{t!(locale, sealed::SEAL)}</span>
                </label>
                <p class="field__help" id="new-sealed-help">
                    {if can_seal { t!(locale, sealed::SEAL_HELP) } else { t!(locale, sealed::SEAL_NOT_HERE) }}
                    {move || seal.read().is_some().then(|| [" ", t!(locale, sealed::SEAL_FIRST)].concat())}
                </p>
            </div>
            {error("chat")}
            <footer class="dialog__foot">
                <button class="button button--quiet" type="button" on:click=move |_| new.close()>
                    {t!(locale, form::CANCEL)}
                </button>
                <button class="button button--primary" type="submit">
                    {t!(locale, desk::OPEN_CHAT)}
                </button>
            </footer>
        </form>
    }
}

/// The step after opening the chat: copies its link and shows that.
#[component]
fn Opened(desk: State, id: ConversationId) -> impl IntoView {
    let locale = locales::current();
    let new = desk.new_chat;
    let (name, link) = new.opened.with_untracked(|opened| {
        let opened = opened.as_ref();
        let link = opened.and_then(|chat| chat.link.clone()).unwrap_or_default();
        (opened.map(|chat| chat.customer_name.clone()).unwrap_or_default(), link)
    });
    let is_kept = new.is_kept.get_value();
    let field = NodeRef::<html::Input>::new();
    let copied = RwSignal::new(None::<bool>);
    let text = link.clone();
    page::after_layout(move || {
        if let Some(field) = field.get_untracked() {
            field.select();
        }
        page::copy(&text, move |done| {
            copied.try_set(Some(done));
        });
    });
    let title = name.clone();
    let words = move |copied: Option<bool>| {
        copied.map(|copied| {
            let begin = if copied { t!(locale, desk::COPIED_SEND_TO) } else { t!(locale, desk::COPY_SEND_TO) };
            view! {
                <span>{begin} " "</span>
                <bdi>{name.clone()}</bdi>
                <span>{t!(locale, desk::LINK_WARNING)}</span>
            }
        })
    };
    let address = move || desk.view.read().with_chat(id, None).address();
    let go = move |click: MouseEvent| {
        if history::is_plain(&click) {
            new.close();
        }
        history::follow(&click, &untrack(address));
    };
    view! {
        <div class="form">
            <DialogHead new>
                {t!(locale, desk::CHAT_WITH)} " " <bdi>{title.clone()}</bdi> " " {t!(locale, desk::IS_OPEN)}
            </DialogHead>
            <p class="dialog__words" role="status">
                <Anew value=move || copied.get() children=words />
            </p>
            <CopyLink link label=t!(locale, desk::LINK_LABEL) field />
            {(!is_kept).then(|| view! { <p class="notice notice--warn">{t!(locale, sealed::UNSTORED)}</p> })}
            <footer class="dialog__foot">
                <a class="button button--primary" href=address on:click=go>
                    {t!(locale, desk::GO_TO_CHAT)}
                </a>
            </footer>
        </div>
    }
}
