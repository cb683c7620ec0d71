//! Admins without JavaScript.

use reqwest::header::{ACCEPT_ENCODING, CONTENT_ENCODING};

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dashboard_is_for_admins() {
    use bespoken::domain::Role;
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let page = app.admin_browser().await.get("/admin").await.expect(200);
    expect_page(&page);
    assert!(page.text.contains("Oak table"));

    for browser in [app.browser(), app.guest_browser(&chat).await] {
        let answer = browser.get(&format!("/admin?chat={}", chat.id)).await.expect(303);
        assert_eq!(answer.header("location"), format!("/login?next=/admin%3Fchat%3D{}", chat.id));
    }
    app.service.create_user("customer@example.com", "Customer", PASSWORD, Role::Customer).await.unwrap();
    let customer = app.browser();
    customer.sign_in("customer@example.com", PASSWORD).await.expect(303);
    customer.get("/admin").await.expect(404);
    customer.get("/account").await.expect(200);
}

/// The size of a compressed page tells whether words of its address occur in a link on it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_with_links_is_compressed_only_if_its_address_varies_nothing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    let is_compressed = async |path: &str| {
        let request = browser.http.get(format!("{}{path}", browser.url)).header(ACCEPT_ENCODING, "gzip");
        let answer = Answer::to(request).await.expect(200);
        answer.headers.contains_key(CONTENT_ENCODING)
    };
    let id = chat.id;
    for address in ["/admin".to_owned(), format!("/admin?chat={id}"), format!("/admin?chat={id}&status=open")] {
        assert!(is_compressed(&address).await, "{address}");
    }
    for more in ["q=oak", "status=oak", "before=1", "x=oak", "oak"] {
        assert!(!is_compressed(&format!("/admin?chat={id}&{more}")).await, "{more}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_is_opened_closed_and_reopened_by_form() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let fields = [("customer_name", "Oak table"), ("customer_email", ""), ("first_message", "Good morning")];
    let opened = browser.submit("/admin/chats", &fields).await.expect(303);
    let id = opened.header("location").strip_prefix("/admin?chat=").expect("leads to the chat").to_owned();
    let page = browser.get(opened.header("location")).await.expect(200);
    expect_page(&page);
    assert!(page.text.contains("Good morning") && page.text.contains("/chat?chatId="), "{}", page.text);

    let status = async || app.admin().get(&format!("/conversations/{id}")).await.json()["status"].clone();
    for (act, now) in [("close", "closed"), ("close", "closed"), ("reopen", "open")] {
        let answer = browser.submit(&format!("/admin/chats/{id}/{act}"), &[]).await.expect(303);
        assert_eq!(answer.header("location"), format!("/admin?chat={id}"));
        assert_eq!(status().await, now);
    }
    let link = async || app.admin().get(&format!("/conversations/{id}")).await.json()["link"].clone();
    let before = link().await;
    browser.submit(&format!("/admin/chats/{id}/link"), &[]).await.expect(303);
    assert_ne!(link().await, before);
    browser.submit(&format!("/admin/chats/{id}/revoke"), &[]).await.expect(303);
    assert!(link().await.is_null());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_chat_shows_the_typed_text_again() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let fields = [("customer_name", "Oak table"), ("customer_email", "nobody"), ("first_message", "Good morning")];
    let page = browser.submit("/admin/chats", &fields).await.expect(422);
    expect_page(&page);
    for (_, value) in fields {
        assert!(page.text.contains(value), "{value} in {}", page.text);
    }
    assert_eq!(app.admin().get("/conversations").await.json()["items"].as_array().unwrap().len(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_admins_perform_admin_actions() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let acts = ["close", "reopen", "link", "revoke"].map(|act| format!("/admin/chats/{}/{act}", chat.id));
    for (browser, status) in [(app.browser(), 401), (app.guest_browser(&chat).await, 403)] {
        for path in acts.iter().map(String::as_str).chain(["/admin/chats"]) {
            expect_page(&browser.submit(path, &[("customer_name", "Mine")]).await.expect(status));
        }
    }
    let shown = app.admin().get(&format!("/conversations/{}", chat.id)).await.json();
    assert_eq!((&shown["head"], &shown["link"]), (&1.into(), &chat.conversation.link.clone().into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unknown_address_shows_a_not_found_page() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    for path in [
        "/nothing".to_owned(),
        "/admin?chat=1".to_owned(),
        format!("/admin?chat={}", fresh()),
        "/chat/1".to_owned(),
        format!("/chat/{}", fresh()),
    ] {
        expect_page(&browser.get(&path).await.expect(404));
    }
    for path in ["/admin/chats/1/close", "/admin/chats/1/reopen", "/admin/chats/1/link", "/admin/chats/1/revoke"] {
        expect_page(&browser.submit(path, &[]).await.expect(404));
    }
    let path = format!("/admin/chats/{}/close", fresh());
    expect_page(&browser.submit(&path, &[]).await.expect(404));
}
