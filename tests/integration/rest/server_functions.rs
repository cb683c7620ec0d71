//! Server functions: what islands ask. They are no part of the contract, and guard the same doors.

use leptos::server_fn::axum::server_fn_paths;
use serde_json::{Value, json};

use crate::support::*;

/// The address of a function: its name, and a hash that tells builds apart.
fn path(name: &str) -> &'static str {
    let (path, _) = server_fn_paths()
        .find(|(path, _)| path.trim_start_matches("/api/").trim_end_matches(|c: char| c.is_ascii_digit()) == name)
        .unwrap_or_else(|| panic!("no function {name}"));
    path
}

async fn call(browser: &Browser, name: &str, arguments: &Value) -> Answer {
    let request = browser.http.post(format!("{}{}", browser.url, path(name))).json(arguments);
    Answer::to(request.header("origin", &browser.url)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shows_and_changes_only_what_the_asker_may() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    app.say(other.id, "not for everyone").await;
    let calls = [
        ("load_chat", json!({ "id": other.id }), "not_found"),
        ("list_older", json!({ "id": other.id, "before_seq": 100 }), "not_found"),
        ("set_status", json!({ "id": other.id, "status": "closed" }), "not_found"),
        ("set_status", json!({ "id": chat.id, "status": "closed" }), "forbidden"),
        ("open_chat", json!({ "customer_name": "Mine", "customer_email": null, "first_message": null }), "forbidden"),
    ];
    let (guest, nobody, admin) = (app.guest_browser(&chat).await, app.browser(), app.admin_browser().await);
    for (name, arguments, code) in &calls {
        for (browser, code) in [(&guest, *code), (&nobody, "unauthorized")] {
            let answer = call(browser, name, arguments).await;
            assert!(answer.status >= 400, "{name}: {answer:?}");
            assert_eq!(answer.json()["code"], code, "{name}: {}", answer.text);
        }
    }
    let own = call(&guest, "load_chat", &json!({ "id": chat.id })).await.expect(200);
    assert!(own.json()["joined"]["conversation"].get("link").is_none());
    assert_eq!(own.header("cache-control"), "no-store");
    let inbox = json!({ "status": "open", "search": null, "cursor": null });
    let seen = call(&guest, "list_inbox", &inbox).await.expect(200).json();
    assert_eq!((seen["items"].as_array().unwrap().len(), &seen["open"]), (1, &json!(1)));
    let seen = call(&admin, "list_inbox", &inbox).await.expect(200).json();
    assert_eq!(seen["items"].as_array().unwrap().len(), 2);
    let stored = app.admin().get(&format!("/conversations/{}", other.id)).await.json();
    assert_eq!((&stored["status"], &stored["head"]), (&json!("open"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_site_calls_none() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let arguments = json!({ "customer_name": "Mine", "customer_email": null, "first_message": null });
    let request = browser.http.post(format!("{}{}", app.url, path("open_chat"))).json(&arguments);
    Answer::to(request.header("origin", "http://example.com")).await.problem(403, "forbidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn arguments_that_are_none_are_invalid() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    for arguments in [json!({}), json!({ "id": "1" }), json!([])] {
        let answer = call(&browser, "load_chat", &arguments).await;
        assert!(answer.status >= 400);
        assert_eq!(answer.json()["code"], "invalid", "{}", answer.text);
    }
}
