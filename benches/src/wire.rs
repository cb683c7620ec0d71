//! The client's side of WebSocket, as little of it as a generator of load needs. RFC 6455.

/// What a server sent in one frame. Servers under test never split a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    /// With its code.
    Close(u16),
    Other,
}

/// The request that turns an HTTP connection into a WebSocket.
pub fn upgrade_request(host: &str, path: &str, secret: &str) -> Vec<u8> {
    format!(
        "GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nAuthorization: Bearer {secret}\r\n\r\n"
    )
    .into_bytes()
}

/// A text frame as clients send it. Masked with zeros, which costs the server what any mask costs it.
pub fn text(payload: &[u8]) -> Vec<u8> {
    frame(0x1, payload)
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(0xa, payload)
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x80 | opcode];
    match payload.len() {
        length @ 0..126 => frame.push(0x80 | length as u8),
        length @ 126..=0xffff => {
            frame.push(0x80 | 126);
            frame.extend((length as u16).to_be_bytes());
        }
        length => {
            frame.push(0x80 | 127);
            frame.extend((length as u64).to_be_bytes());
        }
    }
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The first frame of `bytes` and its length with its header; `None` if it is not all there yet.
pub fn parse(bytes: &[u8]) -> Option<(Received<'_>, usize)> {
    let (&[first, second], rest) = bytes.split_first_chunk()?;
    let (length, header) = match second & 0x7f {
        126 => (u16::from_be_bytes(*rest.first_chunk()?) as usize, 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 10),
        length => (length as usize, 2),
    };
    let payload = bytes.get(header..header + length)?;
    let received = match first & 0xf {
        0x1 => Received::Text(payload),
        0x8 => Received::Close(payload.first_chunk().map_or(1005, |code| u16::from_be_bytes(*code))),
        0x9 => Received::Ping(payload),
        _ => Received::Other,
    };
    Some((received, header + length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_once_it_is_whole() {
        for length in [0, 1, 125, 126, 70_000] {
            let payload = vec![b'x'; length];
            // Servers do not mask: take the mask's flag and the mask out.
            let mut frame = text(&payload);
            frame[1] &= 0x7f;
            let mask = frame.len() - length - 4;
            frame.drain(mask..mask + 4);
            assert_eq!(parse(&frame), Some((Received::Text(&payload), frame.len())), "{length}");
            assert_eq!(parse(&frame[..frame.len() - 1]), None, "{length}");
        }
    }
}
