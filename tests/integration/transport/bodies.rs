//! Bodies that are too long or never end.

use std::time::Duration;

use bespoken::settings::Deadlines;
use leptos::server_fn::axum::server_fn_paths;
use uuid::Uuid;

use super::{head, rest, sent, status};
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_comes_too_slowly_is_refused() {
    let grace = Duration::from_millis(100);
    let app = TestApp::with_settings(|settings| settings.deadlines = Deadlines { grace, ..Deadlines::DEFAULT }).await;
    const HEAD: &str = "POST /login HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded\r\n";
    for body in [
        "Content-Length: 1000\r\n\r\ne",
        "Transfer-Encoding: chunked\r\n\r\n5\r\nemail\r\n",
        "Content-Length: 9\r\nExpect: 100-continue\r\n\r\n",
    ] {
        let answer = rest(sent(app.address, &format!("{HEAD}{body}")).await).await;
        let answer = answer.strip_prefix("HTTP/1.1 100 Continue\r\n\r\n").unwrap_or(&answer);
        assert_eq!(status(answer), 408, "{answer}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_websocket_outlives_the_deadlines_of_requests() {
    let short = Duration::from_secs(2);
    let deadlines = Deadlines { head: short, grace: short, ..Deadlines::DEFAULT };
    let app = TestApp::with_settings(|settings| settings.deadlines = deadlines).await;
    let chat = app.open("Oak table").await;
    let mut ws = app.admin_socket().await;
    // By the time another connection has ended that began later, the socket's would have as well.
    for begun in ["", "GET / HTTP/1.1\r\n"] {
        rest(sent(app.address, begun).await).await;
    }
    ws.join(chat.id).await;
}

/// Sends more of a body than strangers may, and then nothing more: without a limit the server would wait.
async fn too_much(app: &TestApp, path: &str) -> u16 {
    let much = "x".repeat(17 * 1024);
    let head = format!("POST {path} HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded");
    let request = format!("{head}\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{much}\r\n", much.len());
    status(&head_of(sent(app.address, &request).await).await)
}

async fn head_of(mut stream: tokio::net::TcpStream) -> String {
    head(&mut stream).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn long_bodies_of_strangers_are_not_buffered() {
    let app = TestApp::start().await;
    let any = Uuid::new_v4();
    let forms = ["/login", "/register", "/forgot", "/reset?token=x", "/setup?token=x", "/invite?token=x"];
    let signed_in = ["/account/profile", "/account/password", "/requests/new", "/admin/chats", "/admin/tokens"];
    let chats = [format!("/chat/{any}"), format!("/requests/{any}/status"), format!("/requests/{any}/chat")];
    let functions: Vec<_> = server_fn_paths().map(|(path, _)| path.to_owned()).collect();
    assert!(functions.len() > 5, "server functions are known");
    let paths = forms.into_iter().chain(signed_in).map(str::to_owned).chain(chats).chain(functions);
    for path in paths {
        assert_eq!(too_much(&app, &path).await, 413, "{path}");
    }
    // Here it is not read at all.
    assert_eq!(too_much(&app, &format!("/chat/{any}/files")).await, 404);
    assert_eq!(too_much(&app, "/api/v1/conversations").await, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_longest_words_fit_their_forms() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let longest = "\u{1f642}".repeat(8_000);
    let guest = app.guest_browser(&chat).await;
    guest.submit(&format!("/chat/{}", chat.id), &[("content", &longest)]).await.expect(303);
    let admin = app.admin_browser().await;
    let fields = [("customer_name", "Ada"), ("first_message", longest.as_str())];
    admin.submit("/admin/chats", &fields).await.expect(303);

    let ada = app.browser();
    let email = format!("{}@example.com", "a".repeat(64));
    let (name, password) = ("\u{1f642}".repeat(100), "\u{1f642}".repeat(250));
    let next = format!("/{}", "x".repeat(2_000));
    let fields = [("name", &*name), ("email", &email), ("password", &password), ("next", &next)];
    ada.submit("/register", &fields).await.expect(303);
    let fields = [("title", "Chair"), ("description", &*longest), ("budget", ""), ("wanted_on", "")];
    ada.submit("/requests/new", &fields).await.expect(303);
}
