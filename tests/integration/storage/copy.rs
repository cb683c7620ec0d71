//! A whole SQLite database goes to PostgreSQL, and nobody notices.

use std::{fmt::Debug, sync::Arc};

use bespoken::storage::{Compared, DatabaseCopy, postgres::PostgresStore, sqlite::SqliteStore};
use serde_json::json;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{sqlite::SqliteFile, world::*};
use crate::support::{TestDatabase, refused, run_program, succeeded};

/// The form of a sealed text of 8 bytes. Its words would be found if the conversation were not sealed.
const SEALED: &str = "oak-elm_oak-elm_oak-elm_oak-elm_oak-elm_oak-elm_";

/// People's secrets, as the stored hashes.
struct Held {
    world: World,
    url: String,
    session: SecretHash,
    guest_session: SecretHash,
    sign_in: SecretHash,
    token: SecretHash,
    invite: SecretHash,
    reset: SecretHash,
    confirmation: SecretHash,
    setup: SecretHash,
    link: SecretHash,
    rooms: Vec<ConversationId>,
    requests: Vec<RequestId>,
    cleo: Actor,
    guest: Actor,
}

/// A database with something of everything.
async fn filled() -> Held {
    let file = SqliteFile::open().await;
    let url = file.url();
    let world = with_an_admin(file).await;
    let store = Arc::clone(&world.store);
    let ada = world.admin.user_id().unwrap();
    let cleo = world.user("Cleo", Role::Customer).await;
    let of_cleo = Actor::Customer(cleo.clone(), vec![]);
    let mut requests = Vec::new();
    let mut rooms = Vec::new();
    for title in ["Oak table", "Écritoire", "Größeres Regal"] {
        let request = world.request(&of_cleo, title).await;
        rooms.push(world.open(&of_cleo, request.id).await);
        world.set_request(&world.admin, request.id, RequestStatus::InProgress).await;
        requests.push(request.id);
    }
    let alone = world.request(&of_cleo, "Without a chat").await;
    requests.push(alone.id);
    world.request_file(&of_cleo, alone.id, "alcove.jpg", 1).await.unwrap();
    let text = RequestText { title: "Still without a chat".to_owned(), ..alone.text() };
    store.edit_request(&of_cleo, alone.id, text).await.unwrap();

    let room = world.room("Guest").await;
    rooms.push(room.id);
    let metadata =
        json!({ "b": 1.0, "aa": [-0.0, 1e17, 1e300, 0.1, 9_007_199_254_740_993_i64], "é": null, "": "'\"\\" });
    let strange = NewConversation { metadata, ..new_conversation("O'Neil \\ \"é\" 😀") };
    store.open_conversation(&world.admin, strange.clone()).await.unwrap();
    rooms.push(strange.id);
    let sealed = NewConversation { is_sealed: true, ..new_conversation("Sealed") };
    store.open_conversation(&world.admin, sealed.clone()).await.unwrap();
    world.post(&world.admin, sealed.id, SEALED).await;
    for n in 0..60 {
        for (actor, id) in [(&of_cleo, rooms[0]), (&world.admin, rooms[0]), (&room.guest, room.id)] {
            let message = world.post(actor, id, &format!("Élan {n}: 'quoted' & \\ 😀\ttab\nline {}", n % 7)).await;
            match n % 10 {
                3 => drop(store.edit_message(actor, None, message.id, content("changed")).await.unwrap()),
                7 => drop(store.delete_message(actor, None, message.id).await.unwrap()),
                _ => {}
            }
        }
    }
    let sent = world.file(&of_cleo, rooms[0], "plan.pdf").await;
    let with_file = Draft { attachments: vec![sent.id], ..draft(rooms[0], "see the plan") };
    store.post_message(&of_cleo, with_file).await.unwrap();
    let gone = world.file(&of_cleo, rooms[0], "gone.pdf").await;
    let with_file = Draft { attachments: vec![gone.id], ..draft(rooms[0], "not for long") };
    let message = store.post_message(&of_cleo, with_file).await.unwrap().message;
    store.delete_message(&of_cleo, None, message.id).await.unwrap();
    world.file(&room.guest, room.id, "unsent.pdf").await;
    store.read_up_to(&world.admin, room.id, 17).await.unwrap();
    store.assign(&world.admin, rooms[0], Some(ada)).await.unwrap();
    store.set_status(&world.admin, rooms[1], ConversationStatus::Closed).await.unwrap();

    let link = new_link();
    store.replace_link(&world.admin, room.id, link).await.unwrap();
    let guest = Actor::Guest(vec![link.id]);
    let [session, guest_session, sign_in, token, invite, reset, confirmation, setup] = std::array::from_fn(|_| hash());
    let of_session = store.create_session(new_session(session, Some(cleo.id), &[link.id], in_an_hour())).await.unwrap();
    store.claim_digest(rooms[0], 1).await.unwrap();
    store.add_push(of_session, new_push("1"), 1).await.unwrap();
    store.create_session(new_session(guest_session, None, &[link.id], in_an_hour())).await.unwrap();
    let ended = store.create_session(new_session(hash(), Some(ada), &[], in_an_hour())).await.unwrap();
    store.end_session(ended).await.unwrap();
    // Times that PostgreSQL cannot store.
    store.create_sign_in_link(hash(), ada, Timestamp(i64::MAX)).await.unwrap();
    store.create_sign_in_link(sign_in, cleo.id, in_an_hour()).await.unwrap();
    store.create_token(TokenId::new(), token, ada, Some(Name::parse("name", "shop").unwrap())).await.unwrap();
    let revoked = TokenId::new();
    store.create_token(revoked, hash(), ada, None).await.unwrap();
    store.revoke_token(revoked).await.unwrap();
    store.create_invite(InviteId::new(), invite, ada, in_an_hour()).await.unwrap();
    store.create_password_reset(reset, cleo.id, in_an_hour()).await.unwrap();
    store.create_confirmation(confirmation, cleo.id, cleo.email.clone(), in_an_hour()).await.unwrap();
    store.put_setup_secret(setup).await.unwrap();

    let erased = world.user("Erased", Role::Customer).await;
    let actor = Actor::Customer(erased.clone(), vec![]);
    let request = world.request(&actor, "To be erased").await;
    rooms.push(world.open(&actor, request.id).await);
    world.post(&actor, rooms[5], "words to be erased").await;
    while store.erase_customer(&erased.email, 3).await.unwrap().is_some() {}
    rooms.push(sealed.id);
    requests.push(request.id);

    Held {
        world,
        url,
        session,
        guest_session,
        sign_in,
        token,
        invite,
        reset,
        confirmation,
        setup,
        link: link.hash,
        rooms,
        requests,
        cleo: of_cleo,
        guest,
    }
}

/// People's view of the data, as text.
async fn seen(held: &Held, store: &dyn Store) -> Vec<String> {
    fn note(seen: &mut Vec<String>, what: impl Debug) {
        seen.push(format!("{what:?}"));
    }
    let mut all = Vec::new();
    note(&mut all, store.epoch().await.unwrap());
    let heard = store.last_notice().await.unwrap();
    assert!(heard > 3);
    note(&mut all, (heard, store.list_notices(0, 100).await.unwrap()));
    for hash in [held.session, held.guest_session] {
        let session = find_session(store, hash).await.unwrap();
        note(&mut all, session);
    }
    let of_session = find_session(store, held.session).await.unwrap().id;
    note(&mut all, store.find_push(of_session).await.unwrap().unwrap());
    note(&mut all, store.find_sign_in_link(held.sign_in).await.unwrap().unwrap());
    note(&mut all, store.find_token(held.token).await.unwrap().unwrap());
    note(&mut all, store.find_invite(held.invite).await.unwrap().unwrap());
    note(&mut all, store.find_password_reset(held.reset).await.unwrap().unwrap());
    note(&mut all, store.find_confirmation(held.confirmation).await.unwrap().unwrap());
    note(&mut all, store.find_link(held.link).await.unwrap().unwrap());
    assert!(store.is_setup_secret(held.setup).await.unwrap());
    note(&mut all, store.list_users(None, 100).await.unwrap());
    let (_, password_hash) = store.find_user(held.cleo.user_id().unwrap()).await.unwrap().unwrap();
    note(&mut all, password_hash);
    for actor in [&held.world.admin, &held.cleo, &held.guest] {
        let filter = ConversationFilter::default();
        for seat in store.list_conversations(actor, &filter, None, 100).await.unwrap() {
            let id = seat.conversation.id;
            note(&mut all, (&seat.conversation.status, seat.conversation.head, &seat.conversation.customer_name));
            note(&mut all, serde_json::to_value(&seat.conversation.last_message).unwrap());
            note(&mut all, (seat.me, seat.link));
            let room = store.load_room(actor, id, Some(0), 1_000).await.unwrap();
            note(&mut all, (room.page, room.participants, room.receipts));
        }
        for word in ["elan", "quoted", "chang", "plan", "erased", "gone"] {
            note(&mut all, store.search_messages(actor, word, None, 1_000).await.unwrap());
        }
        for request in &held.requests {
            note(&mut all, store.find_request(actor, *request).await.ok());
            note(&mut all, store.list_request_changes(actor, *request).await.ok());
        }
    }
    note(&mut all, store.list_requests(&held.world.admin, &RequestFilter::default(), None, 100).await.unwrap());
    note(&mut all, store.list_discarded_attachments(100).await.unwrap());
    all
}

async fn begin(held: &Held, database: &TestDatabase) -> DatabaseCopy {
    DatabaseCopy::begin(&held.url, &database.url().await, 7).await.unwrap()
}

async fn copy_to_the_end(mut copy: DatabaseCopy) -> Vec<Compared> {
    while copy.step().await.unwrap().is_some() {}
    copy.finish().await.unwrap()
}

fn differing(compared: &[Compared]) -> Vec<&'static str> {
    compared.iter().filter(|table| !table.is_same()).map(|table| table.table).collect()
}

async fn refusal(from: &str, to: &str) -> String {
    match DatabaseCopy::begin(from, to, 7).await.map(drop) {
        Err(StoreError::Unfit(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn unfit(url: &str) -> String {
    match PostgresStore::open(url).await.map(drop) {
        Err(StoreError::Unfit(sentence)) => sentence,
        other => panic!("{other:?}"),
    }
}

async fn execute(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

/// Tables without row-level security for any login.
async fn unguarded(superuser: &mut PgConnection) -> Vec<String> {
    sqlx::query_scalar(
        "select relname::text from pg_class
         where relnamespace = 'public'::regnamespace and relkind = 'r'
           and relname not in ('meta', '_sqlx_migrations', 'unfinished_copy')
           and not (relrowsecurity and relforcerowsecurity)",
    )
    .fetch_all(superuser)
    .await
    .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everyone_finds_everything_as_it_was() {
    let Some(database) = TestDatabase::create_empty().await else { return };
    let held = filled().await;
    let compared = copy_to_the_end(begin(&held, &database).await).await;
    assert_eq!(differing(&compared), Vec::<&str>::new());
    let empty: Vec<_> = compared.iter().filter(|table| table.source.rows == 0).map(|table| table.table).collect();
    assert_eq!(empty, Vec::<&str>::new(), "each table has something to compare");
    let mut superuser = database.superuser().await;
    assert_eq!(unguarded(&mut superuser).await, Vec::<String>::new());

    let url = database.url().await;
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&url).await.unwrap());
    assert_eq!(seen(&held, &*store).await, seen(&held, &*held.world.store).await);
    for room in &held.rooms {
        // Numbers continue, and repeats are not stored again.
        let before = store.find_conversation(&held.world.admin, *room).await.unwrap().conversation;
        if before.status == ConversationStatus::Open {
            let text = if before.sealed { SEALED } else { "more" };
            let posted = store.post_message(&held.world.admin, draft(*room, text)).await.unwrap().message;
            assert_eq!(posted.rev, before.head + 1);
        }
    }
    let page = store.list_before(&held.guest, held.rooms[3], None, 9).await.unwrap();
    let is_as_sent = |message: &&Message| message.client_id.is_some() && message.edited_at.is_none();
    let sent = page.messages.iter().find(is_as_sent).unwrap();
    let again = Draft { client_id: sent.client_id, ..draft(held.rooms[3], &sent.content) };
    let sender = if sent.sender_type == SenderType::Admin { &held.world.admin } else { &held.guest };
    let again = store.post_message(sender, again).await.unwrap();
    assert!(!again.fresh && again.message.id == sent.id);
    store.close().await;

    // The copy does not overwrite a database in use.
    assert!(refusal(&held.url, &url).await.contains("is in use: its table users is not empty"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interrupted_copy_resumes() {
    let Some(database) = TestDatabase::create().await else { return };
    let (held, url) = (filled().await, database.url().await);
    let mut superuser = database.superuser().await;
    let (mut runs, mut steps) = (0, 0);
    let compared = loop {
        let mut copy = begin(&held, &database).await;
        assert_eq!(copy.goes_on(), runs > 0);
        runs += 1;
        let mut is_through = false;
        for _ in 0..5 {
            is_through = copy.step().await.unwrap().is_none();
            steps += usize::from(!is_through);
        }
        assert!(unfit(&url).await.contains("run the same `bespoken copy` again"));
        if is_through {
            break copy.finish().await.unwrap();
        }
        // In the middle of a transaction, more or less far into it.
        let mut step = Box::pin(copy.step());
        for _ in 0..runs % 12 {
            if futures_util::poll!(&mut step).is_ready() {
                break;
            }
            tokio::task::yield_now().await;
        }
        drop(step);
        drop(copy);
        assert_eq!(unguarded(&mut superuser).await, Vec::<String>::new());
    };
    assert_eq!(differing(&compared), Vec::<&str>::new());
    assert!(runs > 5 && steps > 25, "{runs} runs of {steps} steps");
    PostgresStore::open(&url).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_difference_is_found_and_blocks_the_server() {
    let Some(database) = TestDatabase::create().await else { return };
    let (held, url) = (filled().await, database.url().await);
    let mut superuser = database.superuser().await;
    let changes = [
        (
            "messages",
            "update messages set content = content || '.' where id = (select max(id::text)::uuid from messages where deleted_at is null)",
        ),
        (
            "messages",
            "update messages set words = '' where id = (select min(id::text)::uuid from messages where words <> '')",
        ),
        ("users", "update users set created_at = created_at + interval '1 microsecond' where name = 'Cleo'"),
        ("receipts", "delete from receipts where seq = 17"),
        ("login_sessions", "update login_sessions set secret_hash = secret_hash || 'x' where user_id is null"),
        ("conversations", r#"update conversations set metadata = '{"b": 2}' where metadata ? 'b'"#),
    ];
    for (n, (table, sql)) in changes.into_iter().enumerate() {
        let mut copy = begin(&held, &database).await;
        while copy.step().await.unwrap().is_some() {}
        execute(&mut superuser, &format!("create table kept as table {table}; {sql}")).await;
        assert_eq!(differing(&copy.finish().await.unwrap()), [table], "{n}");
        assert!(unfit(&url).await.contains("run the same `bespoken copy` again"));
        execute(
            &mut superuser,
            &format!(
                "set session_replication_role = replica; delete from {table}; insert into {table} select * from kept;
                 set session_replication_role = default; drop table kept"
            ),
        )
        .await;
    }
    assert_eq!(differing(&copy_to_the_end(begin(&held, &database).await).await), Vec::<&str>::new());
    PostgresStore::open(&url).await.unwrap().close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn concurrent_writes_are_not_copied() {
    let Some(database) = TestDatabase::create().await else { return };
    let held = filled().await;
    let head = held.world.seat(&held.world.admin, held.rooms[0]).await.conversation.head;
    let mut copy = begin(&held, &database).await;
    copy.step().await.unwrap();
    held.world.post(&held.cleo, held.rooms[0], "meanwhile").await;
    assert_eq!(differing(&copy_to_the_end(copy).await), Vec::<&str>::new());
    let store: Arc<dyn Store> = Arc::new(PostgresStore::open(&database.url().await).await.unwrap());
    assert_eq!(store.find_conversation(&held.cleo, held.rooms[0]).await.unwrap().conversation.head, head);
    store.close().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_a_copy_is_not_begun() {
    let Some(database) = TestDatabase::create().await else { return };
    let (held, url, mut superuser) = (filled().await, database.url().await, database.superuser().await);
    let mut copy = begin(&held, &database).await;
    copy.step().await.unwrap();
    drop(copy);
    let other = filled().await;
    assert!(refusal(&other.url, &url).await.contains("unfinished copy of another database"));

    let user = format!("bespoken_test_copy_{}", std::process::id());
    execute(
        &mut superuser,
        &format!(
            "drop role if exists {user}; create role {user} login password 'secret'; grant bespoken_app to {user}"
        ),
    )
    .await;
    assert!(refusal(&held.url, &database.url_as(&user, "secret")).await.contains("as the owner of the tables"));
    execute(&mut superuser, &format!("drop role {user}")).await;

    assert!(refusal("sqlite://nowhere/at/all.db", &url).await.contains("there is no database"));
    assert!(refusal(&url, &url).await.contains("begins with sqlite:"));
    assert!(refusal(&held.url, &held.url).await.contains("begins with postgres:"));
    execute(&mut superuser, "alter table messages add column later text").await;
    assert!(refusal(&held.url, &url).await.contains("has messages.later, which this program does not know"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_command_prints_the_comparison() {
    let Some(database) = TestDatabase::create_empty().await else { return };
    let (held, url) = (filled().await, database.url().await);
    let folder = tempfile::tempdir().unwrap();
    let args = ["copy", "--from", &held.url, "--to", &url];
    let output = succeeded(&run_program(folder.path(), &args, "").await);
    assert!(
        output.lines().any(|line| line.starts_with("messages ") && line.split_whitespace().count() == 3),
        "{output}"
    );
    assert!(output.contains("the databases are the same"), "{output}");
    assert!(refused(&run_program(folder.path(), &args, "").await).contains("is in use"));
    // The source continues unchanged.
    held.world.store.close().await;
    SqliteStore::open(&held.url).await.unwrap().close().await;
}
