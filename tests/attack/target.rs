//! The server under attack, as a process of its own, and the people on it.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::http::{Person, Reply, form, send};

pub const PASSWORD: &str = "a long enough password";

/// A server's data directory and database.
pub enum Database {
    Sqlite,
    /// On the server with this URL, as a superuser.
    Postgres(String),
}

impl Database {
    /// One of each kind that there is.
    pub fn each() -> Vec<Self> {
        let postgres = env::var("BESPOKEN_TEST_POSTGRES").ok().map(Self::Postgres);
        if postgres.is_none() {
            eprintln!("PostgreSQL is left out: BESPOKEN_TEST_POSTGRES names no server");
        }
        [Self::Sqlite].into_iter().chain(postgres).collect()
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres(_) => "postgres",
        }
    }

    /// The URL of a new database; makes it.
    fn make(&self, folder: &Path) -> String {
        let Self::Postgres(server) = self else { return format!("sqlite://{}", folder.join("bespoken.db").display()) };
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("bespoken_attack_{}_{}", std::process::id(), NUMBER.fetch_add(1, Ordering::Relaxed));
        psql(server, &format!("create database {name}"));
        let (base, _) = server.rsplit_once('/').expect("a URL with a database");
        format!("{base}/{name}")
    }

    /// Drops what [`Database::make`] made.
    fn drop(server: &str, url: &str) {
        if let Some((_, name)) = url.rsplit_once('/') {
            psql(server, &format!("drop database if exists {name} with (force)"));
        }
    }
}

fn psql(server: &str, command: &str) {
    let psql = env::var_os("BESPOKEN_PSQL").unwrap_or_else(|| "psql".into());
    let status = Command::new(psql).args(["--quiet", "--no-psqlrc", "--command", command, server]).status();
    assert!(status.is_ok_and(|status| status.success()), "{command}");
}

/// A server, with people on it.
pub struct Target {
    pub address: SocketAddr,
    /// The demo's admin.
    pub admin: Person,
    /// A customer with a request, a chat about it, a message and a file in that.
    pub alice: Customer,
    /// Another customer, the attacker.
    pub mallory: Customer,
    process: Child,
    pub database_url: String,
    /// PostgreSQL, where the database goes at the end.
    server: Option<String>,
    folder: TempDir,
}

/// A customer and their data.
pub struct Customer {
    pub person: Person,
    pub email: String,
    pub request: String,
    pub conversation: String,
    pub message: String,
    pub attachment: String,
}

fn program() -> PathBuf {
    env::var_os("BESPOKEN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_bespoken").into(), PathBuf::from)
}

/// A server as a process.
pub struct Node {
    pub address: SocketAddr,
    process: Child,
}

impl Node {
    fn start(folder: &Path, log: &str, database_url: &str, variables: &[(&str, &str)]) -> Self {
        let log = folder.join(log);
        let mut process = Command::new(program())
            .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--data-dir"])
            .arg(folder)
            .current_dir(folder)
            .env("DATABASE_URL", database_url)
            .envs(variables.iter().copied())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).unwrap())
            .spawn()
            .unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines();
        let listening =
            lines.map_while(Result::ok).find_map(|line| Some(line.strip_prefix("listening on http://")?.to_owned()));
        match listening.and_then(|address| address.parse().ok()) {
            Some(address) => Self { address, process },
            None => panic!("the server did not start: {}", std::fs::read_to_string(log).unwrap()),
        }
    }
}

/// One more server beside a [`Target`].
pub struct OtherNode(Node);

impl std::ops::Deref for OtherNode {
    type Target = Node;

    fn deref(&self) -> &Node {
        &self.0
    }
}

impl Drop for OtherNode {
    fn drop(&mut self) {
        self.0.process.kill().ok();
        self.0.process.wait().ok();
    }
}

impl Target {
    pub fn start(database: &Database, variables: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database_url = database.make(folder.path());
        let Node { address, process } = Node::start(folder.path(), "log", &database_url, variables);
        let made = Command::new(program())
            .args(["token", "create", "--email", "admin@demo.invalid"])
            .env("DATABASE_URL", &database_url)
            .output()
            .unwrap();
        let admin = Person::with_token(String::from_utf8(made.stdout).unwrap().trim());
        let server = match database {
            Database::Sqlite => None,
            Database::Postgres(server) => Some(server.clone()),
        };
        let (alice, mallory) = (Customer::join(address, "Alice"), Customer::join(address, "Mallory"));
        Self { address, admin, alice, mallory, process, database_url, server, folder }
    }

    /// The API as this person uses it.
    pub fn api(&self, person: &Person, method: &str, path: &str, body: Option<Value>) -> Reply {
        api(self.address, person, method, path, body)
    }

    pub fn get(&self, person: &Person, path: &str) -> Reply {
        send(self.address, "GET", path, &person.headers(self.address), b"")
    }

    pub fn submit(&self, person: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
        submit(self.address, person, path, fields)
    }

    /// A new session and the secret of its link.
    pub fn open(&self, name: &str) -> (String, String) {
        let opened = self.api(&self.admin, "POST", "/conversations", Some(json!({ "customer_name": name }))).json();
        let secret = opened["link"].as_str().unwrap().split_once("chatId=").unwrap().1.to_owned();
        (text(&opened["id"]), secret)
    }

    /// A browser in which this person has signed in.
    pub fn sign_in(&self, email: &str, password: &str) -> Option<Person> {
        let reply = self.submit(&Person::default(), "/login", &[("email", email), ("password", password)]);
        (reply.status == 303).then(|| Person::with_cookie(reply.cookies().join("; ")))
    }

    /// Another server on the same database.
    pub fn second_node(&self) -> OtherNode {
        self.node_on(&self.database_url)
    }

    /// Another server on the same database, which it reaches by this URL.
    pub fn node_on(&self, database_url: &str) -> OtherNode {
        OtherNode(Node::start(self.folder.path(), "log of another", database_url, &[]))
    }

    /// Another admin, signed in in a browser.
    pub fn create_admin(&self, email: &str) -> Option<Person> {
        let mut made = Command::new(program())
            .args(["admin", "create", "--email", email, "--name", "Second"])
            .env("DATABASE_URL", &self.database_url)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        made.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        assert!(made.wait().unwrap().success());
        self.sign_in(email, PASSWORD)
    }

    /// A new API token of the demo's admin, and its id.
    pub fn create_token(&self) -> (String, String) {
        let token = self.run(&["token", "create", "--email", "admin@demo.invalid", "--name", "attacked"]);
        let listed = self.run(&["token", "list"]);
        let line = listed.lines().find(|line| line.contains("attacked")).expect("the token is listed");
        let id = line.split_whitespace().next().unwrap_or_default().to_owned();
        (token.trim().to_owned(), id)
    }

    pub fn revoke_token(&self, id: &str) {
        self.run(&["token", "revoke", id]);
    }

    /// The output of a command of the program.
    fn run(&self, arguments: &[&str]) -> String {
        let done = Command::new(program()).args(arguments).env("DATABASE_URL", &self.database_url).output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
        String::from_utf8(done.stdout).unwrap()
    }

    /// Whether the server still does its work: a message is stored and read.
    pub fn works(&self) -> bool {
        let path = format!("/conversations/{}/messages", self.alice.conversation);
        let sent = self.api(&self.alice.person, "POST", &path, Some(json!({ "content": "Are you there?" })));
        sent.status == 201 && self.api(&self.admin, "GET", &path, None).body.contains("Are you there?")
    }

    /// The server's memory in megabytes; `None` where the system does not report it.
    pub fn memory_mb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id())).ok()?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
        line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kb| kb / 1024)
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
        if let Some(server) = &self.server {
            Database::drop(server, &self.database_url);
        }
    }
}

impl Customer {
    /// Registers, asks for something, and writes about it with a file.
    fn join(address: SocketAddr, name: &str) -> Self {
        let email = format!("{}@example.com", name.to_lowercase());
        let fields = [("name", name), ("email", &email), ("password", PASSWORD)];
        let registered = submit(address, &Person::default(), "/register", &fields);
        assert_eq!(registered.status, 303, "{registered:?}");
        let person = Person::with_cookie(registered.cookies().join("; "));
        let call = |path: &str, body: Value| {
            let reply = api(address, &person, "POST", path, Some(body));
            assert!((200..300).contains(&reply.status), "{path}: {reply:?}");
            reply.json()
        };
        let request = call("/requests", json!({ "title": format!("{name}'s table"), "description": "Of oak" }));
        let request = text(&request["id"]);
        let conversation = text(&call(&format!("/requests/{request}/conversation"), json!({}))["id"]);
        let uploaded = upload(address, &person, &conversation, "plan.txt", "text/plain", name.as_bytes());
        let attachment = text(&uploaded.json()["id"]);
        let message = json!({ "content": format!("{name}'s secret"), "attachment_ids": [attachment] });
        let message = text(&call(&format!("/conversations/{conversation}/messages"), message)["id"]);
        Self { person, email, request, conversation, message, attachment }
    }
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("a text, not {value}")).to_owned()
}

/// The API of this server as this person uses it.
pub fn api(address: SocketAddr, person: &Person, method: &str, path: &str, body: Option<Value>) -> Reply {
    let mut headers = person.headers(address);
    let body = body.map(|body| body.to_string()).unwrap_or_default();
    if !body.is_empty() {
        headers.push_str("Content-Type: application/json\r\n");
    }
    send(address, method, &format!("/api/v1{path}"), &headers, body.as_bytes())
}

fn submit(address: SocketAddr, person: &Person, path: &str, fields: &[(&str, &str)]) -> Reply {
    let mut headers = format!("{}Content-Type: application/x-www-form-urlencoded\r\n", person.headers(address));
    if !headers.contains("Origin:") {
        headers.push_str(&format!("Origin: http://{address}\r\n"));
    }
    send(address, "POST", path, &headers, form(fields).as_bytes())
}

/// Puts a file into a conversation.
pub fn upload(
    address: SocketAddr,
    person: &Person,
    conversation: &str,
    name: &str,
    media_type: &str,
    bytes: &[u8],
) -> Reply {
    const BOUNDARY: &str = "a-boundary-that-no-file-has";
    let headers = format!("{}Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n", person.headers(address));
    let head = format!(
        "--{BOUNDARY}\r\nContent-Disposition: form-data; name=\"file\"; filename=\"{name}\"\r\nContent-Type: {media_type}\r\n\r\n"
    );
    let body = [head.as_bytes(), bytes, format!("\r\n--{BOUNDARY}--\r\n").as_bytes()].concat();
    send(address, "POST", &format!("/api/v1/conversations/{conversation}/attachments"), &headers, &body)
}
