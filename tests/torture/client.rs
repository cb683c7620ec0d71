//! A client as the browser has it: the same pure code decides (`client::room`), with tokio in the browser's place. It
//! reconnects for ever, persists its outbox across reloads, and records acknowledgements and received frames.

use std::{
    collections::{BTreeMap, HashSet},
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bespoken::{
    client::{
        outbox::{Entry, Outbox, SendState},
        reconnect::{Due, Reconnect},
        room::{Do, Moment, Room},
    },
    domain::{ClientId, Code, ConversationId, Message, MessageId},
    protocol::{ClientFrame, ServerFrame, SocketUser},
    storage::now,
};
use futures_util::{SinkExt, StreamExt};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tokio::{
    net::TcpStream,
    sync::{Notify, mpsc},
    time::timeout,
};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message as Raw, client::IntoClientRequest, http::header},
};

use super::{
    checker::{Change, Told},
    model::{What, Written, words},
};

/// Silence after which the client probes the server, and again until it counts as gone. It is longer than a machine
/// needs for clients, proxy and server while all clients reconnect at once.
const QUIET: Duration = Duration::from_secs(6);
/// Pause before the second try to connect, and the longest; each is taken at random up to that.
const PAUSE_MS: u64 = 200;
const MOST_PAUSE_MS: u64 = 5_000;

/// The close code that browsers report when there was no close frame.
const NO_CODE: u16 = 1005;
const BROKEN: u16 = 1006;

/// A command for a client.
#[derive(Clone, Copy)]
pub enum Act {
    Post,
    EditOwn,
    DeleteOwn,
    Reload,
}

/// How long clients wait before they try to connect again.
#[derive(Clone, Copy)]
pub enum Pauses {
    /// Less long than browsers, so that more happens in the same time.
    Short,
    AsBrowsers,
}

/// The shared state of all clients of a run.
pub struct Course {
    /// The address to which they connect: the server's, or the proxy's.
    way: SocketAddr,
    pauses: Pauses,
    /// Clients that have nothing left to send, once they may not write any more.
    pub quiet: AtomicUsize,
    /// The head of each room at the end; 0 while it is not known.
    pub heads: Vec<AtomicI64>,
    /// Notified when all heads are known. A client that misses it checks again after [`QUIET`].
    pub heads_known: Notify,
    pub connections: AtomicUsize,
    /// Messages that the server could not store, counted at each try.
    pub refused: AtomicUsize,
    /// Connections that came as far as [`Line::joined`].
    pub joins: AtomicUsize,
}

impl Course {
    pub fn new(way: SocketAddr, pauses: Pauses, rooms: usize) -> Self {
        Self {
            way,
            pauses,
            quiet: AtomicUsize::new(0),
            heads: (0..rooms).map(|_| AtomicI64::new(0)).collect(),
            heads_known: Notify::new(),
            connections: AtomicUsize::new(0),
            refused: AtomicUsize::new(0),
            joins: AtomicUsize::new(0),
        }
    }
}

/// A connection that was let in.
#[derive(Debug)]
pub struct Line {
    pub opened: Instant,
    /// When it was in the room, with nothing missing any more.
    pub joined: Option<Instant>,
    pub ended: Option<End>,
}

#[derive(Debug)]
pub struct End {
    pub at: Instant,
    /// As browsers report it: 1006 if the connection broke.
    pub code: u16,
    /// Messages that were sent and not answered.
    pub unanswered: usize,
}

/// The report of a client at the end.
#[derive(Default)]
pub struct Account {
    pub written: Vec<Written>,
    pub acked: Vec<(ClientId, Message)>,
    pub told: Vec<Told>,
    pub shown: Vec<Message>,
    pub lines: Vec<Line>,
    /// When it tried to connect.
    pub tries: Vec<Instant>,
    pub errors: Vec<String>,
}

pub struct Client {
    pub number: usize,
    pub room: ConversationId,
    /// The place of the room in the course.
    pub place: usize,
    pub token: String,
    pub course: Arc<Course>,
    pub acts: mpsc::UnboundedReceiver<Act>,
    pub account: Account,
    pub kept: BTreeMap<ClientId, Entry>,
    /// Edits and deletions under way, and all that there were.
    pub changes: HashSet<ClientId>,
    pub changed: HashSet<ClientId>,
    pub random: SmallRng,
    reconnect: Reconnect,
    /// The longest pause before the next try, in milliseconds, where pauses are short.
    pause_ms: u64,
    /// How the present connection ended, or will if it just breaks.
    code: u16,
    written: usize,
    is_quiet: bool,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The next frame.
///
/// # Errors
/// The close code, as browsers report it, at the end of the connection.
///
/// # Panics
/// If what comes is no frame.
async fn next(socket: &mut Socket) -> Result<ServerFrame, u16> {
    loop {
        match socket.next().await {
            // A thousand admins get hundreds of these in a second: reading them alone would occupy this process.
            Some(Ok(Raw::Text(text))) if text.starts_with(r#"{"type":"inbox","#) => {}
            Some(Ok(Raw::Text(text))) => {
                return Ok(serde_json::from_str(&text).unwrap_or_else(|error| panic!("no frame ({error}): {text}")));
            }
            Some(Ok(Raw::Close(goodbye))) => {
                // Which answers it.
                timeout(QUIET, socket.flush()).await.ok();
                return Err(goodbye.map_or(NO_CODE, |goodbye| goodbye.code.into()));
            }
            None | Some(Err(_)) => return Err(BROKEN),
            Some(Ok(_)) => {}
        }
    }
}

/// The present moment. Nobody sets the clock of a machine while it is tortured.
fn moment() -> Moment {
    Moment { steady: now().0, at: now() }
}

impl Client {
    pub fn new(
        number: usize,
        (place, room): (usize, ConversationId),
        token: String,
        course: Arc<Course>,
        acts: mpsc::UnboundedReceiver<Act>,
        seed: u64,
    ) -> Self {
        Self {
            number,
            room,
            place,
            token,
            course,
            acts,
            account: Account::default(),
            kept: BTreeMap::new(),
            changes: HashSet::new(),
            changed: HashSet::new(),
            random: SmallRng::seed_from_u64(seed.wrapping_add(number as u64)),
            reconnect: Reconnect::new(now().0, true),
            pause_ms: PAUSE_MS,
            code: BROKEN,
            written: 0,
            is_quiet: false,
        }
    }

    /// Runs until there is nothing left to write and the head of the room is reached.
    pub async fn run(mut self) -> Account {
        let mut room: Option<Room> = None;
        assert_eq!(self.reconnect.due(now().0), Due::Connect, "the first try is due at once");
        loop {
            let began = Instant::now();
            self.account.tries.push(began);
            self.code = BROKEN;
            if let Some(done) = self.connection(&mut room).await {
                self.account.shown = done;
                return self.account;
            }
            if let Some(line) = self.account.lines.last_mut().filter(|line| line.ended.is_none()) {
                let entries = room.as_ref().map_or(&[][..], |room| room.outbox.entries());
                let unanswered = entries.iter().filter(|entry| entry.state == SendState::Sending).count();
                line.ended = Some(End { at: Instant::now(), code: self.code, unanswered });
            }
            self.pause(began.elapsed()).await;
        }
    }

    /// Waits until the next try is due, after a connection that lasted so long or could not be made.
    async fn pause(&mut self, lasted: Duration) {
        match self.course.pauses {
            Pauses::Short => {
                // One that held for a while was a connection; the next failure is the first again.
                self.pause_ms = if lasted > QUIET * 2 { PAUSE_MS } else { (self.pause_ms * 2).min(MOST_PAUSE_MS) };
                let pause = self.random.random_range(0..self.pause_ms);
                tokio::time::sleep(Duration::from_millis(pause)).await;
            }
            Pauses::AsBrowsers => {
                self.reconnect.closed(now().0, self.random.random_range(0.0..1.0));
                while self.reconnect.due(now().0) != Due::Connect {
                    let wake = self.reconnect.wake_at(now().0).expect("it does not give up");
                    tokio::time::sleep(Duration::from_millis((wake - now().0).max(0) as u64)).await;
                }
            }
        }
    }

    /// One connection. Returns what is shown if everything is done.
    async fn connection(&mut self, page: &mut Option<Room>) -> Option<Vec<Message>> {
        let mut request = format!("ws://{}/ws", self.course.way).into_client_request().ok()?;
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {}", self.token).parse().ok()?);
        let (mut socket, _) = timeout(QUIET, connect_async(request)).await.ok()?.ok()?;
        self.course.connections.fetch_add(1, Ordering::Relaxed);
        let ServerFrame::Welcome { user, .. } = timeout(QUIET, next(&mut socket)).await.ok()?.ok()? else {
            self.account.errors.push("the first frame was no welcome".into());
            return None;
        };
        self.reconnect.opened(now().0);
        self.account.lines.push(Line { opened: Instant::now(), joined: None, ended: None });
        // Whether live frames of the room may come; a page that is loaded has joined it to begin with.
        let mut is_in = page.is_none();
        match page {
            Some(room) => {
                let todo = room.on_connected();
                self.obey(&mut socket, todo).await?;
            }
            None => self.load(&mut socket, page, &user).await?,
        }
        let room = page.as_mut()?;
        let course = self.course.clone();
        let mut asked = false;
        let mut wake_at: Option<i64> = None;
        loop {
            if let Some(shown) = self.is_done(room) {
                return Some(shown);
            }
            let wake = wake_at.map_or(QUIET, |at| Duration::from_millis((at - now().0).max(0) as u64));
            tokio::select! {
                act = self.acts.recv(), if !self.acts.is_closed() || !self.acts.is_empty() => {
                    let Some(act) = act else { continue };
                    if matches!(act, Act::Reload) {
                        // The page is gone, with its unsaved state.
                        self.changes.clear();
                        *page = None;
                        return None;
                    }
                    let todo = self.act(room, &act);
                    wake_at = self.obey(&mut socket, todo).await?.or(wake_at);
                }
                read = timeout(QUIET, next(&mut socket)) => {
                    let Ok(read) = read else {
                        if asked {
                            room.on_disconnected(BROKEN);
                            return None;
                        }
                        asked = true;
                        let todo = room.on_probe();
                        self.obey(&mut socket, todo).await?;
                        continue;
                    };
                    let frame = match read {
                        Ok(frame) => frame,
                        Err(code) => {
                            self.code = code;
                            room.on_disconnected(code);
                            return None;
                        }
                    };
                    asked = false;
                    self.note(&frame, &mut is_in);
                    let todo = room.on_frame(&frame, moment());
                    wake_at = self.obey(&mut socket, todo).await?.or(wake_at);
                }
                () = course.heads_known.notified() => {}
                () = tokio::time::sleep(wake), if wake_at.is_some() => {
                    wake_at = None;
                    let todo = room.wake(moment(), true);
                    wake_at = self.obey(&mut socket, todo).await?.or(wake_at);
                }
            }
        }
    }

    /// Loads the room anew, as a page does.
    async fn load(&mut self, socket: &mut Socket, page: &mut Option<Room>, user: &SocketUser) -> Option<()> {
        let join = ClientFrame::JoinRequest { room: self.room, after: None, epoch: None, sender: None };
        self.obey(socket, vec![Do::Send(join)]).await?;
        let began = Instant::now();
        while began.elapsed() < QUIET {
            match timeout(QUIET, next(socket)).await.ok()?.ok()? {
                ServerFrame::Joined(joined) => {
                    let me = joined.participants.iter().find(|person| person.id == user.id)?.clone();
                    self.account.told.push(Told { from: joined.head, changes: Vec::new() });
                    let mut loaded = Room::new(&me, *joined);
                    loaded.outbox = Outbox::restore(self.kept.values().cloned().collect());
                    let todo = loaded.on_connected();
                    *page = Some(loaded);
                    self.obey(socket, todo).await?;
                    return Some(());
                }
                // The database is away: the page is loaded again.
                ServerFrame::Error { code: Code::Unavailable, .. } => return None,
                ServerFrame::Error { code, message, .. } => {
                    self.account.errors.push(format!("could not join: {code:?} {message}"));
                    return None;
                }
                _ => {}
            }
        }
        None
    }

    fn act(&mut self, room: &mut Room, act: &Act) -> Vec<Do> {
        let own = |room: &Room, skip: usize| -> Option<MessageId> {
            let mut own = room.timeline.messages().rev().filter(|message| message.sender_id == room.me);
            own.nth(skip).filter(|message| message.is_text()).map(|message| message.id)
        };
        self.written += 1;
        let words = format!("{} of {}", self.written, self.number);
        let client_id = ClientId::new();
        let id = own(room, self.random.random_range(0..3));
        let what = match (act, id) {
            (Act::Post, _) => What::Post(words),
            (Act::EditOwn, Some(id)) => What::Edit(id, format!("{words}, edited")),
            (Act::DeleteOwn, Some(id)) => What::Delete(id),
            _ => return Vec::new(),
        };
        let (todo, is_change) = match what.clone() {
            What::Post(words) => (room.post(client_id, words, None, moment()), false),
            What::Edit(id, content) => {
                let frame = ClientFrame::UpdateMessage { room: self.room, client_id, id, content, sender: None };
                (room.change(client_id, frame), true)
            }
            What::Delete(id) => (
                room.change(client_id, ClientFrame::DeleteMessage { room: self.room, client_id, id, sender: None }),
                true,
            ),
        };
        // Changes do not wait for a connection.
        if !todo.is_empty() {
            self.account.written.push(Written { client_id, by: room.me, what });
            if is_change {
                self.changes.insert(client_id);
                self.changed.insert(client_id);
            }
        }
        todo
    }

    /// Does what the room wants; returns when to wake it. `None` if the connection does not take it.
    async fn obey(&mut self, socket: &mut Socket, todo: Vec<Do>) -> Option<Option<i64>> {
        let mut wake_at = None;
        for act in todo {
            match act {
                Do::Send(frame) => {
                    let text = serde_json::to_string(&frame).unwrap();
                    timeout(QUIET, socket.send(Raw::Text(text.into()))).await.ok()?.ok()?;
                }
                Do::Keep(entry) => drop(self.kept.insert(entry.client_id, entry)),
                Do::Forget(client_id) => drop(self.kept.remove(&client_id)),
                Do::Estrange => panic!("who comes with this token is always the same"),
                Do::WakeAt(at) => wake_at = Some(at),
            }
        }
        Some(wake_at)
    }

    /// Notes what is evidence.
    fn note(&mut self, frame: &ServerFrame, is_in: &mut bool) {
        match frame {
            ServerFrame::Joined(joined) => {
                *is_in = !joined.more;
                if *is_in {
                    self.account.told.push(Told { from: joined.head, changes: Vec::new() });
                    let line = self.account.lines.last_mut().expect("frames come on a connection");
                    if line.joined.is_none() {
                        line.joined = Some(Instant::now());
                        self.course.joins.fetch_add(1, Ordering::AcqRel);
                    }
                }
            }
            ServerFrame::Ack { client_id, message, .. } => {
                self.changes.remove(client_id);
                self.account.acked.push((*client_id, message.clone()));
            }
            ServerFrame::NewMessage { rev, message, .. }
            | ServerFrame::MessageUpdated { rev, message, .. }
            | ServerFrame::MessageDeleted { rev, message, .. } => {
                self.told(*rev, Some(message), *is_in);
            }
            ServerFrame::ConversationUpdated { rev, .. } => self.told(*rev, None, *is_in),
            ServerFrame::Resync { .. } => *is_in = false,
            ServerFrame::Error { code, message, client_id, .. } => {
                // A change of a message that somebody else has deleted meanwhile. Sent again after a join, it is
                // refused again.
                let is_change = client_id.is_some_and(|id| {
                    self.changes.remove(&id);
                    self.changed.contains(&id)
                });
                match code {
                    _ if is_change => {}
                    Code::Unavailable if client_id.is_some() => {
                        self.course.refused.fetch_add(1, Ordering::AcqRel);
                    }
                    Code::Unavailable => {}
                    _ => self.account.errors.push(format!("{code:?} {message}")),
                }
            }
            _ => {}
        }
    }

    fn told(&mut self, rev: i64, message: Option<&Message>, is_in: bool) {
        let message = message.map(|message| (message.id, words(message).map(Into::into)));
        match self.account.told.last_mut() {
            Some(told) if is_in => told.changes.push(Change { rev, message }),
            _ => self.account.errors.push(format!("rev {rev} was told outside the room")),
        }
    }

    /// The displayed messages, if no write and no frame is pending.
    fn is_done(&mut self, room: &Room) -> Option<Vec<Message>> {
        if !self.acts.is_closed() || !self.acts.is_empty() {
            return None;
        }
        let is_quiet = room.outbox.waiting() == 0 && self.changes.is_empty() && room.is_up_to_date();
        if is_quiet && !self.is_quiet {
            self.is_quiet = true;
            self.course.quiet.fetch_add(1, Ordering::AcqRel);
        }
        let head = self.course.heads[self.place].load(Ordering::Acquire);
        let ClientFrame::JoinRequest { after: Some(rev), .. } = room.timeline.join_request() else { return None };
        (self.is_quiet && head > 0 && rev >= head).then(|| room.timeline.messages().cloned().collect())
    }
}
