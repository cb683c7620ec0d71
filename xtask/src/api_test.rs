//! `cargo xtask api-test`: the running server held against its own description of the API. Schemathesis
//! sends what the description allows, and much that it does not; no answer may be a failure of the
//! server or off the description.
//!
//! The server has a database of its own in target/api-test, filled with the demo, and limits that
//! are out of the way: they have tests of their own.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use crate::process::{Context, Failure, Outcome, output, run, say, without_cargo_variables};
use crate::workspace::Workspace;
use crate::{run as run_task, server, setup};

/// Cases for each call: the first few hundred find what there is to find.
const CASES: &str = "60";
/// The same cases each time: a failure can be repeated, and CI tells one change from another.
const SEED: &str = "1";

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    run_task::build(workspace)?;
    hold(workspace, arguments)
}

/// Holds the development server that was built last.
///
/// # Errors
///
/// When something is missing, or an answer is off the description.
pub fn hold(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let schemathesis = setup::schemathesis(workspace)?;
    let folder = workspace.root.join("target/api-test");
    let data = folder.join("data");
    if data.exists() {
        fs::remove_dir_all(&data)?;
    }
    fs::create_dir_all(&data)?;
    let program = server::program(workspace, server::Profile::Dev);
    let database = format!("sqlite://{}", data.join("bespoken.db").display());

    let mut command = Command::new(&program);
    command
        .args(["serve", "--demo", "--listen", "127.0.0.1:0", "--database-url", &database, "--data-dir"])
        .arg(&data)
        .env("BESPOKEN_LIMIT_SENDS", "1000000")
        .env("BESPOKEN_LIMIT_LINK_GUESSES", "1000000")
        .env("BESPOKEN_LIMIT_CHATS", "1000000")
        .env("BESPOKEN_LIMIT_ATTACHMENT_BYTES", "100000")
        .current_dir(&workspace.root)
        .stdout(Stdio::piped());
    without_cargo_variables(&mut command);
    let server = Running::start(command)?;
    let mut tokens = Command::new(&program);
    tokens.args(["token", "create", "--email", "admin@demo.invalid", "--database-url", &database]);
    let token = output(&mut tokens).ok_or_else(|| Failure::new("could not make an API token"))?;

    say("testing the API against its description");
    run(Command::new(schemathesis)
        .args(["run", &format!("{}/api/v1/openapi.json", server.url)])
        .args(["--header", &format!("Authorization: Bearer {}", token.trim())])
        .args(["--checks", CHECKS, "--max-examples", CASES, "--seed", SEED, "--workers", "2"])
        .args(["--generation-database", "none", "--suppress-health-check", "all"])
        .args(arguments)
        .current_dir(&folder))
}

/// No failure of the server; and status, headers, kind and shape of each answer as described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";

/// A server that ends with this value.
struct Running {
    process: Child,
    url: String,
}

impl Running {
    fn start(mut command: Command) -> Outcome<Self> {
        let mut process = command.spawn().context("starting the server")?;
        let lines = process.stdout.take().map(|out| BufReader::new(out).lines());
        let url = lines
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
        match url {
            Some(url) => Ok(Self { process, url }),
            None => Err(Failure::new("the server did not start")),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}
