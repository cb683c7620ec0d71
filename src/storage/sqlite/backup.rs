//! Copying a database that is in use, and putting a copy in the place of a database that is not.
//!
//! A process that uses a database holds a shared lock on the file `….lock` beside it. A process that replaces it holds
//! that lock exclusively. The one server of a database holds an exclusive lock on `….serving`. The system lets go of
//! them when a process dies, so no lock is ever left behind.

use std::{
    fs::{self, File, TryLockError},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use sqlx::{ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::{cannot_open, first_connection, migrate, options, writer};
use crate::{
    domain::{AttachmentId, Epoch},
    storage::{Result, StoreError, private},
};

const LOCK: &str = ".lock";
const SERVING: &str = ".serving";

/// How long a server waits for another that may be about to end: what supervisors usually give it for that.
const GONE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The path of a file beside the database.
fn beside(database: &Path, ending: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn unfit(doing: &str, path: &Path) -> impl Fn(io::Error) -> StoreError {
    let what = format!("cannot {doing} {}", path.display());
    move |error| StoreError::Unfit(format!("{what}: {error}"))
}

fn lock_file(database: &Path, ending: &str) -> Result<File> {
    let path = beside(database, ending);
    let opened = private::lock(&path);
    opened.map_err(unfit("open the lock", &path))
}

/// Held by all who use a database.
pub(super) struct InUse {
    _lock: File,
}

impl InUse {
    /// # Errors
    /// [`StoreError::Unfit`] while a backup is restored into this database, and after that was interrupted.
    pub(super) fn begin(database: &Path) -> Result<Self> {
        let lock = lock_file(database, LOCK)?;
        lock.try_lock_shared().map_err(|error| match error {
            TryLockError::WouldBlock => {
                StoreError::Unfit(format!("a backup is just being restored into {}", database.display()))
            }
            TryLockError::Error(error) => unfit("lock", database)(error),
        })?;
        if beside(database, RESTORING).exists() {
            let sentence = "restoring a backup into it was interrupted; run `bespoken restore` again";
            return Err(StoreError::Unfit(format!("{} is not whole: {sentence}", database.display())));
        }
        Ok(Self { _lock: lock })
    }
}

/// Held by the one server of a database: its people would not receive another server's changes.
pub(super) struct Served {
    _lock: File,
}

impl Served {
    /// Waits for a server that is about to end.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] if another continues to serve the database.
    pub(super) async fn begin(database: &Path) -> Result<Self> {
        let lock = lock_file(database, SERVING)?;
        let began = Instant::now();
        let mut waits = false;
        loop {
            match lock.try_lock() {
                Ok(()) => return Ok(Self { _lock: lock }),
                Err(TryLockError::Error(error)) => return Err(unfit("lock", database)(error)),
                Err(TryLockError::WouldBlock) if began.elapsed() >= GONE_WITHIN => {
                    let sentence = "another server serves it, and only one can";
                    return Err(StoreError::Unfit(format!("{}: {sentence}", database.display())));
                }
                Err(TryLockError::WouldBlock) => {
                    if !std::mem::replace(&mut waits, true) {
                        tracing::info!("another server still has the database: waiting until it ends");
                    }
                    sleep(LOOK_EVERY).await;
                }
            }
        }
    }
}

/// Writes the database as it is at this moment into a new file `to`, and syncs it. Others read and write
/// meanwhile. Returns the files that its messages name.
///
/// # Errors
/// [`StoreError::Unfit`] if there is no such database.
pub async fn copy(url: &str, to: &Path) -> Result<Vec<AttachmentId>> {
    let options = options(url)?.create_if_missing(false);
    if !options.get_filename().exists() {
        return Err(StoreError::Unfit(format!("there is no database {}", options.get_filename().display())));
    }
    let _in_use = InUse::begin(options.get_filename())?;
    let name = to.to_str().ok_or_else(|| StoreError::Unfit(format!("{} is not UTF-8", to.display())))?;
    let mut conn = options.connect().await.map_err(|error| cannot_open(&options, &error))?;
    sqlx::query("vacuum into ?1").bind(name).execute(&mut conn).await?;
    conn.close().await?;
    // SQLite leaves that to the caller.
    File::open(to).and_then(|file| file.sync_all()).map_err(unfit("sync", to))?;

    let mut conn = SqliteConnectOptions::new().filename(to).connect().await?;
    let attachments = attachments(&mut conn).await?;
    conn.close().await?;
    Ok(attachments)
}

async fn attachments(conn: &mut SqliteConnection) -> Result<Vec<AttachmentId>> {
    let ids: Vec<Uuid> =
        sqlx::query_scalar("select id from attachments union all select id from request_files order by id")
            .fetch_all(conn)
            .await?;
    Ok(ids.into_iter().map(AttachmentId).collect())
}

/// A database that was checked and is about to take the place of another. While it has this name, nobody opens
/// the other.
const RESTORING: &str = ".restoring";
/// A database that is yet to be checked.
const INCOMING: &str = ".incoming";

/// A database that nobody else can use until this is dropped.
pub struct Replacement {
    database: PathBuf,
    _lock: File,
}

impl Replacement {
    /// # Errors
    /// [`StoreError::Unfit`] while somebody uses the database.
    pub fn begin(url: &str) -> Result<Self> {
        let options = options(url)?;
        let database = options.get_filename().to_owned();
        if let Some(folder) = database.parent() {
            private::folder(folder).map_err(unfit("make the folder", folder))?;
        }
        let lock = lock_file(&database, LOCK)?;
        lock.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => {
                StoreError::Unfit(format!("{} is in use: stop the server first", database.display()))
            }
            TryLockError::Error(error) => unfit("lock", &database)(error),
        })?;
        let replacement = Self { database, _lock: lock };
        replacement.discard();
        Ok(replacement)
    }

    /// Where to put what is to take its place.
    #[must_use]
    pub fn incoming(&self) -> PathBuf {
        beside(&self.database, INCOMING)
    }

    /// Checks what was put at [`Self::incoming`], brings it up to date, and begins a new history in it.
    /// Returns the files that its messages name.
    ///
    /// # Errors
    /// [`StoreError::Unfit`] with a sentence if it is not sound, or was made by a newer program.
    pub async fn check(&self) -> Result<Vec<AttachmentId>> {
        let incoming = self.incoming();
        let file = SqliteConnectOptions::new().filename(&incoming).foreign_keys(true);
        let mut conn = file.clone().read_only(true).connect().await.map_err(|error| unsound(&error))?;
        let complaints: Vec<String> =
            sqlx::query_scalar("pragma integrity_check(1)").fetch_all(&mut conn).await.map_err(|e| unsound(&e))?;
        if complaints != ["ok"] {
            return Err(StoreError::Unfit(format!("its database is not sound: {}", complaints.join("; "))));
        }
        let dangling = sqlx::query("pragma foreign_key_check").fetch_all(&mut conn).await?;
        let is_ours: bool = sqlx::query_scalar(
            "select count(*) = 3 from sqlite_schema where name in ('meta', 'messages', '_sqlx_migrations')",
        )
        .fetch_one(&mut conn)
        .await?;
        conn.close().await?;
        if !dangling.is_empty() || !is_ours {
            return Err(StoreError::Unfit("its database is none of this program's".to_owned()));
        }

        let url = format!("sqlite://{}", incoming.display());
        let mut conn = first_connection(&options(&url)?).await?;
        migrate(&mut conn).await?;
        sqlx::query("update meta set epoch = ?1").bind(Epoch::new().0).execute(&mut conn).await?;
        let attachments = attachments(&mut conn).await?;
        writer::checkpoint_and_close(conn).await;
        File::open(&incoming).and_then(|file| file.sync_all()).map_err(unfit("sync", &incoming))?;
        Ok(attachments)
    }

    /// From here on the database counts as not whole, also after a crash, until [`Self::finish`]. What
    /// belongs to it is put in place in between.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn commit(&self) -> Result<()> {
        let restoring = beside(&self.database, RESTORING);
        fs::rename(self.incoming(), &restoring).map_err(unfit("make", &restoring))
    }

    /// Keeps the database under its name with `aside` at its end, and puts the new one in its place.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn finish(self, aside: &str) -> Result<()> {
        // The log first: without its log the old database must not be found under its own name.
        for ending in ["-wal", ""] {
            let live = beside(&self.database, ending);
            let kept = beside(&beside(&self.database, aside), ending);
            if live.exists() {
                fs::rename(&live, &kept).map_err(unfit("keep", &live))?;
            }
        }
        // Only an index of the log, which is made anew.
        fs::remove_file(beside(&self.database, "-shm")).ok();
        let restoring = beside(&self.database, RESTORING);
        fs::rename(&restoring, &self.database).map_err(unfit("put in place", &restoring))?;
        if let Some(folder) = self.database.parent().and_then(|folder| File::open(folder).ok()) {
            folder.sync_all().map_err(unfit("sync the folder of", &self.database))?;
        }
        Ok(())
    }

    /// Removes what was put at [`Self::incoming`].
    pub fn discard(&self) {
        for ending in ["", "-wal", "-shm"] {
            fs::remove_file(beside(&self.incoming(), ending)).ok();
        }
    }
}

fn unsound(error: &sqlx::Error) -> StoreError {
    StoreError::Unfit(format!("its database is not sound: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_database_has_one_server_at_a_time() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("chat.db");
        let first = Served::begin(&database).await.unwrap();
        let refusal = Served::begin(&database).await.err().expect("the first still serves it");
        assert!(refusal.to_string().contains("another server"), "{refusal}");

        let waiting = tokio::spawn({
            let database = database.clone();
            async move { Served::begin(&database).await.is_ok() }
        });
        sleep(GONE_WITHIN / 2).await;
        assert!(!waiting.is_finished());
        drop(first);
        assert!(waiting.await.unwrap(), "the second has waited for it");
    }
}
