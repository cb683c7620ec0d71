//! Those who ask too much of the server, among two thousand people who just talk and are to notice nothing.
//!
//! Fifty readers that stop reading, in a flooded room: the server closes their sockets, and they miss nothing after
//! they reconnect. The server's memory stays bounded. Twenty writers that flood one room as fast as the server answers:
//! everybody receives everything, there and in other rooms. The test prints the latency, but does not judge it. It
//! checks for each client that it receives everything once and in order.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bespoken::{
    domain::{ClientId, Conversation, ConversationId},
    protocol::{ClientFrame, ServerFrame, close},
};
use futures_util::{SinkExt, StreamExt};
use tokio::{
    net::{TcpSocket, TcpStream},
    sync::{mpsc, watch},
    time::{sleep_until, timeout},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Message as Raw, client::IntoClientRequest, http::header},
};

use super::server::{Api, Server, secret};

const ROOMS: usize = 194;
const IN_A_ROOM: usize = 10;
const STALLED: usize = 50;
/// The clients that flood a room together.
const FLOODERS: usize = 20;
/// Long enough to fill every buffer between the server and a client that does not read.
const FLOOD: Duration = Duration::from_secs(20);
/// Between two messages of a room in which people just talk.
const TALK: Duration = Duration::from_secs(2);
/// How long it may take after a flood until everybody has received everything. A machine that is busy with other things
/// is slow, but does not need as long as this.
const HEARD_WITHIN: Duration = Duration::from_secs(60);
/// Memory that may come and go, beside what the sockets themselves need: queues of the stalled, and what
/// the allocator keeps.
const SLACK_KIB: u64 = 96 * 1024;

type Socket = WebSocketStream<TcpStream>;

async fn connect(server: SocketAddr, token: &str, buffer_bytes: Option<u32>) -> Socket {
    let socket = TcpSocket::new_v4().unwrap();
    if let Some(bytes) = buffer_bytes {
        socket.set_recv_buffer_size(bytes).unwrap();
    }
    let stream = socket.connect(server).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let mut request = format!("ws://{server}/ws").into_client_request().unwrap();
    request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
    let (mut socket, _) = client_async(request, stream).await.unwrap();
    assert!(matches!(next(&mut socket).await, Some(ServerFrame::Welcome { .. })));
    socket
}

async fn next(socket: &mut Socket) -> Option<ServerFrame> {
    loop {
        match socket.next().await? {
            Ok(Raw::Text(text)) => return Some(serde_json::from_str(&text).unwrap()),
            end @ (Ok(Raw::Close(_)) | Err(_)) => {
                println!("a socket ended: {end:?}");
                return None;
            }
            Ok(_) => {}
        }
    }
}

async fn send(socket: &mut Socket, frame: &ClientFrame) {
    socket.send(Raw::Text(serde_json::to_string(frame).unwrap().into())).await.unwrap();
}

async fn join(socket: &mut Socket, room: ConversationId, after: Option<i64>) -> (i64, Vec<i64>, bool) {
    send(socket, &ClientFrame::JoinRequest { room, after, epoch: None, sender: None }).await;
    loop {
        match next(socket).await.expect("it stays open") {
            ServerFrame::Joined(joined) => {
                let revs = joined.messages.iter().map(|message| message.rev).collect();
                return (joined.head, revs, joined.more);
            }
            ServerFrame::Error { code, message, .. } => panic!("{code:?} {message}"),
            _ => {}
        }
    }
}

fn resident_kib(server: &Server) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{}/status", server.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// How far the others are.
#[derive(Clone, Copy, Debug)]
enum Stage {
    /// They talk, and how long it takes counts.
    Talk,
    /// Nobody says anything any more.
    Silence,
    /// The last rev of the room, which everybody must have received by then.
    End(i64, Instant),
}

/// The rev of a room's frame.
fn rev_of(frame: &ServerFrame, of: ConversationId) -> Option<i64> {
    match frame {
        ServerFrame::NewMessage { room, rev, .. }
        | ServerFrame::MessageUpdated { room, rev, .. }
        | ServerFrame::MessageDeleted { room, rev, .. }
        | ServerFrame::ConversationUpdated { room, rev, .. } => (*room == of).then_some(*rev),
        _ => None,
    }
}

/// A client in a room with normal traffic: it receives everything, to the end of the room. A client with a `voice`
/// sends a message now and then, and drops it when all its messages are acknowledged. Returns the delays of received
/// messages, in microseconds; a message contains its time since `began`.
async fn person(
    mut socket: Socket,
    room: ConversationId,
    mut voice: Option<mpsc::Sender<()>>,
    began: Instant,
    mut stage: watch::Receiver<Stage>,
) -> Vec<u64> {
    let (mut head, ..) = join(&mut socket, room, None).await;
    let (mut delays, mut unanswered) = (Vec::new(), 0);
    let mut due = tokio::time::interval(TALK);
    loop {
        let now = *stage.borrow_and_update();
        let mut end_by = None;
        match now {
            Stage::Silence if unanswered == 0 => voice = None,
            Stage::End(last, _) if head == last => return delays,
            Stage::End(last, by) => {
                assert!(head < last, "{room}: rev {head} was told, and the last is {last}");
                end_by = Some((last, by));
            }
            Stage::Talk | Stage::Silence => {}
        }
        tokio::select! {
            frame = next(&mut socket) => {
                let frame = frame.expect("nobody sends these away");
                if let Some(rev) = rev_of(&frame, room) {
                    assert_eq!(rev, head + 1, "{room}: each rev once and in order");
                    head = rev;
                }
                match frame {
                    ServerFrame::NewMessage { message, .. } if matches!(now, Stage::Talk) => {
                        let said: u64 = message.content.parse().unwrap();
                        delays.push(began.elapsed().as_micros() as u64 - said);
                    }
                    ServerFrame::Ack { .. } => unanswered -= 1,
                    ServerFrame::Error { code, message, .. } => panic!("{code:?} {message}"),
                    _ => {}
                }
            }
            _ = due.tick(), if voice.is_some() && matches!(now, Stage::Talk) => {
                let content = began.elapsed().as_micros().to_string();
                let frame =
                    ClientFrame::text(room, ClientId::new(), content);
                send(&mut socket, &frame).await;
                unanswered += 1;
            }
            changed = stage.changed() => changed.expect("there is an end to come"),
            () = sleep_until(end_by.map_or(began, |(_, by)| by).into()), if end_by.is_some() => {
                let last = end_by.map_or(0, |(last, _)| last);
                panic!("{room}: heard up to rev {head} of {last} within {HEARD_WITHIN:?} after the flood");
            }
        }
    }
}

/// Reads what still comes, without a gap, to the end of the room or of the connection. Returns how far it
/// came, and the close code.
async fn read_on(mut socket: Socket, room: ConversationId, mut head: i64, last: i64) -> (i64, Option<u16>) {
    while head < last
        && let Some(Ok(frame)) = socket.next().await
    {
        match frame {
            Raw::Text(text) => {
                if let Some(rev) = rev_of(&serde_json::from_str(&text).unwrap(), room) {
                    assert_eq!(rev, head + 1, "without a gap");
                    head = rev;
                }
            }
            Raw::Close(goodbye) => return (head, goodbye.map(|goodbye| u16::from(goodbye.code))),
            _ => {}
        }
    }
    (head, None)
}

async fn all_of(api: &Api, room: ConversationId) -> Vec<i64> {
    let (stored, _) = api.stored(room).await;
    stored.iter().map(|message| message.rev).collect()
}

/// Two thousand people, less those in the flooded room, and their measured delays.
struct Others {
    rooms: Vec<(ConversationId, watch::Sender<Stage>)>,
    people: Vec<tokio::task::JoinHandle<Vec<u64>>>,
    /// Ends when nobody has anything to say any more.
    voices: mpsc::Receiver<()>,
}

impl Others {
    async fn talk(server: &Server, api: &Api) -> Self {
        let began = Instant::now();
        let (voice, voices) = mpsc::channel(1);
        let (mut rooms, mut people) = (Vec::new(), Vec::new());
        for at in 0..ROOMS {
            let room = api.open(format!("Room {at}")).await;
            let stage = watch::Sender::new(Stage::Talk);
            for number in 0..IN_A_ROOM {
                let socket = connect(server.address(), secret(&room), None).await;
                let voice = (number == 0).then(|| voice.clone());
                people.push(tokio::spawn(person(socket, room.id, voice, began, stage.subscribe())));
            }
            rooms.push((room.id, stage));
        }
        Self { rooms, people, voices }
    }

    /// Nobody says anything any more; what still comes does not count.
    fn stop(&self) {
        for (_, stage) in &self.rooms {
            stage.send_replace(Stage::Silence);
        }
    }

    /// After they were stopped: waits until everybody has received everything, and prints how long the messages took to
    /// come.
    async fn tell(mut self, api: &Api) {
        let silent = timeout(HEARD_WITHIN, self.voices.recv()).await;
        assert_eq!(silent, Ok(None), "within {HEARD_WITHIN:?} all that was said is acknowledged");
        let by = Instant::now() + HEARD_WITHIN;
        for (room, stage) in &self.rooms {
            let (_, head) = api.stored(*room).await;
            stage.send_replace(Stage::End(head, by));
        }
        let mut delays = Vec::new();
        for person in self.people {
            delays.append(&mut person.await.expect("everybody has heard everything"));
        }
        println!("to {} others: {}; each of them heard all of their room", ROOMS * IN_A_ROOM, summary(delays));
    }
}

/// Of delays in microseconds.
fn summary(mut delays: Vec<u64>) -> String {
    delays.sort_unstable();
    let at = |part: f64| delays[((delays.len() - 1) as f64 * part) as usize] as f64 / 1_000.0;
    format!("{} deliveries: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms", delays.len(), at(0.5), at(0.99), at(1.0))
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two thousand sockets: `cargo xtask torture` runs it against the release build"]
async fn a_client_that_does_not_read_harms_no_other() {
    let server = Server::start(super::program()).await;
    let api = server.api().await;
    let others = Others::talk(&server, &api).await;
    let flooded = api.open("Flooded".into()).await;
    let room = flooded.id;
    let mut stalled = Vec::new();
    for _ in 0..STALLED {
        let mut socket = connect(server.address(), secret(&flooded), Some(4_096)).await;
        let (head, ..) = join(&mut socket, room, None).await;
        stalled.push((socket, head));
    }
    // Before the flood: all is set up, and people talk.
    tokio::time::sleep(TALK * 2).await;
    let before_kib = resident_kib(&server);

    // The flood: as fast as a client can that waits for each answer.
    let sent = Arc::new(AtomicU64::new(0));
    let flood = {
        let mut socket = connect(server.address(), api.token(), None).await;
        let sent = sent.clone();
        tokio::spawn(async move {
            let content = "x".repeat(7_900);
            let began = Instant::now();
            while began.elapsed() < FLOOD {
                let client_id = ClientId::new();
                let content = content.clone();
                send(&mut socket, &ClientFrame::text(room, client_id, content)).await;
                loop {
                    match next(&mut socket).await.expect("it stays open") {
                        ServerFrame::Ack { client_id: id, .. } if id == client_id => break,
                        ServerFrame::Error { code, message, .. } => panic!("{code:?} {message}"),
                        _ => {}
                    }
                }
                sent.fetch_add(1, Ordering::Relaxed);
                // Hundreds a second are a flood; as many as the disk takes would measure the disk.
                tokio::time::sleep(Duration::from_millis(4)).await;
            }
        })
    };
    let mut most_kib = 0;
    while !flood.is_finished() {
        most_kib = most_kib.max(resident_kib(&server));
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    flood.await.unwrap();
    others.stop();

    // The stalled clients read again, all at once: up to the close frame, and from there by joining anew.
    let last = *all_of(&api, room).await.last().unwrap();
    let reading: Vec<_> =
        stalled.into_iter().map(|(socket, head)| tokio::spawn(read_on(socket, room, head, last))).collect();
    let mut sent_away = 0;
    for reader in reading {
        let (mut had, code) = reader.await.unwrap();
        if code == Some(close::TOO_SLOW) {
            sent_away += 1;
        }
        let mut again = connect(server.address(), secret(&flooded), None).await;
        loop {
            let (reached, changed, more) = join(&mut again, room, Some(had)).await;
            for rev in changed {
                assert_eq!(rev, had + 1, "nothing is missed");
                had = rev;
            }
            if !more {
                assert_eq!((reached, had), (last, last));
                break;
            }
        }
    }
    println!(
        "{} messages of 7.9 kB flooded one room; {sent_away} of {STALLED} stalled readers were sent away (4008)",
        sent.load(Ordering::Relaxed)
    );
    others.tell(&api).await;
    println!("memory: {before_kib} KiB before, at most {most_kib} KiB");
    assert_eq!(sent_away, STALLED, "everyone who does not read is sent away");
    assert!(most_kib < before_kib + SLACK_KIB, "memory stays where it was");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two thousand sockets: `cargo xtask torture` runs it against the release build"]
async fn a_flooding_room_does_not_starve_others() {
    let server = Server::start(super::program()).await;
    let api = server.api().await;
    let others = Others::talk(&server, &api).await;
    let room = api.open("Flooded".into()).await;
    let began = Instant::now();
    let flooders: Vec<_> = (0..FLOODERS)
        .map(|_| {
            let (server, room) = (server.address(), room.clone());
            tokio::spawn(flood(server, room, began))
        })
        .collect();
    let (mut acknowledged, mut delays, mut reading) = (Vec::new(), Vec::new(), Vec::new());
    for flooder in flooders {
        let Flooder { socket, head, acknowledged: mut acks, delays: mut heard } = flooder.await.unwrap();
        acknowledged.append(&mut acks);
        delays.append(&mut heard);
        reading.push((socket, head));
    }
    others.stop();
    println!("{} messages by {FLOODERS} people flooded one room: {}", acknowledged.len(), summary(delays));
    others.tell(&api).await;
    acknowledged.sort_unstable();
    let last = acknowledged.last().copied().expect("it was a flood");
    for (socket, head) in reading {
        let heard = timeout(HEARD_WITHIN, read_on(socket, room.id, head, last)).await.expect("the end of the flood");
        assert_eq!(heard, (last, None), "who floods hears everything too");
    }
    assert_eq!(acknowledged, all_of(&api, room.id).await, "each that was acknowledged, once, and nothing besides");
}

/// The result of a flooding client.
struct Flooder {
    socket: Socket,
    /// The last received rev.
    head: i64,
    /// The acknowledged revs.
    acknowledged: Vec<i64>,
    /// How long what was said took to come, in microseconds.
    delays: Vec<u64>,
}

/// A client that writes as fast as the answers come, and receives everything.
async fn flood(server: SocketAddr, room: Conversation, began: Instant) -> Flooder {
    let mut socket = connect(server, secret(&room), None).await;
    let room = room.id;
    let (mut head, ..) = join(&mut socket, room, None).await;
    let (mut acknowledged, mut delays) = (Vec::new(), Vec::new());
    let flood_began = Instant::now();
    while flood_began.elapsed() < FLOOD {
        let content = began.elapsed().as_micros().to_string();
        let client_id = ClientId::new();
        send(&mut socket, &ClientFrame::text(room, client_id, content)).await;
        loop {
            match next(&mut socket).await.expect("it reads, and stays") {
                ServerFrame::Ack { message, .. } => {
                    acknowledged.push(message.rev);
                    break;
                }
                ServerFrame::NewMessage { message, rev, .. } => {
                    assert_eq!(rev, head + 1, "without a gap");
                    head = rev;
                    delays.push(began.elapsed().as_micros() as u64 - message.content.parse::<u64>().unwrap());
                }
                ServerFrame::Error { code, message, .. } => panic!("{code:?} {message}"),
                _ => {}
            }
        }
    }
    Flooder { socket, head, acknowledged, delays }
}
