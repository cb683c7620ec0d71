//! Files and folders that only their owner can read, regardless of the umask.

use std::{
    fs::{DirBuilder, File, OpenOptions},
    io,
    path::Path,
};

/// Makes a folder and those above it, if they are not there.
///
/// # Errors
/// If the disk fails, or something else has the name.
pub fn folder(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// A new file, to be written and read.
///
/// # Errors
/// If the disk fails, or something has the name.
pub fn file(path: &Path) -> io::Result<File> {
    options().read(true).create_new(true).open(path)
}

/// A file of which only the lock counts; made if it is not there.
///
/// # Errors
/// If the disk fails.
pub fn lock(path: &Path) -> io::Result<File> {
    options().create(true).truncate(false).open(path)
}

fn options() -> OpenOptions {
    let mut options = File::options();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
