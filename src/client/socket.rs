//! The one connection of a page. Islands [`listen`] to its events and [`send`] frames; when to connect, wait, give up
//! or go round by HTTP is decided by `client::reconnect`. By HTTP the same frames go both ways (`api::exchange`), so
//! that nobody else need know how they are carried.
//!
//! Always holds: no borrow of the connection is open while listeners run, so that they may send, come and go.

use std::{
    cell::{Cell, RefCell},
    pin::pin,
    rc::Rc,
    task::Poll,
};

use futures_util::{
    SinkExt, StreamExt,
    future::{Either, poll_fn, select},
};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::{
    lazy,
    leptos_dom::helpers::{document, location, window},
    prelude::on_cleanup,
    task::spawn_local,
};
use uuid::Uuid;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::{
    page::{self, Timer},
    people::is_page_of,
    reconnect::{Due, Indicator, Phase, Reconnect, Way},
};
use crate::{
    api::{self, Exchanged},
    domain::{Code, ConversationId, ParticipantId, Problem, Timestamp},
    protocol::{ClientFrame, ServerFrame, close},
};

/// An event of the connection.
pub enum Event<'a> {
    /// The displayed state of the connection has changed.
    Told(Indicator),
    /// A connection is there, for this person: join again.
    Connected(ParticipantId),
    /// It is gone, with its close code.
    Disconnected(u16),
    /// The server was silent for long: each listener with a room joins it again, which the server answers.
    Probe,
    /// Something was sent from this page.
    Sent(&'a ClientFrame),
    Frame(&'a ServerFrame),
}

/// A listener, until the removal of its number.
#[derive(Clone)]
struct Listener {
    number: u32,
    hear: Rc<dyn Fn(&Event)>,
}

/// Empty after the page gave the connection up: dropping a socket closes it, also for pending readers.
type Shared = Rc<RefCell<Option<WebSocket>>>;

struct Connection {
    reconnect: Reconnect,
    socket: Shared,
    /// Counts connections, so that what a given-up one still says is not taken for the present one.
    attempt: u32,
    listeners: Vec<Listener>,
    me: Option<ParticipantId>,
    told: Indicator,
    /// The transport in the last event to the listeners.
    way: Way,
    detour: Detour,
    timer: Rc<Timer>,
    /// Connections in a row that were refused before they began.
    refused: u32,
}

/// The frames to send by HTTP, and the state of its answers.
#[derive(Default)]
struct Detour {
    waiting: Vec<ClientFrame>,
    /// The server's time at the last answer; `None`: there was none since the detour began.
    since: Option<Timestamp>,
    /// Whether a listener follows requests, and the server's time at the last request for them.
    follows: bool,
    followed: Option<Timestamp>,
    /// The frames of the last answer, some of which the next one repeats.
    heard: Vec<ServerFrame>,
}

thread_local! {
    static LISTENERS: Cell<u32> = const { Cell::new(0) };
    static CONNECTION: RefCell<Option<Connection>> = const { RefCell::new(None) };
}

/// Stands for the close code where this end gave the connection up.
const GAVE_UP: u16 = 1006;
/// How long the server has for an answer by HTTP.
const ANSWER_MS: u32 = 10_000;
/// The interval of polling custom requests by HTTP, which reads all of them.
const FOLLOW_MS: i64 = 30_000;
/// The pauses before each question to the server whether the browser still has a session.
const ASK_AFTER_MS: [u32; 4] = [0, 300, 1_000, 2_000];
/// A room's name that no conversation has: the answer to joining it is a sign of life.
const NO_ROOM: ConversationId = ConversationId(Uuid::nil());

fn with_connection<T: Default>(act: impl FnOnce(&mut Connection) -> T) -> T {
    CONNECTION.with_borrow_mut(|connection| connection.as_mut().map_or_else(T::default, act))
}

/// Calls `listener` for every event, as long as the owner lives, and connects if necessary. If the connection is open,
/// the listener receives [`Event::Connected`] at once.
pub fn listen(listener: impl Fn(&Event) + 'static) {
    let number = LISTENERS.replace(LISTENERS.get() + 1);
    let listener = Listener { number, hear: Rc::new(listener) };
    on_cleanup(move || with_connection(|connection| connection.listeners.retain(|other| other.number != number)));
    let is_first = CONNECTION.with_borrow(Option::is_none);
    if is_first {
        let reconnect = Reconnect::new(page::monotonic_ms(), page::is_online());
        let connection = Connection {
            reconnect,
            socket: Shared::default(),
            attempt: 0,
            listeners: vec![listener],
            me: None,
            told: Indicator::Connecting,
            way: Way::None,
            detour: Detour::default(),
            timer: Rc::default(),
            refused: 0,
        };
        CONNECTION.set(Some(connection));
        page::has_slept();
        page::on_return(|| {
            with_connection(|connection| connection.reconnect.woke(page::monotonic_ms(), page::is_online()));
            look();
        });
        page::on(&document(), "visibilitychange", |_| with_connection(Connection::tell_visibility));
        page::on(&window(), "offline", |_| {
            with_connection(|connection| connection.reconnect.went_offline());
            // It would only turn out to be dead later.
            lose(GAVE_UP);
        });
        step();
    } else {
        with_connection(|connection| connection.listeners.push(listener.clone()));
        (listener.hear)(&Event::Told(
            with_connection(|connection| Some(connection.told)).unwrap_or(Indicator::Connecting),
        ));
        if let Some(me) = with_connection(|connection| connection.me).filter(|_| is_live()) {
            (listener.hear)(&Event::Connected(me));
        }
    }
}

/// Whether frames can be sent now.
#[must_use]
pub fn is_live() -> bool {
    with_connection(|connection| connection.way != Way::None)
}

/// Sends a frame, if there is a connection. The caller repeats an important frame after [`Event::Connected`].
pub fn send(frame: &ClientFrame) -> bool {
    let sent = with_connection(|connection| match connection.way {
        Way::None => false,
        Way::Socket => connection.send_on_socket(frame),
        Way::Http => {
            connection.send_by_http(frame);
            true
        }
    });
    if sent {
        tell(&Event::Sent(frame));
        set_timer();
    }
    sent
}

impl Connection {
    fn send_on_socket(&mut self, frame: &ClientFrame) -> bool {
        let mut socket = self.socket.borrow_mut();
        let (Some(socket), Ok(text)) = (socket.as_mut(), serde_json::to_string(frame)) else { return false };
        if let Some(key) = question(frame) {
            self.reconnect.asked(key, page::monotonic_ms());
        }
        // An open socket accepts every frame at once; a closing one reports that to its reader.
        socket.start_send_unpin(Message::Text(text)).is_ok()
    }

    fn send_by_http(&mut self, frame: &ClientFrame) {
        match frame {
            // HTTP joins no room, and carries no typing.
            ClientFrame::LeaveRequest { .. } | ClientFrame::Typing { .. } | ClientFrame::Visible { .. } => {}
            ClientFrame::FollowRequests => self.detour.follows = true,
            frame => {
                self.detour.waiting.push(frame.clone());
                self.reconnect.poll_soon(page::monotonic_ms());
            }
        }
    }

    /// Says whether the person can see the page. A new socket counts as visible.
    fn tell_visibility(&mut self) {
        if self.way == Way::Socket {
            self.send_on_socket(&ClientFrame::Visible { on: page::is_visible() });
        }
    }

    /// Asks what is answered, on a socket that is open.
    fn prove_socket(&mut self) {
        if !self.reconnect.is_asking() {
            self.send_on_socket(&ClientFrame::JoinRequest { room: NO_ROOM, after: None, epoch: None, sender: None });
        }
    }
}

/// The key in the answer to a frame; `None` if it has no answer.
fn question(frame: &ClientFrame) -> Option<Uuid> {
    match frame {
        ClientFrame::JoinRequest { room, .. } => Some(room.0),
        ClientFrame::SendMessage { client_id, .. }
        | ClientFrame::UpdateMessage { client_id, .. }
        | ClientFrame::DeleteMessage { client_id, .. } => Some(client_id.0),
        ClientFrame::LeaveRequest { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Read { .. }
        | ClientFrame::Visible { .. }
        | ClientFrame::FollowRequests => None,
    }
}

/// The question that a frame answers.
fn answer(frame: &ServerFrame) -> Option<Uuid> {
    match frame {
        ServerFrame::Joined(joined) => Some(joined.room.0),
        ServerFrame::Resync { room } => Some(room.0),
        ServerFrame::Ack { client_id, .. } => Some(client_id.0),
        ServerFrame::Error { room, client_id, .. } => client_id.map(|id| id.0).or(room.map(|room| room.0)),
        _ => None,
    }
}

fn tell(event: &Event) {
    let listeners = with_connection(|connection| connection.listeners.clone());
    for listener in listeners {
        // One of those before may have sent it away.
        if with_connection(|connection| connection.listeners.iter().any(|other| other.number == listener.number)) {
            (listener.hear)(event);
        }
    }
}

/// Looks what time has brought, and does it.
fn look() {
    if page::has_slept() {
        with_connection(|connection| connection.reconnect.slept(page::monotonic_ms()));
    }
    step();
}

/// Runs the due action, and publishes a changed state.
fn step() {
    match with_connection(|connection| Some(connection.reconnect.due(page::monotonic_ms()))) {
        Some(Due::Connect) => connect(),
        Some(Due::Drop) => lose(GAVE_UP),
        Some(Due::Probe) => {
            tell(&Event::Probe);
            with_connection(Connection::prove_socket);
        }
        Some(Due::Poll) => poll(),
        Some(Due::Nothing) | None => {}
    }
    let news = with_connection(|connection| {
        let told = connection.reconnect.indicator(page::monotonic_ms());
        (std::mem::replace(&mut connection.told, told) != told).then_some(told)
    });
    if let Some(told) = news {
        tell(&Event::Told(told));
    }
    set_timer();
}

fn set_timer() {
    let timer = with_connection(|connection| {
        let now = page::monotonic_ms();
        connection.reconnect.wake_at(now).map(|at| (connection.timer.clone(), at - now))
    });
    if let Some((timer, after)) = timer {
        // Timers of a browser can fire a little early.
        timer.set(after.max(0) + 5, look);
    }
}

/// Notifies the listeners if the transport has changed. `code` is the reason, if there is none any more.
fn settle_way(code: u16) {
    let change = with_connection(|connection| {
        let way = connection.reconnect.way();
        let before = std::mem::replace(&mut connection.way, way);
        if way != before {
            // The listeners repeat important frames.
            connection.detour = Detour { since: connection.detour.since, ..Detour::default() };
        }
        if way != before && !page::is_visible() {
            connection.tell_visibility();
        }
        (way != before).then_some((way, connection.me))
    });
    match change {
        Some((Way::None, _)) => tell(&Event::Disconnected(code)),
        Some((_, Some(me))) => tell(&Event::Connected(me)),
        Some((_, None)) | None => {}
    }
}

/// Asks for news by HTTP, and says what waits to be said.
fn poll() {
    spawn_local(async {
        let answer = match select(pin!(exchange()), TimeoutFuture::new(ANSWER_MS)).await {
            Either::Left((answer, _)) => answer,
            Either::Right(_) => Err(Problem::unavailable()),
        };
        if let Err(problem) = answer {
            miss_by_http(&problem);
        }
    });
}

/// The browser loads this where it has no socket.
#[lazy]
async fn exchange() -> Result<(), Problem> {
    if with_connection(|connection| connection.way == Way::Http && connection.detour.waiting.is_empty()) {
        tell(&Event::Probe);
    }
    let (frames, since) = with_connection(|connection| {
        if connection.way != Way::Http {
            // Only whether that works at all.
            return (Vec::new(), None);
        }
        let detour = &mut connection.detour;
        let mut frames = std::mem::take(&mut detour.waiting);
        let mut since = detour.since;
        let is_due = |now: &Timestamp| detour.followed.is_none_or(|followed| now.0 >= followed.0 + FOLLOW_MS);
        if let Some(now) = since.filter(is_due).filter(|_| detour.follows) {
            frames.push(ClientFrame::FollowRequests);
            // All changes since the last request for them.
            since = detour.followed.replace(now).or(since);
        }
        (frames, since)
    });
    api::exchange(frames, since).await.map(hear_by_http)
}

fn hear_by_http(answer: Exchanged) {
    let Exchanged { frames, now, crowded } = answer;
    page::set_server_now(now);
    for frame in &frames {
        if let ServerFrame::Welcome { user, .. } = frame {
            if !is_page_of(page::me(), user) {
                return estrange();
            }
            with_connection(|connection| connection.me = Some(user.id));
        }
    }
    let (way, heard) = with_connection(|connection| {
        connection.reconnect.polled(page::monotonic_ms(), page::is_visible(), crowded);
        connection.detour.since = Some(now);
        if !connection.detour.waiting.is_empty() {
            connection.reconnect.poll_soon(page::monotonic_ms());
        }
        (connection.reconnect.way(), std::mem::take(&mut connection.detour.heard))
    });
    settle_way(GAVE_UP);
    if way == Way::Http {
        for frame in frames.iter().filter(|frame| !heard.contains(frame) || !is_news(frame)) {
            tell(&Event::Frame(frame));
        }
    }
    with_connection(|connection| connection.detour.heard = frames);
    step();
}

/// Whether a frame reports an event, and does not answer a request.
fn is_news(frame: &ServerFrame) -> bool {
    matches!(frame, ServerFrame::Inbox { .. } | ServerFrame::Request { .. })
}

fn miss_by_http(problem: &Problem) {
    with_connection(|connection| {
        connection.reconnect.poll_failed(page::monotonic_ms(), js_sys::Math::random());
        connection.detour = Detour { follows: connection.detour.follows, ..Detour::default() };
    });
    settle_way(GAVE_UP);
    match problem.code {
        Code::Forbidden => return estrange(),
        Code::Unauthorized => ask_whether_allowed(),
        _ => {}
    }
    step();
}

fn connect() {
    let location = location();
    let scheme = if location.protocol().is_ok_and(|protocol| protocol == "https:") { "wss://" } else { "ws://" };
    let address = scheme.to_owned() + &location.host().unwrap_or_default() + "/ws";
    let Ok(socket) = WebSocket::open(&address) else {
        lose(GAVE_UP);
        return;
    };
    let socket = Rc::new(RefCell::new(Some(socket)));
    let attempt = with_connection(|connection| {
        connection.attempt += 1;
        connection.socket = socket.clone();
        connection.attempt
    });
    spawn_local(async move {
        let mut code = GAVE_UP;
        // The borrow ends with each poll, so that frames can be sent while this waits.
        let next =
            || poll_fn(|cx| socket.borrow_mut().as_mut().map_or(Poll::Ready(None), |open| open.poll_next_unpin(cx)));
        while let Some(received) = next().await {
            if with_connection(|connection| connection.attempt != attempt) {
                return;
            }
            match received {
                Ok(Message::Text(text)) => receive(&text),
                Ok(Message::Bytes(_)) => {}
                Err(WebSocketError::ConnectionClose(event)) => code = event.code,
                Err(_) => {}
            }
        }
        if with_connection(|connection| connection.attempt == attempt) {
            lose(code);
        }
    });
}

fn receive(text: &str) {
    with_connection(|connection| connection.reconnect.received(page::monotonic_ms()));
    // Fails for a frame of a newer server that this page does not know yet.
    let Ok(frame) = serde_json::from_str::<ServerFrame>(text) else { return };
    if let ServerFrame::Welcome { user, .. } = &frame {
        if !is_page_of(page::me(), user) {
            return estrange();
        }
        with_connection(|connection| {
            connection.reconnect.opened(page::monotonic_ms());
            connection.refused = 0;
            connection.me = Some(user.id);
        });
        settle_way(GAVE_UP);
        with_connection(Connection::prove_socket);
    }
    if let Some(key) = answer(&frame) {
        with_connection(|connection| connection.reconnect.answered(key));
        settle_way(GAVE_UP);
    }
    tell(&Event::Frame(&frame));
    step();
}

/// The connection is gone or given up.
fn lose(code: u16) {
    let (socket, refused) = with_connection(|connection| {
        let was_connecting = matches!(connection.reconnect.phase(), Phase::Connecting { .. });
        connection.attempt += 1;
        connection.refused += u32::from(was_connecting);
        connection.reconnect.closed(page::monotonic_ms(), js_sys::Math::random());
        // The session that the socket belonged to has ended. The browser may have another one by now: a guest who has
        // registered, or whose other link was revoked, still has this chat. Over HTTP, the exchange reports this.
        let is_refused = was_connecting && connection.refused > 1 && connection.reconnect.way() == Way::None;
        (connection.socket.take(), code == close::NOT_ALLOWED || is_refused)
    });
    drop(socket);
    settle_way(code);
    if refused {
        ask_whether_allowed();
    }
    step();
}

/// The browser is signed in as somebody else than the page is for: from here on the page sends nothing.
pub fn estrange() {
    let socket = with_connection(|connection| {
        connection.attempt += 1;
        connection.reconnect.estranged();
        connection.socket.take()
    });
    drop(socket);
    settle_way(GAVE_UP);
    page::show_estranged();
    step();
}

/// Gives the connection up if the browser has no session any more: this person is signed out, or the link was revoked. A
/// browser does not say why a connection was refused, and a session that ended may have made way for another.
///
/// It asks more than once. When a guest registers in another tab, the session ends before the browser receives the new
/// cookie.
fn ask_whether_allowed() {
    spawn_local(async move {
        for pause_ms in ASK_AFTER_MS {
            TimeoutFuture::new(pause_ms).await;
            let answer = JsFuture::from(window().fetch_with_str("/api/v1/conversations?limit=1")).await;
            let Some(response) = answer.ok().and_then(|answer| answer.dyn_into::<web_sys::Response>().ok()) else {
                return;
            };
            if !matches!(response.status(), 401 | 403) {
                return;
            }
        }
        with_connection(|connection| connection.reconnect.ended());
        lose(GAVE_UP);
    });
}
