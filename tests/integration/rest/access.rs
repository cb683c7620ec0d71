//! Authentication and origin of calls.

use reqwest::{Method, RequestBuilder};
use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_without_credentials_are_rejected() {
    let app = TestApp::with(|limits| limits.link_guesses = 1_000).await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}", chat.id);
    for api in [app.nobody(), app.api("made-up"), app.api(&fresh().to_string()), app.api("")] {
        for answer in [
            api.get("/conversations").await,
            api.get(&path).await,
            api.get(&format!("{path}/messages")).await,
            api.post("/conversations", json!({ "customer_name": "Mine" })).await,
            api.post(&format!("{path}/messages"), json!({ "content": "hello" })).await,
            api.delete(&path).await,
        ] {
            answer.problem(401, "unauthorized");
            assert_eq!(answer.header("www-authenticate"), "Bearer");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cookie_calls_too() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (admin, guest) = (app.admin_browser().await, app.guest_browser(&chat).await);
    let path = format!("/api/v1/conversations/{}", chat.id);
    assert!(admin.get(&path).await.expect(200).json()["link"].is_string());
    assert!(guest.get(&path).await.expect(200).json().get("link").is_none());
    let post = |browser: &Browser| -> RequestBuilder {
        browser.http.post(format!("{}{path}/messages", app.url)).json(&json!({ "content": "hello" }))
    };
    for browser in [&admin, &guest] {
        let url = app.url.as_str();
        for (origin, site) in [(Some(url), Some("same-origin")), (Some(url), None), (None, Some("same-origin"))] {
            let mut request = post(browser);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            Answer::to(request).await.expect(201);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_changes_nothing_with_a_cookie() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    let path = format!("{}/api/v1/conversations/{}", app.url, chat.id);
    let foreign = [
        ("origin", "http://example.com"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
        ("sec-fetch-site", "same-site"),
    ];
    for (name, value) in foreign {
        for request in [
            browser.http.post(format!("{path}/messages")).json(&json!({ "content": "hello" })),
            browser.http.patch(&path).json(&json!({ "status": "closed" })),
            browser.http.delete(&path),
            browser.http.post(format!("{path}/link")),
            browser.form("/logout", &[]),
            browser.form("/admin/chats", &[("customer_name", "Mine")]),
            browser.form(&format!("/admin/chats/{}/close", chat.id), &[]),
            browser.form("/login", &[("email", "admin@example.com"), ("password", PASSWORD)]),
        ] {
            Answer::to(request.header(name, value)).await.problem(403, "forbidden");
        }
        assert_eq!(Answer::to(browser.http.get(&path).header(name, value)).await.status, 200, "reading is safe");
    }
    let list = app.admin().get("/conversations").await.json();
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!((&list["items"][0]["head"], &list["items"][0]["status"]), (&json!(1), &json!("open")));
    browser.get("/admin").await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_calls_from_anywhere() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let path = format!("/conversations/{}/messages", chat.id);
    let request = app.admin().request(Method::POST, &path).json(&json!({ "content": "hello" }));
    let request = request.header("origin", "http://example.com").header("sec-fetch-site", "cross-site");
    Answer::to(request).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reading_changes_nothing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    for path in [
        format!("/admin/chats/{}/close", chat.id),
        format!("/admin/chats/{}/revoke", chat.id),
        format!("/api/v1/conversations/{}/link", chat.id),
        format!("/api/v1/conversations/{}/read", chat.id),
        "/logout".to_owned(),
    ] {
        browser.get(&path).await;
    }
    let shown = browser.get(&format!("/api/v1/conversations/{}", chat.id)).await.expect(200).json();
    assert_eq!(
        (&shown["status"], &shown["head"], &shown["link"]),
        (&json!("open"), &json!(1), &json!(chat.conversation.link))
    );
}
