//! A client as the browser has it: the same pure code decides (`client::room`), with tokio in the
//! browser's place. It reconnects for ever, keeps its outbox across reloads, and notes what it was
//! acknowledged and told.

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
        outbox::{Entry, Outbox},
        room::{Do, Room},
    },
    domain::{ClientId, Code, ConversationId, Message, MessageId},
    protocol::{ClientFrame, ServerFrame, SocketUser},
    storage::now,
};
use futures_util::{SinkExt, StreamExt};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use tokio::{net::TcpStream, sync::mpsc, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{Message as Raw, client::IntoClientRequest, http::header},
};

use super::checker::Told;

/// Silence after which the server is asked for a sign of life, and again until it counts as gone. Longer
/// than a machine takes that carries clients, proxy and server while all come back at once.
const QUIET: Duration = Duration::from_secs(6);
/// Pause before the second try to connect, and the longest; each is taken at random up to that.
const PAUSE_MS: u64 = 200;
const MOST_PAUSE_MS: u64 = 5_000;

/// What a client is to do.
pub enum Act {
    Post,
    EditOwn,
    DeleteOwn,
    Reload,
}

/// What all clients of a run share.
pub struct Course {
    pub proxy: SocketAddr,
    /// Clients that have nothing left to send, once they may not write any more.
    pub quiet: AtomicUsize,
    /// The head of each room at the end; 0 while it is not known.
    pub heads: Vec<AtomicI64>,
    pub connections: AtomicUsize,
}

/// What a client has to say at the end.
#[derive(Default)]
pub struct Account {
    pub sent: Vec<ClientId>,
    pub acked: Vec<Message>,
    pub told: Vec<Told>,
    pub shown: Vec<Message>,
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
    written: usize,
    is_quiet: bool,
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// The next frame; `None` at the end of the connection.
///
/// # Panics
/// If what comes is no frame.
async fn next(socket: &mut Socket) -> Option<ServerFrame> {
    loop {
        match socket.next().await? {
            Ok(Raw::Text(text)) => {
                return Some(serde_json::from_str(&text).unwrap_or_else(|error| panic!("no frame ({error}): {text}")));
            }
            Ok(Raw::Close(_)) | Err(_) => return None,
            Ok(_) => {}
        }
    }
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
            written: 0,
            is_quiet: false,
        }
    }

    /// Runs until there is nothing left to write and the head of the room is reached.
    pub async fn run(mut self) -> Account {
        let mut room: Option<Room> = None;
        let mut most = PAUSE_MS;
        loop {
            let began = Instant::now();
            if let Some(done) = self.connection(&mut room).await {
                self.account.shown = done;
                return self.account;
            }
            // One that held for a while was a connection; the next failure is the first again.
            most = if began.elapsed() > QUIET * 2 { PAUSE_MS } else { (most * 2).min(MOST_PAUSE_MS) };
            let pause = self.random.random_range(0..most);
            tokio::time::sleep(Duration::from_millis(pause)).await;
        }
    }

    /// One connection. Returns what is shown if everything is done.
    async fn connection(&mut self, page: &mut Option<Room>) -> Option<Vec<Message>> {
        let mut request = format!("ws://{}/ws", self.course.proxy).into_client_request().ok()?;
        request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {}", self.token).parse().ok()?);
        let (mut socket, _) = timeout(QUIET, connect_async(request)).await.ok()?.ok()?;
        self.course.connections.fetch_add(1, Ordering::Relaxed);
        let ServerFrame::Welcome { user, .. } = timeout(QUIET, next(&mut socket)).await.ok()?? else {
            self.account.errors.push("the first frame was no welcome".into());
            return None;
        };
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
                        // The page is gone, with what was not kept.
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
                            room.on_disconnected(1006);
                            return None;
                        }
                        asked = true;
                        let todo = room.on_probe();
                        self.obey(&mut socket, todo).await?;
                        continue;
                    };
                    let Some(frame) = read else {
                        room.on_disconnected(1006);
                        return None;
                    };
                    asked = false;
                    self.note(&frame, &mut is_in);
                    let todo = room.on_frame(&frame, now().0);
                    wake_at = self.obey(&mut socket, todo).await?.or(wake_at);
                }
                () = tokio::time::sleep(wake), if wake_at.is_some() => {
                    wake_at = None;
                    let todo = room.wake(now().0, true);
                    wake_at = self.obey(&mut socket, todo).await?.or(wake_at);
                }
            }
        }
    }

    /// Loads the room anew, as a page does.
    async fn load(&mut self, socket: &mut Socket, page: &mut Option<Room>, user: &SocketUser) -> Option<()> {
        let join = ClientFrame::JoinRequest { room: self.room, after: None, epoch: None };
        self.obey(socket, vec![Do::Send(join)]).await?;
        let began = Instant::now();
        while began.elapsed() < QUIET {
            match timeout(QUIET, next(socket)).await.ok()?? {
                ServerFrame::Joined(joined) => {
                    let me = joined.participants.iter().find(|person| person.id == user.id)?.clone();
                    self.account.told.push(Told { from: joined.head, revs: Vec::new() });
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
        match (act, id) {
            (Act::Post, _) => {
                self.account.sent.push(client_id);
                room.post(client_id, words, now().0)
            }
            (Act::EditOwn, Some(id)) => {
                let content = format!("{words}, edited");
                self.change(room, client_id, ClientFrame::UpdateMessage { room: self.room, client_id, id, content })
            }
            (Act::DeleteOwn, Some(id)) => {
                self.change(room, client_id, ClientFrame::DeleteMessage { room: self.room, client_id, id })
            }
            _ => Vec::new(),
        }
    }

    fn change(&mut self, room: &mut Room, client_id: ClientId, frame: ClientFrame) -> Vec<Do> {
        let todo = room.change(client_id, frame);
        if !todo.is_empty() {
            self.changes.insert(client_id);
            self.changed.insert(client_id);
        }
        todo
    }

    /// Does what the room wants; returns when to wake it. `None` if the connection does not take it.
    async fn obey(&mut self, socket: &mut Socket, todo: Vec<Do>) -> Option<Option<i64>> {
        let mut wake_at = None;
        for act in todo {
            match act {
                Do::Send(frame) => {
                    let text = bespoken::client::wire::write(&frame);
                    timeout(QUIET, socket.send(Raw::Text(text.into()))).await.ok()?.ok()?;
                }
                Do::Keep(entry) => drop(self.kept.insert(entry.client_id, entry)),
                Do::Forget(client_id) => drop(self.kept.remove(&client_id)),
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
                    self.account.told.push(Told { from: joined.head, revs: Vec::new() });
                }
            }
            ServerFrame::Ack { client_id, message, .. } => {
                self.changes.remove(client_id);
                self.account.acked.push(message.clone());
            }
            ServerFrame::NewMessage { rev, .. }
            | ServerFrame::MessageUpdated { rev, .. }
            | ServerFrame::MessageDeleted { rev, .. }
            | ServerFrame::ConversationUpdated { rev, .. } => {
                if *is_in && let Some(told) = self.account.told.last_mut() {
                    told.revs.push(*rev);
                } else {
                    self.account.errors.push(format!("rev {rev} was told outside the room"));
                }
            }
            ServerFrame::Resync { .. } => *is_in = false,
            ServerFrame::Error { code, message, client_id, .. } => {
                // A change of a message that somebody else has deleted meanwhile. Sent again after a join, it is
                // refused again.
                let is_change = client_id.is_some_and(|id| {
                    self.changes.remove(&id);
                    self.changed.contains(&id)
                });
                if !is_change && *code != Code::Unavailable {
                    self.account.errors.push(format!("{code:?} {message}"));
                }
            }
            _ => {}
        }
    }

    /// What is shown, if nothing is left to be written or to come.
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
