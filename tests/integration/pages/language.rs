//! The language of pages.

use reqwest::header::ACCEPT_LANGUAGE;

use super::expect_page;
use crate::support::*;

async fn get(browser: &Browser, path: &str, languages: &str) -> Answer {
    let request = browser.http.get(format!("{}{path}", browser.url));
    Answer::to(request.header(ACCEPT_LANGUAGE, languages)).await.expect(200)
}

#[track_caller]
fn expect_language(page: &Answer, tag: &str) {
    expect_page(page);
    assert!(page.text.contains(&format!("<html lang=\"{tag}\"")), "not {tag}: {}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn pages_speak_the_language_that_a_browser_asks_for() {
    let app = TestApp::start().await;
    let browser = app.browser();
    for (path, german, english) in [
        ("/login", "Passwort vergessen?", "Forgot your password?"),
        ("/register", "Konto anlegen", "Create the account"),
        ("/", "Anfrage stellen", "Make a request"),
    ] {
        let page = get(&browser, path, "de-DE,de;q=0.9,en;q=0.5").await;
        expect_language(&page, "de");
        assert!(page.text.contains(german) && !page.text.contains(english), "{}", page.text);
        for languages in ["en", "fr"] {
            let page = get(&browser, path, languages).await;
            expect_language(&page, "en");
            assert!(page.text.contains(english) && !page.text.contains(german), "{}", page.text);
        }
    }
    let admin = app.admin_browser().await;
    let page = get(&admin, "/admin/tokens", "de").await;
    expect_language(&page, "de");
    assert!(page.text.contains("API-Schlüssel erstellen"), "{}", page.text);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_language_that_was_chosen_stays() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let page = get(&browser, "/login?next=%2Faccount", "en").await;
    assert!(page.text.contains("action=\"/language\"") && page.text.contains("Deutsch"), "{}", page.text);

    let chosen = browser.submit("/language", &[("language", "de"), ("next", "/login")]).await.expect(303);
    assert_eq!(chosen.header("location"), "/login");
    assert_eq!(chosen.cookie(), "bespoken_language=de");
    expect_language(&get(&browser, "/login", "en").await, "de");
    expect_language(&get(&app.browser(), "/login", "en").await, "en");

    for next in ["https://evil.example", "//evil.example", "/\\evil.example", ""] {
        let chosen = browser.submit("/language", &[("language", "en"), ("next", next)]).await.expect(303);
        assert_eq!(chosen.header("location"), "/", "{next}");
    }
    expect_language(&get(&browser, "/login", "de").await, "en");
}
