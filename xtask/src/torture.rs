//! `cargo xtask torture`: the long form of tests/torture, against the release build. The short form is
//! one of the tests. `BESPOKEN_TORTURE_SEED`, `…_SECONDS` and so on set the size.

use crate::process::{Outcome, cargo, run, say};
use crate::workspace::Workspace;
use crate::{build, server};

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    build::start(workspace, &[])?;
    say("torturing the release build for ten minutes");
    run(cargo(workspace)
        .args(["test", "--features", "ssr", "--test", "torture", "--"])
        .args(["--ignored", "--nocapture", "nothing_is_lost_in_a_long_storm"])
        .args(arguments)
        .env("BESPOKEN_BIN", server::program(workspace, server::Profile::Release)))
}
