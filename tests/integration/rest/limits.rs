//! Limits of what one sender sends and one address guesses.

use serde_json::json;

use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_sends_in_ten_seconds_and_no_more() {
    let app = TestApp::with(|_| {}).await;
    let chat = app.open("Oak table").await;
    let (guest, path) = (app.api(&chat.chat_id), format!("/conversations/{}/messages", chat.id));
    let start = std::time::Instant::now();
    for _ in 0..30 {
        guest.post(&path, json!({ "content": "hello" })).await.expect(201);
    }
    let late = guest.post(&path, json!({ "content": "hello" })).await;
    // On a machine so slow that the first no longer counts there is nothing to see.
    if start.elapsed().as_secs() < 10 {
        late.problem(429, "rate_limited");
        assert!((1..=10).contains(&late.header("retry-after").parse::<u64>().unwrap()));
        guest.get(&path).await.expect(200);
    }
    app.say(chat.id, "another person is not held back").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_guesses_is_held_back_and_those_who_know_are_not() {
    let app = TestApp::with(|limits| limits.link_guesses = 5).await;
    let chat = app.open("Oak table").await;
    let browser = app.browser();
    browser.get("/chat?chatId=00000000-0000-8000-8000-000000000000").await.expect(404);
    browser.get("/chat").await.expect(404);
    app.api("made-up").get("/conversations").await.problem(401, "unauthorized");
    browser.sign_in("admin@example.com", "a wrong password").await.expect(401);
    Ws::with_token(&app.url, "made-up").await.err().expect("wrong").problem(401, "unauthorized");

    app.api("made-up").get("/conversations").await.problem(429, "rate_limited");
    Ws::with_token(&app.url, "made-up").await.err().expect("wrong").problem(429, "rate_limited");
    let page = browser.get(&format!("/chat?chatId={}", fresh())).await.expect(429);
    assert!((1..=60).contains(&page.header("retry-after").parse::<u64>().unwrap()));
    let page = browser.sign_in("admin@example.com", PASSWORD).await.expect(429);
    assert!(page.headers.get("retry-after").is_some(), "a password is not even checked");
    assert!(page.headers.get("set-cookie").is_none());

    // A secret that nobody can guess always fits.
    app.admin().get("/conversations").await.expect(200);
    app.guest_browser(&chat).await.get(&format!("/chat/{}", chat.id)).await.expect(200);
    app.admin_socket().await.settled().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_rightly_is_no_guess() {
    let app = TestApp::with(|limits| limits.link_guesses = 2).await;
    for _ in 0..4 {
        app.browser().sign_in("admin@example.com", PASSWORD).await.expect(303);
    }
    app.browser().sign_in("admin@example.com", "a wrong password").await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guessing_many_passwords_at_once_tells_no_more() {
    let app = TestApp::with(|limits| limits.link_guesses = 3).await;
    let attempts =
        (0..12).map(|_| async { app.browser().sign_in("admin@example.com", "a wrong password").await.status });
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![401; 3], vec![429; 9]].concat());
}
