//! A small balancer for several nodes on one machine: it forwards each connection to the next ready node, like a
//! production one. It needs two threads per connection, so it is unsuitable for measurements.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

/// Interval of the readiness checks.
const ASK_EVERY: Duration = Duration::from_millis(500);
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

struct Node {
    address: SocketAddr,
    is_ready: AtomicBool,
}

/// Forwards connections on `listener` to the nodes in turn, until this process ends.
pub fn start(listener: TcpListener, nodes: &[SocketAddr]) {
    let nodes: Arc<[Node]> = nodes.iter().map(|&address| Node { address, is_ready: AtomicBool::new(true) }).collect();
    for at in 0..nodes.len() {
        let nodes = nodes.clone();
        thread::spawn(move || {
            loop {
                nodes[at].is_ready.store(is_ready(nodes[at].address).unwrap_or(false), Ordering::Relaxed);
                thread::sleep(ASK_EVERY);
            }
        });
    }
    thread::spawn(move || {
        let turn = AtomicUsize::new(0);
        for client in listener.incoming().flatten() {
            if let Some(node) = connect(&nodes, turn.fetch_add(1, Ordering::Relaxed)) {
                thread::spawn(move || carry(&client, &node));
            }
        }
    });
}

/// Connects to the next ready node. If none is ready, as while the bus is down, connects to the next that listens.
fn connect(nodes: &[Node], turn: usize) -> Option<TcpStream> {
    let in_turn = || (0..nodes.len()).map(|offset| &nodes[(turn + offset) % nodes.len()]);
    let ready = in_turn().filter(|node| node.is_ready.load(Ordering::Relaxed));
    ready.chain(in_turn()).find_map(|node| TcpStream::connect_timeout(&node.address, ANSWER_WITHIN).ok())
}

fn is_ready(node: SocketAddr) -> io::Result<bool> {
    let mut connection = TcpStream::connect_timeout(&node, ANSWER_WITHIN)?;
    connection.set_read_timeout(Some(ANSWER_WITHIN))?;
    connection.write_all(format!("GET /readyz HTTP/1.1\r\nHost: {node}\r\nConnection: close\r\n\r\n").as_bytes())?;
    // "HTTP/1.1 200 OK"
    let mut status = [0; 12];
    connection.read_exact(&mut status)?;
    Ok(status.ends_with(b" 200"))
}

/// Forwards bytes in both directions until both sides have ended.
fn carry(client: &TcpStream, node: &TcpStream) {
    let pass = |mut from: &TcpStream, mut to: &TcpStream| {
        // Either side may disconnect at any time.
        io::copy(&mut from, &mut to).ok();
        to.shutdown(Shutdown::Write).ok();
    };
    client.set_nodelay(true).ok();
    node.set_nodelay(true).ok();
    thread::scope(|scope| {
        scope.spawn(|| pass(client, node));
        pass(node, client);
    });
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;

    /// Sends its name to all clients, and answers readiness checks.
    fn node(name: &'static str, is_ready: bool) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let mut asked = String::new();
                io::BufReader::new(&client).read_line(&mut asked).unwrap();
                let status = if is_ready || !asked.contains("/readyz") { "200 OK" } else { "503 No" };
                client.write_all(format!("HTTP/1.1 {status}\r\n\r\n{name}").as_bytes()).unwrap();
            }
        });
        address
    }

    fn ask(balancer: SocketAddr) -> String {
        let mut connection = TcpStream::connect(balancer).unwrap();
        connection.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        answer.rsplit('\n').next().unwrap().to_owned()
    }

    #[test]
    fn ready_nodes_have_their_turns_and_others_serve_if_they_must() {
        let gone = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        for (nodes, expected) in [
            (vec![node("a", true), node("b", true)], "ab"),
            (vec![node("a", true), node("b", false), gone], "a"),
            (vec![node("a", false), gone], "a"),
        ] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let balancer = listener.local_addr().unwrap();
            start(listener, &nodes);
            // Until each node's readiness was checked.
            let mut seen = String::new();
            for _ in 0..200 {
                let asked: Vec<_> = (0..6).map(|_| ask(balancer)).collect();
                seen = asked.concat().chars().collect::<std::collections::BTreeSet<_>>().into_iter().collect();
                if seen == expected {
                    break;
                }
                thread::sleep(Duration::from_millis(20));
            }
            assert_eq!(seen, expected);
        }
    }
}
