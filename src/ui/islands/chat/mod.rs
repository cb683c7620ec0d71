//! The chat panel, the same everywhere. The server writes it whole ([`Chat`]); in the browser the
//! island around it ([`LiveChat`]) takes over what is there: [`Room`] decides, the socket carries,
//! and [`panel`] keeps the page true.
//!
//! A panel starts from what the page brought along, so nothing is loaded twice; without JavaScript
//! that is all there is, and the forms are forms.

mod composer;
mod events;
mod panel;
mod rows;
mod scroll;

use leptos::prelude::*;
use rows::{Top, rows};

use super::start_json;
use crate::{
    api,
    app::FormState,
    client::{
        labels::{self, Zone},
        log::Line,
        markup::to_html,
        page,
        room::Room,
        wire::{FromJson, member},
    },
    domain::{ClientId, Conversation, ConversationId, ParticipantId, Timestamp},
    ui::components::{Icon, icon, textarea_html},
};

impl FromJson for api::Chat {
    fn from_json(json: &crate::client::json::Json) -> Option<Self> {
        let message_chars: i64 = member(json, "message_chars")?;
        let message_chars = message_chars.try_into().ok()?;
        Some(Self { me: member(json, "me")?, joined: member(json, "joined")?, message_chars })
    }
}

/// Where earlier messages are to be read without JavaScript.
fn older_address(room: &Room) -> Option<String> {
    let before = room.timeline.first();
    let (id, before) = (room.id().to_string(), (before > 1).then(|| before.to_string())?);
    Some(if room.is_admin() {
        ["/admin?chat=", &id, "&before=", &before].concat()
    } else {
        ["/chat/", &id, "?before=", &before].concat()
    })
}

fn top_of<'a>(room: &Room, loading: bool, name: &'a str) -> Top<'a> {
    Top { older: older_address(room), loading, name, admin: room.is_admin() }
}

/// What takes the composer's place.
fn closed_words(conversation: &Conversation, now: Timestamp, zone: Zone) -> String {
    let today = labels::local_date(now, zone);
    let on = conversation.closed_at.map(|at| " on ".to_owned() + &labels::date(labels::local_date(at, zone), today));
    let by = conversation.closed_by.as_ref().map(|name| " by ".to_owned() + name);
    ["This chat was closed", &on.unwrap_or_default(), &by.unwrap_or_default(), "."].concat()
}

wakes! {
    /// Wakes the panel inside it.
    LiveChat, panel::wake_up
}

/// Where a chat stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// On the dashboard, between the list and the details.
    Desk,
    /// On a page of its own.
    Own,
    /// Beside a page.
    Beside {
        /// The address of the page without the chat.
        page: String,
        /// And with it.
        here: String,
    },
}

/// A chat. `business` is the name that customers know it by; `about` is a title and an address, of what
/// the chat is about.
#[component]
pub fn Chat(
    chat: api::Chat,
    business: String,
    place: Place,
    #[prop(optional_no_strip)] about: Option<(String, String)>,
) -> impl IntoView {
    // What a plain form sent, and why it was refused.
    let form = FormState::current();
    let key = form.value("client_id").parse().unwrap_or_else(|_| ClientId::new());
    let (draft, problem) = (form.value("content"), form.problem.map(|problem| problem.message));
    let start = start_json(&chat);
    let now = page::now();
    let me = chat.me.id;
    let room = Room::new(&chat.me, chat.joined);
    let lines: Vec<Line> = room.lines(now, labels::utc);
    let admin = room.is_admin();
    let conversation = room.timeline.conversation();
    let (id, open) = (conversation.id, conversation.is_open());
    let closed = closed_words(conversation, now, labels::utc);
    let name = if admin { conversation.customer_name.clone() } else { business };
    let list = rows(&top_of(&room, false, &name), lines);
    let label = format!("Chat with {name}");
    let from = match &place {
        Place::Beside { here, .. } => Some(here.clone()),
        Place::Desk | Place::Own => None,
    };
    let (here, people) = room.people.presence_line(now, labels::utc);
    view! {
        <LiveChat>
            <section
                class="chat"
                aria-label=label
                data-conversation=id.to_string()
                data-live="false"
                data-status="connecting"
            >
                <script type="application/json" inner_html=start></script>
                <header class="chat__head">
                    {(place == Place::Desk)
                        .then(|| {
                            view! {
                                <a class="icon-button chat__back" href="/admin" aria-label="Back to all chats">
                                    <Icon d=icon::BACK />
                                </a>
                            }
                        })} <div class="chat__who">
                        <h1 class="chat__name">{name.clone()}</h1>
                        {about
                            .map(|(title, address)| {
                                view! {
                                    <a class="chat__topic" href=address>
                                        {title}
                                    </a>
                                }
                            })} <p class="chat__people">
                            <span class=panel::presence_class(here)>{people}</span>
                        </p>
                    </div>
                    // Nothing is live without a script, so nothing is said about it.
                    <p class="status status--connecting" role="status" hidden>
                        <span class="status__text">"Connecting…"</span>
                    </p>
                    {match &place {
                        Place::Desk => {
                            view! {
                                <button
                                    class="icon-button chat__about"
                                    type="button"
                                    popovertarget="details"
                                    aria-label="About this chat"
                                >
                                    <Icon d=icon::INFO />
                                </button>
                            }
                                .into_any()
                        }
                        Place::Beside { page, .. } => {
                            view! {
                                <a class="icon-button chat__close" href=page.clone() aria-label="Close the chat panel">
                                    <Icon d=icon::CLOSE />
                                </a>
                            }
                                .into_any()
                        }
                        Place::Own => ().into_any(),
                    }}
                </header>
                <p class="notice notice--warn chat__banner" role="status" hidden></p>
                <div class="chat__log">
                    <div class="log" role="log" aria-label="Messages" tabindex="0">
                        <ol class="log__list" inner_html=to_html(list.iter().map(|(_, row)| row))></ol>
                    </div>
                    <button class="jump" type="button" data-act="end" hidden>
                        <Icon d=icon::DOWN />
                        <span class="jump__count"></span>
                    </button>
                </div>
                <p class="chat__typing" aria-live="polite"></p>
                <Composer id=id me=me key=key name=name draft=draft problem=problem open=open from=from.clone() />
                <div class="composer composer--closed" hidden=open>
                    <p class="composer__closed">{closed}</p>
                    {admin
                        .then(|| {
                            view! {
                                <form method="post" action=format!("/admin/chats/{id}/reopen")>
                                    <button class="button" type="submit">
                                        "Reopen"
                                    </button>
                                </form>
                            }
                        })}
                    <p class="composer__error" role="alert" hidden></p>
                </div>
            </section>
            <FilesForm id=id me=me key=key from=from />
        </LiveChat>
    }
}

#[component]
fn Composer(
    id: ConversationId,
    me: ParticipantId,
    /// Names what the form sends.
    key: ClientId,
    name: String,
    draft: String,
    problem: Option<String>,
    open: bool,
    /// Where the plain form leads back to, if not to the chat's own page.
    from: Option<String>,
) -> impl IntoView {
    let fine = problem.is_none();
    view! {
        <form class="composer" method="post" action=format!("/chat/{id}") hidden=!open>
            <input type="hidden" name="client_id" value=key.to_string() />
            <input type="hidden" name="as" value=me.to_string() />
            {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
            <label class="visually-hidden" for="content">
                {format!("Message to {name}")}
            </label>
            <div class="composer__box">
                <button class="icon-button composer__clip" type="button" popovertarget="files" aria-label="Send files">
                    <Icon d=icon::CLIP />
                </button>
                <textarea
                    class="composer__input"
                    id="content"
                    name="content"
                    rows="1"
                    placeholder="Write a message"
                    required
                    aria-describedby="content-hint"
                    inner_html=textarea_html(&draft)
                ></textarea>
                <button class="composer__send" type="submit" aria-label="Send">
                    <Icon d=icon::SEND />
                </button>
            </div>
            <p class="composer__hint" id="content-hint" hidden>
                "Enter to send, Shift + Enter for a new line"
            </p>
            <p class="composer__error" role="alert" hidden=fine>
                {problem}
            </p>
        </form>
    }
}

/// The form that sends files. A plain one also where there are scripts: the server answers with the page of
/// the chat, and what was being written there waits as a draft.
#[component]
fn FilesForm(id: ConversationId, me: ParticipantId, key: ClientId, from: Option<String>) -> impl IntoView {
    view! {
        <div class="dialog" id="files" popover="auto" role="dialog" aria-labelledby="files-title">
            <form class="form" method="post" action=format!("/chat/{id}/files") enctype="multipart/form-data">
                <input type="hidden" name="client_id" value=key.to_string() />
                <input type="hidden" name="as" value=me.to_string() />
                {from.map(|from| view! { <input type="hidden" name="from" value=from /> })}
                <header class="dialog__head">
                    <h2 class="dialog__title" id="files-title">
                        "Send files"
                    </h2>
                    <button
                        class="icon-button"
                        type="button"
                        popovertarget="files"
                        popovertargetaction="hide"
                        aria-label="Close"
                    >
                        <Icon d=icon::CLOSE />
                    </button>
                </header>
                <div class="field">
                    <label class="field__label" for="file">
                        "Files"
                    </label>
                    <input
                        class="input input--file"
                        id="file"
                        type="file"
                        name="file"
                        multiple
                        required
                        autofocus
                        aria-describedby="file-help"
                    />
                    <p class="field__help" id="file-help">
                        "Ten at most. Pictures show in the chat, everything else can be saved."
                    </p>
                </div>
                <div class="field">
                    <label class="field__label" for="files-content">
                        "Message "
                        <span class="field__optional">"optional"</span>
                    </label>
                    <textarea class="input" id="files-content" name="content" rows="2"></textarea>
                </div>
                <div class="dialog__foot">
                    <button class="button" type="button" popovertarget="files" popovertargetaction="hide">
                        "Cancel"
                    </button>
                    <button class="button button--primary" type="submit">
                        "Send"
                    </button>
                </div>
            </form>
        </div>
    }
}
