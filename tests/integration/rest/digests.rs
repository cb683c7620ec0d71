//! E-mail to absent people, as a mail server receives it.

use std::time::Duration;

use bespoken::domain::{Conversation, Role};
use serde_json::json;

use crate::support::*;

const NOW: Duration = Duration::ZERO;

async fn app(database: Database) -> (TestApp, MailServer) {
    let mails = MailServer::start().await;
    let url = mails.url.clone();
    let app = TestApp::on(database, |settings| {
        settings.smtp_url = Some(url);
        (settings.limits.sends, settings.limits.mails) = (100_000, 100);
    })
    .await;
    (app, mails)
}

/// A chat of a customer with this address.
async fn open(app: &TestApp, email: Option<&str>) -> Chat {
    let body = json!({ "customer_name": "Cleo", "customer_email": email });
    let conversation: Conversation = app.admin().post("/conversations", body).await.expect(201).read();
    let chat_id = conversation.link.as_deref().unwrap().split_once("chatId=").unwrap().1.to_owned();
    Chat { id: conversation.id, chat_id, conversation }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_absent_customer_gets_one_mail_for_all_unread_messages() {
    for database in Database::each().await {
        let (app, mut mails) = app(database).await;
        let chat = open(&app, Some("cleo@example.com")).await;
        app.say(chat.id, "Which height?").await;
        app.say(chat.id, "See <b>https://wood.example</b>").await;
        app.service.mail_absent(Duration::from_secs(600)).await.unwrap();
        assert!(mails.is_empty(), "the chat has not been quiet for so long");
        app.service.mail_absent(NOW).await.unwrap();
        app.service.mail_absent(NOW).await.unwrap();
        let mail = mails.next().await;
        assert!(mails.is_empty(), "one for both messages");
        assert_eq!(mail.to, "cleo@example.com");
        for part in [
            "Subject: New messages from Workshop",
            "List-Id: Workshop <chats.",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            &format!("References: <{}@", chat.id),
            "Which height?",
            "See <b>https:\u{200b}//wood.example</b>",
            "See &lt;b&gt;https:\u{200b}//wood.example&lt;/b&gt;",
            &format!("/chat?chatId={}", chat.chat_id),
        ] {
            assert!(mail.text.contains(part), "{part} in {}", mail.text);
        }

        // The next one repeats nothing.
        app.say(chat.id, "Oak or walnut?").await;
        app.service.mail_absent(NOW).await.unwrap();
        let next = mails.next().await.text;
        assert!(next.contains("Oak or walnut?") && !next.contains("Which height?"), "{next}");

        // One click, by a program that has neither cookies nor an origin.
        let line = next.lines().find_map(|line| line.strip_prefix("List-Unsubscribe: <")).expect("an address");
        let address = line.trim_end().trim_end_matches('>');
        assert!(address.starts_with(&app.url), "{address}");
        let http = reqwest::Client::builder().no_proxy().build().unwrap();
        let page = Answer::to(http.get(address)).await.expect(200).text;
        assert!(page.contains("Send no more e-mails"), "{page}");
        let click = [("List-Unsubscribe", "One-Click")];
        Answer::to(http.post(format!("{address}0")).form(&click)).await.expect(404);
        Answer::to(http.post(address).form(&click)).await.expect(200);
        app.say(chat.id, "Not by e-mail").await;
        app.service.mail_absent(NOW).await.unwrap();
        assert!(mails.is_empty());
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_gets_mail_while_online_or_about_what_was_read() {
    let (app, mut mails) = app(Database::Sqlite).await;
    let chat = open(&app, Some("cleo@example.com")).await;
    let mut guest = app.guest_socket(&chat).await;
    guest.join(chat.id).await;
    let read = app.say(chat.id, "Read").await;
    app.service.mail_absent(NOW).await.unwrap();
    assert!(mails.is_empty(), "the customer is online");
    app.api(&chat.chat_id)
        .post(&format!("/conversations/{}/read", chat.id), json!({ "seq": read.seq }))
        .await
        .expect(204);
    app.say(chat.id, "Unread").await;
    drop(guest);
    in_time("the customer leaves", async {
        while app.service.hub().customer_online(chat.id) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    app.service.mail_absent(NOW).await.unwrap();
    let mail = mails.next().await.text;
    assert!(mail.contains("Unread") && !mail.contains("Read\n"), "{mail}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_goes_to_confirmed_and_given_addresses_only() {
    for database in Database::each().await {
        let (app, mut mails) = app(database).await;
        let without = open(&app, None).await;
        app.say(without.id, "Nowhere").await;
        let revoked = open(&app, Some("revoked@example.com")).await;
        app.say(revoked.id, "For nobody").await;
        app.admin().delete(&format!("/conversations/{}/link", revoked.id)).await.expect(204);
        app.browser()
            .submit("/register", &[("name", "New"), ("email", "new@example.com"), ("password", PASSWORD)])
            .await;
        mails.next().await;
        let customer = app.customer("Confirmed").await.user;
        for email in ["new@example.com", "confirmed@example.com"] {
            let users = app.service.users(&app.actor(), Some(email)).await.unwrap();
            let request = app.request(users[0].id, "Table").await;
            let conversation = app.open_request(request.id).await;
            app.say(conversation.id, "Which height?").await;
        }
        app.service.mail_absent(NOW).await.unwrap();
        let mail = mails.next().await;
        assert_eq!((mail.to.as_str(), mails.is_empty()), (customer.email.as_str(), true));
        assert!(mail.text.contains("/account?chat="), "{}", mail.text);
        app.stop().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn admins_get_one_mail_for_a_new_chat_that_none_has_opened() {
    let (app, mut mails) = app(Database::Sqlite).await;
    app.service.create_user("second@example.com", "Second", PASSWORD, Role::Admin).await.unwrap();
    let (waiting, opened) = (open(&app, None).await, open(&app, None).await);
    for chat in [&waiting, &opened] {
        app.post(&chat.chat_id, chat.id, "Pay at https://evil.example").await;
    }
    app.admin().post(&format!("/conversations/{}/read", opened.id), json!({ "seq": 1 })).await.expect(204);
    app.service.mail_absent(NOW).await.unwrap();
    let both = [mails.next().await, mails.next().await];
    assert!(mails.is_empty());
    for mail in &both {
        assert!(mail.text.contains(&format!("/admin?chat={}", waiting.id)), "{}", mail.text);
        assert!(!mail.text.contains("evil"), "nothing of a customer's words: {}", mail.text);
    }
    app.post(&waiting.chat_id, waiting.id, "Hello?").await;
    app.service.mail_absent(NOW).await.unwrap();
    assert!(mails.is_empty());
}
