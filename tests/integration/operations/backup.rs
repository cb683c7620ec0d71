//! Backup while the server runs, and restore while it does not.

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use bespoken::{
    domain::{Actor, Attachment},
    protocol::ClientFrame,
    service::{NewMessage, backup, restore},
    storage::{StoreError, sqlite::SqliteStore},
};
use reqwest::Method;
use serde_json::json;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::support::*;

/// Every file below a folder with its content, but for locks, which say nothing.
fn everything(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|extension| extension != "lock") {
                files.insert(path.display().to_string(), fs::read(&path).unwrap());
            }
        }
    }
    files
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_backup_under_load_has_all_that_was_acknowledged() {
    let app = TestApp::start_on(Database::Sqlite).await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/messages", chat.id);
    let guest = app.api(&chat.chat_id);
    for name in ["plan.txt", "photo.txt"] {
        let file = app.file(&guest, chat.id, name).await;
        guest.post(&path, json!({ "content": "", "attachment_ids": [file] })).await.expect(201);
    }

    // Several people continuously write, and delete their messages with their files.
    let (acknowledged, is_over) = (Arc::new(AtomicUsize::new(2)), Arc::new(AtomicBool::new(false)));
    let load: Vec<_> = (0..4)
        .map(|_| {
            let (service, actor, room) = (app.service.clone(), app.actor(), chat.id);
            let (acknowledged, is_over) = (acknowledged.clone(), is_over.clone());
            tokio::spawn(async move {
                while !is_over.load(Ordering::SeqCst) {
                    let file = put_file(&service, &actor, room).await;
                    let posted = service
                        .post_message(
                            &actor,
                            room,
                            NewMessage { attachment_ids: vec![file], ..NewMessage::text("hello") },
                        )
                        .await
                        .unwrap();
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                    service.delete_message(&actor, None, posted.message.id).await.unwrap();
                    service.remove_discarded_files().await.unwrap();
                }
            })
        })
        .collect();
    let backups = tempfile::tempdir().unwrap();
    in_time("some messages", async {
        while acknowledged.load(Ordering::SeqCst) < 20 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    let before = acknowledged.load(Ordering::SeqCst);
    let file = backups.path().join("one.tar");
    let contents = backup(&app.data.database_url(), app.data.data_dir(), &file).await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    for worker in load {
        worker.await.unwrap();
    }
    assert_eq!(contents.missing, 0, "no file was removed under it");
    assert_eq!(fs::read_dir(backups.path()).unwrap().count(), 1, "and nothing else is left there");

    let mut old = app.guest_socket(&chat).await;
    let old_head = old.join(chat.id).await.head;
    let (old_epoch, link) = (old.epoch, chat.chat_id.clone());
    let data = app.stop().await;
    let app = data.restored(&file).await.start().await;
    let (_, messages) = app.service.transcript(&app.actor(), chat.id).await.unwrap();
    assert!(messages.len() >= before, "{} of {before}", messages.len());
    assert!(messages.iter().zip(1..).all(|(message, seq)| message.seq == seq));
    for (message, name) in messages.iter().zip(["plan.txt", "photo.txt"]) {
        let path = format!("/attachments/{}", message.attachments[0].id);
        assert_eq!(app.admin().get(&path).await.expect(200).text, name);
    }
    let still_there: Vec<&Attachment> = messages.iter().flat_map(|message| &message.attachments).collect();
    for file in still_there {
        app.service.attachment(&app.actor(), file.id).await.unwrap();
    }

    // The link opens as before, and a client of the old history has to begin anew.
    let mut ws = app.socket(&link).await;
    assert_ne!(ws.epoch, old_epoch);
    ws.send(ClientFrame::JoinRequest { room: chat.id, after: Some(old_head), epoch: Some(old_epoch), sender: None })
        .await;
    assert_eq!(ws.resync().await, chat.id);
    assert_eq!(ws.join(chat.id).await.messages.last().unwrap().seq, messages.len() as i64);
    assert!(
        app.admin().get(&format!("/conversations/{}", chat.id)).await.json()["link"].as_str().unwrap().contains(&link)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_backup_changes_nothing() {
    let app = TestApp::start_on(Database::Sqlite).await;
    let chat = app.open("Oak table").await;
    let file = app.file(&app.admin(), chat.id, "plan.txt").await;
    let body = json!({ "content": "look", "attachment_ids": [file] });
    app.admin().post(&format!("/conversations/{}/messages", chat.id), body).await.expect(201);
    let backups = tempfile::tempdir().unwrap();
    let sound = backups.path().join("sound.tar");
    let (url, data_dir) = (app.data.database_url(), app.data.data_dir().to_owned());
    backup(&url, &data_dir, &sound).await.unwrap();
    assert!(backup(&url, &data_dir, &sound).await.unwrap_err().to_string().contains("exists already"));
    let bytes = fs::read(&sound).unwrap();

    let in_use = restore(&url, &data_dir, &sound).await.unwrap_err().to_string();
    assert!(in_use.contains("is in use: stop the server first"), "{in_use}");
    app.say(chat.id, "The server goes on").await;
    let data = app.stop().await;
    let before = everything(data.dir.path());

    let newer = backups.path().join("newer.db");
    fs::copy(data.dir.path().join("bespoken.db"), &newer).unwrap();
    let mut conn = SqliteConnectOptions::new().filename(&newer).connect().await.unwrap();
    sqlx::query("update meta set needs_level = 9999").execute(&mut conn).await.unwrap();
    conn.close().await.unwrap();
    let newer_dir = tempfile::tempdir().unwrap();
    let newer_tar = archive(&bytes, &fs::read(&newer).unwrap());

    // The archive ends with two empty blocks; without those it still holds everything.
    let end = bytes.len() - 1_024;
    let mut candidates: Vec<(String, Vec<u8>)> = [0, 1, 511, 512, 1_024, 5_000, end / 2, end - 1_000, end - 512]
        .map(|length| (format!("cut to {length} bytes"), bytes[..length].to_vec()))
        .into();
    // Within the database: what lies between the parts of an archive means nothing.
    for at in (1_700..end - 4_000).step_by(end / 7) {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        candidates.push((format!("byte {at} is another"), bytes));
    }
    candidates.push(("a text".to_owned(), b"This is no backup. ".repeat(100)));
    candidates.push(("needs a newer program".to_owned(), newer_tar));
    for (what, bytes) in candidates {
        let damaged = newer_dir.path().join("damaged.tar");
        fs::write(&damaged, bytes).unwrap();
        let error = restore(&url, &data_dir, &damaged).await.expect_err(&what).to_string();
        assert!(error.contains("is not a sound backup"), "{what}: {error}");
        assert!(everything(data.dir.path()) == before, "{what}: something was changed");
    }
    let none = restore(&url, &data_dir, &backups.path().join("none.tar")).await.unwrap_err().to_string();
    assert!(none.starts_with("cannot open"), "{none}");
    assert!(everything(data.dir.path()) == before);
    SqliteStore::open(&url).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_stay_while_a_backup_is_made() {
    let app = TestApp::start_on(Database::Sqlite).await;
    let chat = app.open("Oak table").await;
    let file = app.file(&app.admin(), chat.id, "plan.txt").await;
    let body = json!({ "content": "look", "attachment_ids": [file] });
    let path = format!("/conversations/{}/messages", chat.id);
    let message = app.admin().post(&path, body).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    let on_disk = app.data.data_dir().join("attachments").join(file.to_string());
    let lock = app.data.data_dir().join("attachments.lock");
    let lock = fs::File::options().create(true).truncate(false).write(true).open(lock).unwrap();
    lock.lock_shared().unwrap();
    app.admin().delete(&format!("/messages/{message}")).await.expect(200);
    assert!(!app.service.remove_discarded_files().await.unwrap());
    assert!(on_disk.exists());
    lock.unlock().unwrap();
    assert!(app.service.remove_discarded_files().await.unwrap());
    assert!(!on_disk.exists());
}

/// A backup with another database in it, and the sums that go with it.
fn archive(backup: &[u8], database: &[u8]) -> Vec<u8> {
    use sha2::Digest;
    let mut tar = tar::Builder::new(Vec::new());
    let mut sums = String::new();
    let mut append = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        tar.append_data(&mut header, name, content).unwrap();
        let sum: String = sha2::Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect();
        sums.push_str(&format!("{sum}  {name}\n"));
        sums.clone()
    };
    for entry in tar::Archive::new(backup).entries().unwrap() {
        let mut entry = entry.unwrap();
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut content).unwrap();
        match entry.path().unwrap().to_str().unwrap() {
            "bespoken.db" => drop(append("bespoken.db", database)),
            "SHA256SUMS" => {}
            name => drop(append(name, &content)),
        }
    }
    let all = append("empty", b"");
    let all = all.lines().filter(|line| !line.ends_with("  empty")).map(|line| format!("{line}\n")).collect::<String>();
    drop(append("SHA256SUMS", all.as_bytes()));
    tar.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn previous_files_are_renamed_and_an_interrupted_restore_is_reported() {
    let app = TestApp::start_on(Database::Sqlite).await;
    let chat = app.open("Oak table").await;
    app.say(chat.id, "in the backup").await;
    let backups = tempfile::tempdir().unwrap();
    let file = backups.path().join("backup.tar");
    let (url, data_dir) = (app.data.database_url(), app.data.data_dir().to_owned());
    backup(&url, &data_dir, &file).await.unwrap();
    app.say(chat.id, "after it").await;
    let data = app.stop().await;

    let (_, aside) = restore(&url, &data_dir, &file).await.unwrap();
    let kept = format!("{url}{aside}");
    let app = data.start().await;
    let contents = async |app: &TestApp| -> Vec<String> {
        let (_, messages) = app.service.transcript(&app.actor(), chat.id).await.unwrap();
        messages.into_iter().map(|message| message.content).collect()
    };
    assert_eq!(contents(&app).await, ["in the backup"]);
    let data = app.stop().await;
    let old = SqliteStore::open(&kept).await.unwrap();
    let page = bespoken::storage::Store::list_before(&old, &Actor::Admin(data.admin.clone()), chat.id, None, 10).await;
    assert_eq!(page.unwrap().messages.len(), 2);

    // As a crash leaves it that comes between the check and the end.
    fs::write(data.dir.path().join("bespoken.db.restoring"), "").unwrap();
    match SqliteStore::open(&url).await {
        Err(StoreError::Unfit(sentence)) => assert!(sentence.contains("interrupted"), "{sentence}"),
        _ => panic!("it was opened"),
    }
    restore(&url, &data_dir, &file).await.unwrap();
    let app = data.start().await;
    assert_eq!(contents(&app).await, ["in the backup"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn by_the_command_line() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    let none = refused(&run_program(at, &["backup", "none.tar"], "").await);
    assert!(none.contains("there is no database"), "{none}");
    assert!(!at.join("none.tar").exists());
    let args = ["admin", "create", "--email", "admin@example.com", "--name", "Admin"];
    succeeded(&run_program(at, &args, PASSWORD).await);
    let server = Program::serve(at, &[], &[]).await;
    succeeded(&run_program(at, &["backup", "backup.tar"], "").await);
    assert!(refused(&run_program(at, &["restore", "backup.tar"], "").await).contains("stop the server first"));
    let browser = Browser::new(&server.url);
    browser.sign_in("admin@example.com", PASSWORD).await.expect(303);
    server.stop().await;
    assert!(succeeded(&run_program(at, &["restore", "backup.tar"], "").await).contains("the previous ones are now"));
    let server = Program::serve(at, &[], &[]).await;
    let ready = Answer::to(Api::new(&server.url, Sign::Nothing).request_to(Method::GET, "/readyz")).await;
    ready.expect(200);
    let postgres = ["backup", "--database-url", "postgres://localhost/none", "b.tar"];
    assert!(refused(&run_program(at, &postgres, "").await).contains("pg_dump"));
}
