use super::world::*;

pub async fn joining_once_is_enough(world: World) {
    let room = world.room("Cleo").await;
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    let people = async || world.people(&room.guest, room.id).await;
    assert_eq!(people().await.len(), 2);
    for _ in 0..3 {
        let seat = world.store.join(&grace, room.id).await.unwrap();
        assert_eq!((seat.me.id, seat.conversation.head), (grace.user_id().unwrap().into(), 1));
        world.store.join(&room.guest, room.id).await.unwrap();
    }
    assert_eq!(people().await.len(), 3);

    let renamed = User { name: Name::parse("name", "Grace H.").unwrap(), ..grace.user().unwrap().clone() };
    world.store.join(&Actor::Admin(renamed), room.id).await.unwrap();
    let names: Vec<_> = people().await.into_iter().map(|person| person.name).collect();
    assert!(names.contains(&"Grace H.".to_owned()) && names.len() == 3, "{names:?}");

    let alan = Actor::Admin(world.user("Alan", Role::Admin).await);
    world.post(&alan, room.id, "hello").await;
    assert_eq!(people().await.len(), 4, "who sends a message takes part");
}

pub async fn leaving_is_noted(world: World) {
    let room = world.room("Cleo").await;
    let guest = ParticipantId::stored(room.id.0);
    let seen = async || world.seat(&room.guest, room.id).await.me.last_seen_at;
    assert_eq!(seen().await, None);
    world.store.left(room.id, guest, Timestamp(2_000)).await.unwrap();
    assert_eq!(seen().await, Some(Timestamp(2_000)));
    world.store.left(room.id, guest, Timestamp(1_000)).await.unwrap();
    assert_eq!(seen().await, Some(Timestamp(2_000)), "told late, it is still the last that counts");
    world.store.join(&room.guest, room.id).await.unwrap();
    world.post(&room.guest, room.id, "hello").await;
    let people = world.people(&world.admin, room.id).await;
    let seen: Vec<_> = people.iter().map(|person| (person.id == guest, person.last_seen_at)).collect();
    assert!(seen.contains(&(true, Some(Timestamp(2_000)))) && seen.contains(&(false, None)), "{seen:?}");
    // Somebody who never was there.
    world.store.left(room.id, ParticipantId::stored(UserId::new().0), Timestamp(1)).await.unwrap();
    assert_eq!(world.people(&world.admin, room.id).await.len(), 2);
}

pub async fn receipts_only_move_forward(world: World) {
    let room = world.room("Cleo").await;
    let read = async |actor: &Actor, seq| {
        let receipt = world.store.read_up_to(actor, room.id, seq).await.unwrap();
        receipt.map(|receipt| (receipt.participant, receipt.seq))
    };
    let (ada, guest) = (world.admin.user_id().unwrap().into(), ParticipantId::stored(room.id.0));
    assert_eq!(read(&world.admin, 5).await, None, "there is nothing to read");
    for n in 1..=4 {
        world.post(&room.guest, room.id, &n.to_string()).await;
    }
    assert_eq!(read(&world.admin, -1).await, None);
    assert_eq!(read(&world.admin, 0).await, None);
    assert_eq!(read(&world.admin, 2).await, Some((ada, 2)));
    assert_eq!(read(&world.admin, 2).await, None);
    assert_eq!(read(&world.admin, 1).await, None);
    assert_eq!(read(&world.admin, i64::MAX).await, Some((ada, 4)), "at most the last message");
    assert_eq!(read(&room.guest, 4).await, None, "who sent it has read it");

    let receipts = world.receipts(&room.guest, room.id).await;
    let mut receipts: Vec<_> = receipts.into_iter().map(|receipt| (receipt.participant, receipt.seq)).collect();
    receipts.sort_unstable();
    let mut expected = [(ada, 4), (guest, 4)];
    expected.sort_unstable();
    assert_eq!(receipts, expected);
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, 5, "reading takes no rev");
}

pub async fn a_guest_with_a_new_account_stays_the_same_person(world: World) {
    let room = world.room("Cleo").await;
    let draft = draft(room.id, "hello");
    let before = world.store.post_message(&room.guest, draft.clone()).await.unwrap().message;
    world.post(&world.admin, room.id, "yes?").await;

    let cleo = world.user("Cleo", Role::Customer).await;
    world.backend.set_owner(room.id, cleo.id).await;
    let cleo = Actor::Customer(cleo, vec![]);
    let seat = world.store.join(&cleo, room.id).await.unwrap();
    assert_eq!((seat.me.id, seat.me.kind), (before.sender_id, ParticipantKind::Customer));
    assert_eq!(seat.conversation.unread, 1);
    let again = world.store.post_message(&cleo, draft).await.unwrap();
    assert_eq!((again.message, again.fresh), (before.clone(), false));
    world.store.edit_message(&cleo, None, before.id, content("hi")).await.unwrap();

    let people = world.people(&cleo, room.id).await;
    let kinds: Vec<_> = people.iter().map(|person| person.kind).collect();
    assert!(kinds.contains(&ParticipantKind::Customer) && kinds.len() == 2, "{kinds:?}");
}

/// Checks `unread` against its definition, over a long arbitrary course of events.
pub async fn unread_counts_later_messages_of_others(world: World) {
    let room = world.room("Cleo").await;
    let actors = [world.admin.clone(), Actor::Admin(world.user("Grace", Role::Admin).await), room.guest.clone()];
    let mut number: u64 = 42;
    let mut random = |bound: usize| {
        number = number.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(number >> 33).unwrap() % bound
    };
    for _ in 0..150 {
        let actor = &actors[random(3)];
        let messages = world.messages(&world.admin, room.id).await;
        match random(5) {
            0 | 1 => drop(world.post(actor, room.id, "text").await),
            2 if !messages.is_empty() => {
                let message = &messages[random(messages.len())];
                let _ = world.store.delete_message(actor, None, message.id).await;
            }
            3 if !messages.is_empty() => {
                let message = &messages[random(messages.len())];
                let _ = world.store.edit_message(actor, None, message.id, content(&random(1000).to_string())).await;
            }
            _ => {
                let seq = i64::try_from(random(messages.len() + 2)).unwrap();
                let _ = world.store.read_up_to(actor, room.id, seq).await.unwrap();
            }
        }
        let messages = world.messages(&world.admin, room.id).await;
        let receipts = world.receipts(&world.admin, room.id).await;
        for actor in &actors {
            let seat = world.seat(actor, room.id).await;
            let read =
                receipts.iter().find(|receipt| receipt.participant == seat.me.id).map_or(0, |receipt| receipt.seq);
            let unread = messages.iter().filter(|message| {
                message.seq > read && message.sender_id != seat.me.id && message.deleted_at.is_none()
            });
            assert_eq!(seat.conversation.unread, i64::try_from(unread.count()).unwrap());
        }
        let admins: Vec<UserId> = actors.iter().filter_map(Actor::user_id).collect();
        let mut counted = world.store.count_unread(&world.admin, &[room.id], &admins).await.unwrap();
        counted.sort_by_key(|(_, user, _)| admins.iter().position(|admin| admin == user));
        for (counted, actor) in counted.into_iter().zip(&actors[..2]) {
            let seen = world.seat(actor, room.id).await.conversation.unread;
            assert_eq!(counted, (room.id, actor.user_id().unwrap(), seen), "told the same everywhere");
            assert_eq!(world.store.count_all_unread(actor).await.unwrap(), seen.min(MOST_UNREAD));
        }
    }
    assert_eq!(admins_unread(&world, &[ConversationId::new()]).await.unwrap(), []);
    assert_eq!(admins_unread(&world, &[room.id, world.room("Ada").await.id]).await.unwrap().len(), 2);
    assert_err!(world.store.count_unread(&room.guest, &[room.id], &[]).await, StoreError::Forbidden);
}

pub async fn all_unread_is_that_of_open_conversations(world: World) {
    let (first, second) = (world.room("Cleo").await, world.room("Ada").await);
    for (room, count) in [(&first, 2), (&second, 3)] {
        for n in 0..count {
            world.post(&room.guest, room.id, &n.to_string()).await;
        }
    }
    let count = async || world.store.count_all_unread(&world.admin).await.unwrap();
    assert_eq!(count().await, 5);
    world.store.set_status(&world.admin, first.id, ConversationStatus::Closed).await.unwrap();
    assert_eq!(count().await, 3, "what is closed waits for nobody");
    world.store.read_up_to(&world.admin, second.id, 2).await.unwrap();
    assert_eq!(count().await, 1);
    for n in 0..MOST_UNREAD {
        world.post(&second.guest, second.id, &n.to_string()).await;
    }
    assert_eq!(count().await, MOST_UNREAD, "so many or more");
    assert_err!(world.store.count_all_unread(&first.guest).await, StoreError::Forbidden);
}

async fn admins_unread(
    world: &World,
    ids: &[ConversationId],
) -> Result<Vec<(ConversationId, UserId, i64)>, StoreError> {
    world.store.count_unread(&world.admin, ids, &[world.admin.user_id().unwrap()]).await
}
