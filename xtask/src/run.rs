//! `cargo xtask run`: builds and serves a demo. Client and server compile concurrently without blocking each other,
//! because each profile has its own folder and lock.

use std::fs;
use std::process::Command;

use crate::process::{Context, Outcome, run_together, say, without_cargo_variables};
use crate::workspace::Workspace;
use crate::{client, server, setup, site};

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    build(workspace)?;
    let arguments = match arguments {
        [first, rest @ ..] if first == "--" => rest,
        all => all,
    };
    let mut command = Command::new(server::program(workspace, server::Profile::Dev));
    command.current_dir(&workspace.root).args(["serve", "--demo"]).args(arguments);
    without_cargo_variables(&mut command);
    become_program(command)
}

/// Builds the development server into target/debug and its assets into target/site.
///
/// # Errors
///
/// If a tool is missing, or compilation fails.
pub fn build(workspace: &Workspace) -> Outcome {
    setup::wasm_target()?;
    let first = !server::program(workspace, server::Profile::Dev).exists();
    let often = if first { " (the first time takes some minutes)" } else { "" };
    say(format!("building client and server{often}"));
    fs::create_dir_all(workspace.site())?;
    run_together(vec![
        ("client", client::compilation(workspace, client::Profile::Dev)),
        ("server", server::compilation(workspace, server::Profile::Dev)),
    ])?;
    assets(workspace)
}

/// Copies the compiled development client and the styles into the folder that the server serves.
///
/// # Errors
///
/// If the client was not compiled, or a file cannot be read or written.
pub fn assets(workspace: &Workspace) -> Outcome {
    let bound = client::bind(workspace, client::Profile::Dev)?;
    site::assemble(workspace, &bound, site::Compressed::Removed)
}

/// Replaces this process with the server, so that signals reach it and its exit code is the task's.
#[cfg(unix)]
fn become_program(mut command: Command) -> Outcome {
    use std::os::unix::process::CommandExt;
    Err(command.exec()).context("starting the server")
}

#[cfg(not(unix))]
fn become_program(mut command: Command) -> Outcome {
    let status = command.status().context("starting the server")?;
    std::process::exit(status.code().unwrap_or(1))
}
