//! The parts of WebSocket (RFC 6455) that the load generator and the minimal server need.

/// The content of one frame from a server. Servers under test never split a message.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<'a> {
    Text(&'a [u8]),
    Ping(&'a [u8]),
    /// With the close code.
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

/// A text frame from a client. Masked with zeros, which costs the server the same as any mask.
pub fn text(payload: &[u8]) -> Vec<u8> {
    frame(0x1, payload)
}

pub fn pong(payload: &[u8]) -> Vec<u8> {
    frame(0xa, payload)
}

/// A text frame from a server.
pub fn told(payload: &[u8]) -> Vec<u8> {
    let mut frame = head(0x1, 0, payload.len());
    frame.extend(payload);
    frame
}

fn frame(opcode: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = head(opcode, 0x80, payload.len());
    frame.extend([0; 4]);
    frame.extend(payload);
    frame
}

/// The header before the mask.
fn head(opcode: u8, masked: u8, length: usize) -> Vec<u8> {
    let mut head = vec![0x80 | opcode];
    match length {
        0..126 => head.push(masked | length as u8),
        126..=0xffff => {
            head.push(masked | 126);
            head.extend((length as u16).to_be_bytes());
        }
        _ => {
            head.push(masked | 127);
            head.extend((length as u64).to_be_bytes());
        }
    }
    head
}

/// The length of the first frame's payload, and of the header before its mask, or before the payload if there is
/// none. `None` if these are incomplete.
pub fn extent(bytes: &[u8]) -> Option<(usize, usize)> {
    let (&[_, second], rest) = bytes.split_first_chunk()?;
    Some(match second & 0x7f {
        126 => (u16::from_be_bytes(*rest.first_chunk()?) as usize, 4),
        127 => (u64::from_be_bytes(*rest.first_chunk()?) as usize, 10),
        length => (length as usize, 2),
    })
}

/// The first frame of `bytes`, which is not masked, and its length with its header; `None` if it is incomplete.
pub fn parse(bytes: &[u8]) -> Option<(Received<'_>, usize)> {
    let (length, header) = extent(bytes)?;
    let payload = bytes.get(header..header + length)?;
    let received = match bytes[0] & 0xf {
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
            // Servers do not mask: remove the mask's flag and the mask.
            let mut frame = text(&payload);
            frame[1] &= 0x7f;
            let mask = frame.len() - length - 4;
            frame.drain(mask..mask + 4);
            assert_eq!(parse(&frame), Some((Received::Text(&payload), frame.len())), "{length}");
            assert_eq!(parse(&frame[..frame.len() - 1]), None, "{length}");
        }
    }
}
