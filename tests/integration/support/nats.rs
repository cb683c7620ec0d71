//! NATS servers as processes of their own, which a test may kill and start again.

use std::{
    env,
    io::Write,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    sync::OnceLock,
    time::Duration,
};

use tokio::{
    io::AsyncReadExt,
    net::TcpStream,
    process::{Child, Command},
};

use super::in_time;

/// The program: the one that `BESPOKEN_TEST_NATS` names, or what the system has.
fn program() -> Option<&'static PathBuf> {
    static PROGRAM: OnceLock<Option<PathBuf>> = OnceLock::new();
    let find = || {
        if let Some(chosen) = env::var_os("BESPOKEN_TEST_NATS") {
            return Some(PathBuf::from(chosen));
        }
        let folders = env::var_os("PATH").unwrap_or_default();
        let mut folders = env::split_paths(&folders).chain([PathBuf::from("/usr/sbin")]);
        let found = folders.find_map(|folder| Some(folder.join("nats-server")).filter(|file| file.is_file()));
        if found.is_none() {
            // Bypasses the capture of output: a reader of the result must know its gaps.
            let line = "NATS is left out: there is no nats-server (`cargo xtask test` installs one on Debian)\n";
            std::io::stderr().write_all(line.as_bytes()).unwrap();
        }
        found
    };
    PROGRAM.get_or_init(find).as_ref()
}

/// A server on a port of its own. Gone when dropped.
pub struct NatsServer {
    program: &'static Path,
    address: SocketAddr,
    arguments: Vec<&'static str>,
    process: Child,
}

impl NatsServer {
    /// `None` if there is no program to start.
    pub async fn start() -> Option<Self> {
        Self::start_with(&[]).await
    }

    pub async fn start_with(arguments: &[&'static str]) -> Option<Self> {
        let program = program()?;
        let probe = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = probe.local_addr().unwrap();
        drop(probe);
        let process = Self::spawn(program, address, arguments).await;
        Some(Self { program, address, arguments: arguments.to_vec(), process })
    }

    async fn spawn(program: &Path, address: SocketAddr, arguments: &[&str]) -> Child {
        let process = Command::new(program)
            .args(["-a", "127.0.0.1", "-p", &address.port().to_string()])
            .args(arguments)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        in_time("NATS starts", async {
            // It greets each client.
            let greets = async || TcpStream::connect(address).await.ok()?.read_u8().await.ok();
            while greets().await.is_none() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        })
        .await;
        process
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    pub fn url(&self) -> String {
        format!("nats://{}", self.address)
    }

    pub async fn kill(&mut self) {
        self.process.kill().await.unwrap();
    }

    /// Starts it again where it was.
    pub async fn revive(&mut self) {
        self.process = Self::spawn(self.program, self.address, &self.arguments).await;
    }
}
