//! Many connections at once.

use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::{ask, sent, status};
use crate::support::*;

const HEALTH: [&str; 2] = ["GET /healthz HTTP/1.1", "Host: h"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_network_has_only_so_many_connections() {
    for (trusted, most) in [("", 3), ("127.0.0.1", 12)] {
        let app = TestApp::with_settings(|settings| {
            settings.limits.network_connections = 3;
            settings.trusted_proxies = trusted.parse().unwrap();
        })
        .await;
        let mut sockets = Vec::new();
        while sockets.len() < 12 {
            match Ws::with_token(&app.url, &app.data.token).await {
                Ok(ws) => sockets.push(ws),
                Err(answer) => {
                    assert_eq!(answer.status, 429);
                    break;
                }
            }
        }
        assert_eq!(sockets.len(), most, "trusted: {trusted}");
        // A person who leaves frees a place.
        drop(sockets);
        in_time("there is room again", async { while status(&ask(app.address, &HEALTH).await) != 200 {} }).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_sent_requests_give_way_to_whole_ones() {
    let app = TestApp::with(|limits| limits.tcp_connections = 8).await;
    let mut ws = app.admin_socket().await;
    let begun = [
        "",
        "GET / HT",
        "GET / HTTP/1.1\r\nHost: h\r\nX: ",
        "POST /login HTTP/1.1\r\nHost: h\r\nContent-Length: 1000\r\n\r\nemail=",
    ];
    let mut hostile: Vec<TcpStream> = Vec::new();
    for at in 0..60 {
        hostile.push(sent(app.address, begun[at % begun.len()]).await);
        assert_eq!(status(&ask(app.address, &HEALTH).await), 200, "after {at}");
    }
    // Nor does anybody lose a socket to them.
    let chat = app.open("Oak table").await;
    ws.join(chat.id).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_connections_do_not_stop_the_service_when_files_are_few() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve_with_files(dir.path(), 128, &[]).await;
    let address = program.url.trim_start_matches("http://").parse().unwrap();
    let login = ["GET /login HTTP/1.1", &format!("Host: {address}")];
    crowd(address, 250, &login).await;
}

/// The limit is set above what the system allows, as an operator may do by mistake.
#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_accepts_again_after_running_out_of_files() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::serve_with_files(dir.path(), 64, &["--limit-tcp-connections", "1000"]).await;
    let address = program.url.trim_start_matches("http://").parse().unwrap();
    crowd(address, 100, &HEALTH).await;
    assert!(program.stop().await.contains("cannot accept a connection"), "it did run out of files");
}

/// Opens so many connections that send the beginning of a request, and asks between them.
#[cfg(unix)]
async fn crowd(address: SocketAddr, count: usize, lines: &[&str]) {
    let mut hostile = Vec::new();
    for at in 1..=count {
        hostile.push(sent(address, "POST /login HTTP/1.1\r\nHost:").await);
        if at % 10 == 0 {
            assert_eq!(status(&ask(address, lines).await), 200, "after {at}");
        }
    }
}
