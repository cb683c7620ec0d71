//! Confirming an e-mail address, without JavaScript.

use super::{expect_page, hidden};
use crate::support::*;
use bespoken::settings::Limits;

/// The path of the link in a mail.
fn path_of(mail: &Mail) -> String {
    format!("/confirm?token={}", mail.secret().expose())
}

async fn set() -> (TestApp, MailServer, Browser) {
    let mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let browser = app.browser();
    let fields = [("name", "New"), ("email", "new@example.com"), ("password", PASSWORD)];
    browser.submit("/register", &fields).await.expect(303);
    (app, mails, browser)
}

const NOTICE: &str = "new@example.com is not confirmed yet";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signed_in_person_confirms_with_a_button_and_opening_the_link_does_not_confirm() {
    let (app, mut mails, browser) = set().await;
    let first = path_of(&mails.next().await);
    assert!(browser.get("/account").await.expect(200).text.contains(NOTICE));
    assert!(browser.get("/account?tab=profile").await.expect(200).text.contains("Send the link again"));
    let again = browser.submit("/account/confirmation", &[]).await.expect(303);
    let page = browser.get(again.header("location")).await.expect(200);
    assert!(page.text.contains("We have sent you a link"), "{}", page.text);
    let path = path_of(&mails.next().await);
    browser.get(&first).await.expect(404);
    for who in [&app.browser(), &browser, &browser] {
        expect_page(&who.get(&path).await.expect(200));
    }
    assert!(browser.get("/account").await.expect(200).text.contains(NOTICE), "only programs have opened it");
    let people = app.admin_browser().await.get("/admin/people").await.expect(200);
    assert!(people.text.contains("Address not confirmed"), "{}", people.text);

    let page = browser.get(&path).await.expect(200);
    assert!(page.text.contains("Yes, confirm it") && !page.text.contains("type=\"password\""), "{}", page.text);
    let token = hidden(&page, "token");
    let done = browser.submit("/confirm", &[("token", &token)]).await.expect(303);
    let page = browser.get(done.header("location")).await.expect(200);
    assert!(page.text.contains("Your e-mail address is confirmed.") && !page.text.contains(NOTICE), "{}", page.text);
    browser.submit("/confirm", &[("token", &token)]).await.expect(404);
    assert!(!app.admin_browser().await.get("/admin/people").await.text.contains("Address not confirmed"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_not_signed_in_chooses_the_password() {
    let (app, mut mails, stranger) = set().await;
    let path = path_of(&mails.next().await);
    let owner = app.browser();
    let page = owner.get(&path).await.expect(200);
    let token = hidden(&page, "token");
    let short = owner.submit("/confirm", &[("token", &token), ("password", "short")]).await.expect(422);
    assert!(short.text.contains("at least 10 characters") && short.text.contains("Confirm and sign in"), "{short:?}");
    let fields = [("token", &*token), ("password", "the owners password")];
    let done = owner.submit("/confirm", &fields).await.expect(303);
    assert_eq!(done.header("location"), "/account");
    owner.get("/account").await.expect(200);
    stranger.get("/account").await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_address_is_confirmed_where_one_is_signed_in() {
    let (app, mut mails, browser) = set().await;
    mails.next().await;
    let fields = [("name", "New"), ("email", "other@example.com"), ("current_password", PASSWORD)];
    let asked = browser.submit("/account/profile", &fields).await.expect(303);
    let page = browser.get(asked.header("location")).await.expect(200);
    assert!(page.text.contains("We have sent you a link") && page.text.contains(NOTICE), "{}", page.text);
    let path = path_of(&mails.next().await);

    let elsewhere = app.browser();
    let page = elsewhere.get(&path).await.expect(200);
    let way = page.text.split("href=\"").find(|rest| rest.starts_with("/login?next=")).expect("a way to sign in");
    let next = way.split('"').next().unwrap().split_once("next=").unwrap().1.replace("%2F", "/");
    assert_eq!(next.replace("%3F", "?").replace("%3D", "="), path);
    let token = path.split_once("token=").unwrap().1;
    elsewhere.submit("/confirm", &[("token", token), ("password", "a strangers password")]).await.expect(401);

    elsewhere.sign_in("new@example.com", PASSWORD).await.expect(303);
    let page = elsewhere.get(&path).await.expect(200);
    elsewhere.submit("/confirm", &[("token", &hidden(&page, "token"))]).await.expect(303);
    let page = browser.get("/account?tab=profile").await.expect(200);
    assert!(page.text.contains("other@example.com") && !page.text.contains("not confirmed"), "{}", page.text);
    assert!(mails.is_empty(), "the address before was never confirmed, so nothing is sent there");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_answered_the_same_for_every_address() {
    let (app, mut mails, _) = set().await;
    mails.next().await;
    app.customer("Owner").await;
    let mut pages = Vec::new();
    for email in ["new@example.com", "owner@example.com", "nobody@example.com"] {
        let page = app.browser().submit("/forgot", &[("email", email)]).await.expect(200);
        let nonce = page.text.split("nonce=\"").nth(1).and_then(|rest| rest.split('"').next()).unwrap_or_default();
        pages.push(page.text.replace(email, "").replace(nonce, ""));
    }
    assert!(pages.iter().all(|page| *page == pages[0]), "{pages:?}");
    let mut came = [mails.next().await, mails.next().await].map(|mail| mail.text.contains("/confirm?token="));
    came.sort_unstable();
    assert_eq!(came, [false, true], "the address that was not confirmed is asked to confirm");
}
