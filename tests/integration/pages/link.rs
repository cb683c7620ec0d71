//! The shared link: no login, and nothing to learn from a wrong one.

use serde_json::json;

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_link_sets_a_cookie_and_leads_to_an_address_without_the_secret() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for chat_id in [chat.chat_id.clone(), chat.chat_id.to_uppercase(), format!("%20{}%20", chat.chat_id)] {
        let answer = app.browser().get(&format!("/chat?chatId={chat_id}")).await.expect(303);
        assert_eq!(answer.header("location"), format!("/chat/{}", chat.id));
        assert_eq!(answer.header("cache-control"), "no-store");
        let cookie = answer.header("set-cookie");
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age="] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "this server speaks plain HTTP: {cookie}");
        assert!(!cookie.contains(&chat.chat_id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_and_revoked_links_show_the_same_page() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    let browser = app.browser();
    let mut pages = Vec::new();
    for query in [
        format!("?chatId={}", chat.chat_id),
        format!("?chatId={}", fresh()),
        "?chatId=x".to_owned(),
        "?chatId=".to_owned(),
        "?chatId=a&chatId=b".to_owned(),
        String::new(),
    ] {
        let page = browser.get(&format!("/chat{query}")).await.expect(404);
        expect_page(&page);
        assert!(page.headers.get("set-cookie").is_none());
        pages.push(without_nonce(&page));
    }
    pages.dedup();
    assert_eq!(pages.len(), 1);
}

/// The page without the nonce, which is another with each answer.
fn without_nonce(page: &Answer) -> String {
    let policy = page.header("content-security-policy");
    let nonce = policy.split_once("'nonce-").unwrap().1.split_once('\'').unwrap().0;
    page.text.replace(nonce, "")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_that_was_opened_lasts_until_it_is_revoked() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let path = format!("/chat/{}", chat.id);
    browser.get(&path).await.expect(200);
    let data = app.stop().await;
    let app = data.start().await;
    let browser = Browser { url: app.url.clone(), ..browser };
    browser.get(&path).await.expect(200);
    app.admin().post(&format!("/conversations/{}/link", chat.id), json!({})).await.expect(200);
    browser.get(&path).await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_browser_may_open_several_links() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    let browser = app.guest_browser(&chat).await;
    let again = browser.get(&format!("/chat?chatId={}", other.chat_id)).await.expect(303);
    assert!(again.headers.get("set-cookie").is_none(), "the session goes on");
    for chat in [&chat, &other] {
        browser.get(&format!("/chat/{}", chat.id)).await.expect(200);
    }
    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    browser.get(&format!("/chat/{}", chat.id)).await.expect(404);
    browser.get(&format!("/chat/{}", other.id)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_of_one_chat_finds_no_other() {
    let app = TestApp::start().await;
    let (chat, other) = (app.open("Oak table").await, app.open("Brass lamp").await);
    app.say(other.id, "not for everyone").await;
    let browser = app.guest_browser(&chat).await;
    for id in [other.id.to_string(), fresh().to_string(), "1".to_owned()] {
        let page = browser.get(&format!("/chat/{id}")).await.expect(404);
        expect_page(&page);
        assert!(!page.text.contains("not for everyone") && !page.text.contains("Brass lamp"));
        browser.submit(&format!("/chat/{id}"), &[("content", "hello")]).await.expect(404);
    }
    app.browser().get(&format!("/chat/{}", chat.id)).await.expect(404);
    app.browser().submit(&format!("/chat/{}", chat.id), &[("content", "hello")]).await.expect(404);
    let stored = app.admin().get(&format!("/conversations/{}", other.id)).await.json();
    assert_eq!(stored["last_seq"], 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_admin_who_tries_a_link_stays_an_admin() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.admin_browser().await;
    browser.get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303);
    let answer = browser.get(&format!("/chat/{}", chat.id)).await.expect(303);
    assert_eq!(answer.header("location"), format!("/admin?chat={}", chat.id));
    browser.get("/admin").await.expect(200);
}
