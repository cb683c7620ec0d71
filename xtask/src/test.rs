//! `cargo xtask test`: lint and all tests. `unit`, `integration` and `browser` select kinds; any other argument
//! selects tests by a part of their name. `--api` adds `cargo xtask api-test`, `--weight` adds `cargo xtask weight`.
//!
//! The client's logic is in the same library, so the unit tests on the host cover it. Browser tests start servers
//! themselves, from the program in BESPOKEN_BIN. All of them run on SQLite, and the journeys that write most run again on
//! PostgreSQL. The tests in tests/ use both databases in one run.

use std::num::NonZero;
use std::{fs, thread};

use crate::postgres::Server;
use crate::process::{Context, Outcome, cargo, run, say};
use crate::workspace::Workspace;
use crate::{api_test, bench, client, lint, run as run_task, server, setup, weight};

/// Browser tests that run on PostgreSQL too: those of what people store. The others are about the page itself, and the
/// contract of storage, which both databases are tested for, is all that a page sees of the database.
const STORING: [&str; 9] =
    ["accounts", "closing", "delivery", "files", "journey", "reply", "requests", "search", "settings"];

struct Wanted<'a> {
    unit: bool,
    integration: bool,
    browser: bool,
    api: bool,
    weight: bool,
    names: Vec<&'a str>,
}

impl<'a> Wanted<'a> {
    fn new(arguments: &'a [String]) -> Self {
        let (kinds, names): (Vec<&str>, Vec<&str>) = arguments
            .iter()
            .map(String::as_str)
            .filter(|word| !word.starts_with("--"))
            .partition(|word| ["unit", "integration", "browser"].contains(word));
        let wants = |kind| kinds.is_empty() || kinds.contains(&kind);
        let adds = |flag| arguments.iter().any(|word| word == flag);
        let (api, weight) = (adds("--api"), adds("--weight"));
        Self { unit: wants("unit"), integration: wants("integration"), browser: wants("browser"), api, weight, names }
    }

    fn everything(&self) -> bool {
        self.unit && self.integration && self.browser && self.names.is_empty()
    }
}

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let wanted = Wanted::new(arguments);
    if wanted.everything() {
        lint::start(workspace, &[])?;
    }
    if wanted.integration || wanted.browser {
        setup::wasm_target()?;
        say("building the client");
        fs::create_dir_all(workspace.site())?;
        run(&mut client::compilation(workspace, client::Profile::Dev))?;
        run_task::assets(workspace)?;
    }
    let needs_postgres = wanted.integration || wanted.browser;
    let postgres = if needs_postgres { Some(Server::provide(workspace)?) } else { None };
    if wanted.unit || wanted.integration {
        rust_tests(workspace, &wanted, postgres.as_ref())?;
    }
    if let Some(postgres) = postgres.filter(|_| wanted.browser) {
        if wanted.everything() {
            bench::smoke(workspace, &postgres)?;
        }
        browser_tests(workspace, &wanted, &postgres)?;
    }
    if wanted.api {
        api_test::hold(workspace, &[])?;
    }
    // Last, because it replaces the client under test with the release's.
    if wanted.weight {
        weight::hold(workspace)?;
    }
    Ok(())
}

fn rust_tests(workspace: &Workspace, wanted: &Wanted, postgres: Option<&Server>) -> Outcome {
    if wanted.unit {
        say("testing the tasks and the generator of load");
        run(cargo(workspace).args(["test", "--package", "xtask", "--package", "bench", "--"]).args(&wanted.names))?;
    }
    // They wait for databases, sockets and other programs most of the time.
    const WAITING: &str = "integration";
    let threads = 2 * thread::available_parallelism().map_or(1, NonZero::get);
    let mut outcomes = Vec::new();
    let mut test = |targets: &[&str], threads: Option<usize>| -> Outcome {
        let mut command = cargo(workspace);
        command.args(["test", "--features", "ssr", "--no-fail-fast"]).args(targets);
        if let Some(postgres) = postgres {
            postgres.tell(&mut command);
        }
        if wanted.integration {
            command.env("BESPOKEN_TEST_NATS", setup::nats_server()?);
        }
        if let Some(threads) = threads {
            command.env("RUST_TEST_THREADS", threads.to_string());
        }
        outcomes.push(run(command.arg("--").args(&wanted.names)));
        Ok(())
    };
    if wanted.unit {
        say("unit tests");
        test(&["--lib", "--bins"], None)?;
    }
    if wanted.integration {
        say("integration tests");
        test(&["--test", WAITING], Some(threads))?;
        say("attacks and storms");
        let suites = suites(workspace)?;
        let others: Vec<_> =
            suites.iter().filter(|name| *name != WAITING).flat_map(|name| ["--test", name.as_str()]).collect();
        test(&others, None)?;
    }
    if wanted.unit && wanted.integration {
        test(&["--doc"], None)?;
    }
    outcomes.into_iter().collect()
}

/// The folders of tests/, each compiled as one program.
fn suites(workspace: &Workspace) -> Outcome<Vec<String>> {
    let entries = fs::read_dir(workspace.root.join("tests")).context("tests/")?;
    let names = entries.map(|entry| entry.map(|entry| entry.file_name().to_string_lossy().into_owned()));
    let mut names = names.collect::<Result<Vec<_>, _>>().context("tests/")?;
    names.sort();
    Ok(names)
}

fn browser_tests(workspace: &Workspace, wanted: &Wanted, postgres: &Server) -> Outcome {
    // Tests in tests/ compile the server as well. A separate build shares no dependency with them, because test-only
    // features affect even tokio.
    if !wanted.integration {
        say("building the server");
        run(&mut server::compilation(workspace, server::Profile::Dev))?;
    }
    setup::node_packages(workspace, &workspace.end2end())?;
    let chromium = setup::chromium(workspace)?;
    for (database, files) in [("sqlite", &[][..]), ("postgres", &STORING)] {
        say(format!("browser tests, on {database}"));
        let mut command = setup::playwright(workspace);
        postgres
            .tell(&mut command)
            .args(["test", "--pass-with-no-tests", "--grep", &wanted.names.join("|")])
            .args(files.iter().map(|name| format!("tests/{name}.spec")))
            .env("BESPOKEN_BIN", server::program(workspace, server::Profile::Dev))
            .env("BESPOKEN_TEST_DATABASE", database);
        if let Some(chromium) = &chromium {
            command.env("BESPOKEN_CHROMIUM", chromium);
        }
        run(&mut command)?;
    }
    Ok(())
}
