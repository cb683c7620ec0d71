//! Files: put into a conversation, sent, fetched.

use bespoken::domain::Message;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_goes_with_a_message_and_outlives_a_restart() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}", chat.id));
    let bytes: Vec<u8> = b"%PDF-1.7".iter().copied().chain((0..=255).cycle()).take(100_000).collect();
    let put = guest.upload(&format!("{path}/attachments"), "plan.pdf", "text/html", &bytes).await.expect(201);
    assert_eq!(members(&put.json()), ["id", "media_type", "name", "size_bytes"]);
    let file = put.json();
    assert_eq!((&file["name"], &file["media_type"]), (&json!("plan.pdf"), &json!("application/pdf")));
    assert_eq!(file["size_bytes"], 100_000);
    let address = format!("/attachments/{}", file["id"].as_str().unwrap());
    guest.get(&address).await.expect(200);
    app.admin().get(&address).await.problem(404, "not_found");

    let body = json!({ "content": "", "attachment_ids": [file["id"]], "client_id": fresh() });
    let sent = guest.post(&format!("{path}/messages"), body.clone()).await.expect(201);
    assert_eq!((&sent.json()["content"], &sent.json()["attachments"]), (&json!(""), &json!([file])));
    let again = guest.post(&format!("{path}/messages"), body).await.expect(200);
    assert_eq!(again.json(), sent.json());
    let shown = app.admin().get(&path).await.json();
    assert_eq!((&shown["last_message"], &shown["last_seq"]), (&json!("plan.pdf"), &json!(1)));

    let app = app.stop().await.start().await;
    let request = app.admin().request(Method::GET, &address);
    let fetched = request.send().await.unwrap();
    assert_eq!(fetched.status(), 200);
    let header = |name| fetched.headers()[name].to_str().unwrap();
    assert_eq!((header("content-type"), header("content-length")), ("application/pdf", "100000"));
    assert_eq!(header("content-disposition"), "attachment; filename*=UTF-8''plan.pdf");
    assert_eq!((header("x-content-type-options"), header("cache-control")), ("nosniff", "private, no-cache"));
    assert!(header("content-security-policy").contains("default-src 'none'"));
    assert_eq!(in_time("the file", fetched.bytes()).await.unwrap(), bytes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn names_of_files_are_only_names() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/attachments", chat.id);
    for (given, kept, told) in [
        ("../../etc/passwd", "passwd", "passwd"),
        ("C:\\\\Plans\\\\first draft.txt", "first draft.txt", "first%20draft.txt"),
        ("größe; x=y.txt", "größe; x=y.txt", "gr%C3%B6%C3%9Fe%3B%20x%3Dy.txt"),
        ("", "file", "file"),
    ] {
        let put = app.admin().upload(&path, given, "text/plain", b"a").await.expect(201).json();
        assert_eq!(put["name"], kept);
        let fetched = app.admin().get(&format!("/attachments/{}", put["id"].as_str().unwrap())).await.expect(200);
        assert_eq!(fetched.header("content-disposition"), format!("attachment; filename*=UTF-8''{told}"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_large_a_file_is_rejected_with_the_reason() {
    let app = TestApp::with(|limits| limits.attachment_bytes = 1_000_000).await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/attachments", chat.id));
    guest.upload(&path, "most.bin", "application/octet-stream", &[7; 1_000_000]).await.expect(201);
    for bytes in [1_000_001, 1_200_000, 5_000_000] {
        let answer = guest.upload(&path, "more.bin", "application/octet-stream", &vec![7; bytes]).await;
        answer.problem(413, "too_large");
    }
    assert_eq!(app.stored_files().len(), 1, "nothing is left of what was refused");
    guest.upload(&path, "none.png", "image/png", &[]).await.problem(422, "invalid");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_takes_ten_files() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/messages", chat.id));
    let mut files = Vec::new();
    for n in 0..11 {
        files.push(app.file(&guest, chat.id, &format!("{n}.txt")).await);
    }
    let problem = guest.post(&path, json!({ "content": "all", "attachment_ids": files })).await.problem(422, "invalid");
    assert_eq!(problem["field"], "attachment_ids");
    files.pop();
    files.reverse();
    let sent: Message = guest.post(&path, json!({ "content": "", "attachment_ids": files })).await.expect(201).read();
    assert_eq!(sent.attachments.iter().map(|file| file.id).collect::<Vec<_>>(), files);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_one_has_not_put_there_are_not_sent() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let guest = app.api(&chat.chat_id);
    let path = format!("/conversations/{}/messages", chat.id);
    let mine = app.file(&guest, chat.id, "mine.txt").await;
    let of_admin = app.file(&app.admin(), chat.id, "admin.txt").await;
    let elsewhere = app.file(&app.api(&other.chat_id), other.id, "elsewhere.txt").await;
    for files in [json!([of_admin]), json!([elsewhere]), json!([mine, mine]), json!([fresh()]), json!([mine, of_admin])]
    {
        let body = json!({ "content": "look", "attachment_ids": files });
        let problem = guest.post(&path, body).await.problem(422, "invalid");
        assert_eq!(problem["field"], "attachment_ids");
    }
    guest.post(&path, json!({ "content": "look", "attachment_ids": ["1"] })).await.problem(422, "invalid");
    guest.post(&path, json!({ "content": " ", "attachment_ids": [] })).await.problem(422, "invalid");
    let sent: Message =
        guest.post(&path, json!({ "content": "look", "attachment_ids": [mine] })).await.expect(201).read();
    guest.post(&path, json!({ "content": "again", "attachment_ids": [mine] })).await.problem(422, "invalid");

    let address = format!("/attachments/{mine}");
    app.admin().get(&address).await.expect(200);
    app.api(&other.chat_id).get(&address).await.problem(404, "not_found");
    app.nobody().get(&address).await.problem(401, "unauthorized");
    app.admin().get("/attachments/1").await.problem(404, "not_found");
    guest.delete(&format!("/messages/{}", sent.id)).await.expect(200);
    for api in [&guest, &app.admin()] {
        api.get(&address).await.problem(404, "not_found");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_invalid_file_is_rejected() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/attachments", chat.id);
    let post = || app.admin().request(Method::POST, &path);
    for request in [
        post(),
        post().json(&json!({ "file": "a" })),
        post().body("file"),
        post().header("content-type", "multipart/form-data").body("no boundary"),
        post().header("content-type", "multipart/form-data; boundary=a").body("--a\r\nbroken"),
        multipart(post(), "picture", "a.png", "image/png", b"a"),
    ] {
        Answer::to(request).await.problem(422, "invalid");
    }
    assert_eq!(app.admin().get(&format!("/conversations/{}", chat.id)).await.json()["head"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_are_put_where_one_may_write() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let guest = app.api(&chat.chat_id);
    let put = async |api: &Api, id: String| {
        api.upload(&format!("/conversations/{id}/attachments"), "a.txt", "text/plain", b"a").await
    };
    put(&app.nobody(), chat.id.to_string()).await.problem(401, "unauthorized");
    for id in [other.id.to_string(), fresh().to_string(), "1".to_owned()] {
        put(&guest, id).await.problem(404, "not_found");
    }
    app.close(chat.id).await;
    for api in [&guest, &app.admin()] {
        put(api, chat.id.to_string()).await.problem(409, "closed");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_count_as_sends() {
    let app = TestApp::with(|limits| limits.sends = 2).await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/attachments", chat.id));
    let start = std::time::Instant::now();
    let mut statuses: Vec<Value> = Vec::new();
    for _ in 0..3 {
        statuses.push(guest.upload(&path, "a.txt", "text/plain", b"a").await.status.into());
    }
    // On a machine so slow that the first no longer counts there is nothing to see.
    if start.elapsed().as_secs() < 10 {
        assert_eq!(statuses, [201, 201, 429]);
    }
}

/// A picture of one colour, as JPEG.
fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::from_pixel(width, height, [30, 120, 60].into())
        .write_to(&mut bytes, image::ImageFormat::Jpeg)
        .unwrap();
    bytes.into_inner()
}

async fn fetched(api: &Api, path: &str) -> (reqwest::header::HeaderMap, Vec<u8>) {
    let answer = api.request(Method::GET, path).send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    (answer.headers().clone(), in_time("the file", answer.bytes()).await.unwrap().to_vec())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_large_picture_has_a_preview_until_it_is_removed() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Another").await);
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}", chat.id));
    let files = format!("{path}/attachments");
    let put = async |name: &str, bytes: &[u8]| {
        let file = guest.upload(&files, name, "image/jpeg", bytes).await.expect(201).json();
        format!("/attachments/{}", file["id"].as_str().unwrap())
    };
    let large = put("alcove.jpg", &jpeg(1_600, 1_200)).await;
    let preview = format!("{large}?size=preview");
    let (headers, bytes) = fetched(&guest, &preview).await;
    assert_eq!(headers["content-type"], "image/jpeg");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
    assert_eq!(headers["cache-control"], "private, no-cache");
    let shown = image::load_from_memory(&bytes).unwrap();
    assert_eq!((shown.width(), shown.height()), (640, 480));
    assert_eq!(fetched(&guest, &preview).await.1, bytes, "the second time as well");
    app.api(&other.chat_id).get(&preview).await.problem(404, "not_found");
    app.admin().get(&preview).await.problem(404, "not_found");
    app.nobody().get(&preview).await.problem(401, "unauthorized");
    guest.get(&format!("{large}?size=huge")).await.problem(422, "invalid");

    let small = jpeg(64, 48);
    let address = put("icon.jpg", &small).await;
    assert_eq!(fetched(&guest, &format!("{address}?size=preview")).await.1, small, "is its own preview");
    let text = put("plan.txt", b"plan").await;
    guest.get(&format!("{text}?size=preview")).await.problem(404, "not_found");

    let id = large.rsplit('/').next().unwrap();
    let message = json!({ "content": "", "attachment_ids": [id] });
    let message: Message = guest.post(&format!("{path}/messages"), message).await.expect(201).read();
    let size = (message.attachments[0].width, message.attachments[0].height);
    assert_eq!(size, (Some(1_600), Some(1_200)));
    fetched(&app.admin(), &preview).await;
    let on_disk = app.data.data_dir().join("previews").join(id);
    assert!(on_disk.exists());
    guest.delete(&format!("/messages/{}", message.id)).await.expect(200);
    app.service.remove_discarded_files().await.unwrap();
    assert!(!on_disk.exists());
    guest.get(&preview).await.problem(404, "not_found");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn parts_of_a_file_are_fetched_by_range() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let guest = app.api(&chat.chat_id);
    let files = format!("/conversations/{}/attachments", chat.id);
    let bytes: Vec<u8> = (0..=255).cycle().take(1_000).collect();
    let file = guest.upload(&files, "sound.bin", "audio/mpeg", &bytes).await.expect(201).json();
    let address = format!("/attachments/{}", file["id"].as_str().unwrap());
    for (range, part, content_range) in [
        ("bytes=10-19", Some(10..20), "bytes 10-19/1000"),
        ("bytes=990-", Some(990..1_000), "bytes 990-999/1000"),
        ("bytes=-5", Some(995..1_000), "bytes 995-999/1000"),
        ("bytes=1000-", None, "bytes */1000"),
    ] {
        let answer = guest.request(Method::GET, &address).header("range", range).send().await.unwrap();
        assert_eq!(answer.status(), if part.is_some() { 206 } else { 416 }, "{range}");
        assert_eq!(answer.headers()["content-range"], content_range);
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().starts_with("sandbox"));
        let content = in_time("the part", answer.bytes()).await.unwrap();
        if let Some(part) = part {
            assert_eq!(content, bytes[part]);
        }
    }
    let whole = guest.request(Method::GET, &address).send().await.unwrap();
    assert_eq!((whole.headers()["accept-ranges"].to_str().unwrap(), whole.content_length()), ("bytes", Some(1_000)));
}
