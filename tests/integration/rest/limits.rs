//! Limits for one sender's messages and one address's guesses.

use std::net::{IpAddr, Ipv4Addr};

use bespoken::{
    domain::{Actor, Code, Role},
    service::Visitor,
    settings::Limits,
};
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
async fn guessing_many_passwords_at_once_reveals_no_more() {
    let app = TestApp::with(|limits| limits.link_guesses = 3).await;
    let attempts =
        (0..12).map(|_| async { app.browser().sign_in("admin@example.com", "a wrong password").await.status });
    let mut statuses = futures_util::future::join_all(attempts).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [vec![401; 3], vec![429; 9]].concat());
}

fn network(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, n))
}

fn visitor<'a>(n: u8) -> Visitor<'a> {
    Visitor { address: network(n), user_agent: None, session: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn guesses_at_one_account_count_together_wherever_they_come_from() {
    let app = TestApp::with(|limits| limits.account_guesses = 5).await;
    let owner = app.customer("Owner").await;
    let guess = async |email, n| {
        let wrong = app.service.sign_in(email, "a wrong password", visitor(n)).await.unwrap_err();
        (wrong.code, wrong.retry_after_s.is_some())
    };
    // An address without an account is answered the same.
    for email in ["owner@example.com", "nobody@example.com"] {
        let answers = futures_util::future::join_all((0..200).map(|n| guess(email, n))).await;
        let of = |answer| answers.iter().filter(|came| **came == answer).count();
        assert_eq!((of((Code::Unauthorized, false)), of((Code::RateLimited, true))), (5, 195), "{email}");
    }
    let right = app.service.sign_in("owner@example.com", PASSWORD, visitor(201)).await.unwrap_err();
    assert_eq!(right.code, Code::RateLimited, "it is not even checked");
    assert!(right.message.contains("Forgot your password?"), "{right}");

    // Open sessions continue, and a person who signed in from there before still can.
    owner.api.get("/requests").await.expect(200);
    app.socket_of(&owner).await.settled().await;
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(303);
    let session = app.session(&owner.cookie).await;
    let here = Visitor { session: Some(&session), ..visitor(202) };
    app.service.change_password(&owner.user, PASSWORD, "another long password", here).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_locked_account_is_opened_by_mail() {
    let mut mails = MailServer::start().await;
    let limits = Limits { account_guesses: 2, ..Limits::default() };
    let app = TestApp::with_mail(limits, Some(mails.url.clone())).await;
    app.service.create_user("owner@example.com", "Owner", PASSWORD, Role::Customer).await.unwrap();
    for n in 0..3 {
        app.service.sign_in("owner@example.com", "a wrong password", visitor(n)).await.unwrap_err();
    }
    app.service.ask_for_password_reset("owner@example.com", network(9)).await.unwrap();
    let link = mails.next().await.secret();
    app.service.reset_password(&link, "another long password", visitor(9)).await.unwrap();
    // From there they can sign in from now on, regardless of strangers.
    app.service.sign_in("owner@example.com", "another long password", visitor(9)).await.unwrap();
    let elsewhere = app.service.sign_in("owner@example.com", "another long password", visitor(8)).await.unwrap_err();
    assert_eq!(elsewhere.code, Code::RateLimited);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stolen_session_guesses_the_password_a_few_times_only() {
    let app = TestApp::with(|limits| limits.account_guesses = 3).await;
    let owner = app.customer("Owner").await;
    let guess = async |n: u8| {
        let visitor = visitor(n);
        let refused = if n < 20 {
            app.service.change_password(&owner.user, "a wrong password", "another long password", visitor).await
        } else {
            let set = app.service.set_profile(&owner.user, "Owner", "thief@example.com", "a wrong password", visitor);
            set.await.map(drop)
        };
        refused.unwrap_err().code
    };
    let codes = futures_util::future::join_all((0..40).map(guess)).await;
    assert_eq!(codes.iter().filter(|code| **code == Code::Invalid).count(), 3, "{codes:?}");
    assert_eq!(codes.iter().filter(|code| **code == Code::RateLimited).count(), 37, "{codes:?}");
    app.service.sign_in("owner@example.com", PASSWORD, visitor(50)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn accounts_are_registered_so_often_and_taken_addresses_count() {
    let app = TestApp::with(|limits| (limits.accounts, limits.accounts_total) = (4, 6)).await;
    let register = async |email: &str, n| match app.service.register(email, "A", PASSWORD, visitor(n)).await {
        Ok(_) => None,
        Err(problem) => Some(problem.code),
    };
    assert_eq!(register("admin@example.com", 0).await, Some(Code::Invalid), "it is taken");
    let short = app.service.register("a@example.com", "A", "short", visitor(0)).await.unwrap_err();
    assert_eq!(short.field.as_deref(), Some("password"), "this makes no account and does not count");
    let many: Vec<String> = (0..30).map(|n| format!("{n}@example.com")).collect();
    let made = futures_util::future::join_all(many.iter().map(|email| register(email, 0))).await;
    assert_eq!(made.iter().filter(|made| made.is_none()).count(), 3, "{made:?}");
    assert_eq!(register("admin@example.com", 0).await, Some(Code::RateLimited), "nothing is told any more");
    assert_eq!(register("b@example.com", 1).await, None, "others go on");
    assert_eq!(register("c@example.com", 2).await, None);
    assert_eq!(register("d@example.com", 3).await, Some(Code::RateLimited), "six in all");

    let browser = app.browser();
    for n in 0..5 {
        let email = format!("page{n}@example.com");
        let page = browser.submit("/register", &[("name", "A"), ("email", &email), ("password", PASSWORD)]).await;
        assert!(page.status == 429 && page.text.contains("Too many accounts"), "{page:?}");
        assert!(page.header("retry-after").parse::<u64>().unwrap() > 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_makes_so_many_requests() {
    let app = TestApp::with(|limits| (limits.requests, limits.open_requests) = (5, 3)).await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let make = async |api: &Api| api.post("/requests", json!({ "title": "Chair", "description": "Oak" })).await;
    let mut made = Vec::new();
    for _ in 0..3 {
        made.push(make(&owner.api).await.expect(201).json()["id"].as_str().unwrap().to_owned());
    }
    let refused = make(&owner.api).await.problem(429, "rate_limited");
    assert!(refused["detail"].as_str().unwrap().contains("3 open requests"), "{refused}");
    for (id, status) in made.iter().zip(["done", "declined", "in_progress"]) {
        app.admin().patch(&format!("/requests/{id}"), json!({ "status": status })).await.expect(200);
    }
    for _ in 0..2 {
        make(&owner.api).await.expect(201);
    }
    for id in &made {
        app.admin().patch(&format!("/requests/{id}"), json!({ "status": "done" })).await.expect(200);
    }
    make(&owner.api).await.problem(429, "rate_limited");
    make(&other.api).await.expect(201);
    app.request(owner.user.id, "An admin still makes one").await;

    let fields = [("title", "Chair"), ("description", "Oak")];
    let request = app.browser().form("/requests/new", &fields).header("cookie", &owner.cookie);
    let page = Answer::to(request.header("origin", &app.url)).await.expect(429);
    assert!(page.header("retry-after").parse::<u64>().unwrap() > 0 && page.text.contains("Oak"), "{page:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_and_their_tokens_open_so_many_chats() {
    let app = TestApp::with(|limits| limits.chats = 3).await;
    let (second, token) = app.other_admin().await;
    let (_, another) = app.service.create_own_token(&Actor::Admin(second.clone()), None, None).await.unwrap();
    let open = async |token: &str| app.api(token).post("/conversations", json!({ "customer_name": "A" })).await;
    for token in [&token, another.expose(), &token] {
        open(token).await.expect(201);
    }
    open(another.expose()).await.problem(429, "rate_limited");
    let request = json!({ "title": "Chair", "description": "Oak", "customer_id": app.customer("Owner").await.user.id });
    app.api(&token).post("/requests", request).await.problem(429, "rate_limited");
    open(&app.data.token).await.expect(201);
}
