//! The permissions: every entry point of the server for every kind of person, cell by cell.
//!
//! One line is one row: the call, and after `|` the result for each of [`PEOPLE`]. All calls concern one request of the
//! owner, its conversation, and their contents; the guest has that conversation's link. `{words}` are filled in by
//! [`Scene::word`]. Each cell has its own scene, each row its own server on each database, so no cell depends on
//! another. Each cell is tested with every credential of the person, a cookie or a token.
//!
//! In every cell, no answer may reveal messages to an outsider, or requests to a guest.

use std::{collections::BTreeSet, fmt::Write, fs};

use bespoken::{
    domain::{Actor, ConversationId, RequestId, RequestStatus, RequestText, Role, User},
    protocol::ServerFrame,
    service::{NewMessage, NewPush, Secret, Visitor},
    settings::Limits,
};
use leptos::server_fn::axum::server_fn_paths;
use reqwest::{Method, header};
use serde_json::{Value, json};

use crate::support::*;

/// Nobody knows who; who came by the conversation's link; who came by another's; whose request it is;
/// another customer; an admin.
const PEOPLE: [Who; 6] = [Who::Nobody, Who::Guest, Who::Stranger, Who::Owner, Who::Other, Who::Admin];

/// `/api/v1`: the status. The body is JSON, or a `file`. `~` stands between the results with a cookie and with a token.
const API: &str = r#"
                                                                    | nobody guest stranger owner other admin
GET    /conversations                                               | 401    200   200      200   200   200
POST   /conversations {"customer_name":"Chair"}                     | 401    403   403      403   403   201
GET    /conversations/{conversation}                                | 401    200   404      200   404   200
PATCH  /conversations/{conversation} {"status":"closed"}            | 401    403   404      403   404   200
PATCH  /conversations/{conversation} {"assignee_id":null}           | 401    403   404      403   404   200
DELETE /conversations/{conversation}                                | 401    403   404      403   404   200
POST   /conversations/{conversation}/link                           | 401    403   404      403   404   200
DELETE /conversations/{conversation}/link                           | 401    403   404      403   404   204
GET    /conversations/{conversation}/messages                       | 401    200   404      200   404   200
POST   /conversations/{conversation}/messages {"content":"hello"}   | 401    201   404      201   404   201
POST   /conversations/{conversation}/read {"seq":1}                 | 401    204   404      204   404   204
POST   /conversations/{conversation}/rating {"score":5}             | 401    409   404      409   404   403
POST   /conversations/{conversation}/transcript/mail                | 401    409   404      204   404   204
GET    /conversations/{conversation}/transcript                     | 401    200   404      200   404   200
GET    /conversations/{conversation}/transcript?format=json         | 401    200   404      200   404   200
POST   /conversations/{conversation}/attachments file               | 401    201   404      201   404   201
GET    /attachments/{sent}                                          | 401    200   404      200   404   200
GET    /attachments/{sent}?size=preview                             | 401    404   404      404   404   404
GET    /attachments/{unsent}                                        | 401    200   404      200   404   404
PATCH  /messages/{message} {"content":"edited"}                     | 401    200   404      200   404   403
PATCH  /messages/{answer} {"content":"edited"}                      | 401    403   404      403   404   200
PATCH  /messages/{line} {"content":"edited"}                        | 401    403   404      403   404   403
DELETE /messages/{message}                                          | 401    200   404      200   404   200
DELETE /messages/{answer}                                           | 401    403   404      403   404   200
DELETE /messages/{line}                                             | 401    403   404      403   404   403
GET    /search?q={said}                                             | 401    200   200      200   200   200
GET    /requests                                                    | 401    200   200      200   200   200
GET    /requests?q={asked}                                          | 401    200   200      200   200   200
POST   /requests {"title":"Chair","description":"Oak","customer_id":"{owner}"} | 401 403 403 201  201   201
GET    /requests/{request}                                          | 401    404   404      200   404   200
PATCH  /requests/{request} {"status":"done"}                        | 401    404   404      403   404   200
PATCH  /requests/{request} {"title":"A"}                            | 401    404   404      409   404   403
PATCH  /requests/{quiet} {"title":"A"}                              | 401    404   404      200   404   403
PATCH  /requests/{quiet} {"status":"declined"}                      | 401    404   404      200   404   200
POST   /requests/{request}/attachments file                         | 401    404   404      201   404   201
GET    /attachments/{drawing}                                       | 401    404   404      200   404   200
POST   /requests/{request}/conversation                             | 401    404   404      200   404   200
POST   /requests/{quiet}/conversation                               | 401    404   404      201   404   201
GET    /push/key                                                    | 401    200   200      200   200   200
POST   /push/subscriptions {subscription}                           | 401    201~403 201~403 201 201  201~403
DELETE /push/subscriptions/{owners_push}                            | 401    404~403 404~403 404 404  404~403
GET    /openapi.json                                                | 200    200   200      200   200   200
"#;

/// Frames over the socket, in the conversation's room and after trying to join it: `ok`, or the code of
/// the error. The first word is the frame's type, the rest its other members.
const FRAMES: &str = r#"
                                                                    | nobody       guest     stranger  owner     other     admin
joinRequest    {}                                                   | unauthorized ok        not_found ok        not_found ok
joinRequest    {"after":0}                                          | unauthorized ok        not_found ok        not_found ok
leaveRequest   {}                                                   | unauthorized ok        not_found ok        not_found ok
sendMessage    {"client_id":"{new}","content":"hello"}              | unauthorized ok        not_found ok        not_found ok
sendMessage    {"client_id":"{new}","content":"","attachment_ids":["{unsent}"]} | unauthorized ok not_found ok  not_found invalid
updateMessage  {"client_id":"{new}","id":"{message}","content":"a"} | unauthorized ok        not_found ok        not_found forbidden
updateMessage  {"client_id":"{new}","id":"{answer}","content":"a"}  | unauthorized forbidden not_found forbidden not_found ok
updateMessage  {"client_id":"{new}","id":"{line}","content":"a"}    | unauthorized forbidden not_found forbidden not_found forbidden
deleteMessage  {"client_id":"{new}","id":"{message}"}               | unauthorized ok        not_found ok        not_found ok
deleteMessage  {"client_id":"{new}","id":"{answer}"}                | unauthorized forbidden not_found forbidden not_found ok
deleteMessage  {"client_id":"{new}","id":"{line}"}                  | unauthorized forbidden not_found forbidden not_found forbidden
visible        {"on":false}                                         | unauthorized ok        ok        ok        ok        ok
typing         {"on":true}                                          | unauthorized ok        not_found ok        not_found ok
read           {"seq":1}                                            | unauthorized ok        not_found ok        not_found ok
followRequests {}                                                   | unauthorized ok        ok        ok        ok        ok
"#;

/// Server functions: `ok`, or the code of the problem.
const FUNCTIONS: &str = r#"
                                                                    | nobody       guest     stranger  owner     other     admin
load_viewer  {}                                                     | ok           ok        ok        ok        ok        ok
list_inbox   {"status":"open","search":null,"cursor":null}          | unauthorized ok        ok        ok        ok        ok
load_chat    {"id":"{conversation}"}                                | unauthorized ok        not_found ok        not_found ok
load_extras  {"id":"{conversation}"}                                | unauthorized ok        not_found ok        not_found ok
load_answers {"zone":"Europe/Berlin"}                               | unauthorized ok        ok        ok        ok        ok
list_older   {"id":"{conversation}","before_seq":100}               | unauthorized ok        not_found ok        not_found ok
exchange     {"frames":[{"type":"joinRequest","room":"{conversation}"}],"since":null} | unauthorized ok ok     ok        ok        ok
open_chat    {"customer_name":"Chair","customer_email":null,"first_message":null} | unauthorized forbidden forbidden forbidden forbidden ok
set_status   {"id":"{conversation}","status":"closed"}              | unauthorized forbidden not_found forbidden not_found ok
make_link    {"id":"{conversation}"}                                | unauthorized forbidden not_found forbidden not_found ok
revoke_link  {"id":"{conversation}"}                                | unauthorized forbidden not_found forbidden not_found ok
list_requests {"status":null,"search":null,"order":"activity","cursor":null} | unauthorized ok ok            ok        ok        ok
load_request {"id":"{request}"}                                     | unauthorized not_found not_found ok        not_found ok
load_request_chat {"id":"{request}"}                                | unauthorized not_found not_found ok        not_found ok
open_request_chat {"id":"{request}"}                                | unauthorized not_found not_found ok        not_found ok
open_request_chat {"id":"{quiet}"}                                  | unauthorized not_found not_found ok        not_found ok
set_request_status {"id":"{request}","status":"done"}               | unauthorized not_found not_found forbidden not_found ok
list_account {"cursor":null}                                        | unauthorized ok        ok        ok        ok        ok
list_sessions {}                                                    | unauthorized unauthorized unauthorized ok  ok        ok
load_business {}                                                    | unauthorized forbidden forbidden forbidden forbidden ok
list_people  {"search":null}                                        | unauthorized forbidden forbidden forbidden forbidden ok
list_tokens  {}                                                     | unauthorized forbidden forbidden forbidden forbidden ok
load_reference {}                                                   | ok           ok        ok        ok        ok        ok
"#;

/// Pages and forms, by cookie: the status, and with `303` where it leads to, without the query. The body is a form; `*`
/// matches the rest.
const PAGES: &str = r#"
                                                                    | nobody     guest      stranger   owner        other        admin
GET  /                                                              | 200        200        200        200          200          200
GET  /setup                                                         | 404        404        404        404          404          404
POST /setup token=a&name=A&email={email}&password={password}        | 404        404        404        404          404          404
GET  /login                                                         | 200        200        200        303:/account 303:/account 303:/admin
POST /login email=owner@example.com&password={password}             | 303:/account 303:/account 303:/account 303:/account 303:/account 303:/account
GET  /logout                                                        | 303:/      200        200        200          200          200
POST /logout                                                        | 303:/      303:/      303:/      303:/        303:/        303:/
GET  /session                                                       | 200        200        200        200          200          200
POST /language language=de&next=/login                              | 303:/login 303:/login 303:/login 303:/login   303:/login   303:/login
GET  /register                                                      | 200        200        200        303:/account 303:/account 303:/admin
POST /register name=A&email={email}&password={password}             | 303:/account 303:/account 303:/account 303:/account 303:/account 303:/account
GET  /forgot                                                        | 200        200        200        200          200          200
POST /forgot email=owner@example.com                                | 200        200        200        200          200          200
GET  /reset?token={reset}                                           | 200        200        200        200          200          200
GET  /reset?token={new}                                             | 404        404        404        404          404          404
POST /reset token={reset}&password={password}                       | 303:/account 303:/account 303:/account 303:/account 303:/account 303:/account
POST /reset token={new}&password={password}                         | 404        404        404        404          404          404
GET  /confirm?token={confirmation}                                  | 200        200        200        200          200          200
GET  /confirm?token={new}                                           | 404        404        404        404          404          404
POST /confirm token={confirmation}&password={password}              | 303:/account 303:/account 303:/account 303:/account 303:/account 303:/account
POST /confirm token={new}&password={password}                       | 404        404        404        404          404          404
GET  /unsubscribe?{unsubscribe}                                     | 200        200        200        200          200          200
GET  /unsubscribe?chat={conversation}&token={new}                   | 404        404        404        404          404          404
POST /unsubscribe?{unsubscribe}                                     | 200        200        200        200          200          200
POST /unsubscribe?chat={conversation}&token={new}                   | 404        404        404        404          404          404
GET  /invite?token={invitation}                                     | 200        200        200        200          200          200
GET  /invite?token={new}                                            | 404        404        404        404          404          404
POST /invite token={invitation}&name=A&email={email}&password={password}| 303:/admin 303:/admin 303:/admin 303:/admin   303:/admin   303:/admin
POST /invite token={new}&name=A&email={email}&password={password}   | 404        404        404        404          404          404
GET  /account                                                       | 303:/login 200        200        200          200          200
GET  /account?tab=requests                                          | 303:/login 303:/login 303:/login 200          200          200
GET  /account?tab=profile                                           | 303:/login 303:/login 303:/login 200          200          200
GET  /account?chat={request}                                        | 303:/login 303:/login 303:/login 200          404          200
POST /account/profile name=A&email={own_email}                      | 401        401        401        303:/account 303:/account 303:/account
POST /account/profile name=A&email={email}                          | 401        401        401        422          422          422
POST /account/confirmation                                          | 401        401        401        303:/account 303:/account 303:/account
POST /account/password current_password={password}&password={password}| 401        401        401        303:/account 303:/account 303:/account
POST /account/password current_password=wrong&password={password}   | 401        401        401        422          422          422
POST /account/sessions/{session}/end                                | 401        401        401        303:/account 404          404
GET  /requests/new                                                  | 303:/login 303:/login 303:/login 200          200          303:/admin/requests
POST /requests/new title=A&description=B                            | 401        403        403        303:/requests/* 303:/requests/* 422
GET  /requests/{request}                                            | 303:/login 303:/login 303:/login 200          404          200
GET  /requests/{request}?chat=1                                     | 303:/login 303:/login 303:/login 200          404          200
POST /requests/{request}/chat from=                                 | 401        404        404        303:/requests/{request} 404          303:/requests/{request}
POST /requests/{quiet}/chat from=                                   | 401        404        404        303:/requests/* 404          303:/requests/*
GET  /requests/{request}/edit                                       | 303:/login 303:/login 303:/login 409          404          404
GET  /requests/{quiet}/edit                                         | 303:/login 303:/login 303:/login 200          404          404
POST /requests/{request}/edit title=A&description=B                 | 401        404        404        409          404          403
POST /requests/{quiet}/edit title=A&description=B                   | 401        404        404        303:/requests/* 404          403
POST /requests/{request}/withdraw                                   | 401        404        404        409          404          303:/requests/{request}
POST /requests/{quiet}/withdraw                                     | 401        404        404        303:/requests/* 404          303:/requests/*
POST /requests/{request}/files file                                 | 401        404        404        303:/requests/{request} 404          303:/requests/{request}
POST /requests/{request}/status status=done                         | 401        404        404        403          404          303:/requests/{request}
GET  /docs/api                                                      | 200        200        200        200          200          200
GET  /chat?chatId={chat_id}                                         | 303:/chat/{conversation} 303:/chat/{conversation} 303:/chat/{conversation} 303:/chat/{conversation} 303:/chat/{conversation} 303:/chat/{conversation}
GET  /chat?chatId={new}                                             | 404        404        404        404          404          404
GET  /chat/{conversation}                                           | 404        200        404        200          404          303:/admin
POST /chat/{conversation} content=hello                             | 404        303:/chat/{conversation} 404 303:/chat/{conversation} 404 303:/admin
POST /chat/{conversation}/files file                                | 404        303:/chat/{conversation} 404 303:/chat/{conversation} 404 303:/admin
POST /chat/{conversation}/rating score=5                            | 401        409        404        409          404          403
POST /chat/{conversation}/transcript                                | 401        409        404        303:/chat/{conversation} 404 303:/admin
GET  /admin                                                         | 303:/login 303:/login 303:/login 404          404          200
GET  /admin?chat={conversation}                                     | 303:/login 303:/login 303:/login 404          404          200
POST /admin/chats customer_name=Chair                               | 401        403        403        403          403          303:/admin
POST /admin/chats/{conversation}/close                              | 401        403        404        403          404          303:/admin
POST /admin/chats/{conversation}/reopen                             | 401        403        404        403          404          303:/admin
POST /admin/chats/{conversation}/link                               | 401        403        404        403          404          303:/admin
POST /admin/chats/{conversation}/revoke                             | 401        403        404        403          404          303:/admin
GET  /admin/requests                                                | 303:/login 303:/login 303:/login 404          404          200
GET  /admin/requests?q={asked}                                      | 303:/login 303:/login 303:/login 404          404          200
GET  /admin/requests?chat={request}                                 | 303:/login 303:/login 303:/login 404          404          200
GET  /admin/settings                                                | 303:/login 303:/login 303:/login 404          404          200
POST /admin/settings name=A                                         | 401        403        403        403          403          303:/admin/settings
GET  /admin/people                                                  | 303:/login 303:/login 303:/login 404          404          200
POST /admin/people/{user}/role role=admin                           | 401        403        403        403          403          303:/admin/people
POST /admin/people/invites                                          | 401        403        403        403          403          200
POST /admin/people/invites/{invite}/withdraw                        | 401        403        403        403          403          303:/admin/people
GET  /admin/tokens                                                  | 303:/login 303:/login 303:/login 404          404          200
POST /admin/tokens name=A                                           | 401        403        403        403          403          200
POST /admin/tokens/{token}/revoke                                   | 401        403        403        403          403          303:/admin/tokens
POST /api/nothing                                                   | 404        404        404        404          404          404
GET  /ws                                                            | 401        400        400        400          400          400
GET  /healthz                                                       | 200        200        200        200          200          200
GET  /readyz                                                        | 200        200        200        200          200          200
GET  /metrics                                                       | 200        200        200        200          200          200
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Nobody,
    Guest,
    Stranger,
    Owner,
    Other,
    Admin,
}

struct Row {
    /// The first word: a method, the type of a frame, the name of a function.
    call: &'static str,
    /// The second word, if it is a path.
    path: &'static str,
    body: &'static str,
    cells: [&'static str; 6],
}

fn rows(table: &'static str) -> Vec<Row> {
    let lines = table.lines().filter(|line| !line.trim_start().starts_with('|') && !line.is_empty());
    lines
        .map(|line| {
            let (what, cells) = line.rsplit_once('|').unwrap_or_else(|| panic!("no cells: {line}"));
            let (call, rest) = what.trim().split_once(' ').unwrap_or((what.trim(), ""));
            let (path, body) = match rest.trim().split_once(' ') {
                _ if !rest.trim().starts_with('/') => ("", rest.trim()),
                Some((path, body)) => (path, body.trim()),
                None => (rest.trim(), ""),
            };
            let cells: Vec<_> = cells.split_whitespace().collect();
            let cells = cells.try_into().unwrap_or_else(|cells| panic!("six cells, not {cells:?}: {line}"));
            Row { call, path, body, cells }
        })
        .collect()
}

/// A server with the people of one row.
struct Stage {
    app: TestApp,
    mails: tokio::sync::Mutex<MailServer>,
    owner: User,
    other: User,
}

impl Stage {
    async fn set(database: Database) -> Self {
        let mails = MailServer::start().await;
        let much = 1_000_000;
        let limits = Limits {
            sends: much,
            connections: much,
            link_guesses: much,
            accounts: much,
            mails: much,
            mails_asked: much,
            requests: much,
            chats: much,
            push_subscriptions: much,
            ..Limits::default()
        };
        let url = mails.url.clone();
        let app = TestApp::on(database, |settings| (settings.limits, settings.smtp_url) = (limits, Some(url))).await;
        let owner = app.service.create_user("owner@example.com", "Owner", PASSWORD, Role::Customer).await.unwrap();
        let other = app.service.create_user("other@example.com", "Other", PASSWORD, Role::Customer).await.unwrap();
        Self { app, mails: mails.into(), owner, other }
    }
}

/// The scene of one cell.
struct Scene<'a> {
    stage: &'a Stage,
    who: Who,
    request: RequestId,
    conversation: ConversationId,
    chat_id: String,
    /// A word that only the messages have.
    said: String,
    /// A word that only the request has.
    asked: String,
}

fn visitor<'a>() -> Visitor<'a> {
    Visitor { address: std::net::Ipv4Addr::LOCALHOST.into(), user_agent: None, session: None }
}

impl<'a> Scene<'a> {
    async fn set(stage: &'a Stage, who: Who) -> Self {
        let (service, admin) = (&stage.app.service, stage.app.actor());
        let word = |begin: &str| format!("{begin}{}", fresh().0.simple());
        let (said, asked) = (word("said"), word("asked"));
        let text = RequestText::parse(&asked, &asked, None, None).unwrap();
        let request = service.create_request(&admin, None, Some(stage.owner.id), text).await.unwrap().id;
        let conversation = service.open_request_conversation(&admin, request).await.unwrap().0.id;
        service.set_request_status(&admin, request, RequestStatus::InProgress).await.unwrap();
        let link = service.make_link(&admin, conversation).await.unwrap().link.unwrap();
        let chat_id = link.split_once("chatId=").unwrap().1.to_owned();
        let scene = Self { stage, who, request, conversation, chat_id, said, asked };
        for actor in [scene.owner(), admin] {
            service.post_message(&actor, conversation, NewMessage::text(&scene.said)).await.unwrap();
        }
        scene
    }

    fn owner(&self) -> Actor {
        Actor::Customer(self.stage.owner.clone(), Vec::new())
    }

    /// This person's credentials: a cookie first, if any.
    async fn signs(&self) -> Vec<Sign> {
        let app = &self.stage.app;
        let by_link = async |chat_id: &str| {
            let secret = Secret::presented(chat_id);
            let (_, cookie) = app.service.open_link(&secret, visitor()).await.unwrap();
            let cookie = format!("bespoken={}", cookie.unwrap().expose());
            vec![Sign::Cookie(cookie), Sign::Token(chat_id.to_owned())]
        };
        match self.who {
            Who::Nobody => vec![Sign::Nothing],
            Who::Guest => by_link(&self.chat_id).await,
            Who::Stranger => by_link(&app.open("Elsewhere").await.chat_id).await,
            Who::Owner => vec![Sign::Cookie(app.cookie(&self.stage.owner).await)],
            Who::Other => vec![Sign::Cookie(app.cookie(&self.stage.other).await)],
            Who::Admin => {
                vec![Sign::Cookie(app.cookie(&app.data.admin).await), Sign::Token(app.data.token.clone())]
            }
        }
    }

    /// The value of `{name}` in a row.
    async fn word(&self, name: &str) -> String {
        let (app, admin) = (&self.stage.app, self.stage.app.actor());
        let service = &app.service;
        // The first change is the system line of the status.
        let message = async |seq: usize| {
            let page = service.list_before(&admin, self.conversation, None, 10).await.unwrap();
            page.messages[seq - 1].id.to_string()
        };
        let file = async || put_file(service, &self.owner(), self.conversation).await;
        let account = async || {
            let email = format!("{}@example.com", fresh());
            service.create_user(&email, "New", PASSWORD, Role::Customer).await.unwrap()
        };
        match name {
            "conversation" => self.conversation.to_string(),
            "request" => self.request.to_string(),
            // A request whose conversation nobody has opened.
            "quiet" => app.request(self.stage.owner.id, "Quiet").await.id.to_string(),
            "line" => message(1).await,
            "message" => message(2).await,
            "answer" => message(3).await,
            "unsent" => file().await.to_string(),
            // A file of the request itself.
            "drawing" => {
                let (owner, from) = (self.owner(), std::net::IpAddr::from([127, 0, 0, 1]).into());
                let upload = service.begin_request_upload(&owner, from, self.request).await.unwrap();
                let mut file = upload.file("plan.txt").await.unwrap();
                file.write(fresh().to_string().as_bytes()).await.unwrap();
                file.finish().await.unwrap().id.to_string()
            }
            "sent" => {
                let file = file().await;
                service
                    .post_message(
                        &self.owner(),
                        self.conversation,
                        NewMessage { attachment_ids: vec![file], ..NewMessage::default() },
                    )
                    .await
                    .unwrap();
                file.to_string()
            }
            "chat_id" => self.chat_id.clone(),
            "unsubscribe" => service.unsubscribe_query(self.conversation),
            "said" => self.said.clone(),
            "asked" => self.asked.clone(),
            "owner" => self.stage.owner.id.to_string(),
            "new" => fresh().to_string(),
            "email" => format!("{}@example.com", fresh()),
            "password" => PASSWORD.replace(' ', "+"),
            // The address of the client.
            "own_email" => match self.who {
                Who::Other => self.stage.other.email.to_string(),
                Who::Admin => app.data.admin.email.to_string(),
                _ => self.stage.owner.email.to_string(),
            },
            // Another browser of the owner.
            "session" => {
                let cookie = app.cookie(&self.stage.owner).await;
                let secret = Secret::presented(cookie.split_once('=').unwrap().1);
                service.session(&secret).await.unwrap().unwrap().id.to_string()
            }
            "subscription" => PushBrowser::new(format!("https://8.8.8.8/{}", fresh())).subscription().to_string(),
            // A subscription belongs to one browser: this is another one of the owner.
            "owners_push" => {
                let session = app.session(&app.cookie(&self.stage.owner).await).await;
                let subscription = PushBrowser::new(format!("https://8.8.8.8/{}", fresh())).subscription();
                let key = |name: &str| subscription["keys"][name].as_str().unwrap().to_owned();
                let endpoint = subscription["endpoint"].as_str().unwrap().to_owned();
                let new = NewPush { endpoint, p256dh: key("p256dh"), auth: key("auth") };
                service.subscribe(&session.actor, Some(session.id), new).await.unwrap().to_string()
            }
            "user" => account().await.id.to_string(),
            "token" => service.create_own_token(&admin, None, None).await.unwrap().0.to_string(),
            "invite" => {
                service.invite(&admin, None).await.unwrap();
                service.invites(&admin).await.unwrap()[0].id.to_string()
            }
            "invitation" => service.invite(&admin, None).await.unwrap().split_once("token=").unwrap().1.to_owned(),
            "confirmation" => {
                let email = format!("{}@example.com", fresh());
                service.register(&email, "New", PASSWORD, visitor()).await.unwrap();
                let mail = self.stage.mails.lock().await.next().await;
                mail.text.lines().find_map(|line| line.split_once("?token=")).unwrap().1.to_owned()
            }
            "reset" => {
                let address = visitor().address;
                service.ask_for_password_reset(account().await.email.as_str(), address).await.unwrap();
                let mail = self.stage.mails.lock().await.next().await;
                mail.text.lines().find_map(|line| line.split_once("?token=")).unwrap().1.to_owned()
            }
            other => panic!("nothing is called {{{other}}}"),
        }
    }

    async fn fill(&self, text: &str) -> String {
        let mut filled = String::new();
        let mut parts = text.split('{');
        filled.push_str(parts.next().unwrap_or_default());
        for part in parts {
            match part.split_once('}').filter(|(name, _)| !name.is_empty() && name.bytes().all(is_of_name)) {
                Some((name, rest)) => filled.extend([&self.word(name).await, rest]),
                None => filled.extend(["{", part]),
            }
        }
        filled
    }

    /// The secrets in an answer that this person may not see.
    fn leak(&self, answer: &str) -> Option<&str> {
        let is_outside = matches!(self.who, Who::Nobody | Who::Stranger | Who::Other);
        let hidden = [(&self.said, is_outside), (&self.asked, is_outside || self.who == Who::Guest)];
        hidden.into_iter().find(|(word, is_hidden)| *is_hidden && answer.contains(*word)).map(|(word, _)| &**word)
    }
}

fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_lowercase() || byte == b'_'
}

/// Fills every cell of a table by `act`, which returns the result and all answers.
async fn check(table: &'static str, by_token: bool, act: impl AsyncFn(&Scene<'_>, &Row, &Sign) -> (String, String)) {
    let mut wrong = String::new();
    for row in rows(table) {
        for database in Database::each().await {
            let on = database.name();
            let stage = Stage::set(database).await;
            for (who, expected) in PEOPLE.into_iter().zip(row.cells) {
                let ways = if by_token && matches!(who, Who::Guest | Who::Stranger | Who::Admin) { 2 } else { 1 };
                for way in 0..ways {
                    let scene = Scene::set(&stage, who).await;
                    let sign = &scene.signs().await[way];
                    let (came, told) = act(&scene, &row, sign).await;
                    let expected = scene.fill(expected).await;
                    let kind = if matches!(sign, Sign::Token(_)) { "token" } else { "cookie" };
                    let expected = match expected.split_once('~') {
                        Some((_, expected)) if kind == "token" => expected,
                        Some((expected, _)) => expected,
                        None => &expected,
                    };
                    let fits = match expected.strip_suffix('*') {
                        Some(begin) => came.starts_with(begin),
                        None => came == expected,
                    };
                    let leak = scene.leak(&told);
                    let cell = format!("{} {} {} by {who:?} ({kind}, {on})", row.call, row.path, row.body);
                    if !fits {
                        writeln!(wrong, "{cell}: {came}, not {expected}").unwrap();
                    }
                    if let Some(leak) = leak {
                        writeln!(wrong, "{cell} tells {leak}: {told}").unwrap();
                    }
                }
            }
            stage.app.stop().await;
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_api() {
    check(API, true, async |scene, row, sign| {
        let api = Api::new(&scene.stage.app.url, sign.clone());
        let request = api.request(row.call.parse().unwrap(), &scene.fill(row.path).await);
        let answer = Answer::to(match row.body {
            "" => request,
            "file" => multipart(request, "file", "a.txt", "text/plain", b"a"),
            json => request.header(header::CONTENT_TYPE, "application/json").body(scene.fill(json).await),
        })
        .await;
        if answer.status >= 400 {
            let code = answer.json()["code"].as_str().expect("a problem").to_owned();
            answer.problem(answer.status, &code);
        }
        (answer.status.to_string(), answer.text)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_socket() {
    check(FRAMES, true, async |scene, row, sign| {
        let url = &scene.stage.app.url;
        let opened = match sign {
            Sign::Nothing => Ws::connect(url, &[("origin", url.as_str())]).await,
            Sign::Token(token) => Ws::with_token(url, token).await,
            Sign::Cookie(cookie) => Ws::with_cookie(url, cookie).await,
        };
        let mut ws = match opened {
            Ok(ws) => ws,
            Err(answer) => return (answer.json()["code"].as_str().unwrap().to_owned(), answer.text),
        };
        let frame = async |kind: &str, members: &str| {
            let mut frame: Value = serde_json::from_str(&scene.fill(members).await).unwrap();
            frame["type"] = json!(kind);
            frame["room"] = json!(scene.conversation);
            frame.to_string()
        };
        let mut told = Vec::new();
        if row.call != "joinRequest" {
            ws.send_text(&frame("joinRequest", "{}").await).await;
            ws.settled().await;
            told.extend(ws.passed());
        }
        ws.send_text(&frame(row.call, row.body).await).await;
        ws.settled().await;
        let came = ws.passed();
        let code = came.iter().find_map(|frame| match frame {
            ServerFrame::Error { code, .. } => Some(json!(code).as_str().unwrap().to_owned()),
            _ => None,
        });
        told.extend(came);
        (code.unwrap_or("ok".to_owned()), serde_json::to_string(&told).unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_functions() {
    check(FUNCTIONS, true, async |scene, row, sign| {
        let api = Api::new(&scene.stage.app.url, sign.clone());
        let (path, _) = server_fn_paths().find(|(path, _)| name_of(path) == row.call).expect("such a function");
        let request = api.request_to(Method::POST, path).header(header::CONTENT_TYPE, "application/json");
        let answer = Answer::to(request.body(scene.fill(row.body).await)).await;
        let came = if answer.status == 200 { json!("ok") } else { answer.json()["code"].clone() };
        (came.as_str().unwrap().to_owned(), answer.text)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pages() {
    check(PAGES, false, async |scene, row, sign| {
        let api = Api::new(&scene.stage.app.url, sign.clone());
        let method: Method = row.call.parse().unwrap();
        let mut request = api.request_to(method.clone(), &scene.fill(row.path).await);
        if row.body == "file" {
            request = multipart(request, "file", "a.txt", "text/plain", b"a");
        } else if method == Method::POST {
            request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
            request = request.body(scene.fill(row.body).await);
        }
        let answer = Answer::to(request).await;
        let came = match answer.status {
            303 => format!("303:{}", answer.header("location").split('?').next().unwrap_or_default()),
            status => status.to_string(),
        };
        (came, answer.text)
    })
    .await;
}

/// The name of a server function: its path without the hash of the build.
fn name_of(path: &str) -> &str {
    path.trim_start_matches("/api/").trim_end_matches(|c: char| c.is_ascii_digit())
}

/// A source file without its comments.
fn source(path: &str) -> String {
    let text = fs::read_to_string(format!("{}/src/{path}", env!("CARGO_MANIFEST_DIR"))).unwrap();
    text.lines().map(|line| line.split("// ").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The text between the bracket at the beginning of `text` and its partner.
fn bracketed(text: &str) -> &str {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return &text[1..at];
        }
    }
    panic!("no end of {text}");
}

/// The words before each bracket that is not within another.
fn calls(chain: &str) -> Vec<&str> {
    let (mut calls, mut rest) = (Vec::new(), chain);
    while let Some(at) = rest.find('(') {
        calls.push(rest[..at].rsplit(|c: char| !c.is_alphanumeric()).next().unwrap_or_default());
        rest = &rest[at + bracketed(&rest[at..]).len() + 2..];
    }
    calls
}

/// Every method and path of the router, as its source says.
fn routes() -> BTreeSet<(String, String)> {
    let router = source("http/router.rs");
    let mut routes = BTreeSet::new();
    for (at, _) in router.match_indices(".route(") {
        let arguments = bracketed(&router[at + ".route".len()..]);
        let (path, handlers) = arguments.trim().split_once(',').expect("two arguments");
        let path = path.trim().trim_matches('"');
        // The variable of the router, and its prefix.
        let made = &router[..router[..at].rfind("Router::new()").expect("of some router")];
        let name = made.trim_end().strip_suffix('=').and_then(|made| made.trim_end().rsplit(' ').next());
        let nested = name.and_then(|name| {
            let before = &router[..router.find(&format!("\", {name})"))?];
            Some(&before[before.rfind(".nest(\"")? + ".nest(\"".len()..])
        });
        for call in calls(handlers) {
            let method = if call == "any" { "get" } else { call };
            if ["get", "post", "put", "patch", "delete"].contains(&method) {
                routes.insert((method.to_uppercase(), format!("{}{path}", nested.unwrap_or_default())));
            }
        }
    }
    routes
}

/// How well a path fits a route: how many of its parts are there word by word.
fn fit(route: &str, path: &str) -> Option<usize> {
    let (mut route, mut path) = (route.split('/'), path.split('/'));
    let mut fit = 0;
    loop {
        match (route.next(), path.next()) {
            (None, None) => return Some(fit),
            (Some(part), Some(_)) if part.starts_with("{*") => return Some(fit),
            (Some(part), Some(_)) if part.starts_with('{') => {}
            (Some(part), Some(word)) if part == word => fit += 1,
            _ => return None,
        }
    }
}

#[test]
fn every_route_has_a_row_and_every_row_a_route() {
    let routes = routes();
    assert!(routes.len() > 40 && routes.contains(&("PATCH".into(), "/api/v1/messages/{id}".into())), "{routes:#?}");
    let api = rows(API).into_iter().map(|row| (row.call, format!("/api/v1{}", row.path)));
    let pages = rows(PAGES).into_iter().map(|row| (row.call, row.path.to_owned()));
    let mut without_row = routes.clone();
    for (method, path) in api.chain(pages) {
        let path = path.split('?').next().unwrap_or_default();
        let fitting = routes.iter().filter(|route| route.0 == method);
        let best = fitting.filter_map(|route| Some((fit(&route.1, path)?, route))).max();
        let (_, route) = best.unwrap_or_else(|| panic!("there is no route for {method} {path}"));
        without_row.remove(route);
    }
    assert!(without_row.is_empty(), "no row says who may do this: {without_row:#?}");
}

#[test]
fn every_server_function_has_a_row() {
    let functions: BTreeSet<_> = server_fn_paths().map(|(path, _)| name_of(path)).collect();
    assert_eq!(rows(FUNCTIONS).iter().map(|row| row.call).collect::<BTreeSet<_>>(), functions);
}

#[test]
fn every_frame_has_a_row() {
    let with_row: BTreeSet<String> = rows(FRAMES).iter().map(|row| row.call.to_owned()).collect();
    let protocol = source("protocol.rs");
    let frames = &protocol[protocol.find("enum ClientFrame").expect("the frames of clients")..];
    let frames = bracketed(&frames[frames.find('{').expect("its beginning")..]);
    let variants = frames.lines().filter(|line| line.starts_with("    ") && line[4..].starts_with(char::is_uppercase));
    let variants: BTreeSet<String> = variants
        .map(|line| {
            let name: String = line.trim().chars().take_while(|c| c.is_alphanumeric()).collect();
            name[..1].to_lowercase() + &name[1..]
        })
        .collect();
    assert_eq!(with_row, variants);
}
