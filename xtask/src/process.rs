//! Starts other programs, prints progress, and reports failures as one line.
//!
//! Nested cargo calls use [`cargo`], which removes the variables that the outer `cargo run` added. Some build scripts
//! watch those variables, and would run again every time.

use std::io::{BufRead, BufReader, IsTerminal};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::time::Instant;
use std::{env, fmt, io, thread};

use crate::workspace::Workspace;

pub type Outcome<T = ()> = Result<T, Failure>;

/// The reason why a task ended early, for the terminal.
#[derive(Debug)]
pub struct Failure(String);

impl Failure {
    pub fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

/// Adds the failed action to an error without one.
pub trait Context<T> {
    /// # Errors
    ///
    /// Those of `self`, preceded by `doing`.
    fn context(self, doing: impl fmt::Display) -> Outcome<T>;
}

impl<T, E: fmt::Display> Context<T> for Result<T, E> {
    fn context(self, doing: impl fmt::Display) -> Outcome<T> {
        self.map_err(|error| Failure(format!("{doing}: {error:#}")))
    }
}

/// Prints the current step of a task, and the time since its start, so that logs of CI show the duration of each step.
pub fn say(line: impl fmt::Display) {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    let seconds = START.elapsed().as_secs();
    eprintln!("xtask {}:{:02}: {line}", seconds / 60, seconds % 60);
}

/// Cargo itself, in the checkout.
pub fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&workspace.root);
    // An absolute path, as a relative one would mean another folder from here.
    command.env("CARGO_TARGET_DIR", &workspace.target);
    // On a fresh machine each crate is compiled once. The notes for a second time cost time and gigabytes.
    if env::var_os("CI").is_some() {
        command.env("CARGO_INCREMENTAL", "0");
    }
    without_cargo_variables(&mut command);
    command
}

/// Removes the variables that `cargo run` set for this program's own package.
pub fn without_cargo_variables(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let own = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
                .iter()
                .any(|prefix| name.starts_with(prefix))
        });
        if own {
            command.env_remove(name);
        }
    }
}

/// Node's package manager, which is a command file on Windows.
pub fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Runs a program to its end, in this terminal.
///
/// # Errors
///
/// If it cannot be started, or fails.
pub fn run(command: &mut Command) -> Outcome {
    let status = command.status().context(shown(command))?;
    succeeded(command, status)
}

/// The output of a program, if it exists and succeeds.
pub fn output(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs programs concurrently, and marks each line of theirs with its name. Waits for all, so that none runs on in
/// the background.
///
/// # Errors
///
/// The first failure, in the order given.
pub fn run_together(commands: Vec<(&'static str, Command)>) -> Outcome {
    let colour = if io::stderr().is_terminal() { "always" } else { "never" };
    thread::scope(|scope| {
        let running: Vec<_> = commands
            .into_iter()
            .map(|(name, mut command)| {
                scope.spawn(move || -> Outcome {
                    command.stdin(Stdio::null()).stderr(Stdio::piped());
                    command.env("CARGO_TERM_COLOR", colour);
                    let mut child = command.spawn().context(shown(&command))?;
                    let lines = child.stderr.take().map(BufReader::new);
                    for line in lines.into_iter().flat_map(BufRead::lines).map_while(Result::ok) {
                        eprintln!("{name} | {line}");
                    }
                    succeeded(&command, child.wait()?)
                })
            })
            .collect();
        let ends: Vec<Outcome> = running
            .into_iter()
            .map(|thread| thread.join().unwrap_or_else(|_| Err(Failure::new("a thread panicked"))))
            .collect();
        ends.into_iter().collect()
    })
}

fn succeeded(command: &Command, status: ExitStatus) -> Outcome {
    if status.success() { Ok(()) } else { Err(Failure(format!("`{}` failed ({status})", shown(command)))) }
}

fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str()).to_string_lossy();
    command.get_args().fold(name.into_owned(), |line, argument| format!("{line} {}", argument.to_string_lossy()))
}
