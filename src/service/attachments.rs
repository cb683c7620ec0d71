//! Attachments: files of chats and of custom requests. The data directory contains their content, under their ids. The database contains
//! their metadata and controls access.

use std::{
    fs::{self, File},
    io::{self, Read, Seek, Write},
    path::{Path, PathBuf},
    sync::{Arc, Weak},
    time::{Duration, Instant, SystemTime},
};

use sha2::{Digest as _, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::{Mutex, Notify, Semaphore},
    task::spawn_blocking,
};

use super::{
    Network, Service,
    pictures::{self, HEAD_BYTES, Picture},
    problem,
    uploads::Turn,
};
use crate::{
    domain::{
        self, Actor, Attachment, AttachmentId, Code, ConversationId, ParticipantId, Problem, RequestId, Timestamp,
    },
    live::Person,
    locales::{self, t},
    storage::{Digest, FileBytes, Quota, StoreError, now, private},
};

/// Maximum length of a file's name; longer ones lose their middle.
const MAX_NAME_CHARS: usize = 120;
/// Time limit for sending an uploaded file.
const UNSENT_MS: i64 = 86_400_000;
/// Period over which a person's uploads count.
const COUNTED_MS: i64 = 86_400_000;
/// Factor by which an admin's quota exceeds that of others.
const ADMIN_TIMES: u64 = 10;
const SWEEP_EVERY: Duration = Duration::from_secs(3_600);
/// Retry delay while a backup needs all files.
const SWEEP_AGAIN: Duration = Duration::from_secs(60);
/// Delay after the deletion of a message before its files are removed, together with others.
const SWEEP_SOON: Duration = Duration::from_secs(5);
/// Files that are removed per write to the database.
const SWEEP_BATCH: i64 = 500;
/// Extension of an incomplete file.
pub(super) const UNFINISHED: &str = "part";
/// An incomplete file that was not written for this long belongs to a stopped server.
const ABANDONED: Duration = Duration::from_secs(3_600);
/// Bytes of a file per read.
const PIECE_BYTES: usize = 64 * 1024;
/// Number of pictures in memory at once.
const PICTURES_AT_ONCE: usize = 2;
/// Interval for counting the size of all files.
const ADD_UP_EVERY: Duration = Duration::from_secs(60);

/// The service's state for files.
pub(super) struct Files {
    /// Notified when files may have been discarded.
    pub(super) discarded: Arc<Notify>,
    pub(super) pictures: Arc<Semaphore>,
    /// The size of all files, and the time of counting. Counted only if there is a limit.
    all_bytes: Mutex<Option<(Instant, u64)>>,
}

impl Default for Files {
    fn default() -> Self {
        Self {
            discarded: Arc::default(),
            pictures: Arc::new(Semaphore::new(PICTURES_AT_ONCE)),
            all_bytes: Mutex::default(),
        }
    }
}

/// The folder with the files, in the data directory.
pub(super) fn folder(data_dir: &Path) -> PathBuf {
    data_dir.join("attachments")
}

/// The folder with the previews, in the data directory. A backup does not need it.
fn previews_folder(data_dir: &Path) -> PathBuf {
    data_dir.join("previews")
}

/// Locked exclusively for removing files, and shared by backups, which need all files.
pub(super) fn removal_lock(data_dir: &Path) -> io::Result<File> {
    private::folder(data_dir)?;
    private::lock(&data_dir.join("attachments.lock"))
}

fn no_disk(error: &io::Error) -> Problem {
    tracing::error!(%error, "could not store an attachment");
    Problem::unavailable()
}

fn is_full() -> Problem {
    Problem::new(Code::TooLarge, t!(locales::current(), problem::DISK_FULL))
}

/// What files are uploaded to.
#[derive(Clone, Copy, Debug)]
enum Destination {
    Conversation(ConversationId),
    Request(RequestId),
}

/// A person's upload to a conversation or a request. It counts as concurrent until it is dropped.
pub struct Upload<'a> {
    service: &'a Service,
    actor: &'a Actor,
    to: Destination,
    /// Why no file can be added, if so.
    closed: Option<Problem>,
    _turn: Turn,
}

/// A file that is being written. Dropping it unfinished removes it.
pub struct NewFile<'a> {
    upload: &'a Upload<'a>,
    attachment: Attachment,
    unfinished: Unfinished,
    on_disk: tokio::fs::File,
    head: Vec<u8>,
    size: u64,
    /// Remaining size in bytes, and the error beyond it.
    room: u64,
    too_large: Problem,
}

/// Removes the file at this path on drop.
struct Unfinished(Option<PathBuf>);

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(path) = self.0.take() {
            fs::remove_file(path).ok();
        }
    }
}

impl Service {
    fn file(&self, id: AttachmentId) -> PathBuf {
        folder(&self.settings.data.data_dir).join(id.to_string())
    }

    /// Checks whether the actor may upload files to a conversation. Call it before reading their content.
    ///
    /// # Errors
    /// `invalid` if the conversation is sealed: files are not encrypted; `not_found`, `rate_limited`, `unavailable`.
    pub async fn begin_upload<'a>(
        &'a self,
        actor: &'a Actor,
        from: Network,
        conversation: ConversationId,
    ) -> Result<Upload<'a>, Problem> {
        let turn = self.uploads.begin(&self.settings.limits, Person::from(actor), from)?;
        // Only people of the chat may use disk space for it.
        let found = self.conversation(actor, conversation).await?;
        if found.sealed {
            return Err(Problem::invalid("file", t!(locales::current(), problem::SEALED_FILES)));
        }
        let mut is_open = found.is_open();
        if !is_open && self.may_reopen(actor) {
            self.store.reopen(actor, conversation).await.map_err(problem)?;
            is_open = true;
        }
        let closed = (!is_open).then(Problem::closed);
        Ok(Upload { service: self, actor, to: Destination::Conversation(conversation), closed, _turn: turn })
    }

    /// Checks whether the actor may add files to a request. Call it before reading their content.
    ///
    /// # Errors
    /// `not_found`, `rate_limited`, `unavailable`.
    pub async fn begin_request_upload<'a>(
        &'a self,
        actor: &'a Actor,
        from: Network,
        request: RequestId,
    ) -> Result<Upload<'a>, Problem> {
        let turn = self.uploads.begin(&self.settings.limits, Person::from(actor), from)?;
        let is_open = self.request(actor, request).await?.status.is_open();
        let closed = (!is_open).then(|| problem(StoreError::RequestEnded));
        Ok(Upload { service: self, actor, to: Destination::Request(request), closed, _turn: turn })
    }

    #[must_use]
    pub fn attachment_too_large(&self) -> Problem {
        let most = self.settings.limits.attachment_bytes;
        Problem::new(Code::TooLarge, t!(locales::current(), problem::file_too_large(most)))
    }

    fn quota(&self, actor: &Actor) -> Quota {
        let limits = &self.settings.limits;
        let times = if actor.is_admin() { ADMIN_TIMES } else { 1 };
        let by_person = limits.person_bytes.saturating_mul(times);
        Quota {
            most: FileBytes { by_person, in_conversation: limits.conversation_bytes },
            since: Timestamp(now().0 - COUNTED_MS),
        }
    }

    /// Maximum size of another file in bytes, and the error beyond it.
    async fn room(&self, actor: &Actor, to: Destination) -> Result<(u64, Problem), Problem> {
        let limits = &self.settings.limits;
        let quota = self.quota(actor);
        let counted = match to {
            Destination::Conversation(id) => self.store.file_bytes(actor, id, quota.since).await,
            Destination::Request(id) => self.store.request_file_bytes(actor, id, quota.since).await,
        };
        let counted = counted.map_err(problem)?;
        let (quota, used) = quota.room(counted);
        let of_all = match limits.stored_bytes {
            0 => u64::MAX,
            most => most.saturating_sub(self.all_file_bytes().await?),
        };
        // Assumes the maximum size for each concurrent upload.
        let underway = u64::from(self.uploads.count()).saturating_mul(limits.attachment_bytes as u64);
        let folder = folder(&self.settings.data.data_dir);
        let free = match limits.free_bytes {
            0 => u64::MAX,
            kept => free_bytes(&folder).map_err(|error| no_disk(&error))?.saturating_sub(kept.saturating_add(underway)),
        };
        let largest = limits.attachment_bytes as u64;
        let room = largest.min(quota).min(of_all).min(free);
        let too_large = if room == largest {
            self.attachment_too_large()
        } else if room == quota {
            problem(StoreError::QuotaUsed(used))
        } else {
            tracing::warn!(of_all, free, "the limit for the size of all files is reached, or the disk is full");
            is_full()
        };
        if room == 0 { Err(too_large) } else { Ok((room, too_large)) }
    }

    async fn all_file_bytes(&self) -> Result<u64, Problem> {
        let mut known = self.files.all_bytes.lock().await;
        if let Some((at, bytes)) = *known
            && at.elapsed() < ADD_UP_EVERY
        {
            return Ok(bytes);
        }
        let bytes = self.store.all_file_bytes().await.map_err(problem)?;
        *known = Some((Instant::now(), bytes));
        Ok(bytes)
    }

    pub(super) fn preview_file(&self, id: AttachmentId) -> PathBuf {
        previews_folder(&self.settings.data.data_dir).join(id.to_string())
    }

    /// A file, and its place on the disk. Its media type is verified against its first bytes, because an older version or
    /// another program may have stored a wrong one.
    ///
    /// # Errors
    /// `not_found`.
    pub async fn attachment(&self, actor: &Actor, id: AttachmentId) -> Result<(Attachment, PathBuf), Problem> {
        let mut file = self.store.find_attachment(actor, id).await.map_err(problem)?;
        let path = self.file(id);
        let head = head_of(&path).await.map_err(|error| {
            tracing::error!(%error, attachment = %id, "an attachment is missing in the data directory");
            Problem::not_found()
        })?;
        let seen = pictures::picture_type(&head).unwrap_or_else(|| pictures::other_type(&head));
        if seen != file.media_type {
            file.media_type = pictures::UNKNOWN.to_owned();
        }
        Ok((file, path))
    }
}

/// The first bytes of a file, which identify its type.
pub(super) async fn head_of(path: &Path) -> io::Result<Vec<u8>> {
    let mut head = Vec::with_capacity(HEAD_BYTES);
    tokio::fs::File::open(path).await?.take(HEAD_BYTES as u64).read_to_end(&mut head).await?;
    Ok(head)
}

impl Upload<'_> {
    /// Rejects a form that was rendered for another person; see [`Service::require_sender`].
    ///
    /// # Errors
    /// `forbidden`, `not_found`, `unavailable`.
    pub async fn require_sender(&self, sender: Option<ParticipantId>) -> Result<(), Problem> {
        match self.to {
            Destination::Conversation(id) => self.service.require_sender(self.actor, id, sender).await,
            Destination::Request(_) => Ok(()),
        }
    }

    /// Begins a file. It counts as a send.
    ///
    /// # Errors
    /// `closed`, or `conflict` for a request; `too_large`, `rate_limited`, `unavailable`.
    pub async fn file(&self, name: &str) -> Result<NewFile<'_>, Problem> {
        self.service.count_send(self.actor)?;
        if let Some(reason) = &self.closed {
            return Err(reason.clone());
        }
        let folder = folder(&self.service.settings.data.data_dir);
        private::folder(&folder).map_err(|error| no_disk(&error))?;
        let (room, too_large) = self.service.room(self.actor, self.to).await?;
        let id = AttachmentId::new();
        let path = folder.join(id.to_string()).with_extension(UNFINISHED);
        let on_disk = private::file(&path).map_err(|error| no_disk(&error))?;
        Ok(NewFile {
            upload: self,
            attachment: Attachment {
                id,
                name: file_name(name),
                media_type: pictures::UNKNOWN.to_owned(),
                size_bytes: 0,
                width: None,
                height: None,
            },
            unfinished: Unfinished(Some(path)),
            on_disk: tokio::fs::File::from_std(on_disk),
            head: Vec::new(),
            size: 0,
            room,
            too_large,
        })
    }
}

impl NewFile<'_> {
    /// # Errors
    /// `too_large` or `rate_limited` if a limit is exceeded, `unavailable`.
    pub async fn write(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        self.size += bytes.len() as u64;
        if self.size > self.room {
            return Err(self.too_large.clone());
        }
        let lacking = HEAD_BYTES.saturating_sub(self.head.len()).min(bytes.len());
        self.head.extend_from_slice(&bytes[..lacking]);
        self.on_disk.write_all(bytes).await.map_err(|error| no_disk(&error))
    }

    /// Completes the file. It is on disk when this returns, and can be sent.
    ///
    /// # Errors
    /// `invalid` if it is empty or one too many, `closed` or `conflict`, `not_found`, `too_large`, `rate_limited`,
    /// `unavailable`.
    pub async fn finish(self) -> Result<Attachment, Problem> {
        let Self { upload: Upload { service, actor, to, .. }, attachment, unfinished, mut on_disk, head, .. } = self;
        if self.size == 0 {
            return Err(Problem::invalid("file", t!(locales::current(), problem::FILE_EMPTY)));
        }
        let may_be_picture = pictures::picture_type(&head).is_some() && self.size <= pictures::MOST_BYTES;
        let in_memory = match may_be_picture {
            true => service.files.pictures.clone().acquire_owned().await.ok(),
            false => None,
        };
        on_disk.flush().await.map_err(|error| no_disk(&error))?;
        let on_disk = on_disk.into_std().await;
        let path = service.file(attachment.id);
        let stored = spawn_blocking(move || {
            // Held until the end, also if the caller cancels.
            let _in_memory = in_memory;
            store(attachment, &head, on_disk, may_be_picture, unfinished, &path)
        });
        let stored = stored.await.map_err(io::Error::from).and_then(|stored| stored);
        let (file, mut unfinished) = stored.map_err(|error| no_disk(&error))?;
        let quota = service.quota(actor);
        let digest = match to {
            Destination::Conversation(_) => Digest::default(),
            Destination::Request(_) => digest_of(&service.file(file.id)).await.map_err(|error| no_disk(&error))?,
        };
        // From here on the database may refer to the file.
        let path = unfinished.0.take();
        let added = match *to {
            Destination::Conversation(id) => service.store.add_attachment(actor, id, file.clone(), quota).await,
            Destination::Request(id) => {
                let added = service.store.add_request_file(actor, id, (file.clone(), digest), quota).await;
                match added {
                    // The same file was added before.
                    Ok(same) if same.id != file.id => {
                        drop(Unfinished(path));
                        return Ok(same);
                    }
                    added => added.map(drop),
                }
            }
        };
        if let Err(error) = added {
            drop(Unfinished(path));
            return Err(problem(error));
        }
        if let Destination::Request(id) = *to {
            service.request_changed(&service.request(actor, id).await?);
        }
        if let Some((_, bytes)) = &mut *service.files.all_bytes.lock().await {
            *bytes += file.size_bytes as u64;
        }
        Ok(file)
    }
}

/// The SHA-256 of a file.
pub(super) async fn digest_of(path: &Path) -> io::Result<Digest> {
    let mut on_disk = tokio::fs::File::open(path).await?;
    let mut piece = vec![0; PIECE_BYTES];
    let mut hash = Sha256::new();
    loop {
        match on_disk.read(&mut piece).await? {
            0 => return Ok(hash.finalize().into()),
            count => hash.update(&piece[..count]),
        }
    }
}

/// Determines a file's type, removes private data from a picture, and renames it to its final name.
fn store(
    mut file: Attachment,
    head: &[u8],
    mut on_disk: File,
    may_be_picture: bool,
    mut unfinished: Unfinished,
    path: &Path,
) -> io::Result<(Attachment, Unfinished)> {
    let mut bytes = Vec::new();
    if may_be_picture {
        on_disk.rewind()?;
        on_disk.read_to_end(&mut bytes)?;
    }
    match Picture::read(&bytes) {
        Some(picture) => {
            file.media_type = picture.media_type.to_owned();
            file.width = Some(picture.width.into());
            file.height = Some(picture.height.into());
            if !picture.is_whole(&bytes) {
                on_disk.rewind()?;
                on_disk.set_len(0)?;
                let mut buffered = io::BufWriter::new(&mut on_disk);
                picture.write(&bytes, &mut buffered)?;
                buffered.flush()?;
            }
        }
        // A file that begins like a picture but is invalid gets no other type.
        None if may_be_picture => {}
        None => file.media_type = pictures::other_type(head).to_owned(),
    }
    file.size_bytes = on_disk.metadata()?.len() as i64;
    on_disk.sync_all()?;
    if let Some(from) = &unfinished.0 {
        fs::rename(from, path)?;
    }
    unfinished.0 = Some(path.to_owned());
    // Systems that cannot open folders need no sync of them.
    if let Some(folder) = path.parent().and_then(|folder| File::open(folder).ok()) {
        folder.sync_all()?;
    }
    Ok((file, unfinished))
}

/// Bytes that this program can still write to the disk with this folder.
#[cfg(unix)]
fn free_bytes(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Unknown on this system: writing to a full disk fails instead.
#[cfg(not(unix))]
fn free_bytes(_folder: &Path) -> io::Result<u64> {
    Ok(u64::MAX)
}

/// The name of a file, shortened.
fn file_name(path: &str) -> String {
    let Some(name) = domain::file_name(path) else { return "file".to_owned() };
    let name: Vec<char> = name.chars().collect();
    match name.len() {
        0..=MAX_NAME_CHARS => name.into_iter().collect(),
        long => {
            let (begin, end) = (&name[..MAX_NAME_CHARS / 2], &name[long - MAX_NAME_CHARS / 2 + 1..]);
            begin.iter().chain(['…'].iter()).chain(end).collect()
        }
    }
}

impl Service {
    /// Removes discarded files from the disk. `false` if a running backup still needs them.
    ///
    /// # Errors
    /// `unavailable`.
    pub async fn remove_discarded_files(&self) -> Result<bool, Problem> {
        let lock = removal_lock(&self.settings.data.data_dir).map_err(|error| {
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
                match (remove(&self.preview_file(id)).await, remove(&self.file(id)).await) {
                    (Ok(()), Ok(())) => removed.push(id),
                    (Err(error), _) | (_, Err(error)) => {
                        tracing::warn!(%error, attachment = %id, "could not remove a discarded attachment");
                    }
                }
            }
            if removed.is_empty() {
                return Ok(true);
            }
            // After the removal: a crash in between leaves a row without a file, which the next round removes.
            self.store.forget_discarded_attachments(&removed).await.map_err(problem)?;
        }
    }
}

/// Removes a file, if it is there.
async fn remove(path: &Path) -> io::Result<()> {
    match tokio::fs::remove_file(path).await {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes unsent and incomplete files every hour, and files of deleted messages soon after the deletion. Ends with
/// the service.
pub(super) async fn sweep(service: Weak<Service>, discarded: Arc<Notify>) {
    let mut looked = None;
    loop {
        let Some(service) = service.upgrade() else { return };
        if looked.is_none_or(|at: Instant| at.elapsed() >= SWEEP_EVERY) {
            looked = Some(Instant::now());
            let data_dir = &service.settings.data.data_dir;
            let folders = [folder(data_dir), previews_folder(data_dir)];
            spawn_blocking(move || folders.iter().for_each(|folder| remove_abandoned(folder))).await.ok();
            if let Err(error) = service.store.discard_unsent_attachments(Timestamp(now().0 - UNSENT_MS)).await {
                tracing::warn!(%error, "could not discard unsent files");
            }
        }
        // The callee logs a failure, and the next round retries.
        let is_done = service.remove_discarded_files().await.unwrap_or(true);
        drop(service);
        tokio::select! {
            () = tokio::time::sleep(if is_done { SWEEP_EVERY } else { SWEEP_AGAIN }) => {}
            () = discarded.notified() => tokio::time::sleep(SWEEP_SOON).await,
        }
    }
}

/// Removes the incomplete files of a stopped server.
fn remove_abandoned(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == UNFINISHED)) {
        let written = fs::metadata(&path).and_then(|file| file.modified());
        // Another node may be writing to it.
        if written.is_ok_and(|at| SystemTime::now().duration_since(at).is_ok_and(|age| age >= ABANDONED)) {
            fs::remove_file(&path).ok();
        }
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
}
