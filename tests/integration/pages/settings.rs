//! The settings of the business, and what they change.

use bespoken::{
    domain::{BusinessForm, ConversationStatus, Timestamp},
    storage::now,
};
use serde_json::json;

use crate::support::*;

const DAY_MS: i64 = 86_400_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_appear_where_customers_see_them() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let chat = app.open("Cleo").await;
        let (admin, guest) = (app.admin_browser().await, app.guest_browser(&chat).await);
        let page = admin.get("/admin/settings").await.expect(200).text;
        assert!(page.contains("Name of the business"), "{page}");
        let fields = [
            ("name", "Elm & Oak"),
            ("welcome", "Welcome to\nour workshop!"),
            ("privacy", "We erase chats after a year."),
            ("suggestions", "How long does it take?\r\n\r\nWhat does it cost?"),
        ];
        let answer = admin.submit("/admin/settings", &fields).await.expect(303);
        assert_eq!(answer.header("location"), "/admin/settings?done=1");
        let page = admin.get("/admin/settings?done=1").await.expect(200).text;
        for part in ["The settings are saved", "Elm &amp; Oak", "our workshop!", "What does it cost?"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let here = format!("/chat/{}", chat.id);
        let page = guest.get(&here).await.expect(200).text;
        for part in ["Elm &amp; Oak", "our workshop!", "after a year", r#"value="What does it cost?""#] {
            assert!(page.contains(part), "{part} in {page}");
        }
        let desk = admin.get(&format!("/admin?chat={}", chat.id)).await.expect(200).text;
        assert!(!desk.contains("our workshop!"), "for customers only");

        let sent = guest.submit(&here, &[("content", "What does it cost?")]).await.expect(303);
        assert_eq!(sent.header("location"), here);
        admin.submit("/admin/settings", &[]).await.expect(303);
        let page = guest.get(&here).await.expect(200).text;
        assert!(page.contains("Workshop") && !page.contains("our workshop!"), "{page}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rejected_form_keeps_what_was_typed_and_changes_nothing() {
    let app = TestApp::start().await;
    let admin = app.admin_browser().await;
    admin.submit("/admin/settings", &[("name", "Elm & Oak")]).await.expect(303);
    let fields =
        [("name", "Another"), ("welcome", "Come in"), ("idle_days", "1"), ("reopens", "1"), ("language", "de")];
    let page = admin.submit("/admin/settings", &fields).await.expect(422).text;
    for part in ["Another", "Come in", "from 2 to 365", "checked"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert_eq!(app.service.business_name(), "Elm & Oak");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settings_outlive_the_server() {
    let app = TestApp::start().await;
    let form = BusinessForm { name: "Elm & Oak".into(), reopens: "1".into(), ..BusinessForm::default() };
    app.service.set_business(&app.actor(), &form).await.unwrap();
    let app = app.stop().await.start().await;
    assert_eq!(app.service.business_name(), "Elm & Oak");
    assert!(app.service.business().reopens);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_reopens_a_chat_by_writing_if_it_is_set() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let chat = app.open("Cleo").await;
        let guest = app.guest_api(&chat).await;
        let said = format!("/conversations/{}/messages", chat.id);
        let files = format!("/conversations/{}/attachments", chat.id);
        app.close(chat.id).await;
        guest.post(&said, json!({ "content": "One more thing" })).await.problem(409, "closed");
        guest.upload(&files, "plan.txt", "text/plain", b"plan").await.problem(409, "closed");

        let form = BusinessForm { reopens: "1".into(), ..BusinessForm::default() };
        app.service.set_business(&app.actor(), &form).await.unwrap();
        app.admin().post(&said, json!({ "content": "Hello?" })).await.problem(409, "closed");
        let message = guest.post(&said, json!({ "content": "One more thing" })).await.expect(201).json();
        assert_eq!(message["rev"], 4, "opened, closed, reopened, posted");
        let seen = app.service.conversation(&app.actor(), chat.id).await.unwrap();
        assert_eq!((seen.status, seen.closed_at, seen.closed_by), (ConversationStatus::Open, None, None));

        app.close(chat.id).await;
        let file = guest.upload(&files, "plan.txt", "text/plain", b"plan").await.expect(201).json();
        let with = json!({ "content": "", "attachment_ids": [file["id"]] });
        guest.post(&said, with).await.expect(201);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silent_chats_close_after_the_days_that_are_set() {
    let app = TestApp::start().await;
    let chat = app.open("Cleo").await;
    app.say(chat.id, "It is ready.").await;
    let in_days = |days: i64| Timestamp(now().0 + days * DAY_MS);
    let status = async || app.service.conversation(&app.actor(), chat.id).await.unwrap();
    app.service.close_idle(in_days(1_000)).await.unwrap();
    assert_eq!(status().await.last_event, None, "not unless it is set");

    let form = BusinessForm { idle_days: "14".into(), ..BusinessForm::default() };
    app.service.set_business(&app.actor(), &form).await.unwrap();
    app.service.close_idle(in_days(12)).await.unwrap();
    assert_eq!(status().await.last_event, None, "a day before the end");
    app.service.close_idle(in_days(14)).await.unwrap();
    let warned = status().await;
    assert!(warned.last_event.is_some() && warned.is_open(), "{warned:?}");
    app.service.close_idle(in_days(0)).await.unwrap();
    assert!(status().await.is_open(), "a day after the warning");
    app.service.close_idle(in_days(2)).await.unwrap();
    assert!(!status().await.is_open());
}
