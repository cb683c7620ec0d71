//! `cargo xtask`: the one way to run, build, check and test this project, on every system.
//!
//! Each task is a module. Shared modules: `workspace` contains the paths, `process` starts other programs, `setup`
//! installs missing tools, and `postgres` provides a database server. `balancer` is one address for several nodes,
//! `demo` a server for requests. `client` and `server` compile the two halves, and `site` maintains the folder of
//! assets that the server serves.

mod api_test;
mod attack;
mod balancer;
mod bench;
mod build;
mod client;
mod cluster;
mod demo;
mod lighthouse;
mod lint;
mod mutants;
mod postgres;
mod preview;
mod process;
mod run;
mod sbom;
mod server;
mod setup;
mod site;
mod test;
mod torture;
mod wasm;
mod weight;
mod workspace;

use std::env;
use std::process::ExitCode;

use process::Outcome;
use workspace::Workspace;

struct Task {
    name: &'static str,
    arguments: &'static str,
    does: &'static str,
    start: fn(&Workspace, &[String]) -> Outcome,
}

const TASKS: &[Task] = &[
    Task {
        name: "run",
        arguments: "[-- flags of `bespoken serve`]",
        does: "build client and server for development, and serve with demo data",
        start: run::start,
    },
    Task {
        name: "preview",
        arguments: "",
        does: "compile the client-only preview; `trunk serve` calls this",
        start: preview::start,
    },
    Task {
        name: "cluster",
        arguments: "",
        does: "three nodes with PostgreSQL, NATS and a balancer, with demo data, until Ctrl-C",
        start: cluster::start,
    },
    Task {
        name: "build",
        arguments: "",
        does: "build one self-contained release binary, target/release/bespoken, and its bill of materials",
        start: build::start,
    },
    Task {
        name: "lint",
        arguments: "",
        does: "rustfmt, clippy with warnings denied for server, client and preview, and the dependencies' licences",
        start: lint::start,
    },
    Task {
        name: "api-test",
        arguments: "[arguments of schemathesis]",
        does: "compare a running server with its OpenAPI description",
        start: api_test::start,
    },
    Task {
        name: "test",
        arguments: "[unit] [integration] [browser] [part of a test's name] [--api] [--weight]",
        does: "lint and every test; or only the named kinds, without lint",
        start: test::start,
    },
    Task {
        name: "attack",
        arguments: "[part of an attack's name]",
        does: "attack the real program from outside, on both databases, and print a line for each attack",
        start: attack::start,
    },
    Task {
        name: "torture",
        arguments: "[--cluster]",
        does: "ten minutes of clients, cuts and kills against the release build, alone or as three nodes",
        start: torture::start,
    },
    Task {
        name: "mutants",
        arguments: "[file …] [arguments of cargo-mutants]",
        does: "change the code in one place after another, and list the changes that no unit test notices",
        start: mutants::start,
    },
    Task {
        name: "weight",
        arguments: "",
        does: "compare the size of a browser's first visit, by part and by crate, with the budgets",
        start: weight::start,
    },
    Task {
        name: "lighthouse",
        arguments: "[--runs N]",
        does: "measure a guest's first visit to the release build with Lighthouse (Node, Chromium)",
        start: lighthouse::start,
    },
    Task {
        name: "bench",
        arguments: "[part of a scenario's name] [--repeats N] [--seconds N] [--server NAME]",
        does: "measure the release build beside socket.io, ws and Bun (Linux, two cores, Node)",
        start: bench::start,
    },
    Task {
        name: "bench-scale",
        arguments: "[--repeats N]",
        does: "measure the cost of a million messages in the database",
        start: bench::scale,
    },
    Task {
        name: "bench-nodes",
        arguments: "[part of a scenario's name] [--repeats N] [--seconds N]",
        does: "measure the gain of a second node, with PostgreSQL and NATS (Linux, two cores, preferably as root)",
        start: bench::nodes,
    },
];

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((name, rest)) = arguments.split_first() else {
        list();
        return ExitCode::SUCCESS;
    };
    let Some(task) = TASKS.iter().find(|task| task.name == name) else {
        let asked_for_help = matches!(name.as_str(), "help" | "--help" | "-h");
        if !asked_for_help {
            eprintln!("xtask: there is no task `{name}`");
        }
        list();
        return if asked_for_help { ExitCode::SUCCESS } else { ExitCode::from(2) };
    };
    match Workspace::find().and_then(|workspace| (task.start)(&workspace, rest)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn list() {
    println!("cargo xtask <task>\n");
    for Task { name, arguments, does, .. } in TASKS {
        println!("  {name:<12}{does}");
        if !arguments.is_empty() {
            println!("              {arguments}");
        }
    }
}
