//! `cargo xtask lint`: formatting, clippy for every compilation of this project, and the rules of deny.toml for
//! dependencies.

use std::process::Command;

use crate::process::{Outcome, cargo, run, say};
use crate::setup;
use crate::workspace::Workspace;

pub fn start(workspace: &Workspace, _: &[String]) -> Outcome {
    setup::lint_tools(workspace)?;
    setup::wasm_target()?;
    say("checking the format");
    run(cargo(workspace).args(["fmt", "--all", "--check"]))?;

    let wasm = |feature| vec!["--lib", "--target", setup::WASM_TARGET, "--features", feature];
    for (what, arguments) in [
        ("the server", vec!["--all-targets", "--features", "ssr"]),
        ("the client", wasm("hydrate")),
        ("the preview", wasm("csr")),
        ("the tasks", vec!["--all-targets", "--package", "xtask", "--package", "precompress", "--package", "bench"]),
    ] {
        say(format!("clippy: {what}"));
        run(cargo(workspace).arg("clippy").args(arguments).args(["--", "-D", "warnings"]))?;
    }

    say("checking licences, duplicates and sources of the dependencies");
    let deny = setup::cargo_deny(workspace)?;
    run(Command::new(deny).current_dir(&workspace.root).args(["check", "licenses", "bans", "sources"]))
}
