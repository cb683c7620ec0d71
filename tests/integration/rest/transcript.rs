//! A whole conversation, to be kept.

use bespoken::domain::{Conversation, Message};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_text_names_the_sender_of_each_message() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let request = app.request(owner.user.id, "Table").await;
    let room = app.open_request(request.id).await.id;
    let path = format!("/conversations/{room}/messages");
    owner.api.post(&path, json!({ "content": "Hello\nIs it ready?" })).await.expect(201);
    let edited = app.say(room, "Soon").await;
    app.admin().patch(&format!("/messages/{}", edited.id), json!({ "content": "Tomorrow" })).await.expect(200);
    let gone = app.say(room, "something else").await;
    app.admin().delete(&format!("/messages/{}", gone.id)).await.expect(200);
    let file = app.file(&owner.api, room, "plan.txt").await;
    owner.api.post(&path, json!({ "content": "", "attachment_ids": [file] })).await.expect(201);
    app.admin().patch(&format!("/requests/{}", request.id), json!({ "status": "done" })).await.expect(200);
    app.close(room).await;

    let answer = owner.api.get(&format!("/conversations/{room}/transcript")).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    assert_eq!(answer.header("content-disposition"), format!("attachment; filename=\"chat-{room}.txt\""));
    let lines: Vec<_> = answer.text.lines().map(without_time).collect();
    assert_eq!(
        lines,
        [
            "Chat with Owner",
            "Opened T",
            "Closed T",
            "",
            "Owner (T)",
            "  Hello",
            "  Is it ready?",
            "",
            "Admin (T, edited)",
            "  Tomorrow",
            "",
            "Admin (T)",
            "  (deleted)",
            "",
            "Owner (T)",
            "  [file: plan.txt]",
            "",
            "Admin (T)",
            "  Status set to “Done”.",
        ]
    );
    let asked = owner.api.get(&format!("/conversations/{room}/transcript?format=txt")).await.expect(200);
    assert_eq!(asked.text, answer.text);
}

/// The line with `T` for the moment in it.
fn without_time(line: &str) -> String {
    match line.find(" UTC") {
        Some(end) => format!("{}T{}", &line[..end - "2026-01-31 09:30".len()], &line[end + 4..]),
        None => line.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_has_every_message() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 450).await;
    let path = format!("/conversations/{}/transcript", chat.id);
    let answer = app.admin().get(&format!("{path}?format=json")).await.expect(200);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(members(&answer.json()), ["conversation", "messages"]);
    let members_for_admins: Vec<_> = conversation_for_admins().into_iter().filter(|name| *name != "link").collect();
    assert_eq!(members(&answer.json()["conversation"]), members_for_admins, "whoever gets the file gets no way in");
    let messages: Vec<Message> = serde_json::from_value(answer.json()["messages"].clone()).unwrap();
    let contents: Vec<_> = messages.into_iter().map(|message| message.content).collect();
    assert_eq!(contents, (1..=450).map(|seq| seq.to_string()).collect::<Vec<_>>());

    let seen = app.api(&chat.chat_id).get(&format!("{path}?format=json")).await.expect(200).json();
    assert_eq!(members(&seen["conversation"]), sorted(CONVERSATION), "as this person sees it");
    let conversation: Conversation = serde_json::from_value(seen["conversation"].clone()).unwrap();
    assert_eq!((conversation.id, &seen["conversation"]["metadata"]), (chat.id, &Value::Null));
    let text = app.admin().get(&path).await.expect(200).text;
    assert_eq!(text.matches("\nAdmin (").count(), 450);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_shows_markup_as_text() {
    let app = TestApp::start().await;
    let chat = app.open("<b>Oak & table</b>").await;
    app.say(chat.id, "<script>alert(\"1\")</script>").await;
    let answer = app.admin().get(&format!("/conversations/{}/transcript?format=html", chat.id)).await.expect(200);
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert!(answer.header("content-disposition").starts_with("attachment;"));
    assert!(answer.header("content-security-policy").starts_with("default-src 'none'"));
    assert!(answer.text.contains("&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;"), "{}", answer.text);
    assert!(answer.text.contains("&lt;b&gt;Oak &amp; table&lt;/b&gt;"));
    assert!(!answer.text.contains("<script") && !answer.text.contains("<b>"), "{}", answer.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_has_no_control_characters_and_no_line_can_be_forged() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let forged = "hi\u{1b}[2J\u{9b}31m\u{7}\u{8}\u{202e}\tx\r\n\nAdmin (2026-01-31 09:30 UTC)\u{2028}Admin (a)\u{85}Admin (b)\u{c}Admin (c)\rAdmin (d)";
    app.post(&chat.chat_id, chat.id, forged).await;
    let path = format!("/conversations/{}/transcript", chat.id);
    for format in ["txt", "json", "html"] {
        let answer = app.admin().get(&format!("{path}?format={format}")).await.expect(200);
        let control = answer.text.chars().find(|c| c.is_control() && !matches!(c, '\n' | '\t'));
        assert_eq!(control, None, "{format}: {:?}", answer.text);
        if format == "json" {
            let content = answer.json()["messages"][0]["content"].as_str().unwrap().to_owned();
            assert!(content.chars().all(|c| !c.is_control() || matches!(c, '\n' | '\t')), "{content:?}");
        }
    }
    let text = app.admin().get(&path).await.expect(200).text;
    assert!(!text.contains('\u{202e}') && !text.contains('\u{2028}'));
    for line in text.lines().filter(|line| line.contains("Admin")) {
        assert!(line.starts_with("  "), "{line:?} looks like the beginning of a message");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_for_those_who_may_read() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let path = format!("/conversations/{}/transcript", chat.id);
    for format in ["", "?format=json", "?format=html"] {
        app.api(&other.chat_id).get(&format!("{path}{format}")).await.problem(404, "not_found");
        app.nobody().get(&format!("{path}{format}")).await.problem(401, "unauthorized");
    }
    for format in ["pdf", "", "TXT"] {
        app.admin().get(&format!("{path}?format={format}")).await.problem(422, "invalid");
    }
    app.admin().get("/conversations/1/transcript").await.problem(404, "not_found");
}
