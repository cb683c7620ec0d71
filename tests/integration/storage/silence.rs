//! PostgreSQL behind a network that swallows what is sent: everything ends in its time, and nothing is lost or doubled.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use bespoken::storage::postgres::{Patience, PostgresStore};
use futures_util::future::join_all;

use super::world::*;
use crate::support::{Silence, TestDatabase, in_time};

/// Short, so that the tests are; long enough for a statement on a busy machine.
const PATIENCE: Patience = Patience {
    connect: Duration::from_millis(1_500),
    begin: Duration::from_millis(1_000),
    answer: Duration::from_millis(2_000),
};

struct Line {
    store: Arc<dyn Store>,
    silence: Arc<Silence>,
    /// Goes away with it.
    _database: TestDatabase,
}

impl Line {
    /// `None` if there is no server to test with.
    async fn open(pool: u32) -> Option<Self> {
        let database = TestDatabase::create().await?;
        let (silence, url) = database.behind_silence().await;
        let store = Arc::new(PostgresStore::with(&url, pool, PATIENCE).await.unwrap());
        Some(Self { store, silence, _database: database })
    }

    async fn admin(&self) -> Actor {
        Actor::Admin(self.store.create_user(new_user("ada@example.org", "Ada", Role::Admin)).await.unwrap())
    }

    async fn rooms(&self, admin: &Actor, count: usize) -> Vec<ConversationId> {
        let mut rooms = Vec::new();
        for n in 0..count {
            let new = new_conversation(&format!("Customer {n}"));
            rooms.push(self.store.open_conversation(admin, new).await.unwrap().conversation.id);
        }
        rooms
    }

    /// Sends it until it is stored; how often that took.
    async fn send(&self, admin: &Actor, draft: &Draft) -> Posted {
        in_time("a message is stored", async {
            loop {
                match self.store.post_message(admin, draft.clone()).await {
                    Ok(posted) => return posted,
                    Err(StoreError::Database(_)) => tokio::task::yield_now().await,
                    Err(error) => panic!("{error}"),
                }
            }
        })
        .await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn reads_and_sends_fail_in_time_while_the_database_is_silent_and_work_when_it_is_not() {
    let Some(line) = Line::open(3).await else { return };
    let admin = line.admin().await;
    // Enough for every lane.
    let rooms = line.rooms(&admin, 16).await;
    for also_new in [true, false] {
        let drafts: Vec<_> = rooms.iter().map(|room| draft(*room, "hello")).collect();
        line.silence.fall(also_new);
        if also_new {
            let sends = join_all(drafts.iter().map(|draft| line.store.post_message(&admin, draft.clone())));
            let reads = join_all(rooms.iter().map(|room| line.store.list_before(&admin, *room, None, 10)));
            let (sends, reads, ping) =
                in_time("all fail", async { tokio::join!(sends, reads, line.store.ping()) }).await;
            assert!(sends.iter().all(|sent| matches!(sent, Err(StoreError::Database(_)))), "{sends:?}");
            assert!(reads.iter().all(|read| matches!(read, Err(StoreError::Database(_)))), "{reads:?}");
            assert!(ping.is_err());
            line.silence.end();
        }
        let stored = join_all(drafts.iter().map(|draft| line.send(&admin, draft))).await;
        assert!(stored.iter().all(|posted| posted.fresh), "what failed before it was committed was not stored");
    }
    for room in rooms {
        let page = in_time("a page", line.store.list_before(&admin, room, None, 10)).await.unwrap();
        assert_eq!(page.messages.iter().map(|message| message.seq).collect::<Vec<_>>(), [1, 2]);
    }
    in_time("the store closes", line.store.close()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_whose_answer_is_swallowed_is_not_acknowledged_and_not_done_twice() {
    let Some(line) = Line::open(3).await else { return };
    let admin = line.admin().await;
    let room = line.rooms(&admin, 1).await[0];
    for seq in 1..4 {
        let draft = draft(room, "hello");
        line.silence.swallow_next_answer();
        let unknown = in_time("it fails", line.store.post_message(&admin, draft.clone())).await;
        assert!(matches!(unknown, Err(StoreError::Database(_))), "{unknown:?}");
        let again = line.send(&admin, &draft).await;
        assert_eq!((again.fresh, again.message.seq), (false, seq), "it was stored the first time");
        let other = Draft { content: content("something else"), ..draft };
        assert_err!(line.store.post_message(&admin, other).await, StoreError::Conflict);
    }
    let page = line.store.list_before(&admin, room, None, 10).await.unwrap();
    assert_eq!((page.messages.len(), page.head), (3, 4));
}

/// Otherwise each of them would make somebody wait once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_silent_connection_of_the_pool_is_enough_to_mistrust_all_that_were_idle() {
    let Some(line) = Line::open(6).await else { return };
    let admin = line.admin().await;
    let room = line.rooms(&admin, 1).await[0];
    // Held open together, so that there are six.
    let mut held = Vec::new();
    let busy = (0..60).map(|_| line.store.list_before(&admin, room, None, 10));
    held.extend(join_all(busy).await);
    assert!(held.iter().all(Result::is_ok));
    line.silence.fall(false);
    for _ in 0..12 {
        in_time("a read", line.store.list_before(&admin, room, None, 10)).await.unwrap();
    }
    assert!(line.silence.swallowed.load(Ordering::SeqCst) <= 1, "one at most was asked in vain");
}

/// PostgreSQL releases the locks of a lost connection before the waiting callers time out.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_swallowed_holds_up_its_conversation_for_seconds_only() {
    let Some(line) = Line::open(3).await else { return };
    let admin = line.admin().await;
    let room = line.rooms(&admin, 1).await[0];
    let draft = draft(room, "hello");
    line.silence.swallow_next_commit();
    let unknown = in_time("it fails", line.store.post_message(&admin, draft.clone())).await;
    assert!(matches!(unknown, Err(StoreError::Database(_))), "{unknown:?}");
    let again = line.send(&admin, &draft).await;
    assert_eq!((again.fresh, again.message.seq), (true, 1), "it was not stored the first time");
}
