//! Server functions: what islands ask. They are no part of the contract, and guard the same doors.

use leptos::server_fn::axum::server_fn_paths;
use serde_json::{Value, json};

use crate::support::*;

/// The address of a function: its name alone.
fn path(name: &str) -> String {
    format!("/api/{name}")
}

#[test]
fn the_addresses_of_functions_are_the_same_in_every_build() {
    // Without a name of their own they end in a hash of the folder in which the program was built.
    for (path, _) in server_fn_paths() {
        let name = path.strip_prefix("/api/").unwrap();
        assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{path} needs an `endpoint`");
    }
}

async fn call(browser: &Browser, name: &str, arguments: &Value) -> Answer {
    let request = browser.http.post(format!("{}{}", browser.url, path(name))).json(arguments);
    Answer::to(request.header("origin", &browser.url)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_shows_and_changes_only_permitted_data() {
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
            let status = match code {
                "unauthorized" => 401,
                "forbidden" => 403,
                _ => 404,
            };
            assert_eq!(answer.status, status, "{name}: {answer:?}");
            assert_eq!(answer.json()["code"], code, "{name}: {}", answer.text);
            assert_eq!(answer.header("content-type"), "application/json");
            assert_eq!(answer.header("cache-control"), "no-store");
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
async fn a_search_finds_visible_chats_and_messages() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Walnut Wilma").await, app.open("Brass lamp").await);
    app.say(chat.id, "One of oak, one of WALNUT wood").await;
    for n in 0..25 {
        app.say(other.id, &format!("walnut {n}")).await;
    }
    let (guest, admin) = (app.guest_browser(&chat).await, app.admin_browser().await);
    let search = async |browser, text: &str| {
        let arguments = json!({ "status": "open", "search": text, "cursor": null });
        let seen = call(browser, "list_inbox", &arguments).await.expect(200).json();
        let list = |name: &str| seen[name].as_array().unwrap().clone();
        (list("items"), list("found"))
    };

    let (items, found) = search(&admin, "walnut").await;
    assert_eq!((items.len(), &items[0]["id"]), (1, &json!(chat.id)));
    assert_eq!((found.len(), &found[0]["customer_name"]), (20, &json!("Brass lamp")), "the latest");
    assert_eq!(
        (&found[0]["word"], &found[0]["after"], &found[0]["seq"]),
        (&json!("walnut"), &json!(" 24"), &json!(25))
    );

    let (items, found) = search(&guest, "WAL").await;
    assert_eq!((items.len(), found.len()), (1, 1));
    let [before, word, after] = ["before", "word", "after"].map(|part| found[0][part].as_str().unwrap().to_owned());
    assert_eq!([before.as_str(), &word, &after], ["One of oak, one of ", "WALNUT", " wood"]);
    assert_eq!(found[0]["conversation_id"], json!(chat.id));

    // Nothing to look for in messages, and nothing that anybody wrote.
    for text in ["%", "oaken"] {
        assert_eq!(search(&admin, text).await, (Vec::new(), Vec::new()), "{text}");
    }
    assert_eq!(search(&admin, " ").await.1, Vec::<Value>::new());
    let later = json!({ "status": "open", "search": "walnut", "cursor": format!("0_{}", chat.id) });
    let seen = call(&admin, "list_inbox", &later).await.expect(200).json();
    assert_eq!(seen["found"], json!([]), "in the first part only");
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
    let chat = app.open("Oak table").await;
    // A list of the arguments has no names, and would mean something else with the next version.
    for arguments in [json!({}), json!({ "id": "1" }), json!([]), json!([chat.id]), json!(null)] {
        let answer = call(&browser, "load_chat", &arguments).await.expect(422);
        assert_eq!(answer.json()["code"], "invalid", "{}", answer.text);
    }
    let long = json!({ "id": chat.id, "more": "x".repeat(300_000) });
    assert_eq!(call(&browser, "load_chat", &long).await.expect(413).json()["code"], "too_large");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_one_person_gets_no_data_of_another() {
    let app = TestApp::start().await;
    let (chat, cleo) = (app.open("Oak table").await, app.customer("Cleo").await);
    let (admin, guest, nobody) = (app.admin_browser().await, app.guest_browser(&chat).await, app.browser());
    let (me, other) = (app.data.admin.id.to_string(), cleo.user.id.to_string());
    let close = json!({ "id": chat.id, "status": "closed" });
    for (browser, viewer, name, status) in [
        (&admin, other.as_str(), "set_status", 403),
        (&admin, "guest", "set_status", 403),
        (&admin, "", "set_status", 403),
        (&guest, &me, "load_chat", 403),
        (&nobody, &me, "load_chat", 401),
        (&guest, "guest", "load_chat", 200),
        (&admin, &me, "set_status", 200),
    ] {
        if status != 200 {
            let stored = app.admin().get(&format!("/conversations/{}", chat.id)).await.json();
            assert_eq!(stored["status"], "open");
        }
        let request = browser.http.post(format!("{}{}", app.url, path(name))).json(&close);
        let answer = Answer::to(request.header("origin", &app.url).header("bespoken-viewer", viewer)).await;
        assert_eq!(answer.status, status, "{viewer}: {answer:?}");
    }
}
