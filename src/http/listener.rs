//! The server's TCP connections: small frames are sent at once, last responses arrive, and idle connections are
//! closed.
//!
//! The system resets a connection that is dropped while the peer still sends. The last response (a close code, "too
//! large") is then lost. So the server reads from a connection for a while before it closes it, as RFC 9112, section
//! 9.6, requires. It closes connections of slow or vanished peers; WebSockets have their own pings. Proxies provide
//! HTTP/2.

use std::{
    convert::Infallible,
    future::Future,
    io,
    net::SocketAddr,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, Bytes, HttpBody},
    extract::{ConnectInfo, Request},
};
use hyper::{
    body::{Frame, Incoming, SizeHint},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep, sleep_until, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt;

use super::{
    pace::Pace,
    slots::{Full, Slot, Slots, Stage},
};
use crate::settings::Deadlines;

/// How long a closing connection is read, and the longest pause within that time.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_SILENT: Duration = Duration::from_secs(2);
/// Bytes of a request's head, and of the buffer for reading and writing.
const MOST_HEAD_BYTES: usize = 16 * 1024;
const MOST_BUFFER_BYTES: usize = 64 * 1024;
/// Pause after the system ran out of file descriptors.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(50);

/// The TCP peer of a connection, which may be a proxy.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

/// Accepts and serves connections until `stop`; then finishes requests in progress.
pub(super) async fn serve(
    listener: TcpListener,
    routes: Router,
    slots: Arc<Slots>,
    deadlines: Deadlines,
    stop: impl Future<Output = ()>,
) {
    let mut http = http1::Builder::new();
    // Hyper's deadline for heads also runs between two requests; that of `Connection` does not.
    http.timer(TokioTimer::new()).header_read_timeout(None);
    http.max_header_size(MOST_HEAD_BYTES).max_buf_size(MOST_BUFFER_BYTES);
    let connections = TaskTracker::new();
    let stopping = CancellationToken::new();
    let mut stop = pin!(stop);
    loop {
        let (stream, peer) = tokio::select! {
            accepted = accept(&listener, &slots) => accepted,
            () = &mut stop => break,
        };
        match slots.take(peer.ip()) {
            Ok(slot) => {
                // Without it a frame waits until the peer has acknowledged the one before (Nagle). If setting it
                // fails, the connection is slower.
                stream.set_nodelay(true).ok();
                let connection = Connection::new(stream, slot, deadlines);
                connections.spawn(talk(http.clone(), connection, peer, routes.clone(), stopping.clone()));
            }
            Err(full) => turn_away(&stream, peer, full, &slots),
        }
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
}

async fn accept(listener: &TcpListener, slots: &Slots) -> (TcpStream, SocketAddr) {
    loop {
        match listener.accept().await {
            Ok(accepted) => return accepted,
            // The peer has disconnected already.
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::ConnectionAborted
                        | io::ErrorKind::ConnectionReset
                        | io::ErrorKind::ConnectionRefused
                ) => {}
            Err(error) => {
                if slots.may_say(Full::Files) {
                    tracing::warn!("cannot accept a connection, closing those without a request: {error}");
                }
                slots.make_room();
                sleep(ACCEPT_AGAIN_AFTER).await;
            }
        }
    }
}

/// Sends an error response to a rejected connection, if that needs no waiting.
fn turn_away(stream: &TcpStream, peer: SocketAddr, full: Full, slots: &Slots) {
    let (status, whose) = match full {
        Full::Network => ("429 Too Many Requests", "from its network"),
        Full::Server | Full::Files => ("503 Service Unavailable", "in all"),
    };
    if slots.may_say(full) {
        tracing::warn!("refused a connection from {}: there are too many {whose}", peer.ip());
    }
    let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\nRetry-After: 10\r\nContent-Length: 0\r\n\r\n");
    stream.try_write(answer.as_bytes()).ok();
}

/// Serves requests on a connection until it ends or becomes a WebSocket.
async fn talk(
    http: http1::Builder,
    connection: Connection,
    peer: SocketAddr,
    routes: Router,
    stopping: CancellationToken,
) {
    let slot = connection.slot.clone();
    let answer = service_fn(|request: Request<Incoming>| {
        slot.set(if request.body().is_end_stream() { Stage::Busy } else { Stage::Body });
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(Peer(peer)));
        request.extensions_mut().insert(slot.clone());
        let (routes, slot) = (routes.clone(), slot.clone());
        async move {
            let response = routes.oneshot(request).await?;
            Ok::<_, Infallible>(response.map(|body| Answer { body, slot }))
        }
    });
    let mut connection = pin!(http.serve_connection(TokioIo::new(connection), answer).with_upgrades());
    let mut is_stopping = false;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!("a connection ended: {error:#}");
                }
                return;
            }
            () = slot.told_to_end() => return,
            () = stopping.cancelled(), if !is_stopping => {
                is_stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// The body of a response. When it is dropped, the connection waits for the next request.
struct Answer {
    body: Body,
    slot: Arc<Slot>,
}

impl HttpBody for Answer {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(cx)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        self.slot.set(Stage::Idle);
    }
}

pub(super) struct Connection {
    /// Taken on drop only.
    stream: Option<TcpStream>,
    slot: Arc<Slot>,
    deadlines: Deadlines,
    /// The peer has finished sending, or the server waits for no more.
    has_ended: bool,
    /// Deadline for the head that the peer is sending.
    head_by: Instant,
    /// Time of the last read or write.
    moved_at: Instant,
    /// The peer's pace in reading the responses since its last request.
    reading: Pace,
    /// Deadline for the peer to read, while it does not.
    read_by: Option<Instant>,
    timer: Pin<Box<Sleep>>,
}

impl Connection {
    fn new(stream: TcpStream, slot: Arc<Slot>, deadlines: Deadlines) -> Self {
        let now = Instant::now();
        let head_by = now + deadlines.head;
        Self {
            stream: Some(stream),
            slot,
            deadlines,
            has_ended: false,
            head_by,
            moved_at: now,
            reading: Pace::default(),
            read_by: None,
            timer: Box::pin(sleep_until(head_by)),
        }
    }

    /// The stream and its slot. The caller reads it to its end as well ([`read_out`]), and then releases the slot.
    pub(super) fn into_stream(mut self) -> (TcpStream, Arc<Slot>) {
        self.slot.set(Stage::Busy);
        (self.stream.take().expect("taken on drop only"), self.slot.clone())
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("taken on drop only"))
    }

    /// Ready with an error once a deadline has passed.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        let head_by = (self.slot.stage() == Stage::Head).then_some(self.head_by);
        let silent = self.moved_at + self.deadlines.silent;
        let until = [head_by, self.read_by].into_iter().flatten().fold(silent, Instant::min);
        if self.timer.deadline() != until {
            self.timer.as_mut().reset(until);
        }
        ready!(self.timer.as_mut().poll(cx));
        self.give_up();
        Poll::Ready(io::ErrorKind::TimedOut.into())
    }

    /// Aborts the connection, so that the system also frees what it buffers for a peer that does not read.
    fn give_up(&mut self) {
        self.has_ended = true;
        if let Some(stream) = &self.stream {
            stream.set_zero_linger().ok();
        }
    }

    fn written(&mut self, cx: &mut Context<'_>, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        match written {
            Poll::Ready(written) => {
                self.moved_at = Instant::now();
                self.reading.moved(*written.as_ref().unwrap_or(&0));
                self.read_by = None;
                Poll::Ready(written)
            }
            Poll::Pending => {
                // The system accepts a response in large pieces, so a piece may wait long for space.
                self.read_by = Some(self.reading.wait(self.deadlines.silent, self.deadlines.bytes_per_second));
                self.poll_deadline(cx).map(Err)
            }
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.slot.was_told_to_end() {
            self.give_up();
        }
        if let (false, Some(mut stream), Ok(runtime)) =
            (self.has_ended, self.stream.take(), tokio::runtime::Handle::try_current())
        {
            let slot = self.slot.clone();
            slot.set(Stage::Body);
            runtime.spawn(async move {
                let end = async {
                    if stream.shutdown().await.is_ok() {
                        read_out(stream).await;
                    }
                };
                tokio::select! {
                    () = end => {}
                    () = slot.told_to_end() => {}
                }
            });
        }
    }
}

/// Reads and discards data from a peer after this side has finished sending.
pub(super) async fn read_out(mut peer: impl AsyncRead + Unpin) {
    let mut nowhere = vec![0; 16 * 1024];
    let reading = async { while let Ok(Ok(1..)) = timeout(LINGER_SILENT, peer.read(&mut nowhere)).await {} };
    timeout(LINGER, reading).await.ok();
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = (buf.filled().len(), buf.remaining());
        let Poll::Ready(read) = self.stream().poll_read(cx, buf) else { return self.poll_deadline(cx).map(Err) };
        self.moved_at = Instant::now();
        if self.slot.stage() == Stage::Idle {
            self.slot.set(Stage::Head);
            self.head_by = self.moved_at + self.deadlines.head;
            self.reading = Pace::default();
        }
        self.has_ended |= read.is_err() || (buf.filled().len() == before.0 && before.1 > 0);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write(cx, buf);
        self.written(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write_vectored(cx, bufs);
        self.written(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream().poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::{get, post};

    use super::*;
    use crate::settings::TrustedProxies;

    const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    /// More than the system buffers for a peer that does not read.
    const MUCH: usize = 64 * 1024 * 1024;

    /// Starts a server with `most` slots.
    async fn start(most: usize) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new()
            .route("/", get(|| async { "here" }))
            .route("/much", get(|| async { vec![b'.'; MUCH] }))
            .route("/never", get(std::future::pending::<()>))
            .route("/body", post(|body: String| async move { body.len().to_string() }));
        let slots = Slots::new(most, most, Arc::new(TrustedProxies::default()));
        tokio::spawn(serve(listener, routes, slots, Deadlines::DEFAULT, std::future::pending()));
        address
    }

    async fn ask(connection: &mut TcpStream) {
        let mut answer = [0; 1024];
        connection.write_all(ASK).await.unwrap();
        let read = connection.read(&mut answer).await.unwrap();
        assert!(answer[..read].ends_with(b"here"));
    }

    /// Reads to the end or a reset.
    async fn end_of(connection: &mut TcpStream) -> Vec<u8> {
        let mut all = Vec::new();
        connection.read_to_end(&mut all).await.ok();
        all
    }

    /// The paused clock advances whenever all tasks wait.
    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_nothing_moves_on_it() {
        let mut connection = TcpStream::connect(start(9).await).await.unwrap();
        for _ in 0..3 {
            ask(&mut connection).await;
            sleep(Deadlines::DEFAULT.silent * 2 / 3).await;
        }
        ask(&mut connection).await;
        let asked = Instant::now();
        assert!(end_of(&mut connection).await.is_empty());
        assert!(asked.elapsed() >= Deadlines::DEFAULT.silent);
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_comes_byte_by_byte_ends_its_connection() {
        for is_first in [true, false] {
            let mut connection = TcpStream::connect(start(9).await).await.unwrap();
            if !is_first {
                ask(&mut connection).await;
                sleep(Duration::from_secs(60)).await;
            }
            let began = Instant::now();
            for byte in ASK.iter().cycle() {
                // A reset fails the next write.
                if connection.write_all(&[*byte]).await.is_err() {
                    break;
                }
                sleep(Duration::from_secs(3)).await;
                assert!(began.elapsed() < Duration::from_secs(60), "it is still open");
            }
            assert!(end_of(&mut connection).await.is_empty());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_does_not_read_the_answer_loses_it() {
        let mut connection = TcpStream::connect(start(9).await).await.unwrap();
        let began = Instant::now();
        connection.write_all(b"GET /much HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
        // Until the system's buffers are full, and the deadline has passed.
        sleep(Duration::from_secs(1_000)).await;
        assert!(end_of(&mut connection).await.len() < MUCH);
        assert!(began.elapsed() >= Deadlines::DEFAULT.silent);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_connections_give_way_to_those_that_ask() {
        let address = start(4).await;
        let mut hostile = Vec::new();
        for _ in 0..50 {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(&ASK[..10]).await.ok();
            hostile.push(connection);
            ask(&mut TcpStream::connect(address).await.unwrap()).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_without_a_slot_is_answered_at_once() {
        let address = start(2).await;
        let mut busy = Vec::new();
        for _ in 0..2 {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(b"GET /never HTTP/1.1\r\nHost: localhost\r\n\r\n").await.unwrap();
            busy.push(connection);
        }
        // Until the server has read both requests.
        sleep(Duration::from_secs(1)).await;
        let answer = end_of(&mut TcpStream::connect(address).await.unwrap()).await;
        assert!(answer.starts_with(b"HTTP/1.1 429 "), "{}", String::from_utf8_lossy(&answer));
    }

    #[tokio::test]
    async fn a_head_without_end_and_too_many_headers_are_refused() {
        let address = start(9).await;
        let many: String = (0..200).map(|at| format!("X-{at}: 1\r\n")).collect();
        for head in [format!("X: {}", "x".repeat(MOST_HEAD_BYTES)), format!("{many}\r\n")] {
            let mut connection = TcpStream::connect(address).await.unwrap();
            connection.write_all(format!("GET / HTTP/1.1\r\nHost: localhost\r\n{head}").as_bytes()).await.unwrap();
            let answer = end_of(&mut connection).await;
            assert!(answer.starts_with(b"HTTP/1.1 431 "), "{}", String::from_utf8_lossy(&answer));
        }
    }

    #[tokio::test]
    async fn http_2_is_not_spoken() {
        let mut connection = TcpStream::connect(start(9).await).await.unwrap();
        connection.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
        let answer = end_of(&mut connection).await;
        assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 "), "{answer:?}");
    }
}
