//! Signing in and out.

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_password_keeps_the_address_and_says_nothing_about_accounts() {
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
async fn a_guest_who_signs_in_keeps_the_links() {
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
async fn everyone_may_see_the_front_page() {
    let app = TestApp::start().await;
    expect_page(&app.browser().get("/").await.expect(200));
    expect_page(&app.admin_browser().await.get("/").await.expect(200));
    assert_eq!(app.browser().get("/healthz").await.expect(200).text, "ok\n");
    app.browser().get("/readyz").await.expect(200);
}
