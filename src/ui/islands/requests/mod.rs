//! Live lists of custom requests. The server renders them; the browser calls the same server function again after
//! each change that may affect them.

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

/// Delay that combines several reasons for a request into one.
const ASK_AFTER: Duration = Duration::from_millis(250);

/// A live part of a page. Its rows remain the same elements while their content changes, so a choice, the focus and a
/// press survive.
#[derive(Clone, Copy)]
struct Region {
    /// Whether updates arrive; `None` while this is unknown.
    live: RwSignal<Option<bool>>,
    pressed: RwSignal<bool>,
    /// Whether a list of choices has the focus, and may be open.
    choosing: RwSignal<bool>,
}

impl Region {
    fn new() -> Self {
        Self { live: RwSignal::new(None), pressed: RwSignal::new(false), choosing: RwSignal::new(false) }
    }

    /// The shown data: first `first`, later the results of `ask`.
    fn keep<T, F>(self, first: T, ask: impl Fn() -> F + 'static) -> RwSignal<T>
    where
        T: Send + Sync + 'static,
        F: Future<Output = Result<T, Problem>> + 'static,
    {
        let (shown, fresh) = (RwSignal::new(first), RwSignal::new(None));
        // A pressed element must stay until its release, or the click is lost.
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
                    // Changes since the rendering sent no frames to this page.
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

    /// Ends the press after the click event.
    fn release(self) {
        set_timeout(move || self.pressed.set(false), Duration::ZERO);
    }

    /// Handles focus events; `has` is whether an element in the region has gained the focus or lost it.
    fn focus(self, event: &ev::FocusEvent, has: bool) {
        let is_choice = event.target().is_some_and(|target| target.has_type::<HtmlSelectElement>());
        self.choosing.set(has && is_choice);
    }

    /// The order of the shown rows. It is held during a press, and while a list of choices has the focus.
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
            // A moved element loses the focus.
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

/// Requests data from the server, with combined and ordered responses.
struct Asking<A> {
    ask: A,
    due: Cell<bool>,
    /// The number of requests, and the number of the last shown response.
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
        // A later response may have arrived first.
        if number < self.answered.get() {
            return;
        }
        self.answered.set(number);
        match answer {
            Ok(answer) => drop(fresh.try_set(Some(answer))),
            Err(Problem { code: Code::Forbidden, .. }) => socket::estrange(),
            // Another build uses other server functions. See `ui/boot.js`.
            Err(Problem { code: Code::Invalid, .. }) => {
                let _ = web_sys::Event::new("outdated").map(|event| document().dispatch_event(&event));
            }
            // The next update retries.
            Err(_) => {}
        }
    }
}

/// The request `id` in `requests`, or its last known state.
fn request_in<T: Send + Sync + 'static>(
    shown: RwSignal<T>,
    requests: fn(&T) -> &[CustomRequest],
    id: RequestId,
) -> Option<Memo<CustomRequest>> {
    let find = move || requests(&shown.read()).iter().find(|request| request.id == id).cloned();
    let first = untrack(find)?;
    Some(Memo::new(move |last: Option<&CustomRequest>| find().or(last.cloned()).unwrap_or_else(|| first.clone())))
}
