//! One customer's data, exported and erased by the command line beside a running server.

use std::{fs, io::Read, path::Path};

use bespoken::{
    domain::{ConversationId, RequestText},
    protocol::{ServerFrame, close},
};
use serde_json::{Value, json};

use crate::support::*;

/// A server, and Cleopatra with all kinds of data that a customer can have.
struct Scene {
    app: TestApp,
    cleo: Customer,
    /// About her request.
    room: ConversationId,
    /// About her, by a link.
    chat: Chat,
}

const EMAIL: &str = "cleopatra@example.com";
/// Her messages: words that appear nowhere else.
const WORDS: [&str; 3] = ["xylotheque", "zyzzyva", "quercetum"];

impl Scene {
    async fn set(database: Database) -> Self {
        let app = TestApp::start_on(database).await;
        let cleo = app.customer("Cleopatra").await;
        let text = RequestText::parse(WORDS[2], "Shelves for a library of wood", None, None).unwrap();
        let actor = bespoken::domain::Actor::Customer(cleo.user.clone(), vec![]);
        let request = app.service.create_request(&actor, None, None, text).await.unwrap();
        let room = app.open_request(request.id).await.id;
        let path = format!("/conversations/{room}/messages");
        cleo.api.post(&path, json!({ "content": WORDS[0] })).await.expect(201);
        let file = app.file(&cleo.api, room, "plan.txt").await;
        cleo.api.post(&path, json!({ "content": "the plan", "attachment_ids": [file] })).await.expect(201);
        app.say(room, "Gladly").await;

        let body = json!({ "customer_name": "Cleopatra", "customer_email": EMAIL });
        let conversation: bespoken::domain::Conversation =
            app.admin().post("/conversations", body).await.expect(201).read();
        let chat_id = conversation.link.clone().unwrap().split_once("chatId=").unwrap().1.to_owned();
        let chat = Chat { id: conversation.id, chat_id, conversation };
        app.post(&chat.chat_id, chat.id, WORDS[1]).await;
        Self { app, cleo, room, chat }
    }

    /// Runs `bespoken customer …` on this server's data.
    async fn command(&self, args: &[&str]) -> std::process::Output {
        let (url, data_dir) = (self.app.data.database_url(), self.app.data.data_dir().display().to_string());
        let args = [&["customer"], args, &["--database-url", &url, "--data-dir", &data_dir]].concat();
        run_program(self.app.data.dir.path(), &args, "").await
    }
}

/// Whether any file below contains the bytes.
fn stands_in(folder: &Path, word: &str) -> Option<String> {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if let Some(found) = stands_in(&path, word) {
                return Some(found);
            }
        } else if fs::read(&path).unwrap().windows(word.len()).any(|bytes| bytes.eq_ignore_ascii_case(word.as_bytes()))
        {
            return Some(path.display().to_string());
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn erasing_closes_sockets_updates_readers_and_leaves_no_trace() {
    for database in Database::each().await {
        erases(Scene::set(database).await).await;
    }
}

async fn erases(scene: Scene) {
    let Scene { app, cleo, room, chat } = &scene;
    let mut account = app.socket_of(cleo).await;
    let mut guest = app.guest_socket(chat).await;
    let (mut reader, mut other) = (app.admin_socket().await, app.admin_socket().await);
    let head = reader.join(*room).await.head;
    let other_head = other.join(chat.id).await.head;

    let dir = app.data.dir.path();
    // The files of another server's database are its own affair.
    let has_files = matches!(app.data.database, Database::Sqlite);
    for word in [WORDS[0], "Cleopatra", EMAIL] {
        assert_eq!(stands_in(dir, word).is_some(), has_files, "{word}");
    }
    let unsure = refused(&scene.command(&["erase", "--email", EMAIL]).await);
    assert!(unsure.contains("--yes"), "{unsure}");
    let admin = refused(&scene.command(&["erase", "--email", "admin@example.com", "--yes"]).await);
    assert!(admin.contains("admin"), "{admin}");
    account.settled().await;

    let done = succeeded(&scene.command(&["erase", "--email", "Cleopatra@Example.com", "--yes"]).await);
    assert!(done.contains("3 messages and 1 files in 2 chats"), "{done}");
    assert_eq!(account.closed().await, Some(close::NOT_ALLOWED));
    assert_eq!(guest.closed().await, Some(close::NOT_ALLOWED));
    // Two messages, and the conversation itself: the last rev shows that the others are missing.
    assert!(matches!(reader.rev(*room, head + 3).await, ServerFrame::ConversationUpdated { .. }));
    other.rev(chat.id, other_head + 2).await;
    let changes = reader.join_after(*room, Some(head)).await;
    assert_eq!(changes.messages.iter().map(|message| message.rev).collect::<Vec<_>>(), [head + 1, head + 2]);
    let joined = app.admin_socket().await.join(*room).await;
    let contents: Vec<_> = joined.messages.iter().map(|message| (&*message.sender_name, &*message.content)).collect();
    assert_eq!(contents, [("Former customer", ""), ("Former customer", ""), ("Admin", "Gladly")]);
    // Live frames go on from there without a gap.
    let posted = app.say(*room, "Goodbye").await;
    assert_eq!(posted.rev, joined.head + 1);
    assert!(matches!(reader.rev(*room, posted.rev).await, ServerFrame::NewMessage { .. }));
    cleo.api.get("/conversations").await.problem(401, "unauthorized");
    app.browser().sign_in(EMAIL, PASSWORD).await.expect(401);
    app.api(&chat.chat_id).get("/conversations").await.problem(401, "unauthorized");
    for word in WORDS {
        let items = app.admin().get(&format!("/search?q={word}")).await.expect(200).json();
        assert_eq!(items["items"], json!([]), "{word}");
    }
    let again = refused(&scene.command(&["erase", "--email", EMAIL, "--yes"]).await);
    assert!(again.contains("no customer"), "{again}");
    let nothing = refused(&scene.command(&["export", "--email", EMAIL, "none.tar"]).await);
    assert!(nothing.contains("no data is stored"), "{nothing}");

    let Scene { app, .. } = scene;
    let data = app.stop().await;
    for word in WORDS.into_iter().chain(["Cleopatra", EMAIL, "plan.txt", "the plan"]) {
        assert_eq!(stands_in(data.dir.path(), word), None, "{word}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_export_has_everything_but_secrets() {
    for database in Database::each().await {
        exports(Scene::set(database).await).await;
    }
}

async fn exports(scene: Scene) {
    let out = scene.app.data.dir.path().join("cleo.tar");
    let path = out.to_str().unwrap();
    let done = succeeded(&scene.command(&["export", "--email", EMAIL, path]).await);
    assert!(done.contains("2 chats"), "{done}");
    assert!(refused(&scene.command(&["export", "--email", EMAIL, path]).await).contains("exists already"));

    let mut files = Vec::new();
    for entry in tar::Archive::new(fs::File::open(&out).unwrap()).entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        files.push((name, text));
    }
    let [(name, json), (file, content)] = &files[..] else { panic!("{files:?}") };
    assert_eq!((&**name, &**content), ("customer.json", "plan.txt"));
    let all: Value = serde_json::from_str(json).unwrap();
    assert_eq!((&all["email"], &all["account"]["name"]), (&json!(EMAIL), &json!("Cleopatra")));
    assert_eq!(all["sessions"].as_array().unwrap().len(), 1);
    assert_eq!(all["requests"][0]["request"]["title"], WORDS[2]);
    let talks = all["conversations"].as_array().unwrap();
    assert_eq!(talks.len(), 2);
    for word in &WORDS[..2] {
        let has =
            |talk: &&Value| talk["messages"].as_array().unwrap().iter().any(|message| message["content"] == *word);
        let talk = talks.iter().find(has).unwrap_or_else(|| panic!("{word} in {all}"));
        assert!(
            !talk["participants"].as_array().unwrap().is_empty() && !talk["receipts"].as_array().unwrap().is_empty()
        );
    }
    let named =
        &talks.iter().find(|talk| talk["conversation"]["kind"] == "request").unwrap()["messages"][1]["attachments"][0];
    assert_eq!(*file, format!("attachments/{}", named["id"].as_str().unwrap()));
    let cookie = scene.cleo.cookie.split_once('=').unwrap().1;
    for secret in [&scene.chat.chat_id, cookie, "argon2", "password", "hash"] {
        assert!(!json.contains(secret), "{secret} in {json}");
    }
}
