//! Data of others that people with a link do not receive.

use bespoken::{domain::ParticipantId, protocol::ClientFrame};
use serde_json::{Value, json};

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_of_a_link_see_no_address_and_no_account() {
    let app = TestApp::start().await;
    let (second, token) = app.other_admin().await;
    let opened = json!({ "customer_name": "Oak table", "customer_email": "secret@example.com" });
    let chat: Value = app.admin().post("/conversations", opened).await.expect(201).json();
    let id = chat["id"].as_str().unwrap().to_owned();
    let link = chat["link"].as_str().unwrap().split_once("chatId=").unwrap().1.to_owned();
    let guest = app.api(&link);
    let mut socket = app.socket(&link).await;
    let room = id.parse().unwrap();
    socket.send(ClientFrame::JoinRequest { room, after: None, epoch: None, sender: None }).await;

    let path = format!("/conversations/{id}");
    app.admin().post(&format!("{path}/messages"), json!({ "content": "from one" })).await.expect(201);
    app.api(&token).post(&format!("{path}/messages"), json!({ "content": "from another" })).await.expect(201);
    app.admin().patch(&path, json!({ "assignee_id": second.id })).await.expect(200);
    app.api(&token).post(&format!("{path}/read"), json!({ "seq": 2 })).await.expect(204);
    app.admin().patch(&path, json!({ "status": "closed" })).await.expect(200);

    let mut told = Vec::new();
    for path in ["", "/messages", "/transcript", "/transcript?format=json", "/transcript?format=html"] {
        told.push(guest.get(&format!("/conversations/{id}{path}")).await.expect(200).text);
    }
    for path in ["/conversations", "/search?q=from"] {
        told.push(guest.get(path).await.expect(200).text);
    }
    let browser = app.browser();
    browser.get(&format!("/chat?chatId={link}")).await.expect(303);
    told.push(browser.get(&format!("/chat/{id}")).await.expect(200).text);
    loop {
        let text = in_time("a frame", socket.next_text()).await.unwrap();
        let is_last = text.contains("conversationUpdated") && text.contains("closed_by\":\"Admin");
        told.push(text);
        if is_last {
            break;
        }
    }
    for text in &told {
        for secret in ["secret@example.com", &app.data.admin.id.to_string(), &second.id.to_string()] {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
    for search in ["secret", "example.com", "s"] {
        let found = guest.get(&format!("/conversations?q={search}")).await;
        assert!(!found.text.contains("secret"), "{}", found.text);
    }

    let seen: Value = guest.get(&path).await.json();
    assert_eq!(members(&seen), sorted(CONVERSATION), "the members stay");
    let assignee = json!(ParticipantId::from(second.id));
    assert_eq!((&seen["customer_email"], &seen["assignee_id"]), (&Value::Null, &assignee));
    let seen: Value = app.admin().get(&path).await.json();
    assert_eq!((&seen["customer_email"], &seen["assignee_id"]), (&json!("secret@example.com"), &assignee));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_one_id_in_all_answers() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    let mut guest = app.guest_socket(&chat).await;
    admin.join(chat.id).await;
    let message = app.say(chat.id, "hello").await;
    assert_eq!(message.sender_id, admin.user.id);
    let answered = app.post(&chat.chat_id, chat.id, "yes").await;
    assert_eq!(answered.sender_id, guest.user.id);
    let joined = guest.join(chat.id).await;
    for id in [admin.user.id, guest.user.id] {
        assert!(joined.participants.iter().any(|person| person.id == id), "{id} in {joined:?}");
        assert!(joined.messages.iter().any(|message| message.sender_id == id));
        assert!(joined.receipts.iter().any(|receipt| receipt.participant == id));
    }
    // Programs know admins by this id, and may assign to them by it.
    let path = format!("/conversations/{}", chat.id);
    let assigned = app.admin().patch(&path, json!({ "assignee_id": message.sender_id })).await.expect(200).json();
    assert_eq!(assigned["assignee_id"], json!(message.sender_id));
    app.admin().patch(&path, json!({ "assignee_id": answered.sender_id })).await.problem(422, "invalid");
}
