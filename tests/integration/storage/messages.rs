use std::sync::Arc;

use super::world::*;

pub async fn posting_takes_the_next_seq_and_rev(world: World) {
    let room = world.room("Cleo").await;
    let mut commits = world.store.commits().unwrap();
    let client_id = ClientId::new();
    let draft = Draft { client_id: Some(client_id), ..draft(room.id, "Hello\nÉ 😀") };
    let Posted { message, fresh } = world.store.post_message(&room.guest, draft).await.unwrap();
    assert!(fresh);
    assert_eq!((message.conversation_id, message.seq, message.rev), (room.id, 1, 2));
    assert_eq!((message.sender_type, message.sender_id), (SenderType::Customer, ParticipantId::stored(room.id.0)));
    assert_eq!((&*message.sender_name, &*message.content), ("Cleo", "Hello\nÉ 😀"));
    assert_eq!((message.client_id, message.edited_at, message.deleted_at), (Some(client_id), None, None));

    let unnamed = Draft { client_id: None, ..super::world::draft(room.id, "Yes?") };
    let answer = world.store.post_message(&world.admin, unnamed.clone()).await.unwrap().message;
    let ada = world.admin.user().unwrap();
    assert_eq!((answer.seq, answer.rev, answer.client_id), (2, 3, None));
    assert_eq!((answer.sender_type, answer.sender_id, &*answer.sender_name), (SenderType::Admin, ada.id.into(), "Ada"));
    let again = world.store.post_message(&world.admin, unnamed).await.unwrap();
    assert!(again.fresh, "without a client id each send is a message");

    let stored = world.messages(&world.admin, room.id).await;
    assert_eq!(stored, [message.clone(), answer, again.message]);

    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert_eq!(told.iter().map(|commit| commit.rev).collect::<Vec<_>>(), [2, 3, 4]);
    assert!(matches!(&told[0].change, Change::Posted(posted) if *posted == message));

    let seat = world.seat(&room.guest, room.id).await;
    assert_eq!((seat.conversation.head, seat.conversation.last_seq, seat.conversation.unread), (4, 3, 2));
}

pub async fn one_client_id_makes_one_message(world: World) {
    let room = world.room("Cleo").await;
    let draft = draft(room.id, "hello");
    let sends: Vec<_> = (0..20)
        .map(|_| {
            let (store, guest, draft) = (Arc::clone(&world.store), room.guest.clone(), draft.clone());
            tokio::spawn(async move { store.post_message(&guest, draft).await.unwrap() })
        })
        .collect();
    let mut fresh = 0;
    let mut messages = Vec::new();
    for send in sends {
        let posted = send.await.unwrap();
        fresh += i32::from(posted.fresh);
        messages.push(posted.message);
    }
    assert_eq!(fresh, 1);
    messages.dedup();
    assert_eq!(messages, world.messages(&world.admin, room.id).await);
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, 2);
}

pub async fn a_client_id_belongs_to_its_sender_and_conversation(world: World) {
    let (one, two) = (world.room("One").await, world.room("Two").await);
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    let client_id = Some(ClientId::new());
    for room in [&one, &two] {
        for actor in [&room.guest, &world.admin, &grace] {
            let draft = Draft { client_id, ..draft(room.id, "hello") };
            assert!(world.store.post_message(actor, draft.clone()).await.unwrap().fresh);
            assert!(!world.store.post_message(actor, draft).await.unwrap().fresh);
        }
        assert_eq!(world.messages(&world.admin, room.id).await.len(), 3);
    }
}

pub async fn a_stored_message_is_returned_after_later_changes(world: World) {
    let room = world.room("Cleo").await;
    let draft = draft(room.id, "hello");
    let message = world.store.post_message(&room.guest, draft.clone()).await.unwrap().message;

    let edited = world.store.edit_message(&room.guest, None, message.id, content("hi")).await.unwrap();
    let again = world.store.post_message(&room.guest, draft.clone()).await.unwrap();
    assert_eq!((again.message, again.fresh), (edited, false));

    let deleted = world.store.delete_message(&room.guest, None, message.id).await.unwrap();
    world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();
    let again = world.store.post_message(&room.guest, draft.clone()).await.unwrap();
    assert_eq!((again.message, again.fresh), (deleted, false));

    world.store.revoke_links(&world.admin, room.id).await.unwrap();
    assert_err!(world.store.post_message(&room.guest, draft).await, StoreError::NotFound);
}

pub async fn other_content_under_a_stored_client_id_is_a_conflict(world: World) {
    let room = world.room("Cleo").await;
    let draft = draft(room.id, "hello");
    let other = Draft { content: content("something else"), ..draft.clone() };
    let message = world.store.post_message(&room.guest, draft.clone()).await.unwrap().message;
    let is_kept_apart = async |stored: &Message| {
        assert_err!(world.store.post_message(&room.guest, other.clone()).await, StoreError::Conflict);
        let again = world.store.post_message(&room.guest, draft.clone()).await.unwrap();
        assert_eq!((&again.message, again.fresh), (stored, false), "an honest repeat");
        assert_eq!(world.messages(&world.admin, room.id).await, std::slice::from_ref(stored), "nothing else is stored");
    };
    is_kept_apart(&message).await;
    let edit = async |text| world.store.edit_message(&room.guest, None, message.id, content(text)).await.unwrap();
    is_kept_apart(&edit("something else").await).await;
    is_kept_apart(&edit("a third").await).await;
    is_kept_apart(&world.store.delete_message(&room.guest, None, message.id).await.unwrap()).await;
    world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();
    assert_err!(world.store.post_message(&room.guest, other.clone()).await, StoreError::Conflict);
}

pub async fn of_two_messages_with_one_client_id_at_once_one_is_stored(world: World) {
    let room = world.room("Cleo").await;
    let client_id = Some(ClientId::new());
    let sends = (0..20).map(|n| {
        let draft = Draft { client_id, ..draft(room.id, &(n % 4).to_string()) };
        let (store, guest) = (Arc::clone(&world.store), room.guest.clone());
        tokio::spawn(async move { (draft.content.clone(), store.post_message(&guest, draft).await) })
    });
    let outcomes = futures_util::future::join_all(sends).await;
    let stored = world.messages(&world.admin, room.id).await;
    assert_eq!(stored.len(), 1);
    for outcome in outcomes {
        match outcome.unwrap() {
            (content, Ok(posted)) => assert_eq!((content.as_str(), &posted.message), (&*stored[0].content, &stored[0])),
            (content, Err(StoreError::Conflict)) => assert_ne!(content.as_str(), stored[0].content),
            (_, Err(error)) => panic!("{error}"),
        }
    }
}

pub async fn editing_is_for_the_author(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    let mut commits = world.store.commits().unwrap();
    let message = world.post(&room.guest, room.id, "hello").await;
    let answer = world.post(&world.admin, room.id, "yes?").await;

    let edit = async |actor: &Actor, id, text| world.store.edit_message(actor, Some(room.id), id, content(text)).await;
    assert_err!(edit(&world.admin, message.id, "hi").await, StoreError::Forbidden);
    assert_err!(edit(&grace, answer.id, "hi").await, StoreError::Forbidden);
    assert_err!(edit(&room.guest, answer.id, "hi").await, StoreError::Forbidden);
    let elsewhere = world.store.edit_message(&room.guest, Some(other.id), message.id, content("hi")).await;
    assert_err!(elsewhere, StoreError::NotFound);

    let edited = edit(&room.guest, message.id, "hi").await.unwrap();
    assert_eq!((edited.rev, edited.seq, &*edited.content), (4, 1, "hi"));
    assert!(edited.edited_at.is_some_and(|at| at >= edited.created_at));
    let unchanged = Message { rev: 2, content: "hello".into(), edited_at: None, ..edited.clone() };
    assert_eq!(unchanged, message, "nothing else changes");
    assert_eq!(edit(&room.guest, message.id, "hi").await.unwrap(), edited, "the same again is no change");
    assert_eq!(world.messages(&world.admin, room.id).await, [edited.clone(), answer]);

    world.store.delete_message(&room.guest, None, message.id).await.unwrap();
    assert_err!(edit(&room.guest, message.id, "hi").await, StoreError::NotFound);
    assert_err!(edit(&world.admin, message.id, "hi").await, StoreError::NotFound);

    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert_eq!(told.iter().map(|commit| commit.rev).collect::<Vec<_>>(), [2, 3, 4, 5]);
    assert!(matches!(&told[2].change, Change::Edited(message) if *message == edited));
    assert!(matches!(&told[3].change, Change::Deleted(message) if message.rev == 5 && message.content.is_empty()));
}

pub async fn deleting_is_for_the_author_and_admins(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    let message = world.post(&room.guest, room.id, "hello").await;
    let answer = world.post(&world.admin, room.id, "yes?").await;
    let second = world.post(&room.guest, room.id, "bye").await;

    assert_err!(world.store.delete_message(&room.guest, None, answer.id).await, StoreError::Forbidden);
    assert_err!(world.store.delete_message(&world.admin, Some(other.id), message.id).await, StoreError::NotFound);

    let gone = world.store.delete_message(&room.guest, Some(room.id), message.id).await.unwrap();
    assert_eq!((gone.rev, gone.seq, &*gone.content), (5, 1, ""));
    assert!(gone.deleted_at.is_some());
    let by_admin = world.store.delete_message(&world.admin, None, second.id).await.unwrap();
    let by_colleague = world.store.delete_message(&grace, None, answer.id).await.unwrap();
    assert_eq!((by_admin.rev, by_colleague.rev), (6, 7));
    for actor in [&room.guest, &world.admin] {
        assert_eq!(world.store.delete_message(actor, None, message.id).await.unwrap(), gone, "again is no change");
    }
    assert_err!(world.store.delete_message(&room.guest, None, answer.id).await, StoreError::Forbidden);
    assert_eq!(world.messages(&room.guest, room.id).await, [gone, by_colleague, by_admin]);
    assert_eq!(world.post(&room.guest, room.id, "next").await.seq, 4, "places stay taken");
}

pub async fn closed_conversations_are_read_only(world: World) {
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "hello").await;
    let gone = world.post(&room.guest, room.id, "oops").await;
    world.store.delete_message(&room.guest, None, gone.id).await.unwrap();
    world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();
    let before = world.messages(&world.admin, room.id).await;

    for actor in [&room.guest, &world.admin] {
        assert_err!(world.store.post_message(actor, draft(room.id, "more")).await, StoreError::Closed);
        assert_err!(world.store.delete_message(actor, None, message.id).await, StoreError::Closed);
    }
    let edit = async |actor, text| world.store.edit_message(actor, None, message.id, content(text)).await;
    assert_err!(edit(&room.guest, "hi").await, StoreError::Closed);
    assert_err!(edit(&world.admin, "hi").await, StoreError::Forbidden);
    assert_eq!(world.messages(&world.admin, room.id).await, before);

    // A repeat of an action from before the closing succeeds.
    assert_eq!(edit(&room.guest, "hello").await.unwrap(), message);
    assert_eq!(world.store.delete_message(&room.guest, None, gone.id).await.unwrap().seq, 2);

    let receipt = world.store.read_up_to(&world.admin, room.id, 2).await.unwrap();
    assert_eq!(receipt.map(|receipt| receipt.seq), Some(2), "reading goes on");
    world.store.join(&room.guest, room.id).await.unwrap();
}

pub async fn the_list_shows_the_latest_message(world: World) {
    let room = world.room("Cleo").await;
    let shown = async || world.seat(&room.guest, room.id).await.conversation.last_message;
    assert_eq!(shown().await, None);
    let first = world.post(&room.guest, room.id, "first").await;
    let second = world.post(&room.guest, room.id, &"long  \n".repeat(100)).await;
    let text = shown().await.unwrap();
    assert_eq!(text, format!("{}…", "long ".repeat(28).trim_end()));

    world.store.edit_message(&room.guest, None, first.id, content("older")).await.unwrap();
    assert_eq!(shown().await, Some(text.clone()));
    world.store.delete_message(&room.guest, None, first.id).await.unwrap();
    assert_eq!(shown().await, Some(text));
    world.store.edit_message(&room.guest, None, second.id, content("newer")).await.unwrap();
    assert_eq!(shown().await.as_deref(), Some("newer"));
    world.store.delete_message(&room.guest, None, second.id).await.unwrap();
    assert_eq!(shown().await, None);
    world.post(&room.guest, room.id, "third").await;
    assert_eq!(shown().await.as_deref(), Some("third"));
}

pub async fn older_pages(world: World) {
    let room = world.room("Cleo").await;
    let page = world.store.list_before(&room.guest, room.id, None, 5).await.unwrap();
    assert_eq!((page.messages.len(), page.head, page.more), (0, 1, false));
    for n in 1..=10 {
        world.post(&room.guest, room.id, &n.to_string()).await;
    }
    for (before, limit, expected, more) in [
        (None, 4, 7..=10, true),
        (Some(7), 4, 3..=6, true),
        (Some(3), 2, 1..=2, false),
        (Some(3), 4, 1..=2, false),
        (None, 10, 1..=10, false),
        (Some(99), 9, 2..=10, true),
        (None, i64::MAX, 1..=10, false),
    ] {
        let page = world.store.list_before(&world.admin, room.id, before, limit).await.unwrap();
        let seqs: Vec<_> = page.messages.iter().map(|message| message.seq).collect();
        assert_eq!((seqs, page.more), (expected.collect(), more), "before {before:?}, at most {limit}");
        assert_eq!(page.head, 11);
    }
    assert!(world.store.list_before(&world.admin, room.id, Some(1), 5).await.unwrap().messages.is_empty());
}

pub async fn newer_pages(world: World) {
    let room = world.room("Cleo").await;
    let mut posted = Vec::new();
    for n in 1..=5 {
        posted.push(world.post(&room.guest, room.id, &n.to_string()).await);
    }
    world.store.edit_message(&room.guest, None, posted[1].id, content("two")).await.unwrap();
    world.store.delete_message(&room.guest, None, posted[0].id).await.unwrap();
    world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();

    // Revs 4 to 6 are messages 3 to 5, rev 7 is message 2, rev 8 is message 1, rev 9 the closing.
    for (after, limit, expected, more) in [
        (0, 10, &[(4, 3), (5, 4), (6, 5), (7, 2), (8, 1)][..], false),
        (4, 2, &[(5, 4), (6, 5)][..], true),
        (6, 2, &[(7, 2), (8, 1)][..], false),
        (8, 2, &[][..], false),
        (9, 2, &[][..], false),
    ] {
        let page = world.store.list_after(&room.guest, room.id, after, limit).await.unwrap();
        let changes: Vec<_> = page.messages.iter().map(|message| (message.rev, message.seq)).collect();
        assert_eq!((&*changes, page.more, page.head), (expected, more, 9), "after {after}, at most {limit}");
    }
}
