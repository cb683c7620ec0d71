//! The layers below requests: connections, heads, bodies, hosts and proxies. Mostly spoken byte by byte, as no client
//! would.

mod bodies;
mod crowds;
mod headers;
mod home;
mod proxies;

use std::net::SocketAddr;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::in_time;

/// A connection on which so much was sent.
async fn sent(address: SocketAddr, bytes: &str) -> TcpStream {
    let mut stream = in_time("a connection", TcpStream::connect(address)).await.unwrap();
    // A server that has heard enough may have ended it by now.
    stream.write_all(bytes.as_bytes()).await.ok();
    stream
}

/// All that still comes, until the server ends the connection.
async fn rest(mut stream: TcpStream) -> String {
    let mut all = Vec::new();
    // A reset is an end, too.
    in_time("the connection ends", stream.read_to_end(&mut all)).await.ok();
    String::from_utf8_lossy(&all).into_owned()
}

/// The head of the next answer, without reading on.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    in_time("an answer", async {
        while !head.ends_with(b"\r\n\r\n") {
            match stream.read_u8().await {
                Ok(byte) => head.push(byte),
                Err(_) => break,
            }
        }
    })
    .await;
    String::from_utf8_lossy(&head).into_owned()
}

/// The answer to a request with these lines, to which `Connection: close` is added.
async fn ask(address: SocketAddr, lines: &[&str]) -> String {
    let request = format!("{}\r\nConnection: close\r\n\r\n", lines.join("\r\n"));
    rest(sent(address, &request).await).await
}

/// The status of an answer; 0 if there was none.
fn status(answer: &str) -> u16 {
    answer.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
}

/// A header of an answer.
fn header<'a>(answer: &'a str, name: &str) -> Option<&'a str> {
    let (head, _) = answer.split_once("\r\n\r\n")?;
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    headers.find_map(|(found, value)| found.eq_ignore_ascii_case(name).then_some(value))
}
