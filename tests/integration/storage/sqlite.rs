//! SQLite's own features: a file on disk, which other processes may open too.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use bespoken::storage::sqlite::SqliteStore;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use tempfile::TempDir;

use super::{search, world::*};

/// A store in a new file, which goes away with it.
pub struct SqliteFile {
    store: Arc<dyn Store>,
    folder: TempDir,
}

impl SqliteFile {
    pub async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Arc::new(SqliteStore::open(&url(&folder)).await.unwrap());
        Self { store, folder }
    }

    pub fn url(&self) -> String {
        url(&self.folder)
    }

    /// A connection of its own, as another program would have it.
    async fn connect(&self) -> SqliteConnection {
        connect(&self.folder).await
    }
}

#[async_trait]
impl Backend for SqliteFile {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn set_owner(&self, conversation: ConversationId, owner: UserId) {
        sqlx::query("update conversations set customer_id = ?2 where id = ?1")
            .bind(conversation.0)
            .bind(owner.0)
            .execute(&mut self.connect().await)
            .await
            .unwrap();
    }

    async fn set_every_updated_at(&self, at: Timestamp) {
        sqlx::query("update conversations set updated_at_ms = ?1")
            .bind(at.0)
            .execute(&mut self.connect().await)
            .await
            .unwrap();
    }

    async fn set_request_times(&self, request: RequestId, created_at: Timestamp, updated_at: Timestamp) {
        sqlx::query("update custom_requests set created_at_ms = ?2, updated_at_ms = ?3 where id = ?1")
            .bind(request.0)
            .bind(created_at.0)
            .bind(updated_at.0)
            .execute(&mut self.connect().await)
            .await
            .unwrap();
    }

    async fn set_last_seen(&self, session: SessionId, at: Timestamp) {
        sqlx::query("update login_sessions set last_seen_at_ms = ?2 where id = ?1")
            .bind(session.0)
            .bind(at.0)
            .execute(&mut self.connect().await)
            .await
            .unwrap();
    }
}

fn path(folder: &TempDir) -> PathBuf {
    folder.path().join("new/folders/bespoken.db")
}

fn url(folder: &TempDir) -> String {
    format!("sqlite://{}", path(folder).display())
}

async fn connect(folder: &TempDir) -> SqliteConnection {
    SqliteConnectOptions::new().filename(path(folder)).connect().await.unwrap()
}

async fn execute(conn: &mut SqliteConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap();
}

async fn unfit(url: &str) -> String {
    match SqliteStore::open(url).await.map(drop) {
        Err(StoreError::Unfit(sentence)) => sentence,
        other => panic!("{url}: {other:?}"),
    }
}

#[tokio::test]
async fn written_data_is_there_after_reopening() {
    let file = SqliteFile::open().await;
    let (folder, epoch) = (file.folder.path().to_owned(), file.store.epoch().await.unwrap());
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "hello").await;
    let secret = hash();
    let session = world
        .store
        .create_session(new_session(secret, world.admin.user_id(), &[room.link], in_an_hour()))
        .await
        .unwrap();
    let before = world.seat(&world.admin, room.id).await.conversation;
    world.store.close().await;
    let files = std::fs::read_dir(folder.join("new/folders")).unwrap().map(|file| file.unwrap().file_name());
    let files: Vec<_> = files.filter(|name| name != "bespoken.db.lock").collect();
    assert_eq!(files, ["bespoken.db"], "closing leaves one file");

    let store =
        SqliteStore::open(&format!("sqlite:{}", folder.join("new/folders/bespoken.db").display())).await.unwrap();
    assert_eq!(store.epoch().await.unwrap(), epoch);
    assert_eq!(store.find_conversation(&world.admin, room.id).await.unwrap().conversation, before);
    assert_eq!(store.list_before(&room.guest, room.id, None, 9).await.unwrap().messages, [message]);
    assert_eq!(find_session(&store, secret).await.unwrap().id, session);
    assert_eq!(store.post_message(&room.guest, draft(room.id, "more")).await.unwrap().message.seq, 2);
}

/// Copies the file and its log as a crash would leave them, without what the process has in memory.
#[tokio::test]
async fn acknowledged_writes_survive_a_crash() {
    let file = SqliteFile::open().await;
    let crashed = path(&file.folder);
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "hello").await;

    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(path(&folder).parent().unwrap()).unwrap();
    for end in ["", "-wal"] {
        let [from, to] = [&crashed, &path(&folder)].map(|path| format!("{}{end}", path.display()));
        std::fs::copy(from, to).unwrap();
    }
    let store = SqliteStore::open(&url(&folder)).await.unwrap();
    assert_eq!(store.list_before(&room.guest, room.id, None, 9).await.unwrap().messages, [message]);
}

#[tokio::test]
async fn unfit_databases_are_rejected() {
    let folder = tempfile::tempdir().unwrap();
    assert!(unfit("sqlite::memory:").await.contains("journal_mode is memory"));
    assert!(unfit("postgres://example.com/db").await.contains("begins with sqlite:"));
    assert!(unfit("sqlite://a.db?colour=blue").await.contains("does not name an SQLite database"));

    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "This is not a database, but it is long enough to look at. ".repeat(100)).unwrap();
    assert!(unfit(&format!("sqlite://{}", text.display())).await.contains("cannot open the database"));
    assert!(unfit(&format!("sqlite://{}/a.db", text.display())).await.contains("cannot make the folder"));
}

#[tokio::test]
async fn a_newer_schema_is_taken_unless_it_needs_a_newer_program() {
    let folder = tempfile::tempdir().unwrap();
    SqliteStore::open(&url(&folder)).await.unwrap().close().await;
    let mut conn = connect(&folder).await;
    execute(&mut conn, "insert into _sqlx_migrations values (9999, 'later', '2099-01-01', true, x'00', 1)").await;
    execute(&mut conn, "create table later (word text not null) strict").await;
    execute(&mut conn, "alter table messages add column later text").await;
    let world = with_an_admin(SqliteFile { store: Arc::new(SqliteStore::open(&url(&folder)).await.unwrap()), folder });
    let world = world.await;
    let room = world.room("Cleo").await;
    assert_eq!(world.post(&room.guest, room.id, "from an older node").await.seq, 1);

    execute(&mut conn, "update meta set needs_level = 9999").await;
    let (_, file): (i64, String) = sqlx::query_as("select seq, file from pragma_database_list where name = 'main'")
        .fetch_one(&mut conn)
        .await
        .unwrap();
    assert!(unfit(&format!("sqlite://{file}")).await.contains("newer version"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_file_may_be_opened_by_several_at_once() {
    let folder = Arc::new(tempfile::tempdir().unwrap());
    let opened: Vec<_> = (0..8)
        .map(|_| {
            let folder = Arc::clone(&folder);
            tokio::spawn(async move { SqliteStore::open(&url(&folder)).await.unwrap().epoch().await.unwrap() })
        })
        .collect();
    let mut epochs = Vec::new();
    for epoch in opened {
        epochs.push(epoch.await.unwrap());
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_processes_may_write_to_one_file() {
    let file = SqliteFile::open().await;
    let other: Arc<dyn Store> = Arc::new(SqliteStore::open(&url(&file.folder)).await.unwrap());
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    let posts: Vec<_> = (0..60)
        .map(|n| {
            let store = if n % 2 == 0 { &world.store } else { &other };
            let (store, guest, id) = (Arc::clone(store), room.guest.clone(), room.id);
            tokio::spawn(
                async move { store.post_message(&guest, draft(id, &n.to_string())).await.unwrap().message.seq },
            )
        })
        .collect();
    let mut seqs = Vec::new();
    for post in posts {
        seqs.push(post.await.unwrap());
    }
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=60).collect::<Vec<_>>());

    let ben = other.create_user(new_user("ben@example.com", "Ben", Role::Admin)).await.unwrap();
    let found = world.store.find_user_by_email(&ben.email).await.unwrap().unwrap().0;
    assert_eq!(found, ben, "seen at once on the other side");
}

#[tokio::test]
async fn a_write_waits_for_another_process() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    execute(&mut other, "begin immediate").await;
    let (message, ()) = tokio::join!(world.post(&room.guest, room.id, "hello"), execute(&mut other, "commit"));
    assert_eq!(message.seq, 1);
}

/// Refuses marked messages in SQLite's two ways. It rolls back one statement, as for a broken constraint, or the whole
/// transaction, as for a full disk.
#[tokio::test]
async fn a_failed_write_leaves_the_store_usable() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    let mut commits = world.store.commits().unwrap();
    for kind in ["abort", "fail", "rollback"] {
        execute(
            &mut other,
            &format!(
                "create trigger refuse_{kind} before insert on messages when new.content = '{kind}'
                 begin select raise({kind}, 'refused'); end"
            ),
        )
        .await;
    }
    let post = |text: &str| world.store.post_message(&room.guest, draft(room.id, text));

    for kind in ["abort", "fail", "rollback"] {
        let refused = post(kind).await;
        assert!(
            matches!(&refused, Err(StoreError::Database(error)) if error.to_string().contains("refused")),
            "{refused:?}"
        );
        assert!(world.messages(&world.admin, room.id).await.is_empty());
        assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, 1);
    }
    assert_eq!(post("one").await.unwrap().message.seq, 1);

    // These are queued before the writing task runs, so that they share a transaction.
    let (before, refused, after) = tokio::join!(post("before"), post("abort"), post("after"));
    assert_err!(refused, StoreError::Database(_));
    assert_eq!((before.unwrap().message.seq, after.unwrap().message.seq), (2, 3));

    let (before, refused, after) = tokio::join!(post("before"), post("rollback"), post("after"));
    for outcome in [before, refused, after] {
        let error = outcome.unwrap_err().to_string();
        assert!(error.contains("refused"), "{error}");
    }
    assert_eq!(post("last").await.unwrap().message.seq, 4);

    let told = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev);
    let head = world.seat(&world.admin, room.id).await.conversation.head;
    assert_eq!(told.collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>(), "what failed is not told");
}

#[tokio::test]
async fn a_session_is_noted_as_seen_once_an_hour() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let secret = hash();
    world.store.create_session(new_session(secret, None, &[], in_an_hour())).await.unwrap();
    let mut seen_after = async |last_seen_at: i64| -> i64 {
        sqlx::query("update login_sessions set last_seen_at_ms = ?1")
            .bind(last_seen_at)
            .execute(&mut other)
            .await
            .unwrap();
        find_session(&*world.store, secret).await.unwrap();
        // Queued after the note, if there is one.
        world.store.end_session(SessionId::new()).await.unwrap();
        sqlx::query_scalar("select last_seen_at_ms from login_sessions").fetch_one(&mut other).await.unwrap()
    };
    let now = now().0;
    assert!(seen_after(now - 3_600_000).await >= now);
    assert_eq!(seen_after(now - 3_000_000).await, now - 3_000_000);
}

#[tokio::test]
async fn nothing_dangles() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    world.post(&room.guest, room.id, "hello").await;
    for sql in [
        "delete from conversations",
        "update messages set seq = 9, rev = 3",
        "update conversations set status = 'gone'",
        "update conversations set status = 'closed'",
        "update messages set deleted_at_ms = 1",
        "update links set revoked_at_ms = 'never'",
    ] {
        assert!(sqlx::query(sql).execute(&mut other).await.is_err(), "{sql}");
    }
    other.close().await.unwrap();
}

#[tokio::test]
async fn names_leave_the_index_with_their_customers() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    execute(&mut other, "create virtual table temp.terms using fts5vocab (main, customer_search, row)").await;
    let world = with_an_admin(file).await;
    let rooms = [world.room("Zyxwvut").await, world.room("Zyxwvut").await];
    let mut terms = async || -> i64 {
        let some = "select count(*) from terms where term in ('zyx', 'wvu', 'vut')";
        sqlx::query_scalar(some).fetch_one(&mut other).await.unwrap()
    };
    assert_eq!(terms().await, 3);

    for (room, how) in [(&rooms[0], Expiry::Anonymise), (&rooms[1], Expiry::Delete)] {
        world.store.expire(Expired::Conversation(room.id), in_an_hour(), how, 10).await.unwrap();
    }
    assert_eq!(terms().await, 0);
    let sought = |text: &str| ConversationFilter { search: Some(text.to_owned()), ..Default::default() };
    for (text, found) in [("zyxwvut", 0), ("former", 1)] {
        let chats = world.store.list_conversations(&world.admin, &sought(text), None, 9).await.unwrap();
        assert_eq!(chats.len(), found, "{text}");
    }
}

#[tokio::test]
async fn own_messages_are_found_by_the_index_if_they_are_many() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let (room, elsewhere) = (world.room("Cleo").await, world.room("Other").await);
    let posted = search::post_many(&world, &room).await;
    world.post(&elsewhere.guest, elsewhere.id, "every, third, old, once").await;
    // As if there were more than are read without the index.
    execute(&mut other, "update conversations set head = head + 100000, last_seq = last_seq + 100000").await;
    search::assert_found(&world, &room.guest, &posted).await;
}

#[tokio::test]
async fn a_search_continues_after_a_removed_message() {
    let file = SqliteFile::open().await;
    let mut other = file.connect().await;
    let world = with_an_admin(file).await;
    let room = world.room("Cleo").await;
    let posted = search::post_many(&world, &room).await;
    let (last, _) = &posted[9];
    execute(&mut other, &format!("update messages set search_id = null where seq = {}", last.seq)).await;
    for actor in [&world.admin, &room.guest] {
        let page = world.store.search_messages(actor, "every", Some(last.id), 5).await.unwrap();
        let wanted: Vec<_> = posted[10..15].iter().map(|(message, _)| message.clone()).collect();
        assert_eq!(page, wanted);
    }
}
