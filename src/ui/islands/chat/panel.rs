//! The panel in the browser: its parts on the page, its room, and the one place where the page is
//! brought to what the room says.

use std::{cell::Cell, rc::Rc, time::Duration};

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use web_sys::{Element, HtmlElement, HtmlTextAreaElement};

use super::{closed_words, rows, top_of};
use crate::{
    api,
    client::{
        json::Json,
        labels,
        outbox::{self, Outbox},
        page::{self, Counter},
        paint::{List, say, set, show},
        reconnect::Indicator,
        room::{Do, Room, room_of},
        socket::{self, Event},
        wire::FromJson,
    },
    domain::{ClientId, Code, MessageId, ParticipantKind, Timestamp},
    protocol::ClientFrame,
};

/// How often words like "5 min ago" are looked at again.
const CLOCK: Duration = Duration::from_secs(30);

/// What is on the page.
pub(super) struct Parts {
    pub root: Element,
    pub log: HtmlElement,
    pub input: HtmlTextAreaElement,
    pub composer: Element,
    pub closed: Element,
    pub list: Element,
    pub jump: Element,
    name: String,
    presence: Element,
    status: Element,
    status_text: Element,
    banner: Element,
    typing: Element,
    send: Element,
    jump_count: Element,
    closed_words: Element,
    errors: [Element; 2],
}

impl Parts {
    fn find(root: Element) -> Option<Self> {
        let part = |selector: &str| root.query_selector(selector).ok().flatten();
        Some(Self {
            log: part(".log")?.dyn_into().ok()?,
            input: part("#content")?.dyn_into().ok()?,
            composer: part("form.composer")?,
            closed: part(".composer--closed")?,
            list: part(".log__list")?,
            jump: part(".jump")?,
            name: part(".chat__name")?.text_content()?,
            presence: part(".presence")?,
            status: part(".status")?,
            status_text: part(".status__text")?,
            banner: part(".chat__banner")?,
            typing: part(".chat__typing")?,
            send: part(".composer__send")?,
            jump_count: part(".jump__count")?,
            closed_words: part(".composer__closed")?,
            errors: [part("form.composer .composer__error")?, part(".composer--closed .composer__error")?],
            root,
        })
    }
}

/// How the log is looked at.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub now: Timestamp,
    /// Whether the log was scrolled away from its end.
    pub away: bool,
    /// The last message when the reader was at the end.
    pub end_seq: i64,
    pub loading: bool,
    /// Older messages could not be fetched: only the person tries again.
    pub failed: bool,
    /// Whether there is something to send in the composer.
    pub has_text: bool,
}

/// Shared by everything that listens.
pub(super) struct Panel {
    pub parts: Parts,
    pub message_chars: usize,
    pub room: RwSignal<Room>,
    pub sight: RwSignal<Sight>,
    /// When others were last told of typing; 0 while they think there is none.
    pub typing_told: Cell<i64>,
    /// Whether a look at what was read is due.
    pub looking: Cell<bool>,
}

/// Takes over the panel that the server wrote, and keeps it true from here on.
pub(super) fn wake_up() {
    let Some(root) = document().query_selector(".chat").ok().flatten() else { return };
    let start = root.query_selector("script").ok().flatten().and_then(|script| script.text_content());
    let start = start.and_then(|start| api::Chat::from_json(&Json::parse(&start)?));
    let (Some(api::Chat { me, joined, message_chars }), Some(parts)) = (start, Parts::find(root)) else { return };

    let mut room = Room::new(&me, joined);
    room.notice = parts.errors[0].text_content().filter(|words| !words.is_empty());
    let now = page::now();
    let end_seq = room.timeline.last();
    // As the server wrote it. What differs now, such as the times, changes with the first painting.
    let written = rows::rows(&top_of(&room, false, &parts.name), room.lines(now, labels::utc));
    let list = List::adopt(parts.list.clone(), written);
    room.awake = true;

    let panel = Rc::new(Panel {
        parts,
        message_chars,
        room: RwSignal::new(room),
        sight: RwSignal::new(Sight { now, away: false, end_seq, loading: false, failed: false, has_text: false }),
        typing_told: Cell::new(0),
        looking: Cell::new(false),
    });
    let kept = page::load_all(&panel.send_key(None));
    let entries = kept.iter().filter_map(|kept| outbox::Entry::from_json(&Json::parse(kept)?)).collect();
    panel.room.write().outbox = Outbox::restore(entries);

    panel.listen();
    panel.clone().keep_true(list);
    let ticking = panel.clone();
    set_interval(move || ticking.sight.write().now = page::now(), CLOCK);
    page::register_service_worker();
    let hearing = panel.clone();
    socket::listen(move |event| hearing.hear(event));
    panel.open();
}

pub(super) fn presence_class(here: bool) -> &'static str {
    if here { "presence presence--on" } else { "presence" }
}

impl Panel {
    /// Changes the room, then does in the browser what follows from it.
    pub fn act(self: &Rc<Self>, change: impl FnOnce(&mut Room) -> Vec<Do>) {
        let todo = change(&mut self.room.write());
        self.perform(todo);
    }

    fn perform(self: &Rc<Self>, todo: Vec<Do>) {
        for act in todo {
            match act {
                Do::Send(frame) => drop(socket::send(&frame)),
                Do::Keep(entry) => page::keep(&self.send_key(Some(entry.client_id)), &entry.write()),
                Do::Estrange => socket::estrange(),
                Do::Forget(client_id) => page::keep(&self.send_key(Some(client_id)), ""),
                Do::WakeAt(at) => {
                    let panel = self.clone();
                    let after = Duration::from_millis((at - page::now_ms()).max(0) as u64);
                    set_timeout(move || panel.act(|room| room.wake(page::now_ms(), socket::is_live())), after);
                }
            }
        }
    }

    /// Where one unconfirmed message is kept; without `client_id`, what all of them begin with. One
    /// key each, so that two tabs never overwrite each other's. `public/offline.html` counts them.
    fn send_key(&self, client_id: Option<ClientId>) -> String {
        self.key("bespoken:send:") + ":" + &client_id.map(|id| id.to_string()).unwrap_or_default()
    }

    pub fn draft_key(&self) -> String {
        self.key("bespoken:draft:")
    }

    fn key(&self, what: &str) -> String {
        let (id, me) = self.room.with_untracked(|room| (room.id(), room.me));
        [what, &id.to_string(), ":", &me.to_string()].concat()
    }

    pub fn edit(&self, id: Option<MessageId>) {
        self.room.write().editing = id;
        if id.is_none() {
            let _ = self.parts.input.focus();
        }
    }

    pub fn delete(self: &Rc<Self>, id: MessageId) {
        let client_id = page::new_client_id();
        self.act(|room| {
            let frame = ClientFrame::DeleteMessage { room: room.id(), client_id, id, sender: Some(room.me) };
            room.change(client_id, frame)
        });
    }

    fn hear(self: &Rc<Self>, event: &Event) {
        match event {
            Event::Told(indicator) => self.room.write().indicator = *indicator,
            Event::Connected(_) => self.act(Room::on_connected),
            Event::Disconnected(code) => self.act(|room| room.on_disconnected(*code)),
            Event::Probe => self.act(Room::on_probe),
            Event::Frame(frame) => {
                let room = self.room.with_untracked(Room::id);
                if room_of(frame) == Some(room) {
                    self.act(|room| room.on_frame(frame, page::now_ms()));
                }
            }
            Event::Sent(_) => {}
        }
    }

    /// Paints the page anew after each change; several changes at once are painted once.
    fn keep_true(self: Rc<Self>, mut list: List) {
        // How many own messages waited, and the last of all: more of either is news at the end.
        let end = |room: &Room| (room.outbox.entries().len(), room.timeline.last());
        let mut was = self.room.with_untracked(end);
        let mut was_editing = None;
        Effect::new(move || {
            let sight = self.sight.get();
            let room = self.room.read();
            self.paint_connection(&room);
            self.paint_people(&room, sight);
            self.paint_composer(&room, sight);
            self.paint_jump(&room, sight);
            page::count_in_title(Counter::Chat, room.unread() as i64);

            let place = self.place();
            let lines = room.lines(sight.now, page::local_zone);
            list.update(rows::rows(&top_of(&room, sight.loading, &self.parts.name), lines));
            let is = end(&room);
            if is.0 > was.0 || is.1 > was.1 {
                let (panel, own) = (self.clone(), is.0 > was.0);
                page::after_layout(move || panel.follow(place, own));
            }
            was = is;
            if room.editing.is_some() && room.editing != was_editing {
                self.begin_edit();
            }
            was_editing = room.editing;
        });
    }

    fn paint_connection(&self, room: &Room) {
        let parts = &self.parts;
        let (state, class, word) = match room.indicator {
            _ if room.gone => ("offline", "status status--offline", "Ended"),
            Indicator::Ended => ("offline", "status status--offline", "Ended"),
            Indicator::Estranged => ("offline", "status status--offline", "Paused"),
            Indicator::Offline => ("offline", "status status--offline", "Offline"),
            Indicator::Reconnecting => ("reconnecting", "status status--reconnecting", "Reconnecting…"),
            Indicator::Live if room.has_caught_up() => ("live", "status status--live", "Live"),
            Indicator::Live | Indicator::Connecting => ("connecting", "status status--connecting", "Connecting…"),
        };
        set(&parts.root, "data-live", Some(if room.is_live() { "true" } else { "false" }));
        set(&parts.root, "data-status", Some(state));
        set(&parts.status, "class", Some(class));
        say(&parts.status_text, word);
        show(&parts.status, true);
        let banner = banner(room);
        if let Some((class, words)) = &banner {
            set(&parts.banner, "class", Some(class));
            say(&parts.banner, words);
        }
        show(&parts.banner, banner.is_some());
    }

    fn paint_people(&self, room: &Room, sight: Sight) {
        let (here, words) = room.people.presence_line(sight.now, page::local_zone);
        set(&self.parts.presence, "class", Some(presence_class(here)));
        say(&self.parts.presence, &words);
        say(&self.parts.typing, &room.people.typing_line());
    }

    fn paint_composer(&self, room: &Room, sight: Sight) {
        let parts = &self.parts;
        let conversation = room.timeline.conversation();
        show(&parts.composer, conversation.is_open());
        show(&parts.closed, !conversation.is_open());
        say(&parts.closed_words, &closed_words(conversation, sight.now, page::local_zone));
        set(&parts.send, "aria-disabled", (!sight.has_text).then_some("true"));
        for error in &parts.errors {
            say(error, room.notice.as_deref().unwrap_or_default());
            show(error, room.notice.is_some());
        }
    }

    fn paint_jump(&self, room: &Room, sight: Sight) {
        let parts = &self.parts;
        let missed = room.count_others_after(sight.end_seq);
        let count = if missed > 0 { missed.to_string() } else { String::new() };
        let label = [
            "Go to the latest message",
            if missed > 0 { ", " } else { "" },
            &count,
            if missed > 0 { " new" } else { "" },
        ];
        set(&parts.jump, "aria-label", Some(&label.concat()));
        say(&parts.jump_count, &count);
        show(&parts.jump_count, missed > 0);
        show(&parts.jump, sight.away);
        set(&parts.log, "aria-busy", sight.loading.then_some("true"));
    }
}

/// What keeps messages from being sent, and what becomes of them meanwhile; nothing if all is well.
fn banner(room: &Room) -> Option<(&'static str, String)> {
    const DANGER: &str = "notice notice--danger chat__banner";
    const WARN: &str = "notice notice--warn chat__banner";
    let ended = || match room.kind {
        // The link was revoked, or the guest signed out: nobody says which.
        ParticipantKind::Guest => {
            "This chat is not open in this browser any more. Open its link again; if that leads nowhere, ask for a new one."
        }
        ParticipantKind::Admin | ParticipantKind::Customer => "You were signed out. Please sign in again.",
    };
    let (wrong, when) = match room.indicator {
        _ if room.gone => return Some((DANGER, ended().to_owned())),
        Indicator::Ended => return Some((DANGER, ended().to_owned())),
        // Why, the page says.
        Indicator::Estranged => ("Nothing is sent from here now.", "when you have signed in again"),
        Indicator::Offline => ("You are offline.", "when you are back"),
        Indicator::Reconnecting => ("The connection is lost. Trying to get it back.", "when you are back"),
        Indicator::Live | Indicator::Connecting => match room.outbox.delayed_by()? {
            Code::RateLimited => ("You write faster than the server takes it.", "in a moment"),
            _ => ("The server cannot take messages right now.", "as soon as it can"),
        },
    };
    let waiting = match room.outbox.waiting() {
        0 => String::new(),
        1 => [" 1 message will be sent ", when, "."].concat(),
        many => [" ", &many.to_string(), " messages will be sent ", when, "."].concat(),
    };
    Some((WARN, wrong.to_owned() + &waiting))
}
