//! Several nodes on one database, and the faults of the bus between them.

mod nats;
mod scripted;
mod servers;
mod storm;
mod together;

use std::{future::poll_fn, net::Ipv4Addr, sync::Arc, task::Poll, time::Duration};

use bespoken::{
    domain::{Actor, ConversationId, Message, Name, Role, SessionId, User},
    live::{BusChannel, Writing},
    protocol::{Joined, ServerFrame},
    service::{Connection, LinkKey, Mail, NewMessage, PushKey, Resolved, Secret, Service},
    settings::{Push, PushPace, Settings},
    storage::{Store, sqlite::SqliteStore},
};
use futures_util::StreamExt;
use tempfile::TempDir;
use tokio::net::{TcpListener, TcpStream, tcp::OwnedReadHalf};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{Message as Raw, protocol::Role as Side},
};

use crate::support::{PASSWORD, PATIENCE, in_time, rev_of};

/// The times of notifications.
const SOON: Duration = Duration::from_millis(50);

/// Two nodes without their web servers, on one database.
///
/// These tests use SQLite, because several processes may write to one file. Operators cannot use this setup, because
/// the nodes of a cluster are on several machines.
pub struct Pair {
    pub nodes: [Arc<Service>; 2],
    pub admin: User,
    _folder: TempDir,
}

impl Pair {
    pub async fn start(lines: [BusChannel; 2]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let keys = (LinkKey::random(), PushKey::random());
        let [one, other] = lines;
        let nodes = [node(&folder, &keys, one).await, node(&folder, &keys, other).await];
        let admin = nodes[0].create_user("admin@example.com", "Admin", PASSWORD, Role::Admin).await.unwrap();
        Self { nodes, admin, _folder: folder }
    }

    pub fn actor(&self) -> Actor {
        Actor::Admin(self.admin.clone())
    }

    /// A conversation, and the guest of its link.
    pub async fn open(&self) -> (ConversationId, Actor) {
        let opened =
            self.nodes[0].open_conversation(&self.actor(), None, "Ada", None, serde_json::Value::Null, false).await;
        let opened = opened.unwrap();
        let secret = Secret::presented(opened.link.as_deref().unwrap().split_once("chatId=").unwrap().1);
        (opened.id, self.nodes[0].bearer(&secret, Ipv4Addr::LOCALHOST.into()).await.unwrap().0)
    }

    /// Posts as the admin on one of the nodes.
    pub async fn post(&self, node: usize, room: ConversationId, content: &str) -> Message {
        self.nodes[node].post_message(&self.actor(), room, NewMessage::text(content)).await.unwrap().message
    }

    /// Somebody's socket on one of the nodes, in no room yet.
    pub async fn visitor(&self, node: usize, actor: &Actor, session: Option<SessionId>) -> Reader {
        let connection = self.nodes[node].connect(actor.clone(), session, None).await.unwrap();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        // Nothing is read on the server's side, where nobody says anything.
        let (unread, theirs) = listener.accept().await.unwrap().0.into_split();
        connection.socket.attach(theirs);
        let stream = WebSocketStream::from_raw_socket(ours, Side::Client, None).await;
        let node = self.nodes[node].clone();
        Reader { connection, node, stream, _unread: unread, writing: Writing::default(), passed: Vec::new() }
    }

    /// Somebody's socket on one of the nodes, in the room.
    pub async fn reader(&self, node: usize, actor: &Actor, room: ConversationId) -> Reader {
        let mut reader = self.visitor(node, actor, None).await;
        reader.join(room).await;
        reader
    }
}

async fn node(folder: &TempDir, keys: &(LinkKey, PushKey), line: BusChannel) -> Arc<Service> {
    let url = format!("sqlite://{}", folder.path().join("bespoken.db").display());
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&url).await.unwrap());
    let mut settings = Settings::default();
    settings.data.data_dir = folder.path().to_owned();
    (settings.limits.sends, settings.limits.message_chars) = (1_000_000, 1_000_000);
    settings.push = Push { private: true, pace: PushPace { look_every: SOON, grace: SOON, retries: [SOON; 3] } };
    let resolved = Resolved {
        public_url: "http://chat.example".into(),
        business: Name::parse("business", "Workshop").unwrap(),
        link_key: keys.0.clone(),
        push_key: keys.1.clone(),
        mail: Mail::new(None, "no-reply@localhost").unwrap(),
        settings,
    };
    Service::start_among(store, resolved, line).await.unwrap()
}

/// The reader of one socket.
pub struct Reader {
    pub connection: Connection,
    node: Arc<Service>,
    stream: WebSocketStream<TcpStream>,
    _unread: OwnedReadHalf,
    writing: Writing,
    passed: Vec<ServerFrame>,
}

impl Reader {
    pub async fn join(&mut self, room: ConversationId) -> Joined {
        self.node.join(&self.connection.socket, room, None, None, None).await.unwrap();
        self.wait("joined", |frame| match frame {
            ServerFrame::Joined(joined) if joined.room == room => Some(*joined),
            _ => None,
        })
        .await
    }

    /// The next frame; `None` once the socket has to close.
    async fn next(&mut self) -> Option<String> {
        let Self { connection, stream, writing, .. } = self;
        poll_fn(|cx| {
            let closing = connection.socket.poll_close(cx);
            // What is left to the socket's own task, which there is none of here.
            let _ = connection.socket.poll_write(cx, writing);
            match stream.poll_next_unpin(cx) {
                Poll::Ready(Some(Ok(Raw::Text(text)))) => Poll::Ready(Some(text.to_string())),
                Poll::Ready(other) => panic!("{other:?} from a socket"),
                Poll::Pending if closing.is_ready() => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }

    /// Reads on until `pick` takes a frame.
    ///
    /// # Panics
    /// If it never does, with the frames that came instead.
    pub async fn wait<T>(&mut self, what: &str, mut pick: impl FnMut(ServerFrame) -> Option<T>) -> T {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.next()).await;
            let Ok(Some(text)) = next else { panic!("{what}: waited for too long; what came: {:#?}", self.passed) };
            let frame: ServerFrame = serde_json::from_str(&text).unwrap();
            self.passed.push(frame.clone());
            if let Some(picked) = pick(frame) {
                return picked;
            }
        }
    }

    /// Reads until `rev` of this room arrives; returns all received revs, including this one.
    pub async fn revs_upto(&mut self, room: ConversationId, rev: i64) -> Vec<i64> {
        let mut revs = Vec::new();
        self.wait("a rev", |frame| match rev_of(&frame) {
            Some((of, told)) if of == room => {
                revs.push(told);
                (told >= rev).then_some(())
            }
            _ => None,
        })
        .await;
        revs
    }

    /// The messages of this room in the frames received so far.
    pub fn messages(&mut self, of: ConversationId) -> Vec<Message> {
        let passed = std::mem::take(&mut self.passed);
        let message = |frame| match frame {
            ServerFrame::NewMessage { room, message, .. }
            | ServerFrame::MessageUpdated { room, message, .. }
            | ServerFrame::MessageDeleted { room, message, .. } => (room == of).then_some(message),
            _ => None,
        };
        passed.into_iter().filter_map(message).collect()
    }

    /// Whether such a frame came while something was waited for.
    pub fn has_passed(&self, is_it: impl Fn(&ServerFrame) -> bool) -> bool {
        self.passed.iter().any(is_it)
    }

    /// The code that the server closes this socket with.
    pub async fn closed(&self) -> u16 {
        in_time("the socket closes", self.connection.socket.closed()).await
    }
}
