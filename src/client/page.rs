//! What the browser gives to a page: clock, focus, storage, clipboard. Touched only from effects and
//! event handlers, which do not run on the server; [`now`] works everywhere.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use leptos::{
    leptos_dom::helpers::{TimeoutHandle, document, is_browser, set_timeout_with_handle, window},
    prelude::request_animation_frame,
};
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{Document, Event, EventTarget, HtmlDocument, KeyboardEvent, Storage, VisibilityState};

use crate::domain::{ClientId, Timestamp, UserId};

/// Milliseconds since 1970, by this device's clock.
#[must_use]
pub fn now_ms() -> i64 {
    if is_browser() {
        js_sys::Date::now() as i64
    } else {
        let since_1970 = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        since_1970.map_or(0, |since| since.as_millis() as i64)
    }
}

#[must_use]
pub fn now() -> Timestamp {
    Timestamp(now_ms())
}

thread_local! {
    /// When the last client id was made, and how many before it in the same millisecond.
    static LAST_ID: Cell<(i64, u16)> = const { Cell::new((0, 0)) };
}

/// A name for a send: a UUIDv7, so that names made later sort later. Made here, since the one of the
/// uuid library would add a source of secrets, which such a name is not.
#[must_use]
pub fn new_client_id() -> ClientId {
    let (last, count) = LAST_ID.get();
    let now = now_ms();
    let (at, count) = if now > last { (now, 0) } else { (last + i64::from(count == 0xfff), (count + 1) & 0xfff) };
    LAST_ID.set((at, count));
    let random = || (js_sys::Math::random() * f64::from(1_u32 << 31)) as u128;
    ClientId(Uuid::from_u128(
        (at as u128) << 80 | 0x7 << 76 | u128::from(count) << 64 | 0b10 << 62 | random() << 31 | random(),
    ))
}

/// The zone of this device, with its summer time.
#[must_use]
pub fn local_zone(time: Timestamp) -> i64 {
    let date = js_sys::Date::new(&JsValue::from_f64(time.0 as f64));
    -(date.get_timezone_offset() as i64)
}

/// The account whose page this is; `None` if it is for somebody without one.
#[must_use]
pub fn viewer() -> Option<UserId> {
    viewer_of(&document())
}

/// The same of another page.
#[must_use]
pub fn viewer_of(page: &Document) -> Option<UserId> {
    let id = page.query_selector(".site").ok()??.get_attribute("data-viewer")?;
    Uuid::try_parse(&id).ok().map(UserId)
}

/// Says that the browser is signed in as somebody else than the page is for.
pub fn show_estranged() {
    let Some(notice) = document().query_selector(".estranged").ok().flatten() else { return };
    if notice.remove_attribute("hidden").is_ok() {
        on(&notice, "click", |_| drop(window().location().reload()));
    }
}

/// Whether a person can see this page and has it in front.
#[must_use]
pub fn is_looked_at() -> bool {
    let document = document();
    document.visibility_state() == VisibilityState::Visible && document.has_focus().unwrap_or(true)
}

#[must_use]
pub fn is_online() -> bool {
    window().navigator().on_line()
}

thread_local! {
    /// Whether a key was pressed that no keyboard on a screen has.
    static HAS_KEYS: Cell<bool> = const { Cell::new(false) };
}

/// Looks for signs that the person types on a keyboard of keys, though the device has a touch screen.
pub fn saw_key(event: &KeyboardEvent) {
    if event.ctrl_key()
        || event.meta_key()
        || matches!(&*event.key(), "Shift" | "Tab" | "Escape" | "ArrowUp" | "ArrowDown")
    {
        HAS_KEYS.set(true);
    }
}

/// Whether the person types on a keyboard of keys. One on the screen has no Shift + Enter, so there Enter makes a
/// new line.
#[must_use]
pub fn has_keyboard() -> bool {
    let is_touched = window().match_media("(pointer: coarse)").ok().flatten().is_some_and(|query| query.matches());
    HAS_KEYS.get() || !is_touched
}

/// Calls `act` at each `event` of `target`, as long as the page lives.
pub fn on(target: &EventTarget, event: &str, mut act: impl FnMut(&Event) + 'static) {
    let act = Closure::<dyn FnMut(Event)>::new(move |event: Event| act(&event));
    // Fails only for a detached document.
    let _ = target.add_event_listener_with_callback(event, act.as_ref().unchecked_ref());
    act.forget();
}

/// Calls `act` when the person comes back to the page, or the network does.
pub fn on_return(act: impl Fn() + Clone + 'static) {
    for event in ["focus", "online", "pageshow"] {
        let act = act.clone();
        on(&window(), event, move |_| act());
    }
    on(&document(), "visibilitychange", move |_| act());
}

/// A timer that is set anew instead of running twice.
#[derive(Default)]
pub struct Timer(RefCell<Option<TimeoutHandle>>);

impl Timer {
    pub fn set(&self, after_ms: i64, act: impl FnOnce() + 'static) {
        let after = Duration::from_millis(after_ms.max(0) as u64);
        if let Some(before) = self.0.replace(set_timeout_with_handle(act, after).ok()) {
            before.clear();
        }
    }
}

/// After the changes made now are laid out.
pub fn after_layout(act: impl FnOnce() + 'static) {
    request_animation_frame(act);
}

/// `None` where the person forbids it.
fn storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

#[must_use]
pub fn load(key: &str) -> Option<String> {
    storage()?.get_item(key).ok().flatten()
}

/// Keeps `value`, or forgets it if it is empty.
pub fn keep(key: &str, value: &str) {
    if let Some(storage) = storage() {
        // A full or forbidden storage costs no more than what it is for: surviving a reload.
        let _ = if value.is_empty() { storage.remove_item(key) } else { storage.set_item(key, value) };
    }
}

/// All that is kept under keys that begin with `prefix`.
#[must_use]
pub fn load_all(prefix: &str) -> Vec<String> {
    let Some(storage) = storage() else { return Vec::new() };
    let keys = (0..storage.length().unwrap_or(0)).filter_map(|at| storage.key(at).ok().flatten());
    keys.filter(|key| key.starts_with(prefix)).filter_map(|key| storage.get_item(&key).ok().flatten()).collect()
}

/// Puts `text` on the clipboard and says whether that worked.
pub fn copy(text: &str, done: impl FnOnce(bool) + 'static) {
    // The clipboard proper exists only in secure contexts, which a workshop's own network may not be.
    if !window().is_secure_context() {
        done(copy_selection());
        return;
    }
    let copied = window().navigator().clipboard().write_text(text);
    spawn_local(async move { done(JsFuture::from(copied).await.is_ok()) });
}

/// Copies what is selected, as browsers did before there was a clipboard proper.
fn copy_selection() -> bool {
    document().dyn_into::<HtmlDocument>().is_ok_and(|document| document.exec_command("copy").unwrap_or(false))
}

/// Answers a reload without network with a page that says so.
pub fn register_service_worker() {
    if window().is_secure_context() {
        let registered = window().navigator().service_worker().register("/sw.js");
        // Without it a reload offline shows the browser's own page: no reason to bother anyone.
        spawn_local(async move { drop(JsFuture::from(registered).await) });
    }
}

thread_local! {
    /// The title without a count, and who counts: a list of chats knows more than one chat.
    static TITLE: RefCell<Option<(String, Counter)>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    Chat,
    Inbox,
}

/// Puts the number of unread messages before the page's title.
pub fn count_in_title(counter: Counter, unread: i64) {
    TITLE.with_borrow_mut(|title| {
        let (plain, by) = title.get_or_insert_with(|| (document().title(), counter));
        if counter < *by {
            return;
        }
        *by = counter;
        let text = if unread > 0 { "(".to_owned() + &unread.to_string() + ") " + plain } else { plain.clone() };
        document().set_title(&text);
    });
}
