//! Two builds behind one balancer, as while an update rolls out.

use crate::support::*;

/// The address that begins with `begin` in a text.
#[track_caller]
fn address<'a>(text: &'a str, begin: &str) -> &'a str {
    let at = text.find(begin).unwrap_or_else(|| panic!("no {begin} in {text}"));
    text[at..].split(['"', '`']).next().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_another_build_is_missing_only_for_now() {
    let app = TestApp::start().await;
    for name in ["bespoken.css", "bespoken.js", "1/bespoken.js", "bespoken_bg.wasm"] {
        let answer = app.browser().get(&format!("/pkg/0123456789abcdef/{name}")).await.expect(404);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert!(answer.header("content-type").starts_with("text/plain"), "nothing takes it for the file");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_names_files_of_its_own_build_only() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let page = app.guest_browser(&chat).await.get(&format!("/chat/{}", chat.id)).await.expect(200);
    let folder = address(&page.text, "/pkg/").rsplit_once('/').unwrap().0;
    for named in page.text.match_indices("/pkg/").map(|(at, _)| address(&page.text[at..], "/pkg/")) {
        assert_eq!(named.rsplit_once('/').unwrap().0, folder, "{named}");
    }
    // The browser requests the islands' files while it reads the page. A page without islands needs none.
    for file in ["bespoken.js", "bespoken_bg.wasm"] {
        assert!(page.text.contains(&format!("href=\"{folder}/{file}\"")), "{file}");
    }
    assert!(!app.browser().get("/login").await.expect(200).text.contains("bespoken_bg.wasm"));
    // The page helps itself when a file is missing, before anything else is loaded.
    let (script, styles) = (page.text.find("<script").unwrap(), page.text.find("rel=\"stylesheet\"").unwrap());
    assert!(script < styles);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_for_offline_is_one_file_of_the_build_of_its_service_worker() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let worker = browser.get("/sw.js").await.expect(200);
    assert_eq!(worker.header("cache-control"), "no-cache");
    let offline = address(&worker.text, "/offline.");
    assert_ne!(offline, "/offline.html", "the address of another build's page is another one");
    let page = browser.get(offline).await.expect(200);
    assert!(!page.text.contains("src=") && !page.text.contains("<link"), "it needs no other file");
    assert!(page.header("content-security-policy").contains("script-src 'sha256-"));
    browser.get("/offline.0123456789abcdef.html").await.expect(404);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_that_is_asked_for_again_has_an_address_of_its_own() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let page = browser.get("/login").await.expect(200).text;
    let styles = address(&page[page.find("rel=\"stylesheet\"").unwrap()..], "/pkg/");
    let again = styles.replace("/bespoken", "/3/bespoken");
    assert_ne!(again, styles);
    let (first, second) = (browser.get(styles).await.expect(200), browser.get(&again).await.expect(200));
    assert_eq!(first.text, second.text);
    assert!(second.header("cache-control").contains("immutable"));
    browser.get(&styles.replace("/bespoken", "/x/bespoken")).await.expect(404);
}
