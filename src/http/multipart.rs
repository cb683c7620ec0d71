//! Forms with files (RFC 7578), read part by part as they arrive.
//!
//! A form of any size needs some 30 KiB of memory. The body is read in small pieces, and the head of a part and the
//! whole form have limits. Reading begins when the caller requests a part. A form that is not read to its end is read
//! for a while and discarded. Most clients read no response before they have sent the whole body.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, BodyDataStream, Bytes},
    extract::{FromRequest, Request},
    http::header,
};
use futures_util::{Stream, StreamExt};
use tokio::{sync::Semaphore, time::timeout};

use crate::{
    domain::{Code, Problem},
    locales::{self, t},
};

/// Bytes read from the body at once.
const PIECE: usize = 16 * 1024;
/// Limit for the bytes before and in the head of a part.
const MOST_HEAD: usize = 8 * 1024;
const MOST_PARTS: usize = 64;
/// Bytes that are read and discarded after the response.
pub(super) const MOST_DROPPED: usize = 32 * 1024 * 1024;
/// Time limit for discarding.
const DROPPED_WITHIN: Duration = Duration::from_secs(10);
/// Bodies that are discarded concurrently; further ones lose their connection.
static DROPPING: Semaphore = Semaphore::const_new(64);

/// A form of which nothing has been read.
pub(super) struct Form {
    boundary: Option<String>,
    length: Option<u64>,
    source: Arc<Source>,
}

/// The source of the bytes, dropped with its reader.
struct Source {
    /// `None` at its end.
    body: Mutex<Option<BodyDataStream>>,
    /// How many bytes may be read until the next part begins.
    may_read: AtomicUsize,
}

/// Why a form cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
enum Refusal {
    #[error("the form is too large")]
    TooLarge,
    #[error("the head of a part is too large")]
    LongHead,
    #[error("the body ended early")]
    Broken,
}

impl From<multer::Error> for Problem {
    fn from(error: multer::Error) -> Self {
        let refusal = match error {
            multer::Error::StreamReadFailed(error) => error.downcast::<Refusal>().map_or(Refusal::Broken, |why| *why),
            _ => Refusal::Broken,
        };
        match refusal {
            Refusal::TooLarge => Self::new(Code::TooLarge, t!(locales::current(), problem::TOO_MUCH)),
            Refusal::LongHead => Self::new(Code::TooLarge, t!(locales::current(), api::PART_HEAD)),
            Refusal::Broken => misunderstood(),
        }
    }
}

pub(super) fn misunderstood() -> Problem {
    Problem::invalid("file", t!(locales::current(), api::MULTIPART))
}

impl<S: Send + Sync> FromRequest<S> for Form {
    type Rejection = std::convert::Infallible;

    async fn from_request(request: Request, _state: &S) -> Result<Self, Self::Rejection> {
        let text = |name| request.headers().get(name).and_then(|value| value.to_str().ok());
        let boundary = text(header::CONTENT_TYPE).and_then(|kind| multer::parse_boundary(kind).ok());
        let length = text(header::CONTENT_LENGTH).and_then(|length| length.parse().ok());
        Ok(Self { boundary, length, source: Source::new(request.into_body()) })
    }
}

impl Form {
    /// Begins to read the form, which may have at most `most` bytes.
    ///
    /// # Errors
    /// `too_large` for a larger declared length; `invalid` for a malformed form.
    pub(super) fn read(self, most: usize) -> Result<Parts, Problem> {
        let boundary = self.boundary.ok_or_else(misunderstood)?;
        if self.length.is_some_and(|length| length > most as u64) {
            return Err(multer::Error::StreamReadFailed(Refusal::TooLarge.into()).into());
        }
        let pieces = Pieces { source: self.source.clone(), piece: Bytes::new(), pauses: false, left: most };
        Ok(Parts { form: multer::Multipart::new(pieces, boundary), source: self.source, count: 0 })
    }
}

/// The parts of a form, in order.
pub(super) struct Parts {
    form: multer::Multipart<'static>,
    source: Arc<Source>,
    count: usize,
}

impl Parts {
    /// The next part, after the one before was read to its end.
    ///
    /// # Errors
    /// `too_large`, or `invalid` for a malformed form.
    pub(super) async fn next(&mut self) -> Result<Option<Part>, Problem> {
        self.source.may_read.store(MOST_HEAD, Ordering::Relaxed);
        let part = self.form.next_field().await?;
        self.source.may_read.store(usize::MAX, Ordering::Relaxed);
        self.count += 1;
        if self.count > MOST_PARTS {
            return Err(misunderstood());
        }
        Ok(part.map(Part))
    }
}

pub(super) struct Part(multer::Field<'static>);

impl Part {
    pub(super) fn name(&self) -> &str {
        self.0.name().unwrap_or_default()
    }

    /// Empty if the part is not a file, or no file was chosen.
    pub(super) fn file_name(&self) -> &str {
        self.0.file_name().unwrap_or_default()
    }

    /// The next bytes of the content; `None` at its end.
    ///
    /// # Errors
    /// `too_large`, or `invalid` for a malformed form.
    pub(super) async fn chunk(&mut self) -> Result<Option<Bytes>, Problem> {
        loop {
            match self.0.chunk().await? {
                Some(chunk) if chunk.is_empty() => {}
                chunk => return Ok(chunk),
            }
        }
    }

    /// Reads the part to its end. `None` if it has more than `most` bytes.
    ///
    /// # Errors
    /// `too_large`, or `invalid` for a malformed form.
    pub(super) async fn bytes(mut self, most: usize) -> Result<Option<Vec<u8>>, Problem> {
        let (mut bytes, mut size) = (Vec::new(), 0);
        while let Some(chunk) = self.chunk().await? {
            size += chunk.len();
            if size <= most {
                bytes.extend_from_slice(&chunk);
            }
        }
        Ok((size <= most).then_some(bytes))
    }

    /// Reads the part to its end and discards it.
    ///
    /// # Errors
    /// `too_large`, or `invalid` for a malformed form.
    pub(super) async fn skip(mut self) -> Result<(), Problem> {
        while self.chunk().await?.is_some() {}
        Ok(())
    }
}

/// Yields the body in pieces, one per poll: `multer` polls until nothing is ready, and buffers it all.
struct Pieces {
    source: Arc<Source>,
    /// Bytes that were read and not yet yielded.
    piece: Bytes,
    pauses: bool,
    left: usize,
}

impl Stream for Pieces {
    type Item = Result<Bytes, Refusal>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if std::mem::take(&mut self.pauses) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        while self.piece.is_empty() {
            match std::task::ready!(self.source.poll_next(cx)) {
                Some(Ok(piece)) => self.piece = piece,
                Some(Err(_)) => return Poll::Ready(Some(Err(Refusal::Broken))),
                None => return Poll::Ready(None),
            }
        }
        let may_read = self.source.may_read.load(Ordering::Relaxed);
        let length = self.piece.len().min(PIECE).min(may_read);
        if length == 0 {
            return Poll::Ready(Some(Err(Refusal::LongHead)));
        }
        if length > self.left {
            return Poll::Ready(Some(Err(Refusal::TooLarge)));
        }
        self.left -= length;
        if may_read != usize::MAX {
            self.source.may_read.store(may_read - length, Ordering::Relaxed);
        }
        self.pauses = true;
        Poll::Ready(Some(Ok(self.piece.split_to(length))))
    }
}

impl Source {
    fn new(body: Body) -> Arc<Self> {
        let body = Mutex::new(Some(body.into_data_stream()));
        Arc::new(Self { body, may_read: AtomicUsize::new(0) })
    }

    fn poll_next(&self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, axum::Error>>> {
        let mut body = self.body.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(stream) = &mut *body else { return Poll::Ready(None) };
        let next = stream.poll_next_unpin(cx);
        if let Poll::Ready(None | Some(Err(_))) = next {
            *body = None;
        }
        next
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        let body = self.body.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        let (Some(mut body), Ok(runtime)) = (body, tokio::runtime::Handle::try_current()) else { return };
        let Ok(permit) = DROPPING.try_acquire() else { return };
        runtime.spawn(async move {
            let read_on = async {
                let mut left = MOST_DROPPED;
                while let Some(Ok(chunk)) = body.next().await {
                    left = left.saturating_sub(chunk.len());
                    if left == 0 {
                        break;
                    }
                }
            };
            timeout(DROPPED_WITHIN, read_on).await.ok();
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A form that arrives in pieces of `size` bytes, and the number of pieces that were read.
    fn form(bytes: Vec<u8>, size: usize) -> (Form, Arc<AtomicUsize>) {
        let taken = Arc::new(AtomicUsize::new(0));
        let counted = taken.clone();
        let chunks: Vec<_> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
        let stream = futures_util::stream::iter(chunks).map(move |chunk| {
            counted.fetch_add(chunk.len(), Ordering::Relaxed);
            Ok::<_, std::io::Error>(chunk)
        });
        let source = Source::new(Body::from_stream(stream));
        (Form { boundary: Some("b".into()), length: None, source }, taken)
    }

    fn part(head: &str, content: &[u8]) -> Vec<u8> {
        [format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n").as_bytes(), content, b"\r\n--b--\r\n"]
            .concat()
    }

    async fn first(form: Form, most: usize) -> Result<Vec<u8>, Problem> {
        let mut parts = form.read(most)?;
        let part = parts.next().await?.expect("a part");
        let bytes = part.bytes(usize::MAX).await?.unwrap();
        assert!(parts.next().await?.is_none());
        Ok(bytes)
    }

    #[tokio::test]
    async fn a_file_arrives_whole_however_it_is_cut() {
        let content: Vec<u8> = (0..=255).cycle().take(50_000).collect();
        for size in [1, 7, 1_000, 100_000] {
            let (form, _) = form(part("name=\"file\"; filename=\"a\"", &content), size);
            assert_eq!(first(form, 60_000).await.unwrap(), content);
        }
    }

    #[tokio::test]
    async fn a_head_of_20_mb_is_refused_early() {
        let head = format!("name=\"file\"; filename=\"{}\"", "a".repeat(20_000_000));
        for bytes in [part(&head, b"a"), vec![b' '; 20_000_000]] {
            let (form, taken) = form(bytes, 4_096);
            let mut parts = form.read(100_000_000).unwrap();
            assert_eq!(parts.next().await.err().unwrap().code, Code::TooLarge);
            assert!(taken.load(Ordering::Relaxed) <= MOST_HEAD + 4_096, "{taken:?}");
        }
    }

    #[tokio::test]
    async fn a_form_holds_one_piece_at_a_time() {
        // The whole body is ready at once.
        let (form, taken) = form(part("name=\"file\"", &vec![7; 1_000_000]), 1_000);
        let mut parts = form.read(2_000_000).unwrap();
        let mut part = parts.next().await.unwrap().unwrap();
        let mut read = 0;
        while let Some(chunk) = part.chunk().await.unwrap() {
            read += chunk.len();
            let held = taken.load(Ordering::Relaxed) - read;
            assert!(chunk.len() <= 2 * PIECE && held <= MOST_HEAD + PIECE, "{} and {held}", chunk.len());
        }
        assert_eq!(read, 1_000_000);
    }

    #[tokio::test]
    async fn a_form_is_too_large_by_its_declared_and_by_its_actual_length() {
        let (mut says, taken) = form(part("name=\"file\"", &vec![7; 100_000]), 1_000);
        says.length = Some(50_001);
        assert_eq!(says.read(50_000).err().unwrap().code, Code::TooLarge);
        assert_eq!(taken.load(Ordering::Relaxed), 0, "nothing was read");
        let (form, _) = form(part("name=\"file\"", &vec![7; 100_000]), 1_000);
        assert_eq!(first(form, 50_000).await.unwrap_err().code, Code::TooLarge);
    }

    #[tokio::test]
    async fn endless_parts_are_refused() {
        let (form, _) = form(b"--b\r\nContent-Disposition: form-data; name=\"x\"\r\n\r\n\r\n".repeat(1_000), 1_000);
        let mut parts = form.read(1_000_000).unwrap();
        let refused = loop {
            match parts.next().await {
                Ok(part) => part.unwrap().skip().await.unwrap(),
                Err(problem) => break problem,
            }
        };
        assert_eq!((refused.code, parts.count), (Code::Invalid, MOST_PARTS + 1));
    }
}
