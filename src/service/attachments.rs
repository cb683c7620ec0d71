//! Files that people put into chats. What is in them lies in the data directory, each under its id;
//! the database knows the rest, and who may have it.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::Weak,
    time::Duration,
};

use tokio::io::AsyncWriteExt;

use super::{Service, problem};
use crate::{
    domain::{Actor, Attachment, AttachmentId, Code, ConversationId, Problem, Timestamp},
    storage::{now, private},
};

/// Most characters of a file's name; what is longer loses its middle.
const MAX_NAME_CHARS: usize = 120;
const MAX_MEDIA_TYPE_CHARS: usize = 100;
/// How long a file may wait for its message.
const UNSENT_MS: i64 = 86_400_000;
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// When to try again if a backup needs all files to stay.
const SWEEP_AGAIN: Duration = Duration::from_secs(60);
/// Files removed between two writes to the database.
const SWEEP_BATCH: i64 = 500;

/// The folder with the files, in the data directory.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("attachments")
}

/// Locked by whoever removes files, and shared by those who need them all to stay: backups.
pub(super) fn removal_lock(data_dir: &Path) -> io::Result<File> {
    private::folder(data_dir)?;
    private::lock(&data_dir.join("attachments.lock"))
}

impl Service {
    fn file(&self, id: AttachmentId) -> PathBuf {
        folder(&self.settings.data_dir).join(id.to_string())
    }

    /// Puts a file into a conversation, to be sent with a message.
    ///
    /// # Errors
    /// `too_large`, `closed`, `not_found`, `rate_limited`, `unavailable`.
    pub async fn add_attachment(
        &self,
        actor: &Actor,
        conversation: ConversationId,
        name: &str,
        media_type: &str,
        bytes: &[u8],
    ) -> Result<Attachment, Problem> {
        self.count_send(actor)?;
        // Asked first: nobody fills the disk of a chat that is not theirs.
        let seen = self.conversation(actor, conversation).await?;
        if !seen.is_open() {
            return Err(Problem::closed());
        }
        if bytes.len() > self.settings.limits.attachment_bytes {
            return Err(self.attachment_too_large());
        }
        let file = Attachment {
            id: AttachmentId::new(),
            name: file_name(name),
            media_type: media_type_of(media_type),
            size_bytes: bytes.len() as i64,
        };
        let path = self.file(file.id);
        let written = async {
            if let Some(folder) = path.parent() {
                private::folder(folder)?;
            }
            let mut on_disk = tokio::fs::File::from_std(private::file(&path)?);
            on_disk.write_all(bytes).await?;
            on_disk.sync_all().await
        };
        if let Err(error) = written.await {
            tracing::error!(%error, "could not store an attachment");
            tokio::fs::remove_file(&path).await.ok();
            return Err(Problem::unavailable());
        }
        if let Err(error) = self.store.add_attachment(actor, conversation, file.clone()).await {
            tokio::fs::remove_file(&path).await.ok();
            return Err(problem(error));
        }
        Ok(file)
    }

    #[must_use]
    pub fn attachment_too_large(&self) -> Problem {
        let most = match self.settings.limits.attachment_bytes {
            bytes if bytes >= 1_048_576 => format!("{} MiB", bytes / 1_048_576),
            bytes => format!("{bytes} bytes"),
        };
        Problem::new(Code::TooLarge, format!("A file can have {most}."))
    }

    /// A file, open for reading.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn attachment(&self, actor: &Actor, id: AttachmentId) -> Result<(Attachment, tokio::fs::File), Problem> {
        let file = self.store.find_attachment(actor, id).await.map_err(problem)?;
        let on_disk = tokio::fs::File::open(self.file(id)).await.map_err(|error| {
            tracing::error!(%error, attachment = %id, "an attachment is missing in the data directory");
            Problem::not_found()
        })?;
        Ok((file, on_disk))
    }
}

/// The last part of a path, of whatever system, without control characters and not too long.
fn file_name(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: Vec<char> = name.chars().filter(|c| !c.is_control()).collect();
    let name = match name.len() {
        0..=MAX_NAME_CHARS => name.into_iter().collect::<String>(),
        long => {
            let (begin, end) = (&name[..MAX_NAME_CHARS / 2], &name[long - MAX_NAME_CHARS / 2 + 1..]);
            begin.iter().chain(['…'].iter()).chain(end).collect()
        }
    };
    match name.trim() {
        "" => "file".to_owned(),
        name => name.to_owned(),
    }
}

/// `type/subtype` without parameters; anything else is no particular type.
fn media_type_of(text: &str) -> String {
    let word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric() || b"+-._".contains(&b));
    let text = text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let fits = text.split_once('/').is_some_and(|(kind, rest)| word(kind) && word(rest));
    if fits && text.len() <= MAX_MEDIA_TYPE_CHARS { text } else { "application/octet-stream".to_owned() }
}

impl Service {
    /// Removes discarded files from the disk. `false`: a backup needs them, and they are still there.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn remove_discarded_files(&self) -> Result<bool, Problem> {
        let lock = removal_lock(&self.settings.data_dir).map_err(|error| {
            tracing::error!(%error, "could not open the lock of the attachments");
            Problem::unavailable()
        })?;
        if lock.try_lock().is_err() {
            return Ok(false);
        }
        loop {
            let discarded = self.store.list_discarded_attachments(SWEEP_BATCH).await.map_err(problem)?;
            let mut removed = Vec::with_capacity(discarded.len());
            for id in discarded {
                match tokio::fs::remove_file(self.file(id)).await {
                    Err(error) if error.kind() != io::ErrorKind::NotFound => {
                        tracing::warn!(%error, attachment = %id, "could not remove a discarded attachment");
                    }
                    _ => removed.push(id),
                }
            }
            if removed.is_empty() {
                return Ok(true);
            }
            // Only now: a crash in between leaves a name without a file, and never a file without a name.
            self.store.forget_discarded_attachments(&removed).await.map_err(problem)?;
        }
    }
}

/// Clears away, every hour, files that were never sent and those of deleted messages. Ends with the
/// service.
pub(super) async fn sweep(service: Weak<Service>) {
    loop {
        let Some(service) = service.upgrade() else { return };
        if let Err(error) = service.store.discard_unsent_attachments(Timestamp(now().0 - UNSENT_MS)).await {
            tracing::warn!(%error, "could not look for files that were never sent");
        }
        // A failure is logged there, and the next round tries again.
        let is_done = service.remove_discarded_files().await.unwrap_or(true);
        drop(service);
        tokio::time::sleep(if is_done { SWEEP_EVERY } else { SWEEP_AGAIN }).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files() {
        for (given, kept) in [
            ("plan.pdf", "plan.pdf"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\a\\drawing 1.png", "drawing 1.png"),
            ("a\r\nb.txt", "ab.txt"),
            ("", "file"),
            ("folder/", "file"),
        ] {
            assert_eq!(file_name(given), kept);
        }
        let long = file_name(&("a".repeat(300) + ".jpeg"));
        assert!(long.chars().count() <= MAX_NAME_CHARS && long.ends_with(".jpeg"), "{long}");
    }

    #[test]
    fn media_types() {
        for (given, kept) in [
            ("image/PNG", "image/png"),
            ("text/plain; charset=utf-8", "text/plain"),
            ("image/svg+xml", "image/svg+xml"),
            ("", "application/octet-stream"),
            ("text/html\r\nX-Evil: 1", "application/octet-stream"),
            ("nonsense", "application/octet-stream"),
        ] {
            assert_eq!(media_type_of(given), kept);
        }
    }
}
