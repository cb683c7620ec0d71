//! Finding messages.

use bespoken::domain::Message;
use serde_json::{Value, json};

use crate::support::*;

async fn found(api: &Api, query: &str) -> Vec<String> {
    let found = api.get(&format!("/search?q={query}")).await.expect(200).json();
    found["items"].as_array().unwrap().iter().map(|item| item["content"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_are_found_by_the_words_in_them() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.say(chat.id, "A brass LAMP for the hall").await;
    app.post(&chat.chat_id, chat.id, "Lampshade, please").await;
    let answer = app.admin().get("/search?q=lamp").await.expect(200).json();
    assert_eq!(members(&answer), ["items", "next_cursor"]);
    assert_eq!(members(&answer["items"][0]), sorted(MESSAGE));
    assert_eq!(answer["next_cursor"], Value::Null);
    let admin = app.admin();
    assert_eq!(found(&admin, "LAMP").await, ["Lampshade, please", "A brass LAMP for the hall"], "latest first");
    assert_eq!(found(&admin, "hall+brass").await, ["A brass LAMP for the hall"]);
    assert!(found(&admin, "lamp+oak").await.is_empty(), "all of the words");
    for odd in ["lamp%22", "%22lamp", "lamp*", "(lamp", "lamp)", "-lamp", "content:+lamp", "lamp%00"] {
        app.admin().get(&format!("/search?q={odd}")).await.expect(200);
    }
    assert!(found(&admin, "lamp+OR+oak").await.is_empty(), "“or” is a word like any other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_person_finds_only_visible_messages() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let owner = app.customer("Owner").await;
    let request = app.open_request(app.request(owner.user.id, "Chair").await.id).await;
    for (room, text) in [(chat.id, "word one"), (other.id, "word two"), (request.id, "word three")] {
        app.say(room, text).await;
    }
    assert_eq!(found(&app.api(&chat.chat_id), "word").await, ["word one"]);
    assert_eq!(found(&app.api(&other.chat_id), "word").await, ["word two"]);
    assert_eq!(found(&owner.api, "word").await, ["word three"]);
    assert_eq!(found(&app.admin(), "word").await, ["word three", "word two", "word one"]);
    assert!(found(&app.customer("Stranger").await.api, "word").await.is_empty());
    app.nobody().get("/search?q=word").await.problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_and_deletions_update_the_search() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let message = app.say(chat.id, "brass").await;
    let path = format!("/messages/{}", message.id);
    app.admin().patch(&path, json!({ "content": "copper" })).await.expect(200);
    assert!(found(&app.admin(), "brass").await.is_empty());
    assert_eq!(found(&app.admin(), "copper").await, ["copper"]);
    app.admin().delete(&path).await.expect(200);
    assert!(found(&app.admin(), "copper").await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn results_are_paged_without_gap_or_repeat() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for n in 0..13 {
        app.say(chat.id, &format!("word {n}")).await;
    }
    let expected: Vec<_> = (0..13).rev().map(|n| format!("word {n}")).collect();
    for limit in [1, 4, 13, 200] {
        let (mut seen, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = app.admin().get(&format!("/search?q=word&limit={limit}{cursor}")).await.expect(200).json();
            let items: Vec<Message> = serde_json::from_value(page["items"].clone()).unwrap();
            assert!(items.len() <= limit);
            seen.extend(items.into_iter().map(|message| message.content));
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert_eq!(seen, expected, "{limit} at a time");
    }
    let long = format!("q={}", "x".repeat(201));
    for query in ["", "q=", "q=%20", "q=%22*%22", "q=a&limit=0", "q=a&limit=x", "q=a&cursor=x", &long] {
        app.admin().get(&format!("/search?{query}")).await.problem(422, "invalid");
    }
}
