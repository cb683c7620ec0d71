//! Editing and deleting.

use bespoken::{
    domain::{Code, ConversationId, Message},
    protocol::ServerFrame,
};

use crate::support::*;

async fn expect_refused(ws: &mut Ws, room: ConversationId, client_id: bespoken::domain::ClientId, code: Code) {
    assert_eq!(ws.refused().await, Refused { code, room: Some(room), client_id: Some(client_id) });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_by_the_author_reaches_the_room_and_is_acknowledged() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    let message = guest.post(chat.id, "120 cm").await;

    let client_id = guest.edit(chat.id, message.id, " 140 cm ").await;
    let edited = guest.ack(client_id).await;
    assert!(edited.edited_at.is_some_and(|at| at >= message.created_at));
    let expected = Message { rev: 3, content: "140 cm".into(), edited_at: edited.edited_at, ..message };
    assert_eq!(edited, expected);
    let told = ServerFrame::MessageUpdated { room: chat.id, rev: 3, message: expected };
    assert_eq!(admin.rev(chat.id, 3).await, told);

    let again = guest.edit(chat.id, edited.id, "140 cm").await;
    assert_eq!(guest.ack(again).await, edited, "the same content is no change");
    assert_eq!(app.say(chat.id, "next").await.rev, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_of_others_cannot_be_edited() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (_, second) = app.other_admin().await;
    let (mut guest, mut admin, mut second) =
        (app.guest_socket(&chat).await, app.admin_socket().await, app.socket(&second).await);
    let (theirs, ours) = (guest.post(chat.id, "guest").await, admin.post(chat.id, "admin").await);
    for (ws, message) in [(&mut admin, &theirs), (&mut guest, &ours), (&mut second, &ours)] {
        let client_id = ws.edit(chat.id, message.id, "changed").await;
        expect_refused(ws, chat.id, client_id, Code::Forbidden).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_author_deletes_and_an_admin_deletes_any() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    let (first, second) = (guest.post(chat.id, "first").await, guest.post(chat.id, "second").await);
    let ours = admin.post(chat.id, "from the admin").await;

    let client_id = guest.delete(chat.id, ours.id).await;
    expect_refused(&mut guest, chat.id, client_id, Code::Forbidden).await;

    for (by_admin, message, rev) in [(false, &first, 5), (true, &second, 6), (true, &ours, 7)] {
        let ws = if by_admin { &mut admin } else { &mut guest };
        let client_id = ws.delete(chat.id, message.id).await;
        let deleted = ws.ack(client_id).await;
        assert!(deleted.deleted_at.is_some());
        let expected = Message { rev, content: String::new(), deleted_at: deleted.deleted_at, ..message.clone() };
        assert_eq!(deleted, expected, "it keeps its place");
        let passed = guest.passed();
        let told = ServerFrame::MessageDeleted { room: chat.id, rev, message: expected };
        if !passed.contains(&told) {
            assert_eq!(guest.rev(chat.id, rev).await, told);
        }
    }
    let again = admin.delete(chat.id, first.id).await;
    assert_eq!(admin.ack(again).await.rev, 5, "deleting again is no change");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deleted_message_cannot_be_edited() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    let message = guest.post(chat.id, "first").await;
    let delete = guest.delete(chat.id, message.id).await;
    guest.ack(delete).await;
    let client_id = guest.edit(chat.id, message.id, "back again").await;
    expect_refused(&mut guest, chat.id, client_id, Code::NotFound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_found_in_its_own_room_only() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let mut admin = app.admin_socket().await;
    let message = admin.post(chat.id, "first").await;
    let client_id = admin.edit(other.id, message.id, "changed").await;
    expect_refused(&mut admin, other.id, client_id, Code::NotFound).await;
    let client_id = admin.delete(other.id, message.id).await;
    expect_refused(&mut admin, other.id, client_id, Code::NotFound).await;
    let client_id = admin.delete(chat.id, bespoken::domain::MessageId::new()).await;
    expect_refused(&mut admin, chat.id, client_id, Code::NotFound).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_edit_is_checked_like_a_message() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    let message = guest.post(chat.id, "first").await;
    for bad in ["  ", &"x".repeat(8_001)] {
        let client_id = guest.edit(chat.id, message.id, bad).await;
        expect_refused(&mut guest, chat.id, client_id, Code::Invalid).await;
    }
}
