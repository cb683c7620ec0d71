//! The servers that are measured: each its own process on a core of its own.

use std::{
    fs,
    io::{BufRead, BufReader},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use crate::Outcome;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Bespoken,
    SocketIo,
    Ws,
    Bun,
    SocketIoSqlite,
    WsSqlite,
    React,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Bespoken => "Bespoken",
            Self::SocketIo => "socket.io",
            Self::Ws => "ws",
            Self::Bun => "Bun",
            Self::SocketIoSqlite => "socket.io + better-sqlite3",
            Self::WsSqlite => "ws + better-sqlite3",
            Self::React => "react-dom/server",
        }
    }

    /// Whether it speaks socket.io's protocol inside the frames of the WebSocket.
    pub fn wraps(self) -> bool {
        matches!(self, Self::SocketIo | Self::SocketIoSqlite)
    }
}

/// Where things are.
pub struct Places {
    pub bespoken: PathBuf,
    /// benches/peers, with its packages installed.
    pub peers: PathBuf,
    /// The core that servers run on; `None` leaves it to the system.
    pub core: Option<usize>,
}

pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it listens. `folder` is where it may keep its data.
    pub fn start(kind: Kind, places: &Places, folder: &Path) -> Outcome<Self> {
        let mut command = match kind {
            Kind::Bespoken => {
                // Nobody else takes the port in between: everything here happens one after the other.
                let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
                let mut command = places.pinned(&places.bespoken);
                command.arg("serve").args(["--listen", &address.to_string()]);
                command.args(bespoken_flags(folder));
                command
            }
            Kind::Bun => {
                let mut command = places.pinned(&places.peers.join("node_modules/@oven/bun-linux-x64/bin/bun"));
                command.arg(places.peers.join("bun.mjs"));
                command
            }
            Kind::SocketIo | Kind::SocketIoSqlite => places.node("socketio.mjs"),
            Kind::Ws | Kind::WsSqlite => places.node("ws.mjs"),
            Kind::React => places.node("react.mjs"),
        };
        if matches!(kind, Kind::SocketIoSqlite | Kind::WsSqlite) {
            command.arg(folder.join("peer.db"));
        }
        let log = fs::File::create(folder.join("server.log"))?;
        let mut process =
            command.env("NODE_ENV", "production").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let address = lines.find_map(|line| {
            let address = line.ok()?.strip_prefix("listening on http://")?.parse().ok();
            Some(address)
        });
        match address {
            Some(Some(address)) => {
                // Whatever it prints from now on must not block it.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                Ok(Self { process, address })
            }
            _ => {
                process.kill().ok();
                process.wait()?;
                let log = fs::read_to_string(folder.join("server.log")).unwrap_or_default();
                Err(format!("{} does not start: {}", kind.name(), log.trim()).into())
            }
        }
    }

    /// The processor time that all its threads have taken.
    pub fn cpu(&self) -> Duration {
        cpu_of(&self.process.id().to_string())
    }

    /// Bytes of memory that it holds.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok()).unwrap_or(0) * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// The processor time that this process has taken.
pub fn own_cpu() -> Duration {
    cpu_of("self")
}

/// From /proc, in steps of 10 ms. proc(5): fields 14 and 15 of stat, in ticks, of which Linux has 100 a second.
fn cpu_of(process: &str) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // The name of the program is in brackets and may contain anything.
    let fields = stat.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<u64>().ok()).sum();
    Duration::from_millis(ticks * 10)
}

/// Limits on single people are lifted, as one machine plays all of them.
pub fn bespoken_flags(folder: &Path) -> Vec<String> {
    let database = folder.join("bespoken.db").display().to_string();
    [
        ["--database-url".to_owned(), format!("sqlite://{database}")],
        ["--data-dir".to_owned(), folder.display().to_string()],
        ["--limit-sends".to_owned(), "1000000000".to_owned()],
        ["--limit-connections".to_owned(), "1000000".to_owned()],
    ]
    .concat()
}

impl Places {
    fn node(&self, script: &str) -> Command {
        let mut command = self.pinned(Path::new("node"));
        command.arg(self.peers.join(script));
        command
    }

    fn pinned(&self, program: &Path) -> Command {
        match self.core {
            Some(core) => {
                let mut command = Command::new("taskset");
                command.arg("--cpu-list").arg(core.to_string()).arg(program);
                command
            }
            None => Command::new(program),
        }
    }
}
