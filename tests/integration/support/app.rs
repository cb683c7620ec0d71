//! The server under test.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    path::Path,
    sync::Arc,
};

use bespoken::{
    domain::{
        Actor, Attachment, AttachmentId, Conversation, ConversationId, CustomRequest, Message, RequestId, Role, User,
        UserId,
    },
    http::{Running, serve},
    service::{self, CookieSession, NewMessage, Secret, Service, Visitor},
    settings::{Limits, Settings},
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use super::{Answer, Api, Browser, Sign, TestDatabase, Ws, in_time};

pub const PASSWORD: &str = "a long enough password";

/// The server's data.
pub enum Database {
    Sqlite,
    Postgres(TestDatabase),
}

impl Database {
    /// The one that `BESPOKEN_TEST_DATABASE` asks for: SQLite, if it does not say `postgres`.
    async fn of_choice() -> Self {
        match std::env::var("BESPOKEN_TEST_DATABASE").as_deref() {
            Ok("postgres") => Self::Postgres(TestDatabase::create().await.expect("a server for PostgreSQL")),
            Ok("sqlite") | Err(_) => Self::Sqlite,
            Ok(other) => panic!("BESPOKEN_TEST_DATABASE is sqlite or postgres, not {other}"),
        }
    }

    /// One of each kind that there is.
    pub async fn each() -> Vec<Self> {
        let postgres = TestDatabase::create().await.map(Self::Postgres);
        [Self::Sqlite].into_iter().chain(postgres).collect()
    }

    pub fn name(&self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    async fn url(&self, dir: &TempDir) -> String {
        match self {
            Self::Sqlite => format!("sqlite://{}", dir.path().join("bespoken.db").display()),
            Self::Postgres(database) => database.url().await,
        }
    }
}

/// The data that outlives a server.
pub struct Data {
    pub dir: TempDir,
    pub database: Database,
    settings: Settings,
    pub admin: User,
    pub token: String,
}

impl Data {
    pub fn database_url(&self) -> String {
        self.settings.database.database_url.clone()
    }

    pub fn data_dir(&self) -> &Path {
        &self.settings.data.data_dir
    }

    /// The same people in another place, with a backup's data.
    pub async fn restored(&self, backup: &Path) -> Self {
        let (dir, database) = (tempfile::tempdir().unwrap(), Database::Sqlite);
        let database_url = database.url(&dir).await;
        let mut settings = self.settings.clone();
        (settings.database.database_url, settings.data.data_dir) = (database_url, dir.path().join("data"));
        service::restore(&settings.database.database_url, &settings.data.data_dir, backup).await.unwrap();
        Self { dir, database, settings, admin: self.admin.clone(), token: self.token.clone() }
    }

    /// The same files with another database.
    pub async fn with_database(mut self, database: Database) -> Self {
        self.settings.database.database_url = database.url(&self.dir).await;
        Self { database, ..self }
    }

    /// Starts a server on it again.
    pub async fn start(self) -> TestApp {
        let (running, shutdown) = run(self.settings.clone()).await;
        TestApp::new(running, shutdown, self)
    }
}

pub struct TestApp {
    pub service: Arc<Service>,
    pub url: String,
    /// The address on which it listens, regardless of its public URL.
    pub address: SocketAddr,
    pub data: Data,
    shutdown: CancellationToken,
    stopped: JoinHandle<io::Result<()>>,
}

/// A conversation that an admin opened.
pub struct Chat {
    pub id: ConversationId,
    /// The secret in its link.
    pub chat_id: String,
    pub conversation: Conversation,
}

/// Somebody with an account, in a browser.
pub struct Customer {
    pub user: User,
    /// `name=value`.
    pub cookie: String,
    /// The API as this browser uses it.
    pub api: Api,
}

async fn settings(dir: &TempDir, database: &Database) -> Settings {
    let mut settings = Settings { business: "Workshop".to_owned(), drain_seconds: 1, ..Settings::default() };
    settings.database.database_url = database.url(dir).await;
    settings.data.data_dir = dir.path().join("data");
    settings
}

async fn run(settings: Settings) -> (Running, CancellationToken) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let shutdown = CancellationToken::new();
    (serve(settings, listener, shutdown.clone()).await.unwrap(), shutdown)
}

/// Puts a small file into a conversation, without a request.
pub async fn put_file(service: &Service, actor: &Actor, room: ConversationId) -> AttachmentId {
    let upload = service.begin_upload(actor, IpAddr::from([127, 0, 0, 1]).into(), room).await.unwrap();
    let mut file = upload.file("a.txt").await.unwrap();
    file.write(b"a").await.unwrap();
    file.finish().await.unwrap().id
}

impl TestApp {
    /// A server with an empty database, but for one admin who has an API token.
    pub async fn start() -> Self {
        // Far above what any test sends; the limits have tests of their own.
        Self::with(|limits| limits.sends = 100_000).await
    }

    /// The same on this database, for its own features.
    pub async fn start_on(database: Database) -> Self {
        Self::on(database, |settings| settings.limits.sends = 100_000).await
    }

    pub async fn with(change: impl FnOnce(&mut Limits)) -> Self {
        Self::with_settings(|settings| change(&mut settings.limits)).await
    }

    /// A server that sends mail by `smtp_url`.
    pub async fn with_mail(limits: Limits, smtp_url: Option<String>) -> Self {
        Self::with_settings(|settings| (settings.limits, settings.smtp_url) = (limits, smtp_url)).await
    }

    pub async fn with_settings(change: impl FnOnce(&mut Settings)) -> Self {
        Self::on(Database::of_choice().await, change).await
    }

    /// A server on this database.
    pub async fn on(database: Database, change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings(&dir, &database).await;
        change(&mut settings);
        let (running, shutdown) = run(settings.clone()).await;
        let admin = running.service.create_user("admin@example.com", "Admin", PASSWORD, Role::Admin).await.unwrap();
        let (_, token) = running.service.create_token("admin@example.com", None).await.unwrap();
        let token = token.expose().to_owned();
        Self::new(running, shutdown, Data { dir, database, settings, admin, token })
    }

    /// A server whose database is empty.
    pub async fn empty() -> (Arc<Service>, String, CancellationToken, (TempDir, Database)) {
        let (dir, database) = (tempfile::tempdir().unwrap(), Database::of_choice().await);
        let (running, shutdown) = run(settings(&dir, &database).await).await;
        (running.service, running.public_url, shutdown, (dir, database))
    }

    fn new(running: Running, shutdown: CancellationToken, data: Data) -> Self {
        let Running { service, public_url, address, stopped } = running;
        Self { service, url: public_url, address, data, shutdown, stopped }
    }

    /// Asks the server to stop and waits until it has.
    pub async fn stop(self) -> Data {
        self.shutdown.cancel();
        in_time("the server stops", self.stopped).await.unwrap().unwrap();
        self.data
    }

    pub fn actor(&self) -> Actor {
        Actor::Admin(self.data.admin.clone())
    }

    /// Another admin with an API token.
    pub async fn other_admin(&self) -> (User, String) {
        let user = self.service.create_user("second@example.com", "Second", PASSWORD, Role::Admin).await.unwrap();
        let (_, token) = self.service.create_token("second@example.com", None).await.unwrap();
        (user, token.expose().to_owned())
    }

    /// The API as the admin uses it.
    pub fn admin(&self) -> Api {
        self.api(&self.data.token)
    }

    pub fn api(&self, token: &str) -> Api {
        Api::new(&self.url, Sign::Token(token.to_owned()))
    }

    pub fn nobody(&self) -> Api {
        Api::new(&self.url, Sign::Nothing)
    }

    /// A new account that is signed in.
    pub async fn customer(&self, name: &str) -> Customer {
        let email = format!("{}@example.com", name.to_lowercase());
        let user = self.service.create_user(&email, name, PASSWORD, Role::Customer).await.unwrap();
        let cookie = self.cookie(&user).await;
        let api = Api::new(&self.url, Sign::Cookie(cookie.clone()));
        Customer { user, cookie, api }
    }

    /// Signs an account in, in a new browser, without asking for the password.
    pub async fn cookie(&self, user: &User) -> String {
        let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: None, session: None };
        let secret = self.service.start_session(user, visitor).await.unwrap();
        format!("bespoken={}", secret.expose())
    }

    /// The cookie of a new browser that opened the chat's link.
    pub async fn guest_cookie(&self, chat: &Chat) -> String {
        let visitor = Visitor { address: IpAddr::V4(Ipv4Addr::LOCALHOST), user_agent: None, session: None };
        let (_, secret) = self.service.open_link(&Secret::presented(&chat.chat_id), visitor).await.unwrap();
        format!("bespoken={}", secret.unwrap().expose())
    }

    /// The session of a browser with this cookie.
    pub async fn session(&self, cookie: &str) -> CookieSession {
        let secret = Secret::presented(cookie.split_once('=').unwrap().1);
        self.service.session(&secret).await.unwrap().unwrap()
    }

    /// The socket of a browser.
    pub async fn socket_of(&self, customer: &Customer) -> Ws {
        Ws::with_cookie(&self.url, &customer.cookie).await.unwrap_or_else(|answer: Answer| panic!("{answer:?}"))
    }

    /// A request that an admin makes for a customer.
    pub async fn request(&self, customer: UserId, title: &str) -> CustomRequest {
        let body = json!({ "title": title, "description": "Of oak", "customer_id": customer });
        self.admin().post("/requests", body).await.expect(201).read()
    }

    /// The conversation of a request, opened by an admin.
    pub async fn open_request(&self, request: RequestId) -> Conversation {
        self.admin().post(&format!("/requests/{request}/conversation"), json!({})).await.read()
    }

    /// Puts a file into a conversation.
    pub async fn file(&self, by: &Api, room: ConversationId, name: &str) -> AttachmentId {
        let path = format!("/conversations/{room}/attachments");
        by.upload(&path, name, "text/plain", name.as_bytes()).await.expect(201).read::<Attachment>().id
    }

    /// The names of the files that people sent, as they are on the disk.
    pub fn stored_files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.data.data_dir().join("attachments")).into_iter().flatten();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    pub fn browser(&self) -> Browser {
        Browser::new(&self.url)
    }

    /// A browser in which the admin has signed in.
    pub async fn admin_browser(&self) -> Browser {
        let browser = self.browser();
        browser.sign_in("admin@example.com", PASSWORD).await.expect(303);
        browser
    }

    /// A browser in which the chat's link was opened.
    pub async fn guest_browser(&self, chat: &Chat) -> Browser {
        let browser = self.browser();
        browser.get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
        browser
    }

    /// The API as a browser in which the chat's link was opened.
    pub async fn guest_api(&self, chat: &Chat) -> Api {
        let opened = self.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
        Api::new(&self.url, Sign::Cookie(opened.cookie()))
    }

    /// Opens a conversation.
    pub async fn open(&self, customer: &str) -> Chat {
        let answer = self.admin().post("/conversations", json!({ "customer_name": customer })).await;
        let conversation: Conversation = answer.expect(201).read();
        let link = conversation.link.clone().expect("a new conversation has a link");
        let chat_id = link.split_once("chatId=").expect("the secret stands in the link").1.to_owned();
        Chat { id: conversation.id, chat_id, conversation }
    }

    /// A socket with a token: an API token, or the secret of a link.
    pub async fn socket(&self, token: &str) -> Ws {
        Ws::with_token(&self.url, token).await.unwrap_or_else(|answer: Answer| panic!("{answer:?}"))
    }

    pub async fn admin_socket(&self) -> Ws {
        self.socket(&self.data.token).await
    }

    pub async fn guest_socket(&self, chat: &Chat) -> Ws {
        self.socket(&chat.chat_id).await
    }

    /// Posts by REST.
    pub async fn post(&self, token: &str, room: ConversationId, content: &str) -> Message {
        let path = format!("/conversations/{room}/messages");
        self.api(token).post(&path, json!({ "content": content })).await.expect(201).read()
    }

    /// Posts as the admin.
    pub async fn say(&self, room: ConversationId, content: &str) -> Message {
        self.post(&self.data.token, room, content).await
    }

    /// Posts many messages quickly; each has its seq as content.
    pub async fn fill(&self, room: ConversationId, count: usize) {
        let actor = self.actor();
        let first = self.service.conversation(&actor, room).await.unwrap().last_seq + 1;
        for seq in first..first + count as i64 {
            self.service.post_message(&actor, room, NewMessage::text(seq.to_string())).await.unwrap();
        }
    }

    pub async fn close(&self, room: ConversationId) {
        self.admin().patch(&format!("/conversations/{room}"), json!({ "status": "closed" })).await.expect(200);
    }

    pub async fn reopen(&self, room: ConversationId) {
        self.admin().patch(&format!("/conversations/{room}"), json!({ "status": "open" })).await.expect(200);
    }
}
