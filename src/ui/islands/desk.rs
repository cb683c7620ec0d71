//! The dashboard: the list of chats, one chat, and its details. Choosing another chat replaces the chat, not the
//! page. The list is preserved, the socket stays open, and the address changes. Without JavaScript the same links
//! load pages.

use std::time::Duration;

use leptos::{either::EitherOf4, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};

use super::{
    chat::{ChatCache, ChatPanel, MessageForm, Place},
    chat_list::ChatList,
    details::Details,
    inbox::InboxList,
    new_chat::NewChat,
};
use crate::{
    api,
    client::{
        history,
        page::{self, Counter},
        socket::{self, Event},
    },
    domain::{ConversationId, ConversationStatus, Participant, ParticipantId, ParticipantKind, Timestamp},
    locales::{self, t},
    protocol::{ClientFrame, ServerFrame},
    ui::components::{Anew, Clock, address},
};

/// Delay that combines several reasons for a request into one.
pub(super) const ASK_AFTER: Duration = Duration::from_millis(300);
/// Delay before the page shows that a chat is loading.
const SAY_LOADING_AFTER: Duration = Duration::from_millis(300);
/// How long the order of the list is held after the last movement in it.
const HOLD_MS: i64 = 1_000;

/// The view of the dashboard, which its address contains.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    pub chat: Option<ConversationId>,
    /// The message at which the chat opens, for a search result.
    pub seq: Option<i64>,
    pub status: ConversationStatus,
    /// Empty for all chats.
    pub search: String,
}

impl View {
    /// The view in the page's address, from now on. The page was opened with `rendered`.
    fn of_address(rendered: Self) -> Memo<Self> {
        let chat = history::query("chat", rendered.chat.map(|id| id.to_string()));
        let seq = history::query("before", rendered.seq.map(|seq| seq.to_string()));
        let status = history::query("status", Some(word(rendered.status).to_owned()));
        let search = history::query("q", Some(rendered.search));
        Memo::new(move |_| {
            let chat = chat.read().as_ref().and_then(|id| id.parse().ok());
            let status = match status.read().as_deref() {
                Some("open") => ConversationStatus::Open,
                Some("closed") => ConversationStatus::Closed,
                // Without a status in the address, a chat's own status applies.
                _ if chat.is_some() && chat == rendered.chat => rendered.status,
                _ => ConversationStatus::Open,
            };
            let seq = seq.read().as_ref().and_then(|seq| seq.parse().ok());
            Self { chat, seq, status, search: search.get().unwrap_or_default() }
        })
    }

    #[must_use]
    pub fn address(&self) -> String {
        let (chat, seq) = (self.chat.map(|id| id.to_string()), self.seq.map(|seq| seq.to_string()));
        let (chat, seq) = (chat.unwrap_or_default(), seq.unwrap_or_default());
        let status =
            if self.chat.is_none() && self.status == ConversationStatus::Open { "" } else { word(self.status) };
        let address =
            address("/admin", &[("chat", &chat), ("before", &seq), ("status", status), ("q", self.search.trim())]);
        if seq.is_empty() { address } else { format!("{address}#m-{seq}") }
    }

    /// This view with a chat, at a message.
    #[must_use]
    pub fn with_chat(&self, id: ConversationId, seq: Option<i64>) -> Self {
        Self { chat: Some(id), seq, ..self.clone() }
    }

    /// This view without a chat.
    #[must_use]
    pub fn without_chat(&self) -> Self {
        Self { chat: None, seq: None, ..self.clone() }
    }
}

/// The status in addresses.
pub(super) fn word(status: ConversationStatus) -> &'static str {
    match status {
        ConversationStatus::Open => "open",
        ConversationStatus::Closed => "closed",
    }
}

/// The content beside the list.
#[derive(Clone)]
enum Shown {
    Nothing,
    Loading,
    /// With the error message.
    Failed(String),
    Chat(Box<api::Chat>),
}

/// The state that all parts of the dashboard share.
#[derive(Clone, Copy)]
pub(super) struct State {
    pub view: Memo<View>,
    /// The same without the chat: the view of the list.
    pub listed: Memo<View>,
    pub list: RwSignal<ChatList>,
    pub new_chat: NewChat,
    pub clock: Clock,
    pub is_live: RwSignal<bool>,
    /// Whether the order of the list is held, because the person moves in it.
    pub is_held: RwSignal<bool>,
    held_until: StoredValue<i64>,
    is_pressed: StoredValue<bool>,
    /// Each content has its own number, and its own elements.
    shown: RwSignal<(u32, Shown)>,
    visited: ChatCache,
    /// Counts the inputs to the search.
    typing: StoredValue<u32>,
    /// Counts the requests for chats.
    asked: StoredValue<u32>,
    me: StoredValue<Option<ParticipantId>>,
    /// Whether a request to the server is due.
    is_asking: StoredValue<bool>,
}

/// The dashboard in its initial state.
#[island(lazy)]
pub fn Desk(
    inbox: api::Inbox,
    view: View,
    chat: Option<api::Chat>,
    /// The name of the business, for the title.
    business: String,
    /// The form of the chat.
    form: MessageForm,
    now: Timestamp,
) -> impl IntoView {
    let locale = locales::current();
    let mut list = ChatList::new(inbox, view.status, view.search.clone());
    if let Some(chat) = &chat {
        list.open_beside(chat.joined.conversation.clone());
    }
    let form = StoredValue::new(form);
    let shown = chat.map_or(Shown::Nothing, |chat| Shown::Chat(Box::new(chat)));
    let view = View::of_address(view);
    let desk = State {
        view,
        listed: Memo::new(move |_| view.read().without_chat()),
        list: RwSignal::new(list),
        new_chat: NewChat::new(),
        clock: Clock::new(now),
        is_live: RwSignal::new(false),
        is_held: RwSignal::new(false),
        held_until: StoredValue::new(0),
        is_pressed: StoredValue::new(false),
        shown: RwSignal::new((0, shown)),
        visited: ChatCache::new(),
        typing: StoredValue::new(0),
        asked: StoredValue::new(0),
        me: StoredValue::new(None),
        is_asking: StoredValue::new(false),
    };
    provide_context(desk.visited);
    Effect::new(move || desk.wake_up());
    Effect::new(move |before: Option<View>| {
        let view = desk.view.get();
        if let Some(before) = before {
            desk.show(&before, &view);
        }
        view
    });
    let unread = Memo::new(move |_| desk.list.read().unread);
    Effect::new(move || {
        let name = match &desk.shown.read().1 {
            Shown::Chat(chat) => chat.joined.conversation.customer_name.clone(),
            Shown::Nothing | Shown::Loading | Shown::Failed(_) => t!(locale, frame::CHATS).to_owned(),
        };
        page::name(&format!("{name} · {business}"));
        page::count_in_title(Counter::Inbox, unread.get());
    });
    let class = move || match &desk.shown.read().1 {
        Shown::Nothing => "desk",
        Shown::Loading | Shown::Failed(_) => "desk desk--chat",
        Shown::Chat(_) => "desk desk--chat desk--about",
    };
    let conversation = move || match &desk.shown.read_untracked().1 {
        Shown::Chat(chat) => Some(chat.joined.conversation.clone()),
        Shown::Nothing | Shown::Loading | Shown::Failed(_) => None,
    };
    let visit = move || desk.shown.read().0;
    view! {
        <div class=class>
            <InboxList desk />
            <div class="desk__main">
                <Anew value=visit let:visit>
                    {
                        let shown = desk.shown.get_untracked().1;
                        // The first one hydrates the server's HTML.
                        let (form, now) = if visit == 0 {
                            (form.get_value(), now)
                        } else {
                            (MessageForm::empty(), page::server_now())
                        };
                        view! { <Main desk shown form now /> }
                    }
                </Anew>
            </div>
            <Anew value=visit let:_visit>
                {conversation().map(|conversation| view! { <Details conversation clock=desk.clock /> })}
            </Anew>
        </div>
    }
}

#[component]
fn Main(desk: State, shown: Shown, form: MessageForm, now: Timestamp) -> impl IntoView {
    let locale = locales::current();
    match shown {
        Shown::Nothing => EitherOf4::A(view! {
            <div class="empty">
                <h1 class="empty__title">{t!(locale, chat::CHOOSE)}</h1>
                <p class="empty__text">{t!(locale, chat::CHOOSE_HELP)}</p>
            </div>
        }),
        Shown::Loading => EitherOf4::B(view! {
            <div class="empty" role="status">
                <p class="empty__text">{t!(locale, chat::LOADING)}</p>
            </div>
        }),
        Shown::Failed(words) => {
            let again = desk.view.with_untracked(View::address);
            EitherOf4::C(view! {
                <div class="empty" role="alert">
                    <p class="empty__text">{words}</p>
                    <a class="button" href=again>
                        {t!(locale, chat::TRY_AGAIN)}
                    </a>
                </div>
            })
        }
        Shown::Chat(chat) => {
            let name = chat.joined.conversation.customer_name.clone();
            let on_leave = Callback::new(move |click| {
                let address = desk.view.with_untracked(|view| view.without_chat().address());
                history::follow(&click, &address);
            });
            EitherOf4::D(view! {
                <ChatPanel chat=*chat name place=Place::Desk about=None form now on_leave=Some(on_leave) />
            })
        }
    }
}

impl State {
    /// Starts the live dashboard after hydration.
    fn wake_up(self) {
        socket::listen(move |event| self.hear(event));
    }

    fn hear(self, event: &Event) {
        match event {
            Event::Disconnected(_) => self.is_live.set(false),
            Event::Connected(me) => {
                self.is_live.set(true);
                self.me.set_value(Some(*me));
                // Changes without a connection sent no frames.
                self.ask_soon();
                if self.shown.with_untracked(|(_, shown)| matches!(shown, Shown::Failed(_))) {
                    self.show_chat(&self.view.get_untracked());
                }
            }
            Event::Frame(ServerFrame::Inbox { conversation }) => {
                self.change(|list| list.apply((**conversation).clone()));
            }
            Event::Frame(ServerFrame::Read { room, participant, seq }) if self.me.get_value() == Some(*participant) => {
                self.change(|list| list.apply_read(*room, *seq));
            }
            Event::Sent(ClientFrame::Read { room, seq }) => self.change(|list| list.apply_read(*room, *seq)),
            Event::Frame(ServerFrame::Presence { room, participants }) => {
                let here = |person: &Participant| person.online && person.kind != ParticipantKind::Admin;
                let is_here = participants.iter().any(here);
                self.list.maybe_update(|list| list.set_online(*room, is_here));
            }
            _ => {}
        }
    }

    /// Changes the list, and reloads it if the change requires that.
    fn change(self, change: impl FnOnce(&mut ChatList) -> bool) {
        let must_ask = change(&mut self.list.write());
        if must_ask {
            self.ask_soon();
        }
    }

    /// Searches while the person types, after each pause. A search adds no history entry: Back leads to the page
    /// before.
    pub fn search(self, search: String, pause: Duration) {
        self.typing.set_value(self.typing.get_value() + 1);
        let typed = self.typing.get_value();
        set_timeout(
            move || {
                if self.typing.get_value() == typed {
                    let view = View { search: search.trim().to_owned(), ..self.view.get_untracked() };
                    history::replace(&view.address());
                }
            },
            pause,
        );
    }

    /// Handles a change of the address.
    fn show(self, before: &View, view: &View) {
        if (view.status, &view.search) != (before.status, &before.search) {
            self.load(None);
        }
        if (view.chat, view.seq) != (before.chat, before.seq) {
            self.show_chat(view);
        }
    }

    fn show_chat(self, view: &View) {
        // Cancels earlier requests.
        self.asked.set_value(self.asked.get_value() + 1);
        let Some(id) = view.chat else { return self.put(Shown::Nothing) };
        let seq = view.seq;
        let has_seq = |chat: &api::Chat| {
            let first = chat.joined.messages.first().map_or(1, |message| message.seq);
            seq.is_none_or(|seq| !chat.joined.more || first < seq)
        };
        if let Some(known) = self.visited.get(id).filter(has_seq) {
            return self.put(Shown::Chat(Box::new(known)));
        }
        let asked = self.asked.get_value();
        let is_wanted = move || self.asked.get_value() == asked;
        set_timeout(
            move || {
                if is_wanted() {
                    self.put(Shown::Loading);
                }
            },
            SAY_LOADING_AFTER,
        );
        spawn_local(async move {
            let answer = api::load_chat(id, seq).await;
            if is_wanted() {
                self.asked.set_value(asked + 1);
                self.put(match answer {
                    Ok(chat) => Shown::Chat(Box::new(chat)),
                    Err(problem) => Shown::Failed(problem.message),
                });
            }
        });
    }

    /// Replaces the content beside the list.
    fn put(self, shown: Shown) {
        // Writing to the list updates all its rows, so it is only done if needed.
        if let Shown::Chat(chat) = &shown
            && self.list.with_untracked(|list| list.get(chat.joined.room).is_none())
        {
            self.list.write().open_beside(chat.joined.conversation.clone());
        }
        // The replaced panel leaves its room.
        self.shown.update(|now| *now = (now.0 + 1, shown));
    }

    /// Loads the first part after a delay.
    fn ask_soon(self) {
        if !self.is_asking.get_value() {
            self.is_asking.set_value(true);
            set_timeout(
                move || {
                    self.is_asking.set_value(false);
                    self.load(None);
                },
                ASK_AFTER,
            );
        }
    }

    /// Loads the first part, or the one at `cursor`.
    pub fn load(self, cursor: Option<String>) {
        let wanted = move || self.view.with_untracked(|view| (view.status, view.search.clone()));
        let (status, search) = wanted();
        spawn_local(async move {
            let words = Some(search.clone()).filter(|search| !search.is_empty());
            // After an error the list stays unchanged; the next connection loads it again.
            let Ok(part) = api::list_inbox(status, words, cursor.clone()).await else { return };
            // The person has changed the view meanwhile.
            if wanted() != (status, search.clone()) {
                return;
            }
            let mut list = self.list.write();
            if (list.status, &list.search) != (status, &search) {
                *list = ChatList::new(part, status, search);
                if let Shown::Chat(chat) = &self.shown.read_untracked().1 {
                    list.open_beside(chat.joined.conversation.clone());
                }
                self.is_held.set(false);
            } else if cursor.is_some() {
                list.extend(part);
            } else {
                list.refresh(part);
            }
        });
    }

    /// Holds the order while the person moves in the list, so that no row moves under the pointer.
    pub fn hold(self) {
        self.held_until.set_value(page::monotonic_ms() + HOLD_MS);
        if !self.is_held.get_untracked() {
            self.is_held.set(true);
            self.let_go_in(HOLD_MS);
        }
    }

    /// Records a press or release in the list. The order is held while the pointer is down.
    pub fn press(self, is_down: bool) {
        self.is_pressed.set_value(is_down);
        self.hold();
    }

    fn let_go_in(self, after_ms: i64) {
        let look = move || match self.held_until.get_value() - page::monotonic_ms() {
            _ if self.is_pressed.get_value() => self.let_go_in(HOLD_MS),
            ..=0 => self.is_held.set(false),
            more => self.let_go_in(more),
        };
        set_timeout(look, Duration::from_millis(after_ms.max(0) as u64));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_contain_the_view() {
        let all = View { chat: None, seq: None, status: ConversationStatus::Open, search: String::new() };
        assert_eq!(all.address(), "/admin");
        let found = View { search: "oak & ash ".into(), ..all.clone() };
        assert_eq!(found.address(), "/admin?q=oak%20%26%20ash");
        let id = ConversationId::new();
        let address = format!("/admin?chat={id}&before=7&status=open&q=oak%20%26%20ash#m-7");
        assert_eq!(found.with_chat(id, Some(7)).address(), address);
        let closed = View { status: ConversationStatus::Closed, ..all };
        assert_eq!(closed.address(), "/admin?status=closed");
    }
}
