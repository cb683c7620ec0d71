//! Reading and writing in a chat.

use super::{expect_page, hidden};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_has_the_messages_in_it() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.say(chat.id, "Good morning <b>& welcome</b>").await;
    let browser = app.guest_browser(&chat).await;
    let page = browser.get(&format!("/chat/{}", chat.id)).await.expect(200);
    expect_page(&page);
    assert!(page.text.contains("Good morning &lt;b&gt;&amp; welcome&lt;/b&gt;"), "{}", page.text);
    assert!(!page.text.contains("<b>& welcome"), "not as markup");
    assert!(!page.text.contains(&chat.chat_id), "the secret stays out of pages");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_sent_twice_by_the_same_form_is_one() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    let mut admin = app.admin_socket().await;
    admin.join(chat.id).await;

    let client_id = hidden(&browser.get(&path).await.expect(200), "client_id");
    let fields = [("content", "first line\r\nsecond line"), ("client_id", client_id.as_str())];
    for _ in 0..2 {
        let answer = browser.submit(&path, &fields).await.expect(303);
        assert_eq!(answer.header("location"), path);
    }
    assert_ne!(hidden(&browser.get(&path).await, "client_id"), client_id, "the next message is another");
    let message = app.post(&chat.chat_id, chat.id, "second").await;
    assert_eq!((message.seq, message.rev), (2, 3));
    match admin.rev(chat.id, 2).await {
        bespoken::protocol::ServerFrame::NewMessage { message, .. } => {
            assert_eq!(message.content, "first line\nsecond line");
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_text_edited_after_its_form_was_stopped_is_shown_and_can_be_sent() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    let key = hidden(&browser.get(&path).await.expect(200), "client_id");
    browser.submit(&path, &[("content", "first try"), ("client_id", &key)]).await.expect(303);
    for _ in 0..2 {
        let page = browser.submit(&path, &[("content", "second <try>"), ("client_id", &key)]).await.expect(409);
        expect_page(&page);
        assert!(page.text.contains("has not been sent yet"), "{}", page.text);
        assert!(page.text.contains("first try"), "the earlier message is on the page");
        assert!(page.text.contains("second &lt;try>") || page.text.contains("second &lt;try&gt;"), "{}", page.text);
        let next = hidden(&page, "client_id");
        assert_ne!(next, key, "what the page sends next is another message");
        if app.admin().get(&format!("/conversations/{}", chat.id)).await.json()["last_seq"] == 1 {
            browser.submit(&path, &[("content", "second <try>"), ("client_id", &next)]).await.expect(303);
        }
    }
    let messages = app.admin().get(&format!("/conversations/{}/messages", chat.id)).await.json();
    let contents: Vec<_> = messages["items"].as_array().unwrap().iter().map(|item| &item["content"]).collect();
    assert_eq!(contents, ["first try", "second <try>"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_may_have_been_stored_retains_its_key() {
    let app = TestApp::with(|limits| limits.message_chars = 20).await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    let key = hidden(&browser.get(&path).await.expect(200), "client_id");
    let fields = [("content", "far more than twenty characters"), ("client_id", key.as_str())];
    assert_eq!(hidden(&browser.submit(&path, &fields).await.expect(422), "client_id"), key);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_files_in_a_form_that_was_stopped_on_the_way_are_sent_too_and_the_same_are_not_sent_twice() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}/files", chat.id);
    let key = fresh().to_string();
    let send = async |text: &str, files: &[(&str, &str, &[u8])]| {
        browser.submit_files(&path, &[("content", text), ("client_id", &key)], files).await.expect(303);
    };
    let (a, b, c) =
        (("a.txt", "text/plain", &b"a"[..]), ("b.txt", "text/plain", &b"b"[..]), ("a.txt", "text/plain", &b"c"[..]));
    // Each twice, and the second time when the others have been sent.
    for _ in 0..2 {
        send("", &[a]).await;
        send("", &[b]).await;
        send("", &[a, b]).await;
        send("other words", &[a]).await;
        send("", &[c]).await;
    }
    // All at once, as by a double click.
    let twice = [("twice.txt", "text/plain", &b"twice"[..])];
    futures_util::future::join_all((0..3).map(|_| send("", &twice))).await;
    let stored = async || {
        let messages = app.admin().get(&format!("/conversations/{}/messages", chat.id)).await.json();
        let items = messages["items"].as_array().unwrap().clone();
        let names = |item: &serde_json::Value| {
            item["attachments"].as_array().unwrap().iter().map(|file| file["name"].clone()).collect::<Vec<_>>()
        };
        (items.iter().map(names).collect::<Vec<_>>(), items[0]["id"].as_str().unwrap().to_owned())
    };
    let (names, first) = stored().await;
    assert_eq!(names, [&["a.txt"][..], &["b.txt"], &["a.txt", "b.txt"], &["a.txt"], &["a.txt"], &["twice.txt"]]);
    app.admin().delete(&format!("/messages/{first}")).await.expect(200);
    send("", &[a]).await;
    assert_eq!(stored().await.0.len(), 6, "nor when it was deleted since");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_form_is_shown_again_with_the_typed_text() {
    let app = TestApp::with(|limits| limits.message_chars = 20).await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    let long = "far more than twenty characters";
    let page = browser.submit(&path, &[("content", long)]).await.expect(422);
    expect_page(&page);
    assert!(page.text.contains(long), "{}", page.text);
    browser.submit(&path, &[("content", " ")]).await.expect(422);

    app.close(chat.id).await;
    let page = browser.submit(&path, &[("content", "too late")]).await.expect(409);
    expect_page(&page);
    let stored = app.admin().get(&format!("/conversations/{}", chat.id)).await.json();
    assert_eq!(stored["last_seq"], 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_with_files_makes_one_message() {
    let app = TestApp::with(|limits| limits.attachment_bytes = 100_000).await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let browser = app.guest_browser(&chat).await;
    let page = format!("/chat/{}", chat.id);
    let path = format!("{page}/files");
    let picture: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let files: [(&str, &str, &[u8]); 2] =
        [("plan.pdf", "application/pdf", b"%PDF-1.7"), ("a b.png", "image/png", &picture)];
    let client_id = fresh().to_string();
    let fields = [("content", "as discussed"), ("client_id", &client_id)];
    for _ in 0..2 {
        let answer = browser.submit_files(&path, &fields, &files).await.expect(303);
        assert_eq!(answer.header("location"), page);
    }
    let messages = app.admin().get(&format!("/conversations/{}/messages", chat.id)).await.json();
    assert_eq!(messages["items"].as_array().unwrap().len(), 1);
    let message = &messages["items"][0];
    assert_eq!(message["content"], "as discussed");
    let names: Vec<_> = message["attachments"].as_array().unwrap().iter().map(|file| &file["name"]).collect();
    assert_eq!(names, ["plan.pdf", "a b.png"]);
    let address = format!("/attachments/{}", message["attachments"][1]["id"].as_str().unwrap());
    assert_eq!(app.admin().get(&address).await.expect(200).header("content-length"), "100000");
    assert!(browser.get(&page).await.text.contains("plan.pdf"));

    // Without words.
    browser.submit_files(&path, &[], &files[..1]).await.expect(303);

    // A refusal repeats the input, and sends nothing.
    let large = [picture.as_slice(), b"!"].concat();
    let too_large: [(&str, &str, &[u8]); 2] = [("large.bin", "", &large), ("small.txt", "text/plain", b"small")];
    let many: Vec<(&str, &str, &[u8])> = vec![("one.txt", "text/plain", b"1"); 11];
    for (files, status, words) in
        [(&too_large[..], 413, "100000 bytes"), (&many, 422, "10 files"), (&[], 422, "choose a file")]
    {
        let answer = browser.submit_files(&path, &[("content", "Those & these")], files).await.expect(status);
        expect_page(&answer);
        assert!(answer.text.contains(words) && answer.text.contains("Those &amp; these"), "{words}: {}", answer.text);
    }
    // Words that are too many do not go missing beside their files.
    let words = "word ".repeat(60_000);
    browser.submit_files(&path, &[("content", &words)], &files[..1]).await.expect(413);
    // So browsers send a field in which nothing was chosen.
    browser.submit_files(&path, &[], &[("", "application/octet-stream", b"")]).await.expect(422);
    browser.submit(&path, &[("content", "no files")]).await.expect(422);
    browser.submit_files(&format!("/chat/{}/files", other.id), &[], &files[..1]).await.expect(404);
    app.close(chat.id).await;
    browser.submit_files(&path, &[], &files[..1]).await.expect(409);
    let stored = app.admin().get(&format!("/conversations/{}", chat.id)).await.json();
    assert_eq!(stored["last_seq"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_writes_by_form_too() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    let answer = browser.submit(&format!("/chat/{}", chat.id), &[("content", "Good morning")]).await.expect(303);
    assert_eq!(answer.header("location"), format!("/admin?chat={}", chat.id));
    let page = browser.get(answer.header("location")).await.expect(200);
    assert!(page.text.contains("Good morning"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_that_is_none_is_refused() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    for fields in [&[][..], &[("client_id", "mine"), ("content", "a")], &[("text", "hello")]] {
        expect_page(&browser.submit(&path, fields).await.expect(422));
    }
    let much = "x".repeat(400_000);
    expect_page(&browser.submit(&path, &[("content", &much)]).await.expect(413));
}
