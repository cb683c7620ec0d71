//! A closed chat: its rating, and its transcript by e-mail.

use bespoken::{domain::ConversationId, protocol::ServerFrame, settings::Limits};
use serde_json::{Value, json};

use crate::support::*;

fn rating(room: ConversationId) -> String {
    format!("/conversations/{room}/rating")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rating_reaches_admins_alone() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let chat = app.open("Cleo").await;
        let guest = app.guest_browser(&chat).await;
        let (mut admin, mut other) = (app.admin_socket().await, app.guest_socket(&chat).await);
        let api = app.guest_api(&chat).await;
        api.post(&rating(chat.id), json!({ "score": 5 })).await.problem(409, "conflict");
        app.close(chat.id).await;
        admin.join(chat.id).await;
        other.join(chat.id).await;

        let answer = api.post(&rating(chat.id), json!({ "score": 4, "comment": " Quick \n" })).await.expect(200);
        let given = answer.json();
        assert_eq!((&given["score"], &given["comment"]), (&json!(4), &json!("Quick")));
        for (socket, shown) in [(&mut admin, Some(4)), (&mut other, None)] {
            let seen = socket
                .wait("the rating", |frame| match frame {
                    ServerFrame::ConversationUpdated { conversation, .. } => Some(conversation.rating),
                    _ => None,
                })
                .await;
            assert_eq!(seen.map(|rating| rating.score), shown);
        }
        let path = format!("/conversations/{}", chat.id);
        assert_eq!(app.admin().get(&path).await.json()["rating"], given);
        assert_eq!(api.get(&path).await.json().get("rating"), None);
        for list in ["/conversations", "/conversations?status=closed"] {
            assert_eq!(app.admin().get(list).await.json()["items"][0]["rating"], given);
        }
        let page = guest.get(&format!("/chat/{}", chat.id)).await.expect(200).text;
        assert!(page.contains("Thank you for your rating"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rating_has_one_to_five_stars_and_a_short_comment() {
    let app = TestApp::start().await;
    let chat = app.open("Cleo").await;
    app.close(chat.id).await;
    let api = app.guest_api(&chat).await;
    for score in [json!(0), json!(6), json!(-1), json!(i64::MAX)] {
        let problem = api.post(&rating(chat.id), json!({ "score": score })).await.problem(422, "invalid");
        assert_eq!(problem["field"], "score");
    }
    for body in [json!({}), json!({ "score": "5" }), json!({ "score": 4.5 }), json!({ "score": null })] {
        api.post(&rating(chat.id), body).await.problem(422, "invalid");
    }
    let long = "é".repeat(1_001);
    let problem = api.post(&rating(chat.id), json!({ "score": 1, "comment": long })).await.problem(422, "invalid");
    assert_eq!(problem["field"], "comment");
    assert_eq!(app.admin().get(&format!("/conversations/{}", chat.id)).await.json().get("rating"), None);
    let given = api.post(&rating(chat.id), json!({ "score": 1, "comment": &long[2..] })).await.expect(200).json();
    assert_eq!(given["comment"], long[2..]);
    let given = api.post(&rating(chat.id), json!({ "score": 1, "comment": "  " })).await.expect(200).json();
    assert_eq!(given["comment"], Value::Null);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forms_rate_and_keep_a_comment_that_is_too_long() {
    let app = TestApp::start().await;
    let chat = app.open("Cleo").await;
    app.close(chat.id).await;
    let guest = app.guest_browser(&chat).await;
    let form = format!("/chat/{}/rating", chat.id);
    let long = "x".repeat(1_001);
    let page = guest.submit(&form, &[("score", "5"), ("comment", &long)]).await.expect(422).text;
    assert!(page.contains(&long), "{page}");
    let answer = guest.submit(&form, &[("score", "5"), ("comment", "Good")]).await.expect(303);
    assert_eq!(answer.header("location"), format!("/chat/{}", chat.id));
    let seen = app.admin().get(&format!("/conversations/{}", chat.id)).await.json();
    assert_eq!((&seen["rating"]["score"], &seen["rating"]["comment"]), (&json!(5), &json!("Good")));
    let answer = guest.submit(&form, &[("score", "4"), ("from", "//evil.example")]).await.expect(303);
    assert_eq!(answer.header("location"), format!("/chat/{}", chat.id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_transcript_is_mailed_to_the_customer() {
    for database in Database::each().await {
        let mut mails = MailServer::start().await;
        let url = mails.url.clone();
        let app = TestApp::on(database, |settings| {
            (settings.limits, settings.smtp_url) = (Limits { mails: 2, ..Limits::default() }, Some(url));
        })
        .await;
        let new = json!({ "customer_name": "Cleo", "customer_email": "cleo@example.com" });
        let conversation = app.admin().post("/conversations", new).await.expect(201).json();
        let (id, link) = (conversation["id"].as_str().unwrap(), conversation["link"].as_str().unwrap());
        let said = format!("/conversations/{id}/messages");
        app.admin().post(&said, json!({ "content": "It is ready\n<b>Bcc: eve@example.com" })).await.expect(201);
        let guest = app.browser();
        guest.get(&link[link.find("/chat").unwrap()..]).await.expect(303);
        let answer = guest.submit(&format!("/chat/{id}/transcript"), &[]).await.expect(303);
        assert_eq!(answer.header("location"), format!("/chat/{id}?mailed=1"));
        let mail = mails.next().await;
        assert_eq!(mail.to, "cleo@example.com");
        for part in ["Subject: Your chat with Workshop", "  It is ready", "&lt;b&gt;Bcc: eve@example.com", "text/html"]
        {
            assert!(mail.text.contains(part), "{part} in {}", mail.text);
        }
        app.close(id.parse().unwrap()).await;
        let page = guest.get(&format!("/chat/{id}?mailed=1")).await.expect(200).text;
        assert!(page.contains("on its way"), "{page}");
        app.admin().post(&format!("/conversations/{id}/transcript/mail"), json!({})).await.expect(204);
        assert_eq!(mails.next().await.to, "cleo@example.com");
        guest.submit(&format!("/chat/{id}/transcript"), &[]).await.expect(429);

        let chat = app.open("Ben").await;
        let api = app.guest_api(&chat).await;
        api.post(&format!("/conversations/{}/transcript/mail", chat.id), json!({})).await.problem(409, "conflict");
        assert!(mails.is_empty());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_without_mail_offers_no_transcript_by_mail() {
    let app = TestApp::start().await;
    let new = json!({ "customer_name": "Cleo", "customer_email": "cleo@example.com" });
    let conversation = app.admin().post("/conversations", new).await.expect(201).json();
    let path = format!("/conversations/{}/transcript/mail", conversation["id"].as_str().unwrap());
    app.admin().post(&path, json!({})).await.problem(409, "conflict");
}
