//! `cargo xtask preview`: the client alone, for a page that the browser writes itself. Trunk calls it (see Trunk.toml),
//! and says in TRUNK_STAGING_DIR where the files go.

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
