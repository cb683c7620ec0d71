//! What there is to know about a chat and to do with it. A column on a wide screen, elsewhere a
//! popover that the chat's head opens. Its forms work without JavaScript; with it they are answered
//! in place, and what colleagues do meanwhile shows.

use leptos::{prelude::*, server_fn::ServerFn};
use wasm_bindgen::JsCast;
use web_sys::{Element as DomElement, Event as DomEvent};

use super::{
    copy_link::{copy_link, offer_copy},
    start_json,
};
use crate::{
    api,
    client::{
        ask::ask,
        json::{Json, Object},
        labels::{self, Zone},
        markup::{Element, el, to_html},
        page,
        paint::List,
        socket::{self, Event},
        wire::{FromJson, status_word},
    },
    domain::{Conversation, ConversationStatus, Timestamp},
    protocol::ServerFrame,
    ui::components::{Icon, icon},
};

/// The parts of the column, each with a key of its own.
fn parts(conversation: &Conversation, error: Option<&str>, zone: Zone) -> Vec<(u128, Element)> {
    let error = error.map(|error| el("p", "field__error").attr("role", "alert").text(error.to_owned()));
    let parts = [facts(conversation, zone), link(conversation), transcript(conversation), status(conversation)];
    (0..).zip(parts.into_iter().chain(error)).collect()
}

fn facts(conversation: &Conversation, zone: Zone) -> Element {
    let time = |at: Timestamp| {
        let time = el("time", "").attr("datetime", at.to_string()).attr("title", labels::full(at, zone));
        time.text(labels::long_date(at, zone))
    };
    let fact = |list: Element, name: &'static str, value: Element| list.with(el("dt", "").text(name)).with(value);
    let mut list = fact(el("dl", "facts"), "Customer", el("dd", "").text(conversation.customer_name.clone()));
    if let Some(email) = &conversation.customer_email {
        let link = el("a", "").attr("href", ["mailto:", email].concat()).text(email.clone());
        list = fact(list, "E-mail", el("dd", "").with(link));
    }
    if let Some(request) = conversation.request_id {
        let link = el("a", "").attr("href", ["/requests/", &request.to_string()].concat()).text("Show the request");
        list = fact(list, "About", el("dd", "").with(link));
    }
    let chip = if conversation.is_open() {
        el("span", "chip chip--ok").text("Open")
    } else {
        el("span", "chip").text("Closed")
    };
    list = fact(list, "Status", el("dd", "").with(chip));
    list = fact(list, "Opened", el("dd", "").with(time(conversation.created_at)));
    if let Some(at) = conversation.closed_at {
        let by = conversation.closed_by.as_ref().map(|name| " by ".to_owned() + name);
        list = fact(list, "Closed", el("dd", "").with(time(at)).text(by.unwrap_or_default()));
    }
    list
}

/// A button that posts to `/admin/chats/{id}/{what}`.
fn button(conversation: &Conversation, what: &str, class: &'static str, words: &'static str) -> Element {
    let address = ["/admin/chats/", &conversation.id.to_string(), "/", what].concat();
    let button = el("button", class).attr("type", "submit").text(words);
    el("form", "").attr("method", "post").attr("action", address).with(button)
}

fn part(title: &'static str) -> Element {
    el("section", "details__part").with(el("h3", "details__subtitle").text(title))
}

fn help(words: &'static str) -> Element {
    el("p", "details__help").text(words)
}

const SMALL: &str = "button button--small";

fn link(conversation: &Conversation) -> Element {
    let part = part("Link");
    match &conversation.link {
        Some(link) => {
            let actions = el("div", "details__actions")
                .with(button(conversation, "link", SMALL, "New link"))
                .with(button(conversation, "revoke", "button button--small button--danger", "Revoke link"));
            part.with(copy_link(link))
                .with(help("Whoever has this link can read and write here. A new link ends this one."))
                .with(actions)
        }
        None => part
            .with(help("There is no link to this chat now. Nobody can open it but you and your colleagues."))
            .with(button(conversation, "link", SMALL, "Make a link")),
    }
}

fn transcript(conversation: &Conversation) -> Element {
    let address = ["/api/v1/conversations/", &conversation.id.to_string(), "/transcript?format=html"].concat();
    part("Transcript")
        .with(help("Every message of this chat, in a file to keep or to print."))
        .with(el("a", SMALL).attr("href", address).attr("download", "").text("Save transcript"))
}

fn status(conversation: &Conversation) -> Element {
    let (title, words, what, act) = if conversation.is_open() {
        ("Close", "A closed chat can be read, but not written to. You can reopen it.", "close", "Close chat")
    } else {
        ("Reopen", "This chat can be read, but not written to.", "reopen", "Reopen chat")
    };
    part(title).with(help(words)).with(button(conversation, what, SMALL, act))
}

wakes! {
    /// Wakes the column inside it.
    LiveDetails, wake_up
}

/// For admins.
#[component]
pub fn Details(conversation: Conversation) -> impl IntoView {
    let start = start_json(&conversation);
    let parts = parts(&conversation, None, labels::utc);
    view! {
        <LiveDetails>
            <aside class="details" id="details" popover="auto" aria-label="About this chat">
                <script type="application/json" inner_html=start></script>
                <header class="details__head">
                    <h2 class="details__title">"About this chat"</h2>
                    <button
                        class="icon-button details__close"
                        type="button"
                        popovertarget="details"
                        popovertargetaction="hide"
                        aria-label="Close"
                    >
                        <Icon d=icon::CLOSE />
                    </button>
                </header>
                <div class="details__body" inner_html=to_html(parts.iter().map(|(_, part)| part))></div>
            </aside>
        </LiveDetails>
    }
}

fn wake_up() {
    let Some(root) = document().get_element_by_id("details") else { return };
    let start = root.query_selector("script").ok().flatten().and_then(|script| script.text_content());
    let start = start.and_then(|start| Conversation::from_json(&Json::parse(&start)?));
    let (Some(start), Ok(Some(body))) = (start, root.query_selector(".details__body")) else { return };

    let id = start.id;
    let mut painted = List::adopt(body, parts(&start, None, labels::utc));
    let shown = RwSignal::new((start, None::<String>));
    Effect::new(move || {
        let shown = shown.read();
        painted.update(parts(&shown.0, shown.1.as_deref(), page::local_zone));
    });
    socket::listen(move |event| {
        if let Event::Frame(ServerFrame::Inbox { conversation } | ServerFrame::ConversationUpdated { conversation, .. }) =
            event
            && conversation.id == id
            && shown.with_untracked(|(known, _)| known.head <= conversation.head)
        {
            shown.write().0 = (**conversation).clone();
        }
    });
    page::on(&root, "submit", move |event| {
        let Some(what) = asked(event) else { return };
        event.prevent_default();
        let arguments = Object::default().text("id", &id.to_string());
        let status = |status: ConversationStatus| (api::SetStatus::PATH, Some(status));
        let (path, status) = match &*what {
            "close" => status(ConversationStatus::Closed),
            "reopen" => status(ConversationStatus::Open),
            "link" => (api::MakeLink::PATH, None),
            _ => (api::RevokeLink::PATH, None),
        };
        let arguments = match status {
            Some(status) => arguments.text("status", status_word(status)),
            None => arguments,
        };
        ask::<Conversation>(path, arguments, move |answer| match answer {
            Ok(conversation) => shown.set((conversation, None)),
            Err(problem) => shown.write().1 = Some(problem.message),
        });
    });
    offer_copy(&root);
}

/// The last part of a form's address says what it does.
fn asked(event: &DomEvent) -> Option<String> {
    let form = event.target()?.dyn_into::<DomElement>().ok()?;
    form.get_attribute("action")?.rsplit('/').next().map(str::to_owned)
}
