//! The network between clients and server, at its worst. It delays data, cuts in the middle of a frame, and leaves
//! connections half-open: it accepts data and delivers nothing.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use rand::RngExt;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::Notify,
};

/// How a connection is treated.
#[repr(u8)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Plain = 0,
    /// Each piece comes up to 40 ms late.
    Late = 1,
    /// Drops all data in both directions, without an error.
    HalfOpen = 2,
    /// Ends within the next piece.
    Truncated = 3,
}

struct Line {
    fate: AtomicU8,
    cut: Notify,
}

#[derive(Default)]
pub struct Proxy {
    lines: Mutex<HashMap<u64, Arc<Line>>>,
    next: AtomicU64,
}

impl Proxy {
    /// Listens on a free port, and connects each client to the listening servers in turn.
    pub async fn start(servers: Vec<SocketAddr>) -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let proxy = Arc::new(Self::default());
        let lines = proxy.clone();
        tokio::spawn(async move {
            let mut turn = servers;
            while let Ok((client, _)) = listener.accept().await {
                turn.rotate_left(1);
                tokio::spawn(lines.clone().carry(client, turn.clone()));
            }
        });
        (proxy, address)
    }

    async fn carry(self: Arc<Self>, client: TcpStream, servers: Vec<SocketAddr>) {
        // One after the other, the first that listens.
        let Ok(server) = TcpStream::connect(&servers[..]).await else { return };
        client.set_nodelay(true).ok();
        server.set_nodelay(true).ok();
        let line = Arc::new(Line { fate: AtomicU8::new(Fate::Plain as u8), cut: Notify::new() });
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.lines.lock().unwrap().insert(id, line.clone());
        let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
        tokio::select! {
            () = pass(&line, from_client, to_server) => {}
            () = pass(&line, from_server, to_client) => {}
            () = line.cut.notified() => {}
        }
        self.lines.lock().unwrap().remove(&id);
    }

    /// Gives up to `count` connections, chosen at random, this fate; `None` cuts them.
    pub fn strike(&self, count: usize, fate: Option<Fate>, random: &mut impl RngExt) {
        let mut lines: Vec<_> = self.lines.lock().unwrap().values().cloned().collect();
        for _ in 0..count.min(lines.len()) {
            let line = lines.swap_remove(random.random_range(0..lines.len()));
            // No network loses bytes in the middle and continues: after a loss, the connection can only end.
            let is_half_open = line.fate.load(Ordering::Relaxed) == Fate::HalfOpen as u8;
            match fate.filter(|_| !is_half_open) {
                Some(fate) => line.fate.store(fate as u8, Ordering::Relaxed),
                None => line.cut.notify_one(),
            }
        }
    }

    /// From now on everything comes through; what does not is cut.
    pub fn heal(&self) {
        for line in self.lines.lock().unwrap().values() {
            if line.fate.swap(Fate::Plain as u8, Ordering::Relaxed) != Fate::Plain as u8 {
                line.cut.notify_one();
            }
        }
    }
}

/// Passes bytes on until one side ends or fate does it.
async fn pass(line: &Line, mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let Ok(count @ 1..) = from.read(&mut buffer).await else { return };
        let fate = line.fate.load(Ordering::Relaxed);
        if fate == Fate::HalfOpen as u8 {
            continue;
        }
        let is_last = fate == Fate::Truncated as u8;
        if fate == Fate::Late as u8 {
            let late = rand::rng().random_range(0..40);
            tokio::time::sleep(Duration::from_millis(late)).await;
        }
        let passed = if is_last { count / 2 } else { count };
        if to.write_all(&buffer[..passed]).await.is_err() || is_last {
            return;
        }
    }
}
