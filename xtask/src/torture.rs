//! `cargo xtask torture`: the long form of tests/torture, against the release build. `--cluster` runs three nodes
//! with PostgreSQL and NATS. The short forms are among the tests. `BESPOKEN_TORTURE_SEED`, `…_SECONDS` and so on set
//! the size.

use crate::process::{Outcome, cargo, run, say};
use crate::workspace::Workspace;
use crate::{build, server, setup};

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let (cluster, arguments): (Vec<_>, Vec<_>) = arguments.iter().partition(|word| *word == "--cluster");
    let mut command = cargo(workspace);
    command.args(["test", "--features", "ssr", "--test", "torture", "--"]);
    // Sequentially, because each needs the whole machine.
    command.args(["--ignored", "--nocapture", "--test-threads", "1"]);
    if cluster.is_empty() {
        command.args(["--skip", "cluster"]);
    } else {
        command.arg("cluster");
        command.env("BESPOKEN_TEST_NATS", setup::nats_server()?);
        command.env("BESPOKEN_POSTGRES_PROGRAMS", setup::postgres()?);
    }
    build::start(workspace, &[])?;
    say("torturing the release build for eleven minutes");
    run(command.args(arguments).env("BESPOKEN_BIN", server::program(workspace, server::Profile::Release)))
}
