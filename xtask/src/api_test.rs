//! `cargo xtask api-test`: compares the running server with its OpenAPI description. Schemathesis sends permitted
//! requests, and many invalid ones. A server error, or a response that contradicts the description, is a failure.
//!
//! The server has its own database in target/api-test with demo data. Its limits are raised: other tests cover them.

use std::process::Command;

use crate::demo::Demo;
use crate::process::{Failure, Outcome, output, run, say};
use crate::workspace::Workspace;
use crate::{run as run_task, server, setup};

/// Cases for each call: more cases rarely find more errors.
const CASES: &str = "60";
/// The same cases each time, so that failures are reproducible and CI results depend on the change only.
const SEED: &str = "1";

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    run_task::build(workspace)?;
    hold(workspace, arguments)
}

/// Tests the last built development server.
///
/// # Errors
///
/// If a tool is missing, or a response contradicts the description.
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

/// No server errors; status, headers, media type and schema of each response as described.
const CHECKS: &str = "not_a_server_error,status_code_conformance,content_type_conformance,\
                      response_headers_conformance,response_schema_conformance";
