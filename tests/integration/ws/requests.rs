//! Frames about custom requests, and files over a socket.

use bespoken::{
    domain::{AttachmentId, Code, CustomRequest, RequestId, RequestStatus},
    protocol::{ClientFrame, ServerFrame},
};
use serde_json::json;

use crate::support::*;

async fn request_frame(ws: &mut Ws) -> (RequestId, RequestStatus) {
    ws.wait("request", |frame| match frame {
        ServerFrame::Request { id, status } => Some((id, status)),
        _ => None,
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_hears_of_a_conversation_that_is_opened_later() {
    let app = TestApp::start().await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let (mut ws, mut stranger) = (app.socket_of(&owner).await, app.socket_of(&other).await);
    let by_admin = app.open_request(app.request(owner.user.id, "Table").await.id).await;
    let told = ws.inbox(by_admin.id, |_| true).await;
    assert_eq!((told.request_id, told.link, told.customer_online), (by_admin.request_id, None, None));

    let mine = app.request(owner.user.id, "Chair").await;
    let path = format!("/requests/{}/conversation", mine.id);
    let by_rest: bespoken::domain::Conversation = owner.api.post(&path, json!({})).await.expect(201).read();
    ws.inbox(by_rest.id, |_| true).await;
    app.say(by_rest.id, "Good morning").await;
    assert_eq!(ws.inbox(by_rest.id, |conversation| conversation.last_seq == 1).await.unread, 1);

    let theirs = app.open_request(app.request(other.user.id, "Lamp").await.id).await;
    stranger.inbox(theirs.id, |_| true).await;
    for frame in stranger.passed() {
        assert!(!matches!(frame, ServerFrame::Inbox { .. }), "{frame:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_are_sent_to_admins_and_a_following_owner() {
    let app = TestApp::start().await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let conversation = app.open_request(app.request(owner.user.id, "Chair").await.id).await;
    let link = app.admin().post(&format!("/conversations/{}/link", conversation.id), json!({})).await.expect(200);
    let chat_id = link.json()["link"].as_str().unwrap().split_once("chatId=").unwrap().1.to_owned();

    let mut told = [app.admin_socket().await, app.socket_of(&owner).await];
    let mut untold = [app.socket_of(&other).await, app.socket(&chat_id).await];
    // Without `followRequests`, a socket receives nothing.
    let mut unasked = [app.admin_socket().await, app.socket_of(&owner).await];
    for ws in told.iter_mut().chain(&mut untold) {
        ws.send(ClientFrame::FollowRequests).await;
        ws.settled().await;
    }
    let body = json!({ "title": "Table", "description": "Of oak" });
    let made: CustomRequest = owner.api.post("/requests", body).await.expect(201).read();
    let path = format!("/requests/{}", made.id);
    app.admin().patch(&path, json!({ "status": "in_progress" })).await.expect(200);
    for ws in &mut told {
        assert_eq!(request_frame(ws).await, (made.id, RequestStatus::New));
        assert_eq!(request_frame(ws).await, (made.id, RequestStatus::InProgress));
    }
    for ws in untold.iter_mut().chain(&mut unasked) {
        ws.settled().await;
        for frame in ws.passed() {
            assert!(!matches!(frame, ServerFrame::Request { .. }), "{:?}: {frame:?}", ws.user);
        }
    }
    // Only people who may see it: the owner receives nothing about another's request.
    let theirs = app.request(other.user.id, "Lamp").await;
    assert_eq!(request_frame(&mut untold[0]).await.0, theirs.id);
    assert_eq!(request_frame(&mut told[0]).await.0, theirs.id);
    told[1].settled().await;
    assert!(!told[1].passed().iter().any(|frame| matches!(frame, ServerFrame::Request { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_status_arrives_in_the_room() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let request = app.request(owner.user.id, "Table").await;
    let room = app.open_request(request.id).await.id;
    let mut sockets = [app.socket_of(&owner).await, app.admin_socket().await];
    for ws in &mut sockets {
        ws.join(room).await;
    }
    app.admin().patch(&format!("/requests/{}", request.id), json!({ "status": "done" })).await.expect(200);
    for ws in &mut sockets {
        let ServerFrame::NewMessage { message, rev, .. } = ws.rev(room, 2).await else { panic!("no message") };
        assert_eq!((message.seq, message.rev, rev), (1, 2, 2));
        assert_eq!((message.system, &*message.content), (true, "Status set to “Done”."));
        assert_eq!((&*message.sender_name, message.client_id), ("Admin", None));
        ws.edit(room, message.id, "Status set to “New”.").await;
        assert_eq!(ws.refused().await.code, Code::Forbidden);
        ws.delete(room, message.id).await;
        assert_eq!(ws.refused().await.code, Code::Forbidden);
    }
    assert_eq!(sockets[0].inbox(room, |conversation| conversation.last_seq == 1).await.unread, 1);
    app.close(room).await;
    app.admin().patch(&format!("/requests/{}", request.id), json!({ "status": "new" })).await.expect(200);
    for ws in &mut sockets {
        let ServerFrame::NewMessage { message, .. } = ws.rev(room, 4).await else { panic!("no message") };
        assert_eq!((message.seq, message.system), (2, true), "told in a closed conversation too");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_contains_its_files() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let guest_api = app.api(&chat.chat_id);
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    for ws in [&mut guest, &mut admin] {
        ws.join(chat.id).await;
    }
    let files = [app.file(&guest_api, chat.id, "two.txt").await, app.file(&guest_api, chat.id, "one.txt").await];
    let order = vec![files[1], files[0]];
    let send = |client_id, content: &str, attachment_ids: Vec<AttachmentId>| {
        let (room, content) = (chat.id, content.to_owned());
        ClientFrame::SendMessage { room, client_id, content, attachment_ids, reply_to: None, sender: None }
    };
    let client_id = fresh();
    guest.send(send(client_id, "", order.clone())).await;
    let message = guest.ack(client_id).await;
    assert_eq!(message.attachments.iter().map(|file| file.id).collect::<Vec<_>>(), order);
    assert_eq!(message.attachments[0].name, "one.txt");
    let ServerFrame::NewMessage { message: told, .. } = admin.rev(chat.id, 2).await else { panic!("no message") };
    assert_eq!(told, message);
    guest.send(send(client_id, "", order.clone())).await;
    assert_eq!(guest.ack(client_id).await, message, "sent again, it is the same message");

    let of_admin = app.file(&app.admin(), chat.id, "admin.txt").await;
    for files in [order, vec![of_admin], vec![AttachmentId::new()], vec![of_admin; 11]] {
        let client_id = fresh();
        guest.send(send(client_id, "look", files)).await;
        let refused = guest.refused().await;
        assert_eq!(refused, Refused { code: Code::Invalid, room: Some(chat.id), client_id: Some(client_id) });
    }
    guest.send(send(fresh(), " ", vec![])).await;
    assert_eq!(guest.refused().await.code, Code::Invalid, "without a file a message needs text");

    guest.delete(chat.id, message.id).await;
    let ServerFrame::MessageDeleted { message, .. } = admin.rev(chat.id, 3).await else { panic!("no deletion") };
    assert!(message.attachments.is_empty());
}
