//! Changes of an account's access: by mail, by role, by profile.

use std::net::{IpAddr, Ipv4Addr};

use bespoken::{
    domain::{Code, Email, Role, User},
    protocol::close,
    service::{Confirming, Secret, Visitor},
    settings::Limits,
};
use serde_json::json;

use crate::support::*;

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

fn visitor<'a>() -> Visitor<'a> {
    Visitor { address: HERE, user_agent: None, session: None }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_forgotten_password_is_replaced_by_mail() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let second = Ws::with_cookie(&app.url, &app.cookie(&owner.user).await).await.unwrap();
    let (mut sockets, mut kept) = ([app.socket_of(&owner).await, second], app.socket_of(&other).await);

    app.service.ask_for_password_reset("stranger@example.com", HERE).await.unwrap();
    app.service.ask_for_password_reset(" OWNER@example.com", HERE).await.unwrap();
    let mail = mails.next().await;
    assert_eq!((&*mail.to, &*mail.from), ("owner@example.com", "no-reply@localhost"));
    assert!(mail.text.contains("Subject: A new password for Workshop"), "{}", mail.text);
    assert!(mail.text.contains("Hello,") && mail.text.contains("If it was not you"), "{}", mail.text);
    let link = mail.text.lines().find_map(|line| line.split_once("/reset?token=")).expect("a link");
    assert_eq!(link.0, app.url, "to this server");
    let secret = Secret::presented(link.1);
    assert!(mails.is_empty(), "nobody else is written to");
    for ws in &mut sockets {
        ws.settled().await;
    }

    app.service.check_password_reset(&secret, HERE).await.unwrap();
    let short = app.service.reset_password(&secret, "short", visitor()).await.unwrap_err();
    assert_eq!((short.code, short.field.as_deref()), (Code::Invalid, Some("password")));
    let (user, cookie) = app.service.reset_password(&secret, "another long password", visitor()).await.unwrap();
    assert_eq!(user, owner.user);
    for ws in &mut sockets {
        assert_eq!(ws.closed().await, Some(close::NOT_ALLOWED));
    }
    kept.settled().await;
    owner.api.get("/requests").await.problem(401, "unauthorized");
    let cookie = format!("bespoken={}", cookie.expose());
    Api::new(&app.url, Sign::Cookie(cookie)).get("/requests").await.expect(200);
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(401);
    app.browser().sign_in("owner@example.com", "another long password").await.expect(303);
    let again = app.service.reset_password(&secret, "a third long password", visitor()).await.unwrap_err();
    assert_eq!(again.code, Code::NotFound, "used once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_the_latest_mail_counts_and_no_mailbox_is_filled() {
    let mut mails = MailServer::start().await;
    let limits = Limits { mails: 3, ..Limits::default() };
    let app = TestApp::with_mail(limits, Some(mails.url.clone())).await;
    app.customer("Owner").await;
    app.customer("Other").await;
    let mut secrets = Vec::new();
    for _ in 0..3 {
        app.service.ask_for_password_reset("owner@example.com", HERE).await.unwrap();
        let mail = mails.next().await;
        let token = mail.text.lines().find_map(|line| line.split_once("/reset?token=")).expect("a link").1.to_owned();
        secrets.push(Secret::presented(&token));
    }
    app.service.ask_for_password_reset("owner@example.com", HERE).await.unwrap();
    app.service.ask_for_password_reset("other@example.com", HERE).await.unwrap();
    assert_eq!(mails.next().await.to, "other@example.com", "a fourth within the hour is not sent");

    let works = async |secret| app.service.check_password_reset(secret, HERE).await.map_err(|problem| problem.code);
    assert_eq!(works(&secrets[0]).await, Err(Code::NotFound));
    assert_eq!(works(&secrets[1]).await, Err(Code::NotFound));
    assert_eq!(works(&secrets[2]).await, Ok(()));
    let none = app.service.ask_for_password_reset("nobody", HERE).await.unwrap_err();
    assert_eq!(none.code, Code::Invalid);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mail_server_that_is_gone_is_no_ones_fault() {
    let mails = MailServer::start().await;
    let url = mails.url.replace("127.0.0.1", "127.0.0.2");
    let app = TestApp::with_mail(Limits::default(), Some(url)).await;
    app.customer("Owner").await;
    app.service.ask_for_password_reset("owner@example.com", HERE).await.unwrap();
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_changed_password_signs_out_everywhere_else() {
    let app = TestApp::start().await;
    let owner = app.customer("Owner").await;
    let (here, there) = (owner.cookie.clone(), app.cookie(&owner.user).await);
    let mut sockets =
        [Ws::with_cookie(&app.url, &here).await.unwrap(), Ws::with_cookie(&app.url, &there).await.unwrap()];
    let secret = Secret::presented(here.split_once('=').unwrap().1);
    let session = app.service.session(&secret).await.unwrap().unwrap();
    let visitor = Visitor { session: Some(&session), ..visitor() };

    let change = async |current, new| app.service.change_password(&owner.user, current, new, visitor).await;
    let wrong = change("a wrong password", "another long password").await.unwrap_err();
    assert_eq!((wrong.code, wrong.field.as_deref()), (Code::Invalid, Some("current_password")));
    assert_eq!(change(PASSWORD, "short").await.unwrap_err().field.as_deref(), Some("password"));
    change(PASSWORD, "another long password").await.unwrap();
    assert_eq!(sockets[1].closed().await, Some(close::NOT_ALLOWED));
    sockets[0].settled().await;
    owner.api.get("/requests").await.expect(200);
    Api::new(&app.url, Sign::Cookie(there)).get("/requests").await.problem(401, "unauthorized");
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_browser_is_signed_out_by_its_owner() {
    let app = TestApp::start().await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let there = app.cookie(&owner.user).await;
    let mut sockets = [app.socket_of(&owner).await, Ws::with_cookie(&app.url, &there).await.unwrap()];
    let secret = Secret::presented(there.split_once('=').unwrap().1);
    let id = app.service.session(&secret).await.unwrap().unwrap().id;
    assert_eq!(app.service.sessions(&owner.user).await.unwrap().len(), 2);
    assert_eq!(app.service.end_session(&other.user, id).await.unwrap_err().code, Code::NotFound);
    app.service.end_session(&owner.user, id).await.unwrap();
    assert_eq!(sockets[1].closed().await, Some(close::NOT_ALLOWED));
    sockets[0].settled().await;
    assert_eq!(app.service.sessions(&owner.user).await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_is_lost_at_once() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    let (second, token) = app.other_admin().await;
    let cookie = app.cookie(&second).await;
    let invitation = app.service.invite(&bespoken::domain::Actor::Admin(second.clone()), None).await.unwrap();
    let invitation = Secret::presented(invitation.split_once("token=").unwrap().1);
    app.service.check_invite(&invitation, HERE).await.unwrap();
    let mut sockets = [app.socket(&token).await, Ws::with_cookie(&app.url, &cookie).await.unwrap()];
    for ws in &mut sockets {
        ws.join(chat.id).await;
    }
    let mut kept = app.admin_socket().await;
    app.service.set_role(&app.actor(), second.id, Role::Customer).await.unwrap();
    for ws in &mut sockets {
        assert_eq!(ws.closed().await, Some(close::NOT_ALLOWED));
    }
    kept.settled().await;
    app.api(&token).get("/conversations").await.problem(401, "unauthorized");
    let path = format!("/conversations/{}", chat.id);
    let browser = Api::new(&app.url, Sign::Cookie(cookie));
    browser.get(&path).await.problem(404, "not_found");
    browser.get("/conversations").await.expect(200);
    assert_eq!(app.service.check_invite(&invitation, HERE).await.unwrap_err().code, Code::NotFound);

    let own = app.service.set_role(&app.actor(), app.data.admin.id, Role::Customer).await.unwrap_err();
    assert_eq!(own.code, Code::Forbidden);
    // A role that is won counts at once too.
    app.service.set_role(&app.actor(), second.id, Role::Admin).await.unwrap();
    browser.get(&path).await.expect(200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_address_takes_the_password_and_its_mailbox_and_a_new_name_does_not() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let owner = app.customer("Owner").await;
    let mut ws = app.socket_of(&owner).await;
    let set =
        async |name, email, password| app.service.set_profile(&owner.user, name, email, password, visitor()).await;
    let wrong = set("Owner", "new@example.com", "").await.unwrap_err();
    assert_eq!((wrong.code, wrong.field.as_deref()), (Code::Invalid, Some("current_password")));
    ws.settled().await;
    assert_eq!(set("Renamed", "OWNER@example.com", "").await, Ok(false));
    assert_eq!(ws.closed().await, Some(close::RESTARTING), "it comes back under the new name");
    assert_eq!(app.socket_of(&owner).await.user.name, "Renamed");

    assert_eq!(set("Owner", "new@example.com", PASSWORD).await, Ok(true));
    let mail = mails.next().await;
    assert_eq!(mail.to, "new@example.com");
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(303);
    app.browser().sign_in("new@example.com", PASSWORD).await.expect(401);
    // The owner of the address may be another person, because the customer mistyped it.
    let stranger = app.service.check_confirmation(&mail.secret(), visitor()).await.unwrap();
    assert_eq!(stranger, (Email::parse("email", "new@example.com").unwrap(), Confirming::SignIn));
    let refused = app.service.confirm_email(&mail.secret(), "a strangers password", visitor()).await.unwrap_err();
    assert_eq!(refused.code, Code::Unauthorized);

    let session = app.session(&owner.cookie).await;
    let here = Visitor { session: Some(&session), ..visitor() };
    let mut ws = app.socket_of(&owner).await;
    let (changed, cookie) = app.service.confirm_email(&mail.secret(), "", here).await.unwrap();
    assert_eq!((changed.email.as_str(), cookie.is_none()), ("new@example.com", true));
    assert_eq!(ws.closed().await, Some(close::RESTARTING));
    let notice = mails.next().await;
    assert_eq!(notice.to, "owner@example.com");
    assert!(notice.text.contains("was changed") && !notice.text.contains("new@example.com"), "{}", notice.text);
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(401);
    app.browser().sign_in("new@example.com", PASSWORD).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_profile_does_not_reveal_which_addresses_have_accounts() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let (owner, other) = (app.customer("Owner").await, app.customer("Other").await);
    let ask = async |email: &str| {
        let fields = [("name", "Owner"), ("email", email), ("current_password", PASSWORD)];
        let request = app.browser().form("/account/profile", &fields).header("cookie", &owner.cookie);
        let answer = Answer::to(request.header("origin", &app.url)).await;
        (answer.status, answer.header("location").to_owned(), answer.text)
    };
    assert_eq!(ask("free@example.com").await, ask("other@example.com").await);
    let mut came = [mails.next().await, mails.next().await];
    came.sort_unstable_by(|one, two| one.to.cmp(&two.to));
    assert!(came[0].to == "free@example.com" && came[0].text.contains("/confirm?token="), "{came:?}");
    assert!(
        came[1].to == "other@example.com" && came[1].text.contains("Another account already has this address"),
        "{came:?}"
    );
    assert!(!came[1].text.contains("token="), "{came:?}");
    app.browser().sign_in(other.user.email.as_str(), PASSWORD).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_is_sent_fixed_words_and_nothing_else_until_they_confirm() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let name = "Your parcel waits: pay at https://evil.example";
    let (user, cookie) = app.service.register("victim@example.com", name, PASSWORD, visitor()).await.unwrap();
    assert!(!user.is_confirmed);
    let cookie = format!("bespoken={}", cookie.expose());
    for n in 0..3 {
        if n == 1 {
            app.service.ask_for_password_reset("victim@example.com", HERE).await.unwrap();
        } else if n == 2 {
            app.service.ask_for_confirmation(&user, visitor()).await.unwrap();
        }
        let mail = mails.next().await;
        assert_eq!(mail.to, "victim@example.com");
        assert!(mail.text.contains("Subject: Confirm your e-mail address for Workshop"), "{}", mail.text);
        assert!(mail.text.contains(&format!("{}/confirm?token=", app.url)), "{}", mail.text);
        assert!(mail.text.contains("\nTo: victim@example.com\n"), "{}", mail.text);
        for stranger in ["parcel", "evil", "http://evil", "https:"] {
            assert!(!mail.text.contains(stranger), "{}", mail.text);
        }
    }
    // They go on all the same.
    let own = Api::new(&app.url, Sign::Cookie(cookie.clone()));
    own.post("/requests", json!({ "title": "Table", "description": "Oak" })).await.expect(201);

    app.service.ask_for_confirmation(&user, visitor()).await.unwrap();
    let link = mails.next().await.secret();
    let session = app.session(&cookie).await;
    let here = Visitor { session: Some(&session), ..visitor() };
    let found = app.service.check_confirmation(&link, here).await.unwrap();
    assert_eq!(found, (user.email.clone(), Confirming::SignedIn));
    assert!(app.service.confirm_email(&link, "", here).await.unwrap().0.is_confirmed);
    own.get("/requests").await.expect(200);
    app.service.ask_for_password_reset("victim@example.com", HERE).await.unwrap();
    let mail = mails.next().await;
    assert!(mail.text.contains("/reset?token=") && !mail.text.contains("parcel"), "{}", mail.text);
    app.service.ask_for_confirmation(&user_of(&app, &cookie).await, visitor()).await.unwrap();
    let used = app.service.confirm_email(&link, PASSWORD, visitor()).await.unwrap_err();
    assert_eq!(used.code, Code::NotFound, "used once");
}

async fn user_of(app: &TestApp, cookie: &str) -> User {
    app.session(cookie).await.actor.user().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_registration_with_anothers_address_ends_when_its_owner_confirms() {
    for by_forgetting in [false, true] {
        let mut mails = MailServer::start().await;
        let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
        let (_, planted) = app.service.register("victim@example.com", "Stranger", PASSWORD, visitor()).await.unwrap();
        let planted = format!("bespoken={}", planted.expose());
        let mut link = mails.next().await.secret();
        let mut ws = Ws::with_cookie(&app.url, &planted).await.unwrap();
        ws.settled().await;
        // The stranger also prepares to take the account along.
        let stranger = user_of(&app, &planted).await;
        let set = app.service.set_profile(&stranger, "Stranger", "stranger@example.com", PASSWORD, visitor());
        assert_eq!(set.await, Ok(true));
        let theirs = mails.next().await.secret();
        if by_forgetting {
            app.service.ask_for_password_reset("victim@example.com", HERE).await.unwrap();
            link = mails.next().await.secret();
        }

        let found = app.service.check_confirmation(&link, visitor()).await.unwrap();
        assert_eq!(found, (stranger.email.clone(), Confirming::Password), "the stranger's password is not adopted");
        let without = app.service.confirm_email(&link, "", visitor()).await.unwrap_err();
        assert_eq!((without.code, without.field.as_deref()), (Code::Invalid, Some("password")));
        let (owner, cookie) = app.service.confirm_email(&link, "the owners password", visitor()).await.unwrap();
        assert!(owner.is_confirmed && cookie.is_some());
        assert_eq!(ws.closed().await, Some(close::NOT_ALLOWED));
        Api::new(&app.url, Sign::Cookie(planted)).get("/requests").await.problem(401, "unauthorized");
        app.browser().sign_in("victim@example.com", PASSWORD).await.expect(401);
        app.browser().sign_in("victim@example.com", "the owners password").await.expect(303);
        let gone = app.service.check_confirmation(&theirs, visitor()).await.unwrap_err();
        assert_eq!(gone.code, Code::NotFound);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mailboxes_cannot_be_flooded() {
    let mut mails = MailServer::start().await;
    let limits = Limits { mails: 3, mails_asked: 6, mails_total: 4, ..Limits::default() };
    let app = TestApp::with_mail(limits, Some(mails.url.clone())).await;
    app.customer("Owner").await;
    app.customer("Other").await;
    let ask = async |email, from| app.service.ask_for_password_reset(email, from).await.map_err(|p| p.code);
    let elsewhere = |n| IpAddr::V4(Ipv4Addr::new(192, 0, 2, n));
    for n in 0..9 {
        assert_eq!(ask("owner@example.com", elsewhere(n)).await, Ok(()), "the answer is the same");
    }
    for _ in 0..3 {
        assert_eq!(mails.next().await.to, "owner@example.com", "three to one address");
    }
    for _ in 0..6 {
        assert_eq!(ask("nobody@example.com", HERE).await, Ok(()));
    }
    assert_eq!(ask("other@example.com", HERE).await, Err(Code::RateLimited), "six from one network");
    assert_eq!(ask("other@example.com", elsewhere(0)).await, Ok(()));
    assert_eq!(mails.next().await.to, "other@example.com");
    let (user, _) = app.service.register("new@example.com", "New", PASSWORD, visitor()).await.unwrap();
    let refused = app.service.ask_for_confirmation(&user, Visitor { address: elsewhere(1), ..visitor() }).await;
    assert_eq!(refused.unwrap_err().code, Code::RateLimited, "four in all");
    assert!(mails.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn line_breaks_make_no_headers() {
    let mut mails = MailServer::start().await;
    let app = TestApp::with_mail(Limits::default(), Some(mails.url.clone())).await;
    let owner = app.customer("Owner").await;
    for breaks in ["\r\n", "\n", "\r", "\u{85}", "\u{0}"] {
        let bad = format!("a@example.com{breaks}Bcc: b@example.com");
        for (name, email) in [(&*bad, "a@example.com"), ("A", &*bad)] {
            let refused = app.service.register(email, name, PASSWORD, visitor()).await.unwrap_err();
            assert_eq!(refused.code, Code::Invalid, "{breaks:?}");
            let refused = app.service.set_profile(&owner.user, name, email, PASSWORD, visitor()).await.unwrap_err();
            assert_eq!(refused.code, Code::Invalid, "{breaks:?}");
        }
        assert!(app.service.ask_for_password_reset(&bad, HERE).await.is_err(), "{breaks:?}");
    }
    // Characters that an address may contain, and that are special in a header.
    for odd in
        ["a,b@example.com", "\"a\"@example.com", "a<b>@example.com", "a;b@example.com", "=?utf-8?q?a?=@example.com"]
    {
        app.service.register(odd, "A", PASSWORD, visitor()).await.unwrap();
    }
    app.service.ask_for_password_reset("owner@example.com", HERE).await.unwrap();
    loop {
        let mail = mails.next().await;
        let head = mail.text.split("\n\n").next().unwrap();
        let mut names: Vec<_> = head.lines().filter_map(|line| line.split_once(": ")).map(|(name, _)| name).collect();
        names.sort_unstable();
        let expected = [
            "Auto-Submitted",
            "Content-Transfer-Encoding",
            "Content-Type",
            "Date",
            "From",
            "Message-ID",
            "Subject",
            "To",
        ];
        assert_eq!(names, expected, "{}", mail.text);
        assert!(head.contains("\nAuto-Submitted: auto-generated"), "{head}");
        if mail.to == "owner@example.com" {
            break;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_mail_server_accounts_work_all_the_same() {
    let app = TestApp::start().await;
    let (_, cookie) = app.service.register("new@example.com", "New", PASSWORD, visitor()).await.unwrap();
    let own = Api::new(&app.url, Sign::Cookie(format!("bespoken={}", cookie.expose())));
    own.post("/requests", json!({ "title": "Table", "description": "Oak" })).await.expect(201);
    app.browser().sign_in("new@example.com", PASSWORD).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_address_that_was_not_confirmed_opens_no_chat() {
    let app = TestApp::start().await;
    let body = json!({ "customer_name": "Ada", "customer_email": "ada@example.com" });
    let chat = app.admin().post("/conversations", body).await.expect(201).json();
    let (_, cookie) = app.service.register("ada@example.com", "Ada", PASSWORD, visitor()).await.unwrap();
    let own = Api::new(&app.url, Sign::Cookie(format!("bespoken={}", cookie.expose())));
    own.get(&format!("/conversations/{}", chat["id"].as_str().unwrap())).await.problem(404, "not_found");
    assert_eq!(own.get("/conversations").await.expect(200).json()["items"], json!([]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn registration_retains_the_opened_chat() {
    let app = TestApp::start().await;
    let chat = app.open("Oak table").await;
    app.post(&chat.chat_id, chat.id, "Hello").await;
    let mut admin = app.admin_socket().await;
    admin.join(chat.id).await;
    let came = app.browser().get(&format!("/chat?chatId={}", chat.chat_id)).await.expect(303).cookie();
    let secret = Secret::presented(came.split_once('=').unwrap().1);
    let session = app.service.session(&secret).await.unwrap().unwrap();
    let visitor = Visitor { session: Some(&session), ..visitor() };
    let (user, cookie) = app.service.register("owner@example.com", "Owner", PASSWORD, visitor).await.unwrap();
    assert_eq!(user.role, Role::Customer);

    app.admin().delete(&format!("/conversations/{}/link", chat.id)).await.expect(204);
    let owner = Api::new(&app.url, Sign::Cookie(format!("bespoken={}", cookie.expose())));
    let shown = owner.get(&format!("/conversations/{}", chat.id)).await.expect(200).json();
    assert_eq!((&shown["last_message"], &shown["unread"]), (&"Hello".into(), &0.into()));
    Api::new(&app.url, Sign::Cookie(came)).get("/conversations").await.problem(401, "unauthorized");
    let again = app.service.register("OWNER@example.com", "Owner", PASSWORD, visitor).await.unwrap_err();
    assert_eq!((again.code, again.field.as_deref()), (Code::Invalid, Some("email")));
}
