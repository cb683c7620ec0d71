//! The address contains the selection of a page: it has a link, and Back and Forward navigate through it. Without
//! JavaScript the same links load pages.

use leptos::{
    ev::{self, MouseEvent},
    prelude::*,
};
use wasm_bindgen::JsValue;
use web_sys::{Event, UrlSearchParams};

/// The value of `name` in the query of the page's address; `None` if it has none or an empty one. It begins with
/// what the server rendered, `rendered`, and lives as long as its owner.
///
/// ```ignore
/// let chosen = history::query("chat", chosen);
/// view! { <a href="/account?chat=1" on:click=move |event| history::follow(&event, "/account?chat=1")>"Chat"</a> }
/// ```
#[must_use]
pub fn query(name: &'static str, rendered: Option<String>) -> ReadSignal<Option<String>> {
    let (value, set_value) = signal(rendered);
    Effect::new(move |_| {
        let listener = window_event_listener(ev::popstate, move |_| {
            let now = current(name);
            if value.with_untracked(|value| *value != now) {
                set_value.set(now);
            }
        });
        on_cleanup(move || listener.remove());
    });
    value
}

fn current(name: &str) -> Option<String> {
    let query = UrlSearchParams::new_with_str(&location().search().ok()?).ok()?;
    query.get(name).filter(|value| !value.is_empty())
}

/// Takes the page to another `address` of its own without loading it.
pub fn push(address: &str) {
    let window = window();
    let pushed = window.history().and_then(|history| history.push_state_with_url(&JsValue::NULL, "", Some(address)));
    let Ok(told) = pushed.and_then(|()| Event::new("popstate")) else {
        // A browser allows only so many changes in a while.
        let _ = window.location().set_href(address);
        return;
    };
    // The browser itself sends this event only on Back and Forward.
    let _ = window.dispatch_event(&told);
}

/// Changes the address of the page where it is: Back leads to where the person was before.
pub fn replace(address: &str) {
    let replaced =
        window().history().and_then(|history| history.replace_state_with_url(&JsValue::NULL, "", Some(address)));
    if replaced.is_ok()
        && let Ok(told) = Event::new("popstate")
    {
        let _ = window().dispatch_event(&told);
    }
}

/// Follows the link to `address` without loading the page, unless the person wants it elsewhere, such as in a new
/// tab.
pub fn follow(event: &MouseEvent, address: &str) {
    if is_plain(event) {
        event.prevent_default();
        push(address);
    }
}

/// Whether a click on a link leads on in this tab. Others open a tab or a window, or save what is there.
#[must_use]
pub fn is_plain(event: &MouseEvent) -> bool {
    event.button() == 0
        && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key())
        && !event.default_prevented()
}
