//! Nobody sends in the name of somebody else: `as` says whose page a frame comes from.

use bespoken::{
    domain::{Code, ConversationId, MessageId, ParticipantId},
    protocol::ClientFrame,
};

use crate::support::*;

/// Each frame that can say whose page it is from, with `sender`.
fn frames(room: ConversationId, id: MessageId, sender: ParticipantId) -> [ClientFrame; 3] {
    let (client_id, sender) = (fresh(), Some(sender));
    [
        ClientFrame::SendMessage {
            room,
            client_id,
            content: "hello".into(),
            attachment_ids: vec![],
            reply_to: None,
            sender,
        },
        ClientFrame::UpdateMessage { room, client_id: fresh(), id, content: "edited".into(), sender },
        ClientFrame::DeleteMessage { room, client_id: fresh(), id, sender },
    ]
}

/// From a page of `sender`.
fn join(room: ConversationId, sender: ParticipantId) -> ClientFrame {
    ClientFrame::JoinRequest { room, after: None, epoch: None, sender: Some(sender) }
}

async fn expect_all_refused(ws: &mut Ws, room: ConversationId, id: MessageId, sender: ParticipantId) {
    for frame in frames(room, id, sender) {
        ws.send(frame.clone()).await;
        assert_eq!(ws.refused().await.code, Code::Forbidden, "{frame:?}");
    }
}

async fn expect_all_done(ws: &mut Ws, room: ConversationId, id: MessageId, sender: ParticipantId) {
    for frame in frames(room, id, sender) {
        let (ClientFrame::SendMessage { client_id, .. }
        | ClientFrame::UpdateMessage { client_id, .. }
        | ClientFrame::DeleteMessage { client_id, .. }) = frame
        else {
            unreachable!()
        };
        ws.send(frame).await;
        ws.ack(client_id).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_of_one_admin_does_not_send_on_the_socket_of_another() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (second, token) = app.other_admin().await;
    let mut ws = app.socket(&token).await;
    let own = ws.post(chat.id, "mine").await;
    let head = ws.join(chat.id).await.head;
    expect_all_refused(&mut ws, chat.id, own.id, app.data.admin.id.into()).await;
    assert_eq!(ws.join(chat.id).await.head, head, "nothing was stored");
    // Nor is the other's view shown on this page: what is unread there, what may be done.
    ws.send(join(chat.id, app.data.admin.id.into())).await;
    assert_eq!(ws.refused().await.code, Code::Forbidden);
    expect_all_done(&mut ws, chat.id, own.id, second.id.into()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guests_page_does_not_send_on_the_socket_of_an_admin_and_the_reverse() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut admin, mut guest) = (app.admin_socket().await, app.guest_socket(&chat).await);
    let (by_admin, by_guest) = (admin.post(chat.id, "hello").await, guest.post(chat.id, "hello").await);
    expect_all_refused(&mut admin, chat.id, by_admin.id, by_guest.sender_id).await;
    expect_all_refused(&mut guest, chat.id, by_guest.id, by_admin.sender_id).await;
    expect_all_done(&mut admin, chat.id, by_admin.id, by_admin.sender_id).await;
    expect_all_done(&mut guest, chat.id, by_guest.id, by_guest.sender_id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_several_links_has_an_identity_per_chat() {
    let app = TestApp::start().await;
    let (first, second) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let browser = app.browser();
    let cookie = browser.get(&format!("/chat?chatId={}", first.chat_id)).await.expect(303).cookie();
    browser.get(&format!("/chat?chatId={}", second.chat_id)).await.expect(303);
    let mut ws = Ws::with_cookie(&app.url, &cookie).await.unwrap();
    let mut own = Vec::new();
    for chat in [&first, &second] {
        own.push((chat.id, ws.post(chat.id, "mine").await));
    }
    let senders = [own[0].1.sender_id, own[1].1.sender_id];
    assert_ne!(senders[0], senders[1]);
    // Before the rooms are joined, and after.
    for _ in 0..2 {
        for (at, (room, message)) in own.iter().enumerate() {
            expect_all_refused(&mut ws, *room, message.id, senders[1 - at]).await;
        }
        for (at, (room, message)) in own.iter_mut().enumerate() {
            expect_all_done(&mut ws, *room, message.id, senders[at]).await;
            ws.send(join(*room, senders[1 - at])).await;
            assert_eq!(ws.refused().await, Refused { code: Code::Forbidden, room: Some(*room), client_id: None });
            ws.send(join(*room, senders[at])).await;
            ws.joined(*room).await;
            *message = ws.post(*room, "mine again").await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_registers_stays_the_sender_in_their_chats() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let guest = app.post(&chat.chat_id, chat.id, "hello").await.sender_id;
    let browser = app.guest_browser(&chat).await;
    let fields = [("name", "Ada"), ("email", "ada@example.com"), ("password", PASSWORD)];
    let cookie = browser.submit("/register", &fields).await.expect(303).cookie();
    let mut ws = Ws::with_cookie(&app.url, &cookie).await.unwrap();
    assert_ne!(ws.user.id, guest, "the account is another");
    let own = ws.post(chat.id, "mine").await;
    assert_eq!(own.sender_id, guest);
    ws.send(join(chat.id, guest)).await;
    ws.joined(chat.id).await;
    expect_all_done(&mut ws, chat.id, own.id, guest).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_reveals_nothing_about_hidden_chats() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let hidden = app.post(&other.chat_id, other.id, "not for everyone").await;
    let mut guest = app.guest_socket(&chat).await;
    for frame in frames(other.id, hidden.id, hidden.sender_id) {
        guest.send(frame).await;
        assert_eq!(guest.refused().await.code, Code::NotFound);
    }
    for room in [other.id, ConversationId::new()] {
        guest.send(join(room, hidden.sender_id)).await;
        assert_eq!(guest.refused().await.code, Code::NotFound);
    }
}
