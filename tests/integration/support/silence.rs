//! A network between a program and PostgreSQL that drops data without an error.

use std::sync::{
    Arc,
    atomic::{AtomicBool, AtomicUsize, Ordering},
};

use tokio::{
    io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, copy, sink, split},
    net::{TcpListener, TcpStream, UnixStream},
};

/// Where PostgreSQL is.
#[derive(Clone)]
pub enum Place {
    Tcp(String, u16),
    Socket(std::path::PathBuf),
}

/// The state of the connections so far.
#[derive(Default)]
pub struct Silence {
    /// It accepts new connections and sends nothing.
    swallows_new: AtomicBool,
    /// Raised whenever what is open is to fall silent; each line knows when it began.
    round: AtomicUsize,
    /// The next line on which a transaction is committed falls silent: before the answer, or before the commit.
    swallows_answer: AtomicBool,
    swallows_commit: AtomicBool,
    /// Transactions whose begin was swallowed.
    pub swallowed: AtomicUsize,
}

impl Silence {
    /// Listens on a free port, and is no silence yet.
    pub async fn before(place: Place) -> (Arc<Self>, u16) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let silence = Arc::new(Self::default());
        let lines = Arc::clone(&silence);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                client.set_nodelay(true).unwrap();
                let (lines, place) = (Arc::clone(&lines), place.clone());
                tokio::spawn(async move {
                    match place {
                        Place::Tcp(host, port) => {
                            lines.carry(client, TcpStream::connect((host, port)).await.unwrap()).await;
                        }
                        Place::Socket(path) => lines.carry(client, UnixStream::connect(path).await.unwrap()).await,
                    }
                });
            }
        });
        (silence, port)
    }

    /// Drops all data of open connections, and of new ones too, if `also_new`.
    pub fn fall(&self, also_new: bool) {
        self.swallows_new.store(also_new, Ordering::SeqCst);
        self.round.fetch_add(1, Ordering::SeqCst);
    }

    /// New connections work. Silent ones stay silent for ever.
    pub fn end(&self) {
        self.swallows_new.store(false, Ordering::SeqCst);
    }

    /// The next commit arrives, and its answer does not.
    pub fn swallow_next_answer(&self) {
        self.swallows_answer.store(true, Ordering::SeqCst);
    }

    /// The next commit does not arrive, and the server waits for it.
    pub fn swallow_next_commit(&self) {
        self.swallows_commit.store(true, Ordering::SeqCst);
    }

    async fn carry(self: Arc<Self>, client: TcpStream, server: impl AsyncRead + AsyncWrite) {
        let round = self.round.load(Ordering::SeqCst);
        // After a loss, a connection can only end: no network loses bytes in the middle and continues.
        let (hears, is_heard) = (AtomicBool::new(true), AtomicBool::new(true));
        if self.swallows_new.load(Ordering::SeqCst) {
            hears.store(false, Ordering::SeqCst);
            is_heard.store(false, Ordering::SeqCst);
        }
        let is_open = |way: &AtomicBool| {
            way.fetch_and(self.round.load(Ordering::SeqCst) == round, Ordering::SeqCst);
            way.load(Ordering::SeqCst)
        };
        let (mut from_client, mut to_client) = client.into_split();
        let (mut from_server, mut to_server) = split(server);
        let asks = async {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_client.read(&mut buffer).await {
                let is_commit = buffer[..count].windows(8).any(|word| word == b"; commit");
                if is_commit && self.swallows_answer.swap(false, Ordering::SeqCst) {
                    hears.store(false, Ordering::SeqCst);
                }
                if is_commit && self.swallows_commit.swap(false, Ordering::SeqCst) {
                    hears.store(false, Ordering::SeqCst);
                    is_heard.store(false, Ordering::SeqCst);
                }
                if !is_open(&is_heard) {
                    let is_begin = buffer[..count].windows(6).any(|word| word == b"begin ");
                    self.swallowed.fetch_add(usize::from(is_begin), Ordering::SeqCst);
                } else if to_server.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
        };
        let answers = async {
            let mut buffer = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = from_server.read(&mut buffer).await {
                if is_open(&hears) && to_client.write_all(&buffer[..count]).await.is_err() {
                    break;
                }
            }
            // A silent line does not even say that it has ended.
            if !is_open(&hears) {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            () = asks => {}
            () = answers => {}
        }
        // As after a pulled cable: the server's end stays open until the server detects the loss.
        if !is_open(&is_heard) {
            let _ = copy(&mut from_server, &mut sink()).await;
        }
    }
}
