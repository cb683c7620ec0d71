//! What becomes of an account's ways in: by mail, by role, by profile.

use std::net::{IpAddr, Ipv4Addr};

use bespoken::{
    domain::{Code, Role},
    protocol::close,
    service::{Limits, Secret, Visitor},
};

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
    assert!(mail.text.contains("Hello Owner,") && mail.text.contains("If it was not you"), "{}", mail.text);
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
    let limits = Limits { link_guesses: 1_000, ..Limits::default() };
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
    let invitation = app.service.invite(&bespoken::domain::Actor::Admin(second.clone())).await.unwrap();
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
async fn a_new_address_takes_the_password_and_a_new_name_does_not() {
    let app = TestApp::start().await;
    let (owner, _) = (app.customer("Owner").await, app.customer("Other").await);
    let mut ws = app.socket_of(&owner).await;
    let set =
        async |name, email, password| app.service.set_profile(&owner.user, name, email, password, visitor()).await;
    let wrong = set("Owner", "new@example.com", "").await.unwrap_err();
    assert_eq!((wrong.code, wrong.field.as_deref()), (Code::Invalid, Some("current_password")));
    let taken = set("Owner", "other@example.com", PASSWORD).await.unwrap_err();
    assert_eq!((taken.code, taken.field.as_deref()), (Code::Invalid, Some("email")));
    ws.settled().await;
    assert_eq!(set("Renamed", "OWNER@example.com", "").await.unwrap().name.as_str(), "Renamed");
    assert_eq!(ws.closed().await, Some(close::RESTARTING), "it comes back under the new name");
    assert_eq!(app.socket_of(&owner).await.user.name, "Renamed");
    set("Renamed", "new@example.com", PASSWORD).await.unwrap();
    app.browser().sign_in("owner@example.com", PASSWORD).await.expect(401);
    app.browser().sign_in("new@example.com", PASSWORD).await.expect(303);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_registers_keeps_the_chat_that_they_came_for() {
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
