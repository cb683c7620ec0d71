//! Disk trouble: what cannot be stored is refused in clear words, reading goes on, and everything works
//! again by itself when the trouble is over. What was acknowledged before stays.

use std::{process::Stdio, time::Duration};

use bespoken::domain::{ClientId, ConversationId, Message};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, sqlite::SqliteConnection};
use tokio::process::Command;

use super::server::{Api, Server, database};

async fn post(api: &Api, room: ConversationId, client_id: ClientId, content: &str) -> (StatusCode, Value) {
    let body = json!({ "client_id": client_id, "content": content });
    api.answer(Method::POST, &format!("/conversations/{room}/messages"), Some(body)).await
}

/// Posts until one is refused; returns those that were acknowledged, and the refused one.
async fn post_until_refused(api: &Api, room: ConversationId) -> (Vec<Message>, ClientId) {
    let content = "x".repeat(4_000);
    let mut acknowledged = Vec::new();
    for _ in 0..2_000 {
        let client_id = ClientId::new();
        let (status, body) = post(api, room, client_id, &content).await;
        if status == StatusCode::CREATED {
            acknowledged.push(serde_json::from_value(body).unwrap());
            continue;
        }
        assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")), "{body}");
        let words = body["detail"].as_str().unwrap();
        assert!(!words.contains("SQL") && !words.contains("disk I/O") && !words.contains('/'), "{words}");
        return (acknowledged, client_id);
    }
    panic!("nothing was refused");
}

/// Tries the refused one again until it is taken, and then holds everything against everything.
async fn recovers(api: &Api, room: ConversationId, acknowledged: Vec<Message>, refused: ClientId) {
    let mut taken = None;
    for _ in 0..200 {
        let (status, body) = post(api, room, refused, "again").await;
        if status == StatusCode::CREATED {
            taken = Some(serde_json::from_value::<Message>(body).unwrap());
            break;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let taken = taken.expect("it recovers by itself");
    let (again, body) = post(api, room, refused, "again").await;
    assert_eq!((again, serde_json::from_value::<Message>(body).unwrap()), (StatusCode::OK, taken.clone()));
    let (stored, _) = api.stored(room).await;
    let expected: Vec<Message> = acknowledged.into_iter().chain([taken]).collect();
    assert_eq!(stored, expected, "each once, in order, and nothing besides");
}

/// A limit on the size of files stands for a full disk: a write fails in the middle, for want of room.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_sends_and_nothing_else() {
    let mut server = Server::start(super::program()).await;
    let api = server.api().await;
    let room = api.open("Full".into()).await.id;
    let limit = async |server: &Server, bytes: &str| {
        let pid = server.id().to_string();
        let set = Command::new("prlimit").args(["--pid", &pid, &format!("--fsize={bytes}:")]).status().await;
        assert!(set.expect("prlimit is part of util-linux").success());
    };
    let wal = server.folder().join("bespoken.db-wal");
    let has = std::fs::metadata(wal).unwrap().len();
    limit(&server, &(has + 200_000).to_string()).await;

    let (acknowledged, refused) = post_until_refused(&api, room).await;
    assert!(!acknowledged.is_empty());
    for _ in 0..20 {
        let (stored, _) = api.stored(room).await;
        assert_eq!(stored, acknowledged, "reading goes on");
    }
    assert_eq!(api.health().await, StatusCode::OK);

    limit(&server, "unlimited").await;
    recovers(&api, room, acknowledged.clone(), refused).await;
    server.restart(false).await;
    let (stored, _) = api.stored(room).await;
    assert_eq!(stored[..acknowledged.len()], acknowledged, "also after a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_refuses_sends_and_nothing_else() {
    let server = Server::start(super::program()).await;
    let api = server.api().await;
    let room = api.open("Locked".into()).await.id;
    let (first, body) = post(&api, room, ClientId::new(), "before").await;
    assert_eq!(first, StatusCode::CREATED);
    let before: Message = serde_json::from_value(body).unwrap();

    // Another program holds the lock, longer than the server is ready to wait for it.
    let mut other = SqliteConnection::connect(&database(server.folder())).await.unwrap();
    other.execute("begin immediate").await.unwrap();
    let refused = ClientId::new();
    let (status, body) = post(&api, room, refused, "during").await;
    assert_eq!((status, &body["code"]), (StatusCode::SERVICE_UNAVAILABLE, &json!("unavailable")), "{body}");
    assert_eq!(api.stored(room).await.0, std::slice::from_ref(&before), "reading goes on");
    other.execute("rollback").await.unwrap();
    recovers(&api, room, vec![before], refused).await;
}

/// Files that may not be written to any more, as after a file system has found an error in itself. Even root is
/// refused by the mark that stands for it here; whoever may not set that mark cannot try this.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn read_only_files_refuse_sends_and_nothing_else() {
    let mut server = Server::start(super::program()).await;
    let api = server.api().await;
    let room = api.open("Read-only".into()).await.id;
    let folder = server.folder().to_owned();
    let mark = async |flag: &str| {
        let files = ["bespoken.db", "bespoken.db-wal"].map(|name| folder.join(name));
        let marked = Command::new("chattr").arg(flag).args(files).stderr(Stdio::null()).status().await;
        marked.is_ok_and(|status| status.success())
    };
    let (first, body) = post(&api, room, ClientId::new(), "before").await;
    assert_eq!(first, StatusCode::CREATED);
    let before: Message = serde_json::from_value(body).unwrap();
    if !mark("+i").await {
        println!("not tried: files can be marked as immutable by root only, on a file system that has such a mark");
        return;
    }

    let (mut refused, mut statuses) = (ClientId::new(), Vec::new());
    for _ in 0..5 {
        refused = ClientId::new();
        let (status, body) = post(&api, room, refused, "during").await;
        statuses.push((status, body["code"].clone()));
    }
    let (stored, _) = api.stored(room).await;
    // Before anything is asserted: nobody else could remove the files.
    assert!(mark("-i").await);
    assert!(
        statuses.iter().all(|said| *said == (StatusCode::SERVICE_UNAVAILABLE, json!("unavailable"))),
        "{statuses:?}"
    );
    assert_eq!(stored, std::slice::from_ref(&before), "reading goes on");
    recovers(&api, room, vec![before.clone()], refused).await;
    server.restart(false).await;
    let (stored, _) = api.stored(room).await;
    assert_eq!(stored[0], before, "also after a restart");
    assert_eq!(stored.len(), 2);
}
