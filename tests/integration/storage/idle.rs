use bespoken::{
    domain::{ConversationStatus, MessageEvent},
    storage::Idle,
};

use super::world::*;

async fn listed(world: &World, idle: Idle) -> Vec<ConversationId> {
    world.store.list_idle(&world.admin, idle, 10).await.unwrap().into_iter().map(|(id, _)| id).collect()
}

pub async fn a_silent_chat_is_warned_and_then_closed(world: World) {
    let room = world.room("Cleo").await;
    let later = in_an_hour();
    world.post(&room.guest, room.id, "Is it ready?").await;
    let answer = world.post(&world.admin, room.id, "It is.").await;
    assert_eq!(listed(&world, Idle::Silent(answer.created_at)).await, [], "not long enough");
    let idle = world.store.list_idle(&world.admin, Idle::Silent(later), 10).await.unwrap();
    assert_eq!(idle, [(room.id, world.admin.user_id().unwrap())]);
    assert_eq!(listed(&world, Idle::Warned(later)).await, []);
    assert!(!world.store.end_idle(&world.admin, room.id, Idle::Warned(later)).await.unwrap(), "without a warning");

    assert!(world.store.end_idle(&world.admin, room.id, Idle::Silent(later)).await.unwrap());
    let warning = world.messages(&room.guest, room.id).await.pop().unwrap();
    assert_eq!((warning.event, warning.seq), (Some(MessageEvent::ClosesSoon), 3));
    assert!(!world.store.end_idle(&world.admin, room.id, Idle::Silent(later)).await.unwrap(), "warned once");
    assert_eq!(listed(&world, Idle::Silent(later)).await, []);
    assert_eq!(listed(&world, Idle::Warned(later)).await, [room.id]);

    let mut commits = world.store.commits().unwrap();
    assert!(world.store.end_idle(&world.admin, room.id, Idle::Warned(later)).await.unwrap());
    let closed = world.seat(&room.guest, room.id).await.conversation;
    assert_eq!((closed.status, closed.closed_by, closed.head), (ConversationStatus::Closed, None, 5));
    assert!(closed.closed_at.is_some());
    let published: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert!(matches!(published[..], [Commit { rev: 5, change: Change::Conversation, .. }]), "{published:?}");
    assert!(!world.store.end_idle(&world.admin, room.id, Idle::Warned(later)).await.unwrap(), "closed once");

    world.store.reopen(&room.guest, room.id).await.unwrap();
    assert_eq!(world.seat(&room.guest, room.id).await.conversation.status, ConversationStatus::Open);
}

pub async fn chats_in_which_somebody_waits_stay_open(world: World) {
    let later = in_an_hour();
    // Nobody has written.
    world.room("Ada").await;
    // The customer waits.
    let asked = world.room("Ben").await;
    world.post(&world.admin, asked.id, "Hello").await;
    world.post(&asked.guest, asked.id, "Is it ready?").await;
    // A request decides about its chat.
    let cleo = world.customer("Cleo").await;
    let request = world.request(&cleo, "Table").await;
    let about = world.open(&cleo, request.id).await;
    world.post(&world.admin, about, "It will take a while.").await;
    // Closed already.
    let closed = world.room("Dora").await;
    world.post(&world.admin, closed.id, "Goodbye").await;
    world.store.set_status(&world.admin, closed.id, ConversationStatus::Closed).await.unwrap();
    assert_eq!(listed(&world, Idle::Silent(later)).await, []);
    for id in [asked.id, about, closed.id] {
        assert!(!world.store.end_idle(&world.admin, id, Idle::Silent(later)).await.unwrap());
    }

    // Somebody writes after the warning.
    let room = world.room("Eve").await;
    world.post(&world.admin, room.id, "It is ready.").await;
    assert!(world.store.end_idle(&world.admin, room.id, Idle::Silent(later)).await.unwrap());
    world.post(&room.guest, room.id, "Wait!").await;
    assert!(!world.store.end_idle(&world.admin, room.id, Idle::Warned(later)).await.unwrap());
    assert_eq!(listed(&world, Idle::Warned(later)).await, []);

    for outsider in [&room.guest, &cleo] {
        let listed = world.store.list_idle(outsider, Idle::Silent(later), 10).await;
        assert!(matches!(listed, Err(StoreError::Forbidden)), "{listed:?}");
    }
    let ended = world.store.end_idle(&room.guest, room.id, Idle::Silent(later)).await;
    assert!(matches!(ended, Err(StoreError::Forbidden)), "{ended:?}");
}
