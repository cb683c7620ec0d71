//! The number of rows that PostgreSQL reads for each call, in a database with many of everything. It must depend on the
//! result, not on the size of the tables. It counts what the program's own statements read, as the role that they run
//! as, so the policies of row-level security are in it.
//!
//! What SQLite would do is asked of SQLite itself, beside its statements.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use bespoken::storage::postgres::PostgresStore;
use sqlx::{AssertSqlSafe, PgConnection};

use super::{postgres::PostgresDatabase, world::*};
use crate::support::TestDatabase;

/// Rows and entries of indexes that a call may read of one table, and several times fewer than there are. Lists
/// are counted up to 1,000 for each status.
const MOST: i64 = 2_300;

/// Many of everything, besides what a test makes itself. Ids that end in the same digits belong together.
const FILL: &str = "
    insert into users (id, email, name, role, password_hash, created_at, folded)
    select lpad(n::text, 32, '0')::uuid, 'customer-' || n || '@example.com', 'Customer ' || n, 'customer', 'x', now(), ''
    from generate_series(1, 5000) as n;

    insert into custom_requests (id, customer_id, title, description, status, folded, created_at, updated_at)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 'Table', 'Of oak',
           case when n > 2500 then 'new' else 'done' end, 'table', now(), now() - n * interval '1 minute'
    from generate_series(1, 5000) as n;

    insert into conversations
        (id, kind, request_id, status, customer_name, customer_email, customer_id, customer_participant_id, metadata,
         head, last_seq, last_message, customer_folded, created_at, updated_at, closed_at)
    select lpad(n::text, 32, '0')::uuid, 'request', lpad(n::text, 32, '0')::uuid,
           case when n > 2500 then 'open' else 'closed' end, 'Customer ' || n, 'customer-' || n || '@example.com',
           lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 'null', 7, 6, 'every word', 'customer',
           now(), now() - n * interval '1 minute', case when n > 2500 then null else now() end
    from generate_series(1, 5000) as n;

    insert into links (id, conversation_id, secret_hash, created_at)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, decode(md5(n::text), 'hex'), now()
    from generate_series(1, 5000) as n;

    insert into login_sessions (id, secret_hash, user_id, created_at, last_seen_at, expires_at)
    select lpad(n::text, 32, '0')::uuid, decode(md5(n::text), 'hex'), lpad(n::text, 32, '0')::uuid, now(), now(),
           now() + interval '1 day'
    from generate_series(1, 5000) as n;

    insert into session_links (session_id, link_id)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid from generate_series(1, 5000) as n;

    insert into messages
        (id, conversation_id, seq, rev, sender_type, sender_id, sender_name, created_at, content, words)
    select lpad((seq * 10000 + n)::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, seq, seq + 1, 'customer',
           lpad(n::text, 32, '0')::uuid, 'Customer', now(), 'every ' || n,
           array_to_tsvector(array['every', 'word' || n % 1000])
    from generate_series(1, 5000) as n, generate_series(1, 6) as seq;

    insert into participants (conversation_id, participant_id, kind, name)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 'customer', 'Customer'
    from generate_series(1, 5000) as n;

    insert into receipts (conversation_id, participant_id, seq, read_at)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, 6, now() from generate_series(1, 5000) as n;

    insert into attachments
        (id, conversation_id, message_id, uploader_id, name, media_type, size_bytes, created_at)
    select lpad(n::text, 32, '0')::uuid, lpad(n::text, 32, '0')::uuid, lpad((10000 + n)::text, 32, '0')::uuid,
           lpad(n::text, 32, '0')::uuid, 'plan.pdf', 'application/pdf', 3, now()
    from generate_series(1, 5000) as n;

    insert into notices (number, kind, subject_id, noted_at)
    select n, 'link', lpad(n::text, 32, '0')::uuid, now() from generate_series(1, 5000) as n;
    update meta set last_notice = 5000;

    analyze;

    -- Tables as small as these are better read as a whole. What is asked here is whether there is another way.
    do $$
    declare
        setting text;
    begin
        foreach setting in array array['enable_seqscan', 'enable_hashjoin', 'enable_mergejoin'] loop
            execute format('alter database %I set %s = off', current_database(), setting);
        end loop;
    end
    $$";

/// The rows read from each table since its creation.
type Reads = BTreeMap<String, i64>;

struct Watched {
    database: TestDatabase,
    url: String,
    superuser: PgConnection,
    before: Reads,
}

impl Watched {
    async fn new(database: TestDatabase) -> Self {
        let (url, superuser) = (database.url().await, database.superuser().await);
        let mut watched = Self { database, url, superuser, before: Reads::new() };
        watched.before = watched.reads().await;
        watched
    }

    async fn store(&self) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(&self.url).await.unwrap())
    }

    /// Waits until every other connection has ended: PostgreSQL then reports the rows of each.
    async fn reads(&mut self) -> Reads {
        let alone = async {
            loop {
                let others: i64 = sqlx::query_scalar(
                    "select count(*) from pg_stat_activity
                     where datname = current_database() and pid <> pg_backend_pid()
                       and backend_type = 'client backend'",
                )
                .fetch_one(&mut self.superuser)
                .await
                .unwrap();
                if others == 0 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(30), alone).await.expect("connections end");
        let rows: Vec<(String, i64)> = sqlx::query_as(
            "select relname::text,
                    (coalesce(seq_tup_read, 0)
                     + (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes as indexes
                        where indexes.relid = tables.relid))::bigint
             from pg_stat_user_tables as tables",
        )
        .fetch_all(&mut self.superuser)
        .await
        .unwrap();
        rows.into_iter().collect()
    }

    /// Of every table from which more than [`MOST`] was read since this was asked last, how much.
    async fn read_much(&mut self) -> Vec<(String, i64)> {
        let now = self.reads().await;
        let read = now.iter().map(|(table, read)| (table.clone(), read - self.before.get(table).copied().unwrap_or(0)));
        let much = read.filter(|(_, read)| *read > MOST).collect();
        self.before = now;
        much
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_call_reads_as_much_as_there_is() {
    let Some(made) = PostgresDatabase::open().await else { return };
    let database = made.database();
    let world = with_an_admin(made).await;
    let (admin, other_admin) = (world.admin.clone(), world.user("Second", Role::Admin).await);
    let ada = admin.user_id().unwrap();
    let room = world.room("Cleo").await;
    let (owner, request) = {
        let owner = world.customer("Owner").await;
        let request = world.request(&owner, "Table").await;
        (owner, request.id)
    };
    let own = world.open(&owner, request).await;
    let guest = room.guest.clone();
    let message = world.post(&guest, room.id, "every rare").await;
    let gone = world.post(&guest, room.id, "gone").await;
    let file = world.file(&guest, room.id, "plan.pdf").await;
    let (secret, sign_in, token, reset, invite) = (hash(), hash(), hash(), hash(), hash());
    let session = new_session(secret, Some(ada), &[room.link], in_an_hour());
    let session = world.store.create_session(session).await.unwrap();
    world.store.create_sign_in_link(sign_in, ada, in_an_hour()).await.unwrap();
    world.store.create_token(TokenId::new(), token, ada, None).await.unwrap();
    world.store.create_password_reset(reset, ada, in_an_hour()).await.unwrap();
    world.store.create_invite(InviteId::new(), invite, ada, in_an_hour()).await.unwrap();
    let (confirmation, claim) = (hash(), hash());
    let new_email = Email::parse("email", "new@example.com").unwrap();
    world.store.create_confirmation(confirmation, ada, new_email.clone(), in_an_hour()).await.unwrap();
    world.store.create_confirmation(claim, other_admin.id, other_admin.email.clone(), in_an_hour()).await.unwrap();
    let link_hash = room.link_hash;
    world.store.close().await;
    drop(world);

    sqlx::raw_sql(AssertSqlSafe(FILL)).execute(&mut database.superuser().await).await.unwrap();
    let mut watched = Watched::new(database).await;
    let mut much = BTreeMap::new();

    macro_rules! call {
        ($($name:ident ( $($argument:expr),* $(,)? ))+) => {$({
            let store = watched.store().await;
            store.$name($($argument),*).await.unwrap();
            store.close().await;
            drop(store);
            let read = watched.read_much().await;
            if !read.is_empty() {
                much.insert(stringify!($name ( $($argument),* )), read);
            }
        })+};
    }

    let open = |search: Option<&str>| ConversationFilter {
        status: Some(ConversationStatus::Open),
        search: search.map(str::to_owned),
        ..Default::default()
    };
    let requests = |order| RequestFilter { status: None, search: None, order };
    let long_ago = Timestamp(now().0 - 365 * 86_400_000);
    let owner_email = owner.user().unwrap().email.clone();
    call! {
        find_user_by_email(&owner_email)
        find_user(ada)
        find_password_reset(reset)
        find_invite(invite)
        find_session(secret, Timestamp(0))
        list_sessions(ada, Timestamp(0))
        grant_link(session, room.link)
        find_sign_in_link(sign_in)
        find_token(token)
        find_link(link_hash)
        last_notice()
        list_notices(4_990, 100)

        find_conversation(&admin, room.id)
        find_conversation(&guest, room.id)
        find_conversations(&admin, &[room.id, own])
        find_conversations(&owner, &[room.id, own])
        list_conversations(&admin, &ConversationFilter::default(), None, 50)
        list_conversations(&admin, &open(None), None, 50)
        list_conversations(&admin, &open(Some("customer")), None, 50)
        list_conversations(&owner, &open(None), None, 50)
        list_conversations(&guest, &open(Some("customer")), None, 50)
        count_conversations(&admin)
        count_conversations(&owner)
        count_conversations(&guest)
        heads(&[room.id, own])
        list_active(Timestamp(now().0 - 600_000), 100)
        audiences(&[room.id, own])
        count_unread(&admin, &[room.id, own], &[other_admin.id])
        count_all_unread(&admin)
        join(&guest, room.id)
        load_room(&guest, room.id, None, 50)
        load_room(&admin, room.id, Some(0), 50)
        list_before(&admin, room.id, None, 50)
        list_before(&guest, room.id, None, 50)
        list_after(&owner, own, 0, 50)
        read_up_to(&guest, room.id, 1)
        left(room.id, ParticipantId::stored(room.id.0), now())

        find_request(&admin, request)
        find_request(&owner, request)
        list_requests(&owner, &requests(RequestOrder::Activity), None, 50)
        list_requests(&owner, &requests(RequestOrder::Newest), None, 50)
        list_requests(&owner, &requests(RequestOrder::Wanted), None, 50)
        list_requests(&owner, &requests(RequestOrder::Title), None, 50)
        count_requests(&admin)
        count_requests(&owner)
        list_request_changes(&owner, request)
        set_request_status(&admin, request, RequestStatus::InProgress)
        open_request_conversation(&owner, request)

        search_messages(&admin, "every", None, 50)
        search_messages(&admin, "rare", None, 50)
        search_messages(&admin, "every rare", None, 50)
        search_messages(&admin, "every", Some(message.id), 50)
        search_messages(&admin, "nothing", None, 50)
        search_messages(&guest, "every", None, 50)
        search_messages(&owner, "every", None, 50)

        find_attachment(&guest, file.id)
        post_message(&guest, Draft { attachments: vec![file.id], ..draft(room.id, "with a file") })
        add_attachment(&guest, room.id, new_file("another"), Quota::NONE)
        file_bytes(&guest, room.id, long_ago)
        discard_unsent_attachments(long_ago)
        post_message(&admin, draft(room.id, "hello"))
        edit_message(&guest, None, message.id, content("every rare word"))
        delete_message(&guest, None, gone.id)
        assign(&admin, room.id, Some(ada))
        set_status(&admin, room.id, ConversationStatus::Closed)
        set_status(&admin, room.id, ConversationStatus::Open)
        replace_link(&admin, room.id, new_link())
        adopt_links(owner.user_id().unwrap(), &[room.link])
        open_conversation(&admin, new_conversation("Dora"))
        create_session(new_session(hash(), Some(ada), &[], in_an_hour()))
        rename_user(other_admin.id, other_admin.name.clone())
        create_confirmation(hash(), other_admin.id, new_email.clone(), in_an_hour())
        find_confirmation(confirmation)
        confirm_email(confirmation, ada)
        claim_account(claim, "x".to_owned())
        set_password(other_admin.id, "x".to_owned(), None)
        end_session(session)

        list_conversations_of(&owner_email)
        erase_customer(&owner_email, 50)
    }
    assert!(much.is_empty(), "{much:#?}");
    drop(watched.database);
}
