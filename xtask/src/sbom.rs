//! The bill of materials beside the release: all crates of the server and its client, with version and licence, as
//! CycloneDX 1.6 (ECMA-424).

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use serde_json::json;

use crate::process::{Context, Failure, Outcome, cargo};
use crate::setup;
use crate::workspace::Workspace;

/// The separator of a line's fields, which occurs in no name or licence.
const BETWEEN: char = '|';

/// Writes the bill and returns its path.
pub fn write(workspace: &Workspace) -> Outcome<PathBuf> {
    let server = crates(workspace, &["--features", "ssr"])?;
    let client = crates(workspace, &["--features", "hydrate", "--target", setup::WASM_TARGET])?;
    let components: Vec<_> = server
        .union(&client)
        .map(|(name, version, licence)| {
            json!({
                "type": "library",
                "name": name,
                "version": version,
                "purl": format!("pkg:cargo/{name}@{version}"),
                "licenses": [{ "expression": licence.replace('/', " OR ") }],
            })
        })
        .collect();
    let bill = json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": { "component": { "type": "application", "name": "bespoken", "version": env!("CARGO_PKG_VERSION") } },
        "components": components,
    });
    let path = workspace.target.join("release/bespoken.cdx.json");
    fs::write(&path, format!("{bill:#}\n")).context(path.display())?;
    Ok(path)
}

/// Name, version and licence of all crates of a compilation, except the project's own.
fn crates(workspace: &Workspace, how: &[&str]) -> Outcome<BTreeSet<(String, String, String)>> {
    let format = format!("{{p}}{BETWEEN}{{l}}");
    let mut tree = cargo(workspace);
    tree.args([
        "tree",
        "--quiet",
        "--package",
        "bespoken",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        &format,
    ]);
    let listed = tree.args(how).output().context("cargo tree")?;
    if !listed.status.success() {
        return Err(Failure::new(String::from_utf8_lossy(&listed.stderr).into_owned()));
    }
    let lines = String::from_utf8_lossy(&listed.stdout).into_owned();
    let parsed = lines.lines().filter_map(|line| {
        let (package, licence) = line.split_once(BETWEEN)?;
        let mut words = package.split_whitespace();
        let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
        // Repeated crates have a mark after the licence.
        let licence = licence.trim_end_matches("(*)").trim();
        (name != "bespoken").then(|| (name.to_owned(), version.to_owned(), licence.to_owned()))
    });
    Ok(parsed.collect())
}
