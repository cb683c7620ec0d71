//! `cargo xtask bench`: benches/ against the release build and other chat servers, each in turn on one core and the
//! generator on another. Needs Linux, two cores and Node. Arguments select scenarios by a part of their names;
//! `--repeats`, `--seconds` and `--server` are passed to it.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::postgres::Server;
use crate::process::{Failure, Outcome, cargo, output, run, say};
use crate::server::Profile;
use crate::workspace::Workspace;
use crate::{build, server, setup};

/// The cores in use: one for the servers, one for the generator.
const SERVER_CORE: usize = 0;
const GENERATOR_CORE: usize = 1;

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    setup::node_packages(workspace, &peers(workspace))?;
    run(measurement(workspace)?.args(arguments))
}

/// `cargo xtask bench-scale`: the release build with a million messages and with few.
pub fn scale(workspace: &Workspace, arguments: &[String]) -> Outcome {
    run(measurement(workspace)?.arg("--scale").args(arguments))
}

/// `cargo xtask bench-nodes`: the release build as one node and as two, with PostgreSQL and NATS. As root it can
/// limit each node to a share of a core, and so measure the gain of a second one.
pub fn nodes(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let nats = setup::nats_server()?;
    let postgres = Server::provide(workspace)?;
    let mut command = measurement(workspace)?;
    run(postgres.tell(&mut command).env("BESPOKEN_TEST_NATS", nats).arg("--nodes").args(arguments))
}

/// The command for the load generator on its core, without the scenario.
fn measurement(workspace: &Workspace) -> Outcome<Command> {
    if output(Command::new("taskset").args(["--cpu-list", &GENERATOR_CORE.to_string(), "true"])).is_none() {
        return Err(Failure::new("this measures on Linux only, with two cores and `taskset`"));
    }
    build::start(workspace, &[])?;
    say("building the generator of load");
    run(cargo(workspace).args(["build", "--release", "--package", "bench"]))?;
    let mut command = Command::new("taskset");
    command.args(["--cpu-list", &GENERATOR_CORE.to_string()]).arg(workspace.target.join("release/bench"));
    say("measuring; leave the machine alone meanwhile");
    places(workspace, &mut command, Profile::Release)?.args(["--core", &SERVER_CORE.to_string()]);
    Ok(command)
}

/// The smoke form, which is one of the tests: a few people on the existing server build, as one node and as two. No
/// message may be lost.
///
/// # Errors
///
/// If a message was lost, duplicated or out of order.
pub fn smoke(workspace: &Workspace, postgres: &Server) -> Outcome {
    say("smoke form of the benchmarks");
    for words in [&["--smoke"][..], &["--nodes", "--smoke"]] {
        let mut command = cargo(workspace);
        command.args(["run", "--quiet", "--package", "bench", "--"]);
        places(workspace, &mut command, Profile::Dev)?;
        run(postgres.tell(&mut command).env("BESPOKEN_TEST_NATS", setup::nats_server()?).args(words))?;
    }
    Ok(())
}

fn places<'a>(workspace: &Workspace, command: &'a mut Command, profile: Profile) -> Outcome<&'a mut Command> {
    // On the same disk as the build, as the system's temporary folder may be on another one.
    let scratch = workspace.target.join("bench");
    fs::create_dir_all(&scratch)?;
    Ok(command.arg(server::program(workspace, profile)).arg(peers(workspace)).arg(scratch))
}

fn peers(workspace: &Workspace) -> PathBuf {
    workspace.root.join("benches/peers")
}
