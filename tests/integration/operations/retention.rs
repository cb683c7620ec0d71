//! Open pages of expired chats.

use bespoken::{protocol::close, settings::Retention, storage::Expiry};
use reqwest::{Method, header::ACCEPT_LANGUAGE};
use serde_json::json;
use sqlx::{ConnectOptions, Connection, sqlite::SqliteConnectOptions};

use crate::support::*;

/// Moves everything that was done into the past.
async fn age(app: &TestApp, days: i64) {
    if let Database::Postgres(database) = &app.data.database {
        sqlx::query("update conversations set updated_at = updated_at - $1 * interval '1 day'")
            .bind(days as f64)
            .execute(&mut database.superuser().await)
            .await
            .unwrap();
        return;
    }
    let path = app.data.dir.path().join("bespoken.db");
    let mut conn = SqliteConnectOptions::new().filename(path).connect().await.unwrap();
    sqlx::query("update conversations set updated_at_ms = updated_at_ms - ?1")
        .bind(days * 86_400_000)
        .execute(&mut conn)
        .await
        .unwrap();
    conn.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clients_with_the_chat_open_are_updated() {
    for how in [Expiry::Delete, Expiry::Anonymise] {
        for database in Database::each().await {
            are_told(TestApp::start_on(database).await, how).await;
        }
    }
}

async fn are_told(app: TestApp, how: Expiry) {
    let old = app.open("Oak table").await;
    // More than one step takes.
    app.fill(old.id, 450).await;
    let guest_api = app.api(&old.chat_id);
    let file = app.file(&guest_api, old.id, "plan.txt").await;
    let body = json!({ "content": "here", "attachment_ids": [file] });
    guest_api.post(&format!("/conversations/{}/messages", old.id), body).await.expect(201);
    age(&app, 31).await;
    let young = app.open("Brass lamp").await;
    app.say(young.id, "shining").await;
    let (mut guest, mut admin) = (app.guest_socket(&old).await, app.admin_socket().await);
    guest.join(old.id).await;
    let head = admin.join(old.id).await.head;
    admin.join(young.id).await;
    let on_disk = app.data.data_dir().join("attachments").join(file.to_string());
    assert!(on_disk.exists());

    assert_eq!(app.service.expire(Retention { days: 32, how }).await.unwrap(), 0);
    assert_eq!(app.service.expire(Retention { days: 30, how }).await.unwrap(), 1);
    assert_eq!(app.service.expire(Retention { days: 30, how }).await.unwrap(), 0);
    assert_eq!(guest.closed().await, Some(close::NOT_ALLOWED));
    assert!(!on_disk.exists());
    let path = format!("/conversations/{}", old.id);
    match how {
        Expiry::Delete => {
            assert_eq!(admin.resync().await, old.id);
            app.admin().get(&path).await.problem(404, "not_found");
        }
        Expiry::Anonymise => {
            assert_eq!(app.admin().get(&path).await.expect(200).json()["customer_name"], "Former customer");
            let german = app.admin().request(Method::GET, &path).header(ACCEPT_LANGUAGE, "de");
            assert_eq!(Answer::to(german).await.expect(200).json()["customer_name"], "Ehemaliger Kunde");
            admin.rev(old.id, head + 452).await;
            assert!(admin.join(old.id).await.messages.iter().all(|message| message.content.is_empty()));
        }
    }
    assert_eq!(app.admin().get("/search?q=shining").await.json()["items"].as_array().unwrap().len(), 1);
    app.say(young.id, "and on").await;
    admin.rev(young.id, 3).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_begins_with_it_at_its_start() {
    for database in Database::each().await {
        begins_with_it(TestApp::start_on(database).await).await;
    }
}

async fn begins_with_it(app: TestApp) {
    let old = app.open("Oak table").await;
    age(&app, 2).await;
    let data = app.stop().await;
    let dir = data.dir.path();
    let url = data.database_url();
    let server = Program::serve(dir, &["--database-url", &url, "--retention-days", "1"], &[]).await;
    let api = Api::new(&server.url, Sign::Token(data.token.clone()));
    in_time("the old chat goes", async {
        while api.get(&format!("/conversations/{}", old.id)).await.status != 404 {
            tokio::task::yield_now().await;
        }
    })
    .await;
    server.stop().await;
}
