//! What pages show of custom requests, kept as the server has it: the server renders it, the browser asks the same
//! server function again whenever something happens that it may show.

mod beside;
mod lists;
mod set_status;
mod side;
mod table;

use std::{cell::Cell, rc::Rc, time::Duration};

pub use beside::ChatBeside;
use leptos::{ev, leptos_dom::helpers::set_timeout, prelude::*, task::spawn_local};
pub use lists::CustomerLists;
pub use side::RequestSide;
pub use table::{Look, RequestTable};
use wasm_bindgen::JsCast;
use web_sys::{HtmlElement, HtmlSelectElement};

use crate::{
    client::{
        page,
        socket::{self, Event},
    },
    domain::{Code, CustomRequest, Problem, RequestId},
    protocol::{ClientFrame, ServerFrame},
};

/// Several reasons to ask become one.
const ASK_AFTER: Duration = Duration::from_millis(250);

/// A part of a page that keeps up. Its rows stay the same elements while what they show changes, so a choice, the
/// focus and a press survive.
#[derive(Clone, Copy)]
struct Region {
    /// Whether news arrive; `None` while nobody knows.
    live: RwSignal<Option<bool>>,
    pressed: RwSignal<bool>,
    /// Whether a list of choices has the focus, and may be open.
    choosing: RwSignal<bool>,
}

impl Region {
    fn new() -> Self {
        Self { live: RwSignal::new(None), pressed: RwSignal::new(false), choosing: RwSignal::new(false) }
    }

    /// What is shown: `first`, and from then on what `ask` answers.
    fn keep<T, F>(self, first: T, ask: impl Fn() -> F + 'static) -> RwSignal<T>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Problem>> + 'static,
    {
        let (shown, fresh) = (RwSignal::new(first), RwSignal::new(None));
        // What is being pressed has to be there until it is let go, or the click is lost.
        Effect::new(move || {
            if !self.pressed.get() && fresh.read().is_some() {
                fresh.write_untracked().take().into_iter().for_each(|fresh| shown.set(fresh));
            }
        });
        let asking = Rc::new(Asking { ask, due: Cell::default(), asked: Cell::default(), answered: Cell::default() });
        Effect::new(move || {
            let asking = asking.clone();
            socket::listen(move |event| match event {
                Event::Connected(_) => {
                    self.live.set(Some(true));
                    socket::send(&ClientFrame::FollowRequests);
                    // What happened since the page was rendered told nobody.
                    asking.soon(fresh);
                }
                Event::Disconnected(_) => self.live.set(Some(false)),
                Event::Frame(ServerFrame::Request { .. } | ServerFrame::Inbox { .. }) => asking.soon(fresh),
                _ => {}
            });
            let released = [
                window_event_listener(ev::pointerup, move |_| self.release()),
                window_event_listener(ev::pointercancel, move |_| self.release()),
            ];
            on_cleanup(move || released.into_iter().for_each(WindowListenerHandle::remove));
        });
        shown
    }

    fn press(self) {
        self.pressed.set(true);
    }

    /// After the click.
    fn release(self) {
        set_timeout(move || self.pressed.set(false), Duration::ZERO);
    }

    /// `has` says whether something in the region takes the focus or loses it.
    fn focus(self, event: &ev::FocusEvent, has: bool) {
        let is_choice = event.target().is_some_and(|target| target.has_type::<HtmlSelectElement>());
        self.choosing.set(has && is_choice);
    }

    /// The order of what is shown. Nothing moves that is pressed, or from which something is being chosen.
    fn order<K>(self, ids: impl Fn() -> Vec<K> + 'static) -> RwSignal<Vec<K>>
    where
        K: PartialEq + Send + Sync + 'static,
    {
        let order = RwSignal::new(untrack(&ids));
        Effect::new(move || {
            let ids = ids();
            if self.pressed.get() || self.choosing.get() || order.with_untracked(|order| *order == ids) {
                return;
            }
            let focused = document().active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
            order.set(ids);
            // An element that moves loses the focus.
            page::after_layout(move || {
                if let Some(focused) =
                    focused.filter(|_| document().active_element() == document().body().map(Into::into))
                {
                    let _ = focused.focus();
                }
            });
        });
        order
    }
}

/// Asks the server, now and then.
struct Asking<A> {
    ask: A,
    due: Cell<bool>,
    /// How often it was asked, and which of these answers was the last.
    asked: Cell<u32>,
    answered: Cell<u32>,
}

impl<A, F, T> Asking<A>
where
    A: Fn() -> F + 'static,
    F: Future<Output = Result<T, Problem>> + 'static,
    T: Send + Sync + 'static,
{
    fn soon(self: &Rc<Self>, fresh: RwSignal<Option<T>>) {
        if !self.due.replace(true) {
            let asking = self.clone();
            set_timeout(move || spawn_local(async move { asking.now(fresh).await }), ASK_AFTER);
        }
    }

    async fn now(&self, fresh: RwSignal<Option<T>>) {
        self.due.set(false);
        let number = self.asked.get() + 1;
        self.asked.set(number);
        let answer = (self.ask)().await;
        // A later answer may have overtaken this one.
        if number < self.answered.get() {
            return;
        }
        self.answered.set(number);
        match answer {
            Ok(answer) => drop(fresh.try_set(Some(answer))),
            Err(Problem { code: Code::Forbidden, .. }) => socket::estrange(),
            // Another build asks and answers in other words. See `ui/boot.js`.
            Err(Problem { code: Code::Invalid, .. }) => {
                let _ = web_sys::Event::new("outdated").map(|event| document().dispatch_event(&event));
            }
            // The next news ask again.
            Err(_) => {}
        }
    }
}

/// The request `id` as it is in `requests`, or as it was last.
fn request_in<T: Send + Sync + 'static>(
    shown: RwSignal<T>,
    requests: fn(&T) -> &[CustomRequest],
    id: RequestId,
) -> Option<Memo<CustomRequest>> {
    let find = move || requests(&shown.read()).iter().find(|request| request.id == id).cloned();
    let first = untrack(find)?;
    Some(Memo::new(move |last: Option<&CustomRequest>| find().or(last.cloned()).unwrap_or_else(|| first.clone())))
}
