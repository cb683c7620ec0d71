//! The server as a process of its own, and its REST API.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    time::Duration,
};

use bespoken::domain::{Conversation, ConversationId, Message};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, BufReader},
    process::{Child, Command},
};

/// How long it may take to end by itself.
const END_WITHIN: Duration = Duration::from_secs(180);

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
        // A process ends at the limit of a file's size, unless it ignores the signal.
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
            .env("BESPOKEN_LIMIT_NETWORK_CONNECTIONS", "1000000")
            .env("BESPOKEN_LIMIT_LINK_GUESSES", "1000000")
            .env("BESPOKEN_LIMIT_CHATS", "1000000")
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
        if gently {
            self.ask_to_stop().await;
            self.stopped().await;
        } else {
            self.process.kill().await.unwrap();
        }
        self.start_again().await;
    }

    /// Sends SIGTERM, as an operator does.
    pub async fn ask_to_stop(&self) {
        // By the system's own tool, for those who forbid unsafe code.
        let told = Command::new("kill").arg(self.id().to_string()).status().await.unwrap();
        assert!(told.success());
    }

    /// Waits until it has ended by itself, which has to go well.
    pub async fn stopped(&mut self) {
        let ended = tokio::time::timeout(END_WITHIN, self.process.wait()).await.expect("it ends by itself");
        assert!(ended.unwrap().success(), "it ends well");
    }

    /// At the same address, with its stored data.
    pub async fn start_again(&mut self) {
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

/// The secret in a room's link, which lets guests in.
pub fn secret(room: &Conversation) -> &str {
    room.link.as_deref().and_then(|link| link.split_once("chatId=")).unwrap().1
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
