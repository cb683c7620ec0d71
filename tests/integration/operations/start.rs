//! Starting a server.

use std::{fs, time::Duration};

use tokio::time::sleep;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_sqlite_file_has_one_server_and_a_second_waits() {
    let dir = tempfile::tempdir().unwrap();
    let [one, two] = ["one", "two"].map(|name| dir.path().join(name));
    fs::create_dir(&one).unwrap();
    fs::create_dir(&two).unwrap();
    let url = format!("sqlite://{}", dir.path().join("chat.db").display());
    let admin = ["admin", "create", "--email", "admin@example.com", "--name", "Admin", "--database-url", &url];
    succeeded(&run_program(&one, &admin, "a password of twelve").await);
    let args = ["--database-url", &url];
    let first = Program::serve(&one, &args, &[]).await;
    let second = Program::serve(&two, &args, &[]);
    tokio::pin!(second);
    let waits = async {
        while !fs::read_to_string(two.join("log")).is_ok_and(|log| log.contains("another server still has")) {
            sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        _ = &mut second => panic!("two serve the same file"),
        () = in_time("the second says that it waits", waits) => {}
    }
    // A command works beside them.
    let token = ["token", "create", "--email", "admin@example.com", "--database-url", &url];
    succeeded(&run_program(&one, &token, "").await);
    first.stop().await;
    let second = second.await;
    Browser::new(&second.url).sign_in("admin@example.com", "a password of twelve").await.expect(303);
}
