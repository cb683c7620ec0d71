//! PostgreSQL's own features: other processes may write to it too, and it may fail and recover.

use std::sync::Arc;

use async_trait::async_trait;
use bespoken::storage::postgres::PostgresStore;
use futures_util::future::join_all;
use sqlx::{AssertSqlSafe, PgConnection};

use super::world::*;
use crate::support::TestDatabase;

/// A store in a database of its own, which goes away with it.
pub struct PostgresDatabase {
    store: Arc<dyn Store>,
    database: TestDatabase,
}

impl PostgresDatabase {
    /// `None` if there is no server to test with.
    pub async fn open() -> Option<Self> {
        let database = TestDatabase::create().await?;
        let store = Arc::new(PostgresStore::open(&database.url().await).await.unwrap());
        Some(Self { store, database })
    }

    pub fn database(&self) -> TestDatabase {
        self.database.clone()
    }
}

#[async_trait]
impl Backend for PostgresDatabase {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn set_owner(&self, conversation: ConversationId, owner: UserId) {
        sqlx::query("update conversations set customer_id = $2 where id = $1")
            .bind(conversation.0)
            .bind(owner.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }

    async fn set_every_updated_at(&self, at: Timestamp) {
        sqlx::query("update conversations set updated_at = to_timestamp($1::bigint / 1000.0)")
            .bind(at.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }

    async fn set_request_times(&self, request: RequestId, created_at: Timestamp, updated_at: Timestamp) {
        sqlx::query(
            "update custom_requests
             set created_at = to_timestamp($2::bigint / 1000.0), updated_at = to_timestamp($3::bigint / 1000.0)
             where id = $1",
        )
        .bind(request.0)
        .bind(created_at.0)
        .bind(updated_at.0)
        .execute(&mut self.database.superuser().await)
        .await
        .unwrap();
    }

    async fn set_last_seen(&self, session: SessionId, at: Timestamp) {
        sqlx::query("update login_sessions set last_seen_at = to_timestamp($2::bigint / 1000.0) where id = $1")
            .bind(session.0)
            .bind(at.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }
}

async fn execute(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn unfit(url: &str) -> String {
    match PostgresStore::open(url).await.map(drop) {
        Err(StoreError::Unfit(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

/// Two nodes on one database.
async fn two_nodes() -> Option<(World, Arc<dyn Store>, String)> {
    let database = PostgresDatabase::open().await?;
    let url = database.database.url().await;
    let other = Arc::new(PostgresStore::open(&url).await.unwrap());
    Some((with_an_admin(database).await, other, url))
}

#[tokio::test]
async fn written_data_is_there_after_reopening() {
    let Some((world, other, url)) = two_nodes().await else { return };
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "hello").await;
    let before = world.seat(&world.admin, room.id).await.conversation;
    let epoch = world.store.epoch().await.unwrap();
    assert_eq!(other.epoch().await.unwrap(), epoch);
    world.store.close().await;
    other.close().await;

    let store = PostgresStore::open(&url).await.unwrap();
    assert_eq!(store.epoch().await.unwrap(), epoch);
    assert_eq!(store.find_conversation(&world.admin, room.id).await.unwrap().conversation, before);
    assert_eq!(store.list_before(&room.guest, room.id, None, 9).await.unwrap().messages, [message]);
    assert_eq!(store.post_message(&room.guest, draft(room.id, "more")).await.unwrap().message.seq, 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_database_may_be_opened_by_several_at_once() {
    let Some(database) = TestDatabase::create_empty().await else { return };
    let url = database.url().await;
    let opened = join_all((0..4).map(|_| PostgresStore::open(&url))).await;
    let mut epochs = Vec::new();
    for store in &opened {
        epochs.push(store.as_ref().unwrap().epoch().await.unwrap());
    }
    epochs.dedup();
    assert_eq!(epochs.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_nodes_may_write_to_the_same_conversations() {
    let Some((world, other, _)) = two_nodes().await else { return };
    let mut rooms = Vec::new();
    for name in ["One", "Two", "Three"] {
        rooms.push(world.room(name).await);
    }
    let mut told: Vec<_> = [&world.store, &other].map(|store| store.commits().unwrap()).into();
    let tasks: Vec<_> = (0..300)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &world.store } else { &other });
            let (room, admin) = (&rooms[n / 2 % 3], world.admin.clone());
            let (id, guest) = (room.id, room.guest.clone());
            tokio::spawn(async move {
                match n / 6 % 5 {
                    0 => drop(store.read_up_to(&admin, id, i64::MAX).await.unwrap()),
                    1 => store.left(id, ParticipantId::stored(id.0), now()).await.unwrap(),
                    2 => drop(store.post_message(&admin, draft(id, "answer")).await.unwrap()),
                    _ => drop(store.post_message(&guest, draft(id, "hello")).await.unwrap()),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    for room in &rooms {
        let messages = world.messages(&world.admin, room.id).await;
        let head = world.seat(&world.admin, room.id).await.conversation.head;
        assert_eq!(messages.iter().map(|m| m.seq).collect::<Vec<_>>(), (1..head).collect::<Vec<_>>());
        assert_eq!(messages.iter().map(|m| m.rev).collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>());
    }
    let mut revs = Vec::new();
    for commits in &mut told {
        let own: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
        for room in &rooms {
            let own = own.iter().filter(|commit| commit.conversation_id == room.id);
            assert!(own.clone().is_sorted_by(|one, next| one.rev < next.rev), "each node tells its own in order");
            revs.extend(own.map(|commit| (room.id, commit.rev)));
        }
    }
    revs.sort_unstable();
    revs.dedup();
    assert_eq!(revs.len(), 180, "every change is told by the node that made it, and by no other");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_client_id_makes_one_message_by_way_of_any_node() {
    let Some((world, other, _)) = two_nodes().await else { return };
    let room = world.room("Cleo").await;
    for n in 0..20 {
        let draft = draft(room.id, &format!("hello {n}"));
        let sends = [&world.store, &other, &world.store, &other].map(|store| {
            let (store, guest, draft) = (Arc::clone(store), room.guest.clone(), draft.clone());
            tokio::spawn(async move { store.post_message(&guest, draft).await.unwrap() })
        });
        let posted: Vec<_> = join_all(sends).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(posted.iter().filter(|posted| posted.fresh).count(), 1);
        assert!(posted.iter().all(|one| one.message == posted[0].message));
    }
    assert_eq!(world.messages(&world.admin, room.id).await.len(), 20);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_gets_one_conversation_by_way_of_any_node() {
    let Some((world, other, _)) = two_nodes().await else { return };
    let owner = world.customer("Owner").await;
    for n in 0..10 {
        let request = world.request(&owner, &format!("Table {n}")).await.id;
        let opened = (0..6).map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &world.store } else { &other });
            let actor = if n % 3 == 0 { world.admin.clone() } else { owner.clone() };
            tokio::spawn(async move {
                store.set_request_status(&actor, request, RequestStatus::ALL[1 + n % 3]).await.ok();
                store.open_request_conversation(&actor, request).await.unwrap()
            })
        });
        let opened: Vec<_> = join_all(opened.collect::<Vec<_>>()).await.into_iter().map(Result::unwrap).collect();
        assert_eq!(opened.iter().filter(|(_, is_new)| *is_new).count(), 1);
        let id = opened[0].0.conversation.id;
        assert!(opened.iter().all(|(seat, _)| seat.conversation.id == id));
        let lines = world.messages(&owner, id).await.len();
        assert_eq!(lines, world.store.list_request_changes(&owner, request).await.unwrap().len());
    }
}

#[tokio::test]
async fn unfit_databases_are_rejected() {
    assert!(unfit("sqlite://a.db").await.contains("begins with postgres:"));
    assert!(unfit("postgres://ada:secret@127.0.0.1:port/db").await.contains("no address"));
    let sentence = unfit("postgres://ada:secret@127.0.0.1:1/db").await;
    assert!(sentence.contains("cannot connect to db at 127.0.0.1:1 as ada"), "{sentence}");
    assert!(!sentence.contains("secret"), "{sentence}");

    let Some(database) = TestDatabase::create().await else { return };
    let (url, mut superuser) = (database.url().await, database.superuser().await);
    let name: String = sqlx::query_scalar("select current_database()").fetch_one(&mut superuser).await.unwrap();
    for (setting, fits) in [("off", false), ("local", false), ("remote_apply", true), ("on", true)] {
        execute(&mut superuser, &format!("alter database {name} set synchronous_commit = {setting}")).await;
        match PostgresStore::open(&url).await {
            Ok(store) if fits => store.close().await,
            Err(StoreError::Unfit(sentence)) if !fits => assert!(sentence.contains("synchronous_commit"), "{sentence}"),
            other => panic!("{setting}: {:?}", other.map(drop)),
        }
    }
    execute(&mut superuser, "create table stray (); alter table stray owner to bespoken_app").await;
    assert!(unfit(&url).await.contains("must own nothing"));
    execute(&mut superuser, "drop table stray").await;
}

/// Operators replace programs one after the other. Additions of a newer one do not affect an older one, until a
/// migration removes something that the older one needs.
#[tokio::test]
async fn a_newer_schema_is_taken_until_it_needs_a_newer_program() {
    let Some(database) = TestDatabase::create().await else { return };
    let (url, mut superuser) = (database.url().await, database.superuser().await);
    let user = format!("bespoken_test_old_{}", std::process::id());
    execute(
        &mut superuser,
        &format!(
            "drop role if exists {user}; create role {user} login password 'secret'; grant bespoken_app to {user};
             insert into _sqlx_migrations values (9999, 'later', now(), true, '', 1);
             alter table messages add column later text"
        ),
    )
    .await;
    let as_application = database.url_as(&user, "secret");
    for url in [&url, &as_application] {
        let store: Arc<dyn Store> = Arc::new(PostgresStore::open(url).await.unwrap());
        store.has_admin().await.unwrap();
        store.close().await;
    }
    execute(&mut superuser, "update meta set needs_level = 9999").await;
    for url in [&url, &as_application] {
        assert!(unfit(url).await.contains("needs a newer version"));
    }
    execute(&mut superuser, &format!("drop role {user}")).await;
}

/// A process that has read the journal up to a number has missed nothing before it, from any node.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_notice_shows_up_before_one_that_was_noted_earlier() {
    let Some((world, other, _)) = two_nodes().await else { return };
    let mut rooms = Vec::new();
    for n in 0..4 {
        rooms.push(world.room(&format!("Cleo {n}")).await);
    }
    let before = world.store.last_notice().await.unwrap();
    let writers: Vec<_> = (0..80)
        .map(|n| {
            let store = Arc::clone(if n % 2 == 0 { &world.store } else { &other });
            let (admin, room) = (world.admin.clone(), rooms[n / 2 % 4].id);
            tokio::spawn(async move {
                if n % 4 < 2 {
                    store.replace_link(&admin, room, new_link()).await.unwrap();
                } else {
                    let session = store.create_session(new_session(hash(), None, &[], in_an_hour())).await.unwrap();
                    store.end_session(session).await.unwrap();
                }
            })
        })
        .collect();
    let (mut heard, mut numbers) = (before, Vec::new());
    loop {
        let are_done = writers.iter().all(tokio::task::JoinHandle::is_finished);
        let notices = other.list_notices(heard, 100).await.unwrap();
        numbers.extend(notices.iter().map(|(number, _)| *number));
        heard = numbers.last().copied().unwrap_or(heard);
        if are_done && notices.is_empty() {
            break;
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(numbers, (before + 1..=before + 80).collect::<Vec<_>>());
}

/// The login of the application is not the owner's: `bespoken migrate` runs as the owner beforehand.
#[tokio::test]
async fn a_user_of_its_own_needs_no_right_but_the_role() {
    let Some(database) = TestDatabase::create_empty().await else { return };
    let mut superuser = database.superuser().await;
    let user = format!("bespoken_test_user_{}", std::process::id());
    execute(
        &mut superuser,
        &format!(
            "drop role if exists {user}; create role {user} login password 'secret' noinherit;
             revoke create on schema public from public"
        ),
    )
    .await;
    let url = database.url_as(&user, "secret");
    assert!(unfit(&url).await.contains("run `bespoken migrate` as a user who may"), "it cannot make the tables");

    PostgresStore::open(&database.url().await).await.unwrap().close().await;
    assert!(unfit(&url).await.contains("permission denied"), "it is not in the role");
    execute(&mut superuser, &format!("grant bespoken_app to {user}; alter role {user} inherit")).await;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url).await.unwrap());
    let ada = Actor::Admin(store.create_user(new_user("ada@example.com", "Ada", Role::Admin)).await.unwrap());
    let new = new_conversation("Cleo");
    store.open_conversation(&ada, new.clone()).await.unwrap();
    store.post_message(&Actor::Guest(vec![new.link.id]), draft(new.id, "hello")).await.unwrap();
    assert_eq!(store.search_messages(&ada, "hello", None, 9).await.unwrap().len(), 1);
    store.close().await;

    execute(&mut superuser, "delete from _sqlx_migrations where version = 2").await;
    assert!(unfit(&url).await.contains("run `bespoken migrate` as the owner"));
    // It owns nothing that would keep it.
    execute(&mut superuser, &format!("drop role {user}")).await;
}

#[tokio::test]
async fn it_recovers_after_losing_every_connection() {
    let Some(database) = PostgresDatabase::open().await else { return };
    let mut superuser = database.database.superuser().await;
    let world = with_an_admin(database).await;
    let room = world.room("Cleo").await;
    for n in 1..=3 {
        // As many as the pool and the lanes have at most, or nearly.
        let reads = (0..20).map(|_| world.store.find_conversation(&room.guest, room.id));
        assert!(join_all(reads).await.iter().all(Result::is_ok));
        execute(
            &mut superuser,
            "select pg_terminate_backend(pid, 10000) from pg_stat_activity
             where datname = current_database() and pid <> pg_backend_pid()",
        )
        .await;
        assert_eq!(world.post(&room.guest, room.id, "hello").await.seq, n);
        assert_eq!(world.messages(&world.admin, room.id).await.len(), usize::try_from(n).unwrap());
        world.store.ping().await.unwrap();
    }
}

/// Takes back one statement, or ends the connection in the middle of a job.
#[tokio::test]
async fn a_failed_write_leaves_the_store_usable() {
    let Some(database) = PostgresDatabase::open().await else { return };
    let mut superuser = database.database.superuser().await;
    let world = with_an_admin(database).await;
    let room = world.room("Cleo").await;
    let mut commits = world.store.commits().unwrap();
    execute(
        &mut superuser,
        "create function refuse() returns trigger language plpgsql security definer as $$
         begin
             if new.content = 'abort' then raise 'refused'; end if;
             if new.content = 'end' then perform pg_terminate_backend(pg_backend_pid()); end if;
             return new;
         end $$;
         create trigger refuse before insert on messages for each row execute function refuse()",
    )
    .await;
    let post = |text: &str| world.store.post_message(&room.guest, draft(room.id, text));
    for kind in ["abort", "end"] {
        assert_err!(post(kind).await, StoreError::Database(_));
        assert!(world.messages(&world.admin, room.id).await.is_empty());
    }
    assert_eq!(post("one").await.unwrap().message.seq, 1);

    // These are queued before the lane runs, so that they share a transaction.
    let mut seq = 1;
    for kind in ["abort", "end"] {
        let (before, refused, after) = tokio::join!(post("before"), post(kind), post("after"));
        assert_err!(refused, StoreError::Database(_));
        assert_eq!((before.unwrap().message.seq, after.unwrap().message.seq), (seq + 1, seq + 2), "{kind}");
        seq += 2;
    }
    let told = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev);
    let head = world.seat(&world.admin, room.id).await.conversation.head;
    assert_eq!(told.collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>(), "what failed is not told");
}

/// Polls `future` so many times, each when it may go on, and then drops it. True if it came to its end.
async fn polled(future: impl Future, times: usize) -> bool {
    let mut future = std::pin::pin!(future);
    let mut left = times;
    std::future::poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(false);
        }
        left -= 1;
        future.as_mut().poll(context).map(|_| true)
    })
    .await
}

#[tokio::test]
async fn a_cancelled_caller_leaves_no_state_in_the_pool() {
    let Some(database) = TestDatabase::create().await else { return };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::with_pool(&database.url().await, 1).await.unwrap());
    let ada = Actor::Admin(store.create_user(new_user("ada@example.com", "Ada", Role::Admin)).await.unwrap());
    let new = new_conversation("Cleo");
    store.open_conversation(&ada, new.clone()).await.unwrap();
    let (guest, stranger) = (Actor::Guest(vec![new.link.id]), Actor::Guest(vec![LinkId::new()]));
    let reset = hash();
    store.create_password_reset(reset, ada.user_id().unwrap(), in_an_hour()).await.unwrap();

    let (mut reads, mut writes) = (0, 0);
    for times in 0..60 {
        reads += usize::from(polled(store.list_before(&guest, new.id, None, 9), times).await);
        assert_err!(store.find_conversation(&stranger, new.id).await, StoreError::NotFound);
        let name = Name::parse("name", &format!("Ada {times}")).unwrap();
        writes += usize::from(polled(store.rename_user(ada.user_id().unwrap(), name), times).await);
        assert_eq!(store.list_before(&guest, new.id, None, 9).await.unwrap().head, 1);
        assert!(store.list_conversations(&stranger, &ConversationFilter::default(), None, 9).await.unwrap().is_empty());
    }
    // Otherwise nothing was cut in the middle, or nothing ever came to its end.
    assert!((1..60).contains(&reads) && (1..60).contains(&writes), "{reads} {writes}");
    store.close().await;
}

#[tokio::test]
async fn a_pool_of_one_serves_two_customers_in_turn() {
    let Some(database) = TestDatabase::create().await else { return };
    let store: Arc<dyn Store> = Arc::new(PostgresStore::with_pool(&database.url().await, 1).await.unwrap());
    let mut customers = Vec::new();
    for name in ["ben", "cleo"] {
        let user = store.create_user(new_user(&format!("{name}@example.com"), name, Role::Customer)).await.unwrap();
        let actor = Actor::Customer(user, vec![]);
        let request = store.create_request(&actor, RequestId::new(), None, request_text(name)).await.unwrap();
        let room = store.open_request_conversation(&actor, request.id).await.unwrap().0.conversation.id;
        customers.push((actor, room));
    }
    for turn in 0..10_000 {
        let ((actor, own), (_, foreign)) = (&customers[turn % 2], &customers[(turn + 1) % 2]);
        if turn % 3 == 0 {
            assert_err!(store.find_conversation(actor, *foreign).await, StoreError::NotFound);
        } else {
            let seats = store.list_conversations(actor, &ConversationFilter::default(), None, 9).await.unwrap();
            assert_eq!(seats.iter().map(|seat| seat.conversation.id).collect::<Vec<_>>(), [*own], "{turn}");
        }
    }
    store.close().await;
}

#[tokio::test]
async fn a_session_is_noted_as_seen_once_an_hour() {
    let Some(database) = PostgresDatabase::open().await else { return };
    let mut superuser = database.database.superuser().await;
    let world = with_an_admin(database).await;
    let secret = hash();
    let session = world.store.create_session(new_session(secret, None, &[], in_an_hour())).await.unwrap();
    let mut seen_after = async |last_seen_at: i64| -> i64 {
        world.backend.set_last_seen(session, Timestamp(last_seen_at)).await;
        find_session(&*world.store, secret).await.unwrap();
        sqlx::query_scalar("select (extract(epoch from last_seen_at) * 1000)::bigint from login_sessions where id = $1")
            .bind(session.0)
            .fetch_one(&mut superuser)
            .await
            .unwrap()
    };
    let now = now().0;
    assert!(seen_after(now - 3_600_000).await >= now);
    assert_eq!(seen_after(now - 3_000_000).await, now - 3_000_000);
}

#[tokio::test]
async fn nothing_dangles() {
    let Some(database) = PostgresDatabase::open().await else { return };
    let mut superuser = database.database.superuser().await;
    let world = with_an_admin(database).await;
    let room = world.room("Cleo").await;
    world.post(&room.guest, room.id, "hello").await;
    for sql in [
        "delete from conversations",
        "update messages set seq = 9, rev = 3",
        "update conversations set status = 'gone'",
        "update conversations set status = 'closed'",
        "update messages set deleted_at = now()",
        "update conversations set last_seq = head",
    ] {
        assert!(sqlx::query(sql).execute(&mut superuser).await.is_err(), "{sql}");
    }
}

#[tokio::test]
async fn messages_of_an_older_program_are_found_after_the_upgrade() {
    let Some(database) = TestDatabase::create().await else { return };
    let store = PostgresStore::open(&database.url().await).await.unwrap();
    let admin = Actor::Admin(store.create_user(new_user("ada@example.com", "Ren\u{e9}e", Role::Admin)).await.unwrap());
    for name in ["Andr\u{e9}", "Andre\u{301}", "Zoe"] {
        store.open_conversation(&admin, new_conversation(name)).await.unwrap();
    }
    store.close().await;
    execute(
        &mut database.superuser().await,
        "update conversations set customer_folded = lower(customer_name) || E'\\n';
         update users set folded = null;
         update meta set folded_before = null",
    )
    .await;

    // Twice: what is folded as it should be stays so.
    for _ in 0..2 {
        let store = PostgresStore::open(&database.url().await).await.unwrap();
        for search in ["andre", "ANDR\u{c9}", "andre\u{301}"] {
            let filter = ConversationFilter { search: Some(search.to_owned()), ..Default::default() };
            let found = store.list_conversations(&admin, &filter, None, 9).await.unwrap();
            assert_eq!(found.len(), 2, "{search}");
        }
        assert_eq!(store.list_users(Some("renee"), 9).await.unwrap().len(), 1);
        store.close().await;
    }
}
