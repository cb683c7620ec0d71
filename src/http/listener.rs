//! The server's TCP connections: small frames leave at once, and the last words arrive.
//!
//! A connection that is dropped while the peer still sends is reset by the system, and what it was
//! told last (a close code, "too large") is lost on the way. So whatever the server ends is read out
//! for a while first, as RFC 9112, section 9.6, asks.

use std::{
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
    time::timeout,
};

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
        (Connection { stream: Some(stream), has_ended: false }, address)
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
    /// The peer has sent all it will.
    has_ended: bool,
}

impl Connection {
    /// The connection itself, for whoever ends it in the same way ([`read_out`]).
    pub(super) fn into_stream(mut self) -> TcpStream {
        self.stream.take().expect("taken on drop only")
    }

    fn stream(&mut self) -> Pin<&mut TcpStream> {
        Pin::new(self.stream.as_mut().expect("taken on drop only"))
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
        let read = ready!(self.stream().poll_read(cx, buf));
        self.has_ended |= read.is_err() || (buf.filled().len() == before.0 && before.1 > 0);
        Poll::Ready(read)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.stream().poll_write(cx, buf)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream().poll_write_vectored(cx, bufs)
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
