//! When customers can expect an answer, and the opening hours behind it.

use bespoken::{api::Answers, domain::Business, storage::now};
use serde_json::json;

use crate::support::*;

/// Office hours in Berlin, closed on all days of this century.
const NEVER_OPEN: [(&str, &str); 8] = [
    ("zone", "Europe/Berlin"),
    ("from_1", "09:00"),
    ("to_1", "17:00"),
    ("from_2", "09:00"),
    ("to_2", "17:00"),
    ("from_3", "09:00"),
    ("to_3", "00:00"),
    ("closed_days", "2000-01-01 – 2099-12-31"),
];

async fn answers(browser: &Browser, zone: &str) -> Answers {
    let asked = browser.http.post(format!("{}/api/load_answers", browser.url)).json(&json!({ "zone": zone }));
    Answer::to(asked.header("origin", &browser.url)).await.expect(200).read()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_see_the_hours_while_the_business_is_closed() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let chat = app.open("Cleo").await;
        let (admin, guest) = (app.admin_browser().await, app.guest_browser(&chat).await);
        let here = format!("/chat/{}", chat.id);
        assert!(!guest.get(&here).await.expect(200).text.contains("We answer"));
        assert_eq!(answers(&guest, "Europe/Berlin").await.words, "");

        admin.submit("/admin/settings", &NEVER_OPEN).await.expect(303);
        let page = admin.get("/admin/settings").await.expect(200).text;
        for part in [r#"value="17:00""#, r#"value="00:00""#, "2000-01-01 – 2099-12-31", r#"<option value="Asia/Tokyo""#]
        {
            assert!(page.contains(part), "{part} in {page}");
        }
        let page = guest.get(&here).await.expect(200).text;
        let words = "We answer Mon, Tue 9:00–17:00, Wed 9:00–0:00 (Berlin time)";
        assert!(page.contains(&format!(">{words}<")), "{page}");
        let desk = admin.get(&format!("/admin?chat={}", chat.id)).await.expect(200).text;
        assert!(!desk.contains("We answer"), "for customers only");

        // Kathmandu is ahead of Berlin by some hours and a quarter of one, also in summer.
        let there = answers(&guest, "Asia/Kathmandu").await;
        assert!(there.words.starts_with("We answer Mon, Tue 1") && there.words.contains(":45–"), "{there:?}");
        assert!(there.until > now(), "asked again later");
        assert_eq!(answers(&guest, "../../etc/passwd").await.words, words, "an unknown zone");

        app.close(chat.id).await;
        assert!(!guest.get(&here).await.expect(200).text.contains(">We answer"), "nobody can write there");
        admin.submit("/admin/settings", &[]).await.expect(303);
        assert_eq!(app.service.business().hours, Business::default().hours);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn customers_see_how_soon_the_business_usually_answers() {
    for database in Database::each().await {
        let app = TestApp::start_on(database).await;
        let mut last = None;
        for n in 0..5 {
            let words = "Usually answers within a few minutes";
            if let Some(chat) = &last {
                app.service.learn_answers(now()).await.unwrap();
                let page = app.guest_browser(chat).await.get(&format!("/chat/{}", chat.id)).await.expect(200).text;
                assert!(!page.contains(words), "{n} answers are no habit");
            }
            let chat = app.open("Cleo").await;
            app.guest_api(&chat)
                .await
                .post(&format!("/conversations/{}/messages", chat.id), json!({ "content": "Hi" }))
                .await;
            app.say(chat.id, "Hello").await;
            last = Some(chat);
        }
        let chat = last.unwrap();
        let guest = app.guest_browser(&chat).await;
        app.service.learn_answers(now()).await.unwrap();
        let page = guest.get(&format!("/chat/{}", chat.id)).await.expect(200).text;
        assert!(page.contains("Usually answers within a few minutes"), "{page}");
        assert_eq!(answers(&guest, "Asia/Tokyo").await.words, "Usually answers within a few minutes");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_hours_are_explained_beside_their_field() {
    let app = TestApp::start().await;
    let admin = app.admin_browser().await;
    for (fields, words) in [
        (vec![("from_2", "17:00"), ("to_2", "09:00")], "closing time after the opening time"),
        (vec![("from_2", "17:00")], "both times of the day"),
        (vec![("from_2", "09:00"), ("to_2", "17:00")], "name of a time zone"),
        (vec![("zone", "Middle/Earth")], "name of a time zone"),
        (vec![("closed_days", "Christmas")], "days like 2026-12-24"),
    ] {
        let page = admin.submit("/admin/settings", &fields).await.expect(422).text;
        assert!(page.contains(words), "{words} in {page}");
        for (_, typed) in &fields {
            assert!(page.contains(*typed), "{typed} in {page}");
        }
        assert_eq!(page.matches("field__error").count(), 1, "{page}");
    }
    assert_eq!(*app.service.business(), Business::default());
}
