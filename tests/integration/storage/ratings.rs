use bespoken::domain::{ConversationStatus, Rating};

use super::world::*;

async fn set(world: &World, room: ConversationId, status: ConversationStatus) {
    world.store.set_status(&world.admin, room, status).await.unwrap();
}

async fn head(world: &World, room: ConversationId) -> i64 {
    world.seat(&world.admin, room).await.conversation.head
}

pub async fn the_customer_side_rates_a_closed_conversation(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Ben").await);
    let early = world.store.rate(&room.guest, room.id, 5, None).await;
    assert!(matches!(early, Err(StoreError::NotClosed)), "{early:?}");
    set(&world, room.id, ConversationStatus::Closed).await;
    let own = world.store.rate(&world.admin, room.id, 5, None).await;
    assert!(matches!(own, Err(StoreError::Forbidden)), "{own:?}");
    let foreign = world.store.rate(&other.guest, room.id, 5, None).await;
    assert!(matches!(foreign, Err(StoreError::NotFound)), "{foreign:?}");
    assert_eq!(world.seat(&world.admin, room.id).await.rating, None);

    let closed = head(&world, room.id).await;
    let mut commits = world.store.commits().unwrap();
    let first = world.store.rate(&room.guest, room.id, 2, None).await.unwrap();
    assert_eq!((first.score, &first.comment), (2, &None));
    assert_eq!(world.store.rate(&room.guest, room.id, 2, None).await.unwrap(), first);
    assert_eq!(head(&world, room.id).await, closed + 1, "the same again changes nothing");
    let better = world.store.rate(&room.guest, room.id, 4, Some("Quick".into())).await.unwrap();
    assert_eq!(better, Rating { score: 4, comment: Some("Quick".into()), ..first });
    for actor in [&world.admin, &room.guest] {
        assert_eq!(world.seat(actor, room.id).await.rating, Some(better.clone()));
    }
    assert_eq!(head(&world, room.id).await, closed + 2);
    let published: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert!(published.iter().map(|commit| commit.rev).eq(closed + 1..=closed + 2));
    assert!(published.iter().all(|commit| matches!(commit.change, Change::Conversation)));
}

pub async fn a_conversation_that_is_closed_again_is_rated_again(world: World) {
    let room = world.room("Cleo").await;
    set(&world, room.id, ConversationStatus::Closed).await;
    let first = world.store.rate(&room.guest, room.id, 1, Some("Slow".into())).await.unwrap();
    set(&world, room.id, ConversationStatus::Open).await;
    let open = world.store.rate(&room.guest, room.id, 5, None).await;
    assert!(matches!(open, Err(StoreError::NotClosed)), "{open:?}");
    assert_eq!(world.seat(&world.admin, room.id).await.rating, Some(first.clone()));
    // Times are exact to the millisecond.
    tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    set(&world, room.id, ConversationStatus::Closed).await;
    let second = world.store.rate(&room.guest, room.id, 1, Some("Slow".into())).await.unwrap();
    assert!(second.rated_at > first.rated_at, "{second:?}");
}

pub async fn an_account_s_address_is_for_that_account(world: World) {
    let cleo = world.customer("Cleo").await;
    let request = world.request(&cleo, "Table").await;
    let room = world.open(&cleo, request.id).await;
    let address = cleo.user().unwrap().email.as_str();
    for actor in [&cleo, &world.admin] {
        let found = world.store.find_mail_address(actor, room).await.unwrap();
        assert_eq!(found.unwrap().as_str(), address);
    }
    let ben = world.customer("Ben").await;
    assert!(matches!(world.store.find_mail_address(&ben, room).await, Err(StoreError::NotFound)));

    let link = new_link();
    world.store.replace_link(&world.admin, room, link).await.unwrap();
    let guest = Actor::Guest(vec![link.id]);
    assert_eq!(world.store.find_mail_address(&guest, room).await.unwrap(), None, "who only has the link");

    let open = NewConversation { customer_email: Some(cleo.user().unwrap().email.clone()), ..new_conversation("Ada") };
    let (id, link) = (open.id, open.link.id);
    world.store.open_conversation(&world.admin, open).await.unwrap();
    let found = world.store.find_mail_address(&Actor::Guest(vec![link]), id).await.unwrap();
    assert_eq!(found.unwrap().as_str(), address, "an admin gave it");
}
