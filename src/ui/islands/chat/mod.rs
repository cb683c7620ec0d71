//! The chat panel, the same everywhere: head, log, composer.
//!
//! [`Room`] decides, the socket carries, and this draws. A panel starts from what the page brought
//! along, so nothing is loaded twice; without JavaScript that is all there is.

mod composer;
mod head;
mod log;

use std::time::Duration;

use composer::{Closed, Composer};
use head::{Banner, Head};
use leptos::{html, prelude::*, task::spawn_local};
use log::Log;

use crate::{
    api,
    client::{
        labels::{self, Zone},
        outbox::Outbox,
        page::{self, Counter},
        reconnect::Indicator,
        room::{Do, Room, room_of},
        socket::{self, Event},
    },
    domain::{ClientId, ConversationId, MessageId, ParticipantId, Timestamp},
    protocol::ClientFrame,
};

/// How often words like "5 min ago" are looked at again.
const CLOCK: Duration = Duration::from_secs(30);

/// What the parts of a panel share.
#[derive(Clone, Copy)]
struct Panel {
    id: ConversationId,
    me: ParticipantId,
    message_chars: usize,
    room: RwSignal<Room>,
    now: RwSignal<Timestamp>,
    /// Set once this runs in a browser: from then on times are local, and what needs a script shows.
    awake: RwSignal<bool>,
    /// Whether the log was scrolled away from its end.
    away: RwSignal<bool>,
    log: NodeRef<html::Div>,
    input: NodeRef<html::Textarea>,
}

impl Panel {
    fn zone(self) -> Zone {
        if self.awake.get() { page::local_zone } else { labels::utc }
    }

    /// Changes the room, then does in the browser what follows from it.
    fn act(self, change: impl FnOnce(&mut Room) -> Vec<Do>) {
        let todo = change(&mut self.room.write());
        self.perform(todo);
    }

    fn perform(self, todo: Vec<Do>) {
        for act in todo {
            match act {
                Do::Send(frame) => drop(socket::send(&frame)),
                Do::Keep(entry) => {
                    page::keep(
                        &self.send_key(Some(entry.client_id)),
                        &serde_json::to_string(&entry).unwrap_or_default(),
                    );
                }
                Do::Forget(client_id) => page::keep(&self.send_key(Some(client_id)), ""),
                Do::WakeAt(at) => {
                    let after = Duration::from_millis((at - page::now_ms()).max(0) as u64);
                    set_timeout(move || self.act(|room| room.wake(page::now_ms(), socket::is_live())), after);
                }
            }
        }
    }

    /// Where one unconfirmed message is kept; without `client_id`, what all of them begin with. One
    /// key each, so that two tabs never overwrite each other's. `public/offline.js` counts them.
    fn send_key(self, client_id: Option<ClientId>) -> String {
        let tail = client_id.map(|id| id.to_string()).unwrap_or_default();
        ["bespoken:send:", &self.id.to_string(), ":", &self.me.to_string(), ":", &tail].concat()
    }

    fn draft_key(self) -> String {
        ["bespoken:draft:", &self.id.to_string(), ":", &self.me.to_string()].concat()
    }

    fn edit(self, id: Option<MessageId>) {
        self.room.write().editing = id;
        if id.is_none() {
            self.focus_input();
        }
    }

    fn delete(self, id: MessageId) {
        let client_id = ClientId::new();
        self.act(|room| room.change(client_id, ClientFrame::DeleteMessage { room: self.id, client_id, id }));
    }

    fn focus_input(self) {
        if let Some(input) = self.input.get_untracked() {
            let _ = input.focus();
        }
    }

    /// Makes the panel live: from here on it hears the socket and the browser.
    fn wake_up(self) {
        self.awake.set(true);
        self.now.set(page::now());
        let kept = page::load_all(&self.send_key(None));
        let entries = kept.iter().filter_map(|kept| serde_json::from_str(kept).ok()).collect();
        self.room.write().outbox = Outbox::restore(entries);
        socket::listen(move |event| match event {
            Event::Told(indicator) => self.room.write().indicator = *indicator,
            Event::Connected(_) => self.act(Room::on_connected),
            Event::Disconnected(code) => self.act(|room| room.on_disconnected(*code)),
            Event::Probe => self.act(Room::on_probe),
            Event::Frame(frame) if room_of(frame) == Some(self.id) => {
                self.act(|room| room.on_frame(frame, page::now_ms()))
            }
            Event::Frame(_) | Event::Sent(_) => {}
        });
        set_interval(move || self.now.set(page::now()), CLOCK);
        page::register_service_worker();
    }

    fn load_older(self, failed: impl FnOnce() + 'static, done: impl FnOnce() + 'static) {
        let before = self.room.with_untracked(|room| room.timeline.first());
        spawn_local(async move {
            match api::list_older(self.id, before).await {
                Ok(older) => self.room.write().timeline.prepend(before, older.messages),
                Err(_) => failed(),
            }
            done();
        });
    }
}

/// A chat. `business` is the name that customers know it by; `draft` and `problem` are what a plain
/// form sent, and why it was refused.
#[island]
pub fn Chat(chat: api::Chat, business: String, draft: String, problem: Option<String>) -> impl IntoView {
    let api::Chat { me, joined, message_chars } = chat;
    let mut room = Room::new(&me, joined);
    room.notice = problem;
    let admin = room.is_admin();
    let name = if admin { room.timeline.conversation().customer_name.clone() } else { business };
    let panel = Panel {
        id: room.id(),
        me: me.id,
        message_chars,
        room: RwSignal::new(room),
        now: RwSignal::new(page::now()),
        awake: RwSignal::new(false),
        away: RwSignal::new(false),
        log: NodeRef::new(),
        input: NodeRef::new(),
    };
    Effect::new(move || panel.wake_up());
    Effect::new(move || {
        if panel.awake.get() {
            page::count_in_title(Counter::Chat, panel.room.with(Room::unread) as i64);
        }
    });
    // What is typed must outlive all other changes of the room.
    let open = Memo::new(move |_| panel.room.with(|room| room.timeline.conversation().is_open()));
    let to = name.clone();
    let label = "Chat with ".to_owned() + &name;
    view! {
        <section
            class="chat"
            aria-label=label
            data-conversation=panel.id.to_string()
            data-live=move || panel.room.with(|room| if room.is_live() { "true" } else { "false" })
            data-status=move || panel.room.with(head::status).0
        >
            <Head panel=panel admin=admin name=name.clone() />
            <Banner panel=panel />
            <Log panel=panel name=name />
            <p class="chat__typing" aria-live="polite">
                {move || panel.room.with(|room| room.people.typing_line())}
            </p>
            {move || {
                if open.get() {
                    view! { <Composer panel=panel name=to.clone() draft=draft.clone() /> }.into_any()
                } else {
                    view! { <Closed panel=panel admin=admin /> }.into_any()
                }
            }}
        </section>
    }
}
