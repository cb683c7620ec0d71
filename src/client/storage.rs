//! This browser's storage for a person (`localStorage`), shared between its tabs. It may be missing, forbidden or full;
//! then nothing is stored, and [`keep`] reports that.

use leptos::{
    ev,
    leptos_dom::helpers::{window, window_event_listener},
    prelude::on_cleanup,
};
use web_sys::Storage;

use crate::domain::{ConversationId, ParticipantId};

/// `None` where there is none, or where reaching for it throws.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// The prefix of the keys of a person's unconfirmed messages in a room; the client id follows. One key each, so that
/// two tabs never overwrite each other's. `public/offline.html` counts them.
#[must_use]
pub fn sends(room: ConversationId, me: ParticipantId) -> String {
    ["bespoken:send:", &room.to_string(), ":", &me.to_string(), ":"].concat()
}

/// The key of a person's draft in a room.
#[must_use]
pub fn draft(room: ConversationId, me: ParticipantId) -> String {
    ["bespoken:draft:", &room.to_string(), ":", &me.to_string()].concat()
}

/// The key that says whether files wait to be sent to a room; see `ui::islands::chat::tray`.
#[must_use]
pub fn files(room: ConversationId, me: ParticipantId) -> String {
    ["bespoken:files:", &room.to_string(), ":", &me.to_string()].concat()
}

/// The key of a sealed room's own key. It belongs to the browser: without access to the room it opens nothing.
#[must_use]
pub fn seal(room: ConversationId) -> String {
    ["bespoken:seal:", &room.to_string()].concat()
}

#[must_use]
pub fn load(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Stores `value`, or removes the stored one if it is empty. Returns whether it survives a reload.
pub fn keep(key: &str, value: &str) -> bool {
    let Some(storage) = storage() else { return false };
    let done = if value.is_empty() { storage.remove_item(key) } else { storage.set_item(key, value) };
    done.is_ok()
}

/// All stored values under keys that begin with `prefix`.
#[must_use]
pub fn load_all(prefix: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
    keys.filter(|key| key.starts_with(prefix)).filter_map(|key| storage.get_item(&key).ok().flatten()).collect()
}

/// Calls `changed` when another tab stores or removes a value under a key that begins with `prefix`, as long as the
/// owner lives. It receives the rest of the key, and the stored value.
pub fn on_change(prefix: String, changed: impl Fn(&str, Option<String>) + 'static) {
    let listener = window_event_listener(ev::storage, move |event| {
        // Without a key, the person cleared everything, and continues to write here.
        if let Some(key) = event.key()
            && let Some(rest) = key.strip_prefix(&*prefix)
        {
            // Not the event's own value: this tab may have stored another one since.
            changed(rest, load(&key));
        }
    });
    on_cleanup(move || listener.remove());
}
