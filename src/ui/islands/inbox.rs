//! The dashboard's list of chats: live, in order of activity, with what waits to be read.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};

use super::{
    chat_list::{ChatList, initials},
    new_chat::NewChat,
};
use crate::{
    api,
    client::{
        labels,
        page::{self, Counter},
        socket::{self, Event},
    },
    domain::{Conversation, ConversationId, ConversationStatus, Participant, ParticipantKind},
    protocol::{ClientFrame, ServerFrame},
    ui::components::{Icon, icon},
};

/// Several reasons to ask the server again become one question.
const ASK_AFTER: Duration = Duration::from_millis(300);
const CLOCK: Duration = Duration::from_secs(30);

#[derive(Clone, Copy)]
struct List {
    list: RwSignal<ChatList>,
    /// A question to the server is due.
    asking: StoredValue<bool>,
}

impl List {
    /// Asks for the first part, a little later.
    fn ask(self) {
        if self.asking.get_value() {
            return;
        }
        self.asking.set_value(true);
        set_timeout(
            move || {
                self.asking.set_value(false);
                self.load(None);
            },
            ASK_AFTER,
        );
    }

    /// Loads the first part, or the one at `cursor`.
    fn load(self, cursor: Option<String>) {
        let (status, search) = self.list.with_untracked(|list| (list.status, list.search.clone()));
        spawn_local(async move {
            let wanted = Some(search.clone()).filter(|search| !search.is_empty());
            let is_more = cursor.is_some();
            // Without an answer the list stays as it is; the next connection asks again.
            let Ok(part) = api::list_inbox(status, wanted, cursor).await else { return };
            let mut list = self.list.write();
            // The person has typed on meanwhile.
            if list.search != search {
                return;
            }
            if is_more { list.extend(part) } else { list.refresh(part) }
        });
    }

    fn hear(self, event: &Event, me: StoredValue<Option<crate::domain::ParticipantId>>) {
        match event {
            Event::Connected(person) => {
                me.set_value(Some(*person));
                // What happened while there was no connection told nobody.
                self.ask();
            }
            Event::Frame(ServerFrame::Inbox { conversation }) => {
                let unknown = self.list.write().apply((**conversation).clone());
                if unknown {
                    self.ask();
                }
            }
            Event::Frame(ServerFrame::Read { room, participant, seq }) if me.get_value() == Some(*participant) => {
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
}

/// The list of chats with `status`. `search` is empty for all of them.
#[island]
pub fn InboxList(
    inbox: api::Inbox,
    status: ConversationStatus,
    search: String,
    chosen: Option<ConversationId>,
) -> impl IntoView {
    let word = if status == ConversationStatus::Open { "open" } else { "closed" };
    let list = RwSignal::new(ChatList::new(inbox, status, search.clone()));
    let now = RwSignal::new(page::now());
    let awake = RwSignal::new(false);
    let live = RwSignal::new(false);
    let shared = List { list, asking: StoredValue::new(false) };
    let me = StoredValue::new(None);
    Effect::new(move || {
        awake.set(true);
        socket::listen(move |event| {
            match event {
                Event::Connected(_) => live.set(true),
                Event::Disconnected(_) => live.set(false),
                _ => {}
            }
            shared.hear(event, me);
        });
        set_interval(move || now.set(page::now()), CLOCK);
    });
    Effect::new(move || {
        if awake.get() {
            page::count_in_title(Counter::Inbox, list.with(ChatList::unread));
        }
    });

    let search_for = move |text: String| {
        if list.with_untracked(|list| list.search != text.trim()) {
            list.write().search = text.trim().to_owned();
            shared.ask();
        }
    };
    let tab = |this: ConversationStatus| (this == status).then_some("page");
    let ids = move || list.with(|list| list.shown().map(|item| item.id).collect::<Vec<_>>());
    let row = move |id: ConversationId| {
        let zone = if awake.get() { page::local_zone } else { labels::utc };
        list.with(|list| list.get(id).map(|item| row(item, word, chosen == Some(id), now.get(), zone)))
    };
    let more = move || {
        let cursor = list.with(|list| list.next_cursor.clone())?;
        let load = cursor.clone();
        Some(view! {
            <li class="inbox__more">
                <a
                    class="button button--quiet"
                    href=["/admin?status=", word, "&cursor=", &cursor].concat()
                    on:click=move |event| {
                        event.prevent_default();
                        shared.load(Some(load.clone()));
                    }
                >
                    "More"
                </a>
            </li>
        })
    };
    let empty = move || {
        if list.with(|list| list.shown().next().is_some()) {
            return None;
        }
        let search = list.with(|list| list.search.clone());
        let (text, href, action) = if !search.is_empty() {
            (["Nothing found for “", &search, "”."].concat(), ["/admin?status=", word].concat(), "Show all")
        } else if status == ConversationStatus::Open {
            (
                "No open chats. A new one starts with a link that you send.".to_owned(),
                "/admin?new=1".to_owned(),
                "New chat",
            )
        } else {
            ("No closed chats. A chat that you close can be read here.".to_owned(), "/admin".to_owned(), "Open chats")
        };
        Some(view! {
            <div class="empty">
                <p class="empty__text">{text}</p>
                <a class="button" href=href>
                    {action}
                </a>
            </div>
        })
    };
    view! {
        <section class="inbox" aria-label="Chats" data-live=move || if live.get() { "true" } else { "false" }>
            <header class="inbox__head">
                <h2 class="inbox__title">"Chats"</h2>
                <NewChat awake=awake />
            </header>
            <form
                class="search"
                role="search"
                method="get"
                action="/admin"
                on:submit=move |event| event.prevent_default()
            >
                <input type="hidden" name="status" value=word />
                <label class="visually-hidden" for="q">
                    "Search chats"
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
                    on:input=move |event| search_for(event_target_value(&event))
                />
            </form>
            <nav class="tabs" aria-label="Which chats">
                <a class="tabs__tab" href="/admin?status=open" aria-current=tab(ConversationStatus::Open)>
                    "Open "
                    <span class="tabs__count">{move || list.with(|list| list.open.to_string())}</span>
                </a>
                <a class="tabs__tab" href="/admin?status=closed" aria-current=tab(ConversationStatus::Closed)>
                    "Closed "
                    <span class="tabs__count">{move || list.with(|list| list.closed.to_string())}</span>
                </a>
            </nav>
            <ul class="inbox__list" hidden=move || list.with(|list| list.shown().next().is_none())>
                <For each=ids key=|id| *id children=move |id| move || row(id) />
                {more}
            </ul>
            {empty}
        </section>
    }
}

fn row(
    item: &Conversation,
    word: &str,
    chosen: bool,
    now: crate::domain::Timestamp,
    zone: labels::Zone,
) -> impl IntoView + use<> {
    let online = item.customer_online == Some(true);
    let class = if item.unread > 0 { "row row--unread" } else { "row" };
    let text_class = if item.last_message.is_some() { "row__text" } else { "row__text row__text--none" };
    let text = item.last_message.clone().unwrap_or_else(|| "No messages yet".to_owned());
    let unread = (item.unread > 0).then(|| {
        let count = item.unread.to_string();
        let said = if item.unread == 1 { " unread message" } else { " unread messages" };
        let said = count.clone() + said;
        let shown = if item.unread > 99 { "99+".to_owned() } else { count };
        view! {
            <span class="badge">
                <span aria-hidden="true">{shown}</span>
                <span class="visually-hidden">{said}</span>
            </span>
        }
    });
    view! {
        <li class="inbox__item" data-conversation=item.id.to_string()>
            <a
                class=class
                href=["/admin?status=", word, "&chat=", &item.id.to_string()].concat()
                aria-current=chosen.then_some("true")
            >
                <span class=if online { "avatar avatar--online" } else { "avatar" } aria-hidden="true">
                    {initials(&item.customer_name)}
                </span>
                <span class="row__name">
                    {item.customer_name.clone()} {online.then(|| view! { <span class="visually-hidden">", here now"</span> })}
                </span>
                <time
                    class="row__time"
                    datetime=item.updated_at.to_string()
                    title=labels::full(item.updated_at, zone)
                >
                    {labels::relative(item.updated_at, now, zone)}
                </time>
                <span class=text_class>{text}</span>
                {unread}
            </a>
        </li>
    }
}
