//! Runs the commands for backups with PostgreSQL from docs/operating.md, word for word.

use std::{env, path::PathBuf};

use bespoken::protocol::ClientFrame;
use serde_json::json;
use sqlx::PgConnection;
use tokio::process::Command;

use crate::support::*;

const PAGE: &str = include_str!("../../../docs/operating.md");
/// The names of the database and of the dump on that page.
const DATABASE: &str = "postgres://postgres@host/bespoken";
const DUMP: &str = "backup/bespoken.dump";

/// Runs the one line of the page that calls this program, with this database and this dump.
async fn run_line(name: &str, database: &TestDatabase, dump: &str) {
    let lines: Vec<_> = PAGE.lines().filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')).collect();
    let [line] = lines[..] else { panic!("{name} stands on the page {} times", lines.len()) };
    assert!(line.contains(DATABASE), "{line}");
    // Every other part is in quotes.
    let words = line.split('"').enumerate().flat_map(|(at, part)| match at % 2 {
        0 => part.split_whitespace().collect(),
        _ => vec![part],
    });
    let url = database.superuser_url();
    // Beside the one that the tests were given.
    let psql = PathBuf::from(env::var_os("BESPOKEN_PSQL").unwrap_or_else(|| "psql".into()));
    let mut command = Command::new(psql.with_file_name(name));
    command.args(words.map(|word| match word {
        DATABASE => &url,
        DUMP => dump,
        other => other,
    }));
    let output = in_time(name, command.output()).await.unwrap_or_else(|error| panic!("{name}: {error}"));
    succeeded(&output);
}

/// All permissions and constraints, as sorted text.
async fn rules(conn: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select concat_ws(' | ', relkind, relname, relowner::regrole, relrowsecurity, relforcerowsecurity,
                          array(select unnest(relacl)::text order by 1))
         from pg_class where relnamespace = 'public'::regnamespace
         union all
         select concat_ws(' | ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                          array(select unnest(attacl)::text order by 1))
         from pg_attribute join pg_class on pg_class.oid = attrelid
         where relnamespace = 'public'::regnamespace and relkind = 'r' and attnum > 0 and not attisdropped
         union all
         select concat_ws(' | ', 'policy', tablename, policyname, permissive, roles, cmd, qual, with_check)
         from pg_policies where schemaname = 'public'
         union all
         select concat_ws(' | ', 'function', proname, proowner::regrole, prosecdef, proconfig, prosrc,
                          array(select unnest(proacl)::text order by 1))
         from pg_proc where pronamespace = 'public'::regnamespace
         union all
         select concat_ws(' | ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(oid))
         from pg_constraint where connamespace = 'public'::regnamespace
         union all
         select indexdef from pg_indexes where schemaname = 'public'
         order by 1",
    )
    .fetch_all(conn)
    .await
    .unwrap()
}

async fn count_messages(conn: &mut PgConnection) -> i64 {
    sqlx::query_scalar("select count(*) from messages").fetch_one(conn).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dump_is_restored_as_documented() {
    let Some(database) = TestDatabase::create().await else { return };
    let app = TestApp::start_on(Database::Postgres(database.clone())).await;
    let chat = app.open("Oak table").await;
    let (grace, ada) = (app.customer("Grace").await, app.customer("Ada").await);
    let request = app.request(grace.user.id, "A chair").await;
    let asked = app.open_request(request.id).await;
    let guest = app.api(&chat.chat_id);
    let file = app.file(&guest, chat.id, "plan.txt").await;
    let path = format!("/conversations/{}/messages", chat.id);
    guest.post(&path, json!({ "content": "in the dump", "attachment_ids": [file] })).await.expect(201);
    grace.api.post(&format!("/conversations/{}/messages", asked.id), json!({ "content": "mine" })).await.expect(201);

    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("bespoken.dump").to_str().unwrap().to_owned();
    run_line("pg_dump", &database, &dump).await;
    app.say(chat.id, "lost with the old database").await;
    let mut socket = app.guest_socket(&chat).await;
    let (epoch, seen) = (socket.epoch, socket.join(chat.id).await.head);
    let data = app.stop().await;

    let new = TestDatabase::create_empty().await.expect("there was a server just now");
    run_line("pg_restore", &new, &dump).await;
    run_line("psql", &new, &dump).await;
    let [before, after] = [rules(&mut database.superuser().await).await, rules(&mut new.superuser().await).await];
    assert!(before.iter().any(|rule| rule.starts_with("policy | messages")), "{before:#?}");
    assert_eq!(before, after, "roles, rights, policies and constraints are as before");
    assert!(count_messages(&mut new.superuser().await).await > 0);
    assert_eq!(count_messages(&mut new.application().await).await, 0, "with nobody acting");

    let app = data.with_database(Database::Postgres(new)).await.start().await;
    let (_, messages) = app.service.transcript(&app.actor(), chat.id).await.unwrap();
    let contents: Vec<_> = messages.iter().map(|message| message.content.as_str()).collect();
    assert_eq!(contents, ["in the dump"]);
    let path = format!("/attachments/{file}");
    assert_eq!(app.api(&chat.chat_id).get(&path).await.expect(200).text, "plan.txt");
    let [grace, ada] = [&grace, &ada].map(|customer| Api::new(&app.url, Sign::Cookie(customer.cookie.clone())));
    let path = format!("/conversations/{}", asked.id);
    grace.get(&path).await.expect(200);
    ada.get(&path).await.expect(404);
    let found = app.admin().get("/search?q=dump").await.expect(200).json();
    assert_eq!(found["items"].as_array().map(Vec::len), Some(1), "{found}");

    // Other messages take the revs of those that were lost. Clients with the old epoch must begin anew.
    for number in 1..=seen {
        app.say(chat.id, &format!("message {number} of the new history")).await;
    }
    let mut socket = app.guest_socket(&chat).await;
    assert_ne!(socket.epoch, epoch);
    socket.send(ClientFrame::JoinRequest { room: chat.id, after: Some(seen), epoch: Some(epoch), sender: None }).await;
    assert_eq!(socket.resync().await, chat.id);
    let joined = socket.join(chat.id).await;
    assert_eq!((joined.epoch, joined.messages.len()), (socket.epoch, 1 + seen as usize));
}
