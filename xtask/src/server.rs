//! The server's half: compiles the program, which embeds the assets in a release.

use std::path::PathBuf;
use std::process::Command;

use crate::process::cargo;
use crate::workspace::Workspace;

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

/// The cargo command that compiles the server.
pub fn compilation(workspace: &Workspace, profile: Profile) -> Command {
    let mut command = cargo(workspace);
    command.args(["build", "--bin", "bespoken", "--features", "ssr"]);
    if profile == Profile::Release {
        command.arg("--release");
    }
    command
}

/// The path of the compiled server.
pub fn program(workspace: &Workspace, profile: Profile) -> PathBuf {
    let folder = match profile {
        Profile::Dev => "debug",
        Profile::Release => "release",
    };
    let name = format!("bespoken{}", std::env::consts::EXE_SUFFIX);
    workspace.target.join(folder).join(name)
}
