//! Connections that never end, and unsupported protocols.

use std::{
    io::{Read, Write},
    net::TcpStream,
    thread,
    time::{Duration, Instant},
};

use crate::{
    Attack, Group,
    http::{Person, connect, send_raw},
    target::Target,
};

pub const GROUP: Group = Group { name: "transport", variables: &[], only: None, attacks: ATTACKS };

/// Longer than any deadline of the server.
const PATIENCE: Duration = Duration::from_secs(60);

/// Sends `begin`, then a byte now and then, until the server ends the connection; whether it did.
fn drips(target: &Target, begin: &str) -> bool {
    let mut stream = connect(target.address);
    stream.set_read_timeout(Some(Duration::from_millis(500))).unwrap();
    stream.write_all(begin.as_bytes()).unwrap();
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        match stream.read(&mut [0; 1024]) {
            Ok(0) => return true,
            Ok(_) => {}
            Err(error) if matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut) => {}
            Err(_) => return true,
        }
        if stream.write_all(b"a").is_err() {
            return true;
        }
    }
    false
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "headers and bodies that come a byte at a time",
        expected: "all ended",
        run: |target| {
            let host = target.address;
            let cookie = target.mallory.person.headers(host);
            let room = &target.mallory.conversation;
            let begins = [
                "G".to_owned(),
                format!("GET / HTTP/1.1\r\nHost: {host}\r\nX-A: "),
                format!(
                    "POST /login HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 10000\r\n\r\nemail="
                ),
                format!(
                    "POST /api/v1/conversations/{room}/messages HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Type: application/json\r\nContent-Length: 10000\r\n\r\n{{"
                ),
                format!(
                    "POST /api/v1/conversations/{room}/attachments HTTP/1.1\r\nHost: {host}\r\n{cookie}Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 10000000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n"
                ),
            ];
            let ended = thread::scope(|scope| {
                let drips: Vec<_> = begins.iter().map(|begin| scope.spawn(|| drips(target, begin))).collect();
                drips.into_iter().map(|drip| drip.join().unwrap()).collect::<Vec<_>>()
            });
            if ended.iter().all(|ended| *ended) { "all ended".to_owned() } else { format!("{ended:?}") }
        },
    },
    Attack {
        name: "300 connections that say nothing",
        expected: "everybody is served",
        run: |target| {
            let silent: Vec<TcpStream> = (0..300).map(|_| connect(target.address)).collect();
            let works = target.works();
            drop(silent);
            if works { "everybody is served".to_owned() } else { "nobody is served".to_owned() }
        },
    },
    Attack {
        name: "people who do not read what they asked for",
        expected: "everybody is served",
        run: |target| {
            let cookie = target.mallory.person.headers(target.address);
            let request = format!("GET /account HTTP/1.1\r\nHost: {}\r\n{cookie}\r\n", target.address).repeat(50);
            let mut readers: Vec<TcpStream> = (0..20).map(|_| connect(target.address)).collect();
            for reader in &mut readers {
                reader.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
                reader.write_all(request.as_bytes()).ok();
            }
            let works = target.works();
            drop(readers);
            if works { "everybody is served".to_owned() } else { "nobody is served".to_owned() }
        },
    },
    Attack {
        name: "HTTP/2 without TLS",
        expected: "not spoken",
        run: |target| {
            let reply =
                send_raw(target.address, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00");
            if reply.status == 0 || reply.status >= 400 { "not spoken".to_owned() } else { format!("{reply:?}") }
        },
    },
    Attack {
        name: "headers without end",
        expected: "refused",
        run: |target| {
            let many = "X-A: a\r\n".repeat(5_000);
            let long = format!("X-A: {}\r\n", "a".repeat(1_000_000));
            for headers in [many, long] {
                let request =
                    format!("GET / HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", target.address);
                let status = send_raw(target.address, request.as_bytes()).status;
                if !matches!(status, 0 | 400 | 431) {
                    return status.to_string();
                }
            }
            "refused".to_owned()
        },
    },
    Attack {
        name: "a form of 10 MB",
        expected: "413",
        run: |target| {
            let text = "a".repeat(10_000_000);
            let reply = target.submit(&Person::default(), "/login", &[("email", &text), ("password", "b")]);
            // The server need not read it all before it refuses.
            if reply.status == 0 { "413".to_owned() } else { reply.status.to_string() }
        },
    },
    Attack {
        name: "a handshake with a key that is none",
        expected: "400",
        run: |target| {
            let cookie = target.mallory.person.headers(target.address);
            let mut met: Vec<_> = ["", "x", "AAAA", "!!!!!!!!!!!!!!!!!!!!!!=="]
                .iter()
                .map(|key| {
                    let request = format!(
                        "GET /ws HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{cookie}\r\n",
                        target.address
                    );
                    let mut stream = connect(target.address);
                    stream.write_all(request.as_bytes()).unwrap();
                    let mut answer = [0; 12];
                    stream.read_exact(&mut answer).ok();
                    String::from_utf8_lossy(&answer[9..]).into_owned()
                })
                .collect();
            met.dedup();
            met.join(", ")
        },
    },
];
