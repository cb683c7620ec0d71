//! Disk failures: the server refuses messages that it cannot store, with a clear error, and their authors retain them.
//! Reading continues, and after the failure everything recovers by itself. Acknowledged messages stay.

use std::time::Duration;

use bespoken::domain::{ClientId, ConversationId, Message};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use sqlx::{Connection, Executor, sqlite::SqliteConnection};
use tokio::time::{sleep, timeout};

use super::{
    client::{Act, Pauses},
    crowd::Crowd,
    run::Size,
    server::{Api, Server, database},
};

/// How long each part may take: a browser tries again after 16 s at the latest.
const WITHIN: Duration = Duration::from_secs(60);
/// Between two messages of the same client.
const PAUSE: Duration = Duration::from_millis(500);

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

/// Sends the refused one again until it is taken, and once more after that, which changes nothing.
async fn post_refused(api: &Api, room: ConversationId, refused: ClientId) -> Message {
    loop {
        let (status, body) = post(api, room, refused, "again").await;
        if status == StatusCode::CREATED {
            let taken: Message = serde_json::from_value(body).unwrap();
            let (again, body) = post(api, room, refused, "again").await;
            assert_eq!((again, serde_json::from_value::<Message>(body).unwrap()), (StatusCode::OK, taken.clone()));
            return taken;
        }
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{body}");
        sleep(PAUSE / 10).await;
    }
}

/// A program that uses the API, and people in front of browsers, while there is trouble; which lasts as long as what
/// `begin` returns. It returns nothing if there can be no such trouble here.
async fn sends_are_refused_and_nothing_else<T>(begin: impl AsyncFnOnce(&Server) -> Option<T>) {
    let mut server = Server::start(super::program()).await;
    let api = server.api().await;
    let room = api.open("By the API".into()).await.id;
    let (first, body) = post(&api, room, ClientId::new(), "before").await;
    assert_eq!(first, StatusCode::CREATED);
    let mut acknowledged: Vec<Message> = vec![serde_json::from_value(body).unwrap()];
    // Two guests and two admins.
    let size = Size { rooms: 1, sockets_per_room: 4, acts_per_s: 0.0, seconds: 0, kills: 0, cuts: 0, seed: 1 };
    let crowd = Crowd::gather(&api, (server.address(), Pauses::AsBrowsers), size, |_, at| at % 2 == 1).await;
    let joined = async |times: usize| {
        while crowd.joins() < crowd.len() * times {
            sleep(PAUSE / 10).await;
        }
    };
    timeout(WITHIN, joined(1)).await.expect("everybody joins");
    crowd.have_every(1, Act::Post);

    let Some(trouble) = begin(&server).await else { return };
    let (more, refused) = post_until_refused(&api, room).await;
    acknowledged.extend(more);
    let writing = async {
        loop {
            crowd.have_every(1, Act::Post);
            sleep(PAUSE).await;
            if crowd.refused() >= crowd.len() {
                break;
            }
        }
    };
    timeout(WITHIN, writing).await.expect("what people send is refused");
    // A reload discards all but the browser's storage.
    crowd.have_every(1, Act::Reload);
    timeout(WITHIN, joined(2)).await.expect("reading goes on");
    let refused_before = crowd.refused();
    let kept = async {
        while crowd.refused() < refused_before + crowd.len() {
            sleep(PAUSE / 10).await;
        }
    };
    timeout(WITHIN, kept).await.expect("what was kept is sent again, and refused");
    for _ in 0..20 {
        assert_eq!(api.stored(room).await.0, acknowledged, "reading goes on");
    }
    assert_eq!(api.health().await, StatusCode::OK);

    drop(trouble);
    let taken = timeout(WITHIN, post_refused(&api, room, refused)).await.expect("it recovers by itself");
    acknowledged.push(taken);
    assert_eq!(api.stored(room).await.0, acknowledged, "each once, in order, and nothing besides");
    let outcome = crowd.rest(&api).await;
    assert_eq!(outcome.findings, Vec::<String>::new());
    assert!(outcome.messages >= 8, "{}", outcome.messages);

    server.restart(false).await;
    assert_eq!(api.stored(room).await.0, acknowledged, "also after a restart");
}

/// Another program holds the lock, longer than the server is ready to wait for it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_database_refuses_sends_and_nothing_else() {
    sends_are_refused_and_nothing_else(async |server| {
        let mut other = SqliteConnection::connect(&database(server.folder())).await.unwrap();
        other.execute("begin immediate").await.unwrap();
        Some(other)
    })
    .await;
}

/// Tests that need Linux.
#[cfg(target_os = "linux")]
mod linux {
    use std::{
        path::PathBuf,
        process::{Command, Stdio},
    };

    use super::sends_are_refused_and_nothing_else;

    /// No file of this process may grow beyond its limit, until this is dropped.
    struct Full {
        process: u32,
    }

    /// prlimit is part of util-linux.
    fn limit(process: u32, bytes: &str) -> bool {
        let mut prlimit = Command::new("prlimit");
        prlimit.args(["--pid", &process.to_string(), &format!("--fsize={bytes}:")]);
        prlimit.status().is_ok_and(|status| status.success())
    }

    impl Drop for Full {
        fn drop(&mut self) {
            let lifted = limit(self.process, "unlimited");
            assert!(lifted || std::thread::panicking(), "the limit can be lifted again");
        }
    }

    /// A limit on the size of files simulates a full disk: a write fails in the middle.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn a_full_disk_refuses_sends_and_nothing_else() {
        sends_are_refused_and_nothing_else(async |server| {
            let has = std::fs::metadata(server.folder().join("bespoken.db-wal")).unwrap().len();
            let process = server.id();
            assert!(limit(process, &(has + 200_000).to_string()), "prlimit sets limits");
            Some(Full { process })
        })
        .await;
    }

    /// Files that nobody may write to, not even root, until this is dropped.
    struct ReadOnly {
        files: [PathBuf; 2],
    }

    impl ReadOnly {
        fn mark(&self, flag: &str) -> bool {
            let marked = Command::new("chattr").arg(flag).args(&self.files).stderr(Stdio::null()).status();
            marked.is_ok_and(|status| status.success())
        }
    }

    impl Drop for ReadOnly {
        fn drop(&mut self) {
            // Nobody else could remove them.
            self.mark("-i");
        }
    }

    /// Files that may not be written to any more, as after a file system has found an error in itself. A user who may
    /// not set the immutable flag cannot run this test.
    #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
    async fn read_only_files_refuse_sends_and_nothing_else() {
        sends_are_refused_and_nothing_else(async |server| {
            let files = ["bespoken.db", "bespoken.db-wal"].map(|name| server.folder().join(name));
            let read_only = ReadOnly { files };
            if read_only.mark("+i") {
                return Some(read_only);
            }
            println!("not tried: files can be marked as immutable by root only, on a file system that has such a mark");
            None
        })
        .await;
    }
}
