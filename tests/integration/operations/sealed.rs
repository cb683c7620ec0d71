//! What a thief of the database, the log and a backup finds of a sealed conversation: no plain text, and no key.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bespoken::domain::Message;
use serde_json::json;

use crate::support::*;

/// The names of the files below `folder` that contain `text`, as UTF-8, or as one of the forms that a program stores.
fn files_with(folder: &Path, text: &str) -> Vec<String> {
    let forms = [text.to_owned(), text.to_lowercase(), BASE64URL.encode(text)];
    let (mut folders, mut found) = (vec![folder.to_owned()], Vec::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let bytes = fs::read(&path).unwrap();
            let has = |form: &String| bytes.windows(form.len()).any(|window| window == form.as_bytes());
            if forms.iter().any(has) {
                found.push(path.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    found.sort();
    found
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_log_and_backup_have_no_plain_text() {
    let dir = tempfile::tempdir().unwrap();
    let args = ["admin", "create", "--email", "admin@example.com", "--name", "Admin"];
    succeeded(&run_program(dir.path(), &args, PASSWORD).await);
    let token = succeeded(&run_program(dir.path(), &["token", "create", "--email", "admin@example.com"], "").await);
    let all = ("RUST_LOG", "warn,bespoken=trace");
    let server = Program::serve(dir.path(), &[], &[all]).await;
    let admin = Api::new(&server.url, Sign::Token(token.trim().to_owned()));
    let chat =
        admin.post("/conversations", json!({ "customer_name": "Cleo", "sealed": true })).await.expect(201).json();
    let room = serde_json::from_value(chat["id"].clone()).unwrap();
    let chat_id = chat["link"].as_str().unwrap().split_once("chatId=").unwrap().1.to_owned();
    let key = SealKey::new(room);
    let (first, second, quoted) = ("marmalade sandwiches", "ginger biscuits", "rhubarb crumble");

    let mut guest = Ws::with_token(&server.url, &chat_id).await.unwrap();
    guest.join(room).await;
    let sent = guest.post(room, &key.seal(first)).await;
    let edit = guest.edit(room, sent.id, &key.seal(second)).await;
    guest.ack(edit).await;
    let path = format!("/conversations/{room}/messages");
    let reply = json!({ "content": key.seal(quoted), "reply_to": sent.id });
    let reply: Message = admin.post(&path, reply).await.expect(201).read();
    admin.get("/search?q=crumble").await.expect(200);
    admin.get(&format!("/conversations/{room}/transcript")).await.expect(200);
    // What an ordinary chat has shows that the search below finds what is there.
    let plain = admin.post("/conversations", json!({ "customer_name": "Plain" })).await.expect(201).json();
    let plain = format!("/conversations/{}/messages", plain["id"].as_str().unwrap());
    admin.post(&plain, json!({ "content": "treacle tart" })).await.expect(201);

    succeeded(&run_program(dir.path(), &["backup", "backup.tar"], "").await);
    server.stop().await;
    for text in [first, second, quoted] {
        assert_eq!(files_with(dir.path(), text), [""; 0], "{text}");
    }
    let stored = files_with(dir.path(), &reply.content);
    assert!(stored.iter().any(|file| file.starts_with("bespoken.db")), "{stored:?}");
    assert!(stored.contains(&"backup.tar".to_owned()), "{stored:?}");
    let known = files_with(dir.path(), "treacle tart");
    assert!(known.len() >= 2 && known.contains(&"backup.tar".to_owned()), "{known:?}");
    assert_eq!(key.open(&reply.content), quoted);
}
