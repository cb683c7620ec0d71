//! The browser's half: compiles the library to WASM, splits off the lazy parts, and binds the rest with the library
//! behind the wasm-bindgen program. Cargo.lock pins that library to wasm-bindgen's version.
//!
//! Bound files are cached in target/client/PROFILE, so that an unchanged client is not bound again, and development
//! and release do not conflict.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::UNIX_EPOCH;

use wasm_bindgen_cli_support::Bindgen;

use crate::process::{Context, Failure, Outcome, cargo};
use crate::workspace::Workspace;
use crate::{setup, wasm};

/// The base name of the browser's files: `bespoken.js`, `bespoken_bg.wasm`, `bespoken.css`.
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

/// Loads the parts that were split off. cargo-leptos uses the same name.
pub const SPLIT: &str = "__wasm_split.______________________.js";
/// Which parts each lazy function needs. cargo-leptos uses the same name.
const MANIFEST: &str = "__wasm_split_manifest.json";
/// Parts are fetched with retries, like the rest: see `src/ui/boot.js`.
const FETCH: &str = "const fetch = globalThis.fetchPart ?? globalThis.fetch;\n";

/// The beginning of the names of three classes that wasm-streams exports. Leptos depends on that crate, and nothing
/// here streams, but exported code stays in the client.
const UNUSED: &str = "intounderlying";
/// Lazy functions that are combined into one part, because pages need them together: the part's name, and the
/// functions' names before `_loader_123456`. Separate parts would share much code in some forty files, which compress
/// worse: an admin's first visit would load 23 KB more.
const TOGETHER: [(&str, &[&str]); 2] = [
    ("desk", &["desk", "made_link"]),
    ("requests", &["chat_beside", "customer_lists", "request_side", "request_table"]),
];

/// The treatment of the functions' names.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Names {
    Kept,
    Dropped,
}

/// The cargo command that compiles the client.
pub fn compilation(workspace: &Workspace, profile: Profile) -> Command {
    compilation_with(workspace, profile, "hydrate")
}

/// The same with another client feature.
pub fn compilation_with(workspace: &Workspace, profile: Profile, feature: &str) -> Command {
    let mut command = cargo(workspace);
    // As the only crate type: beside an rlib, cargo would silently skip link-time optimisation.
    command.args(["rustc", "--lib", "--crate-type", "cdylib", "--target", setup::WASM_TARGET]);
    command.args(["--no-default-features", "--features", feature]);
    command.args(["--profile", profile.name()]);
    // The splitter uses relocations to find the parts.
    command.args(["--", "-Clink-args=--emit-relocs"]);
    command
}

/// The path of rustc's output.
pub fn compiled(workspace: &Workspace, profile: Profile) -> PathBuf {
    workspace.target.join(setup::WASM_TARGET).join(profile.name()).join(NAME).with_extension("wasm")
}

/// Converts the compiled client to the browser's files, and returns their folder.
///
/// # Errors
///
/// If the client was not compiled, or cannot be split or bound.
pub fn bind(workspace: &Workspace, profile: Profile) -> Outcome<PathBuf> {
    let compiled = compiled(workspace, profile);
    let folder = workspace.target.join("client").join(profile.name());
    let stamp = folder.join("stamp");
    let state = state(&compiled)?;
    let bound = folder.join("pkg");
    if fs::read_to_string(&stamp).is_ok_and(|written| written == state) {
        return Ok(bound);
    }
    if folder.exists() {
        fs::remove_dir_all(&folder).context("clearing the bound client")?;
    }
    let names = if profile == Profile::Release { Names::Dropped } else { Names::Kept };
    bind_into(&bound, &compiled, names)?;
    fs::write(stamp, state)?;
    Ok(bound)
}

/// The same into `folder`, beside its existing files.
///
/// # Errors
///
/// As for [`bind`].
pub fn bind_into(folder: &Path, compiled: &Path, names: Names) -> Outcome {
    fs::create_dir_all(folder)?;
    let mut whole = fs::read(compiled).context("the compiled client")?;
    whole = wasm::without_class(&whole, UNUSED)?;
    let joined = wasm::join_parts(&mut whole, &TOGETHER)?;
    let main = folder.join("main.wasm");

    let mut options = wasm_split_cli_support::Options::new(&whole);
    let (main_module, link_name) = (format!("./{NAME}.js"), format!("./{SPLIT}"));
    options.output_dir = folder;
    options.main_out_path = &main;
    options.main_module = &main_module;
    options.link_name = &link_name;
    let split = wasm_split_cli_support::transform(options)
        .map_err(|error| Failure::new(format!("splitting the client: {error:#}")))?;

    let script = folder.join(SPLIT);
    if split.split_modules.is_empty() {
        fs::remove_file(script)?;
    } else {
        let mut text = format!("{FETCH}{}", fs::read_to_string(&script)?);
        let mut manifest: BTreeMap<_, _> = split.prefetch_map.into_iter().collect();
        for (function, part) in joined {
            // The client imports each function by its own name.
            text.push_str(&format!("export const __wasm_split_load_{function} = __wasm_split_load_{part};\n"));
            if let Some(files) = manifest.get(part).cloned() {
                manifest.insert(function, files);
            }
        }
        fs::write(script, text)?;
        fs::write(folder.join(MANIFEST), serde_json::to_vec(&manifest).context("the parts of the client")?)?;
    }
    if names == Names::Dropped {
        for part in &split.split_modules {
            fs::write(part, wasm::without_names(&fs::read(part)?)?)?;
        }
    }

    Bindgen::new()
        .input_path(&main)
        .out_name(NAME)
        .web(true)
        .and_then(|bindgen| {
            bindgen
                .typescript(false)
                // The parts use these exports.
                .keep_lld_exports(!split.split_modules.is_empty())
                .remove_name_section(names == Names::Dropped)
                .remove_producers_section(true)
                .generate(folder)
        })
        .context("binding the client")?;
    fs::remove_file(main)?;
    if names == Names::Dropped {
        let (script, module) = (folder.join(format!("{NAME}.js")), folder.join(format!("{NAME}_bg.wasm")));
        let (short, renamed) = wasm::with_short_imports(&fs::read(&module)?)?;
        fs::write(&script, shortened(&fs::read_to_string(&script)?, &renamed))?;
        fs::write(module, short)?;
    }
    Ok(())
}

/// A script with other names, without indentation and comments on lines of their own.
fn shortened(script: &str, renamed: &HashMap<String, String>) -> String {
    let lines = script.lines().map(str::trim).filter(|line| {
        let is_comment = ["//", "/**", "*"].iter().any(|begin| line.starts_with(begin));
        !line.is_empty() && !is_comment
    });
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut short = String::new();
    for line in lines {
        // Identifiers, each with the character after it.
        for part in line.split_inclusive(|c| !is_part(c)) {
            let word = part.trim_end_matches(|c| !is_part(c));
            short.push_str(renamed.get(word).map_or(word, String::as_str));
            short.push_str(&part[word.len()..]);
        }
        short.push('\n');
    }
    short
}

/// Identifies a compilation by the time and size of its output.
fn state(compiled: &Path) -> Outcome<String> {
    let data = fs::metadata(compiled).context("the compiled client")?;
    let written = data.modified()?.duration_since(UNIX_EPOCH).context("the client's age")?;
    Ok(format!("{} bytes, written {}", data.len(), written.as_nanos()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_lose_comments_and_long_names() {
        let script =
            "/**\n * @param {number} a\n */\nfunction f(a) {\n    // why\n    return { g_1: a * 2, g_12: `g_1` };\n}\n";
        let renamed = HashMap::from([("g_1".to_owned(), "a".to_owned())]);
        assert_eq!(shortened(script, &renamed), "function f(a) {\nreturn { a: a * 2, g_12: `a` };\n}\n");
    }
}
