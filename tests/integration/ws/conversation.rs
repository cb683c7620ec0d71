//! Closing, reopening, assigning: part of the room's order, with a separate view for each person.

use bespoken::{
    domain::{Code, Conversation, ConversationStatus},
    protocol::ServerFrame,
};
use serde_json::json;

use crate::support::*;

async fn updated(ws: &mut Ws, chat: &Chat, rev: i64) -> Conversation {
    match ws.rev(chat.id, rev).await {
        ServerFrame::ConversationUpdated { conversation, .. } => *conversation,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn closing_and_reopening_are_broadcast_in_the_order_of_revs() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    app.say(chat.id, "done").await;
    app.close(chat.id).await;
    app.close(chat.id).await;
    app.reopen(chat.id).await;
    app.say(chat.id, "one more thing").await;
    for ws in [&mut guest, &mut admin] {
        ws.rev(chat.id, 2).await;
        let closed = updated(ws, &chat, 3).await;
        assert!(closed.closed_at.is_some() || closed.head > 3, "told as it is by now");
        let reopened = updated(ws, &chat, 4).await;
        assert_eq!((reopened.status, reopened.closed_at), (ConversationStatus::Open, None));
        ws.rev(chat.id, 5).await;
        assert!(!ws.passed().iter().any(|frame| rev_of(frame).is_some()), "closing twice is one change");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_person_receives_their_own_view() {
    let app = TestApp::start().await;
    let body = json!({ "customer_name": "Oak table", "metadata": { "order": 7 } });
    let opened: Conversation = app.admin().post("/conversations", body).await.expect(201).read();
    let chat_id = opened.link.clone().unwrap().split_once("chatId=").unwrap().1.to_owned();
    let chat = Chat { id: opened.id, chat_id, conversation: opened };
    let (_, second) = app.other_admin().await;
    let (mut guest, mut admin, mut second) =
        (app.guest_socket(&chat).await, app.admin_socket().await, app.socket(&second).await);
    for ws in [&mut guest, &mut admin, &mut second] {
        ws.join(chat.id).await;
    }
    app.post(&chat.chat_id, chat.id, "hello").await;
    app.say(chat.id, "good morning").await;
    app.close(chat.id).await;

    let told = updated(&mut guest, &chat, 4).await;
    assert_eq!((told.link, told.metadata, told.customer_online), (None, json!(null), None));
    assert_eq!((told.status, told.unread, told.closed_by.as_deref()), (ConversationStatus::Closed, 1, Some("Admin")));
    let told = updated(&mut admin, &chat, 4).await;
    assert_eq!((told.link, told.metadata), (chat.conversation.link.clone(), json!({ "order": 7 })));
    assert_eq!((told.unread, told.customer_online), (0, Some(true)));
    assert_eq!(updated(&mut second, &chat, 4).await.unread, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assignments_are_broadcast() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    let me = app.admin_socket().await.user.id;
    let path = format!("/conversations/{}", chat.id);
    app.admin().patch(&path, json!({ "assignee_id": me })).await.expect(200);
    assert_eq!(updated(&mut guest, &chat, 2).await.assignee_id, Some(me));
    app.admin().patch(&path, json!({ "assignee_id": null })).await.expect(200);
    assert_eq!(updated(&mut guest, &chat, 3).await.assignee_id, None);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_closed_conversation_is_read_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    let client_id = guest.say(chat.id, "in time").await;
    let message = guest.ack(client_id).await;
    app.close(chat.id).await;

    for late in [
        guest.say(chat.id, "too late").await,
        guest.edit(chat.id, message.id, "changed").await,
        guest.delete(chat.id, message.id).await,
    ] {
        let refused = Refused { code: Code::Closed, room: Some(chat.id), client_id: Some(late) };
        assert_eq!(guest.refused().await, refused);
    }
    guest.say_as(client_id, chat.id, "in time").await;
    assert_eq!(guest.ack(client_id).await, message, "what was stored before is acknowledged still");
    assert_eq!(guest.join(chat.id).await.conversation.status, ConversationStatus::Closed, "and it can be read");

    app.reopen(chat.id).await;
    guest.post(chat.id, "thank you").await;
}

/// The frame is made for those who are in the room, and others come in meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_who_joins_during_the_close_receives_it() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut watcher = app.admin_socket().await;
    watcher.join(chat.id).await;
    let (mut rev, mut status) = (1, ConversationStatus::Open);
    for _ in 0..25 {
        let mut guest = app.guest_socket(&chat).await;
        let change = async {
            if status == ConversationStatus::Open { app.close(chat.id).await } else { app.reopen(chat.id).await }
        };
        let (joined, ()) = tokio::join!(guest.join(chat.id), change);
        rev += 1;
        status = match status {
            ConversationStatus::Open => ConversationStatus::Closed,
            ConversationStatus::Closed => ConversationStatus::Open,
        };
        if joined.head < rev {
            assert_eq!(updated(&mut guest, &chat, rev).await.status, status);
        } else {
            assert_eq!(joined.conversation.status, status);
        }
        watcher.rev(chat.id, rev).await;
    }
}
