//! The WebSocket as an attacker writes it: frame by frame, well made or not (RFC 6455, section 5).

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::{Duration, Instant},
};

use serde_json::Value;

use crate::http::{Person, Reply, connect};

pub const TEXT: u8 = 1;
pub const BINARY: u8 = 2;
pub const CLOSE: u8 = 8;
pub const PING: u8 = 9;
/// The bit of a first byte that says that a message ends here.
pub const FIN: u8 = 0x80;

const PATIENCE: Duration = Duration::from_secs(30);

pub struct Socket {
    stream: TcpStream,
}

/// How a handshake was answered, with these headers besides.
pub fn handshake(address: SocketAddr, headers: &str) -> Result<Socket, Reply> {
    let mut stream = connect(address);
    let head = format!(
        "GET /ws HTTP/1.1\r\nHost: {address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{headers}\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
        answer.push(byte[0]);
    }
    if answer.starts_with(b"HTTP/1.1 101") {
        return Ok(Socket { stream });
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    Err(Reply { status, headers: Vec::new(), body: String::new() })
}

impl Socket {
    /// The socket of somebody whom the server knows; its welcome is read.
    pub fn open(address: SocketAddr, person: &Person) -> Self {
        let mut socket = handshake(address, &person.headers(address)).unwrap_or_else(|reply| panic!("{reply:?}"));
        assert!(socket.wait_for("welcome").is_some(), "the first frame is the welcome");
        socket
    }

    /// A frame with this first byte, masked as clients must.
    pub fn send(&mut self, first: u8, payload: &[u8]) {
        self.send_raw(&frame(first, payload));
    }

    /// These very bytes. Fails silently if the server has ended the connection.
    pub fn send_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).ok();
    }

    pub fn say(&mut self, frame: &Value) {
        self.send(FIN | TEXT, frame.to_string().as_bytes());
    }

    /// The next frame's first byte and payload; `None` once the connection has ended or nothing comes in time.
    pub fn next(&mut self) -> Option<(u8, Vec<u8>)> {
        let mut head = [0; 2];
        self.stream.read_exact(&mut head).ok()?;
        let length = match head[1] & 0x7F {
            126 => {
                let mut length = [0; 2];
                self.stream.read_exact(&mut length).ok()?;
                u16::from_be_bytes(length).into()
            }
            127 => {
                let mut length = [0; 8];
                self.stream.read_exact(&mut length).ok()?;
                usize::try_from(u64::from_be_bytes(length)).ok()?
            }
            short => short.into(),
        };
        let mut payload = vec![0; length];
        self.stream.read_exact(&mut payload).ok()?;
        Some((head[0], payload))
    }

    /// Reads on until a frame of this type comes.
    pub fn wait_for(&mut self, frame_type: &str) -> Option<Value> {
        self.wait(|frame| (frame["type"] == frame_type).then_some(frame))
    }

    /// Reads on until `pick` takes a frame; `None` if the socket ends first.
    pub fn wait<T>(&mut self, mut pick: impl FnMut(Value) -> Option<T>) -> Option<T> {
        let until = Instant::now() + PATIENCE;
        while Instant::now() < until {
            let (first, payload) = self.next()?;
            if first & 0x0F != TEXT {
                if first & 0x0F == CLOSE {
                    return None;
                }
                continue;
            }
            if let Some(found) = serde_json::from_slice(&payload).ok().and_then(&mut pick) {
                return Some(found);
            }
        }
        None
    }

    /// How the server ends this socket: `closed 1008`, or `ended` without a code.
    pub fn end(&mut self) -> String {
        let until = Instant::now() + PATIENCE;
        while let Some((first, payload)) = self.next() {
            if first & 0x0F == CLOSE {
                return closed(&payload);
            }
            if Instant::now() > until {
                return "still open".to_owned();
            }
        }
        "ended".to_owned()
    }

    /// The server's answer to the frames sent so far: the code of an `error`, another frame's type, or the end.
    pub fn answer(&mut self) -> String {
        while let Some((first, payload)) = self.next() {
            if first & 0x0F == CLOSE {
                return closed(&payload);
            }
            let Ok(frame) = serde_json::from_slice::<Value>(&payload) else { continue };
            match frame["type"].as_str() {
                Some("error") => return frame["code"].as_str().unwrap_or_default().to_owned(),
                Some("inbox" | "presence" | "welcome") | None => {}
                Some(other) => return other.to_owned(),
            }
        }
        "ended".to_owned()
    }
}

/// How a close frame with this payload ends a socket.
fn closed(payload: &[u8]) -> String {
    let code = payload.get(..2).map(|code| u16::from_be_bytes([code[0], code[1]]));
    code.map_or_else(|| "closed".to_owned(), |code| format!("closed {code}"))
}

/// A frame with this first byte, masked.
pub fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    const MASK: [u8; 4] = [7, 11, 13, 17];
    let mut bytes = vec![first];
    match payload.len() {
        short @ ..=125 => bytes.push(0x80 | u8::try_from(short).unwrap()),
        middle @ ..=0xFFFF => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(middle).unwrap().to_be_bytes());
        }
        long => {
            bytes.push(0x80 | 127);
            bytes.extend((long as u64).to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}
