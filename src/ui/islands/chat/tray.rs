//! Files beside the composer: chosen, pasted or dropped, uploaded at once, and sent with the next message.
//!
//! The browser loads this file when somebody adds a file. A message with files is a [`Parcel`] until the server has it.
//! The browser keeps parcels in its cache storage, so a reload or a lost connection loses none. A parcel has one client
//! id, so the server stores it once, also if two tabs send it. Uploads go on when the person opens another chat.

use std::{
    any::Any,
    cell::{Cell, RefCell},
    collections::HashMap,
    rc::Rc,
};

use gloo_timers::future::TimeoutFuture;
use leptos::{either::Either, ev, mount::mount_to, prelude::*, task::spawn_local};
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue, closure::Closure};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    Blob, Cache, File, FileList, FormData, HtmlInputElement, ProgressEvent, RequestInit, Response, ResponseInit, Url,
    XmlHttpRequest,
};

use super::{panel::Panel, viewer};
use crate::{
    client::{labels, page, storage},
    domain::{Attachment, AttachmentId, ClientId, ConversationId, MessageId, ParticipantId},
    locales::{self, t},
    ui::components::{Icon, icon},
};

/// Files of a message, as the server limits them.
const MOST_FILES: usize = 10;
/// Bytes of a parcel's files that the browser keeps for a reload.
const MOST_KEPT_BYTES: i64 = 50_000_000;
/// First and longest pause after a failed upload, in milliseconds.
const PAUSE_MS: u32 = 1_000;
const PAUSE_MAX_MS: u32 = 16_000;
/// The name of the cache; `public/sw.js` knows it too.
const CACHE: &str = "bespoken-files";

/// What a panel asks of its tray.
#[derive(Clone)]
pub(super) enum Call {
    /// Show the files that wait from before a reload.
    Open,
    /// Let the person choose files.
    Choose,
    Add(FileList),
    /// Show the picture at this address.
    View(String),
    /// Send the chosen files with this text.
    Send {
        content: String,
        reply_to: Option<MessageId>,
    },
}

/// Whether an earlier visit left files; see [`Tray::keep_mark`].
pub(super) fn has_kept(room: ConversationId, me: ParticipantId) -> bool {
    storage::load(&storage::files(room, me)).is_some()
}

/// A message with files that the server does not have yet.
#[derive(Clone)]
struct Parcel {
    client_id: ClientId,
    content: String,
    reply_to: Option<MessageId>,
    /// Whether the person pressed Send.
    is_sent: bool,
    items: Vec<Item>,
    /// Why the server rejected the message.
    problem: ArcRwSignal<Option<String>>,
}

#[derive(Clone)]
struct Item {
    /// Its number on this page.
    key: u32,
    name: String,
    size_bytes: i64,
    /// The address of a picture in this browser.
    picture: Option<String>,
    state: ArcRwSignal<State>,
}

#[derive(Clone, PartialEq)]
enum State {
    Waiting,
    /// Percent.
    Uploading(u8),
    Uploaded(AttachmentId),
    Rejected(String),
}

/// A parcel in the cache, beside its files.
#[derive(Serialize, Deserialize)]
struct Kept {
    client_id: ClientId,
    content: String,
    reply_to: Option<MessageId>,
    is_sent: bool,
    /// The number, the name, and the id of each file once it is uploaded.
    items: Vec<(u32, String, Option<AttachmentId>)>,
}

/// The files of one room. They outlive the panel.
struct Tray {
    room: ConversationId,
    me: ParticipantId,
    parcels: ArcRwSignal<Vec<Parcel>>,
    files: RefCell<HashMap<u32, Blob>>,
    /// The upload under way.
    under_way: RefCell<Option<(u32, XmlHttpRequest)>>,
    is_busy: Cell<bool>,
    /// The view in the latest panel.
    shown: RefCell<Option<(Owner, Box<dyn Any>)>>,
}

thread_local! {
    static TRAYS: RefCell<HashMap<ConversationId, Rc<Tray>>> = RefCell::default();
    static NEXT_KEY: Cell<u32> = const { Cell::new(0) };
}

pub(super) async fn handle(panel: Panel, call: Call) {
    if let Call::View(address) = call {
        return viewer::open(panel, &address);
    }
    let (room, me) = panel.room.with_untracked(|room| (room.id(), room.me));
    let known = TRAYS.with_borrow(|trays| trays.get(&room).cloned());
    let tray = match known {
        Some(tray) => tray,
        None => {
            let tray = Rc::new(Tray {
                room,
                me,
                parcels: ArcRwSignal::default(),
                files: RefCell::default(),
                under_way: RefCell::default(),
                is_busy: Cell::default(),
                shown: RefCell::default(),
            });
            TRAYS.with_borrow_mut(|trays| trays.insert(room, tray.clone()));
            tray.restore().await;
            tray
        }
    };
    panel.if_alive(|| {
        tray.show(panel);
        match call {
            Call::Open | Call::View(_) => tray.work(),
            Call::Choose => tray.choose(panel),
            Call::Add(files) => tray.add(panel, &files),
            Call::Send { content, reply_to } => tray.send(content, reply_to),
        }
    });
}

impl Tray {
    /// Shows the files in this panel, in place of one that is gone.
    fn show(self: &Rc<Self>, panel: Panel) {
        let Some(place) = panel.tray.get_untracked().filter(|place| place.first_element_child().is_none()) else {
            return;
        };
        let owner = Owner::new();
        let view = owner.with(|| {
            let parcels = self.parcels.clone();
            Effect::new(move || {
                panel.has_files.try_set(parcels.read().iter().any(|parcel| !parcel.is_sent));
            });
            let tray = self.clone();
            mount_to(place.unchecked_into(), move || view(&tray, panel))
        });
        *self.shown.borrow_mut() = Some((owner, Box::new(view)));
    }

    fn choose(self: &Rc<Self>, panel: Panel) {
        let Ok(input) = document().create_element("input").map(JsCast::unchecked_into::<HtmlInputElement>) else {
            return;
        };
        input.set_type("file");
        input.set_multiple(true);
        let (tray, chosen) = (self.clone(), input.clone());
        page::on(&input, "change", move |_| {
            if let Some(files) = chosen.files() {
                tray.add(panel, &files);
            }
        });
        input.click();
    }

    fn add(self: &Rc<Self>, panel: Panel, files: &FileList) {
        let files = (0..files.length()).filter_map(|at| files.item(at));
        let mut is_full = false;
        for file in files {
            is_full |= !self.add_one(&file);
        }
        panel.if_alive(|| {
            let full = t!(locales::current(), problem::files_per_message(MOST_FILES));
            panel.room.write().notice = is_full.then_some(full);
            panel.focus();
        });
        self.keep_draft();
        self.work();
    }

    /// False if the message has the maximum number of files.
    fn add_one(&self, file: &File) -> bool {
        let mut parcels = self.parcels.write();
        let at = match parcels.iter().position(|parcel| !parcel.is_sent) {
            Some(at) => at,
            None => {
                parcels.push(Parcel {
                    client_id: page::new_client_id(),
                    content: String::new(),
                    reply_to: None,
                    is_sent: false,
                    items: Vec::new(),
                    problem: ArcRwSignal::default(),
                });
                parcels.len() - 1
            }
        };
        if parcels[at].items.len() >= MOST_FILES {
            return false;
        }
        let item = self.item(file.name(), file.clone().into(), None);
        parcels[at].items.push(item);
        true
    }

    fn item(&self, name: String, blob: Blob, uploaded: Option<AttachmentId>) -> Item {
        let key = NEXT_KEY.replace(NEXT_KEY.get() + 1);
        let is_picture = blob.type_().starts_with("image/");
        let picture = if is_picture { Url::create_object_url_with_blob(&blob).ok() } else { None };
        let size_bytes = blob.size() as i64;
        self.files.borrow_mut().insert(key, blob);
        let state = ArcRwSignal::new(uploaded.map_or(State::Waiting, State::Uploaded));
        Item { key, name, size_bytes, picture, state }
    }

    fn send(self: &Rc<Self>, content: String, reply_to: Option<MessageId>) {
        let mut sent = None;
        for parcel in self.parcels.write().iter_mut().filter(|parcel| !parcel.is_sent) {
            (parcel.content, parcel.reply_to, parcel.is_sent) = (content.clone(), reply_to, true);
            sent = Some(parcel.clone());
        }
        if let Some(parcel) = sent {
            self.keep_soon(parcel);
        }
        self.work();
    }

    /// Removes one file of a message. Without files, a message that was not sent ends.
    fn remove(self: &Rc<Self>, key: u32) {
        if let Some((_, upload)) = self.under_way.borrow().as_ref().filter(|(under_way, _)| *under_way == key) {
            let _ = upload.abort();
        }
        self.forget_file(key);
        let mut empty = None;
        self.parcels.update(|parcels| {
            for parcel in parcels.iter_mut() {
                parcel.items.retain(|item| item.key != key);
                if parcel.items.is_empty() {
                    empty = Some(parcel.client_id);
                }
            }
        });
        match empty {
            Some(client_id) => self.end(client_id),
            None => self.keep_draft(),
        }
        self.work();
    }

    fn forget_file(&self, key: u32) {
        self.files.borrow_mut().remove(&key);
        let picture = self.parcels.with_untracked(|parcels| {
            parcels.iter().flat_map(|parcel| &parcel.items).find(|item| item.key == key)?.picture.clone()
        });
        if let Some(picture) = picture {
            let _ = Url::revoke_object_url(&picture);
        }
    }

    /// Ends a parcel that the server has, or that the person discards.
    fn end(self: &Rc<Self>, client_id: ClientId) {
        let keys: Vec<_> = self.parcels.with_untracked(|parcels| {
            let parcel = parcels.iter().find(|parcel| parcel.client_id == client_id);
            parcel.map(|parcel| parcel.items.iter().map(|item| item.key).collect()).unwrap_or_default()
        });
        for key in keys {
            self.forget_file(key);
        }
        self.parcels.update(|parcels| parcels.retain(|parcel| parcel.client_id != client_id));
        let tray = self.clone();
        spawn_local(async move {
            tray.discard(client_id).await;
            tray.keep_mark();
        });
    }

    /// Tries a rejected file or message again.
    fn retry(self: &Rc<Self>, client_id: ClientId) {
        for parcel in self.parcels.get_untracked().iter().filter(|parcel| parcel.client_id == client_id) {
            parcel.problem.set(None);
            for item in &parcel.items {
                if matches!(*item.state.read_untracked(), State::Rejected(_)) {
                    item.state.set(State::Waiting);
                }
            }
        }
        self.work();
    }

    /// Does what is to do, one thing at a time.
    fn work(self: &Rc<Self>) {
        if !self.is_busy.replace(true) {
            let tray = self.clone();
            spawn_local(async move {
                let mut pause = PAUSE_MS;
                while let Some(task) = tray.next() {
                    let is_done = match task {
                        Task::Upload(parcel, item) => tray.upload(&parcel, &item).await,
                        Task::Post(parcel) => tray.post(&parcel).await,
                    };
                    if is_done {
                        pause = PAUSE_MS;
                    } else {
                        TimeoutFuture::new(pause).await;
                        pause = (2 * pause).min(PAUSE_MAX_MS);
                    }
                }
                tray.is_busy.set(false);
            });
        }
    }

    /// Sent parcels first.
    fn next(&self) -> Option<Task> {
        let mut parcels = self.parcels.get_untracked();
        parcels.sort_by_key(|parcel| !parcel.is_sent);
        for parcel in parcels {
            if parcel.problem.with_untracked(Option::is_some) {
                continue;
            }
            let waits = |item: &&Item| *item.state.read_untracked() == State::Waiting;
            if let Some(item) = parcel.items.iter().find(waits).cloned() {
                return Some(Task::Upload(parcel, item));
            }
            let is_uploaded = |item: &Item| matches!(*item.state.read_untracked(), State::Uploaded(_));
            if parcel.is_sent && parcel.items.iter().all(is_uploaded) {
                return Some(Task::Post(parcel));
            }
        }
        None
    }

    /// Uploads a file. False if it may succeed later.
    async fn upload(&self, parcel: &Parcel, item: &Item) -> bool {
        let blob = self.files.borrow().get(&item.key).cloned();
        let (Some(blob), Ok(request), Ok(form)) = (blob, XmlHttpRequest::new(), FormData::new()) else {
            item.state.set(State::Rejected(t!(locales::current(), chat::FILE_LOST).to_owned()));
            return true;
        };
        item.state.set(State::Uploading(0));
        let address = format!("/api/v1/conversations/{}/attachments", self.room);
        let _ = form.append_with_blob_and_filename("file", &blob, &item.name);
        let _ = request.open("POST", &address);
        let state = item.state.clone();
        let progress = Closure::<dyn Fn(ProgressEvent)>::new(move |event: ProgressEvent| {
            if event.total() > 0.0 {
                state.set(State::Uploading((100.0 * event.loaded() / event.total()) as u8));
            }
        });
        // `fetch` does not report the progress of an upload.
        if let Ok(upload) = request.upload() {
            upload.set_onprogress(Some(progress.as_ref().unchecked_ref()));
        }
        let ended = js_sys::Promise::new(&mut |resolve, _| request.set_onloadend(Some(&resolve)));
        let _ = request.send_with_opt_form_data(Some(&form));
        *self.under_way.borrow_mut() = Some((item.key, request.clone()));
        let _ = JsFuture::from(ended).await;
        *self.under_way.borrow_mut() = None;
        let status = request.status().unwrap_or_default();
        let body = request.response_text().ok().flatten().unwrap_or_default();
        if status == 201
            && let Ok(file) = serde_json::from_str::<Attachment>(&body)
        {
            item.state.set(State::Uploaded(file.id));
            self.keep(parcel).await;
            return true;
        }
        item.state.set(if is_temporary(status) { State::Waiting } else { State::Rejected(Answer::read(&body).detail) });
        !is_temporary(status)
    }

    /// Sends the message of a parcel whose files are uploaded. False if it may succeed later.
    async fn post(self: &Rc<Self>, parcel: &Parcel) -> bool {
        #[derive(Serialize)]
        struct New<'a> {
            content: &'a str,
            client_id: ClientId,
            attachment_ids: Vec<AttachmentId>,
            #[serde(skip_serializing_if = "Option::is_none")]
            reply_to: Option<MessageId>,
            #[serde(rename = "as")]
            sender: ParticipantId,
        }
        let uploaded = |item: &Item| match *item.state.read_untracked() {
            State::Uploaded(id) => Some(id),
            _ => None,
        };
        let new = New {
            content: &parcel.content,
            client_id: parcel.client_id,
            attachment_ids: parcel.items.iter().filter_map(uploaded).collect(),
            reply_to: parcel.reply_to,
            sender: self.me,
        };
        let body = serde_json::to_string(&new).unwrap_or_default();
        let Some((status, body)) = call(&format!("/api/v1/conversations/{}/messages", self.room), &body).await else {
            return false;
        };
        let answer = Answer::read(&body);
        match (status, &*answer.code) {
            // Under this client id the server has the same message with the files of another tab.
            (200 | 201, _) | (_, "conflict") => {
                self.end(parcel.client_id);
                true
            }
            // The server removes files that were not sent for a day.
            (422, _) if answer.field == "attachment_ids" && !parcel.items.is_empty() => {
                for item in &parcel.items {
                    item.state.set(State::Waiting);
                }
                false
            }
            (status, _) if is_temporary(status) => false,
            _ => {
                parcel.problem.set(Some(answer.detail));
                true
            }
        }
    }
}

enum Task {
    Upload(Parcel, Item),
    Post(Parcel),
}

/// No connection, a busy server, or a limit of the present.
fn is_temporary(status: u16) -> bool {
    matches!(status, 0 | 408 | 429 | 500..)
}

/// The members of an error.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Answer {
    code: String,
    detail: String,
    field: String,
}

impl Answer {
    fn read(body: &str) -> Self {
        serde_json::from_str(body)
            .unwrap_or_else(|_| Self { detail: t!(locales::current(), chat::NOT_SENT).to_owned(), ..Self::default() })
    }
}

async fn call(address: &str, body: &str) -> Option<(u16, String)> {
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_body(&body.into());
    let headers = js_sys::Array::of2(&"content-type".into(), &"application/json".into());
    request.set_headers(&js_sys::Array::of1(&headers));
    let response: Response =
        JsFuture::from(window().fetch_with_str_and_init(address, &request)).await.ok()?.unchecked_into();
    let text = JsFuture::from(response.text().ok()?).await.ok()?;
    Some((response.status(), text.as_string().unwrap_or_default()))
}

/// Parcels in the cache. Where there is none, such as in a private window, a reload loses them.
impl Tray {
    fn address(&self, client_id: Option<ClientId>, key: Option<u32>) -> String {
        let client_id = client_id.map(|id| id.to_string()).unwrap_or_default();
        let key = key.map(|key| format!("/{key}")).unwrap_or_default();
        format!("/unsent/{}/{}/{client_id}{key}", self.room, self.me)
    }

    /// Notes whether files wait here, where the next page looks first.
    fn keep_mark(&self) {
        let any = !self.parcels.read_untracked().is_empty();
        storage::keep(&storage::files(self.room, self.me), if any { "1" } else { "" });
    }

    fn keep_draft(self: &Rc<Self>) {
        let draft = self.parcels.get_untracked().into_iter().find(|parcel| !parcel.is_sent);
        if let Some(parcel) = draft {
            self.keep_soon(parcel);
        }
    }

    fn keep_soon(self: &Rc<Self>, parcel: Parcel) {
        let tray = self.clone();
        spawn_local(async move {
            tray.keep(&parcel).await;
        });
    }

    async fn keep(&self, parcel: &Parcel) -> Option<()> {
        self.keep_mark();
        let size: i64 = parcel.items.iter().map(|item| item.size_bytes).sum();
        if size > MOST_KEPT_BYTES {
            return None;
        }
        let cache = cache().await?;
        for item in &parcel.items {
            let address = self.address(Some(parcel.client_id), Some(item.key));
            let known = JsFuture::from(cache.match_with_str(&address)).await.ok()?;
            let blob = self.files.borrow().get(&item.key).cloned();
            if let (true, Some(blob)) = (known.is_undefined(), blob) {
                put(&cache, &address, Response::new_with_opt_blob(Some(&blob)).ok()?).await?;
            }
        }
        let uploaded = |item: &Item| match *item.state.read_untracked() {
            State::Uploaded(id) => Some(id),
            _ => None,
        };
        let kept = Kept {
            client_id: parcel.client_id,
            content: parcel.content.clone(),
            reply_to: parcel.reply_to,
            is_sent: parcel.is_sent,
            items: parcel.items.iter().map(|item| (item.key, item.name.clone(), uploaded(item))).collect(),
        };
        // It may have been sent or discarded meanwhile.
        let is_here = |parcels: &Vec<Parcel>| parcels.iter().any(|known| known.client_id == parcel.client_id);
        if self.parcels.with_untracked(is_here) {
            let text = serde_json::to_string(&kept).ok()?;
            let response = Response::new_with_opt_str_and_init(Some(&text), &ResponseInit::new()).ok()?;
            put(&cache, &self.address(Some(parcel.client_id), None), response).await?;
        }
        Some(())
    }

    async fn discard(&self, client_id: ClientId) -> Option<()> {
        let cache = cache().await?;
        for address in addresses(&cache).await? {
            if address.contains(&self.address(Some(client_id), None)) {
                let _ = JsFuture::from(cache.delete_with_str(&address)).await;
            }
        }
        Some(())
    }

    async fn restore(&self) -> Option<()> {
        let cache = cache().await?;
        let own = self.address(None, None);
        for address in addresses(&cache).await? {
            let parcel = address.split_once(&own).filter(|(_, rest)| !rest.contains('/'));
            if parcel.is_some() {
                let found = JsFuture::from(cache.match_with_str(&address)).await.ok()?;
                if let Some(parcel) = self.read(&cache, found).await {
                    self.parcels.update(|parcels| parcels.push(parcel));
                }
            }
        }
        self.keep_mark();
        Some(())
    }

    async fn read(&self, cache: &Cache, found: JsValue) -> Option<Parcel> {
        let response: Response = found.dyn_into().ok()?;
        let text = JsFuture::from(response.text().ok()?).await.ok()?.as_string()?;
        let kept: Kept = serde_json::from_str(&text).ok()?;
        let mut items = Vec::new();
        for (key, name, uploaded) in kept.items {
            let address = self.address(Some(kept.client_id), Some(key));
            let response: Response = JsFuture::from(cache.match_with_str(&address)).await.ok()?.dyn_into().ok()?;
            let blob: Blob = JsFuture::from(response.blob().ok()?).await.ok()?.unchecked_into();
            let item = self.item(name, blob, uploaded);
            // The numbers of this page differ from those of the page before.
            put(cache, &self.address(Some(kept.client_id), Some(item.key)), {
                let blob = self.files.borrow().get(&item.key).cloned()?;
                Response::new_with_opt_blob(Some(&blob)).ok()?
            })
            .await?;
            items.push(item);
        }
        let Kept { client_id, content, reply_to, is_sent, .. } = kept;
        Some(Parcel { client_id, content, reply_to, is_sent, items, problem: ArcRwSignal::default() })
    }
}

async fn cache() -> Option<Cache> {
    let caches = window().caches().ok()?;
    JsFuture::from(caches.open(CACHE)).await.ok()?.dyn_into().ok()
}

async fn put(cache: &Cache, address: &str, response: Response) -> Option<()> {
    JsFuture::from(cache.put_with_str(address, &response)).await.ok().map(drop)
}

/// The addresses of all entries.
async fn addresses(cache: &Cache) -> Option<Vec<String>> {
    let requests: js_sys::Array = JsFuture::from(cache.keys()).await.ok()?.dyn_into().ok()?;
    Some(requests.iter().map(|request| request.unchecked_into::<web_sys::Request>().url()).collect())
}

fn view(tray: &Rc<Tray>, panel: Panel) -> impl IntoView + use<> {
    let tray = StoredValue::new_local(tray.clone());
    let parcels = tray.with_value(|tray| tray.parcels.clone());
    view! {
        <div class="tray">
            <For
                each=move || parcels.get()
                key=|parcel| (parcel.client_id, parcel.is_sent)
                let:parcel
            >
                <ParcelView tray panel parcel />
            </For>
        </div>
    }
}

type Shared = StoredValue<Rc<Tray>, LocalStorage>;

#[component]
fn ParcelView(tray: Shared, panel: Panel, parcel: Parcel) -> impl IntoView {
    let locale = locales::current();
    let Parcel { client_id, content, is_sent, problem, .. } = parcel;
    let parcels = tray.with_value(|tray| tray.parcels.clone());
    let items = move || {
        let parcels = parcels.read();
        let parcel = parcels.iter().find(|parcel| parcel.client_id == client_id);
        parcel.map(|parcel| parcel.items.clone()).unwrap_or_default()
    };
    let discard = move |_| {
        tray.with_value(|tray| tray.end(client_id));
        panel.focus();
    };
    let shown = problem.clone();
    view! {
        <section class="tray__parcel" aria-label=t!(locale, chat::FILES)>
            <ul class="tray__items">
                <For each=items key=|item| item.key let:item>
                    <ItemView tray panel client_id item />
                </For>
            </ul>
            {is_sent
                .then(|| {
                    view! {
                        <p class="tray__text" role="status">
                            {move || match problem.get() {
                                Some(problem) => problem,
                                None => t!(locale, chat::SENDING_FILES).to_owned(),
                            }}
                        </p>
                        {(!content.is_empty())
                            .then(|| {
                                view! {
                                    <p class="tray__text" dir="auto">
                                        {content}
                                    </p>
                                }
                            })}
                        <p class="tray__actions">
                            <button
                                class="link-button"
                                type="button"
                                hidden=move || shown.read().is_none()
                                on:click=move |_| tray.with_value(|tray| tray.retry(client_id))
                            >
                                {t!(locale, chat::RETRY)}
                            </button>
                            <button class="link-button" type="button" on:click=discard>
                                {t!(locale, form::CANCEL)}
                            </button>
                        </p>
                    }
                })}
        </section>
    }
}

#[component]
fn ItemView(tray: Shared, panel: Panel, client_id: ClientId, item: Item) -> impl IntoView {
    let locale = locales::current();
    let Item { key, name, size_bytes, picture, state } = item;
    let words = labels::file(&name, size_bytes);
    let remove = move |_: ev::MouseEvent| {
        tray.with_value(|tray| tray.remove(key));
        panel.focus();
    };
    let percent = {
        let state = state.clone();
        move || match *state.read() {
            State::Uploading(percent) => Some(percent),
            _ => None,
        }
    };
    let is_rejected = {
        let state = state.clone();
        move || matches!(*state.read(), State::Rejected(_))
    };
    let told = move || match state.get() {
        State::Waiting => t!(locale, chat::FILE_WAITS).to_owned(),
        State::Uploading(percent) => t!(locale, chat::uploading(percent)),
        State::Uploaded(_) => t!(locale, chat::FILE_READY).to_owned(),
        State::Rejected(reason) => reason,
    };
    let shows = percent.clone();
    let can_retry = is_rejected.clone();
    view! {
        <li class="tray__item" class:tray__item--rejected=is_rejected>
            {match picture {
                Some(src) => Either::Left(view! { <img class="tray__picture" src=src alt="" /> }),
                None => {
                    Either::Right(
                        view! {
                            <span class="tray__picture">
                                <Icon d=icon::CLIP />
                            </span>
                        },
                    )
                }
            }}
            <span class="tray__about">
                <span class="tray__name" dir="auto" title=name.clone()>
                    {words}
                </span>
                <span class="tray__state">{told}</span>
                <progress
                    class="tray__progress"
                    max="100"
                    value=move || percent().unwrap_or_default().to_string()
                    hidden=move || shows().is_none()
                    aria-label=name.clone()
                ></progress>
                <button
                    class="link-button"
                    type="button"
                    hidden=move || !can_retry()
                    on:click=move |_| tray.with_value(|tray| tray.retry(client_id))
                >
                    {t!(locale, chat::RETRY)}
                </button>
            </span>
            <button class="icon-button" type="button" aria-label=t!(locale, chat::remove_file(&name)) on:click=remove>
                <Icon d=icon::CLOSE />
            </button>
        </li>
    }
}
