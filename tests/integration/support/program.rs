//! The program itself, as an operator starts it.

use std::{
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, Command},
};

use super::in_time;

fn program(dir: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_bespoken"));
    command.args(args).current_dir(dir).env_clear().stdin(Stdio::piped()).kill_on_drop(true);
    command
}

/// Runs a command in `dir` to its end, with `input` on standard input.
pub async fn run_program(dir: &Path, args: &[&str], input: &str) -> Output {
    let mut command = program(dir, args);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // A command that does not read it may be gone by then.
    child.stdin.take().unwrap().write_all(input.as_bytes()).await.ok();
    in_time("the program", child.wait_with_output()).await.unwrap()
}

/// Runs a command that must succeed; returns its output.
#[track_caller]
pub fn succeeded(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// Runs a command that must fail with one line; returns the line.
#[track_caller]
pub fn refused(output: &Output) -> String {
    let line = String::from_utf8(output.stderr.clone()).unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!(line.lines().count(), 1, "{line}");
    line
}

/// A server of its own, with its database in the folder that it runs in. Killed when dropped.
pub struct Program {
    child: Child,
    log: PathBuf,
    pub url: String,
}

impl Program {
    pub async fn serve(dir: &Path, args: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = program(dir, &[&["serve", "--listen", "127.0.0.1:0"], args].concat());
        command.envs(variables.iter().copied());
        Self::start(command, dir).await
    }

    /// A server that the system lets open so many files.
    pub async fn serve_with_files(dir: &Path, most: u32, args: &[&str]) -> Self {
        let mut command = Command::new("/bin/sh");
        let limited = format!("ulimit -n {most} && exec \"$0\" serve --listen 127.0.0.1:0 \"$@\"");
        command.args(["-c", &limited, env!("CARGO_BIN_EXE_bespoken")]).args(args);
        command.current_dir(dir).env_clear().stdin(Stdio::null()).kill_on_drop(true);
        Self::start(command, dir).await
    }

    async fn start(mut command: Command, dir: &Path) -> Self {
        let log = dir.join("log");
        command.stdout(Stdio::piped());
        let mut child = command.stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let url = in_time("the server starts", async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some(url) = line.strip_prefix("listening on ") {
                    return url.to_owned();
                }
            }
            panic!("{}", std::fs::read_to_string(&log).unwrap());
        })
        .await;
        Self { child, log, url }
    }

    /// Kills it; returns its log.
    pub async fn stop(mut self) -> String {
        self.child.kill().await.unwrap();
        std::fs::read_to_string(&self.log).unwrap()
    }
}
