//! How sockets end: access that was lost, a server that goes down, a peer that is gone.

use bespoken::{
    domain::{Name, Role},
    protocol::{ClientFrame, ServerFrame, close},
    storage,
};
use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio::{io::AsyncReadExt, net::TcpStream, time::Instant};
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, frame::coding::CloseCode};

use crate::support::*;

/// At once, or with the next read of the journal of other processes' changes.
async fn closed_for_lost_access(ws: &mut Ws) {
    assert_eq!(ws.closed().await, Some(close::NOT_ALLOWED));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_closes_the_sockets_of_this_browser() {
    let app = TestApp::start().await;
    let (browser, other) = (app.browser(), app.browser());
    let cookie = browser.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie();
    let kept = other.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie();
    let mut sockets =
        [Ws::with_cookie(&app.url, &cookie).await.unwrap(), Ws::with_cookie(&app.url, &cookie).await.unwrap()];
    let mut other = Ws::with_cookie(&app.url, &kept).await.unwrap();
    browser.submit("/logout", &[]).await.expect(303);
    for ws in &mut sockets {
        closed_for_lost_access(ws).await;
    }
    other.settled().await;
    Ws::with_cookie(&app.url, &cookie).await.err().expect("signed out").problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_again_closes_the_sockets_of_the_session_before() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let cookie = browser.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie();
    let mut ws = Ws::with_cookie(&app.url, &cookie).await.unwrap();
    assert_ne!(browser.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie(), cookie);
    closed_for_lost_access(&mut ws).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_dies_takes_its_sockets_along() {
    let app = TestApp::start().await;
    for revoke in [true, false] {
        let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
        let cookie = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
        let mut by_cookie = Ws::with_cookie(&app.url, &cookie).await.unwrap();
        let mut by_token = app.guest_socket(&chat).await;
        let (mut stranger, mut admin) = (app.guest_socket(&other).await, app.admin_socket().await);
        by_cookie.join(chat.id).await;

        let path = format!("/conversations/{}/link", chat.id);
        if revoke {
            app.admin().delete(&path).await.expect(204);
        } else {
            app.admin().post(&path, json!({})).await.expect(200);
        }
        closed_for_lost_access(&mut by_cookie).await;
        closed_for_lost_access(&mut by_token).await;
        stranger.settled().await;
        admin.settled().await;
        Ws::with_token(&app.url, &chat.chat_id).await.err().expect("revoked").problem(401, "unauthorized");
        Ws::with_cookie(&app.url, &cookie).await.err().expect("revoked").problem(401, "unauthorized");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_another_process_ends_takes_its_sockets_along() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let (id, token) = app.service.create_token("admin@example.com", None).await.unwrap();
    let (cleo, dora, eve) = (app.customer("Cleo").await, app.customer("Dora").await, app.customer("Eve").await);
    let (second, second_token) = app.other_admin().await;
    let session = app.service.sessions(&cleo.user).await.unwrap()[0].id;
    let mut by_token = app.socket(token.expose()).await;
    let mut by_link = app.guest_socket(&chat).await;
    let mut by_session = app.socket_of(&cleo).await;
    let mut demoted = app.socket(&second_token).await;
    let mut renamed = app.socket_of(&dora).await;
    let mut unconcerned = [app.admin_socket().await, app.guest_socket(&other).await, app.socket_of(&eve).await];

    let elsewhere = storage::open(&app.data.database_url()).await.unwrap();
    assert!(elsewhere.revoke_token(id).await.unwrap());
    closed_for_lost_access(&mut by_token).await;
    elsewhere.revoke_links(&app.actor(), chat.id).await.unwrap();
    closed_for_lost_access(&mut by_link).await;
    elsewhere.end_session(session).await.unwrap();
    closed_for_lost_access(&mut by_session).await;
    elsewhere.set_role(app.data.admin.id, second.id, Role::Customer).await.unwrap();
    closed_for_lost_access(&mut demoted).await;
    let name = Name::parse("name", "Dorothea").unwrap();
    elsewhere.rename_user(dora.user.id, name).await.unwrap();
    assert_eq!(renamed.closed().await, Some(close::RESTARTING), "and may come back at once");
    assert_eq!(app.socket_of(&dora).await.user.name, "Dorothea");
    elsewhere.close().await;
    for ws in &mut unconcerned {
        ws.settled().await;
    }
    app.api(token.expose()).get("/conversations").await.problem(401, "unauthorized");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_that_is_revoked_here_takes_its_sockets_along() {
    let app = TestApp::start().await;
    let (id, token) = app.service.create_token("admin@example.com", None).await.unwrap();
    let mut ws = app.socket(token.expose()).await;
    app.service.revoke_token(id).await.unwrap();
    closed_for_lost_access(&mut ws).await;
}

/// Access that ends while a socket is being opened must not leave it open.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_socket_slips_in_while_its_person_signs_out() {
    let app = TestApp::start().await;
    for _ in 0..10 {
        let browser = app.browser();
        let cookie = browser.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie();
        let headers = [("cookie", cookie.as_str()), ("origin", app.url.as_str())];
        let (opened, _) = tokio::join!(Ws::handshake(&app.url, &headers), browser.submit("/logout", &[]));
        match opened {
            Ok(stream) => assert_eq!(Ws::raw(stream).closed().await, Some(close::NOT_ALLOWED)),
            Err(answer) => drop(answer.problem(401, "unauthorized")),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shutdown_closes_sockets_with_its_code_and_retains_acknowledged_messages() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (mut guest, mut idle) = (app.guest_socket(&chat).await, app.admin_socket().await);
    let room = chat.id;
    let sending = tokio::spawn(async move {
        let mut acked = Vec::new();
        for number in 0.. {
            let client_id = fresh();
            let content = number.to_string();
            let frame = ClientFrame::text(room, client_id, content);
            // That the server is gone by then shows in what is read.
            guest.stream.send(serde_json::to_string(&frame).unwrap().into()).await.ok();
            match guest.next_text().await {
                Ok(text) => {
                    if let ServerFrame::Ack { message, .. } = serde_json::from_str(&text).unwrap() {
                        acked.push(message);
                    }
                }
                Err(code) => return (acked, code),
            }
        }
        unreachable!("numbers do not end");
    });
    // Stops in the middle: once some of it is stored.
    let watcher = app.admin();
    in_time("some messages", async {
        while watcher.get(&format!("/conversations/{room}")).await.json()["last_seq"].as_i64().unwrap() < 10 {}
    })
    .await;
    let data = app.stop().await;
    assert_eq!(idle.closed().await, Some(close::RESTARTING));
    let (acked, code) = in_time("the sender ends", sending).await.unwrap();
    assert_eq!(code, Some(close::RESTARTING));

    let app = data.start().await;
    let actor = app.actor();
    let mut stored = Vec::new();
    let mut before = None;
    loop {
        let page = app.service.list_before(&actor, room, before, 200).await.unwrap();
        before = page.messages.first().map(|message| message.seq);
        stored.extend(page.messages);
        if !page.more {
            break;
        }
    }
    assert!(!acked.is_empty());
    for message in acked {
        assert!(stored.contains(&message), "acknowledged and lost: {message:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_socket_receives_its_code_before_the_server_has_stopped() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut sockets = Vec::new();
    for _ in 0..20 {
        let mut ws = app.guest_socket(&chat).await;
        ws.join(chat.id).await;
        sockets.push(ws);
    }
    // Closing takes each client's answer, so they have to read meanwhile.
    let goodbyes = futures_util::future::join_all(sockets.iter_mut().map(Ws::closed));
    let (_, codes) = tokio::join!(app.stop(), goodbyes);
    assert_eq!(codes, [Some(close::RESTARTING); 20]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_frame_is_answered() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut guest = app.guest_socket(&chat).await;
    guest.stream.close(Some(CloseFrame { code: CloseCode::Normal, reason: "".into() })).await.unwrap();
    assert_eq!(guest.closed().await, Some(1000));
    assert!(guest.stream.next().await.is_none(), "and the connection ends in peace");
}

/// Time is paused once the socket is open, and advances whenever all tasks wait.
#[tokio::test]
async fn a_peer_that_gives_no_sign_of_life_is_asked_and_then_given_up() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let mut deaf = open_raw(&app, &chat).await;
    let mut alive = app.guest_socket(&chat).await;

    tokio::time::pause();
    let start = Instant::now();
    let mut heard = Vec::new();
    // Until the server ends it.
    let alive_reads = async { while alive.next_text().await.is_ok() {} };
    tokio::select! {
        read = deaf.read_to_end(&mut heard) => { read.unwrap(); }
        () = alive_reads => panic!("the other one answered"),
    }
    let took = start.elapsed().as_secs();
    assert!((35..=61).contains(&took), "after {took} s");
    assert!(heard.ends_with(&[0x89, 0x00]), "it was pinged once: {heard:?}");
    tokio::time::resume();
    alive.settled().await;
}

/// A WebSocket that never answers: after the handshake only its bytes are read, up to the welcome.
async fn open_raw(app: &TestApp, chat: &Chat) -> TcpStream {
    let mut stream = raw_socket(&app.url, &chat.chat_id).await;
    let mut head = Vec::new();
    while !head.windows(9).any(|window| window == b"\"welcome\"") {
        head.push(in_time("the welcome", stream.read_u8()).await.unwrap());
    }
    stream
}
