//! Nodes as they are operated: servers on one PostgreSQL database, with NATS between them.

use std::{io, sync::Arc};

use bespoken::{
    domain::{Conversation, Role, User},
    http::{Running, StartError, serve},
    service::Service,
    settings::Settings,
};
use serde_json::json;
use tempfile::TempDir;
use tokio::{net::TcpListener, task::JoinHandle};
use tokio_util::sync::CancellationToken;

use crate::support::{Answer, Api, PASSWORD, Sign, TestDatabase, Ws, in_time};

pub struct Server {
    pub service: Arc<Service>,
    pub url: String,
    shutdown: CancellationToken,
    stopped: JoinHandle<io::Result<()>>,
}

impl Server {
    /// The API with a token.
    pub fn api(&self, token: &str) -> Api {
        Api::new(&self.url, Sign::Token(token.to_owned()))
    }

    pub async fn socket(&self, token: &str) -> Ws {
        Ws::with_token(&self.url, token).await.unwrap_or_else(|answer: Answer| panic!("{answer:?}"))
    }

    /// What `/readyz` says.
    pub async fn ready(&self) -> Answer {
        Answer::to(reqwest::Client::new().get(format!("{}/readyz", self.url))).await
    }

    /// The value of a sample that `/metrics` shows.
    pub async fn metric(&self, name: &str) -> f64 {
        let metrics = Answer::to(reqwest::Client::new().get(format!("{}/metrics", self.url))).await.expect(200).text;
        let line = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{metrics}")).parse().unwrap()
    }

    pub async fn stop(self) {
        self.shutdown.cancel();
        in_time("the server stops", self.stopped).await.unwrap().unwrap();
    }
}

/// Two servers, and an admin with an API token.
pub struct Cluster {
    pub nodes: Vec<Server>,
    pub admin: User,
    pub token: String,
    _database: TestDatabase,
    _folder: TempDir,
}

/// A conversation with the secret in its link.
pub struct Chat {
    pub conversation: Conversation,
    pub secret: String,
}

impl Cluster {
    /// Each node with its own way to NATS. `None` if there is no PostgreSQL.
    pub async fn start(nats_urls: [String; 2]) -> Option<Self> {
        let database = TestDatabase::create().await?;
        let folder = tempfile::tempdir().unwrap();
        let mut nodes = Vec::new();
        for url in nats_urls {
            nodes.push(start(&database.url().await, &folder, url).await.unwrap());
        }
        let admin = nodes[0].service.create_user("admin@example.com", "Admin", PASSWORD, Role::Admin).await.unwrap();
        let (_, token) = nodes[0].service.create_token("admin@example.com", None).await.unwrap();
        Some(Self { nodes, admin, token: token.expose().to_owned(), _database: database, _folder: folder })
    }

    pub async fn open(&self) -> Chat {
        let answer = self.nodes[0].api(&self.token).post("/conversations", json!({ "customer_name": "Ada" })).await;
        let conversation: Conversation = answer.expect(201).read();
        let secret = conversation.link.as_deref().unwrap().split_once("chatId=").unwrap().1.to_owned();
        Chat { conversation, secret }
    }
}

/// A node on this database, with its files in the folder that all nodes share.
///
/// # Errors
/// Why it does not start.
pub async fn start(database_url: &str, folder: &TempDir, nats_url: String) -> Result<Server, StartError> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut settings = Settings { nats_url: Some(nats_url), drain_seconds: 1, ..Settings::default() };
    database_url.clone_into(&mut settings.database.database_url);
    settings.data.data_dir = folder.path().to_owned();
    settings.limits.sends = 100_000;
    let shutdown = CancellationToken::new();
    let Running { service, public_url: url, stopped, .. } = serve(settings, listener, shutdown.clone()).await?;
    Ok(Server { service, url, shutdown, stopped })
}
