//! `cargo xtask mutants [PATH …]`: changes the code in one place after another, and runs the unit tests. A change that no
//! test notices is a gap. Without paths it takes the pure code: domain, protocol, client, and the rooms. It is not a
//! part of CI: each change compiles the library anew, about half a minute on two cores.

use crate::process::{Outcome, cargo, run, say};
use crate::setup;
use crate::workspace::Workspace;

const PURE: [&str; 9] = [
    "src/domain/**",
    "src/protocol.rs",
    "src/client/room.rs",
    "src/client/timeline.rs",
    "src/client/outbox.rs",
    "src/client/reconnect.rs",
    "src/client/people.rs",
    "src/client/log.rs",
    "src/live/room.rs",
];

pub fn start(workspace: &Workspace, arguments: &[String]) -> Outcome {
    let program = setup::cargo_mutants(workspace)?;
    let folder = workspace.root.join("target/mutants");
    std::fs::create_dir_all(&folder)?;
    let is_path = |word: &&String| !word.starts_with('-');
    let paths: Vec<&str> = match arguments.iter().take_while(is_path).map(String::as_str).collect::<Vec<_>>() {
        named if named.is_empty() => PURE.to_vec(),
        named => named,
    };
    let options = arguments.iter().skip_while(|word| is_path(word));
    say("testing with changed code");
    let mut command = cargo(workspace);
    // Its builds have a place of their own, and keep their dependencies from run to run.
    command.env("CARGO_TARGET_DIR", folder.join("target"));
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    if let Some(tools) = program.parent() {
        let known = std::env::split_paths(&path).collect::<Vec<_>>();
        path = std::env::join_paths([tools.to_path_buf()].into_iter().chain(known)).unwrap_or(path);
    }
    command.env("PATH", path).args(["mutants", "--features", "ssr", "--no-shuffle", "--output"]).arg(&folder);
    for path in paths {
        command.args(["--file", path]);
    }
    run(command.args(options).args(["--", "--lib"]))
}
