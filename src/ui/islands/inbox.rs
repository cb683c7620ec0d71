//! The dashboard's list of chats: live, in order of activity, with what waits to be read.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::{prelude::*, server_fn::ServerFn};
use wasm_bindgen::JsCast;
use web_sys::{Element as DomElement, Event as DomEvent, HtmlInputElement};

use super::{
    chat_list::{ChatList, initials},
    copy_link::offer_copy,
    new_chat::{NewChatDialog, offer_new_chat},
    start_json,
};
use crate::{
    api::{self, FOUND_MESSAGES, Found},
    client::{
        ask::ask,
        json::{Json, Object},
        labels::{self, Zone},
        markup::{Element, el, to_html},
        page::{self, Counter},
        paint::{List, say, set},
        socket::{self, Event},
        wire::{FromJson, member, status_word},
    },
    domain::{
        Conversation, ConversationId, ConversationStatus, Participant, ParticipantId, ParticipantKind, Timestamp,
    },
    protocol::{ClientFrame, ServerFrame},
    ui::components::{Icon, address, icon},
};

/// Several reasons to ask the server again become one question.
const ASK_AFTER: Duration = Duration::from_millis(300);
const CLOCK: Duration = Duration::from_secs(30);

impl FromJson for api::Inbox {
    fn from_json(json: &Json) -> Option<Self> {
        let (items, next_cursor) = (member(json, "items")?, member(json, "next_cursor")?);
        let (open, closed, found) = (member(json, "open")?, member(json, "closed")?, member(json, "found")?);
        Some(Self { items, next_cursor, open, closed, found })
    }
}

impl FromJson for Found {
    fn from_json(json: &Json) -> Option<Self> {
        Some(Self {
            id: member(json, "id")?,
            conversation_id: member(json, "conversation_id")?,
            seq: member(json, "seq")?,
            customer_name: member(json, "customer_name")?,
            sender_name: member(json, "sender_name")?,
            created_at: member(json, "created_at")?,
            before: member(json, "before")?,
            word: member(json, "word")?,
            after: member(json, "after")?,
        })
    }
}

/// What the list of chats starts from, besides its first part.
struct Start {
    inbox: api::Inbox,
    status: ConversationStatus,
    search: String,
    chosen: Option<ConversationId>,
}

/// How the list is looked at.
#[derive(Clone, Copy)]
struct Look {
    chosen: Option<ConversationId>,
    now: Timestamp,
    zone: Zone,
}

/// Everything in the list, each with a key of its own.
fn rows(list: &ChatList, look: Look) -> Vec<(u128, Element)> {
    const MORE: u128 = u128::MAX;
    const EMPTY: u128 = u128::MAX - 1;
    const MESSAGES: u128 = u128::MAX - 2;
    const ALL: u128 = u128::MAX - 3;
    let mut rows: Vec<_> = list.shown().map(|item| (item.id.0.as_u128(), row(item, list, look))).collect();
    if rows.is_empty() && list.found.is_empty() {
        rows.push((EMPTY, empty(list)));
    }
    if let Some(cursor) = &list.next_cursor {
        let link = el("a", "button button--quiet").attr("href", here(list, &[("cursor", cursor)]));
        rows.push((MORE, el("li", "inbox__more").with(link.attr("data-act", "more").text("More"))));
    }
    if !list.found.is_empty() {
        rows.push((MESSAGES, el("li", "inbox__part").with(el("h3", "inbox__subtitle").text("Messages"))));
        rows.extend(list.found.iter().map(|found| (found.id.0.as_u128(), found_row(found, list, look))));
    }
    if list.found.len() as i64 == FOUND_MESSAGES {
        let said = "These are the latest messages. More words find fewer.";
        rows.push((ALL, el("li", "inbox__part").with(el("p", "inbox__hint").text(said))));
    }
    rows
}

/// The address of this list, with something more.
fn here(list: &ChatList, more: &[(&str, &str)]) -> String {
    let pairs = [&[("status", status_word(list.status)), ("q", &list.search)], more].concat();
    address("/admin", &pairs)
}

/// A message that was found, which leads to its place in its chat.
fn found_row(found: &Found, list: &ChatList, look: Look) -> Element {
    let (id, seq) = (found.conversation_id.to_string(), found.seq.to_string());
    let address = [&here(list, &[("chat", &id), ("before", &seq)]), "#m-", &seq].concat();
    let by = (found.sender_name != found.customer_name).then(|| [&found.sender_name, ": "].concat());
    let text = el("span", "row__text")
        .text(by.unwrap_or_default())
        .text(found.before.clone())
        .with_all((!found.word.is_empty()).then(|| el("mark", "row__mark").text(found.word.clone())))
        .text(found.after.clone());
    let link = el("a", "row row--found")
        .attr("href", address)
        .with(el("span", "row__name").text(found.customer_name.clone()))
        .with(time(found.created_at, look))
        .with(text);
    el("li", "inbox__item").with(link)
}

fn time(at: Timestamp, look: Look) -> Element {
    el("time", "row__time")
        .attr("datetime", at.to_string())
        .attr("title", labels::full(at, look.zone))
        .text(labels::relative(at, look.now, look.zone))
}

fn row(item: &Conversation, list: &ChatList, look: Look) -> Element {
    let id = item.id.to_string();
    let online = item.customer_online == Some(true);
    let address = here(list, &[("chat", &id)]);
    let name = el("span", "row__name").text(item.customer_name.clone());
    let name = name.with_all(online.then(|| el("span", "visually-hidden").text(", here now")));
    let text = match &item.last_message {
        Some(text) => el("span", "row__text").text(text.clone()),
        None => el("span", "row__text row__text--none").text("No messages yet"),
    };
    let badge = (item.unread > 0).then(|| {
        let count = item.unread.to_string();
        let said = if item.unread == 1 { " unread message" } else { " unread messages" };
        let shown = if item.unread > 99 { "99+".into() } else { count.clone() };
        el("span", "badge")
            .with(el("span", "").attr("aria-hidden", "true").text(shown))
            .with(el("span", "visually-hidden").text(count).text(said))
    });
    let avatar = if online { "avatar avatar--online" } else { "avatar" };
    let link = el("a", if item.unread > 0 { "row row--unread" } else { "row" })
        .attr("href", address)
        .maybe("aria-current", (look.chosen == Some(item.id)).then_some("true"))
        .with(el("span", avatar).attr("aria-hidden", "true").text(initials(&item.customer_name)))
        .with(name)
        .with(time(item.updated_at, look))
        .with(text)
        .with_all(badge);
    el("li", "inbox__item").attr("data-conversation", id).with(link)
}

fn empty(list: &ChatList) -> Element {
    let (text, address, action) = match list.status {
        _ if !list.search.is_empty() => {
            let all = ["/admin?status=", status_word(list.status)].concat();
            (["Nothing found for “", &list.search, "”."].concat(), all, "Show all")
        }
        ConversationStatus::Open => (
            "No open chats. A new one starts with a link that you send.".to_owned(),
            "/admin?new=1".to_owned(),
            "New chat",
        ),
        ConversationStatus::Closed => {
            ("No closed chats. One that you close can be read here.".to_owned(), "/admin".to_owned(), "Open chats")
        }
    };
    let text = el("p", "empty__text").text(text);
    el("li", "empty").with(text).with(el("a", "button").attr("href", address).text(action))
}

wakes! {
    /// Wakes the list inside it.
    LiveInbox, wake_up
}

/// The list of chats with `status`. `search` is empty for all of them. `has_dialog` is false on the
/// page that is itself the form of a new chat.
#[component]
pub fn InboxList(
    inbox: api::Inbox,
    status: ConversationStatus,
    search: String,
    chosen: Option<ConversationId>,
    has_dialog: bool,
) -> impl IntoView {
    let word = status_word(status);
    let start = start_json(&(&inbox, word, &search, chosen));
    let (open, closed) = (inbox.open, inbox.closed);
    let list = ChatList::new(inbox, status, search.clone());
    let rows = rows(&list, Look { chosen, now: page::now(), zone: labels::utc });
    let tab = move |this: ConversationStatus| (this == status).then_some("page");
    view! {
        <LiveInbox>
            <section class="inbox" aria-label="Chats">
                <script type="application/json" inner_html=start></script>
                <header class="inbox__head">
                    <h2 class="inbox__title">"Chats"</h2>
                    <a class="button button--primary button--small" href="/admin?new=1" data-act="new-chat">
                        <Icon d=icon::PLUS />
                        "New chat"
                    </a>
                </header>
                <form class="search" role="search" method="get" action="/admin">
                    <input type="hidden" name="status" value=word />
                    <label class="visually-hidden" for="q">
                        "Search chats and messages"
                    </label>
                    <Icon d=icon::SEARCH />
                    <input
                        class="search__input"
                        id="q"
                        type="search"
                        name="q"
                        placeholder="Search"
                        autocomplete="off"
                        value=search
                    />
                </form>
                <nav class="tabs" aria-label="Which chats">
                    <a class="tabs__tab" href="/admin?status=open" aria-current=tab(ConversationStatus::Open)>
                        "Open "
                        <span class="tabs__count">{labels::count(open)}</span>
                    </a>
                    <a class="tabs__tab" href="/admin?status=closed" aria-current=tab(ConversationStatus::Closed)>
                        "Closed "
                        <span class="tabs__count">{labels::count(closed)}</span>
                    </a>
                </nav>
                <ul class="inbox__list" inner_html=to_html(rows.iter().map(|(_, row)| row))></ul>
                {has_dialog.then(|| view! { <NewChatDialog /> })}
            </section>
        </LiveInbox>
    }
}

fn read_start(root: &DomElement) -> Option<Start> {
    let start = root.query_selector("script").ok()??.text_content()?;
    let Json::List(start) = Json::parse(&start)? else { return None };
    let [inbox, status, search, chosen] = &start[..] else { return None };
    let (inbox, status) = (api::Inbox::from_json(inbox)?, FromJson::from_json(status)?);
    Some(Start { inbox, status, search: FromJson::from_json(search)?, chosen: FromJson::from_json(chosen)? })
}

/// Shared by everything that listens.
struct Desk {
    root: DomElement,
    list: RwSignal<ChatList>,
    now: RwSignal<Timestamp>,
    me: Cell<Option<ParticipantId>>,
    /// Whether a question to the server is due.
    asking: Cell<bool>,
}

fn wake_up() {
    let Some(root) = document().query_selector(".inbox").ok().flatten() else { return };
    let Some(Start { inbox, status, search, chosen }) = read_start(&root) else { return };
    let Ok(Some(place)) = root.query_selector(".inbox__list") else { return };
    let count = |tab: &str| root.query_selector(&[tab, " .tabs__count"].concat()).ok().flatten();
    let counts = [count(".tabs__tab:first-child"), count(".tabs__tab:last-child")];

    let list = ChatList::new(inbox, status, search);
    let look = Look { chosen, now: page::now(), zone: labels::utc };
    // As the server wrote it; the first painting turns it to local time.
    let mut painted = List::adopt(place, rows(&list, look));
    let desk = Rc::new(Desk {
        root: root.clone(),
        list: RwSignal::new(list),
        now: RwSignal::new(look.now),
        me: Cell::new(None),
        asking: Cell::new(false),
    });

    let (list, now) = (desk.list, desk.now);
    Effect::new(move || {
        let list = list.read();
        painted.update(rows(&list, Look { now: now.get(), zone: page::local_zone, ..look }));
        for (place, count) in counts.iter().zip([list.open, list.closed]) {
            if let Some(place) = place {
                say(place, &labels::count(count));
            }
        }
        page::count_in_title(Counter::Inbox, list.unread());
    });
    set_interval(move || now.set(page::now()), CLOCK);
    let pressing = desk.clone();
    page::on(&root, "click", move |event| pressing.pressed(event));
    let typing = desk.clone();
    page::on(&root, "input", move |event| typing.typed(event));
    offer_new_chat(&root);
    offer_copy(&root);
    socket::listen(move |event| desk.hear(event));
}

impl Desk {
    fn hear(self: &Rc<Self>, event: &Event) {
        match event {
            Event::Disconnected(_) => set(&self.root, "data-live", Some("false")),
            Event::Connected(me) => {
                set(&self.root, "data-live", Some("true"));
                self.me.set(Some(*me));
                // What happened while there was no connection told nobody.
                self.ask_soon();
            }
            Event::Frame(ServerFrame::Inbox { conversation }) => {
                let is_unknown = self.list.write().apply((**conversation).clone());
                if is_unknown {
                    self.ask_soon();
                }
            }
            Event::Frame(ServerFrame::Read { room, participant, seq }) if self.me.get() == Some(*participant) => {
                self.list.write().apply_read(*room, *seq);
            }
            Event::Sent(ClientFrame::Read { room, seq }) => self.list.write().apply_read(*room, *seq),
            Event::Frame(ServerFrame::Presence { room, participants }) => {
                let here = |person: &Participant| person.online && person.kind != ParticipantKind::Admin;
                self.list.write().set_online(*room, participants.iter().any(here));
            }
            _ => {}
        }
    }

    /// Asks for the first part, a little later.
    fn ask_soon(self: &Rc<Self>) {
        if !self.asking.replace(true) {
            let desk = self.clone();
            set_timeout(
                move || {
                    desk.asking.set(false);
                    desk.load(None);
                },
                ASK_AFTER,
            );
        }
    }

    /// Loads the first part, or the one at `cursor`.
    fn load(self: &Rc<Self>, cursor: Option<String>) {
        let (status, search) = self.list.with_untracked(|list| (list.status, list.search.clone()));
        let wanted = Some(&*search).filter(|search| !search.is_empty());
        let arguments = Object::default().text("status", status_word(status)).some_text("search", wanted);
        let arguments = arguments.some_text("cursor", cursor.as_deref());
        let list = self.list;
        ask::<api::Inbox>(api::ListInbox::PATH, arguments, move |part| {
            // Without an answer the list stays as it is; the next connection asks again.
            let Ok(part) = part else { return };
            let mut list = list.write();
            // The person has typed on meanwhile.
            if list.search != search {
                return;
            }
            if cursor.is_some() { list.extend(part) } else { list.refresh(part) }
        });
    }

    fn pressed(self: &Rc<Self>, event: &DomEvent) {
        let target = event.target().and_then(|target| target.dyn_into::<DomElement>().ok());
        if target.is_some_and(|target| target.closest("[data-act=more]").ok().flatten().is_some()) {
            event.prevent_default();
            self.load(self.list.with_untracked(|list| list.next_cursor.clone()));
        }
    }

    fn typed(self: &Rc<Self>, event: &DomEvent) {
        let field = event.target().and_then(|target| target.dyn_into::<HtmlInputElement>().ok());
        let Some(search) = field.filter(|field| field.id() == "q").map(|field| field.value()) else { return };
        let search = search.trim();
        if self.list.with_untracked(|list| list.search != search) {
            self.list.write().search = search.to_owned();
            self.ask_soon();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{client::markup::to_html, domain::MessageId};

    fn found() -> Found {
        Found {
            id: MessageId::new(),
            conversation_id: ConversationId::new(),
            seq: 7,
            customer_name: "Cleo".into(),
            sender_name: "Ada".into(),
            created_at: Timestamp(0),
            before: "of ".into(),
            word: "oak".into(),
            after: " <wood>".into(),
        }
    }

    #[test]
    fn what_the_server_found_is_read_from_its_json() {
        let inbox = api::Inbox { items: Vec::new(), next_cursor: None, open: 1, closed: 2, found: vec![found()] };
        let json = Json::parse(&serde_json::to_string(&inbox).unwrap()).unwrap();
        assert_eq!(api::Inbox::from_json(&json), Some(inbox));
    }

    #[test]
    fn a_message_that_was_found_leads_to_its_place() {
        let inbox = api::Inbox { items: Vec::new(), next_cursor: None, open: 0, closed: 0, found: vec![found()] };
        let id = inbox.found[0].conversation_id;
        let list = ChatList::new(inbox, ConversationStatus::Open, "oak & ash".into());
        let rows = rows(&list, Look { chosen: None, now: Timestamp(0), zone: labels::utc });
        let html = to_html(rows.iter().map(|(_, row)| row));
        let address = format!("href=\"/admin?status=open&amp;q=oak%20%26%20ash&amp;chat={id}&amp;before=7#m-7\"");
        assert!(html.contains(&address), "{html}");
        assert!(html.contains("Ada: of <mark class=\"row__mark\">oak</mark> &lt;wood&gt;"), "{html}");
        assert!(!html.contains("Nothing found"), "{html}");
    }
}
