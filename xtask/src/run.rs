//! `cargo xtask run`: from a checkout to a served demo. Client and server compile at the same
//! time; neither keeps the other waiting, as each profile has a folder and a lock of its own.

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

/// Leaves the development server in target/debug and its assets in target/site.
///
/// # Errors
///
/// When something is missing or does not compile.
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

/// Puts the compiled development client and the styles where the server finds them.
///
/// # Errors
///
/// When the client was not compiled, or a file cannot be read or written.
pub fn assets(workspace: &Workspace) -> Outcome {
    let bound = client::bind(workspace, client::Profile::Dev)?;
    site::assemble(workspace, &bound, site::Compressed::Removed)
}

/// Gives this process over to the server, so that signals reach it and its exit code is the
/// task's.
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
