//! `cargo xtask cluster`: three nodes with one PostgreSQL database and NATS, behind a small balancer, all on this
//! machine. Their data is removed at the end.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};
use std::{fs, process, thread};

use crate::postgres::Server;
use crate::process::{Context, Failure, Outcome, say, without_cargo_variables};
use crate::workspace::Workspace;
use crate::{balancer, run, server, setup};

const NODES: usize = 3;
/// The balancer's address, if it is free.
const ADDRESS: &str = "127.0.0.1:3000";
/// Time limit for a node to finish requests in progress.
const END_WITHIN: Duration = Duration::from_secs(15);

pub fn start(workspace: &Workspace, _: &[String]) -> Outcome {
    let (end, ended) = mpsc::channel();
    ctrlc::set_handler(move || end.send(()).unwrap_or_default()).context("listening for Ctrl-C")?;

    run::build(workspace)?;
    let listener = TcpListener::bind(ADDRESS).or_else(|_| TcpListener::bind("127.0.0.1:0"))?;
    let public_url = format!("http://{}", listener.local_addr()?);
    let postgres = Server::provide(workspace)?;
    let database = postgres.database(&format!("bespoken_cluster_{}", process::id()))?;
    let nats_address = free_address()?;
    let mut command = Command::new(setup::nats_server()?);
    command.args(["-a", "127.0.0.1", "-p", &nats_address.port().to_string()]);
    let nats = Running::start("nats", command.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let folder = Folder(workspace.target.join(format!("bespoken-cluster-{}", process::id())));
    fs::create_dir_all(&folder.0)?;

    // The first node creates the tables and the demo data, and prints sign-in links.
    let mut nodes = Vec::new();
    let mut addresses = Vec::new();
    for at in 1..=NODES {
        let address = free_address()?;
        let mut command = Command::new(server::program(workspace, server::Profile::Dev));
        command
            .current_dir(&workspace.root)
            .args(["serve", "--demo", "--listen", &address.to_string(), "--public-url", &public_url])
            .arg("--data-dir")
            .arg(&folder.0)
            .env("DATABASE_URL", database.url())
            .env("NATS_URL", format!("nats://{nats_address}"))
            .stdout(Stdio::piped());
        without_cargo_variables(&mut command);
        let mut node = Running::start("bespoken", &mut command)?;
        node.wait_until_it_listens(at == 1)?;
        say(format!("node {at} listens on http://{address}, as process {}", node.0.id()));
        nodes.push(node);
        addresses.push(address);
    }
    balancer::start(listener, &addresses);
    say(format!("NATS listens on {nats_address}, as process {}", nats.0.id()));
    say(format!("all of them together: {public_url} (Ctrl-C ends it)"));
    // Fails only without a handler, and then there is nothing to wait for.
    ended.recv().ok();
    say("stopping");
    Ok(())
}

fn free_address() -> Outcome<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// A program that is stopped on drop.
struct Running(Child);

impl Running {
    /// # Errors
    ///
    /// If it cannot be started.
    fn start(name: &str, command: &mut Command) -> Outcome<Self> {
        // In its own group, so that Ctrl-C reaches only this process, which stops the others in order.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(command, 0);
        Ok(Self(command.stdin(Stdio::null()).spawn().context(format!("starting {name}"))?))
    }

    /// Waits for the line that reports the listening, and reads further lines in the background. With `aloud`, prints
    /// the lines before it.
    ///
    /// # Errors
    ///
    /// If the program ends instead.
    fn wait_until_it_listens(&mut self, aloud: bool) -> Outcome {
        let output = self.0.stdout.take().expect("it is piped");
        let mut lines = BufReader::new(output).lines();
        for line in lines.by_ref().map_while(Result::ok) {
            if line.starts_with("listening on") {
                thread::spawn(move || lines.for_each(drop));
                return Ok(());
            }
            if aloud {
                println!("{line}");
            }
        }
        Err(Failure::new("a node ended; see its last line"))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The node finishes requests in progress, as when an operator stops it.
        let asked = Command::new("kill").arg(self.0.id().to_string()).status();
        let give_up = Instant::now() + END_WITHIN;
        while asked.as_ref().is_ok_and(|status| status.success()) && Instant::now() < give_up {
            if !matches!(self.0.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// A folder that is removed on drop.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).ok();
    }
}
