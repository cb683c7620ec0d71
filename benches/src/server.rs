//! The measured servers: each is a process on its own core.

use std::{
    ffi::OsString,
    fmt::Display,
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
    Least,
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
            Self::Least => "the least",
        }
    }

    /// Whether it speaks socket.io's protocol inside the frames of the WebSocket.
    pub fn wraps(self) -> bool {
        matches!(self, Self::SocketIo | Self::SocketIoSqlite)
    }
}

/// The argument that makes this program the minimal server.
pub const LEAST: &str = "serve-the-least";
/// The name of Bespoken's database in its folder.
pub const DATABASE: &str = "bespoken.db";
/// The name of the page for React in its folder.
pub const PAGE: &str = "page.html";

/// Paths and settings of the servers.
pub struct Places {
    pub bespoken: PathBuf,
    /// benches/peers, with its packages installed.
    pub peers: PathBuf,
    /// The core that servers run on; `None` leaves it to the system.
    pub core: Option<usize>,
    /// The additional delay of each sync by a server. Needs `strace`.
    pub sync: Option<Duration>,
}

pub struct Server {
    process: Child,
    pub address: SocketAddr,
}

impl Server {
    /// Starts a server and waits until it listens. `folder` is for its data.
    pub fn start(kind: Kind, places: &Places, folder: &Path) -> Outcome<Self> {
        let mut command = match kind {
            Kind::Bespoken => return Self::start_node(places, folder, &sqlite(folder), None),
            Kind::Bun => {
                let mut command = places.pinned(&places.peers.join("node_modules/@oven/bun-linux-x64/bin/bun"));
                command.arg(places.peers.join("bun.mjs"));
                command
            }
            Kind::SocketIo | Kind::SocketIoSqlite => places.node("socketio.mjs"),
            Kind::Ws | Kind::WsSqlite => places.node("ws.mjs"),
            Kind::React => places.node("react.mjs"),
            Kind::Least => {
                let mut command = places.pinned(&std::env::current_exe()?);
                command.arg(LEAST);
                command
            }
        };
        match kind {
            Kind::SocketIoSqlite | Kind::WsSqlite => command.arg(folder.join("peer.db")),
            Kind::React => command.arg(folder.join(PAGE)),
            _ => &mut command,
        };
        Self::spawn(command.env("NODE_ENV", "production"), kind.name(), &folder.join("server.log"))
    }

    /// Starts Bespoken with this database. Nodes with a common database also share the folder, and are connected by
    /// `nats`.
    pub fn start_node(places: &Places, folder: &Path, database: &str, nats: Option<&str>) -> Outcome<Self> {
        let address = free_address()?;
        let mut command = places.pinned(&places.bespoken);
        command.arg("serve").args(["--listen", &address.to_string()]);
        command.args(["--database-url", database]).arg("--data-dir").arg(folder);
        // Raises the limits per person, because one machine simulates all people.
        command.args(["--limit-sends", "1000000000", "--limit-connections", "1000000", "--limit-chats", "1000000"]);
        command.args(["--limit-network-connections", "1000000"]);
        if let Some(nats) = nats {
            command.args(["--nats-url", nats]);
        }
        Self::spawn(&mut command, Kind::Bespoken.name(), &folder.join(format!("server-{}.log", address.port())))
    }

    fn spawn(command: &mut Command, name: &str, log: &Path) -> Outcome<Self> {
        let errors = fs::File::create(log)?;
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(errors).spawn()?;
        let mut lines = BufReader::new(process.stdout.take().ok_or("no output")?).lines();
        let address = lines.find_map(|line| {
            let address = line.ok()?.strip_prefix("listening on http://")?.parse().ok();
            Some(address)
        });
        match address {
            Some(Some(address)) => {
                // Further output of the server must not block it.
                std::thread::spawn(move || lines.map_while(Result::ok).for_each(drop));
                Ok(Self { process, address })
            }
            _ => {
                process.kill().ok();
                process.wait()?;
                let log = fs::read_to_string(log).unwrap_or_default();
                Err(format!("{name} does not start: {}", log.trim()).into())
            }
        }
    }

    /// This server alone as a watched part.
    pub fn part(&self) -> Part {
        Part::Processes(vec![self.id()])
    }

    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// The processor time of all its threads.
    pub fn cpu(&self) -> Duration {
        cpu_of(&self.process.id().to_string())
    }

    /// Its memory in bytes.
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

/// A consumer of processor time.
pub enum Part {
    /// Processes with all their children.
    Processes(Vec<u32>),
    /// A core with all processes on it.
    Core(usize),
}

impl Part {
    /// The processor time so far, in steps of 10 ms.
    pub fn cpu(&self) -> Duration {
        match self {
            Self::Processes(first) => ticks(tree(first).iter().map(|(_, stat)| stat.own + stat.ended).sum()),
            Self::Core(core) => {
                // proc(5), /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal; guests' time is already
                // included.
                let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
                let name = format!("cpu{core} ");
                let line = stat.lines().find_map(|line| line.strip_prefix(&name)).unwrap_or_default();
                let fields = line.split_whitespace().take(8).enumerate();
                let busy = fields.filter(|(at, _)| ![3, 4].contains(at));
                ticks(busy.filter_map(|(_, field)| field.parse::<u64>().ok()).sum())
            }
        }
    }
}

/// These processes and all their descendants.
pub fn tree(first: &[u32]) -> Vec<(u32, Stat)> {
    let running = fs::read_dir("/proc").into_iter().flatten().flatten();
    let running = running.filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    let (mut found, mut others): (Vec<_>, Vec<_>) = running
        .filter_map(|process| Some((process, Stat::of(process)?)))
        .partition(|(process, _)| first.contains(process));
    let mut looked_at = 0;
    while looked_at < found.len() {
        let parent = found[looked_at].0;
        found.extend(others.extract_if(.., |(_, stat)| stat.parent == parent));
        looked_at += 1;
    }
    found
}

/// The processor time of this process.
pub fn own_cpu() -> Duration {
    cpu_of("self")
}

fn cpu_of(process: &str) -> Duration {
    ticks(Stat::of(process).map_or(0, |stat| stat.own))
}

/// Linux has 100 ticks per second.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}

/// The values in /proc about a process.
pub struct Stat {
    parent: u32,
    /// The processor time of its threads, in ticks.
    own: u64,
    /// The processor time of its ended children, in ticks.
    ended: u64,
}

impl Stat {
    /// proc(5): of the fields of stat number 4, and 14 to 17.
    fn of(process: impl Display) -> Option<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
        // The name of the program is in brackets and may contain anything.
        let fields: Vec<&str> = stat.rsplit(')').next()?.split_whitespace().collect();
        let sum = |range| {
            Some(fields.get::<std::ops::Range<usize>>(range)?.iter().filter_map(|f| f.parse::<u64>().ok()).sum())
        };
        Some(Self { parent: fields.get(1)?.parse().ok()?, own: sum(11..13)?, ended: sum(13..15)? })
    }
}

/// The database of a single server.
pub fn sqlite(folder: &Path) -> String {
    format!("sqlite://{}", folder.join(DATABASE).display())
}

/// No other program takes the port in between, because servers start one after the other.
pub fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

impl Places {
    pub fn node(&self, script: &str) -> Command {
        let mut command = self.pinned(Path::new("node"));
        command.arg(self.peers.join(script));
        command
    }

    pub fn pinned(&self, program: &Path) -> Command {
        let mut words: Vec<OsString> = Vec::new();
        if let Some(core) = self.core {
            words.extend(["taskset", "--cpu-list", &core.to_string()].map(OsString::from));
        }
        if let Some(sync) = self.sync {
            let slower = format!("--inject=fdatasync,fsync:delay_exit={}", sync.as_micros());
            // With `-D`, strace is a separate process, and the process started here is the program itself.
            let strace = ["strace", "-D", "-f", "--seccomp-bpf", "--quiet=all", "--output=/dev/null", &slower];
            words.extend(strace.map(OsString::from));
        }
        words.push(program.into());
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]);
        command
    }
}
