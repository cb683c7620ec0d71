//! Backup and restore of an SQLite installation: the database, the attached files and the generated keys, in
//! one tar file.
//!
//! The file begins with [`MANIFEST`] and ends with [`SUMS`], the SHA-256 of all entries between. So a restore detects
//! a truncated or damaged file before it replaces anything. The command line calls this module. A backup runs beside
//! a server, a restore requires a stopped one.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufReader, BufWriter, Read, Write},
    iter,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::task::spawn_blocking;
use uuid::Uuid;

use super::{LinkKey, PushKey, attachments};
use crate::{
    domain::AttachmentId,
    storage::{
        StoreError, now, private,
        sqlite::{self, Replacement},
    },
};

const MANIFEST: &str = "bespoken-backup.json";
const DATABASE: &str = "bespoken.db";
/// The generated secrets, by their names in the data directory.
const KEYS: [&str; 2] = [LinkKey::FILE, PushKey::FILE];
const ATTACHMENTS: &str = "attachments/";
const SUMS: &str = "SHA256SUMS";
/// The version of this format.
const FORMAT: u32 = 1;
/// Size limit of the manifest in bytes.
const MOST_MANIFEST: u64 = 4_096;
/// Size limit of the sums in bytes: a line has about 120, so the limit permits some two million files.
const MOST_SUMS: u64 = 256 * 1024 * 1024;

#[derive(Serialize, Deserialize)]
struct Manifest {
    format: u32,
    /// The version of the program that created the backup.
    program: String,
    made_at: String,
}

/// The content of a backup.
#[derive(Debug)]
pub struct Contents {
    /// Number of attached files.
    pub files: usize,
    /// Number of attached files that were already missing when the backup was created.
    pub missing: usize,
}

/// The reason why a backup or restore failed; it changed nothing then.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    #[error("{0} exists already")]
    Exists(PathBuf),
    #[error("cannot {what} {path}: {source}")]
    Io { what: &'static str, path: PathBuf, source: io::Error },
    #[error("{path} is not a sound backup: {why}")]
    NotABackup { path: PathBuf, why: String },
    #[error("{0}")]
    Store(#[from] StoreError),
}

type Result<T> = std::result::Result<T, BackupError>;

pub(super) fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> BackupError {
    let path = path.to_owned();
    move |source| BackupError::Io { what, path, source }
}

/// Removes the files with these paths on drop.
struct Scratch(Vec<PathBuf>);

impl Drop for Scratch {
    fn drop(&mut self) {
        for path in &self.0 {
            if path.is_dir() {
                fs::remove_dir_all(path).ok();
            } else {
                fs::remove_file(path).ok();
            }
        }
    }
}

/// Creates a folder that only its owner can access.
fn private_folder(path: &Path) -> Result<()> {
    private::folder(path).map_err(failed("make the folder", path))
}

/// Creates a file that only its owner can read.
pub(super) fn private_file(path: &Path) -> Result<File> {
    private::file(path).map_err(failed("make", path))
}

fn sync_folder(path: &Path) -> Result<()> {
    // Systems that cannot open folders need no sync of them.
    match File::open(path) {
        Ok(folder) => folder.sync_all().map_err(failed("sync", path)),
        Err(_) => Ok(()),
    }
}

/// Forwards reads, and hashes the bytes.
struct Hashing<R> {
    inner: R,
    hash: Sha256,
}

impl<R> Hashing<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::new() }
    }

    fn hex(self) -> String {
        self.hash.finalize().iter().fold(String::with_capacity(64), |text, byte| text + &format!("{byte:02x}"))
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hash.update(&buffer[..count]);
        Ok(count)
    }
}

/// Writes a backup to `file`, which must not exist. A server may run meanwhile: the backup contains everything that
/// it acknowledged before the call.
///
/// # Errors
/// See [`BackupError`]; then there is no `file`.
pub async fn backup(database_url: &str, data_dir: &Path, file: &Path) -> Result<Contents> {
    if file.exists() {
        return Err(BackupError::Exists(file.to_owned()));
    }
    // Beside the file, so that completing it is a rename.
    let folder = match file.parent() {
        Some(parent) if parent != Path::new("") => parent.to_owned(),
        _ => PathBuf::from("."),
    };
    let scratch = folder.join(format!(".bespoken-backup-{}", Uuid::now_v7()));
    private_folder(&scratch)?;
    let _scratch = Scratch(vec![scratch.clone()]);

    // Locked from the copy until the last read: files that the copy refers to must not be removed.
    let lock = attachments::removal_lock(data_dir).map_err(failed("open the lock in", data_dir))?;
    let lock = spawn_blocking(move || lock.lock_shared().map(|()| lock)).await.map_err(io::Error::from);
    let _stay = lock.and_then(|lock| lock).map_err(failed("lock the files in", data_dir))?;

    let database = scratch.join(DATABASE);
    let named = sqlite::copy(database_url, &database).await?;
    let archive = scratch.join("backup.tar");
    let (data_dir, written) = (data_dir.to_owned(), archive.clone());
    let contents = spawn_blocking(move || write_archive(&written, &database, &data_dir, &named))
        .await
        .map_err(io::Error::from)
        .map_err(failed("write", &archive))??;
    fs::rename(&archive, file).map_err(failed("make", file))?;
    sync_folder(&folder)?;
    Ok(contents)
}

fn write_archive(archive: &Path, database: &Path, data_dir: &Path, named: &[AttachmentId]) -> Result<Contents> {
    let failed = |source| failed("write", archive)(source);
    let mut tar = tar::Builder::new(BufWriter::new(private_file(archive)?));
    let mut sums = String::new();
    let manifest =
        Manifest { format: FORMAT, program: env!("CARGO_PKG_VERSION").to_owned(), made_at: now().to_string() };
    let manifest = serde_json::to_vec(&manifest).map_err(io::Error::from).map_err(failed)?;
    append(&mut tar, MANIFEST, manifest.len() as u64, &*manifest, &mut sums).map_err(failed)?;

    let mut missing = 0;
    let keys = KEYS.map(|name| (name.to_owned(), data_dir.join(name)));
    let files =
        named.iter().map(|id| (format!("{ATTACHMENTS}{id}"), attachments::folder(data_dir).join(id.to_string())));
    let database = (DATABASE.to_owned(), database.to_owned());
    for (name, path) in [database].into_iter().chain(keys).chain(files) {
        let opened = File::open(&path).and_then(|file| Ok((file.metadata()?.len(), file)));
        match opened {
            Ok((bytes, file)) => append(&mut tar, &name, bytes, BufReader::new(file), &mut sums).map_err(failed)?,
            Err(error) if error.kind() == io::ErrorKind::NotFound && KEYS.contains(&&*name) => {
                let folder = data_dir.display();
                tracing::warn!("no {name} in {folder}: no server has run yet, or it uses another data directory");
            }
            // A backup without one file is better than no backup.
            Err(error) if error.kind() == io::ErrorKind::NotFound && name.starts_with(ATTACHMENTS) => {
                tracing::warn!(file = %path.display(), "an attached file is missing");
                missing += 1;
            }
            Err(error) => return Err(failed(error)),
        }
    }
    let all = sums.clone();
    append(&mut tar, SUMS, all.len() as u64, all.as_bytes(), &mut sums).map_err(failed)?;
    let mut file = tar.into_inner().map_err(failed)?;
    file.flush().map_err(failed)?;
    file.get_ref().sync_all().map_err(failed)?;
    Ok(Contents { files: named.len() - missing, missing })
}

/// Appends an entry and records its checksum.
pub(super) fn append(
    tar: &mut tar::Builder<impl Write>,
    name: &str,
    bytes: u64,
    content: impl Read,
    sums: &mut String,
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes);
    header.set_mode(0o600);
    header.set_mtime(u64::try_from(now().0 / 1_000).unwrap_or_default());
    let mut content = Hashing::new(content);
    tar.append_data(&mut header, name, &mut content)?;
    sums.push_str(&format!("{}  {name}\n", content.hex()));
    Ok(())
}

/// Replaces the database and the files of this installation with those in `file`. The previous ones remain beside
/// them, under names with the returned ending. The database gets a new epoch.
///
/// # Errors
/// See [`BackupError`]; then nothing has changed. Only if the disk fails at the very end, the database requires
/// another restore, and reports that.
pub async fn restore(database_url: &str, data_dir: &Path, file: &Path) -> Result<(Contents, String)> {
    let replacement = Replacement::begin(database_url)?;
    private::folder(data_dir).map_err(failed("make", data_dir))?;
    let files = Place::new(&attachments::folder(data_dir));
    let keys = KEYS.map(|name| Place::new(&data_dir.join(name)));
    let staged = keys.each_ref().map(|key| key.staged.clone());
    let mut scratch = Scratch(vec![files.staged.clone(), replacement.incoming()]);
    scratch.0.extend(staged.clone());
    if files.staged.exists() {
        fs::remove_dir_all(&files.staged).map_err(failed("remove", &files.staged))?;
    }
    for key in &staged {
        fs::remove_file(key).ok();
    }
    private_folder(&files.staged)?;

    let targets = (file.to_owned(), replacement.incoming(), files.staged.clone(), staged);
    let unpacked = spawn_blocking(move || unpack(&targets.0, &targets.1, &targets.2, &targets.3))
        .await
        .map_err(io::Error::from)
        .map_err(failed("read", file))??;
    let not_sound = |error| match error {
        StoreError::Unfit(why) => BackupError::NotABackup { path: file.to_owned(), why },
        other => other.into(),
    };
    let named = replacement.check().await.map_err(not_sound)?;
    let missing = named.iter().filter(|id| !unpacked.contains(id)).count();

    // The checked files are complete and on disk; from here on they are only renamed.
    let aside = format!(".before-{}", now().to_string().replace(':', "-"));
    replacement.commit()?;
    scratch.0.clear();
    for place in [files].into_iter().chain(keys) {
        place.take(&aside)?;
    }
    sync_folder(data_dir)?;
    replacement.finish(&aside)?;
    Ok((Contents { files: unpacked.len(), missing }, aside))
}

/// A file or folder, and its replacement.
struct Place {
    live: PathBuf,
    staged: PathBuf,
}

impl Place {
    fn new(live: &Path) -> Self {
        Self { live: live.to_owned(), staged: with_ending(live, ".restoring") }
    }

    fn take(self, aside: &str) -> Result<()> {
        if !self.staged.exists() {
            return Ok(());
        }
        if self.live.exists() {
            fs::rename(&self.live, with_ending(&self.live, aside)).map_err(failed("keep", &self.live))?;
        }
        fs::rename(&self.staged, &self.live).map_err(failed("put in place", &self.staged))
    }
}

fn with_ending(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Unpacks `file`, verifies its checksums, and returns the ids of the attached files.
fn unpack(file: &Path, database: &Path, folder: &Path, keys: &[PathBuf; 2]) -> Result<HashSet<AttachmentId>> {
    let not_a_backup = |why: &str| BackupError::NotABackup { path: file.to_owned(), why: why.to_owned() };
    // Errors of the archive are not those of the disk.
    let damaged = |error: io::Error| not_a_backup(&error.to_string());
    let opened = File::open(file).map_err(failed("open", file))?;
    let mut tar = tar::Archive::new(BufReader::new(opened));
    let (mut found, mut files) = (BTreeMap::new(), HashSet::new());
    let mut is_known = false;
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.to_str().unwrap_or_default().to_owned();
        if !entry.header().entry_type().is_file() {
            return Err(not_a_backup("it holds more than files"));
        }
        if !is_known && name != MANIFEST {
            return Err(not_a_backup("it was not made by `bespoken backup`"));
        }
        let mut content = Hashing::new(entry);
        let target = match name.as_str() {
            MANIFEST => {
                let mut text = String::new();
                (&mut content).take(MOST_MANIFEST).read_to_string(&mut text).map_err(damaged)?;
                let manifest: Manifest =
                    serde_json::from_str(&text).map_err(|error| not_a_backup(&error.to_string()))?;
                if manifest.format > FORMAT {
                    return Err(not_a_backup("it was made by a newer version of this program"));
                }
                is_known = true;
                None
            }
            SUMS => {
                let mut sums = String::new();
                content.take(MOST_SUMS).read_to_string(&mut sums).map_err(damaged)?;
                let sums: BTreeMap<_, _> =
                    sums.lines().filter_map(|line| line.split_once("  ")).map(|(sum, name)| (name, sum)).collect();
                let found: BTreeMap<_, _> =
                    found.iter().map(|(name, sum): (&String, &String)| (&**name, &**sum)).collect();
                if sums != found || !found.contains_key(DATABASE) {
                    return Err(not_a_backup("it does not hold what it says"));
                }
                return Ok(files);
            }
            DATABASE => Some(database.to_owned()),
            other => match iter::zip(KEYS, keys).find(|(name, _)| *name == other) {
                Some((_, key)) => Some(key.clone()),
                None => {
                    let id = other.strip_prefix(ATTACHMENTS).and_then(|id| id.parse::<AttachmentId>().ok());
                    let id = id.ok_or_else(|| not_a_backup("it holds a file that is none of this program's"))?;
                    files.insert(id);
                    Some(folder.join(id.to_string()))
                }
            },
        };
        if let Some(target) = target {
            let mut written = private_file(&target)?;
            copy(&mut content, &mut written, damaged, &target)?;
            written.sync_all().map_err(failed("sync", &target))?;
        }
        if found.insert(name, content.hex()).is_some() {
            return Err(not_a_backup("it holds a file twice"));
        }
    }
    Err(not_a_backup("its end is missing"))
}

/// Copies `from` to `to`. Read errors mean a damaged backup, write errors a full or broken disk.
fn copy(from: &mut impl Read, to: &mut File, damaged: impl Fn(io::Error) -> BackupError, target: &Path) -> Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(count) => to.write_all(&buffer[..count]).map_err(failed("write", target))?,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(damaged(error)),
        }
    }
}
