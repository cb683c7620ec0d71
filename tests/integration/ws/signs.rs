//! Transient signs, typing and presence; and receipts.

use bespoken::{
    domain::{Code, ParticipantId, ParticipantKind},
    protocol::{ClientFrame, ServerFrame},
};

use crate::support::*;

fn typing(frames: &[ServerFrame]) -> Vec<(ParticipantId, bool)> {
    frames
        .iter()
        .filter_map(|frame| match frame {
            ServerFrame::Typing { participant, on, .. } => Some((*participant, *on)),
            _ => None,
        })
        .collect()
}

fn online(people: &[bespoken::domain::Participant]) -> Vec<&str> {
    sorted(people.iter().filter(|person| person.online).map(|person| person.name.as_str()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_is_broadcast_to_the_others_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    let me =
        guest.join(chat.id).await.participants.into_iter().find(|who| who.kind == ParticipantKind::Guest).unwrap().id;
    admin.join(chat.id).await;

    guest.types(chat.id, true).await;
    assert_eq!(admin.typing().await, (me, true));
    guest.types(chat.id, false).await;
    assert_eq!(admin.typing().await, (me, false));
    guest.settled().await;
    assert_eq!(typing(&guest.passed()), [], "nobody is told of their own typing");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_ends_the_typing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    guest.types(chat.id, true).await;
    let message = guest.post(chat.id, "hello").await;
    admin.rev(chat.id, message.rev).await;
    let me = guest.user.id;
    assert_eq!(typing(&admin.passed()), [(me, true), (me, false)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn going_away_ends_the_typing() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    let me = guest.user.id;
    guest.types(chat.id, true).await;
    assert_eq!(admin.typing().await, (me, true));
    drop(guest);
    assert_eq!(admin.typing().await, (me, false));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn typing_needs_joining() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.types(chat.id, true).await;
    assert_eq!(guest.refused().await, Refused { code: Code::NotFound, room: Some(chat.id), client_id: None });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_person_cannot_flood_the_others_with_signs_of_typing() {
    let app = TestApp::with(|limits| limits.sends = 30).await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    for number in 0..200 {
        guest.types(chat.id, number % 2 == 0).await;
    }
    assert_eq!(guest.refused().await.code, Code::RateLimited);
    let marker = guest.post(chat.id, "still here").await;
    admin.rev(chat.id, marker.rev).await;
    assert!(typing(&admin.passed()).len() <= 61);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn receipts_move_forward_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.fill(chat.id, 3).await;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    guest.join(chat.id).await;
    admin.join(chat.id).await;
    let me = guest.user.id;
    guest.read(chat.id, 2).await;
    assert_eq!(admin.receipt().await, (me, 2));
    assert_eq!(guest.receipt().await, (me, 2), "the person's other windows are told too");
    guest.read(chat.id, 1).await;
    guest.read(chat.id, 2).await;
    guest.read(chat.id, 0).await;
    guest.read(chat.id, 1_000).await;
    assert_eq!(admin.receipt().await, (me, 3), "nothing in between, and no further than the last message");
    guest.read(chat.id, -1).await;
    assert_eq!(guest.refused().await, Refused { code: Code::Invalid, room: Some(chat.id), client_id: None });

    let receipts = app.guest_socket(&chat).await.join(chat.id).await.receipts;
    let mine: Vec<_> = receipts.iter().filter(|receipt| receipt.participant == me).map(|receipt| receipt.seq).collect();
    assert_eq!(mine, [3]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn presence_is_broadcast_to_the_room() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    assert_eq!(online(&admin.join(chat.id).await.participants), ["Admin"]);

    let mut guest = app.guest_socket(&chat).await;
    let people = guest.join(chat.id).await.participants;
    assert_eq!(online(&people), ["Admin", "Oak table"]);
    let told = |people: &Vec<_>, who: &[&str]| online(people) == who;
    let people = wait_for(&mut admin, &chat, |people| told(people, &["Admin", "Oak table"])).await;
    assert!(people.iter().all(|person| person.last_seen_at.is_none()));

    guest.send(ClientFrame::LeaveRequest { room: chat.id }).await;
    let people = wait_for(&mut admin, &chat, |people| told(people, &["Admin"])).await;
    assert!(people.iter().any(|person| person.name == "Oak table" && person.last_seen_at.is_some()));

    guest.join(chat.id).await;
    wait_for(&mut admin, &chat, |people| told(people, &["Admin", "Oak table"])).await;
    drop(guest);
    wait_for(&mut admin, &chat, |people| told(people, &["Admin"])).await;
}

async fn wait_for(
    ws: &mut Ws,
    chat: &Chat,
    is_so: impl Fn(&Vec<bespoken::domain::Participant>) -> bool,
) -> Vec<bespoken::domain::Participant> {
    loop {
        let people = ws.presence(chat.id).await;
        if is_so(&people) {
            return people;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_is_here_until_the_last_window_closes() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut admin = app.admin_socket().await;
    admin.join(chat.id).await;
    let (mut first, mut second) = (app.guest_socket(&chat).await, app.guest_socket(&chat).await);
    first.join(chat.id).await;
    wait_for(&mut admin, &chat, |people| online(people).len() == 2).await;
    second.join(chat.id).await;
    first.send(ClientFrame::LeaveRequest { room: chat.id }).await;
    first.settled().await;
    let marker = app.say(chat.id, "marker").await;
    admin.rev(chat.id, marker.rev).await;
    let gone = admin.passed().into_iter().any(|frame| match frame {
        ServerFrame::Presence { participants, .. } => online(&participants) == ["Admin"],
        _ => false,
    });
    assert!(!gone);
    drop(second);
    wait_for(&mut admin, &chat, |people| online(people) == ["Admin"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_of_the_last_visit_is_stored() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    guest.send(ClientFrame::LeaveRequest { room: chat.id }).await;
    guest.settled().await;
    let data = app.stop().await;
    let app = data.start().await;
    let people = app.admin_socket().await.join(chat.id).await.participants;
    let guest = people.iter().find(|person| person.kind == ParticipantKind::Guest).unwrap();
    assert!(!guest.online && guest.last_seen_at.is_some(), "{guest:?}");
}
