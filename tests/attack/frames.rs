//! Frames that no client should send.

use serde_json::{Value, json};

use crate::{
    Attack, Group,
    socket::{BINARY, FIN, PING, Socket, TEXT, frame, handshake},
    target::Target,
};

pub const GROUP: Group = Group { name: "frames", variables: &[], only: None, attacks: ATTACKS };

/// A socket of the attacker.
fn socket(target: &Target) -> Socket {
    Socket::open(target.address, &target.mallory.person)
}

/// Sends `bytes`; returns how the socket ends, and whether the server still serves others.
fn ends(target: &Target, bytes: &[u8]) -> String {
    let mut socket = socket(target);
    socket.send_raw(bytes);
    let end = socket.end();
    if target.works() { end } else { format!("{end}, and nobody is served any more") }
}

/// Sends a text frame; returns the answer, and whether the same socket still works.
fn refused(target: &Target, text: &str) -> String {
    let mut socket = socket(target);
    socket.send(FIN | TEXT, text.as_bytes());
    let answer = socket.answer();
    socket.say(&json!({ "type": "joinRequest", "room": target.mallory.conversation }));
    format!("{answer}, then {}", socket.answer())
}

/// Says what every handshake came to, if all came to the same.
fn handshakes(target: &Target, headers: &[String]) -> String {
    let mut met: Vec<String> = headers
        .iter()
        .map(|headers| match handshake(target.address, headers) {
            Ok(_) => format!("101 for {headers:?}"),
            Err(reply) => reply.status.to_string(),
        })
        .collect();
    met.dedup();
    met.join(", ")
}

fn with_cookie(target: &Target, rest: &str) -> String {
    format!("Cookie: {}\r\n{rest}", target.mallory.person.cookie.as_deref().unwrap())
}

const ATTACKS: &[Attack] = &[
    Attack {
        name: "another site opens a socket with the person's cookie, in each way that an Origin can be written",
        expected: "403",
        run: |target| {
            let (address, port) = (target.address, target.address.port());
            let origins = [
                "null".to_owned(),
                "http://evil.example".to_owned(),
                format!("https://{address}"),
                format!("http://{address}.evil.example"),
                format!("http://evil.example/{address}"),
                format!("http://{address}@evil.example"),
                format!("http://{address}/"),
                format!("http://{address}:80"),
                format!("http://localhost:{port}"),
                format!("http://127.0.0.1:{}", port - 1),
                format!("http://evil.example http://{address}"),
                format!("ws://{address}"),
                String::new(),
            ];
            let headers = origins.map(|origin| with_cookie(target, &format!("Origin: {origin}\r\n")));
            handshakes(target, &headers)
        },
    },
    Attack {
        name: "a program opens a socket with a cookie and without an Origin",
        expected: "403",
        run: |target| handshakes(target, &[with_cookie(target, "")]),
    },
    Attack {
        name: "a stranger opens a socket",
        expected: "401",
        run: |target| {
            let headers =
                ["", "Authorization: Bearer x\r\n", "Authorization: Basic eDp5\r\n", "Cookie: bespoken=x\r\n"];
            let headers = headers.map(|rest| format!("{rest}Origin: http://{}\r\n", target.address));
            handshakes(target, &headers)
        },
    },
    Attack {
        name: "a frame declares 2^62 bytes",
        expected: "closed 1009",
        run: |target| {
            let mut bytes = vec![FIN | TEXT, 0x80 | 127];
            bytes.extend((1_u64 << 62).to_be_bytes());
            bytes.extend([0; 4]);
            ends(target, &bytes)
        },
    },
    Attack {
        name: "a frame of 1 MiB",
        expected: "closed 1009",
        run: |target| ends(target, &frame(FIN | TEXT, &vec![b'a'; 1 << 20])),
    },
    Attack {
        name: "fragments without an end",
        expected: "closed 1009",
        run: |target| {
            let mut socket = socket(target);
            socket.send(TEXT, &[b'a'; 1_000]);
            for _ in 0..200 {
                socket.send(0, &[b'a'; 1_000]);
            }
            socket.end()
        },
    },
    Attack { name: "a frame that is not masked", expected: "closed 1002", run: |target| ends(target, b"\x81\x02{}") },
    Attack {
        name: "reserved bits",
        expected: "closed 1002",
        run: |target| ends(target, &frame(FIN | TEXT | 0x40, b"{}")),
    },
    Attack {
        name: "an opcode that does not exist",
        expected: "closed 1002",
        run: |target| ends(target, &frame(FIN | 5, b"{}")),
    },
    Attack {
        name: "a continuation of nothing",
        expected: "closed 1002",
        run: |target| ends(target, &frame(FIN, b"{}")),
    },
    Attack {
        name: "a ping of 126 bytes",
        expected: "closed 1002",
        run: |target| ends(target, &frame(FIN | PING, &[b'a'; 126])),
    },
    Attack {
        name: "text that is no UTF-8",
        expected: "closed 1007",
        run: |target| ends(target, &frame(FIN | TEXT, b"\xC3\x28")),
    },
    Attack { name: "a binary frame", expected: "closed 1003", run: |target| ends(target, &frame(FIN | BINARY, b"{}")) },
    Attack {
        name: "JSON 30,000 levels deep",
        expected: "invalid, then joined",
        run: |target| refused(target, &"[".repeat(30_000)),
    },
    Attack {
        name: "an object 10,000 levels deep within a frame",
        expected: "invalid, then joined",
        run: |target| {
            refused(
                target,
                &format!("{{\"type\":\"typing\",\"x\":{}1{}}}", "{\"a\":".repeat(10_000), "}".repeat(10_000)),
            )
        },
    },
    Attack {
        name: "an array instead of an object",
        expected: "invalid, then joined",
        run: |target| refused(target, &format!(r#"["joinRequest","{}"]"#, target.mallory.conversation)),
    },
    Attack {
        name: "a type that does not exist",
        expected: "invalid, then joined",
        run: |target| refused(target, r#"{"type":"becomeAdmin"}"#),
    },
    Attack {
        name: "numbers that no integer can be",
        expected: "invalid, then joined",
        run: |target| {
            refused(target, &format!(r#"{{"type":"read","room":"{}","seq":1e400}}"#, target.mallory.conversation))
        },
    },
    Attack {
        name: "20,000 pings at once",
        expected: "everybody is served",
        run: |target| {
            let mut socket = socket(target);
            let pings = frame(FIN | PING, b"a").repeat(1_000);
            for _ in 0..20 {
                socket.send_raw(&pings);
            }
            if target.works() { "everybody is served".to_owned() } else { "nobody is served".to_owned() }
        },
    },
    Attack {
        name: "invalid frames for ever",
        expected: "closed 1008",
        run: |target| {
            let mut socket = socket(target);
            for _ in 0..2_000 {
                socket.send(FIN | TEXT, b"{");
            }
            socket.end()
        },
    },
    Attack {
        name: "somebody else's room is joined, written to, read and edited",
        expected: "not_found",
        run: |target| {
            let (room, message) = (&target.alice.conversation, &target.alice.message);
            let client_id = "0193a6c0-0000-7000-8000-000000000001";
            let frames = [
                json!({ "type": "joinRequest", "room": room }),
                json!({ "type": "joinRequest", "room": room, "after": 0 }),
                json!({ "type": "sendMessage", "room": room, "client_id": client_id, "content": "hello" }),
                json!({ "type": "updateMessage", "room": room, "client_id": client_id, "id": message, "content": "a" }),
                json!({ "type": "deleteMessage", "room": room, "client_id": client_id, "id": message }),
                json!({ "type": "typing", "room": room, "on": true }),
                json!({ "type": "read", "room": room, "seq": 1 }),
                // The message in a room of the attacker's own.
                json!({ "type": "updateMessage", "room": target.mallory.conversation, "client_id": client_id, "id": message, "content": "a" }),
                json!({ "type": "deleteMessage", "room": target.mallory.conversation, "client_id": client_id, "id": message }),
            ];
            answers(target, &frames)
        },
    },
    Attack {
        name: "a message is sent as somebody else",
        expected: "forbidden",
        run: |target| {
            let room = &target.mallory.conversation;
            let client_id = "0193a6c0-0000-7000-8000-000000000002";
            let other = "0193a6c0-0000-7000-8000-000000000003";
            let message = &target.mallory.message;
            let frames = [
                json!({ "type": "sendMessage", "room": room, "client_id": client_id, "content": "hello", "as": other }),
                json!({ "type": "updateMessage", "room": room, "client_id": client_id, "id": message, "content": "a", "as": other }),
                json!({ "type": "deleteMessage", "room": room, "client_id": client_id, "id": message, "as": other }),
            ];
            answers(target, &frames)
        },
    },
    Attack {
        name: "somebody else's file is sent as one's own",
        expected: "invalid",
        run: |target| {
            let frame = json!({
                "type": "sendMessage", "room": target.mallory.conversation, "content": "mine",
                "client_id": "0193a6c0-0000-7000-8000-000000000004", "attachment_ids": [target.alice.attachment],
            });
            answers(target, &[frame])
        },
    },
];

/// The common answer to the frames, one after the other on one socket.
fn answers(target: &Target, frames: &[Value]) -> String {
    let mut socket = socket(target);
    let mut answers: Vec<String> = frames
        .iter()
        .map(|frame| {
            socket.say(frame);
            socket.answer()
        })
        .collect();
    answers.dedup();
    answers.join(", ")
}
