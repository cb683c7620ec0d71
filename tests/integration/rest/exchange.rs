//! Frames by HTTP, for browsers that no socket gets through to: the same promises as on a socket.

use bespoken::{
    api::Exchanged,
    domain::{Code, ConversationId, Message, ParticipantId, Problem, Timestamp},
    protocol::{ClientFrame, Joined, ServerFrame},
};
use serde_json::json;

use crate::support::*;

async fn ask(browser: &Browser, frames: &[ClientFrame], since: Option<Timestamp>) -> Answer {
    let request = browser.http.post(format!("{}/api/exchange", browser.url));
    Answer::to(request.header("origin", &browser.url).json(&json!({ "frames": frames, "since": since }))).await
}

async fn exchange(browser: &Browser, frames: &[ClientFrame], since: Option<Timestamp>) -> Exchanged {
    ask(browser, frames, since).await.expect(200).read()
}

/// The answer to one frame.
async fn say(browser: &Browser, frame: ClientFrame) -> ServerFrame {
    let answer = exchange(browser, &[frame], Some(Timestamp(i64::MAX))).await;
    let [frame] = <[_; 1]>::try_from(answer.frames).expect("one frame, one answer");
    frame
}

fn join(room: ConversationId, after: Option<i64>, sender: Option<ParticipantId>) -> ClientFrame {
    ClientFrame::JoinRequest { room, after, epoch: None, sender }
}

fn send(room: ConversationId, content: &str, sender: Option<ParticipantId>) -> ClientFrame {
    ClientFrame::SendMessage {
        room,
        client_id: fresh(),
        content: content.into(),
        attachment_ids: vec![],
        reply_to: None,
        sender,
    }
}

fn joined(frame: ServerFrame) -> Joined {
    let ServerFrame::Joined(joined) = frame else { panic!("not joined: {frame:?}") };
    *joined
}

fn acked(frame: ServerFrame) -> Message {
    let ServerFrame::Ack { message, .. } = frame else { panic!("no ack: {frame:?}") };
    message
}

fn refused(frame: &ServerFrame) -> Code {
    let ServerFrame::Error { code, .. } = frame else { panic!("not refused: {frame:?}") };
    *code
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frames_of_a_socket_work_over_http() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.say(chat.id, "hello").await;
    let guest = app.guest_browser(&chat).await;
    let first = exchange(&guest, &[], None).await;
    let [ServerFrame::Welcome { user, .. }] = &first.frames[..] else { panic!("no welcome: {first:?}") };
    let me = Some(user.id);
    let loaded = joined(say(&guest, join(chat.id, None, me)).await);
    assert_eq!((loaded.messages.len(), loaded.more), (1, false));
    assert!(loaded.conversation.link.is_none(), "as a guest sees it");
    assert!(loaded.participants.iter().any(|person| Some(person.id) == me), "who looks in takes part");

    let mut ws = app.admin_socket().await;
    ws.join(chat.id).await;
    let frame = send(chat.id, "by HTTP", me);
    let sent = acked(say(&guest, frame.clone()).await);
    assert_eq!(acked(say(&guest, frame).await).id, sent.id, "the same again makes no second one");
    let ServerFrame::NewMessage { message, .. } = ws.rev(chat.id, sent.rev).await else { panic!("not told") };
    assert_eq!(message, sent);
    let edit = ClientFrame::UpdateMessage {
        room: chat.id,
        client_id: fresh(),
        id: sent.id,
        content: "changed".into(),
        sender: me,
    };
    assert_eq!(acked(say(&guest, edit).await).content, "changed");
    let seq = ws.post(chat.id, "answer").await.seq;
    let read = exchange(&guest, &[ClientFrame::Read { room: chat.id, seq }], Some(Timestamp(i64::MAX))).await;
    assert_eq!(read.frames, []);
    assert_eq!(ws.receipt().await, (user.id, seq));
    let delete = ClientFrame::DeleteMessage { room: chat.id, client_id: fresh(), id: sent.id, sender: me };
    assert!(acked(say(&guest, delete).await).deleted_at.is_some());

    let missed = joined(say(&guest, join(chat.id, Some(loaded.head), me)).await);
    let missed: Vec<_> = missed.messages.iter().map(|message| &*message.content).collect();
    assert_eq!(missed, ["answer", ""], "each once, by its last rev");
    let foreign = say(&guest, join(chat.id, Some(1_000), me)).await;
    assert_eq!(foreign, ServerFrame::Resync { room: chat.id });
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn http_frames_require_access() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let theirs = app.say(other.id, "not for everyone").await;
    let guest = app.guest_browser(&chat).await;
    let frames = [
        join(other.id, None, None),
        join(other.id, Some(0), None),
        send(other.id, "hello", None),
        ClientFrame::Read { room: other.id, seq: 1 },
        ClientFrame::DeleteMessage { room: other.id, client_id: fresh(), id: theirs.id, sender: None },
    ];
    let answer = ask(&guest, &frames, Some(Timestamp(0))).await.expect(200);
    assert!(!answer.text.contains("not for everyone") && !answer.text.contains("Brass lamp"), "{}", answer.text);
    let answers = answer.read::<Exchanged>().frames;
    for answer in &answers[..frames.len()] {
        assert_eq!(refused(answer), Code::NotFound);
    }
    let told: Vec<_> = answers[frames.len()..].iter().collect();
    assert!(matches!(&told[..], [ServerFrame::Inbox { conversation }] if conversation.id == chat.id), "{told:?}");

    // A page of somebody else neither sends here nor shows what is here.
    let sender = Some(theirs.sender_id);
    for frame in [join(chat.id, None, sender), send(chat.id, "hello", sender)] {
        assert_eq!(refused(&say(&guest, frame).await), Code::Forbidden);
    }
    assert_eq!(ask(&app.browser(), &frames, None).await.expect(401).read::<Problem>().code, Code::Unauthorized);
    let many = vec![ClientFrame::FollowRequests; 51];
    assert_eq!(ask(&guest, &many, None).await.expect(422).read::<Problem>().code, Code::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_between_polls_are_returned() {
    let app = TestApp::with(|limits| limits.connections = 1).await;
    let (chat, _) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let customer = app.customer("Ada").await;
    let admin = app.admin_browser().await;
    let first = exchange(&admin, &[], None).await;
    assert!(!first.crowded);
    let long_ago = Some(Timestamp(first.now.0 - 60_000));
    let quiet = exchange(&admin, &[ClientFrame::FollowRequests], Some(Timestamp(first.now.0 + 60_000))).await;
    assert_eq!(quiet.frames, [], "nothing happens in the future");
    let _socket = app.admin_socket().await;
    app.say(chat.id, "news").await;
    let request = app.request(customer.user.id, "Chair").await;
    let told = exchange(&admin, &[ClientFrame::FollowRequests], long_ago).await;
    assert!(told.crowded, "another socket would be refused");
    let rooms = told.frames.iter().filter(|frame| matches!(frame, ServerFrame::Inbox { .. })).count();
    assert_eq!(rooms, 2);
    assert!(told.frames.contains(&ServerFrame::Request { id: request.id, status: request.status }), "{told:?}");
    let unasked = exchange(&admin, &[], long_ago).await;
    assert!(!unasked.frames.iter().any(|frame| matches!(frame, ServerFrame::Request { .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn too_frequent_polls_are_limited() {
    let app = TestApp::with(|limits| (limits.asks, limits.connections) = (5, 1)).await;
    let chat = app.open("Oak table").await;
    let guest = app.guest_browser(&chat).await;
    for _ in 0..5 {
        exchange(&guest, &[], Some(Timestamp(i64::MAX))).await;
    }
    let answer = ask(&guest, &[], None).await.expect(429);
    assert!(answer.header("retry-after").parse::<u64>().unwrap() > 0);
}
