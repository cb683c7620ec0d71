//! A sealed chat in the browser: its key, and what the key encrypts and decrypts (WebCrypto). Only sealed chats load
//! this.
//!
//! The room, the outbox and the browser's storage contain the sealed form of each text. So a repeated send has the same
//! bytes, and nothing that was sent is stored as it was typed. [`read`] decrypts texts for the log. The address leads the
//! key here. It then stays in the browser's storage, beside which the address would be a second place to read it from.

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
};

use leptos::{ev::SubmitEvent, html, mount::mount_to, prelude::*, task::spawn_local};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::HtmlElement;

use super::panel::{Panel, SEALER, Sealer, Target};
use crate::{
    client::{
        log::{Body, Line, body},
        room::{Room, Seal as Opened},
        storage,
        text::Piece,
    },
    domain::{ConversationId, EXCERPT_CHARS, sealed, shorten},
    locales::{self, t},
    ui::components::{Anew, Icon, icon},
};

/// Tells other parts of the page that a chat's key has come.
pub(in crate::ui::islands) const KEY_EVENT: &str = "bespoken:seal";

/// Messages by which a key is tested, the latest ones.
const TESTED: usize = 20;

/// What this page can do with the chat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Until the script knows more; without scripts, for ever.
    Loading,
    /// The browser has no WebCrypto: the page is neither https nor local.
    NoCrypto,
    NoKey,
    WrongKey,
    Open,
}

/// What the server renders, until the script looks for the key.
#[component]
pub(super) fn Locked() -> impl IntoView {
    view! {
        <div class="sealed sealed--locked">
            <About state=State::Loading />
        </div>
    }
}

/// What sealed chats are, and what they cannot do.
#[component]
fn About(state: State) -> impl IntoView {
    let locale = locales::current();
    let warning = match state {
        State::Loading | State::Open => None,
        State::NoCrypto => Some(t!(locale, sealed::NO_CRYPTO)),
        State::NoKey => Some(t!(locale, sealed::NO_KEY)),
        State::WrongKey => Some(t!(locale, sealed::WRONG_KEY)),
    };
    view! {
            <details>
                <summary>
                    <Icon d=icon::LOCK />
                    <span>{t!(locale, sealed::SUMMARY)}</span>
                <Icon d=icon::UNFOLD />
                </summary>
                <ul>
                    <li>{t!(locale, sealed::KEY)}</li>
                    <li>{t!(locale, sealed::LOST)}</li>
                    <li>{t!(locale, sealed::MISSING)}</li>
                    <li>{t!(locale, sealed::PLAIN)}</li>
                </ul>
            </details>
            {(state == State::Loading)
                .then(|| {
                    view! { <p class="notice notice--warn sealed__script">{t!(locale, sealed::NO_SCRIPT)}</p> }
                })}
            {warning
                .map(|words| {
                    view! {
                        <p class="notice notice--warn" role="status">
                            {words}
                        </p>
                    }
                })}
    }
}

/// The field for the link or the key, in a browser without it.
#[component]
fn Unlock(panel: Panel, state: RwSignal<State>) -> impl IntoView {
    let locale = locales::current();
    let field = NodeRef::<html::Input>::new();
    let on_submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(text) = field.get_untracked().map(|field| field.value()) else { return };
        spawn_local(async move {
            let is_opened = match sealed::key_in(&text) {
                Some(key) => open(panel, key).await,
                None => false,
            };
            panel.if_alive(|| {
                if is_opened {
                    state.set(State::Open);
                    panel.focus();
                } else {
                    state.set(State::WrongKey);
                }
            });
        });
    };
    view! {
        <form on:submit=on_submit>
            <label class="field__label" for="sealed-key">
                {t!(locale, sealed::PASTE)}
            </label>
            <div class="copy">
                <input class="input" id="sealed-key" autocomplete="off" spellcheck="false" required node_ref=field />
                <button class="button button--primary" type="submit">
                    {t!(locale, sealed::UNLOCK)}
                </button>
            </div>
        </form>
    }
}

/// Looks for the key of a chat, and opens it.
pub(super) async fn start(place: HtmlElement, owner: Owner, panel: Panel) {
    if panel.room.is_disposed() {
        return;
    }
    let state = owner.with(|| RwSignal::new(State::Loading));
    place.set_inner_html("");
    owner.with(|| {
        let view = move || {
            view! {
                <div class=move || if state.get() == State::Open { "sealed" } else { "sealed sealed--locked" }>
                    <Anew value=move || state.get() let:now>
                        <About state=now />
                    </Anew>
                    <Show when=move || matches!(state.get(), State::NoKey | State::WrongKey)>
                        <Unlock panel state />
                    </Show>
                </div>
            }
        };
        // It goes with the panel.
        StoredValue::new_local(mount_to(place, view));
    });
    let id = panel.room.with_untracked(|room| room.id());
    let look = move || async move {
        let found = look_for_key(panel, id).await;
        panel.if_alive(|| state.set(found));
    };
    owner.with(|| {
        // Another tab has it now.
        storage::on_change(storage::seal(id), move |_, _| {
            if state.get_untracked() != State::Open {
                spawn_local(look());
            }
        });
    });
    look().await;
}

async fn look_for_key(panel: Panel, id: ConversationId) -> State {
    if subtle().is_none() {
        return State::NoCrypto;
    }
    let hash = window().location().hash().unwrap_or_default();
    let in_address = sealed::key_in(&hash).filter(|_| hash.starts_with(sealed::BEFORE_KEY));
    let stored = storage::load(&storage::seal(id));
    // The stored one first: nobody replaces it by an address, unless it opens nothing.
    for key in [stored.as_deref(), in_address].into_iter().flatten() {
        if open(panel, key).await {
            return State::Open;
        }
    }
    if stored.is_some() || in_address.is_some() { State::WrongKey } else { State::NoKey }
}

/// Opens the chat with this key if it fits, and stores the key.
async fn open(panel: Panel, text: &str) -> bool {
    let Some(key) = import(text).await else { return false };
    let Some((id, samples)) = panel.room.try_with_untracked(|room| {
        let people = room.timeline.messages().rev().filter(|message| message.is_text());
        (room.id(), people.take(TESTED).map(|message| message.content.clone()).collect::<Vec<_>>())
    }) else {
        return false;
    };
    // With no message yet, any key may be the right one.
    let mut fits = samples.is_empty();
    for sample in &samples {
        fits = fits || decrypt(&key, id, sample).await.is_some();
    }
    if !fits {
        return false;
    }
    panel.if_alive(|| {
        SEAL.set(Some(Seal { key, id, panel, texts: HashMap::new(), waiting: 0 }));
        SEALER.set(Some(Sealer { read, reveal, write }));
        panel.room.write().seal = Opened::Open;
        if storage::keep(&storage::seal(id), text) {
            clear_address();
        }
        if let Ok(told) = web_sys::Event::new(KEY_EVENT) {
            let _ = window().dispatch_event(&told);
        }
    });
    true
}

/// Takes the key out of the address, which people share, save and show. Not before the browser has stored the key: a
/// reload needs one of them.
fn clear_address() {
    let location = window().location();
    if location.hash().is_ok_and(|hash| hash.starts_with(sealed::BEFORE_KEY)) {
        let parts = [get(&location, "pathname"), get(&location, "search")];
        let address: String = parts.into_iter().filter_map(|part| part?.as_string()).collect();
        if let Ok(history) = window().history() {
            let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&address));
        }
    }
}

/// The open chat of this page. There is one panel at a time.
struct Seal {
    key: JsValue,
    id: ConversationId,
    panel: Panel,
    /// What each sealed text says; `None` until it is decrypted.
    texts: HashMap<String, Option<String>>,
    /// How many are being decrypted.
    waiting: usize,
}

thread_local! {
    static SEAL: RefCell<Option<Seal>> = const { RefCell::new(None) };
    /// Texts that wait for their encryption, in the order of writing.
    static WRITTEN: RefCell<VecDeque<(Panel, String, Target)>> = const { RefCell::new(VecDeque::new()) };
}

/// The text of a sealed one; a placeholder until it is decrypted.
fn read(content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    SEAL.with_borrow_mut(|seal| {
        let Some(seal) = seal else { return String::new() };
        match seal.texts.get(content) {
            Some(text) => text.clone().unwrap_or_else(|| "…".to_owned()),
            None => {
                seal.texts.insert(content.to_owned(), None);
                seal.waiting += 1;
                spawn_local(decrypt_for_log(seal.key.clone(), seal.id, content.to_owned()));
                "…".to_owned()
            }
        }
    })
}

/// Replaces the sealed texts of a log. The server cannot read what a reply quotes, so its text comes from the quoted
/// message.
fn reveal(room: &Room, lines: &mut [Line]) {
    for line in lines {
        let Line::Message(bubble) = line else { continue };
        // The sealed form is one word.
        if let Body::Text(pieces) = &bubble.body
            && let [Piece::Text(content)] = &**pieces
        {
            bubble.body = body(&read(content));
        }
        if let Some(quote) = &mut bubble.quote {
            quote.excerpt = match room.message(quote.id) {
                Some(message) => shorten(&read(&message.content), EXCERPT_CHARS),
                None => t!(locales::current(), chat::SEALED_MESSAGE).to_owned(),
            };
        }
    }
}

async fn decrypt_for_log(key: JsValue, id: ConversationId, content: String) {
    let text = decrypt(&key, id, &content).await;
    let text = text.unwrap_or_else(|| t!(locales::current(), sealed::UNREADABLE).to_owned());
    let done = SEAL.with_borrow_mut(|seal| {
        let seal = seal.as_mut().filter(|seal| seal.id == id)?;
        seal.texts.insert(content, Some(text));
        seal.waiting -= 1;
        // Once for all, because each time the whole log is laid out.
        (seal.waiting == 0).then_some(seal.panel)
    });
    if let Some(panel) = done {
        panel.if_alive(|| panel.room.update(|_| ()));
    }
}

/// Writes a text once it is encrypted. One after the other, so that their order stays.
fn write(panel: Panel, text: String, target: Target) {
    if matches!(target, Target::New(_)) {
        // Until its sealed form is stored, it is a draft: if the page ends now, it comes back.
        storage::keep(&panel.draft_key(), &text);
    }
    let is_idle = WRITTEN.with_borrow_mut(|written| {
        written.push_back((panel, text, target));
        written.len() == 1
    });
    if is_idle {
        spawn_local(async {
            while let Some((panel, text, target)) = WRITTEN.with_borrow(|written| written.front().cloned()) {
                write_next(panel, text, target).await;
                WRITTEN.with_borrow_mut(VecDeque::pop_front);
            }
        });
    }
}

async fn write_next(panel: Panel, text: String, target: Target) {
    let known = panel.room.try_with_untracked(|room| room.id()).and_then(|id| {
        SEAL.with_borrow(|seal| seal.as_ref().filter(|seal| seal.id == id).map(|seal| (seal.key.clone(), id)))
    });
    let Some((key, id)) = known else { return };
    let content = encrypt(&key, id, &text).await;
    panel.if_alive(|| match content {
        Some(content) => {
            SEAL.with_borrow_mut(|seal| {
                if let Some(seal) = seal.as_mut().filter(|seal| seal.id == id) {
                    seal.texts.insert(content.clone(), Some(text));
                }
            });
            panel.write(content, target);
            if matches!(target, Target::New(_)) {
                storage::keep(&panel.draft_key(), &panel.draft.get_value());
            }
        }
        None => {
            panel.room.write().notice = Some(t!(locales::current(), sealed::FAILED).to_owned());
            if matches!(target, Target::New(_)) && panel.is_empty() {
                panel.set_text(&text);
            }
        }
    });
}

/// A new key, in the form of links. `None` if this browser cannot encrypt.
pub(in crate::ui::islands) fn new_key() -> Option<String> {
    subtle()?;
    Some(sealed::encode(&random(sealed::KEY_BYTES)?))
}

/// `crypto.subtle`, which exists only in secure contexts.
fn subtle() -> Option<JsValue> {
    let subtle = get(&crypto()?, "subtle")?;
    subtle.is_object().then_some(subtle)
}

fn crypto() -> Option<JsValue> {
    get(&window(), "crypto").filter(JsValue::is_object)
}

fn random(bytes: usize) -> Option<Vec<u8>> {
    let array = js_sys::Uint8Array::from(&*vec![0; bytes]);
    call(&crypto()?, "getRandomValues", &[&array])?;
    Some(array.to_vec())
}

async fn import(text: &str) -> Option<JsValue> {
    let bytes = js_sys::Uint8Array::from(&*sealed::decode(sealed::key_in(text)?)?);
    let uses = list(&[&"encrypt".into(), &"decrypt".into()]);
    let args = [&"raw".into(), &bytes.into(), &"AES-GCM".into(), &JsValue::FALSE, &uses.into()];
    call_async("importKey", &args).await
}

async fn encrypt(key: &JsValue, id: ConversationId, text: &str) -> Option<String> {
    let iv = random(sealed::IV_BYTES)?;
    let text = js_sys::Uint8Array::from(text.as_bytes());
    let sealed = call_async("encrypt", &[&parameters(&iv, id)?, key, &text.into()]).await?;
    let sealed = js_sys::Uint8Array::new(&sealed).to_vec();
    Some(sealed::encode(&[iv, sealed].concat()))
}

async fn decrypt(key: &JsValue, id: ConversationId, content: &str) -> Option<String> {
    let bytes = sealed::decode(content)?;
    let (iv, sealed) = bytes.split_at_checked(sealed::IV_BYTES)?;
    let sealed = js_sys::Uint8Array::from(sealed);
    let text = call_async("decrypt", &[&parameters(iv, id)?, key, &sealed.into()]).await?;
    String::from_utf8(js_sys::Uint8Array::new(&text).to_vec()).ok()
}

fn parameters(iv: &[u8], id: ConversationId) -> Option<JsValue> {
    let parameters = js_sys::Object::new();
    let data = js_sys::Uint8Array::from(id.to_string().as_bytes());
    let entries: [(&str, JsValue); 3] =
        [("name", "AES-GCM".into()), ("iv", js_sys::Uint8Array::from(iv).into()), ("additionalData", data.into())];
    for (name, value) in entries {
        js_sys::Reflect::set(&parameters, &name.into(), &value).ok()?;
    }
    Some(parameters.into())
}

fn get(object: &JsValue, name: &str) -> Option<JsValue> {
    js_sys::Reflect::get(object, &name.into()).ok()
}

/// By their names: typed bindings would be in the script that every page loads.
fn call(object: &JsValue, name: &str, args: &[&JsValue]) -> Option<JsValue> {
    // An error if it is no function.
    get(object, name)?.unchecked_into::<js_sys::Function>().apply(object, &list(args)).ok()
}

fn list(items: &[&JsValue]) -> js_sys::Array {
    let list = js_sys::Array::new();
    for item in items {
        list.push(item);
    }
    list
}

async fn call_async(name: &str, args: &[&JsValue]) -> Option<JsValue> {
    JsFuture::from(call(&subtle()?, name, args)?.unchecked_into::<js_sys::Promise>()).await.ok()
}
