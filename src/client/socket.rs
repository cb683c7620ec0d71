//! The one connection of a page. Islands [`listen`] to what happens on it and [`send`] frames; when
//! to connect, wait or give up is decided by `client::reconnect`.
//!
//! Always holds: no borrow of the line is open while listeners run, so that they may send.

use std::{cell::RefCell, rc::Rc, task::Poll};

use futures_util::{SinkExt, StreamExt, future::poll_fn};
use gloo_net::websocket::{Message, WebSocketError, futures::WebSocket};
use gloo_timers::future::TimeoutFuture;
use leptos::leptos_dom::helpers::{location, window};
use uuid::Uuid;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::{JsFuture, spawn_local};

use super::{
    json::Json,
    page::{self, Timer},
    people::is_page_of,
    reconnect::{Due, Indicator, Phase, Reconnect},
    wire::{self, FromJson},
};
use crate::{
    domain::{ConversationId, ParticipantId},
    protocol::{ClientFrame, ServerFrame, close},
};

/// What happens on the line.
pub enum Event<'a> {
    /// People are to be told something else about the connection.
    Told(Indicator),
    /// A connection is there, for this person: join again.
    Connected(ParticipantId),
    /// It is gone, with its close code.
    Disconnected(u16),
    /// Nothing came for long: whoever has a room joins it again, which is answered.
    Probe,
    /// Something was sent from this page.
    Sent(&'a ClientFrame),
    Frame(&'a ServerFrame),
}

type Listener = Rc<dyn Fn(&Event)>;

/// Empty once the connection was given up: dropping a socket closes it, whoever still waits on it.
type Shared = Rc<RefCell<Option<WebSocket>>>;

struct Line {
    reconnect: Reconnect,
    socket: Shared,
    /// Counts connections, so that what a given-up one still says is not taken for the present one.
    attempt: u32,
    listeners: Vec<Listener>,
    me: Option<ParticipantId>,
    told: Indicator,
    timer: Rc<Timer>,
    /// Connections in a row that were refused before they began.
    refused: u32,
}

thread_local! {
    static LINE: RefCell<Option<Line>> = const { RefCell::new(None) };
}

/// Stands for the close code where this end gave the connection up.
const GAVE_UP: u16 = 1006;
/// Before the server is asked once more whether the browser still has a session.
const ASK_AFTER_MS: [u32; 4] = [0, 300, 1_000, 2_000];
/// A room's name that no conversation has: the answer to joining it is a sign of life.
const NO_ROOM: ConversationId = ConversationId(Uuid::nil());

fn with_line<T: Default>(act: impl FnOnce(&mut Line) -> T) -> T {
    LINE.with_borrow_mut(|line| line.as_mut().map_or_else(T::default, act))
}

/// Hears everything from now on, and connects if that was not done yet. A listener that comes to a
/// living connection hears [`Event::Connected`] at once.
pub fn listen(listener: impl Fn(&Event) + 'static) {
    let listener: Listener = Rc::new(listener);
    let is_first = LINE.with_borrow(Option::is_none);
    if is_first {
        let reconnect = Reconnect::new(page::now_ms(), page::is_online());
        let line = Line {
            reconnect,
            socket: Shared::default(),
            attempt: 0,
            listeners: vec![listener],
            me: None,
            told: Indicator::Connecting,
            timer: Rc::default(),
            refused: 0,
        };
        LINE.set(Some(line));
        page::on_return(|| {
            with_line(|line| line.reconnect.woke(page::now_ms(), page::is_online()));
            step();
        });
        page::on(&window(), "offline", |_| {
            with_line(|line| line.reconnect.went_offline());
            // It would only turn out to be dead later.
            lose(GAVE_UP);
        });
        step();
    } else {
        with_line(|line| line.listeners.push(listener.clone()));
        listener(&Event::Told(with_line(|line| Some(line.told)).unwrap_or(Indicator::Connecting)));
        if let Some(me) = with_line(|line| line.me).filter(|_| is_live()) {
            listener(&Event::Connected(me));
        }
    }
}

/// Whether frames can be sent now.
#[must_use]
pub fn is_live() -> bool {
    with_line(|line| matches!(line.reconnect.phase(), Phase::Live { .. }))
}

/// Sends a frame, if there is a connection. Whoever sends repeats it after [`Event::Connected`] if
/// it matters.
pub fn send(frame: &ClientFrame) -> bool {
    let sent = with_line(|line| {
        let mut socket = line.socket.borrow_mut();
        let Some(socket) = socket.as_mut().filter(|_| matches!(line.reconnect.phase(), Phase::Live { .. })) else {
            return false;
        };
        let text = wire::write(frame);
        if let Some(key) = question(frame) {
            line.reconnect.asked(key, page::now_ms());
        }
        // A socket that is open takes everything at once; one that is closing tells its reader.
        socket.start_send_unpin(Message::Text(text)).is_ok()
    });
    if sent {
        tell(&Event::Sent(frame));
        set_timer();
    }
    sent
}

/// What the answer to a frame will name; `None` if it has none.
fn question(frame: &ClientFrame) -> Option<Uuid> {
    match frame {
        ClientFrame::JoinRequest { room, .. } => Some(room.0),
        ClientFrame::SendMessage { client_id, .. }
        | ClientFrame::UpdateMessage { client_id, .. }
        | ClientFrame::DeleteMessage { client_id, .. } => Some(client_id.0),
        ClientFrame::LeaveRequest { .. }
        | ClientFrame::Typing { .. }
        | ClientFrame::Read { .. }
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
    let listeners = with_line(|line| line.listeners.clone());
    for listener in listeners {
        listener(event);
    }
}

/// Does what is due, and tells people what they should know.
fn step() {
    match with_line(|line| Some(line.reconnect.due(page::now_ms()))) {
        Some(Due::Connect) => connect(),
        Some(Due::Drop) => lose(GAVE_UP),
        Some(Due::Probe) => {
            tell(&Event::Probe);
            if !with_line(|line| line.reconnect.is_asking()) {
                send(&ClientFrame::JoinRequest { room: NO_ROOM, after: None, epoch: None, sender: None });
            }
        }
        Some(Due::Nothing) | None => {}
    }
    let news = with_line(|line| {
        let told = line.reconnect.indicator(page::now_ms());
        (std::mem::replace(&mut line.told, told) != told).then_some(told)
    });
    if let Some(told) = news {
        tell(&Event::Told(told));
    }
    set_timer();
}

fn set_timer() {
    let timer = with_line(|line| {
        let now = page::now_ms();
        line.reconnect.wake_at(now).map(|at| (line.timer.clone(), at - now))
    });
    if let Some((timer, after)) = timer {
        // Timers of a browser can fire a little early.
        timer.set(after + 5, step);
    }
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
    let attempt = with_line(|line| {
        line.attempt += 1;
        line.socket = socket.clone();
        line.attempt
    });
    spawn_local(async move {
        let mut code = GAVE_UP;
        // The borrow ends with each poll, so that frames can be sent while this waits.
        let next =
            || poll_fn(|cx| socket.borrow_mut().as_mut().map_or(Poll::Ready(None), |open| open.poll_next_unpin(cx)));
        while let Some(received) = next().await {
            if with_line(|line| line.attempt != attempt) {
                return;
            }
            match received {
                Ok(Message::Text(text)) => receive(&text),
                Ok(Message::Bytes(_)) => {}
                Err(WebSocketError::ConnectionClose(event)) => code = event.code,
                Err(_) => {}
            }
        }
        if with_line(|line| line.attempt == attempt) {
            lose(code);
        }
    });
}

fn receive(text: &str) {
    with_line(|line| line.reconnect.received(page::now_ms()));
    // A frame of a newer server that this page does not know yet.
    let Some(frame) = Json::parse(text).and_then(|json| ServerFrame::from_json(&json)) else { return };
    if let ServerFrame::Welcome { user, .. } = &frame {
        if !is_page_of(page::viewer(), user) {
            return estrange();
        }
        with_line(|line| {
            line.reconnect.opened(page::now_ms());
            line.refused = 0;
            line.me = Some(user.id);
        });
        tell(&Event::Connected(user.id));
    }
    if let Some(key) = answer(&frame) {
        with_line(|line| line.reconnect.answered(key));
    }
    tell(&Event::Frame(&frame));
    step();
}

/// The connection is gone or given up.
fn lose(code: u16) {
    let (socket, was_live, refused) = with_line(|line| {
        let was_live = matches!(line.reconnect.phase(), Phase::Live { .. });
        let was_connecting = matches!(line.reconnect.phase(), Phase::Connecting { .. });
        line.attempt += 1;
        line.refused += u32::from(was_connecting);
        line.reconnect.closed(page::now_ms(), js_sys::Math::random());
        // The session that the socket belonged to has ended. The browser may have another one by now: a guest who
        // has registered, or whose other link was revoked, still has this chat.
        (line.socket.take(), was_live, code == close::NOT_ALLOWED || (was_connecting && line.refused > 1))
    });
    drop(socket);
    if was_live {
        tell(&Event::Disconnected(code));
    }
    if refused {
        ask_whether_allowed();
    }
    step();
}

/// The browser is signed in as somebody else than the page is for: from here on the page sends nothing.
pub fn estrange() {
    let (socket, was_live) = with_line(|line| {
        let was_live = matches!(line.reconnect.phase(), Phase::Live { .. });
        line.attempt += 1;
        line.reconnect.estranged();
        (line.socket.take(), was_live)
    });
    drop(socket);
    if was_live {
        tell(&Event::Disconnected(GAVE_UP));
    }
    page::show_estranged();
    step();
}

/// Gives the line up if the browser has no session any more: this person is signed out, or the link was revoked. A
/// browser does not say why a connection was refused, and a session that ended may have made way for another.
///
/// It is asked more than once: when a guest registers in another tab, the session ends before the browser has
/// the answer with its new cookie.
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
        with_line(|line| line.reconnect.ended());
        lose(GAVE_UP);
    });
}
