//! The state and actions of a chat panel in the browser: the room as a signal, and the parts of the page that depend
//! on it.

use std::{cell::Cell, time::Duration};

use leptos::{html, leptos_dom::helpers::set_timeout, prelude::*, tachys::html::node_ref::NodeRefContainer};
use wasm_bindgen::JsCast;
use web_sys::{HtmlDetailsElement, HtmlElement, KeyboardEvent, Node};

use super::{MessageForm, part::Need, status::Status};
use crate::{
    api,
    client::{
        labels::{self, Zone, utc},
        log::{Body, Key, Line, body},
        outbox::{Entry, Outbox},
        page::{self, Counter},
        reconnect::Indicator,
        room::{Do, Room, Seal, room_of},
        socket::{self, Event},
        storage,
    },
    domain::{ClientId, Code, ConversationId, Message, MessageId, Participant, ParticipantKind, Quote, Timestamp},
    locales::{self, t},
    protocol::ClientFrame,
};

/// Update interval of texts like "5 min ago".
const CLOCK: Duration = Duration::from_secs(30);

/// For admins, who are told nothing about answers.
const NEVER: Timestamp = Timestamp(i64::MAX);

/// How long after an error the panel asks again for the words about answers.
const ASK_AGAIN_MS: i64 = 60_000;

/// The last state of left chats, to show them at once on return. An island that shows several chats in turn provides
/// it as a context. The most recently left chat is last.
#[derive(Clone, Copy)]
pub struct ChatCache(StoredValue<Vec<api::Chat>>);

/// Maximum number of cached chats: one with long messages takes some hundred kilobytes.
const MOST_KEPT: usize = 30;

impl ChatCache {
    #[must_use]
    pub fn new() -> Self {
        Self(StoredValue::new(Vec::new()))
    }

    #[must_use]
    pub fn get(self, id: ConversationId) -> Option<api::Chat> {
        self.0.with_value(|chats| chats.iter().find(|chat| chat.joined.room == id).cloned())
    }

    fn keep(self, chat: api::Chat) {
        self.0.update_value(|chats| {
            chats.retain(|known| known.joined.room != chat.joined.room);
            if chats.len() == MOST_KEPT {
                chats.remove(0);
            }
            chats.push(chat);
        });
    }
}

impl Default for ChatCache {
    fn default() -> Self {
        Self::new()
    }
}

/// One line of the log: its key is constant, its content may change.
pub(super) type LineSignal = (Key, ArcRwSignal<Line>);

/// Where a text goes: a new message, with the one that it replies to, or a changed one.
#[derive(Clone, Copy)]
pub(super) enum Target {
    New(Option<MessageId>),
    Edit(MessageId),
}

/// What a page with the key of a sealed chat can do; see `chat/sealed.rs`.
#[derive(Clone, Copy)]
pub(super) struct Sealer {
    /// The text of a sealed one, or what to show in its place.
    pub read: fn(&str) -> String,
    /// Replaces the sealed texts of the log.
    pub reveal: fn(&Room, &mut [Line]),
    /// Writes a text once it is encrypted.
    pub write: fn(Panel, String, Target),
}

thread_local! {
    pub(super) static SEALER: Cell<Option<Sealer>> = const { Cell::new(None) };
}

/// The key's functions, for a chat that is open.
pub(super) fn sealer(room: &Room) -> Option<Sealer> {
    SEALER.get().filter(|_| room.seal == Seal::Open)
}

/// The lines of the log. Those of a sealed chat have placeholders until the key is there.
fn lines(room: &Room, now: Timestamp, zone: Zone) -> Vec<Line> {
    let mut lines = room.lines(now, zone);
    if room.seal == Seal::None {
        return lines;
    }
    if let Some(sealer) = sealer(room) {
        (sealer.reveal)(room, &mut lines);
        return lines;
    }
    let words = t!(locales::current(), chat::SEALED_MESSAGE);
    for line in &mut lines {
        if let Line::Message(bubble) = line {
            // The sealed form is one word.
            if let Body::Text(_) = bubble.body {
                bubble.body = body(words);
            }
            if let Some(quote) = &mut bubble.quote {
                quote.excerpt = words.to_owned();
            }
        }
    }
    lines
}

/// A message as its reader sees it.
pub(super) fn revealed(room: &Room, message: &Message) -> Message {
    let mut message = message.clone();
    if let Some(sealer) = sealer(room) {
        message.content = (sealer.read)(&message.content);
    }
    message
}

/// The reason why messages are not sent.
pub(super) struct Banner {
    pub words: String,
    /// Whether waiting is useless.
    pub is_danger: bool,
}

/// A handle of signals, which every part of the panel copies.
#[derive(Clone, Copy)]
pub(super) struct Panel {
    pub room: RwSignal<Room>,
    /// The lines of the log, in order.
    pub lines: RwSignal<Vec<LineSignal>>,
    /// Whether the browser has hydrated the panel. Everything that needs a script waits for it.
    pub is_hydrated: RwSignal<bool>,
    pub now: RwSignal<Timestamp>,
    /// UTC until the panel is hydrated, as in the server's HTML.
    pub zone: RwSignal<Zone>,
    pub status: Memo<Status>,
    pub message_chars: usize,
    /// Whether a message of this person reopens the chat.
    reopens: bool,
    /// For the customer side, when to expect an answer, and when the panel asks for other words.
    pub answers: RwSignal<String>,
    pub answers_until: RwSignal<Timestamp>,
    me: StoredValue<Participant>,

    pub input: NodeRef<html::Textarea>,
    /// The composer's text.
    pub text: RwSignal<String>,
    /// The stored draft, as this tab last read or wrote it.
    pub draft: StoredValue<String>,
    /// The message that the next one will reply to.
    pub quoted: RwSignal<Option<Quote>>,
    /// When others were last told of typing; `None` while they think there is none.
    pub typing_told: StoredValue<Option<i64>>,
    /// The text of an edit's field.
    pub edit_text: RwSignal<String>,
    /// The whole panel, which takes dropped files.
    pub section: NodeRef<html::Section>,
    /// The place of the files of the next message.
    pub tray: NodeRef<html::Div>,
    /// Whether the next message has files.
    pub has_files: RwSignal<bool>,

    pub log: NodeRef<html::Div>,
    pub list: NodeRef<html::Ol>,
    /// Whether the log is scrolled away from its end.
    pub away: RwSignal<bool>,
    /// The last message when the reader was at the end.
    pub end_seq: RwSignal<i64>,
    pub loading: RwSignal<bool>,
    /// Loading older messages failed: only the person can retry.
    pub failed: StoredValue<bool>,
    /// Lines change without being new (`aria-busy`).
    pub busy: RwSignal<bool>,
    /// Where a finger touched the log.
    pub touched: StoredValue<Option<(i32, i32)>>,
    /// Whether a look at what was read is due.
    pub looking: StoredValue<bool>,
    open_menu: NodeRef<html::Details>,
}

impl Panel {
    pub fn new(chat: api::Chat, form: MessageForm, now: Timestamp) -> Self {
        let api::Chat { me, joined, message_chars, reopens, answers, answers_until, .. } = chat;
        let mut room = Room::new(&me, joined);
        room.notice = form.problem;
        let end_seq = room.timeline.last();
        let lines = lines(&room, now, utc).into_iter().map(|line| (line.key(), ArcRwSignal::new(line))).collect();
        let room = RwSignal::new(room);
        let (now, zone) = (RwSignal::new(now), RwSignal::new(utc as Zone));
        Self {
            room,
            lines: RwSignal::new(lines),
            is_hydrated: RwSignal::new(false),
            now,
            zone,
            status: Memo::new(move |_| Status::of(&room.read())),
            message_chars,
            reopens,
            answers: RwSignal::new(answers),
            answers_until: RwSignal::new(answers_until.unwrap_or(NEVER)),
            me: StoredValue::new(me),
            input: NodeRef::new(),
            text: RwSignal::new(form.draft),
            draft: StoredValue::new(String::new()),
            quoted: RwSignal::new(None),
            typing_told: StoredValue::new(None),
            edit_text: RwSignal::new(String::new()),
            section: NodeRef::new(),
            tray: NodeRef::new(),
            has_files: RwSignal::new(false),
            log: NodeRef::new(),
            list: NodeRef::new(),
            away: RwSignal::new(false),
            end_seq: RwSignal::new(end_seq),
            loading: RwSignal::new(false),
            failed: StoredValue::new(false),
            busy: RwSignal::new(false),
            touched: StoredValue::new(None),
            looking: StoredValue::new(false),
            open_menu: NodeRef::new(),
        }
    }

    /// Starts the live panel after hydration.
    pub fn wake_up(self) {
        page::set_rendered_at(self.now.get_untracked());
        let (id, me) = self.room.with_untracked(|room| (room.id(), room.me));
        let kept = storage::load_all(&storage::sends(id, me));
        {
            let mut room = self.room.write();
            room.awake = true;
            room.outbox = Outbox::restore(kept.iter().filter_map(|kept| Entry::read(kept)).collect());
        }
        storage::on_change(storage::sends(id, me), move |client_id, kept| {
            if let Ok(client_id) = client_id.parse() {
                let entry = kept.as_deref().and_then(Entry::read);
                self.act(|room| room.on_kept_elsewhere(client_id, entry, page::moment()));
            }
        });
        self.is_hydrated.set(true);
        self.restore_draft();
        self.share_draft();
        self.take_files();
        page::register_service_worker();

        // Local times are not new content, so the log is marked as busy for screen readers.
        self.busy.set(true);
        page::after_layout(move || {
            self.if_alive(|| {
                self.now.set(page::server_now());
                self.zone.set(page::local_zone);
                page::after_layout(move || self.if_alive(|| self.busy.set(false)));
            });
        });
        Effect::new(move || {
            self.lay_out();
            self.expect_answers();
        });
        Effect::new(move || page::count_in_title(Counter::Chat, self.room.read().unread() as i64));
        let ticking = set_interval_with_handle(move || self.now.set(page::server_now()), CLOCK).ok();
        let listeners = [
            window_event_listener(leptos::ev::focus, move |_| self.came_back()),
            window_event_listener(leptos::ev::online, move |_| self.came_back()),
        ];
        let visible = window_event_listener_untyped("visibilitychange", move |_| self.came_back());
        // A press elsewhere on the page closes a menu.
        let pressed = window_event_listener(leptos::ev::click, move |event| {
            let target = event.target().and_then(|target| target.dyn_into::<Node>().ok());
            self.close_menu(|menu| !menu.contains(target.as_ref()));
        });
        socket::listen(move |event| self.hear(event));
        let cache = use_context::<ChatCache>();
        on_cleanup(move || {
            if let Some(ticking) = ticking {
                ticking.clear();
            }
            listeners.into_iter().for_each(|listener| listener.remove());
            visible.remove();
            pressed.remove();
            let leave = self.room.try_update(Room::leave).unwrap_or_default();
            self.perform(leave);
            if let Some(cache) = cache {
                let joined = self.room.with_untracked(Room::to_joined);
                cache.keep(api::Chat {
                    me: self.me.get_value(),
                    joined,
                    message_chars: self.message_chars,
                    reopens: self.reopens,
                    answers: self.answers.get_untracked(),
                    answers_until: Some(self.answers_until.get_untracked()),
                    extras: api::Extras::default(),
                });
            }
        });
        self.open();
    }

    fn came_back(self) {
        if page::is_looked_at() {
            self.room.write().divide();
        }
        self.look();
    }

    /// Whether this person can write now.
    pub fn can_write(self) -> bool {
        (self.reopens || self.is_open()) && self.room.read().seal != Seal::Locked
    }

    pub fn is_live(self) -> bool {
        self.room.read().is_live()
    }

    pub fn banner(self) -> Option<Banner> {
        banner(&self.room.read())
    }

    /// The presence of the others, or when someone of the other side was last seen.
    pub fn people(self) -> String {
        self.room.read().people.presence_line(self.now.get(), self.zone.get())
    }

    /// Asks for other words about answers when they are due.
    fn expect_answers(self) {
        let now = self.now.get();
        if self.answers_until.get_untracked() <= now && self.is_live() {
            // One question at a time. After an error it asks again.
            self.answers_until.set(Timestamp(now.0 + ASK_AGAIN_MS));
            self.need(Need::Answers);
        }
    }

    /// Who types; while nobody of the business is here, when to expect an answer.
    pub fn signs(self) -> String {
        let can_write = self.can_write();
        let room = self.room.read();
        let typing = room.people.typing_line();
        let is_expecting = typing.is_empty() && can_write && !room.people.is_other_side_here();
        if is_expecting { self.answers.get() } else { typing }
    }

    /// Changes the room, then performs the resulting actions in the browser.
    pub fn act(self, change: impl FnOnce(&mut Room) -> Vec<Do>) {
        // The number of own pending messages, and the last message: an increase of either scrolls to the end.
        let end = |room: &Room| (room.outbox.entries().len(), room.timeline.last());
        let place = self.place();
        let (todo, was, is) = {
            let mut room = self.room.write();
            let was = end(&room);
            let todo = change(&mut room);
            (todo, was, end(&room))
        };
        if is.0 > was.0 || is.1 > was.1 {
            let own = is.0 > was.0;
            page::after_layout(move || self.follow(place, own));
        }
        self.keep_lost_edit();
        self.perform(todo);
    }

    fn perform(self, todo: Vec<Do>) {
        for act in todo {
            match act {
                Do::Send(frame) => drop(socket::send(&frame)),
                Do::Keep(entry) => {
                    let is_kept = storage::keep(&self.send_key(entry.client_id), &entry.write());
                    self.room.write().set_kept(entry.client_id, is_kept);
                }
                Do::Estrange => socket::estrange(),
                Do::Forget(client_id) => drop(storage::keep(&self.send_key(client_id), "")),
                Do::WakeAt(at) => {
                    let after = Duration::from_millis((at - page::monotonic_ms()).max(0) as u64);
                    let wake = move || self.act(|room| room.wake(page::moment(), socket::is_live()));
                    set_timeout(move || self.if_alive(wake), after);
                }
            }
        }
    }

    /// Runs a delayed action, unless the panel was removed meanwhile.
    pub fn if_alive(self, act: impl FnOnce()) {
        if !self.room.is_disposed() {
            act();
        }
    }

    /// The storage key of one unconfirmed message.
    fn send_key(self, client_id: ClientId) -> String {
        self.room.with_untracked(|room| storage::sends(room.id(), room.me)) + &client_id.to_string()
    }

    pub fn draft_key(self) -> String {
        self.room.with_untracked(|room| storage::draft(room.id(), room.me))
    }

    fn hear(self, event: &Event) {
        match event {
            Event::Told(indicator) => self.room.write().indicator = *indicator,
            Event::Connected(_) => self.act(Room::on_connected),
            Event::Disconnected(code) => self.act(|room| room.on_disconnected(*code)),
            Event::Probe => self.act(Room::on_probe),
            Event::Frame(frame) => {
                if room_of(frame) == Some(self.room.read_untracked().id()) {
                    self.act(|room| room.on_frame(frame, page::moment()));
                }
            }
            Event::Sent(_) => {}
        }
    }

    /// Updates the lines from the room, without touching unchanged ones.
    fn lay_out(self) {
        let fresh = lines(&self.room.read(), self.now.get(), self.zone.get());
        let known = self.lines.get_untracked();
        let mut from = 0;
        let is_same = known.iter().map(|(key, _)| *key).eq(fresh.iter().map(Line::key));
        let mut lines = Vec::with_capacity(fresh.len());
        for line in fresh {
            let key = line.key();
            // Nearly always the line after the previous match.
            let at = (from..known.len()).chain(0..from).find(|at| known[*at].0 == key);
            let signal = match at.map(|at| known[at].1.clone()) {
                Some(signal) => {
                    if *signal.read_untracked() != line {
                        signal.set(line);
                    }
                    signal
                }
                None => ArcRwSignal::new(line),
            };
            from = at.map_or(from, |at| at + 1);
            lines.push((key, signal));
        }
        if !is_same {
            self.lines.set(lines);
        }
    }

    pub fn edit(self, id: Option<MessageId>) {
        let text = self.room.with_untracked(|room| Some(revealed(room, room.message(id?)?).content));
        self.edit_text.set(text.unwrap_or_default());
        self.room.write().editing = id;
        if id.is_none() {
            self.focus();
        }
    }

    /// Moves the text of an edit to the composer if another person has deleted the message or closed the chat.
    fn keep_lost_edit(self) {
        let lost = self.room.with_untracked(Room::has_lost_edit);
        if !lost {
            return;
        }
        let edited = self.edit_text.get_untracked();
        {
            let mut room = self.room.write();
            room.editing = None;
            room.notice = Some(t!(locales::current(), chat::EDIT_KEPT).to_owned());
        }
        let before = self.text.get_untracked();
        let text = if before.trim().is_empty() { edited } else { format!("{before}\n{edited}") };
        self.set_text(&text);
        self.focus();
    }

    /// The address of the page with the messages before this one, for browsers without scripts.
    pub fn page_before(self, seq: i64) -> String {
        let (id, is_admin) = self.room.with_untracked(|room| (room.id(), room.is_admin()));
        let page = if is_admin { "/admin?chat=" } else { "/chat/" };
        let before = if is_admin { "&before=" } else { "?before=" };
        [page, &id.to_string(), before, &seq.to_string()].concat()
    }

    pub fn focus(self) {
        if let Some(input) = self.input.get_untracked() {
            let _ = input.focus();
        }
    }

    pub fn delete(self, id: MessageId) {
        let client_id = page::new_client_id();
        self.act(|room| {
            let frame = ClientFrame::DeleteMessage { room: room.id(), client_id, id, sender: Some(room.me) };
            room.change(client_id, frame)
        });
        // The button was removed, and the focus with it.
        if let Some(log) = self.log.get_untracked() {
            let _ = log.focus();
        }
    }

    pub fn retry(self, id: ClientId) {
        self.act(|room| room.retry(id, page::new_client_id(), page::moment()));
        self.focus();
    }

    pub fn discard(self, id: ClientId) {
        self.act(|room| room.discard(id));
        self.focus();
    }

    /// Records that a message's menu was opened.
    pub fn opened(self, menu: &HtmlDetailsElement) {
        self.open_menu.load(menu);
    }

    /// Closes the open menu if `closes` returns true for it.
    pub fn close_menu(self, closes: impl FnOnce(&HtmlDetailsElement) -> bool) {
        if let Some(menu) = self.open_menu.get_untracked().filter(|menu| menu.open())
            && closes(&menu)
        {
            menu.set_open(false);
        }
    }

    pub fn key_down(self, event: &KeyboardEvent) {
        page::saw_key(event);
        if event.key() == "Escape" {
            self.close_menu(|menu| {
                let button = menu.first_element_child().and_then(|button| button.dyn_into::<HtmlElement>().ok());
                if let Some(button) = button {
                    let _ = button.focus();
                }
                true
            });
        }
    }
}

/// The reason why messages are not sent, and their state meanwhile; `None` if they are.
fn banner(room: &Room) -> Option<Banner> {
    let locale = locales::current();
    if room.gone || room.indicator == Indicator::Ended {
        let words = match room.kind {
            // The link was revoked, or the guest signed out: the client cannot distinguish them.
            ParticipantKind::Guest => t!(locale, chat::GONE_GUEST),
            ParticipantKind::Admin | ParticipantKind::Customer => t!(locale, chat::GONE_ACCOUNT),
        };
        return Some(Banner { words: words.to_owned(), is_danger: true });
    }
    let waiting = room.outbox.waiting();
    let (wrong, sent) = match room.indicator {
        // The page shows the reason.
        Indicator::Estranged => (t!(locale, chat::WRONG_ESTRANGED), t!(locale, chat::sent_when_signed_in(waiting))),
        Indicator::Offline => (t!(locale, chat::WRONG_OFFLINE), t!(locale, chat::sent_when_back(waiting))),
        Indicator::Reconnecting => (t!(locale, chat::WRONG_LOST), t!(locale, chat::sent_when_back(waiting))),
        Indicator::Live | Indicator::Slow | Indicator::Crowded | Indicator::Connecting | Indicator::Ended => {
            match room.outbox.delayed_by() {
                Some(Code::RateLimited) => (t!(locale, chat::WRONG_FAST), t!(locale, chat::sent_in_a_moment(waiting))),
                Some(_) => (t!(locale, chat::WRONG_SERVER), t!(locale, chat::sent_as_soon(waiting))),
                None if room.indicator == Indicator::Crowded => {
                    (t!(locale, chat::WRONG_CROWDED), t!(locale, chat::sent_in_a_moment(waiting)))
                }
                None => return None,
            }
        }
    };
    let words = match waiting {
        0 => wrong.to_owned(),
        // Unstored messages would be lost in a reload.
        _ if room.unkept() > 0 => [wrong, " ", t!(locale, chat::UNKEPT)].concat(),
        _ => [wrong, " ", &sent].concat(),
    };
    Some(Banner { words, is_danger: false })
}

/// The text that replaces the composer.
pub(super) fn closed_words(room: &Room, now: Timestamp, zone: Zone) -> String {
    let conversation = room.timeline.conversation();
    let today = labels::local_date(now, zone);
    let locale = locales::current();
    let Some(on) = conversation.closed_at.map(|at| labels::date(labels::local_date(at, zone), today)) else {
        return t!(locale, chat::CLOSED).to_owned();
    };
    match &conversation.closed_by {
        Some(name) => t!(locale, chat::closed_by(&on, &labels::isolated(name))),
        None => t!(locale, chat::closed_on(&on)),
    }
}
