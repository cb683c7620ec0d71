//! Notifications by Web Push, as a push service and the browser behind it receive them.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bespoken::{protocol::ClientFrame, settings::PushPace};
use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};
use serde_json::{Value, json};

use crate::support::*;

/// A server that calls push services on loopback, and does not wait long.
async fn app(database: Database) -> TestApp {
    TestApp::on(database, |settings| {
        settings.limits.sends = 100_000;
        settings.push.private = true;
        let soon = Duration::from_millis(20);
        settings.push.pace = PushPace { grace: Duration::from_millis(300), look_every: soon, retries: [soon; 3] };
    })
    .await
}

/// A browser that was subscribed by its cookie.
struct Subscribed {
    api: Api,
    cookie: String,
    browser: PushBrowser,
    id: String,
}

impl Subscribed {
    async fn new(app: &TestApp, cookie: String, endpoint: &str) -> Self {
        let api = Api::new(&app.url, Sign::Cookie(cookie.clone()));
        let browser = PushBrowser::new(endpoint);
        let answer = api.post("/push/subscriptions", browser.subscription()).await.expect(201).json();
        let id = answer["id"].as_str().expect("an id").to_owned();
        Self { api, cookie, browser, id }
    }

    async fn guest(app: &TestApp, chat: &Chat, push: &PushService, path: &str) -> Self {
        Self::new(app, app.guest_cookie(chat).await, &format!("{}/{path}", push.url)).await
    }

    async fn admin(app: &TestApp, push: &PushService, path: &str) -> Self {
        Self::new(app, app.cookie(&app.data.admin).await, &format!("{}/{path}", push.url)).await
    }

    /// The next notification, which is for this browser.
    async fn next(&self, push: &mut PushService) -> Value {
        let pushed = push.next().await;
        assert!(self.browser.endpoint.ends_with(&pushed.path), "{pushed:?} is not for {}", self.browser.endpoint);
        self.browser.read(&pushed)
    }

    async fn is_subscribed(&self) -> bool {
        match self.api.delete(&format!("/push/subscriptions/{}", self.id)).await.status {
            204 => true,
            404 => false,
            other => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_notifies_the_other_side() {
    for database in Database::each().await {
        let (app, mut push) = (app(database).await, PushService::start().await);
        let chat = app.open("Oak table").await;
        let guest = Subscribed::guest(&app, &chat, &push, "guest").await;
        let admin = Subscribed::admin(&app, &push, "admin").await;

        app.say(chat.id, "Which height?").await;
        let pushed = push.next().await;
        assert_eq!(
            guest.browser.read(&pushed),
            json!({
                "conversation_id": chat.id, "title": "Workshop", "body": "Which height?", "unread": 1,
                "url": format!("/chat/{}", chat.id), "tag": chat.id,
            })
        );
        let header = |name: &str| pushed.headers[name].to_str().unwrap().to_owned();
        assert_eq!((header("content-encoding"), header("ttl")), ("aes128gcm".into(), "86400".into()));
        assert_eq!(header("topic"), chat.id.0.simple().to_string());
        let key = app.admin().get("/push/key").await.expect(200).json()["public_key"].as_str().unwrap().to_owned();
        let authorization = header("authorization");
        let (token, public) = authorization.strip_prefix("vapid t=").unwrap().split_once(", k=").unwrap();
        assert_eq!(public, key);
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = BASE64URL.decode(signature).unwrap();
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, BASE64URL.decode(key).unwrap())
            .verify(signed.as_bytes(), &signature)
            .expect("the server's signature");

        app.post(&chat.chat_id, chat.id, "45 cm").await;
        let notified = admin.next(&mut push).await;
        assert_eq!((&notified["title"], &notified["body"]), (&json!("Oak table"), &json!("45 cm")));
        assert_eq!(notified["url"], format!("/admin?chat={}", chat.id));
        assert!(push.is_empty());
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_messages_are_one_notification() {
    let (app, mut push) = (app(Database::Sqlite).await, PushService::start().await);
    let chat = app.open("Oak table").await;
    let guest = Subscribed::guest(&app, &chat, &push, "guest").await;
    for text in ["One", "Two", "Three"] {
        app.say(chat.id, text).await;
    }
    let notified = guest.next(&mut push).await;
    assert_eq!((&notified["unread"], &notified["body"]), (&json!(3), &json!("Three")));
    app.say(chat.id, "Four").await;
    assert_eq!(guest.next(&mut push).await["unread"], 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_reads_or_has_the_chat_in_front_is_not_notified() {
    let (app, mut push) = (app(Database::Sqlite).await, PushService::start().await);
    let chat = app.open("Oak table").await;
    let guest = Subscribed::guest(&app, &chat, &push, "guest").await;
    let mut socket = Ws::with_cookie(&app.url, &guest.cookie).await.unwrap();
    socket.join(chat.id).await;
    app.say(chat.id, "In front").await;
    // A hidden page counts as none, but its person may still read elsewhere.
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(push.is_empty());
    socket.send(ClientFrame::Visible { on: false }).await;
    socket.settled().await;
    let read = app.say(chat.id, "Read in time").await;
    guest.api.post(&format!("/conversations/{}/read", chat.id), json!({ "seq": read.seq })).await.expect(204);
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(push.is_empty());

    app.say(chat.id, "Hidden").await;
    assert_eq!(guest.next(&mut push).await["body"], "Hidden");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_lost_access_is_not_notified() {
    for database in Database::each().await {
        let (app, mut push) = (app(database).await, PushService::start().await);
        let (chat, other) = (app.open("Oak table").await, app.open("Walnut shelf").await);
        let signed_out = Subscribed::guest(&app, &chat, &push, "signed-out").await;
        let session = app.session(&signed_out.cookie).await;
        app.service.sign_out(session.id).await.unwrap();
        let unsubscribed = Subscribed::guest(&app, &chat, &push, "unsubscribed").await;
        assert!(unsubscribed.is_subscribed().await);
        assert!(!unsubscribed.is_subscribed().await);
        Subscribed::guest(&app, &other, &push, "stranger").await;
        Subscribed::guest(&app, &chat, &push, "revoked").await;
        app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
        app.say(chat.id, "For nobody").await;

        let still_there = Subscribed::guest(&app, &other, &push, "still-there").await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(push.is_empty());
        app.say(other.id, "For somebody").await;
        let paths = [push.next().await.path, push.next().await.path];
        assert!(paths.contains(&"/still-there".to_owned()) && paths.contains(&"/stranger".to_owned()), "{paths:?}");
        assert!(still_there.is_subscribed().await && push.is_empty());
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_is_not_notified_of_other_admins() {
    let (app, mut push) = (app(Database::Sqlite).await, PushService::start().await);
    let chat = app.open("Oak table").await;
    let admin = Subscribed::admin(&app, &push, "admin").await;
    let (_, second) = app.other_admin().await;
    app.post(&second, chat.id, "From an admin").await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert!(push.is_empty());
    app.post(&chat.chat_id, chat.id, "From the customer").await;
    assert_eq!(admin.next(&mut push).await["unread"], 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_subscriptions_are_deleted_and_busy_services_asked_again() {
    for database in Database::each().await {
        let (app, mut push) = (app(database).await, PushService::start().await);
        let chat = app.open("Oak table").await;
        let guest = Subscribed::guest(&app, &chat, &push, "guest").await;
        for status in [503, 429] {
            push.answer_next(status);
        }
        app.say(chat.id, "Later").await;
        for _ in 0..3 {
            assert_eq!(guest.next(&mut push).await["body"], "Later");
        }
        // A redirect is not followed, and nothing is sent again.
        push.answer_next(307);
        app.say(chat.id, "Elsewhere").await;
        assert_eq!(guest.next(&mut push).await["body"], "Elsewhere");
        push.answer_next(410);
        app.say(chat.id, "Gone").await;
        assert_eq!(guest.next(&mut push).await["body"], "Gone");
        app.say(chat.id, "To nobody").await;
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert!(push.is_empty());
        assert!(!guest.is_subscribed().await);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_public_endpoints_and_sound_keys_are_accepted() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let api = Api::new(&app.url, Sign::Cookie(app.guest_cookie(&chat).await));
    for endpoint in [
        "http://8.8.8.8/a",
        "https://127.0.0.1/a",
        "https://localhost/a",
        "https://10.0.0.1:8443/a",
        "https://169.254.169.254/latest",
        "https://[::1]/a",
        "https://[::ffff:192.168.0.1]/a",
        "https://user@8.8.8.8/a",
        &format!("https://8.8.8.8/{}", "a".repeat(1_024)),
        "8.8.8.8",
        "",
    ] {
        let answer = api.post("/push/subscriptions", PushBrowser::new(endpoint).subscription()).await;
        assert_eq!(answer.problem(422, "invalid")["field"], "endpoint", "{endpoint}");
    }
    let sound = PushBrowser::new("https://8.8.8.8/a").subscription();
    for (key, value) in [("p256dh", "AAAA"), ("p256dh", "?"), ("auth", "AAAA"), ("auth", "")] {
        let mut body = sound.clone();
        body["keys"][key] = json!(value);
        assert_eq!(api.post("/push/subscriptions", body).await.problem(422, "invalid")["field"], "keys", "{value}");
    }
    for body in [json!({}), json!({ "endpoint": "https://8.8.8.8/a" }), json!([sound.clone()])] {
        api.post("/push/subscriptions", body).await.problem(422, "invalid");
    }
    app.api(&chat.chat_id).post("/push/subscriptions", sound.clone()).await.problem(403, "forbidden");
    api.post("/push/subscriptions", sound).await.expect(201);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_person_has_few_subscriptions_and_an_endpoint_one() {
    for database in Database::each().await {
        let app = TestApp::on(database, |settings| settings.limits.push_subscriptions = 2).await;
        let (chat, other) = (app.open("Oak table").await, app.open("Walnut shelf").await);
        let guest = async |chat| Api::new(&app.url, Sign::Cookie(app.guest_cookie(chat).await));
        // Two browsers with one link are one person.
        let (one, two) = (guest(&chat).await, guest(&chat).await);
        let subscribe = async |api: &Api, path: &str| {
            let browser = PushBrowser::new(format!("https://8.8.8.8/{path}"));
            api.post("/push/subscriptions", browser.subscription()).await
        };
        let first = subscribe(&one, "1").await.expect(201).json();
        subscribe(&two, "2").await.expect(201);
        subscribe(&one, "3").await.problem(429, "rate_limited");
        subscribe(&two, "3").await.problem(429, "rate_limited");
        assert_eq!(subscribe(&one, "1").await.expect(201).json(), first, "the same endpoint");
        // Another person in the same browser.
        let three = guest(&other).await;
        assert_eq!(subscribe(&three, "1").await.expect(201).json(), first);
        let path = format!("/push/subscriptions/{}", first["id"].as_str().unwrap());
        one.delete(&path).await.problem(404, "not_found");
        three.delete(&path).await.expect(204);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_signs_in_stays_subscribed() {
    for database in Database::each().await {
        let (app, mut push) = (app(database).await, PushService::start().await);
        let chat = app.open("Oak table").await;
        let guest = Subscribed::guest(&app, &chat, &push, "guest").await;
        let user = app.customer("Cleo").await.user;
        let session = app.session(&guest.cookie).await;
        let before = bespoken::service::Visitor {
            address: std::net::Ipv4Addr::LOCALHOST.into(),
            user_agent: None,
            session: Some(&session),
        };
        app.service.start_session(&user, before).await.unwrap();
        app.say(chat.id, "Still there").await;
        assert_eq!(guest.next(&mut push).await["body"], "Still there");
        app.stop().await;
    }
}
