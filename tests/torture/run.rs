//! The run: a server as its own process, killed and started again; hundreds of clients; a bad network;
//! and at the end everything held against everything.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::{
        Arc,
        atomic::{AtomicI64, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bespoken::domain::{Conversation, ConversationId, Message};
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
    sync::mpsc,
};

use super::{
    checker::{Evidence, Finding, Kind, check},
    client::{Account, Act, Client, Course},
    proxy::{Fate, Proxy},
};

#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub rooms: usize,
    /// Half of them guests, half admins.
    pub sockets_per_room: usize,
    pub acts_per_s: f64,
    pub seconds: u64,
    /// How often the server is ended and started again: every third time as an operator does it.
    pub kills: u64,
    pub cuts: u64,
    pub seed: u64,
}

/// How long everybody may take to come to rest after the last blow.
const REST_WITHIN: Duration = Duration::from_secs(180);

pub struct Server {
    folder: TempDir,
    program: PathBuf,
    address: SocketAddr,
    process: Child,
}

impl Server {
    pub async fn start(program: PathBuf) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let process = Self::spawn(&program, &folder, address).await;
        Self { folder, program, address, process }
    }

    async fn spawn(program: &PathBuf, folder: &TempDir, address: SocketAddr) -> Child {
        // Told that a file may not grow any more, a process ends, unless it was started not to mind.
        let mut command = if cfg!(unix) { Command::new("sh") } else { Command::new(program) };
        if cfg!(unix) {
            command.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(program);
        }
        let mut process = command
            .args(["serve", "--demo", "--listen", &address.to_string(), "--data-dir"])
            .arg(folder.path())
            .env("DATABASE_URL", database(folder.path()))
            .env("BESPOKEN_LIMIT_SENDS", "1000000")
            .env("BESPOKEN_LIMIT_CONNECTIONS", "1000000")
            .env("BESPOKEN_LIMIT_LINK_GUESSES", "1000000")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(process.stdout.take().unwrap()).lines();
        while let Some(line) = lines.next_line().await.unwrap() {
            if line.starts_with("listening on") {
                return process;
            }
        }
        panic!("the server ended: {:?}", process.wait().await);
    }

    /// Ends it, as a power cut ends a process or as an operator does, and starts it again.
    pub async fn restart(&mut self, gently: bool) {
        if gently && let Some(id) = self.process.id() {
            // SIGTERM, which only the system's own tool sends for those who forbid unsafe code.
            let told = Command::new("kill").arg(id.to_string()).status().await.unwrap();
            assert!(told.success());
            let ended = tokio::time::timeout(REST_WITHIN, self.process.wait()).await.expect("it ends by itself");
            assert!(ended.unwrap().success(), "it ends well");
        } else {
            self.process.kill().await.unwrap();
        }
        self.process = Self::spawn(&self.program, &self.folder, self.address).await;
    }

    pub fn id(&self) -> u32 {
        self.process.id().expect("it runs")
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub async fn api(&self) -> Api {
        Api::new(self.address, self.token().await)
    }

    async fn token(&self) -> String {
        let made = Command::new(&self.program)
            .args(["token", "create", "--email", "admin@demo.invalid"])
            .env("DATABASE_URL", database(self.folder()))
            .output()
            .await
            .unwrap();
        String::from_utf8(made.stdout).unwrap().trim().to_owned()
    }
}

pub fn database(folder: &Path) -> String {
    format!("sqlite://{}", folder.join("bespoken.db").display())
}

/// The REST API, straight to the server.
pub struct Api {
    http: reqwest::Client,
    base: String,
    token: String,
}

impl Api {
    pub fn new(server: SocketAddr, token: String) -> Self {
        Self { http: reqwest::Client::new(), base: format!("http://{server}"), token }
    }

    pub async fn answer(&self, method: Method, path: &str, body: Option<Value>) -> (StatusCode, Value) {
        let mut request = self.http.request(method, format!("{}/api/v1{path}", self.base)).bearer_auth(&self.token);
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.unwrap();
        (answer.status(), answer.json().await.unwrap())
    }

    async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Value {
        let (status, answer) = self.answer(method, path, body).await;
        assert!(status.is_success(), "{path}: {status}: {answer}");
        answer
    }

    pub fn token(&self) -> &str {
        &self.token
    }

    /// Whether the server says that it is alive.
    pub async fn health(&self) -> StatusCode {
        self.http.get(format!("{}/healthz", self.base)).send().await.unwrap().status()
    }

    pub async fn open(&self, name: String) -> Conversation {
        let opened = self.call(Method::POST, "/conversations", Some(json!({ "customer_name": name }))).await;
        serde_json::from_value(opened).unwrap()
    }

    /// Everything that the server has of a room, and its head.
    pub async fn stored(&self, room: ConversationId) -> (Vec<Message>, i64) {
        let mut stored: Vec<Message> = Vec::new();
        let mut before = i64::MAX;
        loop {
            let path = format!("/conversations/{room}/messages?limit=200&before_seq={before}");
            let mut part = self.call(Method::GET, &path, None).await;
            let items: Vec<Message> = serde_json::from_value(part["items"].take()).unwrap();
            stored.splice(0..0, items);
            match part["next_before_seq"].as_i64() {
                Some(next) => before = next,
                None => return (stored, part["head"].as_i64().unwrap()),
            }
        }
    }
}

/// What came of a run.
#[derive(Debug, Default)]
pub struct Outcome {
    pub messages: usize,
    pub acknowledged: usize,
    pub told: usize,
    pub connections: usize,
    pub findings: Vec<String>,
    pub counts: BTreeMap<Kind, usize>,
}

pub async fn run(program: PathBuf, size: Size) -> Outcome {
    let server = Server::start(program).await;
    let (proxy, through) = Proxy::start(vec![server.address]).await;
    let api = server.api().await;
    storm(&api, (&proxy, through), size, async {
        let mut server = server;
        for kill in spread(size.kills, size.seconds) {
            server.restart(kill.await % 3 == 0).await;
        }
        server
    })
    .await
}

/// Moments spread evenly over the time, none at its very end: then there would be nobody to come back.
/// Each is to be awaited, and tells which one it is.
pub fn spread(count: u64, seconds: u64) -> impl Iterator<Item = impl Future<Output = u64>> {
    let began = tokio::time::Instant::now();
    (1..=count).map(move |at| async move {
        let due = Duration::from_secs(seconds).mul_f64((at as f64 - 0.5) / count as f64);
        tokio::time::sleep_until(began + due).await;
        at
    })
}

/// Lets clients loose on what listens behind the proxy, in which `troubles` happen meanwhile; at the end
/// everything is held against everything.
pub async fn storm<T>(
    api: &Api,
    (proxy, through): (&Proxy, SocketAddr),
    size: Size,
    troubles: impl Future<Output = T>,
) -> Outcome {
    let mut random = SmallRng::seed_from_u64(size.seed);
    let mut rooms = Vec::new();
    for at in 0..size.rooms {
        rooms.push(api.open(format!("Room {at}")).await);
    }
    let course = Arc::new(Course {
        proxy: through,
        quiet: AtomicUsize::new(0),
        heads: rooms.iter().map(|_| AtomicI64::new(0)).collect(),
        connections: AtomicUsize::new(0),
    });
    let mut clients = Vec::new();
    for (place, room) in rooms.iter().enumerate() {
        let secret = room.link.as_deref().and_then(|link| link.split_once("chatId=")).unwrap().1;
        for at in 0..size.sockets_per_room {
            let token = if at % 2 == 0 { secret } else { &api.token };
            let (orders, acts) = mpsc::unbounded_channel();
            let number = clients.len();
            let client = Client::new(number, (place, room.id), token.to_owned(), course.clone(), acts, size.seed);
            clients.push((place, orders, tokio::spawn(client.run())));
        }
    }

    // The storm.
    let length = Duration::from_secs(size.seconds);
    let began = Instant::now();
    let storming = async {
        let (mut acts, mut blows) = (0_u64, 0);
        while began.elapsed() < length {
            let part = began.elapsed().as_secs_f64() / length.as_secs_f64();
            while (acts as f64) < part * length.as_secs_f64() * size.acts_per_s {
                acts += 1;
                let act = match random.random_range(0..100) {
                    0..78 => Act::Post,
                    78..91 => Act::EditOwn,
                    91..97 => Act::DeleteOwn,
                    _ => Act::Reload,
                };
                let (_, orders, _) = &clients[random.random_range(0..clients.len())];
                orders.send(act).ok();
            }
            while (blows as f64) < part * size.cuts as f64 {
                blows += 1;
                let fate = match random.random_range(0..4) {
                    0 => None,
                    1 => Some(Fate::Late),
                    2 => Some(Fate::HalfOpen),
                    _ => Some(Fate::Truncated),
                };
                proxy.strike(1, fate, &mut random);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // What was in trouble is there until the end.
    let (_servers, ()) = tokio::join!(troubles, storming);
    proxy.heal();

    // The calm: everybody finishes what was begun, and is told where the end is.
    let clients: Vec<_> = clients
        .into_iter()
        .map(|(place, orders, client)| {
            drop(orders);
            (place, client)
        })
        .collect();
    let mut outcome = Outcome::default();
    let deadline = Instant::now() + REST_WITHIN;
    while course.quiet.load(Ordering::Acquire) < clients.len() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    // Being told the head takes its time too.
    let deadline = deadline.max(Instant::now() + REST_WITHIN / 4);
    let still = clients.len() - course.quiet.load(Ordering::Acquire);
    if still > 0 {
        outcome.findings.push(format!("{still} clients did not come to rest"));
    }
    let mut evidence = Vec::new();
    for (place, room) in rooms.iter().enumerate() {
        let (stored, head) = api.stored(room.id).await;
        course.heads[place].store(head, Ordering::Release);
        evidence.push(Evidence { stored, head, ..Evidence::default() });
    }
    for (place, client) in clients {
        let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(10));
        match tokio::time::timeout(left, client).await {
            Ok(Ok(account)) => add(&mut evidence[place], account, &mut outcome),
            Ok(Err(panic)) => outcome.findings.push(format!("a client: {panic}")),
            Err(_) => outcome.findings.push(format!("a client of room {place} did not reach the head")),
        }
    }
    outcome.connections = course.connections.load(Ordering::Relaxed);
    for (place, evidence) in evidence.iter().enumerate() {
        outcome.messages += evidence.stored.len();
        for Finding { kind, words } in check(evidence) {
            *outcome.counts.entry(kind).or_default() += 1;
            outcome.findings.push(format!("room {place}: {kind:?}: {words}"));
        }
    }
    outcome
}

fn add(evidence: &mut Evidence, account: Account, outcome: &mut Outcome) {
    outcome.acknowledged += account.acked.len();
    outcome.told += account.told.iter().map(|told| told.revs.len()).sum::<usize>();
    outcome.findings.extend(account.errors);
    evidence.sent.push(account.sent);
    evidence.acked.extend(account.acked);
    evidence.told.extend(account.told);
    evidence.shown.push(account.shown);
}
