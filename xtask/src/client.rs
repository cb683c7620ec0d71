//! The browser's half: compiles the library to WASM, and binds it with the library behind the
//! wasm-bindgen program, which Cargo.lock keeps at wasm-bindgen's own version.
//!
//! Bound files wait in target/client/PROFILE, so that a client that did not change is neither
//! bound nor optimised again, and development and release do not disturb each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use wasm_bindgen_cli_support::Bindgen;

use crate::process::{Context, Outcome, cargo, run, say};
use crate::setup;
use crate::workspace::Workspace;

/// Of the files that the browser loads: `bespoken.js`, `bespoken_bg.wasm`, `bespoken.css`.
pub const NAME: &str = "bespoken";

#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    Dev,
    Release,
}

impl Profile {
    fn name(self) -> &'static str {
        match self {
            Self::Dev => "wasm-dev",
            Self::Release => "wasm-release",
        }
    }
}

/// The cargo call that compiles the client.
pub fn compilation(workspace: &Workspace, profile: Profile) -> Command {
    let mut command = cargo(workspace);
    command.args(["build", "--lib", "--target", setup::WASM_TARGET]);
    command.args(["--no-default-features", "--features", "hydrate"]);
    command.args(["--profile", profile.name()]);
    command
}

/// Turns the compiled client into what a browser loads, and returns the folder with it.
///
/// # Errors
///
/// When the client was not compiled, or wasm-bindgen refuses it.
pub fn bind(workspace: &Workspace, profile: Profile) -> Outcome<PathBuf> {
    let compiled = workspace.target.join(setup::WASM_TARGET).join(profile.name()).join(NAME).with_extension("wasm");
    let folder = workspace.target.join("client").join(profile.name());
    let optimiser = match profile {
        Profile::Dev => None,
        Profile::Release => setup::wasm_opt(workspace),
    };

    let stamp = folder.join("stamp");
    let state = state(&compiled, optimiser.is_some())?;
    if fs::read_to_string(&stamp).is_ok_and(|written| written == state) {
        return Ok(folder.join("pkg"));
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("clearing the bound client")?;
    }

    let bound = folder.join("pkg");
    Bindgen::new()
        .input_path(&compiled)
        .out_name(NAME)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(false)
                .remove_name_section(profile == Profile::Release)
                .remove_producers_section(true)
                .generate(&bound)
        })
        .context("binding the client")?;
    if let Some(optimiser) = optimiser {
        say("shrinking the client with wasm-opt");
        shrink(optimiser, &bound.join(format!("{NAME}_bg.wasm")))?;
    }
    fs::write(stamp, state)?;
    Ok(bound)
}

/// What tells one compilation from the next: a client that is compiled anew is written anew.
fn state(compiled: &Path, optimised: bool) -> Outcome<String> {
    let data = fs::metadata(compiled).context("the compiled client")?;
    let written = data.modified()?.duration_since(UNIX_EPOCH).context("the client's age")?;
    Ok(format!("{} bytes, written {}, optimised {optimised}", data.len(), written.as_nanos()))
}

fn shrink(mut optimiser: Command, wasm: &Path) -> Outcome {
    run(optimiser
        .arg("-Oz")
        .args(["--enable-bulk-memory", "--enable-nontrapping-float-to-int"])
        .args(["--enable-sign-ext", "--enable-mutable-globals"])
        .args(["--enable-reference-types", "--enable-multivalue"])
        .arg(wasm)
        .arg("-o")
        .arg(wasm))
}
