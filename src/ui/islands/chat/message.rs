//! One message of the log: its head, text, files, menu, edit form, and delivery state.

use leptos::{
    either::{Either, EitherOf3},
    html,
    prelude::*,
};

use super::{edit::Edit, log::Clock, panel::Panel};
use crate::{
    client::{
        labels,
        log::{Body, Bubble, Delivery, Line},
        text::Piece,
    },
    domain::{Attachment, ClientId, MessageId, Quote},
    locales::{self, t},
    ui::components::{Anew, Icon, icon},
};

/// The content of a bubble. Its elements are replaced at each change; see [`Text`](crate::ui::components::Text).
#[derive(Clone, PartialEq)]
struct Inside {
    body: Body,
    files: Vec<Attachment>,
    quote: Option<Quote>,
    is_edited: bool,
    edits: Option<MessageId>,
}

#[component]
pub(super) fn Message(panel: Panel, line: RwSignal<Line>) -> impl IntoView {
    let bubble = move || if let Line::Message(bubble) = line.get() { Some(bubble) } else { None };
    let seq = move || bubble().and_then(|bubble| bubble.seq);
    let inside = move || bubble().map(Inside::from);
    let delivery = move || bubble().map(|bubble| (bubble.delivery, bubble.client_id));
    let options = Memo::new(move |_| {
        let bubble = bubble().filter(|bubble| bubble.editing.is_none() && bubble.may_reply)?;
        Some((bubble.id?, bubble.may_edit, bubble.may_delete))
    });
    let is_first = move || bubble().is_some_and(|bubble| bubble.first);
    let start = bubble();
    let locale = locales::current();
    let is_own = start.as_ref().is_some_and(|bubble| bubble.own);
    let sender = start.map(|bubble| bubble.sender).unwrap_or_default();
    view! {
        <li
            class=move || bubble().map(|bubble| class_of(&bubble))
            id=move || seq().map(|seq| format!("m-{seq}"))
            data-seq=seq
        >
            <p class=move || if is_first() { "message__head" } else { "visually-hidden" }>
                <span class=if is_own { "visually-hidden" } else { "message__sender" } dir="auto">
                    {if is_own { t!(locale, chat::YOU).to_owned() } else { sender }}
                </span>
                " "
                <Clock line class="message__time" />
            </p>
            <div class="message__row">
                <Anew value=inside let:inside>
                    {inside.map(|inside| view! { <Content panel inside /> })}
                </Anew>
                {move || {
                    options
                        .get()
                        .map(|(id, may_edit, may_delete)| view! { <Options panel id may_edit may_delete /> })
                }}
            </div>
            <Anew value=delivery let:delivery>
                {delivery.map(|delivery| view! { <Told panel delivery /> })}
            </Anew>
        </li>
    }
}

impl From<Bubble> for Inside {
    fn from(bubble: Bubble) -> Self {
        let edits = bubble.id.filter(|_| bubble.editing.is_some());
        Self { body: bubble.body, files: bubble.files, quote: bubble.quote, is_edited: bubble.edited, edits }
    }
}

fn class_of(bubble: &Bubble) -> String {
    let states = [
        ("message", true),
        (" message--own", bubble.own),
        (" message--first", bubble.first),
        (" message--deleted", bubble.body == Body::Deleted),
        (" message--editing", bubble.editing.is_some()),
        (" message--sending", matches!(bubble.delivery, Delivery::Sending | Delivery::Underway)),
        (" message--failed", matches!(bubble.delivery, Delivery::Failed(_))),
    ];
    states.into_iter().filter(|(_, is)| *is).map(|(state, _)| state).collect()
}

#[component]
fn Content(panel: Panel, inside: Inside) -> impl IntoView {
    let locale = locales::current();
    let Inside { body, files, quote, is_edited, edits } = inside;
    if let Some(id) = edits {
        return Either::Left(view! { <Edit panel id /> });
    }
    let class = if matches!(body, Body::Emoji(_)) { "bubble bubble--emoji" } else { "bubble" };
    let pieces = match body {
        Body::Text(pieces) => pieces,
        Body::Emoji(words) | Body::System(words) => vec![Piece::Text(words)],
        Body::Deleted => vec![Piece::Text(t!(locale, chat::DELETED).to_owned())],
    };
    Either::Right(view! {
        <div class=class>
            {quote.into_iter().map(|quote| quoted(panel, quote)).collect_view()}
            <div class="bubble__text" dir="auto">
                {pieces.into_iter().map(piece).collect_view()}
            </div>
            {files.into_iter().map(file).collect_view()}
            {is_edited.then(|| view! { <span class="message__edited">{t!(locale, chat::EDITED)}</span> })}
        </div>
    })
}

fn piece(piece: Piece) -> impl IntoView {
    match piece {
        Piece::Text(text) => Either::Left(text),
        Piece::Link(address) => Either::Right(view! {
            <a href=address.clone() rel="noopener noreferrer nofollow" target="_blank">
                {address.clone()}
            </a>
        }),
    }
}

/// A link to the message that another one replies to. One that is not on this page is on another.
fn quoted(panel: Panel, quote: Quote) -> impl IntoView {
    let is_here = panel.room.with_untracked(|room| room.timeline.first() <= quote.seq);
    let page = if is_here { String::new() } else { panel.page_before(quote.seq + 1) };
    link("quote", "_self", [&*page, "#m-", &quote.seq.to_string()].concat(), labels::quote(&quote), None)
}

fn file(file: Attachment) -> impl IntoView {
    let picture = file.is_picture().then(|| (file.preview_address(), file.size_in_log()));
    let words = if picture.is_some() { file.name.clone() } else { labels::file(&file.name, file.size_bytes) };
    link("file", "_blank", file.address(), words, picture)
}

/// What goes with a text. One function for all of it, as each type of view takes a kilobyte.
fn link(
    class: &'static str,
    target: &'static str,
    address: String,
    words: String,
    picture: Option<(String, Option<(i64, i64)>)>,
) -> impl IntoView {
    let inside = match picture {
        // The browser reserves the space of a picture that is still loading.
        Some((src, size)) => {
            let (width, height) = size.unzip();
            Either::Left(
                view! { <img class="file__picture" src=src width=width height=height alt=words loading="lazy" /> },
            )
        }
        None => Either::Right(view! { <span dir="auto">{words}</span> }),
    };
    view! {
        <a class=class href=address target=target>
            {inside}
        </a>
    }
}

#[component]
fn Options(panel: Panel, id: MessageId, may_edit: bool, may_delete: bool) -> impl IntoView {
    let locale = locales::current();
    let menu = NodeRef::<html::Details>::new();
    let close = move || panel.close_menu(|_| true);
    let reply = move |_| {
        close();
        panel.reply_to(id);
    };
    let edit = move |_| {
        close();
        panel.edit(Some(id));
    };
    let delete = move |_| {
        close();
        panel.delete(id);
    };
    view! {
        <details
            class="menu message__menu"
            name="message-menu"
            node_ref=menu
            on:toggle=move |_| {
                if let Some(menu) = menu.get_untracked().filter(|menu| menu.open()) {
                    panel.opened(&menu);
                }
            }
        >
            <summary class="icon-button menu__button" aria-label=t!(locale, chat::OPTIONS)>
                <Icon d=icon::MORE />
            </summary>
            <div class="menu__list">
                <button class="menu__item" type="button" on:click=reply>
                    {t!(locale, chat::REPLY)}
                </button>
                <button class="menu__item" type="button" hidden=!may_edit on:click=edit>
                    {t!(locale, chat::EDIT)}
                </button>
                <button class="menu__item menu__item--danger" type="button" hidden=!may_delete on:click=delete>
                    {t!(locale, chat::DELETE)}
                </button>
            </div>
        </details>
    }
}

/// The delivery state under a message.
#[component]
fn Told(panel: Panel, delivery: (Delivery, Option<ClientId>)) -> impl IntoView {
    let locale = locales::current();
    let words = match delivery {
        (Delivery::Failed(reason), Some(id)) => {
            return EitherOf3::A(view! {
                <p class="message__state message__state--failed" role="alert" title=reason>
                    <span>{t!(locale, chat::NOT_SENT)}</span>
                    <span>" "</span>
                    <button class="link-button" type="button" on:click=move |_| panel.retry(id)>
                        {t!(locale, chat::RETRY)}
                    </button>
                    <span>" "</span>
                    <button class="link-button" type="button" on:click=move |_| panel.discard(id)>
                        {t!(locale, chat::DELETE)}
                    </button>
                </p>
            });
        }
        (Delivery::Untold | Delivery::Underway | Delivery::Failed(_), _) => return EitherOf3::B(()),
        (Delivery::Sending, _) => t!(locale, chat::SENDING).to_owned(),
        (Delivery::Sent, _) => t!(locale, chat::SENT).to_owned(),
        (Delivery::Seen(at), _) => t!(locale, chat::seen(&at)),
    };
    EitherOf3::C(view! { <p class="message__state">{words}</p> })
}
