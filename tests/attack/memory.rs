//! Requests that are begun and never finished, to fill the server's memory. Only Linux reports it.

use std::{io::Write, net::TcpStream};

use crate::{Attack, Group, http::connect, target::Target};

pub const GROUP: Group = Group { name: "memory", variables: &[], only: None, attacks: ATTACKS };

/// The additional memory that a server may use.
const MOST_MB: u64 = 100;

/// Begins `count` requests; returns whether memory stays bounded and the server serves others meanwhile.
fn begin(target: &Target, count: usize, request: &[u8]) -> String {
    let before = target.memory_mb();
    let mut begun: Vec<TcpStream> = Vec::new();
    for _ in 0..count {
        let mut stream = connect(target.address);
        stream.set_write_timeout(Some(std::time::Duration::from_millis(500))).unwrap();
        // A server that refuses does not read it.
        stream.write_all(request).ok();
        begun.push(stream);
    }
    let works = target.works();
    let grown = target.memory_mb().zip(before).map_or(0, |(after, before)| after.saturating_sub(before));
    drop(begun);
    match (works, grown) {
        (true, ..MOST_MB) => "everybody is served, and memory stays".to_owned(),
        _ => format!("everybody is served: {works}, {grown} MB more"),
    }
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "120 uploads of 10 MB that are not finished",
        expected: "everybody is served, and memory stays",
        run: |target| {
            let (room, cookie) = (&target.mallory.conversation, target.mallory.person.headers(target.address));
            let mut request = format!(
                "POST /api/v1/conversations/{room}/attachments HTTP/1.1\r\nHost: {}\r\n{cookie}Content-Type: multipart/form-data; boundary=b\r\n\
                 Content-Length: 10400000\r\n\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\"\r\n\r\n",
                target.address
            )
            .into_bytes();
            request.extend(vec![b'a'; 10_000_000]);
            begin(target, 120, &request)
        },
    },
    Attack {
        name: "400 sign-ins that are not finished",
        expected: "everybody is served, and memory stays",
        run: |target| {
            let mut request = format!(
                "POST /login HTTP/1.1\r\nHost: {0}\r\nOrigin: http://{0}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: 250000\r\n\r\nemail=",
                target.address
            )
            .into_bytes();
            request.extend(vec![b'a'; 240_000]);
            begin(target, 400, &request)
        },
    },
];
