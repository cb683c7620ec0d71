//! The server's TCP connections: small frames leave at once, and the last words arrive.
//!
//! A connection that is dropped while the peer still sends is reset by the system, and what it was
//! told last (a close code, "too large") is lost on the way. So whatever the server ends is read out
//! for a while first, as RFC 9112, section 9.6, asks. Peers that vanished without a word do not keep
//! their connections: HTTP ends those on which nothing moves, WebSockets have pings of their own.

use std::{
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use axum::{
    extract::connect_info::Connected,
    serve::{IncomingStream, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf},
    net::{TcpListener, TcpStream},
    time::{Instant, Sleep, sleep, timeout},
};

/// HTTP connections on which so long nothing was read or written end. Longer than proxies keep theirs for
/// the next request, or one would be sent while the connection ends.
const SILENT: Duration = Duration::from_secs(180);
/// How long a peer may go on sending to nobody, and how long it may pause.
const LINGER: Duration = Duration::from_secs(30);
const LINGER_SILENT: Duration = Duration::from_secs(2);

/// Accepts connections that end as this module says.
pub(super) struct Careful(pub TcpListener);

impl Listener for Careful {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        // Otherwise a frame waits until the peer has acknowledged the one before (Nagle). Where that
        // cannot be had, it is merely slower.
        stream.set_nodelay(true).ok();
        (Connection { stream: Some(stream), has_ended: false, silent: Box::pin(sleep(SILENT)) }, address)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub SocketAddr);

impl Connected<IncomingStream<'_, Careful>> for Peer {
    fn connect_info(stream: IncomingStream<'_, Careful>) -> Self {
        Self(*stream.remote_addr())
    }
}

pub(super) struct Connection {
    /// Taken on drop only.
    stream: Option<TcpStream>,
    /// The peer has sent all it will, or all that is waited for.
    has_ended: bool,
    silent: Pin<Box<Sleep>>,
}

impl Connection {
    /// The connection itself, for whoever ends it in the same way ([`read_out`]).
    pub(super) fn into_stream(mut self) -> TcpStream {
        self.stream.take().expect("taken on drop only")
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("taken on drop only"))
    }

    /// What came of reading or writing: an error, if for too long nothing has.
    fn unless_silent<T>(&mut self, cx: &mut Context<'_>, polled: Poll<io::Result<T>>) -> Poll<io::Result<T>> {
        if polled.is_ready() {
            self.silent.as_mut().reset(Instant::now() + SILENT);
            return polled;
        }
        ready!(self.silent.as_mut().poll(cx));
        self.has_ended = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if let (false, Some(mut stream), Ok(runtime)) =
            (self.has_ended, self.stream.take(), tokio::runtime::Handle::try_current())
        {
            runtime.spawn(async move {
                if stream.shutdown().await.is_ok() {
                    read_out(stream).await;
                }
            });
        }
    }
}

/// Throws away what still comes from a peer that was told that this side is done.
pub(super) async fn read_out(mut peer: impl AsyncRead + Unpin) {
    let mut nowhere = vec![0; 16 * 1024];
    let reading = async { while let Ok(Ok(1..)) = timeout(LINGER_SILENT, peer.read(&mut nowhere)).await {} };
    timeout(LINGER, reading).await.ok();
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = (buf.filled().len(), buf.remaining());
        let read = self.stream().poll_read(cx, buf);
        let read = ready!(self.unless_silent(cx, read));
        self.has_ended |= read.is_err() || (buf.filled().len() == before.0 && before.1 > 0);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write(cx, buf);
        self.unless_silent(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream().poll_write_vectored(cx, bufs);
        self.unless_silent(cx, written)
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
    use axum::{Router, routing::get};

    use super::*;

    /// The clock is moved on whenever everybody waits.
    #[tokio::test(start_paused = true)]
    async fn a_connection_ends_when_nothing_moves_on_it() {
        const ASK: &[u8] = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let routes = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(axum::serve(Careful(listener), routes).into_future());

        let mut connection = TcpStream::connect(address).await.unwrap();
        let mut answer = [0; 1024];
        for _ in 0..3 {
            sleep(SILENT * 2 / 3).await;
            connection.write_all(ASK).await.unwrap();
            let read = connection.read(&mut answer).await.unwrap();
            assert!(answer[..read].ends_with(b"here"));
        }
        let asked = Instant::now();
        // The beginning of a request that never comes.
        connection.write_all(&ASK[..10]).await.unwrap();
        assert_eq!(connection.read(&mut answer).await.unwrap(), 0, "the connection has ended");
        assert!(asked.elapsed() >= SILENT);
    }
}
