//! PostgreSQL's own permissions, tested in plain SQL as the application's role. Even if the program has a fault, the
//! database shows nobody another person's data.

use std::collections::BTreeSet;

use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, PgConnection, PgPool, postgres::PgPoolOptions};

use super::{postgres::PostgresDatabase, world::*};
use crate::support::TestDatabase;

/// Tables without policies.
const EXEMPT: [&str; 2] = [
    // Which migrations were applied.
    "_sqlx_migrations",
    // The epoch, the hash of the secret that opens /setup, the number of the last notice: nothing of a customer's.
    "meta",
];

/// The actors: none; a guest with a link; the data's owner; another customer; an admin; the service itself; the service
/// as the eraser.
#[derive(Clone, Copy, Debug)]
enum Who {
    Nobody,
    Guest,
    Owner,
    Other,
    Admin,
    System,
    Eraser,
}

const PEOPLE: [Who; 7] = [Who::Nobody, Who::Guest, Who::Owner, Who::Other, Who::Admin, Who::System, Who::Eraser];

/// The rows of a table that each of [`PEOPLE`] sees, changes and deletes: `all`, `own`, `unsent` or `-`.
const TABLES: &str = "
                | nobody guest owner other admin system eraser
users           | -      -     own   own   all   all    all | - -   -   -   -   all all | - - - - - -      all
login_sessions  | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
session_links   | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
sign_in_links   | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
api_tokens      | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
password_resets | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
email_confirmations | -  -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
mail_digests    | -      -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
push_subscriptions | -   -     -     -     -     all    all | - -   -   -   -   all all | - - - - - all    all
invites         | -      -     -     -     -     all    -   | - -   -   -   -   all -   | - - - - - all    -
conversations   | -      own   own   own   all   all    all | - own own own all all all | - - - - - -      all
links           | -      own   -     -     all   all    all | - -   -   -   all -   all | - - - - - -      all
messages        | -      own   own   own   all   -      all | - own own own all -   all | - - - - - -      all
participants    | -      own   own   own   all   all    all | - own own own all all all | - - - - - -      all
receipts        | -      own   own   own   all   -      all | - own own own all -   all | - - - - - -      all
custom_requests | -      -     own   own   all   all    all | - -   own own all all all | - - - - - -      all
request_files   | -      -     own   own   all   -      all | - -   -   -   -   -   -   | - - - - - -      all
request_changes | -      -     own   own   all   -      all | - -   -   -   -   -   -   | - - - - - -      all
attachments     | -      own   own   own   all   unsent all | - own own own all -   all | - - - - - unsent all
notices         | -      -     -     -     -     all    all | - -   -   -   -   -   -   | - - - - - all    all
discarded_files | -      -     -     -     -     all    all | - -   -   -   -   -   -   | - - - - - all    all
";

/// A database with something in every table, for everyone.
struct Scene {
    database: TestDatabase,
    world: World,
    room: Room,
    owner: Actor,
    other: Actor,
    owners_conversation: ConversationId,
}

impl Scene {
    async fn set() -> Option<Self> {
        let postgres = PostgresDatabase::open().await?;
        let database = postgres.database();
        let world = with_an_admin(postgres).await;
        let (store, ada) = (&world.store, world.admin.user_id().unwrap());
        let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
        let mut conversations = Vec::new();
        for customer in [&owner, &other] {
            let request = world.request(customer, "Table").await;
            world.set_request(&world.admin, request.id, RequestStatus::InProgress).await;
            world.request_file(customer, request.id, "plan", 1).await.unwrap();
            let id = world.open(customer, request.id).await;
            let sent = world.file(customer, id, "sent").await;
            let with_file = Draft { attachments: vec![sent.id], ..draft(id, "hello") };
            store.post_message(customer, with_file).await.unwrap();
            world.file(customer, id, "unsent").await;
            world.post(&world.admin, id, "answer").await;
            store.create_session(new_session(hash(), customer.user_id(), &[], in_an_hour())).await.unwrap();
            conversations.push(id);
        }
        let (room, elsewhere) = (world.room("Cleo").await, world.room("Stranger").await);
        for room in [&room, &elsewhere] {
            world.post(&room.guest, room.id, "hello").await;
            world.file(&room.guest, room.id, "unsent").await;
            store.create_session(new_session(hash(), None, &[room.link], in_an_hour())).await.unwrap();
        }
        store.create_sign_in_link(hash(), ada, in_an_hour()).await.unwrap();
        store.create_token(TokenId::new(), hash(), ada, None).await.unwrap();
        store.create_password_reset(hash(), ada, in_an_hour()).await.unwrap();
        let own = world.admin.user().unwrap().email.clone();
        store.create_confirmation(hash(), ada, own, in_an_hour()).await.unwrap();
        let session = store.create_session(new_session(hash(), Some(ada), &[], in_an_hour())).await.unwrap();
        store.claim_digest(conversations[0], 1).await.unwrap();
        store.add_push(session, new_push("1"), 1).await.unwrap().unwrap();
        store.create_invite(InviteId::new(), hash(), ada, in_an_hour()).await.unwrap();
        let ended = store.create_session(new_session(hash(), None, &[], in_an_hour())).await.unwrap();
        store.end_session(ended).await.unwrap();
        let mut superuser = database.superuser().await;
        execute(&mut superuser, "insert into discarded_files (id) values (gen_random_uuid())").await;
        Some(Self { database, world, room, owner, other, owners_conversation: conversations[0] })
    }

    /// The statement that sets the actor.
    fn act(&self, who: Who) -> String {
        let of = |actor: &Actor| actor.user_id().unwrap().to_string();
        let (kind, user, links) = match who {
            Who::Nobody => return "select 1".to_owned(),
            Who::Guest => ("guest", String::new(), format!("{{{}}}", self.room.link)),
            Who::Owner => ("customer", of(&self.owner), "{}".to_owned()),
            Who::Other => ("customer", of(&self.other), "{}".to_owned()),
            Who::Admin => ("admin", of(&self.world.admin), "{}".to_owned()),
            Who::System => ("system", String::new(), "{}".to_owned()),
            Who::Eraser => ("eraser", String::new(), "{}".to_owned()),
        };
        format!(
            "select set_config('bespoken.actor_kind', '{kind}', true), set_config('bespoken.user_id', '{user}', true),
                    set_config('bespoken.links', '{links}', true)"
        )
    }

    /// Which rows of a table `which` of [`TABLES`] means for somebody, as a condition.
    fn condition(&self, table: &str, which: &str, who: Who) -> String {
        match which {
            "-" => return "false".to_owned(),
            "all" => return "true".to_owned(),
            "unsent" => return "message_id is null".to_owned(),
            _ => assert_eq!(which, "own"),
        }
        let user = match who {
            Who::Owner => self.owner.user_id().unwrap(),
            Who::Other => self.other.user_id().unwrap(),
            _ => UserId::new(),
        };
        let conversations = match who {
            Who::Guest => format!("select '{}'::uuid", self.room.id),
            _ => format!("select id from conversations where customer_id = '{user}'"),
        };
        match table {
            "users" => format!("id = '{user}'"),
            "custom_requests" => format!("customer_id = '{user}'"),
            "request_changes" | "request_files" => {
                format!("request_id in (select id from custom_requests where customer_id = '{user}')")
            }
            "conversations" => format!("id in ({conversations})"),
            "links" => format!("id = '{}'", self.room.link),
            _ => format!("conversation_id in ({conversations})"),
        }
    }
}

async fn execute(conn: &mut PgConnection, sql: &str) {
    sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).execute(conn).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
}

async fn texts(conn: &mut PgConnection, sql: &str) -> BTreeSet<String> {
    let rows: Vec<String> = sqlx::query_scalar(AssertSqlSafe(sql.to_owned()))
        .fetch_all(conn)
        .await
        .unwrap_or_else(|error| panic!("{sql}: {error}"));
    rows.into_iter().collect()
}

/// How many rows a statement touches, in a transaction that is taken back; none if it is refused.
async fn touched(conn: &mut PgConnection, act: &str, sql: &str) -> u64 {
    execute(conn, &format!("begin; {act}")).await;
    let done = sqlx::query(AssertSqlSafe(sql.to_owned())).execute(&mut *conn).await;
    execute(conn, "rollback").await;
    match done {
        Ok(done) => done.rows_affected(),
        Err(error) => {
            assert!(is_refused(&error), "{sql}: {error}");
            0
        }
    }
}

/// Insufficient privilege: by the policies, or by the grants of the role.
fn is_refused(error: &sqlx::Error) -> bool {
    error.as_database_error().and_then(|error| error.code()).is_some_and(|code| code == "42501")
}

async fn tables(conn: &mut PgConnection) -> BTreeSet<String> {
    texts(
        conn,
        "select relname::text from pg_class where relkind in ('r', 'p') and relnamespace = 'public'::regnamespace",
    )
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_table_exposes_only_own_rows() {
    let Some(scene) = Scene::set().await else { return };
    let (mut superuser, mut application) = (scene.database.superuser().await, scene.database.application().await);
    // They would prevent the deletion of referenced rows, regardless of the policies.
    execute(
        &mut superuser,
        "do $$
         declare this record;
         begin
             for this in select conrelid::regclass as place, conname from pg_constraint
                         where contype = 'f' and connamespace = 'public'::regnamespace
             loop
                 execute format('alter table %s drop constraint %I', this.place, this.conname);
             end loop;
         end
         $$",
    )
    .await;
    let mut covered: BTreeSet<String> = EXEMPT.map(str::to_owned).into();
    for line in TABLES.trim().lines().skip(1) {
        let mut parts = line.split('|').map(str::trim);
        let table = parts.next().unwrap();
        covered.insert(table.to_owned());
        let [seen, changed, deleted] = std::array::from_fn(|_| {
            let cells: Vec<_> = parts.next().unwrap().split_whitespace().collect();
            <[&str; 7]>::try_from(cells).unwrap_or_else(|cells| panic!("seven cells, not {cells:?}: {line}"))
        });
        let total = texts(&mut superuser, &format!("select row::text from {table} as row")).await.len();
        assert!(total > 0, "{table} is empty, and nothing could be seen of it");
        // Which does not matter, but an update by a policy of its own column's value changes nothing.
        let column: String = sqlx::query_scalar(
            "select column_name::text from information_schema.columns
             where table_name = $1 and table_schema = 'public' order by ordinal_position limit 1",
        )
        .bind(table)
        .fetch_one(&mut superuser)
        .await
        .unwrap();
        for (n, who) in PEOPLE.into_iter().enumerate() {
            let act = scene.act(who);
            let expected =
                format!("select row::text from {table} as row where {}", scene.condition(table, seen[n], who));
            let expected = texts(&mut superuser, &expected).await;
            execute(&mut application, &format!("begin; {act}")).await;
            let shown = texts(&mut application, &format!("select row::text from {table} as row")).await;
            execute(&mut application, "rollback").await;
            assert_eq!(shown, expected, "{who:?} sees of {table}");
            if seen[n] == "own" {
                assert!((1..total).contains(&shown.len()), "{who:?} has some of {table}, and others have others");
            }
            for (does, sql, which) in [
                ("changes", format!("update {table} set {column} = {column}"), changed[n]),
                ("deletes", format!("delete from {table}"), deleted[n]),
            ] {
                let count = format!("select count(*) from {table} where {}", scene.condition(table, which, who));
                let expected: i64 = sqlx::query_scalar(AssertSqlSafe(count)).fetch_one(&mut superuser).await.unwrap();
                let touched = touched(&mut application, &act, &sql).await;
                assert_eq!(i64::try_from(touched).unwrap(), expected, "{who:?} {does} of {table}");
            }
        }
    }
    assert_eq!(covered, tables(&mut superuser).await, "every table has a line");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_for_others_are_rejected() {
    let Some(scene) = Scene::set().await else { return };
    let mut application = scene.database.application().await;
    let (id, theirs) = (UserId::new(), scene.owners_conversation);
    let (owner, other) = (scene.owner.user_id().unwrap(), scene.other.user_id().unwrap());
    let message = format!(
        "insert into messages (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, created_at, content)
         values ('{id}', '{theirs}', 98, 99, 'customer', '{owner}', 'Owner', now(), 'hello')"
    );
    let request = |customer| {
        format!(
            "insert into custom_requests (id, customer_id, title, description, status, folded, created_at, updated_at)
             values ('{id}', '{customer}', '', '', 'new', '', now(), now())"
        )
    };
    let conversation = |kind, request| {
        format!(
            "insert into conversations (id, kind, request_id, status, customer_name, customer_id,
                 customer_participant_id, metadata, head, last_seq, customer_folded, created_at, updated_at)
             values ('{id}', '{kind}', {request}, 'open', '', '{owner}', '{owner}', '{{}}', 1, 0, '', now(), now())"
        )
    };
    let statements = [
        message.clone(),
        format!("insert into participants values ('{theirs}', '{id}', 'customer', 'Other', null)"),
        format!("insert into receipts values ('{theirs}', '{id}', 1, now())"),
        format!("insert into attachments values ('{id}', '{theirs}', null, '{other}', 'a', 'a/b', 1, now())"),
        format!("insert into links values ('{id}', '{theirs}', 'hash', now(), null, null)"),
        format!("insert into users values ('{id}', 'a@b', 'A', 'admin', '', now())"),
        format!("insert into login_sessions values ('{id}', 'hash', '{owner}', now(), now(), now())"),
        format!("insert into email_confirmations values ('hash', '{owner}', 'a@b', now(), now())"),
        format!("insert into api_tokens values ('{id}', 'hash', '{owner}', now())"),
        request(owner),
        conversation("session", "null"),
        conversation("request", "gen_random_uuid()"),
        format!("insert into request_changes select id, 99, 'done', '{id}', 'A', now() from custom_requests limit 1"),
        format!("insert into notices values (99, 'user', '{owner}', null, now())"),
        format!("insert into discarded_files values ('{id}')"),
        "update meta set needs_level = 1".to_owned(),
        "update meta set epoch = gen_random_uuid()".to_owned(),
        "insert into meta values (1, gen_random_uuid(), null)".to_owned(),
    ];
    for who in [Who::Nobody, Who::Guest, Who::Other] {
        for sql in &statements {
            assert_eq!(touched(&mut application, &scene.act(who), sql).await, 0, "{who:?}: {sql}");
        }
    }
    // The same by those who may: so it was refused for who they are.
    assert_eq!(touched(&mut application, &scene.act(Who::Owner), &message).await, 1);
    assert_eq!(touched(&mut application, &scene.act(Who::Owner), &request(owner)).await, 1);
    assert_eq!(touched(&mut application, &scene.act(Who::Owner), &conversation("session", "null")).await, 0);
    assert_eq!(touched(&mut application, &scene.act(Who::Admin), &message).await, 1);
    for sql in [
        // Out of one's own, and into what is another's.
        format!("update messages set conversation_id = '{theirs}', seq = seq + 50, rev = rev + 50"),
        format!("update custom_requests set customer_id = '{owner}'"),
        format!("update conversations set customer_id = '{owner}'"),
    ] {
        assert_eq!(touched(&mut application, &scene.act(Who::Other), &sql).await, 0, "{sql}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_counts_while_it_lives() {
    let Some(scene) = Scene::set().await else { return };
    let (mut superuser, mut application) = (scene.database.superuser().await, scene.database.application().await);
    let mut seen = async || {
        execute(&mut application, &format!("begin; {}", scene.act(Who::Guest))).await;
        let seen = texts(&mut application, "select content from messages").await.len();
        execute(&mut application, "commit").await;
        seen
    };
    assert_eq!(seen().await, 1);
    execute(&mut superuser, "update links set expires_at = now() - interval '1 ms'").await;
    assert_eq!(seen().await, 0);
    execute(&mut superuser, "update links set expires_at = now() + interval '1 hour'").await;
    assert_eq!(seen().await, 1);
    execute(&mut superuser, "update links set revoked_at = now()").await;
    assert_eq!(seen().await, 0);
}

/// A reader of messages with profiles sees those of their own conversations, and addresses only if they may see the
/// account.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn messages_with_profiles_obey_the_policies() {
    let Some(scene) = Scene::set().await else { return };
    let mut application = scene.database.application().await;
    let mut read = async |who, room: ConversationId, before: Option<i64>, most: i32| {
        execute(&mut application, &format!("begin; {}", scene.act(who))).await;
        let rows: Vec<(String, String, String, Option<String>)> = sqlx::query_as(
            "select content, sender_kind, sender_name, sender_email from messages_with_profiles($1, $2, $3)",
        )
        .bind(room.0)
        .bind(before)
        .bind(most)
        .fetch_all(&mut application)
        .await
        .unwrap();
        execute(&mut application, "rollback").await;
        rows.into_iter()
            .map(|(text, kind, name, email)| [text, kind, name, email.unwrap_or_default()])
            .collect::<Vec<_>>()
    };
    let room = scene.owners_conversation;
    let answer = |email: &str| ["answer", "admin", "Ada", email].map(str::to_owned);
    let hello = |email: &str| ["hello", "customer", "Owner", email].map(str::to_owned);
    let all = read(Who::Admin, room, None, 2).await;
    assert_eq!(all, [answer("ada@example.com"), hello("owner@example.com")]);
    assert_eq!(read(Who::Owner, room, None, 2).await, [answer(""), hello("owner@example.com")]);
    assert_eq!(read(Who::Owner, room, Some(3), 1).await, [hello("owner@example.com")]);
    assert_eq!(read(Who::Guest, scene.room.id, None, 9).await, [["hello", "guest", "Cleo", ""].map(str::to_owned)]);
    for who in [Who::Nobody, Who::Guest, Who::Other, Who::System] {
        assert!(read(who, room, None, 9).await.is_empty(), "{who:?}");
    }
}

/// The index of words answers only admins.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_search_in_all_messages_is_for_admins() {
    let Some(scene) = Scene::set().await else { return };
    let mut application = scene.database.application().await;
    for who in PEOPLE {
        execute(&mut application, &format!("begin; {}", scene.act(who))).await;
        let found = texts(&mut application, "select found_messages('hello', null, 9)::text").await.len();
        execute(&mut application, "rollback").await;
        assert_eq!(found, if matches!(who, Who::Admin) { 4 } else { 0 }, "{who:?}");
    }
}

/// The tables of which not every row goes by a policy.
async fn unprotected(conn: &mut PgConnection) -> BTreeSet<String> {
    texts(
        conn,
        "select relname::text from pg_class
         where relkind in ('r', 'p', 'm', 'f') and relnamespace = 'public'::regnamespace
           and not (relrowsecurity and relforcerowsecurity
                    and exists (select from pg_policies
                                where schemaname = 'public' and tablename = relname
                                  and roles = '{bespoken_app}' and permissive = 'PERMISSIVE'))",
    )
    .await
}

#[tokio::test]
async fn every_table_has_policies() {
    let Some(database) = TestDatabase::create().await else { return };
    let mut superuser = database.superuser().await;
    let exempt = EXEMPT.map(str::to_owned).into();
    assert_eq!(unprotected(&mut superuser).await, exempt);
    execute(&mut superuser, "create table forgotten (id uuid); alter table forgotten enable row level security").await;
    assert_eq!(unprotected(&mut superuser).await.len(), exempt.len() + 1, "a new one is noticed");
}

/// The test lists every function that bypasses the policies.
#[tokio::test]
async fn nothing_else_goes_round_the_policies() {
    let Some(database) = TestDatabase::create().await else { return };
    let mut superuser = database.superuser().await;
    let functions = "select proname::text from pg_proc
                     where pronamespace = 'public'::regnamespace and prosecdef";
    assert_eq!(texts(&mut superuser, functions).await, BTreeSet::from(["found_messages".to_owned()]));
    let views = "select relname::text from pg_class
                 where relkind = 'v' and relnamespace = 'public'::regnamespace
                   and not coalesce('security_invoker=true' = any (reloptions), false)";
    assert!(texts(&mut superuser, views).await.is_empty());
    let others = "select policyname || ' on ' || tablename from pg_policies where roles <> '{bespoken_app}'";
    assert_eq!(texts(&mut superuser, others).await, BTreeSet::from(["search on messages".to_owned()]));
    let roles = "select rolname::text from pg_roles
                 where rolname in ('bespoken_app', 'bespoken_search')
                   and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin)";
    assert!(texts(&mut superuser, roles).await.is_empty());
    let owned = "select relname::text from pg_class
                 where relowner in ('bespoken_app'::regrole, 'bespoken_search'::regrole)";
    assert!(texts(&mut superuser, owned).await.is_empty());
    let members = "select count(*)::text from pg_auth_members
                   where member in ('bespoken_app'::regrole, 'bespoken_search'::regrole)";
    assert_eq!(texts(&mut superuser, members).await, BTreeSet::from(["0".to_owned()]));
}

/// A pool of one connection of the application, so that the next caller gets the same one.
async fn pool_of_one(database: &TestDatabase) -> PgPool {
    PgPoolOptions::new()
        .max_connections(1)
        .after_connect(|conn, _| {
            Box::pin(
                async move { sqlx::raw_sql("set session authorization bespoken_app").execute(conn).await.map(drop) },
            )
        })
        .connect_with(database.superuser_options())
        .await
        .unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_end_of_a_transaction_resets_the_actor() {
    let Some(scene) = Scene::set().await else { return };
    let pool = pool_of_one(&scene.database).await;
    let backend = async || -> (i32, i64) {
        sqlx::query_as("select pg_backend_pid(), (select count(*) from messages)").fetch_one(&pool).await.unwrap()
    };
    let (pid, none) = backend().await;
    assert_eq!(none, 0);
    for end in ["commit", "rollback", "drop", "error", "cancel", "timeout"] {
        let mut tx = pool.begin().await.unwrap();
        sqlx::raw_sql(AssertSqlSafe(scene.act(Who::Admin))).execute(&mut *tx).await.unwrap();
        let seen: i64 = sqlx::query_scalar("select count(*) from messages").fetch_one(&mut *tx).await.unwrap();
        assert!(seen > 0);
        match end {
            "commit" => tx.commit().await.unwrap(),
            "rollback" => tx.rollback().await.unwrap(),
            "error" => {
                assert!(sqlx::query("select 1 / 0").execute(&mut *tx).await.is_err());
                drop(tx);
            }
            "cancel" => {
                let waiting = sqlx::query("select pg_sleep(0.2), content from messages").fetch_all(&mut *tx);
                assert!(waiting.now_or_never().is_none(), "it was sent, and not answered yet");
                drop(tx);
            }
            "timeout" => {
                sqlx::query("set local statement_timeout = 20").execute(&mut *tx).await.unwrap();
                let error = sqlx::query("select pg_sleep(60)").execute(&mut *tx).await.unwrap_err();
                assert_eq!(error.as_database_error().and_then(|error| error.code()).unwrap(), "57014");
                drop(tx);
            }
            _ => drop(tx),
        }
        assert_eq!(backend().await, (pid, 0), "after {end}, on the same connection");
    }
}
