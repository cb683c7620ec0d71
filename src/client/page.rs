//! Browser APIs for a page: clocks, focus, clipboard. Only effects and event handlers, which do not run on the server,
//! call this module; [`now`] works everywhere.
//!
//! Three clocks: [`monotonic_ms`] measures durations and is never set. [`server_now`] dates messages and receipts. This
//! device's own clock ([`now`]) may be wrong, and may be corrected at any moment.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use leptos::{
    leptos_dom::helpers::{TimeoutHandle, document, is_browser, set_timeout_with_handle, window},
    prelude::request_animation_frame,
    task::spawn_local,
};
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Clipboard, DataTransfer, Element, Event, EventTarget, HtmlDocument, KeyboardEvent, PerformanceNavigationTiming,
    RequestInit, Response, ServiceWorkerContainer, ServiceWorkerRegistration, VisibilityState,
};

use super::room::Moment;
use crate::domain::{ClientId, ParticipantId, Timestamp};

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

/// Milliseconds since the request of the page. Nothing sets this clock; it may stop while the device sleeps.
#[must_use]
pub fn monotonic_ms() -> i64 {
    window().performance().map_or_else(now_ms, |performance| performance.now() as i64)
}

thread_local! {
    /// The server's time when [`monotonic_ms`] was 0.
    static BEGAN: Cell<Option<i64>> = const { Cell::new(None) };
    /// The same by this device's clock. It changes when that clock is set, and when the device has slept.
    static DEVICE_BEGAN: Cell<Option<i64>> = const { Cell::new(None) };
}

/// Sets the server's time of rendering. The first call counts.
pub fn set_rendered_at(now: Timestamp) {
    if BEGAN.get().is_none() {
        let navigation = window().performance().map(|performance| performance.get_entries_by_type("navigation"));
        let navigation = navigation.and_then(|entries| entries.get(0).dyn_into::<PerformanceNavigationTiming>().ok());
        // The server answers at once when it has rendered.
        BEGAN.set(Some(now.0 - navigation.map_or(0, |navigation| navigation.response_start() as i64)));
    }
}

/// Sets the server's current time.
pub fn set_server_now(now: Timestamp) {
    BEGAN.set(Some(now.0 - monotonic_ms()));
}

/// The server's time, as far as it is known; else this device's.
#[must_use]
pub fn server_now() -> Timestamp {
    BEGAN.get().map_or_else(now, |began| Timestamp(began + monotonic_ms()))
}

/// The present moment by both clocks that count.
#[must_use]
pub fn moment() -> Moment {
    Moment { steady: monotonic_ms(), at: server_now() }
}

/// So much the device's clock may differ from the steady one without a reason.
const DRIFT_MS: i64 = 3_000;

/// Whether the device has slept since the last call, or its clock was set forward, which looks the same. The page then
/// requests the server's time, because the steady clock may have stopped.
pub fn has_slept() -> bool {
    let began = now_ms() - monotonic_ms();
    let ahead = DEVICE_BEGAN.replace(Some(began)).map_or(0, |before| began - before);
    if ahead > DRIFT_MS {
        spawn_local(async {
            if let Some(now) = ask_server_time().await {
                set_server_now(now);
            }
        });
    }
    ahead > DRIFT_MS
}

async fn ask_server_time() -> Option<Timestamp> {
    let request = RequestInit::new();
    request.set_method("HEAD");
    let response = JsFuture::from(window().fetch_with_str_and_init("/session", &request)).await.ok()?;
    let date = response.dyn_into::<Response>().ok()?.headers().get("date").ok()??;
    let at = js_sys::Date::parse(&date);
    // It names the second that has begun.
    at.is_finite().then_some(Timestamp(at as i64 + 500))
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
    // If the clock is set back, the next message must still follow the waiting ones.
    let now = server_now().0;
    let (at, count) = if now > last { (now, 0) } else { (last + i64::from(count == 0xfff), (count + 1) & 0xfff) };
    LAST_ID.set((at, count));
    // Not `crypto`: it is missing in some web views, and outside of secure contexts in part.
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
pub fn viewer() -> Option<String> {
    whose("data-viewer")
}

/// How that account is named in chats.
#[must_use]
pub fn me() -> Option<ParticipantId> {
    Uuid::try_parse(&whose("data-me")?).ok().map(ParticipantId::told)
}

fn whose(attribute: &str) -> Option<String> {
    document().query_selector("[data-me]").ok()??.get_attribute(attribute)
}

/// The attribute with the id of this browser's subscription to notifications, on the element around the page.
const PUSH: &str = "data-push";

fn around() -> Option<Element> {
    document().query_selector(".site").ok()?
}

/// The subscription of this browser to notifications, as far as the server and this page know.
#[must_use]
pub fn push_id() -> Option<String> {
    around()?.get_attribute(PUSH)
}

/// Changes it for this page.
pub fn set_push_id(id: Option<&str>) {
    if let Some(around) = around() {
        let _ = match id {
            Some(id) => around.set_attribute(PUSH, id),
            None => around.remove_attribute(PUSH),
        };
    }
}

/// Whether this browser can be notified, and offers it here.
#[must_use]
pub fn can_be_notified() -> bool {
    let has = |name: &str| js_sys::Reflect::has(&window(), &name.into()).unwrap_or(false);
    has("PushManager") && has("Notification") && service_workers().is_some()
}

fn service_workers() -> Option<ServiceWorkerContainer> {
    part_of_navigator("serviceWorker")
}

/// The registration of the service worker, once it is active.
pub async fn service_worker() -> Option<ServiceWorkerRegistration> {
    JsFuture::from(service_workers()?.ready().ok()?).await.ok()?.dyn_into().ok()
}

/// The id of the notice that the server writes into each page for this.
pub const ESTRANGED: &str = "estranged";

/// Says that the browser is signed in as somebody else than the page is for.
pub fn show_estranged() {
    let Some(notice) = document().get_element_by_id(ESTRANGED) else { return };
    if notice.remove_attribute("hidden").is_ok() {
        on(&notice, "click", |_| drop(window().location().reload()));
    }
}

/// Whether a person can see this page.
#[must_use]
pub fn is_visible() -> bool {
    document().visibility_state() == VisibilityState::Visible
}

/// Whether a person can see this page and has it in front.
#[must_use]
pub fn is_looked_at() -> bool {
    is_visible() && document().has_focus().unwrap_or(true)
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

/// Whether files are pasted, or dragged; while they are dragged, only that is known of them.
#[must_use]
pub fn has_files(data: &DataTransfer) -> bool {
    data.types().includes(&"Files".into(), 0)
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

/// A part of the `navigator` that not every browser has, and none outside of secure contexts.
fn part_of_navigator<T: JsCast>(name: &str) -> Option<T> {
    let part = js_sys::Reflect::get(&window().navigator(), &name.into()).ok()?;
    // Not by its class, which belongs to the window.
    part.is_object().then(|| part.unchecked_into())
}

/// Puts `text` on the clipboard and says whether that worked. Without a clipboard proper, or if that refuses, what is
/// selected is copied, which should be the same.
pub fn copy(text: &str, done: impl FnOnce(bool) + 'static) {
    let Some(clipboard) = part_of_navigator::<Clipboard>("clipboard") else {
        return done(copy_selection());
    };
    let copied = clipboard.write_text(text);
    spawn_local(async move { done(JsFuture::from(copied).await.is_ok() || copy_selection()) });
}

/// Copies what is selected, as browsers did before there was a clipboard proper.
fn copy_selection() -> bool {
    document().dyn_into::<HtmlDocument>().is_ok_and(|document| document.exec_command("copy").unwrap_or(false))
}

/// Answers a reload without network with the offline page.
pub fn register_service_worker() {
    if let Some(workers) = service_workers() {
        let registered = workers.register("/sw.js");
        // Without it a reload offline shows the browser's own page: no reason to bother anyone.
        spawn_local(async move { drop(JsFuture::from(registered).await) });
    }
}

thread_local! {
    /// The title without a count, and the counter: a list of chats covers more than one chat.
    static TITLE: RefCell<Option<(String, Counter)>> = const { RefCell::new(None) };
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    Chat,
    Inbox,
}

/// Names the page in the browser's tab.
pub fn name(name: &str) {
    let by = TITLE.with_borrow(|title| title.as_ref().map_or(Counter::Chat, |(_, by)| *by));
    TITLE.set(Some((name.to_owned(), by)));
    document().set_title(name);
}

/// Puts the number of unread messages before the page's title.
pub fn count_in_title(counter: Counter, unread: i64) {
    TITLE.with_borrow_mut(|title| {
        let (plain, by) = title.get_or_insert_with(|| (document().title(), counter));
        if counter < *by {
            return;
        }
        *by = counter;
        let text = match unread {
            ..=0 => plain.clone(),
            1..=99 => format!("({unread}) {plain}"),
            100.. => format!("(99+) {plain}"),
        };
        document().set_title(&text);
    });
}
