//! The minimal server for typing signs: it finds the room in the frame, and writes to all others in it. No accounts,
//! no checks, no limits; one loop, one system call for each read and each write. Other servers' additional time is
//! their own; most of this one's is the system's.

use std::{
    collections::HashMap,
    io::{ErrorKind, Write},
    time::Duration,
};

use memchr::memmem;
use mio::{
    Events, Interest, Poll, Token,
    net::{TcpListener, TcpStream},
};
use rustix::net::{RecvFlags, SendFlags, recv, send};

use crate::{Outcome, wire};

const LISTENER: Token = Token(usize::MAX);
/// Length of an id in frames.
const ID: usize = 36;
/// The response to the load generator's only key (RFC 6455, section 1.3).
const ACCEPTED: &[u8] = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

struct Peer {
    stream: TcpStream,
    /// The bytes of an incomplete frame or request.
    begun: Vec<u8>,
    unsent: Vec<u8>,
    is_upgraded: bool,
    id: Vec<u8>,
}

/// Serves until it is killed.
pub fn serve() -> Outcome {
    let mut listener = TcpListener::bind("127.0.0.1:0".parse()?)?;
    println!("listening on http://{}", listener.local_addr()?);
    std::io::stdout().flush()?;
    let mut poll = Poll::new()?;
    poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
    let mut events = Events::with_capacity(1024);
    let mut peers: Vec<Option<Peer>> = Vec::new();
    let mut rooms: HashMap<[u8; ID], Vec<usize>> = HashMap::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut due = Vec::new();
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(60)))?;
        for event in &events {
            if event.token() == LISTENER {
                while let Ok((mut stream, _)) = listener.accept() {
                    stream.set_nodelay(true)?;
                    poll.registry().register(&mut stream, Token(peers.len()), Interest::READABLE)?;
                    let (begun, unsent) = (Vec::new(), Vec::new());
                    peers.push(Some(Peer { stream, begun, unsent, is_upgraded: false, id: Vec::new() }));
                }
                continue;
            }
            let at = event.token().0;
            while let Some(peer) = &mut peers[at] {
                let read = match recv(&peer.stream, &mut buffer[..], RecvFlags::empty()) {
                    Ok((0, _)) => None,
                    Ok((read, _)) => Some(read),
                    Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                    Err(_) => None,
                };
                let Some(read) = read else {
                    rooms.values_mut().for_each(|members| members.retain(|member| *member != at));
                    peers[at] = None;
                    break;
                };
                peer.begun.extend_from_slice(&buffer[..read]);
                let mut begun = std::mem::take(&mut peer.begun);
                let taken = hear(at, &mut begun, &mut peers, &mut rooms, &mut due);
                begun.drain(..taken);
                if let Some(peer) = &mut peers[at] {
                    peer.begun = begun;
                }
                // No more data: the next event reports more.
                if read < buffer.len() {
                    break;
                }
            }
        }
        // Bytes that are not accepted now are retried after the next events.
        due.retain(|&at: &usize| {
            let Some(Peer { stream, unsent, .. }) = &mut peers[at] else { return false };
            let sent = send(&*stream, unsent, SendFlags::NOSIGNAL).unwrap_or(0);
            unsent.drain(..sent);
            !unsent.is_empty()
        });
    }
}

/// Handles the bytes of one peer; returns the number of handled bytes.
fn hear(
    at: usize,
    bytes: &mut [u8],
    peers: &mut [Option<Peer>],
    rooms: &mut HashMap<[u8; ID], Vec<usize>>,
    due: &mut Vec<usize>,
) -> usize {
    let Some(peer) = &mut peers[at] else { return bytes.len() };
    let mut done = 0;
    if !peer.is_upgraded {
        let Some(end) = memmem::find(bytes, b"\r\n\r\n") else { return 0 };
        let id = memmem::find(bytes, b"?id=").map_or(0, |place| place + 4);
        peer.id = bytes[id..id + ID].to_vec();
        peer.is_upgraded = true;
        queue(peer, at, ACCEPTED, due);
        done = end + 4;
    }
    while let Some((length, header)) = wire::extent(&bytes[done..]) {
        let end = done + header + 4 + length;
        let Some(masked) = bytes.get_mut(done + header..end) else { break };
        let (mask, text) = masked.split_at_mut(4);
        text.iter_mut().zip(mask.iter().cycle()).for_each(|(byte, mask)| *byte ^= mask);
        done = end;
        let Some(id) = memmem::find(text, b"\"room\":\"").and_then(|place| text[place + 8..].first_chunk::<ID>())
        else {
            continue;
        };
        let room = std::str::from_utf8(id).unwrap_or_default();
        if memmem::find(text, b"\"typing\"").is_some() {
            let on = memmem::find(text, b"true").is_some();
            let who = peers[at].as_ref().map_or(&[][..], |peer| &peer.id);
            let who = std::str::from_utf8(who).unwrap_or_default();
            let text = format!(r#"{{"type":"typing","room":"{room}","participant":"{who}","on":{on}}}"#);
            let frame = wire::told(text.as_bytes());
            for &member in rooms.get(id).into_iter().flatten().filter(|member| **member != at) {
                if let Some(peer) = &mut peers[member] {
                    queue(peer, member, &frame, due);
                }
            }
        } else if let Some(peer) = &mut peers[at] {
            rooms.entry(*id).or_default().push(at);
            let text = format!(r#"{{"type":"joined","room":"{room}"}}"#);
            queue(peer, at, &wire::told(text.as_bytes()), due);
        }
    }
    done
}

fn queue(peer: &mut Peer, at: usize, bytes: &[u8], due: &mut Vec<usize>) {
    if peer.unsent.is_empty() {
        due.push(at);
    }
    peer.unsent.extend_from_slice(bytes);
}
