//! Paths: the checkout, cargo's target folder, and the assets in between.

use std::env;
use std::path::{Path, PathBuf};

use crate::process::{Failure, Outcome};

pub struct Workspace {
    /// The checkout, with the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder, from the user's configuration.
    pub target: PathBuf,
}

impl Workspace {
    /// # Errors
    ///
    /// If the program was not started by cargo, which sets the checkout's path.
    pub fn find() -> Outcome<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest.as_deref().and_then(Path::parent);
        // This program is in <target>/<profile>/, regardless of how the folder was configured.
        let program = env::current_exe().ok();
        let target = program.as_deref().and_then(|path| path.ancestors().nth(2));
        match (root, target) {
            (Some(root), Some(target)) => Ok(Self { root: root.to_owned(), target: target.to_owned() }),
            _ => Err(Failure::new("start this as `cargo xtask`")),
        }
    }

    /// The assets that the server embeds. The server's source contains this path, so it does not depend on cargo's
    /// target folder.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// `path` relative to the checkout, if it is inside.
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
