//! The same over three nodes, with PostgreSQL and NATS as separate processes. The test kills and restarts each of them
//! under load, and disconnects nodes from NATS alone.

use std::{
    env,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
    time::Duration,
};

use rand::{SeedableRng, rngs::SmallRng};
use sqlx::{Connection, PgConnection};
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use super::{
    crowd::Outcome,
    proxy::{Fate, Proxy},
    run::{Size, spread, storm},
    server::Api,
};

/// The failures of a cluster, besides those of its clients. The kills of [`Size`] are those of nodes, which are stopped
/// as an operator does it a third as often.
#[derive(Clone, Copy, Debug)]
pub struct Troubles {
    pub nats_kills: u64,
    /// How often one node is cut off from NATS, while the others are not.
    pub nats_cuts: u64,
    pub postgres_stops: u64,
    pub postgres_seconds: u64,
}

const NODES: usize = 3;
/// How long NATS is away each time.
const NATS_AWAY: Duration = Duration::from_secs(4);
/// How long a process may take until it listens or has ended.
const PATIENCE: Duration = Duration::from_secs(120);

fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

/// The programs that a cluster needs beside the one under test: of PostgreSQL, and the NATS server.
#[derive(Clone, Debug)]
pub struct Programs {
    postgres: PathBuf,
    nats: PathBuf,
}

impl Programs {
    /// Those that `BESPOKEN_POSTGRES_PROGRAMS` and `BESPOKEN_TEST_NATS` name, or what Debian has. `None`, and a line
    /// that reports this, if there are none.
    pub fn find() -> Option<Self> {
        let newest = || {
            let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
            versions.map(|version| version.path().join("bin")).max()
        };
        let postgres = env::var_os("BESPOKEN_POSTGRES_PROGRAMS").map(PathBuf::from).or_else(newest);
        let nats = env::var_os("BESPOKEN_TEST_NATS").map_or_else(|| "/usr/sbin/nats-server".into(), PathBuf::from);
        let found = postgres.map(|postgres| Self { postgres, nats }).filter(|programs| programs.nats.is_file());
        if found.is_none() {
            // Bypasses the capture of output: a reader of the result must know its gaps.
            let line =
                "the cluster is left out: PostgreSQL or nats-server is missing (`cargo xtask test` provides both)\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        found
    }
}

/// A PostgreSQL server of its own. It refuses to run as root, so root runs it as the user postgres.
struct Postgres {
    program: PathBuf,
    folder: TempDir,
    address: SocketAddr,
    user: Option<(u32, u32)>,
    process: Option<Child>,
}

impl Postgres {
    async fn start(programs: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let id = async |arguments: &[&str]| {
            let said = Command::new("id").args(arguments).output().await.ok()?;
            String::from_utf8(said.stdout).ok()?.trim().parse::<u32>().ok()
        };
        let user = match id(&["-u"]).await {
            Some(0) => id(&["-u", "postgres"]).await.zip(id(&["-g", "postgres"]).await),
            _ => None,
        };
        if let Some((user, group)) = user {
            std::os::unix::fs::chown(folder.path(), Some(user), Some(group)).unwrap();
        }
        let program = programs.join("postgres");
        let mut postgres = Self { program, folder, address: free_address(), user, process: None };
        let made = postgres
            .command(&programs.join("initdb"))
            .args(["--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--pgdata"])
            .arg(postgres.data())
            .output()
            .await
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        postgres.spawn().await;
        postgres
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn url(&self) -> String {
        format!("postgres://postgres@{}/postgres", self.address)
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(self.folder.path()).kill_on_drop(true).stdin(Stdio::null());
        if let Some((user, group)) = self.user {
            command.uid(user).gid(group);
        }
        command
    }

    async fn spawn(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.folder.path().join("log")).unwrap();
        let port = format!("port={}", self.address.port());
        let process = self
            .command(&self.program)
            .arg("-D")
            .arg(self.data())
            .args(["-c", "listen_addresses=127.0.0.1", "-c", &port, "-c", "unix_socket_directories="])
            .args(["-c", "max_connections=200"])
            .stdout(Stdio::null())
            .stderr(log)
            .spawn();
        self.process = Some(process.unwrap());
        let listens = async {
            while PgConnection::connect(&self.url()).await.is_err() {
                sleep(Duration::from_millis(50)).await;
            }
        };
        timeout(PATIENCE, listens).await.expect("PostgreSQL listens");
    }

    /// Ends it at once, like a crash: at its start it recovers unwritten data from its log.
    async fn stop(&mut self) {
        let mut process = self.process.take().expect("it runs");
        let id = process.id().expect("it runs").to_string();
        assert!(Command::new("kill").args(["-QUIT", &id]).status().await.unwrap().success());
        timeout(PATIENCE, process.wait()).await.expect("PostgreSQL ends").unwrap();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        // Its own children outlive a kill, but not this.
        if let Some(id) = self.process.as_ref().and_then(Child::id) {
            std::process::Command::new("kill").args(["-QUIT", &id.to_string()]).status().ok();
        }
    }
}

struct Nats {
    program: PathBuf,
    address: SocketAddr,
    process: Child,
}

impl Nats {
    async fn start(program: PathBuf) -> Self {
        let address = free_address();
        let process = Self::spawn(&program, address).await;
        Self { program, address, process }
    }

    async fn spawn(program: &Path, address: SocketAddr) -> Child {
        let process = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", &address.port().to_string()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        // It greets each client.
        let greets = async || TcpStream::connect(address).await.ok()?.read_u8().await.ok();
        let listens = async {
            while greets().await.is_none() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, listens).await.expect("NATS listens");
        process
    }

    async fn restart(&mut self) {
        self.process.kill().await.unwrap();
        sleep(NATS_AWAY).await;
        self.process = Self::spawn(&self.program, self.address).await;
    }
}

struct Node {
    program: PathBuf,
    address: SocketAddr,
    data_dir: PathBuf,
    database_url: String,
    /// Its own way to NATS.
    nats_url: String,
    process: Child,
}

impl Node {
    fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .args(["serve", "--demo", "--listen", &self.address.to_string(), "--data-dir"])
            .arg(&self.data_dir)
            .env("DATABASE_URL", &self.database_url)
            .env("NATS_URL", &self.nats_url)
            .env("BESPOKEN_LIMIT_SENDS", "1000000")
            .env("BESPOKEN_LIMIT_CONNECTIONS", "1000000")
            .env("BESPOKEN_LIMIT_NETWORK_CONNECTIONS", "1000000")
            .env("BESPOKEN_LIMIT_LINK_GUESSES", "1000000")
            .stdout(Stdio::piped())
            // Its messages about an unavailable database do not belong in this log.
            .stderr(Stdio::null())
            .kill_on_drop(true);
        command
    }

    /// Starts it, over and over while the database is away, as an operator's system does.
    async fn start(&mut self) {
        let listening = async {
            loop {
                self.process = self.command().spawn().unwrap();
                let mut lines = BufReader::new(self.process.stdout.take().unwrap()).lines();
                while let Some(line) = lines.next_line().await.unwrap() {
                    if line.starts_with("listening on") {
                        return;
                    }
                }
                sleep(Duration::from_millis(200)).await;
            }
        };
        timeout(PATIENCE, listening).await.expect("a node listens");
    }

    async fn restart(&mut self, gently: bool) {
        let id = self.process.id();
        match id {
            Some(id) if gently => {
                assert!(Command::new("kill").arg(id.to_string()).status().await.unwrap().success());
                timeout(PATIENCE, self.process.wait()).await.expect("a node ends by itself").unwrap();
            }
            _ => self.process.kill().await.unwrap(),
        }
        self.start().await;
    }
}

pub async fn run(program: PathBuf, programs: &Programs, size: Size, troubles: Troubles) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let mut postgres = Postgres::start(&programs.postgres).await;
    let mut nats = Nats::start(programs.nats.clone()).await;
    let (mut nodes, mut lines): (Vec<Node>, Vec<Arc<Proxy>>) = (Vec::new(), Vec::new());
    for _ in 0..NODES {
        let (line, way) = Proxy::start(vec![nats.address]).await;
        let mut node = Node {
            program: program.clone(),
            address: free_address(),
            data_dir: folder.path().to_owned(),
            database_url: postgres.url(),
            nats_url: format!("nats://{way}"),
            // Nothing yet that could be killed.
            process: Command::new("true").spawn().unwrap(),
        };
        node.start().await;
        nodes.push(node);
        lines.push(line);
    }
    let (proxy, through) = Proxy::start(nodes.iter().map(|node| node.address).collect()).await;
    let made = Command::new(&program)
        .args(["token", "create", "--email", "admin@demo.invalid"])
        .env("DATABASE_URL", postgres.url())
        .output()
        .await
        .unwrap();
    let api = Api::new(nodes[0].address, String::from_utf8(made.stdout).unwrap().trim().to_owned());

    let seconds = size.seconds;
    storm(&api, (&proxy, through), size, async {
        tokio::join!(
            async {
                for restart in spread(size.kills + size.kills / 3, seconds) {
                    let at = restart.await;
                    nodes[at as usize % NODES].restart(at % 4 == 0).await;
                }
            },
            async {
                for kill in spread(troubles.nats_kills, seconds) {
                    kill.await;
                    nats.restart().await;
                }
            },
            async {
                let mut random = SmallRng::seed_from_u64(size.seed);
                for cut in spread(troubles.nats_cuts, seconds) {
                    // Drops all data without an error: the node must detect it.
                    lines[cut.await as usize % NODES].strike(1, Some(Fate::HalfOpen), &mut random);
                }
            },
            async {
                for stop in spread(troubles.postgres_stops, seconds) {
                    stop.await;
                    postgres.stop().await;
                    sleep(Duration::from_secs(troubles.postgres_seconds)).await;
                    postgres.spawn().await;
                }
            }
        );
        (postgres, nats, nodes, folder)
    })
    .await
}
