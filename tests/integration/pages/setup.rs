//! The first admin.

use super::expect_page;
use crate::support::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_admin_is_set_up_once() {
    let (service, url, _shutdown, _dir) = TestApp::empty().await;
    assert!(service.needs_setup().await.unwrap());
    let browser = Browser::new(&url);
    browser.get("/setup").await.expect(404);
    browser.get("/setup?token=wrong").await.expect(404);
    let dead = service.make_setup_secret().await.unwrap();
    let secret = service.make_setup_secret().await.unwrap();
    browser.get(&format!("/setup?token={}", dead.expose())).await.expect(404);
    expect_page(&browser.get(&format!("/setup?token={}", secret.expose())).await.expect(200));

    let fields =
        |token, email, password| [("token", token), ("name", "First"), ("email", email), ("password", password)];
    let email = "first@example.com";
    browser.submit("/setup", &fields("wrong", email, PASSWORD)).await.expect(404);
    let page = browser.submit("/setup", &fields(secret.expose(), email, "short")).await.expect(422);
    expect_page(&page);
    assert!(page.text.contains(email) && !page.text.contains("short\""), "{}", page.text);
    browser.submit("/setup", &fields(secret.expose(), "nobody", PASSWORD)).await.expect(422);

    let done = browser.submit("/setup", &fields(secret.expose(), email, PASSWORD)).await.expect(303);
    assert_eq!(done.header("location"), "/admin");
    browser.get("/admin").await.expect(200);
    let other = Browser::new(&url);
    other.get(&format!("/setup?token={}", secret.expose())).await.expect(404);
    other.submit("/setup", &fields(secret.expose(), "second@example.com", PASSWORD)).await.expect(404);
    other.sign_in(email, PASSWORD).await.expect(303);
}
