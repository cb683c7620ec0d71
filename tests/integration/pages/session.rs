//! Signing in and out.

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_shows_the_address_again_and_reveals_no_accounts() {
    let app = TestApp::start().await;
    let browser = app.browser();
    expect_page(&browser.get("/login").await.expect(200));
    let mut said = Vec::new();
    for email in ["admin@example.com", "stranger@example.com"] {
        let page = browser.sign_in(email, "a wrong password").await.expect(401);
        expect_page(&page);
        assert!(page.text.contains(&format!(r#"value="{email}""#)), "{}", page.text);
        assert!(!page.text.contains("a wrong password"));
        assert!(page.headers.get("set-cookie").is_none());
        said.push(page.text.matches("do not belong together").count() > 0);
    }
    assert_eq!(said, [true, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_starts_a_new_session_and_ends_the_one_before() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let browser = app.guest_browser(&chat).await;
    let planted = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let request = app.browser().form("/login", &[("email", " ADMIN@example.com "), ("password", PASSWORD)]);
    let answer = Answer::to(request.header("cookie", &planted)).await.expect(303);
    assert_eq!(answer.header("location"), "/admin");
    assert_ne!(answer.cookie(), planted);
    for part in ["HttpOnly", "SameSite=Lax", "Path=/"] {
        assert!(answer.header("set-cookie").contains(part));
    }
    let with = async |cookie: &str| {
        let request = app.browser().http.get(format!("{}/api/v1/conversations", app.url));
        Answer::to(request.header("cookie", cookie)).await.status
    };
    assert_eq!((with(&planted).await, with(&answer.cookie()).await), (401, 200));

    browser.sign_in("admin@example.com", PASSWORD).await.expect(303);
    assert_eq!(browser.get("/login").await.expect(303).header("location"), "/admin", "who is in need not sign in");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_guest_who_signs_in_retains_the_links() {
    use bespoken::domain::Role;
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.service.create_user("customer@example.com", "Customer", PASSWORD, Role::Customer).await.unwrap();
    let browser = app.guest_browser(&chat).await;
    let answer = browser.sign_in("customer@example.com", PASSWORD).await.expect(303);
    assert_eq!(answer.header("location"), "/account");
    browser.get(&format!("/chat/{}", chat.id)).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_in_leads_back_within_this_server_only() {
    let app = TestApp::start().await;
    let fields = |next| [("email", "admin@example.com"), ("password", PASSWORD), ("next", next)];
    for next in ["/admin?chat=1", "/chat/1#end", "/"] {
        let answer = app.browser().submit("/login", &fields(next)).await.expect(303);
        assert_eq!(answer.header("location"), next);
    }
    for next in [
        "",
        "admin",
        "http://example.com",
        "//example.com",
        "///example.com",
        "/\\example.com",
        "\\\\example.com",
        "/\t/example.com",
        "\t//example.com",
        "/\n/example.com",
        "/\r\nset-cookie: a=b",
        "javascript:alert(1)",
        "https:example.com",
    ] {
        let answer = app.browser().submit("/login", &fields(next)).await.expect(303);
        assert_eq!(answer.header("location"), "/admin", "{next:?}");
    }
    let page =
        app.browser().submit("/login", &[("email", "a@example.com"), ("password", "x"), ("next", "/admin")]).await;
    assert!(page.expect(401).text.contains(r#"value="/admin""#), "the way back outlives a mistake");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_ends_the_session_everywhere() {
    let app = TestApp::start().await;
    let browser = app.browser();
    let cookie = browser.sign_in("admin@example.com", PASSWORD).await.expect(303).cookie();
    expect_page(&browser.get("/logout").await.expect(200));
    browser.get("/admin").await.expect(200);
    let answer = browser.submit("/logout", &[]).await.expect(303);
    assert_eq!(answer.header("location"), "/");
    assert!(answer.header("set-cookie").contains("Max-Age=0"), "{answer:?}");
    browser.get("/admin").await.expect(303);
    let kept = app.browser().http.get(format!("{}/api/v1/conversations", app.url)).header("cookie", cookie);
    Answer::to(kept).await.problem(401, "unauthorized");
    assert_eq!(browser.submit("/logout", &[]).await.expect(303).header("location"), "/");
    assert_eq!(browser.get("/logout").await.expect(303).header("location"), "/");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sign_in_without_cookies_shows_the_reason() {
    let app = TestApp::start().await;
    let nobody = app.nobody();
    let get = async |path: &str, headers: &[(&'static str, &str)]| {
        let request = nobody.request_to(reqwest::Method::GET, path);
        Answer::to(headers.iter().fold(request, |request, (name, value)| request.header(*name, *value))).await
    };
    let sign_in = app.browser().sign_in("admin@example.com", PASSWORD).await.expect(303);
    let to = sign_in.header("location").to_owned();
    assert_eq!(to, "/admin", "nothing is added to the address of a good visit");
    for page in ["/login", "/login?next=/admin", "/register", "/setup?token=a", "/reset?token=a", "/invite?token=a"] {
        let referer = format!("{}{page}", app.url);
        let back = get(&to, &[("referer", &referer), ("sec-fetch-site", "same-origin")]).await.expect(303);
        assert_eq!(back.header("location"), "/login?next=/admin&cookie=lost");
        let page = get(back.header("location"), &[]).await.expect(200);
        expect_page(&page);
        assert!(page.text.contains("did not keep the cookie"), "{}", page.text);
        assert!(page.text.contains(app.url.trim_start_matches("http://")));
    }
    // A new browser, a visitor from another site, and an expired cookie see the plain sign-in.
    let (here, elsewhere) = (format!("{}/login", app.url), "https://example.com/login");
    for headers in [
        &[][..],
        &[("referer", &*format!("{}/admin", app.url))],
        &[("referer", elsewhere), ("sec-fetch-site", "cross-site")],
        &[("referer", &*here), ("cookie", "bespoken=ended")],
    ] {
        assert_eq!(get(&to, headers).await.expect(303).header("location"), "/login?next=/admin");
    }
    assert!(!get("/login?next=/admin", &[]).await.expect(200).text.contains("cookie"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn signing_out_leaves_no_page_behind() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    for browser in [app.admin_browser().await, app.guest_browser(&chat).await] {
        let page = browser.get(&format!("/chat/{}", chat.id)).await;
        assert_eq!(page.header("cache-control"), "no-store");
        // A cached page asks whose session it is.
        let session = browser.get("/session").await.expect(200);
        assert_eq!(session.header("cache-control"), "no-store");
        assert!(!session.text.is_empty());
        let out = browser.submit("/logout", &[]).await.expect(303);
        assert_eq!(out.header("clear-site-data"), "\"cache\"");
        assert_eq!(browser.get("/session").await.expect(200).text, "");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_names_the_session_that_it_was_written_for() {
    let app = TestApp::start().await;
    let browser = app.admin_browser().await;
    let session = browser.get("/session").await.expect(200).text;
    for path in ["/", "/admin", "/admin/people", "/account", "/docs/api"] {
        let page = browser.get(path).await.expect(200);
        assert!(page.text.contains(&format!(r#"data-session="{session}""#)), "{path}");
    }
    assert!(!app.browser().get("/").await.expect(200).text.contains("data-session"));
    // It is no sign to get in with.
    let with = app.nobody().request_to(reqwest::Method::GET, "/admin").header("cookie", format!("bespoken={session}"));
    Answer::to(with).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_may_see_the_front_page() {
    let app = TestApp::start().await;
    expect_page(&app.browser().get("/").await.expect(200));
    expect_page(&app.admin_browser().await.get("/").await.expect(200));
    assert_eq!(app.browser().get("/healthz").await.expect(200).text, "ok\n");
    app.browser().get("/readyz").await.expect(200);
}
