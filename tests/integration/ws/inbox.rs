//! Frames for every socket, without joining.

use bespoken::{domain::ConversationStatus, protocol::ServerFrame};
use serde_json::json;

use crate::support::*;

fn inboxes(frames: &[ServerFrame]) -> usize {
    frames.iter().filter(|frame| matches!(frame, ServerFrame::Inbox { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_hear_of_every_conversation() {
    let app = TestApp::start().await;
    let (_, second) = app.other_admin().await;
    let mut sockets = [app.admin_socket().await, app.socket(&second).await];
    let chat = app.open("Oak table").await;
    for ws in &mut sockets {
        let new = ws.inbox(chat.id, |_| true).await;
        assert_eq!((new.customer_name.as_str(), new.link), ("Oak table", chat.conversation.link.clone()));
    }
    app.post(&chat.chat_id, chat.id, "Hello,\n are you there?").await;
    for ws in &mut sockets {
        let told = ws.inbox(chat.id, |conversation| conversation.last_seq == 1).await;
        assert_eq!((told.unread, told.last_message.as_deref(), told.head), (1, Some("Hello, are you there?"), 2));
    }
    let [mut first, mut second] = sockets;
    first.read(chat.id, 1).await;
    assert_eq!(first.inbox(chat.id, |conversation| conversation.unread == 0).await.last_seq, 1);
    app.close(chat.id).await;
    let told = second.inbox(chat.id, |conversation| conversation.status == ConversationStatus::Closed).await;
    assert_eq!(told.unread, 1, "each has read for themselves");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guests_hear_of_their_own_conversation_only() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let (mut guest, mut stranger) = (app.guest_socket(&chat).await, app.guest_socket(&other).await);
    app.say(chat.id, "hello").await;
    let told = guest.inbox(chat.id, |conversation| conversation.last_seq == 1).await;
    assert_eq!((told.unread, told.link, told.metadata, told.customer_online), (1, None, json!(null), None));

    app.say(other.id, "good morning").await;
    stranger.inbox(other.id, |conversation| conversation.last_seq == 1).await;
    app.say(chat.id, "still there?").await;
    guest.inbox(chat.id, |conversation| conversation.last_seq == 2).await;
    for (ws, own) in [(&mut guest, chat.id), (&mut stranger, other.id)] {
        for frame in ws.passed() {
            if let ServerFrame::Inbox { conversation } = frame {
                assert_eq!(conversation.id, own);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn edits_links_and_presence_reach_the_inbox() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    let mut guest = app.guest_socket(&chat).await;
    let message = guest.post(chat.id, "120 cm").await;
    guest.edit(chat.id, message.id, "140 cm").await;
    admin.inbox(chat.id, |conversation| conversation.last_message.as_deref() == Some("140 cm")).await;
    guest.delete(chat.id, message.id).await;
    let told = admin.inbox(chat.id, |conversation| conversation.last_message.is_none()).await;
    assert_eq!(told.unread, 0, "what was deleted is not unread");

    guest.join(chat.id).await;
    admin.inbox(chat.id, |conversation| conversation.customer_online == Some(true)).await;
    drop(guest);
    admin.inbox(chat.id, |conversation| conversation.customer_online == Some(false)).await;

    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    admin.inbox(chat.id, |conversation| conversation.link.is_none()).await;
    app.admin().post(&format!("/conversations/{}/link", chat.id), json!({})).await.expect(200);
    admin.inbox(chat.id, |conversation| conversation.link.is_some()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_changes_in_a_row_come_together() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    app.fill(chat.id, 200).await;
    admin.inbox(chat.id, |conversation| conversation.last_seq == 200).await;
    let before = inboxes(&admin.passed());
    assert!(before < 100, "{before} frames for 200 messages");
}
