use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use futures_util::FutureExt;
use futures_util::future::join_all;

use super::world::*;

/// 200 changes by three people in four conversations, all at once.
async fn much_at_once(world: &World) -> Vec<Room> {
    let mut rooms = Vec::new();
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    for name in ["One", "Two", "Three", "Four"] {
        let room = world.room(name).await;
        for n in 0..5 {
            world.post(&room.guest, room.id, &format!("first {n}")).await;
            world.post(&grace, room.id, &format!("answer {n}")).await;
        }
        rooms.push(room);
    }
    let tasks: Vec<_> = (0..200)
        .map(|n| {
            let (store, room) = (Arc::clone(&world.store), &rooms[n % 4]);
            let (id, guest, grace, ada) = (room.id, room.guest.clone(), grace.clone(), world.admin.clone());
            tokio::spawn(async move {
                let result = match n / 4 % 10 {
                    0..=3 => store.post_message(&guest, draft(id, &format!("guest {n}"))).await.map(drop),
                    4 | 5 => store.post_message(&grace, draft(id, &format!("grace {n}"))).await.map(drop),
                    6 => {
                        let page = store.list_before(&guest, id, None, 50).await.unwrap();
                        let mine = page.messages.iter().find(|m| m.sender_type == SenderType::Customer).unwrap();
                        store.edit_message(&guest, Some(id), mine.id, content(&format!("edit {n}"))).await.map(drop)
                    }
                    7 => {
                        let page = store.list_before(&grace, id, None, 50).await.unwrap();
                        let any = &page.messages[n % page.messages.len()];
                        store.delete_message(&grace, Some(id), any.id).await.map(drop)
                    }
                    8 => store.set_status(&ada, id, ConversationStatus::Closed).await.map(drop),
                    _ => store.set_status(&ada, id, ConversationStatus::Open).await.map(drop),
                };
                // Storage refuses only writes to a closed conversation, and changes of a deleted message.
                assert!(matches!(result, Ok(()) | Err(StoreError::Closed | StoreError::NotFound)), "{n}: {result:?}");
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    rooms
}

pub async fn many_writers_leave_no_holes(world: World) {
    let mut commits = world.store.commits().unwrap();
    let rooms = much_at_once(&world).await;

    let mut told: HashMap<ConversationId, Vec<Commit>> = HashMap::new();
    while let Ok(batch) = commits.try_recv() {
        for commit in batch {
            told.entry(commit.conversation_id).or_default().push(commit);
        }
    }
    for room in &rooms {
        let conversation = world.seat(&world.admin, room.id).await.conversation;
        let commits = &told[&room.id];
        let revs: Vec<_> = commits.iter().map(|commit| commit.rev).collect();
        assert_eq!(revs, (1..=conversation.head).collect::<Vec<_>>(), "every rev is told once, in order");

        let messages = world.messages(&world.admin, room.id).await;
        let seqs: Vec<_> = messages.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, (1..=conversation.last_seq).collect::<Vec<_>>());

        let mut replayed = BTreeMap::new();
        for commit in commits {
            match &commit.change {
                Change::Posted(message) => {
                    assert!(replayed.insert(message.seq, message.clone()).is_none());
                }
                Change::Edited(message) | Change::Deleted(message) => {
                    assert!(replayed.insert(message.seq, message.clone()).is_some());
                }
                Change::Conversation => continue,
            }
            let (Change::Posted(message) | Change::Edited(message) | Change::Deleted(message)) = &commit.change else {
                continue;
            };
            assert_eq!(message.rev, commit.rev);
        }
        assert_eq!(replayed.into_values().collect::<Vec<_>>(), messages, "what was told is what is stored");
    }
}

pub async fn every_rev_leads_to_the_same_state(world: World) {
    let mut commits = world.store.commits().unwrap();
    let room = &much_at_once(&world).await[0];
    let head = world.seat(&world.admin, room.id).await.conversation.head;
    let loaded = world.messages(&world.admin, room.id).await;

    // The state at each rev, as a client that saw every commit had it.
    let mut state: BTreeMap<i64, Message> = BTreeMap::new();
    let mut told = std::iter::from_fn(|| commits.try_recv().ok()).flatten().filter(|c| c.conversation_id == room.id);
    for rev in 0..=head {
        if rev > 0 {
            match told.next().unwrap().change {
                Change::Posted(message) | Change::Edited(message) | Change::Deleted(message) => {
                    state.insert(message.seq, message);
                }
                Change::Conversation => {}
            }
        }
        let (mut resumed, mut after) = (state.clone(), rev);
        loop {
            let page = world.store.list_after(&room.guest, room.id, after, 7).await.unwrap();
            assert!(page.messages.is_sorted_by_key(|message| message.rev) && page.head == head);
            after = page.messages.last().map_or(after, |message| message.rev);
            resumed.extend(page.messages.into_iter().map(|message| (message.seq, message)));
            if !page.more {
                break;
            }
        }
        assert_eq!(resumed.into_values().collect::<Vec<_>>(), loaded, "from rev {rev}");
    }
}

pub async fn writes_are_done_in_the_order_they_were_asked_for(world: World) {
    let room = world.room("Cleo").await;
    let posts = (0..100).map(|n| world.store.post_message(&room.guest, draft(room.id, &n.to_string())));
    for (n, posted) in (0..).zip(join_all(posts).await) {
        let message = posted.unwrap().message;
        assert_eq!((message.seq, message.content), (n + 1, n.to_string()));
    }
}

pub async fn a_write_outlives_its_caller(world: World) {
    let room = world.room("Cleo").await;
    let abandoned = world.store.post_message(&room.guest, draft(room.id, "abandoned")).now_or_never();
    assert!(abandoned.is_none(), "a write takes longer than one poll");
    // The queue is in order: once this is written, so is the other.
    let message = world.post(&room.guest, room.id, "next").await;
    assert_eq!(message.seq, 2);
    assert_eq!(world.messages(&room.guest, room.id).await[0].content, "abandoned");
}

pub async fn one_failure_does_not_hurt_the_neighbours(world: World) {
    let (room, closed) = (world.room("Cleo").await, world.room("Closed").await);
    world.store.set_status(&world.admin, closed.id, ConversationStatus::Closed).await.unwrap();
    let mut commits = world.store.commits().unwrap();
    let taken = new_conversation("Taken");
    world.store.open_conversation(&world.admin, taken.clone()).await.unwrap();

    // All are queued before the first is awaited, so most share transactions. The last kind fails
    // half-way: it has written the conversation when it finds that the link's id is taken.
    let outcomes = join_all((0..60).map(|n| {
        let (world, room, closed, taken) = (&world, &room, &closed, &taken);
        async move {
            match n % 3 {
                0 => world.store.post_message(&room.guest, draft(room.id, &n.to_string())).await.map(drop),
                1 => world.store.post_message(&closed.guest, draft(closed.id, "no")).await.map(drop),
                _ => {
                    let new = NewConversation { link: taken.link, ..new_conversation("Half") };
                    world.store.open_conversation(&world.admin, new).await.map(drop)
                }
            }
        }
    }))
    .await;
    for (n, outcome) in outcomes.into_iter().enumerate() {
        match n % 3 {
            0 => outcome.unwrap(),
            1 => assert_err!(outcome, StoreError::Closed),
            _ => assert_err!(outcome, StoreError::Database(_)),
        }
    }
    let messages = world.messages(&world.admin, room.id).await;
    assert!(messages.iter().zip((0..60).step_by(3)).all(|(message, n)| message.content == n.to_string()));
    assert_eq!(messages.len(), 20);
    assert!(world.messages(&world.admin, closed.id).await.is_empty());
    assert_eq!(world.store.count_conversations(&world.admin).await.unwrap(), StatusCounts { open: 2, closed: 1 });

    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert_eq!(told.len(), 21, "what failed is not told");
    assert!(told[1..].iter().all(|commit| commit.conversation_id == room.id));
}

pub async fn commits_are_published_from_the_registration_on(world: World) {
    let room = world.room("Cleo").await;
    world.post(&room.guest, room.id, "before").await;
    let mut commits = world.store.commits().unwrap();
    assert!(world.store.commits().is_none(), "they can be taken once");
    world.post(&room.guest, room.id, "after").await;
    // Published before the sender's answer.
    let told = commits.try_recv().unwrap();
    assert_eq!(told.iter().map(|commit| commit.rev).collect::<Vec<_>>(), [3]);
    drop(commits);
    world.post(&room.guest, room.id, "nobody listens").await;
}

pub async fn closing_finishes_queued_writes(world: World) {
    let room = world.room("Cleo").await;
    world.store.ping().await.unwrap();
    let epoch = world.store.epoch().await.unwrap();
    assert_eq!(world.store.epoch().await.unwrap(), epoch);

    let posts = join_all((0..50).map(|n| world.store.post_message(&room.guest, draft(room.id, &n.to_string()))));
    let (posted, (), ()) = tokio::join!(posts, world.store.close(), world.store.close());
    assert!(posted.into_iter().all(|posted| posted.is_ok()));

    assert_err!(world.store.ping().await, StoreError::Database(_));
    assert_err!(world.store.post_message(&room.guest, draft(room.id, "late")).await, StoreError::Database(_));
    assert_err!(world.store.find_conversation(&room.guest, room.id).await, StoreError::Database(_));
}

pub async fn messages_that_are_stored_together_are_each_in_their_place(world: World) {
    let stranger = world.room("Stranger").await;
    let mut rooms = Vec::new();
    for n in 0..90 {
        rooms.push(world.room(&format!("Customer {n}")).await);
    }
    // All are queued before the first is awaited. Of each room: one, the same once more, an admin's; then those that
    // nobody may send, and what only one room has.
    let drafts: Vec<_> = rooms.iter().map(|room| draft(room.id, &format!("first of {}", room.id))).collect();
    let once = rooms.iter().zip(&drafts).map(|(room, draft)| (&room.guest, draft.clone()));
    let again = once.clone();
    let admins = rooms.iter().map(|room| (&world.admin, draft(room.id, &format!("second of {}", room.id))));
    let refused = rooms.iter().map(|room| (&stranger.guest, draft(room.id, "refused")));
    let last = (0..5).map(|n| (&rooms[0].guest, draft(rooms[0].id, &format!("{n}"))));
    let all = once.chain(again).chain(admins).chain(refused).chain(last);
    let outcomes = join_all(all.map(|(actor, draft)| world.store.post_message(actor, draft))).await;

    let (kinds, last) = outcomes.split_at(4 * rooms.len());
    let [once, again, admins, refused] = std::array::from_fn(|kind| &kinds[kind * rooms.len()..][..rooms.len()]);
    for (n, room) in rooms.iter().enumerate() {
        let [first, same, second] = [once, again, admins].map(|kind| kind[n].as_ref().unwrap());
        assert!(first.fresh && !same.fresh && second.fresh);
        assert_eq!((first.message.seq, &first.message), (1, &same.message));
        assert_eq!((second.message.seq, second.message.rev), (2, first.message.rev + 1));
        assert!(matches!(refused[n], Err(StoreError::NotFound)));
        let loaded = world.messages(&room.guest, room.id).await;
        assert_eq!(loaded[..2], [first.message.clone(), second.message.clone()]);
        // Search found that message, and no neighbour.
        let query = format!("first {}", room.id);
        let found = world.store.search_messages(&world.admin, &query, None, 10).await.unwrap();
        assert_eq!(found.as_slice(), std::slice::from_ref(&first.message));

        let seat = world.seat(&world.admin, room.id).await;
        let latest = loaded.last().unwrap();
        assert_eq!(seat.conversation.head, latest.rev);
        assert_eq!(seat.conversation.last_message.as_deref(), Some(&*latest.content));
    }
    for (n, outcome) in (0..).zip(last) {
        let message = &outcome.as_ref().unwrap().message;
        assert_eq!((message.seq, &message.content), (n + 3, &n.to_string()));
    }
}
