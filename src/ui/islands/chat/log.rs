//! The log: a keyed list of lines, with parts above the first message and below the last.

use leptos::{
    either::{EitherOf3, EitherOf4},
    ev,
    prelude::*,
};
use wasm_bindgen::JsCast;
use web_sys::{Element, TouchEvent};

use super::{
    message::Message,
    panel::{LineSignal, Panel},
    plain::{Forms, Plain, PlainForm},
};
use crate::{
    client::{
        labels::isolated,
        log::{Body, Line},
    },
    domain::ParticipantKind,
    locales::{self, t},
    ui::components::{Icon, LanguageSwitch, Text, icon},
};

/// A swipe along a message goes so far, and at most half as far up or down.
const SWIPE_PX: i32 = 64;
/// From here browsers take a swipe as Back.
const EDGE_PX: i32 = 24;

#[component]
pub(super) fn Log(panel: Panel, name: String, forms: StoredValue<Forms>) -> impl IntoView {
    let locale = locales::current();
    view! {
        <div
            class="log"
            role="log"
            aria-label=t!(locale, chat::MESSAGES)
            aria-busy=move || panel.busy.get().then_some("true")
            tabindex="0"
            node_ref=panel.log
            on:scroll=move |_| panel.moved()
        >
            <ol
                class="log__list"
                node_ref=panel.list
                on:touchstart=move |event| panel.touched.set_value(touch(&event))
                on:touchend=move |event| panel.swiped(&event)
            >
                // The style shows it if no script converts times to the reader's zone.
                <li class="log__utc">{t!(locale, time::ALL_UTC)}</li>
                <Top panel name forms />
                <For each=move || panel.lines.get() key=|(key, _)| *key let:line>
                    <Row panel line />
                </For>
            </ol>
        </div>
    }
}

/// The part above the first message.
#[component]
fn Top(panel: Panel, name: String, forms: StoredValue<Forms>) -> impl IntoView {
    let locale = locales::current();
    let first = Memo::new(move |_| panel.room.read().timeline.first());
    let (is_admin, id) = panel.room.with_untracked(|room| (room.is_admin(), room.id()));
    // Signed-in people have the switch in their menu.
    let is_guest = panel.room.with_untracked(|room| room.kind == ParticipantKind::Guest);
    let start = {
        let name = isolated(&name);
        if is_admin { t!(locale, chat::start_admin(&name)) } else { t!(locale, chat::start(&name)) }
    };
    let suggest = move |event: ev::SubmitEvent| {
        if let Some(words) = event.submitter().and_then(|button| button.get_attribute("value")) {
            event.prevent_default();
            panel.say(words, None);
        }
    };
    move || match (first.get(), panel.loading.get()) {
        (..=1, _) => EitherOf3::A(view! {
            <li class="log__start">
                <p>{start.clone()}</p>
                {(!is_admin)
                    .then(|| {
                        view! {
                            <div class="plain" on:submit=suggest>
                                <PlainForm panel which=Plain::Greeting forms />
                            </div>
                        }
                    })}
                {is_guest.then(|| view! { <LanguageSwitch class="link-button" next=format!("/chat/{id}") /> })}
            </li>
        }),
        (_, true) => EitherOf3::B(view! {
            <li class="log__older">
                <span class="log__loading">{t!(locale, chat::LOADING_EARLIER)}</span>
            </li>
        }),
        (before, false) => {
            // The address of earlier messages for browsers without JavaScript.
            let address = panel.page_before(before);
            let load = move |click: ev::MouseEvent| {
                click.prevent_default();
                panel.load_older();
            };
            EitherOf3::C(view! {
                <li class="log__older">
                    <a class="button button--quiet" href=address on:click=load>
                        {t!(locale, chat::EARLIER)}
                    </a>
                </li>
            })
        }
    }
}

/// One line, whose kind never changes.
#[component]
fn Row(panel: Panel, line: LineSignal) -> impl IntoView {
    let line = RwSignal::from(line.1);
    match line.get_untracked() {
        Line::Day { date, .. } => {
            let words = move || if let Line::Day { label, .. } = line.get() { label } else { String::new() };
            EitherOf4::A(view! {
                <li class="log__day">
                    <time datetime=date.to_string()>
                        <Text of=Signal::derive(words) />
                    </time>
                </li>
            })
        }
        Line::New => EitherOf4::B(view! {
            <li class="log__new" id="new">
                <span>{t!(locales::current(), chat::NEW)}</span>
            </li>
        }),
        Line::Message(bubble) => match bubble.body {
            Body::System(words) => EitherOf4::C(view! {
                <li class="log__system" id=bubble.seq.map(|seq| format!("m-{seq}")) data-seq=bubble.seq>
                    <span>{format!("{}: {words} ", isolated(&bubble.sender))}</span>
                    <Clock line />
                </li>
            }),
            _ => EitherOf4::D(view! { <Message panel line /> }),
        },
    }
}

/// Where the one finger is that touches or leaves the screen.
fn touch(event: &TouchEvent) -> Option<(i32, i32)> {
    let touch = event.changed_touches().get(0).filter(|_| event.touches().length() <= 1)?;
    Some((touch.client_x(), touch.client_y()))
}

impl Panel {
    /// A finger that moves along a message chooses it for a reply. It moves up or down to scroll, and from the edge of
    /// the screen to go back.
    fn swiped(self, event: &TouchEvent) {
        let (Some(from), Some(to)) = (self.touched.get_value(), touch(event)) else { return };
        let is_swipe = (to.0 - from.0).abs() > SWIPE_PX && (to.1 - from.1).abs() < SWIPE_PX / 2 && from.0 > EDGE_PX;
        let row = event.target().and_then(|target| target.dyn_into::<Element>().ok()?.closest("[data-seq]").ok()?);
        let seq = row.and_then(|row| row.get_attribute("data-seq")?.parse().ok());
        let id =
            self.room.with_untracked(|room| room.message_at(seq?).filter(|message| message.is_text()).map(|it| it.id));
        if let Some(id) = id.filter(|_| is_swipe && self.is_open()) {
            self.reply_to(id);
        }
    }
}

/// The time of a message in the reader's zone.
#[component]
pub(super) fn Clock(line: RwSignal<Line>, #[prop(optional)] class: &'static str) -> impl IntoView {
    let told = move || match line.get() {
        Line::Message(bubble) => (bubble.at.to_string(), bubble.full_time, bubble.clock),
        Line::Day { .. } | Line::New => Default::default(),
    };
    view! {
        <time class=class datetime=move || told().0 title=move || told().1>
            <Text of=Signal::derive(move || told().2) />
        </time>
    }
}

/// The button that returns to the end, with the number of new messages.
#[component]
pub(super) fn Jump(panel: Panel) -> impl IntoView {
    let missed = Memo::new(move |_| panel.room.read().count_others_after(panel.end_seq.get()) as i64);
    let locale = locales::current();
    let label = move || t!(locale, chat::to_latest(missed.get()));
    view! {
        <button
            class="jump"
            type="button"
            aria-label=label
            hidden=move || !panel.away.get()
            on:click=move |_| panel.to_end()
        >
            <Icon d=icon::DOWN />
            <span class="jump__count" hidden=move || missed.get() == 0>
                <Text of=Signal::derive(move || missed.get().to_string()) />
            </span>
        </button>
    }
}
