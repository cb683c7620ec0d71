//! The bus over NATS: a subject for each room, and one for all nodes.
//!
//! A node subscribes to the rooms of its sockets, and receives none of its own events. One task sends, one
//! subscribes, and each subscription has a reading task. The server answers a request without responders at once.
//! This answer proves that the connection works and that all earlier subscriptions are active.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_nats::{
    Client, ConnectErrorKind, ConnectOptions, RequestErrorKind, ServerAddr, Subscriber, connection::State,
};
use axum::body::Bytes;
use futures_util::StreamExt;
use percent_encoding::percent_decode_str;
use serde::{Deserialize, Serialize};
use tokio::{
    sync::mpsc,
    time::{Instant, MissedTickBehavior, interval, timeout},
};
use tokio_util::task::AbortOnDropHandle;
use uuid::Uuid;

use super::{Bus, BusChannel, BusEvent, Heard, NodeId, Status, Topic};
use crate::domain::{ConversationId, Epoch};

/// Capacity for events to send; further ones are dropped.
const OUTBOX: usize = 8192;
/// Capacity for received events. The subscriptions buffer more.
const INBOX: usize = 4096;
/// Size limit of an event in bytes: a quarter of the default limit of NATS.
const MOST_BYTES: usize = 256 * 1024;
/// How long a room is followed after its last socket has left, as a page reload rejoins at once.
const LINGER: Duration = Duration::from_secs(5);
/// Maximum number of subscriptions that are confirmed together.
const ORDERS: usize = 512;
/// Time limit for a round trip to the server.
const ROUND_TRIP_WITHIN: Duration = Duration::from_secs(2);
/// Ping interval of the connection; after two unanswered pings it counts as lost.
const PING_EVERY: Duration = Duration::from_secs(2);
const CONNECT_WITHIN: Duration = Duration::from_secs(5);
/// Maximum pause between two attempts to reconnect.
const MOST_PAUSE: Duration = Duration::from_secs(1);

/// The reason of a failed connection, for the terminal and without secrets.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    #[error("the NATS URL must be nats:// or tls:// and a host, or several of them with commas between")]
    Url,
    #[error("the NATS server {0} rejected this node: {1}")]
    Refused(String, ConnectErrorKind),
}

/// The format on the wire.
#[derive(Serialize, Deserialize)]
struct Envelope<E> {
    node: NodeId,
    event: E,
}

enum Order {
    Follow(ConversationId),
    Unfollow(ConversationId),
    /// Events may have been missed: the connection is new, or this node was too slow.
    Missed,
}

struct Nats {
    node: NodeId,
    prefix: String,
    outbox: mpsc::Sender<(String, Bytes)>,
    orders: mpsc::UnboundedSender<Order>,
    health: Arc<Health>,
}

#[derive(Default)]
struct Health {
    is_connected: AtomicBool,
    unsent: AtomicU64,
    round_trip_ms: AtomicU64,
}

/// Connects to one of the servers in `urls`, which are separated by commas. `epoch` separates installations that
/// share a server. If no server can be reached, the node starts without a connection and retries.
///
/// # Errors
/// See [`ConnectError`].
pub async fn connect(urls: &str, epoch: Epoch) -> Result<BusChannel, ConnectError> {
    let (servers, sign) = parse(urls).ok_or(ConnectError::Url)?;
    let names: Vec<_> = servers.iter().map(|server| format!("{}:{}", server.host(), server.port())).collect();
    let names = names.join(", ");

    let health = Arc::new(Health::default());
    let (orders, taken) = mpsc::unbounded_channel();
    let options = || {
        // Weak, so that dropping the bus ends the tasks.
        let (orders, health) = (orders.downgrade(), health.clone());
        let options = match sign.clone() {
            Sign::Nothing => ConnectOptions::new(),
            Sign::Token(token) => ConnectOptions::with_token(token),
            Sign::Password(user, password) => ConnectOptions::with_user_and_password(user, password),
        };
        options
            .name("bespoken")
            .no_echo()
            .ping_interval(PING_EVERY)
            .connection_timeout(CONNECT_WITHIN)
            .reconnect_delay_callback(pause)
            .event_callback(move |event| note(event, orders.clone(), health.clone()))
    };
    let client = match options().connect(&servers[..]).await {
        Ok(client) => client,
        Err(error) => match error.kind() {
            kind @ (ConnectErrorKind::ServerParse
            | ConnectErrorKind::Authentication
            | ConnectErrorKind::AuthorizationViolation
            | ConnectErrorKind::Tls) => return Err(ConnectError::Refused(names, kind)),
            _ => {
                tracing::warn!(servers = names, "NATS cannot be reached; this node starts without it and retries");
                let trying = options().retry_on_initial_connect().connect(&servers[..]).await;
                trying.map_err(|error| ConnectError::Refused(names, error.kind()))?
            }
        },
    };

    let node = NodeId(Uuid::now_v7());
    let prefix = format!("bespoken.{epoch}");
    let (heard, events) = mpsc::channel(INBOX);
    let (outbox, waiting) = mpsc::channel(OUTBOX);
    tokio::spawn(send(client.clone(), waiting, health.clone()));
    let reading = Reading { client, prefix: prefix.clone(), heard, health: health.clone() };
    tokio::spawn(reading.obey(taken));
    Ok(BusChannel { bus: Arc::new(Nats { node, prefix, outbox, orders, health }), heard: events })
}

/// The credentials of a node.
#[derive(Clone)]
enum Sign {
    Nothing,
    Token(String),
    Password(String, String),
}

/// The servers without credentials, and the credentials of the first URL that has some. `None` for invalid URLs.
fn parse(urls: &str) -> Option<(Vec<ServerAddr>, Sign)> {
    let mut servers = Vec::new();
    let mut sign = Sign::Nothing;
    for url in urls.split(',') {
        let mut url = url.trim().parse::<ServerAddr>().ok()?.into_inner();
        if !matches!(url.scheme(), "nats" | "tls") || url.host_str().is_none_or(str::is_empty) {
            return None;
        }
        let word = |text: &str| Some(percent_decode_str(text).decode_utf8().ok()?.into_owned());
        if let (Sign::Nothing, false) = (&sign, url.username().is_empty()) {
            sign = match url.password() {
                Some(password) => Sign::Password(word(url.username())?, word(password)?),
                None => Sign::Token(word(url.username())?),
            };
        }
        url.set_username("").ok()?;
        url.set_password(None).ok()?;
        servers.push(ServerAddr::from_url(url).ok()?);
    }
    Some((servers, sign))
}

/// The pause before the next attempt to connect. It grows with each attempt, and is random, so that nodes do not
/// reconnect together.
fn pause(tries: usize) -> Duration {
    let longest = Duration::from_millis(50 << tries.min(8)).min(MOST_PAUSE);
    longest.mul_f64(rand::random())
}

async fn note(event: async_nats::Event, orders: mpsc::WeakUnboundedSender<Order>, health: Arc<Health>) {
    use async_nats::Event::{Connected, Disconnected, SlowConsumer};
    if matches!(event, Disconnected) {
        health.is_connected.store(false, Ordering::Release);
    }
    if matches!(event, Connected | Disconnected | SlowConsumer(_))
        && let Some(orders) = orders.upgrade()
    {
        // Fails only while the node stops.
        orders.send(Order::Missed).ok();
    }
}

fn subject(prefix: &str, topic: Topic) -> String {
    match topic {
        Topic::Room(room) => format!("{prefix}.room.{room}"),
        Topic::Nodes => format!("{prefix}.nodes"),
    }
}

impl Bus for Nats {
    fn publish(&self, topic: Topic, event: BusEvent) {
        let head = match event {
            BusEvent::Changed { rev, .. } => Some(BusEvent::Head { rev }),
            _ => None,
        };
        let bytes = |event| serde_json::to_vec(&Envelope { node: self.node, event }).expect("events are plain data");
        let mut payload = bytes(event);
        if payload.len() > MOST_BYTES
            && let Some(head) = head
        {
            payload = bytes(head);
        }
        if self.outbox.try_send((subject(&self.prefix, topic), payload.into())).is_err() {
            self.health.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn follow(&self, room: ConversationId) {
        // Fails only while the node stops.
        self.orders.send(Order::Follow(room)).ok();
    }

    fn unfollow(&self, room: ConversationId) {
        self.orders.send(Order::Unfollow(room)).ok();
    }

    fn status(&self) -> Status {
        Status {
            is_connected: self.health.is_connected.load(Ordering::Acquire),
            unsent: self.health.unsent.load(Ordering::Relaxed),
            round_trip_ms: self.health.round_trip_ms.load(Ordering::Relaxed),
        }
    }
}

/// Sends the queued events. Drops an event that cannot be sent now, as it would be outdated later.
async fn send(client: Client, mut waiting: mpsc::Receiver<(String, Bytes)>, health: Arc<Health>) {
    while let Some((subject, payload)) = waiting.recv().await {
        if client.connection_state() != State::Connected || client.publish(subject, payload).await.is_err() {
            health.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }
    // The last event announces that the node leaves.
    timeout(ROUND_TRIP_WITHIN, client.flush()).await.ok();
}

/// A room that is followed.
struct Followed {
    /// When it is unfollowed, if it has no sockets any more.
    until: Option<Instant>,
    _reader: AbortOnDropHandle<()>,
}

/// The state of the task that subscribes.
struct Reading {
    client: Client,
    prefix: String,
    heard: mpsc::Sender<Heard>,
    health: Arc<Health>,
}

impl Reading {
    /// Handles orders to follow and leave rooms, and monitors the connection. Ends with the bus.
    async fn obey(self, mut taken: mpsc::UnboundedReceiver<Order>) {
        let _all = self.read(Topic::Nodes).await;
        let mut rooms: HashMap<ConversationId, Followed> = HashMap::new();
        let mut orders = Vec::new();
        let mut tick = interval(PING_EVERY);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut was_there = false;
        loop {
            let mut fresh = Vec::new();
            let mut missed = false;
            tokio::select! {
                count = taken.recv_many(&mut orders, ORDERS) => {
                    if count == 0 {
                        return;
                    }
                    for order in orders.drain(..) {
                        match order {
                            Order::Follow(room) => match rooms.get_mut(&room) {
                                Some(followed) => followed.until = None,
                                None => {
                                    let Some(reader) = self.read(Topic::Room(room)).await else { return };
                                    rooms.insert(room, Followed { until: None, _reader: reader });
                                    fresh.push(room);
                                }
                            },
                            Order::Unfollow(room) => {
                                if let Some(followed) = rooms.get_mut(&room) {
                                    followed.until = Some(Instant::now() + LINGER);
                                }
                            }
                            Order::Missed => missed = true,
                        }
                    }
                    if fresh.is_empty() && !missed {
                        continue;
                    }
                }
                _ = tick.tick() => {
                    let now = Instant::now();
                    rooms.retain(|_, followed| followed.until.is_none_or(|until| until > now));
                }
            }
            let is_there = self.is_there().await;
            let news = match (was_there, is_there) {
                (_, true) if missed || !was_there => Heard::Connected,
                (true, true) if !fresh.is_empty() => Heard::Following(fresh),
                (true, false) => Heard::Disconnected,
                _ => continue,
            };
            was_there = is_there;
            if self.heard.send(news).await.is_err() {
                return;
            }
        }
    }

    /// Subscribes. `None` when the node stops.
    async fn read(&self, topic: Topic) -> Option<AbortOnDropHandle<()>> {
        let subscriber = self.client.subscribe(subject(&self.prefix, topic)).await.ok()?;
        Some(AbortOnDropHandle::new(tokio::spawn(read(subscriber, topic, self.heard.clone()))))
    }

    /// Whether the server answers. If so, it has received everything sent before.
    async fn is_there(&self) -> bool {
        let began = Instant::now();
        let asked = self.client.request(format!("{}.nobody", self.prefix), Bytes::new());
        let is_there = self.client.connection_state() == State::Connected
            && matches!(
                timeout(ROUND_TRIP_WITHIN, asked).await,
                Ok(Err(error)) if error.kind() == RequestErrorKind::NoResponders
            );
        self.health.is_connected.store(is_there, Ordering::Release);
        let took = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.health.round_trip_ms.store(took, Ordering::Relaxed);
        is_there
    }
}

/// Forwards received events. Invalid ones are from a newer node or another program.
async fn read(mut subscriber: Subscriber, topic: Topic, heard: mpsc::Sender<Heard>) {
    while let Some(message) = subscriber.next().await {
        match serde_json::from_slice::<Envelope<BusEvent>>(&message.payload) {
            Ok(Envelope { node, event }) => {
                if heard.send(Heard::Event { topic, from: node, event }).await.is_err() {
                    return;
                }
            }
            Err(error) => tracing::debug!(%error, ?topic, "ignored an invalid event of the bus"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(urls: &str) -> Option<(Vec<String>, String)> {
        let (servers, sign) = parse(urls)?;
        let sign = match sign {
            Sign::Nothing => String::new(),
            Sign::Token(token) => token,
            Sign::Password(user, password) => format!("{user} {password}"),
        };
        Some((servers.into_iter().map(|server| server.into_inner().to_string()).collect(), sign))
    }

    #[test]
    fn secrets_are_taken_out_of_urls() {
        for (urls, servers, sign) in [
            ("nats://a.example", &["nats://a.example"][..], ""),
            ("a.example:4333", &["nats://a.example:4333"], ""),
            ("tls://node:p%40ss@a.example, b.example", &["tls://a.example", "nats://b.example"], "node p@ss"),
            ("nats://word@[::1]:4222", &["nats://[::1]:4222"], "word"),
        ] {
            assert_eq!(
                shown(urls),
                Some((servers.iter().map(ToString::to_string).collect(), sign.to_owned())),
                "{urls}"
            );
        }
        for wrong in ["", "http://a.example", "nats://", "nats://a.example:port", "nats://a,,b", "ws://a.example"] {
            assert_eq!(shown(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn pauses_grow_and_end() {
        for tries in [0, 1, 5, 100] {
            assert!(pause(tries) <= MOST_PAUSE);
        }
        assert!(pause(1) <= Duration::from_millis(100));
    }

    #[test]
    fn an_event_reads_as_it_was_written() {
        let room = ConversationId::new();
        for event in [
            BusEvent::Head { rev: 7 },
            BusEvent::Alive { asks: true },
            BusEvent::Leaving,
            BusEvent::CustomersHere { slice: 3, rooms: vec![room] },
            BusEvent::Changed { rev: 2, change: crate::domain::Change::Conversation },
        ] {
            let node = NodeId(Uuid::now_v7());
            let text = serde_json::to_vec(&Envelope { node, event: event.clone() }).unwrap();
            let read: Envelope<BusEvent> = serde_json::from_slice(&text).unwrap();
            assert_eq!((read.node, read.event), (node, event));
        }
    }
}
