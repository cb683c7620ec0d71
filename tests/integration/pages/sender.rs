//! A form that was opened by one person and is sent after another has signed in in the same browser.

use super::{expect_page, hidden};
use crate::support::*;

const TEXT: &str = "Between <you> & me\nonly";

async fn expect_not_sent(app: &TestApp, chat: &Chat, answer: &Answer) {
    expect_page(answer);
    assert!(answer.text.contains("Your message was not sent"), "{}", answer.text);
    assert!(answer.text.contains("Between &lt;you&gt; &amp; me\nonly"), "nothing is lost: {}", answer.text);
    assert!(!answer.text.contains("<textarea"), "it is not one key away from being sent by the other");
    let stored = app.admin().get(&format!("/conversations/{}/messages", chat.id)).await.json();
    assert_eq!(stored["items"].as_array().unwrap().len(), 0, "{stored}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guests_form_is_not_sent_by_the_admin_who_signed_in_since() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    let page = browser.get(&path).await.expect(200);
    let sender = hidden(&page, "as");
    browser.sign_in("admin@example.com", PASSWORD).await.expect(303);
    let fields = [("client_id", hidden(&page, "client_id")), ("as", sender), ("content", TEXT.to_owned())];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    expect_not_sent(&app, &chat, &browser.submit(&path, &fields).await.expect(403)).await;

    let files = [("plan.txt", "text/plain", &b"of oak"[..])];
    let answer = browser.submit_files(&format!("{path}/files"), &fields, &files).await.expect(403);
    expect_not_sent(&app, &chat, &answer).await;
    for nobody in ["me", "", "00000000-0000-0000-0000-000000000000"] {
        let fields = [("as", nobody), ("content", TEXT)];
        let answer = browser.submit_files(&format!("{path}/files"), &fields, &files).await.expect(403);
        expect_not_sent(&app, &chat, &answer).await;
    }
    let kept = std::fs::read_dir(app.data.data_dir().join("attachments")).map_or(0, Iterator::count);
    assert_eq!(kept, 0, "nor is a file kept in the wrong name");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admins_form_is_not_sent_by_the_guest_who_opened_a_link_since() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    let page = browser.get(&format!("/admin?chat={}", chat.id)).await.expect(200);
    let sender = hidden(&page, "as");
    browser.submit("/logout", &[]).await.expect(303);
    browser.get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
    let path = format!("/chat/{}", chat.id);
    let answer = browser.submit(&path, &[("as", &sender), ("content", TEXT)]).await.expect(403);
    expect_not_sent(&app, &chat, &answer).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_of_a_person_without_access_is_not_sent() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let path = format!("/chat/{}", chat.id);
    let sender = hidden(&app.guest_browser(&chat).await.get(&path).await.expect(200), "as");
    let fields = [("as", sender.as_str()), ("content", TEXT)];
    for browser in [app.browser(), app.guest_browser(&other).await] {
        let answer = browser.submit(&path, &fields).await.expect(403);
        expect_not_sent(&app, &chat, &answer).await;
        let of_none = browser.submit(&format!("/chat/{}", fresh()), &fields).await.expect(403);
        assert_eq!(without_nonces(&of_none), without_nonces(&answer), "nor does it tell which chats there are");
    }
}

/// The page without the parts that differ in each answer.
fn without_nonces(page: &Answer) -> String {
    page.text.split("nonce=\"").map(|part| part.split_once('"').map_or(part, |(_, rest)| rest)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_is_sent_by_whom_it_was_opened() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for (browser, at) in [(app.guest_browser(&chat).await, "/chat/"), (app.admin_browser().await, "/admin?chat=")] {
        let page = browser.get(&format!("{at}{}", chat.id)).await.expect(200);
        let fields = [("as", hidden(&page, "as")), ("content", "mine".to_owned())];
        let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
        browser.submit(&format!("/chat/{}", chat.id), &fields).await.expect(303);
        let files = [("plan.txt", "text/plain", &b"of oak"[..])];
        browser.submit_files(&format!("/chat/{}/files", chat.id), &fields, &files).await.expect(303);
    }
}
