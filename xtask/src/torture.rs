//! `cargo xtask torture`: the long form of tests/torture, against the release build. The short form is
//! one of the tests. `BESPOKEN_TORTURE_SEED`, `…_SECONDS` and so on set the size.

use crate::process::{Outcome, cargo, run, say};
use crate::workspace::Workspace;
use crate::{build, server};

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    build::start(workspace, &[])?;
    say("torturing the release build for eleven minutes");
    run(cargo(workspace)
        .args(["test", "--features", "ssr", "--test", "torture", "--"])
        // One after the other: each wants the machine for itself.
        .args(["--ignored", "--nocapture", "--test-threads", "1"])
        .args(arguments)
        .env("BESPOKEN_BIN", server::program(workspace, server::Profile::Release)))
}
