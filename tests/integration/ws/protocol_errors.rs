//! Bytes that are no WebSocket, or none that this server talks: the close code says what was wrong (RFC 6455, 7.4.1).

use bespoken::protocol::close;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::*;

/// The first byte of a frame that is the end of its message.
const END: u8 = 0x80;
const CONTINUATION: u8 = 0x0;
const TEXT: u8 = 0x1;
const BINARY: u8 = 0x2;
const CLOSE: u8 = 0x8;
const PING: u8 = 0x9;
/// In the second byte.
const MASKED: u8 = 0x80;

/// A frame as clients send it. The mask is 0, so that the payload stays readable.
fn masked(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match u16::try_from(payload.len()).unwrap() {
        short @ 0..126 => frame.push(MASKED | short as u8),
        long => {
            frame.push(MASKED | 126);
            frame.extend(long.to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// Reads the server's frames up to its goodbye; returns the code.
async fn closed(stream: &mut TcpStream) -> Option<u16> {
    let read = async {
        loop {
            let first = stream.read_u8().await.ok()?;
            let length = match stream.read_u8().await.ok()? {
                126 => u64::from(stream.read_u16().await.ok()?),
                127 => stream.read_u64().await.ok()?,
                short => u64::from(short),
            };
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.ok()?;
            if first & 0xf == CLOSE {
                return payload.first_chunk().map(|code| u16::from_be_bytes(*code));
            }
        }
    };
    in_time("a goodbye", read).await
}

async fn expect_code(code: u16, attacks: &[(&str, Vec<u8>)]) {
    let app = TestApp::with(|limits| limits.connections = 1_000).await;
    let chat = app.open("Oak table").await;
    for (attack, bytes) in attacks {
        let mut stream = raw_socket(&app.url, &chat.chat_id).await;
        stream.write_all(bytes).await.unwrap();
        assert_eq!(closed(&mut stream).await, Some(code), "{attack}");
        // The server sends it once and closes, regardless of further data.
        stream.write_all(&masked(END | TEXT, b"{}")).await.ok();
        assert_eq!(closed(&mut stream).await, None, "{attack}");
    }
    app.guest_socket(&chat).await.join(chat.id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_talk_the_protocol_is_closed_with_1002() {
    let mut in_between = masked(TEXT, b"{");
    in_between.extend(masked(END | TEXT, b"{}"));
    let attacks = [
        ("an unmasked frame", vec![END | TEXT, 2, b'{', b'}']),
        ("a reserved bit", masked(END | 0x40 | TEXT, b"{}")),
        ("all reserved bits", masked(END | 0x70 | TEXT, b"{}")),
        ("an unknown kind of data", masked(END | 0x3, b"{}")),
        ("an unknown kind of control", masked(END | 0xb, b"")),
        ("a continuation of nothing", masked(END | CONTINUATION, b"{}")),
        ("a message within a message", in_between),
        ("a ping in parts", masked(PING, b"a")),
        ("a ping of 126 bytes", masked(END | PING, &[b'a'; 126])),
        ("half a close code", masked(END | CLOSE, &[3])),
    ];
    expect_code(close::PROTOCOL_ERROR, &attacks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn text_that_is_no_utf8_is_closed_with_1007() {
    let mut in_parts = masked(TEXT, &[b'"', 0xe2]);
    in_parts.extend(masked(END | CONTINUATION, &[0x28, b'"']));
    let attacks = [
        ("a byte that never is", masked(END | TEXT, &[0xff])),
        ("half a character", masked(END | TEXT, &[b'a', 0xe2, 0x82])),
        ("half a pair of UTF-16", masked(END | TEXT, &[0xed, 0xa0, 0x80])),
        ("in the second part", in_parts),
        ("in a goodbye", masked(END | CLOSE, &[3, 0xe8, 0xff])),
    ];
    expect_code(close::NOT_UTF8, &attacks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn binary_frames_are_closed_with_1003() {
    let join = br#"{"type":"joinRequest","room":"00000000-0000-0000-0000-000000000000"}"#;
    let attacks = [("nothing", masked(END | BINARY, b"")), ("a frame as bytes", masked(END | BINARY, join))];
    expect_code(close::NOT_TEXT, &attacks).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_huge_length_that_is_only_declared_is_closed_with_1009() {
    let declared = |length: u64| {
        let mut head = vec![END | TEXT, MASKED | 127];
        head.extend(length.to_be_bytes());
        head.extend([0; 4]);
        head
    };
    let mut endless = Vec::new();
    for at in 0..70 {
        endless.extend(masked(if at == 0 { TEXT } else { CONTINUATION }, &[b'a'; 1_000]));
    }
    let attacks = [("2 GiB", declared(1 << 31)), ("2^62 bytes", declared(1 << 62)), ("parts without end", endless)];
    expect_code(close::FRAME_TOO_LARGE, &attacks).await;
}
