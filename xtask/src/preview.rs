//! `cargo xtask preview`: the client alone, for a page that the browser renders itself. Trunk calls it (see
//! Trunk.toml), and passes the target folder in TRUNK_STAGING_DIR.

use std::env;
use std::path::PathBuf;

use crate::client::{self, Names, Profile};
use crate::process::{Outcome, run};
use crate::setup;
use crate::workspace::Workspace;

pub fn start(workspace: &Workspace, _: &[String]) -> Outcome {
    setup::wasm_target()?;
    run(&mut client::compilation_with(workspace, Profile::Dev, "csr"))?;
    let folder = env::var_os("TRUNK_STAGING_DIR").map_or_else(|| workspace.target.join("preview"), PathBuf::from);
    client::bind_into(&folder, &client::compiled(workspace, Profile::Dev), Names::Kept)
}
