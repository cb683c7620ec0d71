//! `cargo xtask build`: the release. It builds the client for size, compresses its files, and builds the server with
//! both inside.

use std::fs;
use std::path::Path;

use crate::process::{Context, Outcome, cargo, run, say};
use crate::workspace::Workspace;
use crate::{client, sbom, server, setup, site};

pub fn start(workspace: &Workspace, _: &[String]) -> Outcome {
    client(workspace)?;

    say("building the server (optimised; the first time takes some minutes)");
    run(&mut server::compilation(workspace, server::Profile::Release))?;

    let bill = sbom::write(workspace)?;
    println!("{}", workspace.shown(&bill));
    report(workspace)
}

/// Builds the release's client into target/site, with compressed files beside the originals.
///
/// # Errors
///
/// If a tool is missing, or compilation fails.
pub fn client(workspace: &Workspace) -> Outcome {
    setup::wasm_target()?;
    say("building the client (optimised for size; the first time takes some minutes)");
    run(&mut client::compilation(workspace, client::Profile::Release))?;
    let bound = client::bind(workspace, client::Profile::Release)?;
    site::assemble(workspace, &bound, site::Compressed::Kept)?;

    say("compressing the assets");
    let assets = site::compressible(workspace)?;
    run(cargo(workspace).args(["run", "--quiet", "--release", "--package", "precompress", "--"]).args(&assets))?;
    site::list(workspace)
}

fn report(workspace: &Workspace) -> Outcome {
    let program = server::program(workspace, server::Profile::Release);
    let megabytes = size(&program)? as f64 / 1e6;
    println!("{}  {megabytes:.1} MB", workspace.shown(&program));
    Ok(())
}

fn size(path: &Path) -> Outcome<u64> {
    Ok(fs::metadata(path).context(path.display())?.len())
}
