//! Replies to a particular message.

use bespoken::{domain::Code, protocol::ServerFrame};
use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_follows_the_message_that_it_quotes() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    let asked = guest.post(chat.id, "120 cm?").await;
    let reply = admin.reply(chat.id, "Possible.", asked.id).await;
    match guest.rev(chat.id, 3).await {
        ServerFrame::NewMessage { message, .. } => assert_eq!(message, reply),
        other => panic!("{other:?}"),
    }
    let quote = json!({ "id": asked.id, "seq": 1, "sender_name": asked.sender_name, "excerpt": "120 cm?" });
    assert_eq!(serde_json::to_value(&reply).unwrap()["reply_to"], quote);

    let edit = guest.edit(chat.id, asked.id, "140 cm?").await;
    guest.ack(edit).await;
    let delete = guest.delete(chat.id, asked.id).await;
    guest.ack(delete).await;
    for (rev, excerpt) in [(5, "140 cm?"), (7, "")] {
        match admin.rev(chat.id, rev).await {
            ServerFrame::MessageUpdated { message, .. } => {
                assert_eq!((message.id, &*message.reply_to.unwrap().excerpt), (reply.id, excerpt));
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(app.service.conversation(&app.actor(), chat.id).await.unwrap().head, 7);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_to_a_message_of_another_chat_is_not_found() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Walnut shelf").await);
    let theirs = app.say(other.id, "a secret").await;
    let path = format!("/conversations/{}/messages", chat.id);
    for by in [app.api(&chat.chat_id), app.admin()] {
        by.post(&path, json!({ "content": "hello", "reply_to": theirs.id })).await.problem(404, "not_found");
        by.post(&path, json!({ "content": "hello", "reply_to": "1" })).await.problem(422, "invalid");
    }
    let mut guest = app.guest_socket(&chat).await;
    let client_id = fresh();
    guest
        .send(bespoken::protocol::ClientFrame::SendMessage {
            room: chat.id,
            client_id,
            content: "hello".into(),
            attachment_ids: vec![],
            reply_to: Some(theirs.id),
            sender: None,
        })
        .await;
    let refused = Refused { code: Code::NotFound, room: Some(chat.id), client_id: Some(client_id) };
    assert_eq!(guest.refused().await, refused);
    let mine = app.say(chat.id, "mine").await;
    let reply = json!({ "content": "hello", "reply_to": mine.id });
    let reply = app.api(&chat.chat_id).post(&path, reply).await.expect(201).json();
    assert_eq!(reply["reply_to"]["excerpt"], "mine");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_form_replies() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let asked = app.say(chat.id, "Which <b>wood</b>?").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    browser.submit(&path, &[("content", "Oak."), ("reply_to", &asked.id.to_string())]).await.expect(303);
    let page = browser.get(&path).await.expect(200);
    assert!(
        page.text.contains("Admin: Which &lt;b&gt;wood&lt;/b&gt;?") && page.text.contains("\"#m-1\""),
        "{}",
        page.text
    );
    let theirs = app.say(app.open("Walnut shelf").await.id, "a secret").await;
    let refused = [("content", "Ash."), ("reply_to", &theirs.id.to_string())];
    assert!(!browser.submit(&path, &refused).await.expect(404).text.contains("a secret"));
}
