//! Hostile uploads: too many, too large, too slow, and files with a false type.

use std::{
    path::Path,
    time::{Duration, SystemTime},
};

use bespoken::domain::Attachment;
use serde_json::json;
use sqlx::{ConnectOptions, sqlite::SqliteConnectOptions};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::*;

/// 1 × 1 pixel.
const PIXEL: &[u8] = &[
    0x89, b'P', b'N', b'G', 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, b'I', b'H', b'D', b'R', 0, 0, 0, 1, 0, 0, 0, 1, 8, 6,
    0, 0, 0, 0x1f, 0x15, 0xc4, 0x89, 0, 0, 0, 13, b'I', b'D', b'A', b'T', 0x78, 0xda, 0x63, 0x64, 0xf8, 0xcf, 0x50,
    0x0f, 0, 0x03, 0x86, 0x01, 0x80, 0x5a, 0x34, 0x7d, 0x6b, 0, 0, 0, 0, b'I', b'E', b'N', b'D', 0xae, 0x42, 0x60,
    0x82,
];
const FILE: &[u8] =
    b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"plan.pdf\"\r\n\r\nThe beginning, and then";

/// A request to put a file into a chat, of which only the beginning was sent.
async fn begin(app: &TestApp, chat: &Chat, length: &str, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(app.address).await.unwrap();
    let head = format!(
        "POST /api/v1/conversations/{}/attachments HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\n\
         content-type: multipart/form-data; boundary=b\r\n{length}\r\n\r\n",
        chat.id, app.address, chat.chat_id
    );
    stream.write_all(head.as_bytes()).await.unwrap();
    stream.write_all(body).await.unwrap();
    stream
}

/// The status that comes although nothing more is sent.
async fn status(stream: &mut TcpStream) -> u16 {
    let mut line = [0; 12];
    in_time("an early answer", stream.read_exact(&mut line)).await.unwrap();
    let line = String::from_utf8(line.to_vec()).unwrap();
    line.strip_prefix("HTTP/1.1 ").unwrap().parse().unwrap()
}

async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    in_time(what, async {
        while !is_so() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    })
    .await;
}

fn unfinished(app: &TestApp) -> usize {
    app.stored_files().iter().filter(|name| name.ends_with(".part")).count()
}

/// Puts a file into the chat as its guest.
async fn upload(app: &TestApp, chat: &Chat, name: &str, declared: &str, bytes: &[u8]) -> Answer {
    let path = format!("/conversations/{}/attachments", chat.id);
    app.api(&chat.chat_id).upload(&path, name, declared, bytes).await
}

/// Sends a file by form.
async fn submit(app: &TestApp, chat: &Chat) -> Answer {
    let browser = app.guest_browser(chat).await;
    browser.submit_files(&format!("/chat/{}/files", chat.id), &[], &[("a", "", b"a")]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unfinished_uploads_are_counted_before_they_are_read() {
    let app = TestApp::with(|limits| (limits.uploads, limits.uploads_network) = (2, 3)).await;
    let (chat, other, third) = (app.open("Oak table").await, app.open("Brass lamp").await, app.open("Bench").await);
    let length = "content-length: 10000000";
    let first = begin(&app, &chat, length, FILE).await;
    let second = begin(&app, &chat, length, FILE).await;
    until("two uploads", || unfinished(&app) == 2).await;
    // Not a byte of these is read.
    assert_eq!(status(&mut begin(&app, &chat, length, b"").await).await, 429);
    upload(&app, &chat, "a.txt", "text/plain", b"a").await.problem(429, "rate_limited");
    let page = submit(&app, &chat).await.expect(429);
    assert!(page.header("retry-after").parse::<u64>().is_ok());

    let last = begin(&app, &other, length, FILE).await;
    until("a third upload", || unfinished(&app) == 3).await;
    let refused = upload(&app, &third, "a.txt", "text/plain", b"a").await.problem(429, "rate_limited");
    assert!(refused["detail"].as_str().unwrap().contains("your network"), "{refused}");

    drop((first, second, last));
    until("the end of what nobody sends any more", || app.stored_files().is_empty()).await;
    for chat in [&chat, &other, &third] {
        upload(&app, chat, "a.txt", "text/plain", b"a").await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_head_of_a_part_that_never_ends_is_refused_early() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let head = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"".iter().copied();
    let beginning: Vec<u8> = head.chain(std::iter::repeat_n(b'a', 32_768)).collect();
    // The other 10 MB never come.
    assert_eq!(status(&mut begin(&app, &chat, "content-length: 10000000", &beginning).await).await, 413);
    let beginning = [format!("{:x}\r\n", beginning.len()).as_bytes(), &beginning, b"\r\n"].concat();
    assert_eq!(status(&mut begin(&app, &chat, "transfer-encoding: chunked", &beginning).await).await, 413);
    // Nor does a beginning before the first part.
    assert_eq!(status(&mut begin(&app, &chat, "content-length: 10000000", &[b' '; 32_768]).await).await, 413);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_is_too_large_is_refused_at_once() {
    let app = TestApp::with(|limits| limits.attachment_bytes = 100_000).await;
    let chat = app.open("Oak table").await;
    assert_eq!(status(&mut begin(&app, &chat, "content-length: 10000000", b"").await).await, 413);
    assert_eq!(status(&mut begin(&app, &chat, "content-length: 100000000000", b"").await).await, 413);
    // Also one that does not say so.
    let piece = [FILE, &[b'a'; 110_000]].concat();
    let piece = [format!("{:x}\r\n", piece.len()).as_bytes(), &piece, b"\r\n"].concat();
    assert_eq!(status(&mut begin(&app, &chat, "transfer-encoding: chunked", &piece).await).await, 413);
    until("nothing", || app.stored_files().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn incomplete_files_of_a_killed_server_are_removed_at_the_next_start() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    upload(&app, &chat, "a.txt", "text/plain", b"a").await.expect(201);
    let kept = app.stored_files().remove(0);
    let folder = app.data.data_dir().join("attachments");
    let old = std::fs::File::create(folder.join("old.part")).unwrap();
    old.set_modified(SystemTime::now() - Duration::from_secs(7_200)).unwrap();
    // Another node may just be writing to this one.
    std::fs::File::create(folder.join("young.part")).unwrap();
    let app = app.stop().await.start().await;
    until("a start", || app.stored_files().len() == 2).await;
    let mut names = app.stored_files();
    names.sort_unstable();
    assert_eq!(names, [kept, "young.part".to_owned()]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_file_of_a_deleted_message_is_off_the_disk_soon() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let guest = app.api(&chat.chat_id);
    let file = app.file(&guest, chat.id, "plan.txt").await;
    let body = json!({ "content": "", "attachment_ids": [file] });
    let sent = guest.post(&format!("/conversations/{}/messages", chat.id), body).await.expect(201).json();
    guest.delete(&format!("/messages/{}", sent["id"].as_str().unwrap())).await.expect(200);
    until("its end", || app.stored_files().is_empty()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_cannot_fill_the_disk() {
    let app = TestApp::with(|limits| {
        (limits.sends, limits.person_bytes, limits.conversation_bytes) = (100_000, 25_000, 70_000);
    })
    .await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/attachments", chat.id);
    let bytes = [7; 10_000];
    for _ in 0..2 {
        upload(&app, &chat, "a.bin", "", &bytes).await.expect(201);
    }
    for _ in 0..3 {
        upload(&app, &chat, "a.bin", "", &bytes).await.problem(429, "rate_limited");
    }
    // What is left can still be used, and what is refused leaves nothing.
    upload(&app, &chat, "a.bin", "", &bytes[..5_000]).await.expect(201);
    upload(&app, &chat, "a.bin", "", b"a").await.problem(429, "rate_limited");
    assert_eq!(app.stored_files().len(), 3);
    // Admins have room for more, and fill the chat.
    for _ in 0..4 {
        app.admin().upload(&path, "a.bin", "", &bytes).await.expect(201);
    }
    app.admin().upload(&path, "a.bin", "", &bytes).await.problem(413, "too_large");
    let page = submit(&app, &chat).await.expect(429);
    assert!(page.text.contains("within a day"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_leave_room_on_the_disk() {
    let app = TestApp::with(|limits| limits.stored_bytes = 25_000).await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    for chat in [&chat, &other] {
        upload(&app, chat, "a.bin", "", &[7; 10_000]).await.expect(201);
    }
    for chat in [&chat, &other] {
        let refused = upload(&app, chat, "a.bin", "", &[7; 10_000]).await.problem(413, "too_large");
        assert!(refused["detail"].as_str().unwrap().contains("no room"), "{refused}");
    }
    assert_eq!(app.stored_files().len(), 2);

    let app = TestApp::with(|limits| limits.free_bytes = u64::MAX).await;
    let chat = app.open("Oak table").await;
    upload(&app, &chat, "a.bin", "", b"a").await.problem(413, "too_large");
    assert!(app.stored_files().is_empty());
}

/// What `GET` of a file says of it: its type, and how it is shown.
async fn served(app: &TestApp, file: &Attachment) -> (String, String) {
    let answer = app.admin().get(&format!("/attachments/{}", file.id)).await.expect(200);
    assert_eq!(
        answer.header("content-security-policy"),
        "sandbox; default-src 'none'; frame-ancestors 'none'",
        "{}",
        file.name
    );
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
    assert_eq!(answer.header("cross-origin-resource-policy"), "same-origin");
    let how = answer.header("content-disposition").split(';').next().unwrap().to_owned();
    (answer.header("content-type").to_owned(), how)
}

const OTHER: &str = "application/octet-stream";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_upload_is_served_as_a_page_a_script_or_a_style() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let html = b"<!doctype html><script>alert(document.domain)</script>";
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\" onload=\"alert(1)\"/>";
    let gif = [b"GIF89a", &b"=1;alert(document.domain)//"[..]].concat();
    for (name, declared, bytes) in [
        ("a.js", "text/javascript", &b"alert(document.domain)"[..]),
        ("sw.js", "application/javascript", b"self.addEventListener('fetch', () => {})"),
        ("a.mjs", "module", b"export default 1"),
        ("a.html", "text/html", html),
        ("a.xhtml", "application/xhtml+xml", b"<html xmlns=\"http://www.w3.org/1999/xhtml\"/>"),
        ("a.svg", "image/svg+xml", svg),
        ("a.xml", "text/xml", b"<?xml version=\"1.0\"?><?xml-stylesheet href=\"a.xsl\"?><a/>"),
        ("a.css", "text/css", b"* { background: url(//evil.example) }"),
        ("a.json", "application/json", b"{}"),
        ("a.wasm", "application/wasm", b"\0asm\x01\0\0\0"),
        ("a.mht", "multipart/related", b"MIME-Version: 1.0"),
        ("a.png", "image/png", html),
        ("a.jpg", "image/jpeg", svg),
        ("a.gif", "image/gif", &gif),
        ("a.png", "image/png", &PIXEL[..PIXEL.len() - 1]),
        ("a.jpg", "image/jpeg", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"),
        ("a.pdf", "application/pdf", html),
        ("a.txt", "text/plain", b"only words"),
    ] {
        let file: Attachment = upload(&app, &chat, name, declared, bytes).await.expect(201).read();
        assert_eq!((&*file.media_type, file.width), (OTHER, None), "{name} as {declared}");
        assert!(!file.is_picture());
        assert_eq!(served(&app, &sent(&app, &chat, file).await).await, (OTHER.into(), "attachment".into()), "{name}");
    }
    for (declared, bytes, kind, how) in [
        ("text/html", PIXEL, "image/png", "inline"),
        ("text/html", b"%PDF-1.7 <script>", "application/pdf", "attachment"),
    ] {
        let file: Attachment = upload(&app, &chat, "a.html", declared, bytes).await.expect(201).read();
        assert_eq!(file.media_type, kind);
        assert_eq!(served(&app, &sent(&app, &chat, file).await).await, (kind.into(), how.into()));
    }
}

/// Sends a file, so that all in the chat may have it.
async fn sent(app: &TestApp, chat: &Chat, file: Attachment) -> Attachment {
    let body = json!({ "content": "", "attachment_ids": [file.id] });
    app.api(&chat.chat_id).post(&format!("/conversations/{}/messages", chat.id), body).await.expect(201);
    file
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn media_types_of_an_older_version_are_not_trusted() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let script: Attachment = upload(&app, &chat, "a.js", "", b"alert(1)").await.expect(201).read();
    let (script, picture) = (sent(&app, &chat, script).await, upload(&app, &chat, "a.png", "", PIXEL).await.read());
    let picture = sent(&app, &chat, picture).await;
    for kind in ["text/javascript", "text/html", "image/png", "image/svg+xml", "application/pdf"] {
        let sql = "update attachments set media_type = $1";
        if let Database::Postgres(database) = &app.data.database {
            sqlx::query(sql).bind(kind).execute(&mut database.superuser().await).await.unwrap();
        } else {
            let path = app.data.dir.path().join("bespoken.db");
            let mut conn = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
            sqlx::query(sql).bind(kind).execute(&mut conn).await.unwrap();
        }
        assert_eq!(served(&app, &script).await, (OTHER.into(), "attachment".into()), "{kind}");
        let expected = if kind == "image/png" { (kind, "inline") } else { (OTHER, "attachment") };
        assert_eq!(served(&app, &picture).await, (expected.0.into(), expected.1.into()), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pictures_lose_their_metadata() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let secret = b"48.8584 N, 2.2945 E";
    let text = [b"tEXtComment\0", &secret[..]].concat();
    let sum = crc32fast::hash(&text).to_be_bytes();
    let chunk = [&(text.len() as u32 - 4).to_be_bytes()[..], &text, &sum].concat();
    let (head, rest) = PIXEL.split_at(33);
    let picture = [head, &chunk, rest, secret].concat();
    let file: Attachment = upload(&app, &chat, "a.png", "", &picture).await.expect(201).read();
    assert_eq!((file.width, file.height, file.size_bytes), (Some(1), Some(1), PIXEL.len() as i64));
    let stored = std::fs::read(app.data.data_dir().join("attachments").join(file.id.to_string())).unwrap();
    assert!(stored == PIXEL);

    // Pages show it, and nothing else, as a picture.
    let heic: Attachment = upload(&app, &chat, "b.png", "image/png", b"\0\0\0\x18ftypheic").await.expect(201).read();
    let (picture, other) = (sent(&app, &chat, file).await, sent(&app, &chat, heic).await);
    let page = app.guest_browser(&chat).await.get(&format!("/chat/{}", chat.id)).await.expect(200).text;
    assert!(page.contains(&format!("src=\"{}\"", picture.preview_address())), "{page}");
    assert!(page.contains(&format!("href=\"{}\"", other.address())), "{page}");
    assert!(!page.contains(&format!("src=\"{}\"", other.address())), "{page}");
}

/// The names of files and folders that others than their owner may read or write, regardless of the umask.
#[cfg(unix)]
fn open_to_others(folder: &Path) -> Vec<String> {
    use std::os::unix::fs::PermissionsExt;
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let (path, mode) = entry.map(|entry| (entry.path(), entry.metadata().unwrap().permissions().mode())).unwrap();
        if mode & 0o077 != 0 {
            found.push(format!("{} {:o}", path.display(), mode & 0o777));
        }
        if path.is_dir() {
            found.extend(open_to_others(&path));
        }
    }
    found
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_for_their_owner_alone() {
    let app = TestApp::start_on(Database::Sqlite).await;
    let chat = app.open("Oak table").await;
    upload(&app, &chat, "a.png", "", PIXEL).await.expect(201);
    let _unfinished = begin(&app, &chat, "content-length: 1000", FILE).await;
    until("an upload", || unfinished(&app) == 1).await;
    app.service.remove_discarded_files().await.unwrap();
    let (folder, data) = (app.data.dir.path(), app.data.data_dir());
    bespoken::service::backup(&app.data.database_url(), data, &folder.join("backup.tar")).await.unwrap();
    app.customer("Cleo").await;
    app.service.export_customer("cleo@example.com", &folder.join("customer.tar")).await.unwrap();
    assert_eq!(open_to_others(folder), [""; 0]);
}
