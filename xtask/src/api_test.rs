//! `cargo xtask api-test`: the running server held against its own description of the API. Schemathesis
//! sends what the description allows, and much that it does not; no answer may be a failure of the
//! server or off the description.
//!
//! The server has a database of its own in target/api-test, filled with the demo, and limits that
//! are out of the way: they have tests of their own.

use std::process::Command;

use crate::demo::Demo;
use crate::process::{Failure, Outcome, output, run, say};
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
    let program = server::program(workspace, server::Profile::Dev);
    let limits = [
        ("BESPOKEN_LIMIT_SENDS", "1000000"),
        ("BESPOKEN_LIMIT_LINK_GUESSES", "1000000"),
        ("BESPOKEN_LIMIT_CHATS", "1000000"),
        ("BESPOKEN_LIMIT_ATTACHMENT_BYTES", "100000"),
    ];
    let server = Demo::start(workspace, &program, &folder, &limits)?;
    let mut tokens = Command::new(&program);
    tokens.args(["token", "create", "--email", "admin@demo.invalid", "--database-url", &server.database]);
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
