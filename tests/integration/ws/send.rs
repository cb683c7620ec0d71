//! Sending messages: acknowledged, and broadcast exactly once.

use bespoken::{
    domain::{AttachmentId, Code, SenderType},
    protocol::{ClientFrame, ServerFrame},
};
use futures_util::future::join_all;
use serde_json::json;

use crate::support::*;

fn new_messages(frames: &[ServerFrame]) -> usize {
    frames.iter().filter(|frame| matches!(frame, ServerFrame::NewMessage { .. })).count()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_acknowledged_and_broadcast_once_to_each_socket() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let mut sender = app.guest_socket(&chat).await;
    let mut others = [app.guest_socket(&chat).await, app.admin_socket().await, app.admin_socket().await];
    sender.join(room).await;
    for other in &mut others {
        other.join(room).await;
    }

    let client_id = sender.say(room, "  Good morning \n").await;
    let message = sender.ack(client_id).await;
    assert_eq!((message.content.as_str(), message.conversation_id), ("Good morning", room), "trimmed");
    assert_eq!((message.seq, message.rev, message.client_id), (1, 2, Some(client_id)));
    assert_eq!((message.sender_type, message.sender_id), (SenderType::Customer, sender.user.id));
    assert_eq!((message.sender_name.as_str(), message.attachments.len()), ("Oak table", 0));
    assert_eq!((message.edited_at, message.deleted_at), (None, None));

    let last = sender.post(room, "That is all").await;
    let told = ServerFrame::NewMessage { room, rev: message.rev, message: message.clone() };
    for socket in others.iter_mut().chain([&mut sender]) {
        let mut passed = socket.passed();
        if rev_of(passed.last().unwrap_or(&ServerFrame::Resync { room })) != Some((room, last.rev)) {
            socket.rev(room, last.rev).await;
            passed.extend(socket.passed());
        }
        assert_eq!(passed.iter().filter(|frame| **frame == told).count(), 1, "{passed:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sending_needs_no_joining() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.post(chat.id, "hello").await;
    guest.settled().await;
    assert_eq!(new_messages(&guest.passed()), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn repeated_sends_are_acknowledged_without_a_broadcast_and_conflicting_ones_are_rejected() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    let client_id = guest.say(chat.id, "hello").await;
    let message = guest.ack(client_id).await;
    guest.say_as(client_id, chat.id, "hello").await;
    assert_eq!(guest.ack(client_id).await, message);
    guest.say_as(client_id, chat.id, "something else").await;
    let refused = guest.refused().await;
    assert_eq!((refused.code, refused.room, refused.client_id), (Code::Conflict, Some(chat.id), Some(client_id)));
    guest.say_as(client_id, chat.id, "hello").await;
    assert_eq!(guest.ack(client_id).await, message, "what was stored first counts");
    guest.post(chat.id, "next").await;
    guest.settled().await;
    assert_eq!(new_messages(&guest.passed()), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_id_sent_many_times_at_once_in_every_way_makes_one_message() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let mut watcher = app.admin_socket().await;
    watcher.join(room).await;
    let browser = app.guest_browser(&chat).await;
    let mut sockets = Vec::new();
    for _ in 0..5 {
        sockets.push(app.guest_socket(&chat).await);
    }

    let client_id = fresh();
    let by_socket = join_all(sockets.iter_mut().map(|socket| async move {
        socket.say_as(client_id, room, "once").await;
        socket.ack(client_id).await.id
    }));
    let api = app.api(&chat.chat_id);
    let by_rest = join_all((0..5).map(|_| async {
        let body = json!({ "content": "once", "client_id": client_id });
        let answer = api.post(&format!("/conversations/{room}/messages"), body).await;
        assert!(matches!(answer.status, 200 | 201), "{answer:?}");
        (answer.status, answer.read::<bespoken::domain::Message>().id)
    }));
    let word = client_id.to_string();
    let by_form = join_all((0..5).map(|_| async {
        let fields = [("content", "once"), ("client_id", word.as_str())];
        browser.submit(&format!("/chat/{room}"), &fields).await.expect(303);
    }));
    let (acked, answered, _) = tokio::join!(by_socket, by_rest, by_form);

    let stored = app.admin().get(&format!("/conversations/{room}/messages")).await.json();
    assert_eq!(stored["items"].as_array().unwrap().len(), 1, "{stored}");
    let id = &stored["items"][0]["id"];
    assert!(acked.iter().all(|acked| json!(acked) == *id));
    assert!(answered.iter().all(|(_, answered)| json!(answered) == *id));
    assert!(answered.iter().filter(|(status, _)| *status == 201).count() <= 1);

    let next = app.say(room, "next").await;
    watcher.rev(room, next.rev).await;
    assert_eq!(new_messages(&watcher.passed()), 1);
    assert_eq!(next.seq, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_id_counts_for_its_sender_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    let client_id = fresh();
    guest.say_as(client_id, chat.id, "from the guest").await;
    admin.say_as(client_id, chat.id, "from the admin").await;
    assert_ne!(guest.ack(client_id).await.id, admin.ack(client_id).await.id);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_sees_one_order_without_holes_when_both_sides_write_at_once() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let mut sockets = [app.guest_socket(&chat).await, app.admin_socket().await];
    for socket in &mut sockets {
        socket.join(room).await;
    }
    let heard = join_all(sockets.iter_mut().enumerate().map(|(who, socket)| async move {
        for number in 0..20 {
            socket.say(room, &format!("{who}: {number}")).await;
        }
        let mut heard = Vec::new();
        while heard.len() < 40 {
            let next = |frame| match frame {
                ServerFrame::NewMessage { rev, message, .. } => Some((rev, message.seq, message.content)),
                _ => None,
            };
            heard.push(socket.wait("a message", next).await);
        }
        heard
    }))
    .await;
    assert_eq!(heard[0], heard[1]);
    for (place, (rev, seq, _)) in heard[0].iter().enumerate() {
        assert_eq!((*rev, *seq), (place as i64 + 2, place as i64 + 1));
    }
    for who in 0..2 {
        let of: Vec<_> = heard[0].iter().filter(|(_, _, text)| text.starts_with(&format!("{who}:"))).collect();
        let sent: Vec<_> = (0..20).map(|number| format!("{who}: {number}")).collect();
        assert_eq!(of.into_iter().map(|(_, _, text)| text.clone()).collect::<Vec<_>>(), sent, "in the sender's order");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_has_1_to_8000_characters_after_trimming() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    for bad in ["", " \n\t ", "a\0b", &"x".repeat(8_001), &"🙂".repeat(8_001)] {
        let client_id = guest.say(chat.id, bad).await;
        let refused = Refused { code: Code::Invalid, room: Some(chat.id), client_id: Some(client_id) };
        assert_eq!(guest.refused().await, refused);
    }
    for good in ["x".repeat(8_000), "🙂".repeat(8_000), "\"\\\u{7f}\u{2028}<script>".to_owned()] {
        assert_eq!(guest.post(chat.id, &format!(" {good} ")).await.content, good);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_attachment_that_does_not_exist_is_invalid() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    let (client_id, attachment_ids) = (fresh(), vec![AttachmentId::new()]);
    guest
        .send(ClientFrame::SendMessage {
            room: chat.id,
            client_id,
            content: "see".into(),
            attachment_ids,
            reply_to: None,
            sender: None,
        })
        .await;
    let refused = Refused { code: Code::Invalid, room: Some(chat.id), client_id: Some(client_id) };
    assert_eq!(guest.refused().await, refused);
}
