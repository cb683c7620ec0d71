//! The limits of sockets, and that one hostile or slow client harms no other.

use bespoken::{
    domain::Code,
    protocol::{ClientFrame, ServerFrame, close},
    service::NewMessage,
};
use futures_util::StreamExt;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::Message as Raw;

use crate::support::*;

/// A frame of exactly so many bytes.
fn frame_of(bytes: usize, chat: &Chat) -> String {
    let empty = json!({ "type": "sendMessage", "room": chat.id, "client_id": fresh(), "content": "" }).to_string();
    empty.replace(r#""content":"""#, &format!(r#""content":"{}""#, "x".repeat(bytes - empty.len())))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_frame_of_64_kib_passes() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    let frame = frame_of(65_536, &chat);
    assert_eq!(frame.len(), 65_536);
    guest.send_text(&frame).await;
    assert_eq!(guest.refused().await.code, Code::Invalid, "too long a message, but a frame");
    guest.post(chat.id, "still here").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_larger_frame_closes_the_socket_with_a_code() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for bytes in [65_537, 300_000, 1_100_000, 5_000_000] {
        let mut guest = app.guest_socket(&chat).await;
        guest.join(chat.id).await;
        guest.send_text(&frame_of(bytes, &chat)).await;
        assert_eq!(guest.closed().await, Some(close::FRAME_TOO_LARGE), "{bytes} bytes");
    }
    let mut guest = app.guest_socket(&chat).await;
    guest.send_raw(Raw::binary(vec![0; 65_537])).await;
    assert_eq!(guest.closed().await, Some(close::FRAME_TOO_LARGE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_size_of_a_frame_can_be_set() {
    let app = TestApp::with(|limits| limits.frame_bytes = 1_000).await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.send_text(&frame_of(1_000, &chat)).await;
    guest.settled().await;
    guest.send_text(&frame_of(1_001, &chat)).await;
    assert_eq!(guest.closed().await, Some(close::FRAME_TOO_LARGE));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_may_have_so_many_sockets_open() {
    let app = TestApp::with(|limits| limits.connections = 3).await;
    let chat = app.open("Oak table").await;
    let cookie = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let mut open = vec![
        app.guest_socket(&chat).await,
        app.guest_socket(&chat).await,
        Ws::with_cookie(&app.url, &cookie).await.unwrap(),
    ];
    let refused = Ws::with_token(&app.url, &chat.chat_id).await.err().expect("one too many");
    refused.problem(429, "rate_limited");
    Ws::with_cookie(&app.url, &cookie).await.err().expect("one too many").problem(429, "rate_limited");
    app.admin_socket().await;

    // A socket that closed makes room: `close` returns when the server has said goodbye, and it has
    // forgotten the socket by then.
    let mut closing = open.pop().unwrap();
    closing.stream.close(None).await.unwrap();
    while closing.stream.next().await.is_some() {}
    app.guest_socket(&chat).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sends_edits_and_deletes_of_a_person_are_limited_together() {
    let app = TestApp::with(|limits| limits.sends = 4).await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut again) = (app.guest_socket(&chat).await, app.guest_socket(&chat).await);
    let message = guest.post(chat.id, "first").await;
    app.post(&chat.chat_id, chat.id, "by REST").await;
    let edit = again.edit(chat.id, message.id, "1st").await;
    again.ack(edit).await;
    let delete = again.delete(chat.id, message.id).await;
    again.ack(delete).await;

    for client_id in [
        guest.say(chat.id, "one too many").await,
        guest.edit(chat.id, message.id, "one too many").await,
        guest.delete(chat.id, message.id).await,
    ] {
        let refused = Refused { code: Code::RateLimited, room: Some(chat.id), client_id: Some(client_id) };
        assert_eq!(guest.refused().await, refused);
    }
    app.say(chat.id, "another person is not held back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn joins_leaves_receipts_and_follows_of_a_person_are_limited_together() {
    let app = TestApp::with(|limits| (limits.asks, limits.connections) = (2, 3)).await;
    let chat = app.open("Oak table").await;
    let (room, client_id) = (chat.id, None);
    let (mut guest, mut again) = (app.guest_socket(&chat).await, app.guest_socket(&chat).await);
    guest.join(room).await;
    again.join(room).await;
    guest.read(room, 0).await;
    guest.send(ClientFrame::LeaveRequest { room }).await;
    guest.join(room).await;
    guest.send(ClientFrame::FollowRequests).await;
    for (frame, room) in [
        (ClientFrame::JoinRequest { room, after: None, epoch: None, sender: None }, Some(room)),
        (ClientFrame::LeaveRequest { room }, Some(room)),
        (ClientFrame::Read { room, seq: 0 }, Some(room)),
        (ClientFrame::FollowRequests, None),
    ] {
        for ws in [&mut guest, &mut again] {
            ws.send(frame.clone()).await;
            assert_eq!(ws.refused().await, Refused { code: Code::RateLimited, room, client_id });
        }
    }
    let by_rest = app.api(&chat.chat_id).post(&format!("/conversations/{room}/read"), json!({ "seq": 0 })).await;
    by_rest.problem(429, "rate_limited");
    // A refused client stays in its rooms, and sending has a separate count.
    app.say(room, "still heard").await;
    for ws in [&mut guest, &mut again] {
        ws.rev(room, 2).await;
    }
    guest.post(room, "and still heard of").await;
    app.admin_socket().await.join(room).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_with_a_hundred_rooms_comes_back_at_once() {
    let app = TestApp::start().await;
    let (room, mut admin) = (app.open("Oak table").await.id, app.admin_socket().await);
    for _ in 0..3 {
        for _ in 0..100 {
            admin.send(ClientFrame::JoinRequest { room, after: Some(1), epoch: None, sender: None }).await;
        }
    }
    for _ in 0..300 {
        admin.joined(room).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sends_nothing_that_can_be_understood_is_sent_away() {
    let app = TestApp::with(|limits| limits.invalid_frames = 3).await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut other) = (app.guest_socket(&chat).await, app.guest_socket(&chat).await);
    for ws in [&mut guest, &mut other] {
        for text in ["", "[]", r#"{"type":"fly"}"#] {
            ws.send_text(text).await;
            assert_eq!(ws.refused().await.code, Code::Invalid);
        }
    }
    guest.send_text("{").await;
    assert_eq!(guest.closed().await, Some(close::NOT_ALLOWED));
    // Each socket is counted by itself: one broken tab takes no other along.
    other.join(chat.id).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_answers_do_not_close_sockets_that_read_them() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (room, actor) = (chat.id, app.actor());
    // An answer with all of them is longer than what may wait for a socket otherwise.
    const MESSAGES: usize = 150;
    for _ in 0..MESSAGES {
        app.service.post_message(&actor, room, NewMessage::text("x".repeat(8_000))).await.unwrap();
    }
    // A client that joins again and again without reading the answers, while others come and go.
    const TIMES: i64 = 12;
    let mut guest = app.guest_socket(&chat).await;
    for after in 1..=TIMES {
        guest.send(ClientFrame::JoinRequest { room, after: Some(after), epoch: None, sender: None }).await;
        app.admin_socket().await.join(room).await;
    }
    for after in 1..=TIMES {
        let joined = guest.joined(room).await;
        assert_eq!((joined.messages[0].rev, joined.messages.len() as i64), (after + 1, MESSAGES as i64 + 1 - after));
    }
    guest.post(room, "still here").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_who_does_not_read_is_closed_and_misses_nothing_and_the_others_get_everything() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let (mut slow, mut quick) = (app.guest_socket(&chat).await, app.admin_socket().await);
    let head = slow.join(room).await.head;
    quick.join(room).await;

    // Far more than the system buffers for a connection, plus the queue.
    const MESSAGES: i64 = 1_500;
    let text = "x".repeat(8_000);
    let actor = app.actor();
    let writer = async {
        for _ in 0..MESSAGES {
            app.service.post_message(&actor, room, NewMessage::text(&*text)).await.unwrap();
        }
    };
    let reader = async {
        for rev in head + 1..=head + MESSAGES {
            quick.rev(room, rev).await;
            assert!(!quick.passed().iter().any(|frame| rev_of(frame).is_some()), "in order");
        }
    };
    tokio::join!(writer, reader);

    let mut last = head;
    let code = in_time("the end", async {
        loop {
            match slow.next_text().await {
                Ok(text) => {
                    if let Some((_, rev)) = rev_of(&serde_json::from_str::<ServerFrame>(&text).unwrap()) {
                        assert_eq!(rev, last + 1, "what it did get is whole");
                        last = rev;
                    }
                }
                Err(code) => return code,
            }
        }
    })
    .await;
    assert_eq!(code, Some(close::TOO_SLOW));
    assert!(last < head + MESSAGES);
    let metrics = Answer::to(app.nobody().request_to(reqwest::Method::GET, "/metrics")).await.text;
    assert!(metrics.contains("bespoken_socket_closes_total{code=\"4008\"} 1\n"), "{metrics}");

    let mut back = app.guest_socket(&chat).await;
    let mut seen = Vec::new();
    loop {
        let joined = back.join_after(room, Some(last)).await;
        seen.extend(joined.messages.iter().map(|message| message.rev));
        last = joined.messages.last().map_or(joined.head, |message| message.rev);
        if !joined.more {
            break;
        }
    }
    assert_eq!(last, head + MESSAGES);
    assert!(seen.windows(2).all(|pair| pair[1] == pair[0] + 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_noisy_client_does_not_block_the_others() {
    // So that the noise lasts.
    let app = TestApp::with(|limits| (limits.sends, limits.invalid_frames) = (100_000, 100_000)).await;
    let (chat, noisy) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let mut loud = app.guest_socket(&noisy).await;
    let noise = tokio::spawn(async move {
        let frames = ["{", r#"{"type":"fly"}"#, &"x".repeat(60_000)];
        for frame in frames.iter().cycle().take(3_000) {
            loud.send_text(frame).await;
            if loud.next_text().await.is_err() {
                break;
            }
        }
        loud.settled().await;
    });
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    admin.join(chat.id).await;
    for _ in 0..30 {
        let message = guest.post(chat.id, "hello").await;
        admin.rev(chat.id, message.rev).await;
    }
    noise.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn someone_who_comes_and_goes_all_the_time_does_not_flood_the_room() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let room = chat.id;
    let (mut guest, mut admin) = (app.guest_socket(&chat).await, app.admin_socket().await);
    admin.join(room).await;
    const TIMES: usize = 300;
    let start = std::time::Instant::now();
    for _ in 0..TIMES {
        guest.send(ClientFrame::JoinRequest { room, after: None, epoch: None, sender: None }).await;
        guest.send(ClientFrame::LeaveRequest { room }).await;
    }
    guest.settled().await;
    let took = start.elapsed();
    let marker = app.say(room, "marker").await;
    admin.rev(room, marker.rev).await;
    let told = admin.passed().iter().filter(|frame| matches!(frame, ServerFrame::Presence { .. })).count();
    let most = took.as_millis() as usize / 100 + 2;
    assert!(told <= most, "{told} frames in {took:?}");
}
