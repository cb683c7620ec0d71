//! `cargo xtask attack`: attacks from outside on the real program, on both databases (tests/attack). It prints a line
//! for each attack. Arguments select attacks by a part of their name.

use crate::postgres::Server;
use crate::process::{Outcome, cargo, run, say};
use crate::workspace::Workspace;

pub fn start(workspace: &Workspace, words: &[String]) -> Outcome {
    let postgres = Server::provide(workspace)?;
    say("attacking the server");
    let mut command = cargo(workspace);
    run(postgres.tell(command.args(["test", "--features", "ssr", "--test", "attack", "--"])).args(words))
}
