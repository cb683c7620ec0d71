//! Where things are: the checkout, cargo's target folder, and the assets in between.

use std::env;
use std::path::{Path, PathBuf};

use crate::process::{Failure, Outcome};

pub struct Workspace {
    /// The checkout, which holds the workspace's Cargo.toml.
    pub root: PathBuf,
    /// Cargo's target folder, wherever the user's configuration puts it.
    pub target: PathBuf,
}

impl Workspace {
    /// # Errors
    ///
    /// When the program was not started by cargo, which is what tells it where the checkout is.
    pub fn find() -> Outcome<Self> {
        let manifest = env::var_os("CARGO_MANIFEST_DIR").map(PathBuf::from);
        let root = manifest.as_deref().and_then(Path::parent);
        // This program lies in <target>/<profile>/, which holds for every way to set the folder.
        let program = env::current_exe().ok();
        let target = program.as_deref().and_then(|path| path.ancestors().nth(2));
        match (root, target) {
            (Some(root), Some(target)) => Ok(Self { root: root.to_owned(), target: target.to_owned() }),
            _ => Err(Failure::new("start this as `cargo xtask`")),
        }
    }

    /// The assets that the server embeds. Its path is fixed in the server's source, so it does
    /// not follow cargo's target folder.
    pub fn site(&self) -> PathBuf {
        self.root.join("target/site")
    }

    pub fn end2end(&self) -> PathBuf {
        self.root.join("end2end")
    }

    /// `path` as a person in the checkout would type it.
    pub fn shown<'a>(&self, path: &'a Path) -> std::path::Display<'a> {
        path.strip_prefix(&self.root).unwrap_or(path).display()
    }
}
