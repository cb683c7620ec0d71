//! Sealed conversations: the server stores only what clients encrypt, and shows nothing else of it.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64URL};
use bespoken::{
    domain::{Code, Message},
    protocol::ServerFrame,
    settings::PushPace,
};
use serde_json::{Value, json};

use crate::support::*;

/// What nobody but the two people may learn.
const SECRET: &str = "marmalade sandwiches";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_conversation_is_sealed_from_the_beginning_and_stays_so() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, _) = app.open_sealed(None).await;
        let path = format!("/conversations/{}", chat.id);
        let sealed = async |api: &Api| api.get(&path).await.expect(200).json()["sealed"].clone();
        assert_eq!(sealed(&app.admin()).await, true);
        assert_eq!(sealed(&app.api(&chat.chat_id)).await, true);
        assert!(!chat.conversation.link.as_deref().unwrap().contains('#'), "the server has no key");

        app.admin().patch(&path, json!({ "status": "closed", "sealed": false })).await.expect(200);
        app.admin().patch(&path, json!({ "status": "open", "sealed": null })).await.expect(200);
        app.admin().patch(&path, json!({ "sealed": false })).await.problem(422, "invalid");
        assert_eq!(sealed(&app.admin()).await, true);
        let listed = app.admin().get("/conversations").await.expect(200).json();
        assert_eq!(listed["items"][0]["sealed"], true);

        let plain = app.open("Plain").await;
        let shown = app.admin().get(&format!("/conversations/{}", plain.id)).await.expect(200).json();
        assert!(shown.get("sealed").is_none(), "{shown}");
        app.stop().await;
    }
}

/// Contents that a sealed conversation refuses.
fn unsealed() -> Vec<String> {
    let long = BASE64URL.encode(vec![7; 28 + 4 * 8_000 + 1]);
    let valid = BASE64URL.encode([7; 29]);
    vec![
        SECRET.to_owned(),
        "x".to_owned(),
        BASE64URL.encode([7; 28]),
        // 30 bytes have no other form than this one without its end, and 29 bytes have zeros in the last digit.
        format!("{}B", &valid[..valid.len() - 1]),
        format!("{valid}="),
        format!("{} {}", &valid[..20], &valid[20..]),
        valid.replacen('B', "+", 1),
        long,
    ]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_sealed_content_is_accepted() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, key) = app.open_sealed(None).await;
        let path = format!("/conversations/{}/messages", chat.id);
        let guest = app.api(&chat.chat_id);
        let sent = app.post(&chat.chat_id, chat.id, &key.seal("Good morning")).await;
        let mut socket = app.guest_socket(&chat).await;
        socket.join(chat.id).await;
        let browser = app.guest_browser(&chat).await;
        for content in unsealed() {
            guest.post(&path, json!({ "content": content })).await.problem(422, "invalid");
            let edit = json!({ "content": content });
            guest.patch(&format!("/messages/{}", sent.id), edit).await.problem(422, "invalid");
            let client_id = Some(socket.say(chat.id, &content).await);
            assert_eq!(socket.refused().await, Refused { code: Code::Invalid, room: Some(chat.id), client_id });
            let client_id = Some(socket.edit(chat.id, sent.id, &content).await);
            assert_eq!(socket.refused().await, Refused { code: Code::Invalid, room: Some(chat.id), client_id });
            browser.submit(&format!("/chat/{}", chat.id), &[("content", &content)]).await.expect(422);
        }
        let stored = guest.get(&path).await.expect(200).json();
        assert_eq!((stored["items"].as_array().unwrap().len(), &stored["items"][0]["edited_at"]), (1, &Value::Null));

        // The same by every way, and the longest text: 8,000 characters of four bytes each.
        let long = "🦉".repeat(8_000);
        let posted: Message = guest.post(&path, json!({ "content": key.seal(&long) })).await.expect(201).read();
        assert_eq!(key.open(&posted.content), long);
        let edited = json!({ "content": key.seal("Good evening") });
        let edited: Message = guest.patch(&format!("/messages/{}", sent.id), edited).await.expect(200).read();
        assert_eq!(key.open(&edited.content), "Good evening");
        let said = socket.post(chat.id, &key.seal("By socket")).await;
        assert_eq!(key.open(&said.content), "By socket");
        let form = key.seal("By form");
        browser.submit(&format!("/chat/{}", chat.id), &[("content", &form)]).await.expect(303);
        let last = guest.get(&format!("{path}?limit=1")).await.json()["items"][0]["content"].clone();
        assert_eq!(last, form);

        // The same words are a repeat only if they are the same bytes.
        let body = json!({ "content": key.seal("Once"), "client_id": fresh() });
        guest.post(&path, body.clone()).await.expect(201);
        guest.post(&path, body.clone()).await.expect(200);
        let other = json!({ "content": key.seal("Once"), "client_id": body["client_id"] });
        guest.post(&path, other).await.problem(409, "conflict");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_conversations_keep_their_limit() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, long) = (app.open("Plain").await, BASE64URL.encode(vec![7; 6_001]));
        assert_eq!(long.len(), 8_002);
        let path = format!("/conversations/{}/messages", chat.id);
        let refused = app.admin().post(&path, json!({ "content": long })).await.problem(422, "invalid");
        assert!(refused["detail"].as_str().unwrap().contains("8002"), "{refused}");
        let sent = app.say(chat.id, &BASE64URL.encode(vec![7; 600])).await;
        let edit = json!({ "content": long });
        app.admin().patch(&format!("/messages/{}", sent.id), edit).await.problem(422, "invalid");
        app.stop().await;
    }
}

/// An unsealed text must not reopen a closed chat either.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_text_changes_nothing() {
    let app = TestApp::start().await;
    let (chat, key) = app.open_sealed(None).await;
    app.close(chat.id).await;
    let path = format!("/conversations/{}/messages", chat.id);
    let guest = app.api(&chat.chat_id);
    guest.post(&path, json!({ "content": SECRET })).await.problem(422, "invalid");
    guest.post(&path, json!({ "content": key.seal(SECRET) })).await.problem(409, "closed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_shows_no_ciphertext_as_text() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, key) = app.open_sealed(None).await;
        let path = format!("/conversations/{}/messages", chat.id);
        let guest = app.api(&chat.chat_id);
        let content = key.seal(SECRET);
        let asked: Message = guest.post(&path, json!({ "content": content })).await.expect(201).read();
        let mut admin = app.admin_socket().await;
        admin.join(chat.id).await;
        let reply = json!({ "content": key.seal("Two, please"), "reply_to": asked.id });
        let reply = app.admin().post(&path, reply).await.expect(201).json();
        assert_eq!((&reply["reply_to"]["seq"], &reply["reply_to"]["excerpt"]), (&json!(1), &json!("")));
        guest.patch(&format!("/messages/{}", asked.id), json!({ "content": key.seal("Three") })).await.expect(200);
        match admin.rev(chat.id, 5).await {
            ServerFrame::MessageUpdated { message, .. } => assert_eq!(message.reply_to.unwrap().excerpt, ""),
            other => panic!("{other:?}"),
        }
        let all = guest.get(&path).await.expect(200).json();
        assert_eq!(all["items"][1]["reply_to"]["excerpt"], "");

        // Lists, and the pages without scripts.
        let shown = app.admin().get(&format!("/conversations/{}", chat.id)).await.expect(200).json();
        assert_eq!(shown["last_message"], Value::Null);
        let browser = app.admin_browser().await;
        let page = browser.get("/admin").await.expect(200).text;
        assert!(page.contains("Sealed message") && !page.contains(&content[..20]), "{page}");
        let page = app.guest_browser(&chat).await.get(&format!("/chat/{}", chat.id)).await.expect(200).text;
        let visible = page.split("<leptos-island").map(|part| part.split_once('>').map_or(part, |(_, rest)| rest));
        let visible: String = visible.collect();
        assert!(visible.contains("Sealed message") && !visible.contains(&content[..20]), "{visible}");
        assert!(page.contains("needs JavaScript"), "{page}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn search_finds_nothing_in_it() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, key) = app.open_sealed(None).await;
        let content = key.seal(SECRET);
        app.post(&chat.chat_id, chat.id, &content).await;
        let edited = app.say(chat.id, &key.seal("Edited")).await;
        let edit = key.seal("Edited again");
        app.admin().patch(&format!("/messages/{}", edited.id), json!({ "content": edit })).await.expect(200);
        let plain = app.open("Plain").await;
        app.say(plain.id, "plain marmalade").await;
        // Words of the ciphertext, as search splits it.
        let words = [&content, &edit].into_iter().flat_map(|text| text.split(['-', '_'])).filter(|word| word.len() > 3);
        for word in words.chain([&content[..], "marmalade"]) {
            for api in [app.admin(), app.api(&chat.chat_id)] {
                let found = api.get(&format!("/search?q={}", &word[..word.len().min(200)])).await.expect(200).json();
                for item in found["items"].as_array().unwrap() {
                    assert_ne!(item["conversation_id"], json!(chat.id), "{word}");
                }
            }
        }
        let found = app.admin().get("/search?q=marmalade").await.expect(200).json();
        assert_eq!(found["items"].as_array().unwrap().len(), 1, "and all that is after it");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_has_no_files() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let (chat, key) = app.open_sealed(None).await;
        let guest = app.api(&chat.chat_id);
        let attachments = format!("/conversations/{}/attachments", chat.id);
        guest.upload(&attachments, "plan.txt", "text/plain", b"plan").await.problem(422, "invalid");
        let plain = app.open("Plain").await;
        let file = app.file(&app.admin(), plain.id, "plan.txt").await;
        let body = json!({ "content": key.seal("See this"), "attachment_ids": [file] });
        let path = format!("/conversations/{}/messages", chat.id);
        app.admin().post(&path, body).await.problem(422, "invalid");
        let files: &[(&str, &str, &[u8])] = &[("plan.txt", "text/plain", b"plan")];
        let browser = app.guest_browser(&chat).await;
        let sealed = key.seal("See this");
        let form = format!("/chat/{}/files", chat.id);
        browser.submit_files(&form, &[("content", &sealed)], files).await.expect(422);
        assert_eq!(app.stored_files().len(), 1, "that of the other chat");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transcripts_have_no_text() {
    for database in Database::each().await {
        let mails = MailServer::start().await;
        let url = mails.url.clone();
        let app = TestApp::on(database, |settings| settings.smtp_url = Some(url)).await;
        let (chat, key) = app.open_sealed(Some("cleo@example.com")).await;
        let content = key.seal(SECRET);
        app.post(&chat.chat_id, chat.id, &content).await;
        let path = format!("/conversations/{}/transcript", chat.id);
        let text = app.admin().get(&path).await.expect(200).text;
        assert!(text.ends_with("\n  Sealed message\n") && text.contains("\nCleo ("), "{text}");
        let html = app.admin().get(&format!("{path}?format=html")).await.expect(200).text;
        assert!(html.contains("Sealed message") && !html.contains(&content), "{html}");
        let json = app.admin().get(&format!("{path}?format=json")).await.expect(200).json();
        assert_eq!(key.open(json["messages"][0]["content"].as_str().unwrap()), SECRET, "for programs with the key");
        for api in [app.admin(), app.api(&chat.chat_id)] {
            api.post(&format!("{path}/mail"), json!({})).await.problem(409, "conflict");
        }
        assert!(mails.is_empty());
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_and_notifications_are_neutral() {
    for database in Database::each().await {
        let (mut mails, mut push) = (MailServer::start().await, PushService::start().await);
        let url = mails.url.clone();
        let app = TestApp::on(database, |settings| {
            settings.smtp_url = Some(url);
            settings.push.private = true;
            let soon = Duration::from_millis(20);
            settings.push.pace = PushPace { grace: Duration::from_millis(300), look_every: soon, retries: [soon; 3] };
        })
        .await;
        let (chat, key) = app.open_sealed(Some("cleo@example.com")).await;
        let guest = Api::new(&app.url, Sign::Cookie(app.guest_cookie(&chat).await));
        let browser = PushBrowser::new(format!("{}/guest", push.url));
        guest.post("/push/subscriptions", browser.subscription()).await.expect(201);
        let content = key.seal(SECRET);
        app.say(chat.id, &content).await;
        let notified = browser.read(&push.next().await);
        assert_eq!((&notified["title"], &notified["body"]), (&json!("Workshop"), &json!("Sealed message")));

        app.service.mail_absent(Duration::ZERO).await.unwrap();
        let mail = mails.next().await.text;
        assert!(mail.contains("This chat is sealed") && mail.contains(&chat.chat_id), "{mail}");
        assert!(!mail.contains(&content[..20]), "{mail}");
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_dialog_of_a_new_chat_can_seal_it() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let open = async |body: Value| {
        let request = browser.http.post(format!("{}/api/open_chat", app.url));
        Answer::to(request.header("origin", &app.url).header("accept", "application/json").json(&body)).await
    };
    let mut body = json!({ "form_key": fresh(), "customer_name": "Cleo", "sealed": true });
    let first = open(body.clone()).await.expect(200).json();
    assert_eq!(first["sealed"], true);
    assert_eq!(open(body.clone()).await.expect(200).json()["id"], first["id"], "once");
    body["sealed"] = json!(false);
    open(body).await.expect(409);
    let body = json!({ "form_key": fresh(), "customer_name": "Cleo", "first_message": SECRET, "sealed": true });
    assert_eq!(open(body).await.expect(422).json()["field"], "first_message");
    let listed = app.admin().get("/conversations").await.expect(200).json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 1);
}
