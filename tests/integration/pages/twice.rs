//! Forms that make something, sent twice: by a double click, or after their answer got lost.

use futures_util::future::join_all;
use serde_json::Value;

use super::{expect_page, hidden};
use crate::support::*;

/// Sends the same form of `page` to `path` three times at once, and once more. Then it sends another value of
/// `changed`, which the answer must show again. At last it sends the form as the answer shows it. Returns how all but
/// the last were answered.
async fn send(
    browser: &Browser,
    (page, path): (&str, &str),
    fields: &[(&str, &str)],
    (changed, other): (&str, &str),
) -> Vec<Answer> {
    let key = hidden(&browser.get(page).await.expect(200), "form_key");
    let with = |key: &str, change: bool| {
        let value = |&(name, value): &(&str, &str)| {
            let value = if change && name == changed { other } else { value };
            (name.to_owned(), value.to_owned())
        };
        let key = [("form_key".to_owned(), key.to_owned())];
        key.into_iter().chain(fields.iter().map(value)).collect::<Vec<_>>()
    };
    let submit = async |fields: Vec<(String, String)>| {
        let fields: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        browser.submit(path, &fields).await
    };
    let mut answers = join_all((0..3).map(|_| submit(with(&key, false)))).await;
    answers.push(submit(with(&key, false)).await);
    let refused = submit(with(&key, true)).await.expect(409);
    expect_page(&refused);
    assert!(other.is_empty() || refused.text.contains(other), "what was typed stays: {}", refused.text);
    let next = hidden(&refused, "form_key");
    assert_ne!(next, key);
    let made = submit(with(&next, true)).await;
    assert!(matches!(made.status, 200 | 303), "{}", made.text);
    answers
}

#[track_caller]
fn all_lead_to_one_place(answers: &[Answer]) -> String {
    let place = answers[0].header("location").to_owned();
    for answer in answers {
        assert_eq!((answer.status, answer.header("location")), (303, place.as_str()));
    }
    place
}

fn count(list: &Value) -> usize {
    list["items"].as_array().unwrap().len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_sent_twice_is_one_and_another_text_is_not_lost() {
    let app = TestApp::start().await;
    let browser = Browser::new(&app.url);
    let person = [("name", "Cleo"), ("email", "cleo@example.com"), ("password", PASSWORD)];
    browser.submit("/register", &person).await.expect(303);
    let fields = [("title", "Oak table"), ("description", "For a bay window"), ("budget", "120"), ("wanted_on", "")];
    let page = ("/requests/new", "/requests/new");
    let answers = send(&browser, page, &fields, ("title", "Brass lamp")).await;
    let place = all_lead_to_one_place(&answers);
    assert!(browser.get(&place).await.expect(200).text.contains("Oak table"));
    assert_eq!(count(&app.admin().get("/requests").await.json()), 2);
    // Without a key, as old pages have none.
    browser.submit("/requests/new", &fields).await.expect(303);
    assert_eq!(count(&app.admin().get("/requests").await.json()), 3);
    // A key is its person's own.
    let key = hidden(&browser.get("/requests/new").await, "form_key");
    let fields = [("form_key", key.as_str()), ("title", "Stool"), ("description", "Of oak")];
    browser.submit("/requests/new", &fields).await.expect(303);
    let other = Browser::new(&app.url);
    let person = [("name", "Ben"), ("email", "ben@example.com"), ("password", PASSWORD)];
    other.submit("/register", &person).await.expect(303);
    other.submit("/requests/new", &fields).await.expect(303);
    assert_eq!(count(&app.admin().get("/requests").await.json()), 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_opened_twice_is_one_with_one_first_message_and_another_is_not_lost() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let fields = [("customer_name", "Cleo"), ("customer_email", ""), ("first_message", "Good morning")];
    let page = ("/admin?new=1", "/admin/chats");
    let place = all_lead_to_one_place(&send(&browser, page, &fields, ("customer_name", "Ben")).await);
    let id = place.split_once("chat=").unwrap().1;
    assert_eq!(count(&app.admin().get(&format!("/conversations/{id}/messages")).await.json()), 1);
    assert_eq!(count(&app.admin().get("/conversations").await.json()), 2);
    // Another first message for the same customer.
    let answers = send(&browser, page, &fields, ("first_message", "Good evening")).await;
    let id = all_lead_to_one_place(&answers).split_once("chat=").unwrap().1.to_owned();
    assert_eq!(count(&app.admin().get(&format!("/conversations/{id}/messages")).await.json()), 1);
    assert_eq!(count(&app.admin().get("/conversations").await.json()), 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_token_or_invitation_made_twice_is_one() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let before = app.service.tokens().await.unwrap().len();
    for (page, path) in [("/admin/tokens", "/admin/tokens"), ("/admin/people", "/admin/people/invites")] {
        let answers = send(&browser, (page, path), &[("name", "Web shop")], ("", "")).await;
        let mut statuses: Vec<_> = answers.iter().map(|answer| answer.status).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409], "{path}: one shows what was made, the others say so");
    }
    assert_eq!(app.service.tokens().await.unwrap().len(), before + 2);
    assert_eq!(app.service.invites(&app.actor()).await.unwrap().len(), 2);
}
