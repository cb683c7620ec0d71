//! `cargo xtask lint`: formatting, and clippy over every way this project is compiled.

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
    Ok(())
}
