use futures_util::future::BoxFuture;

use super::world::*;

/// Everything that can be done to one conversation, with a name for failures.
type Deed = (&'static str, Who, fn(&dyn Store, Actor, ConversationId, MessageId) -> BoxFuture<'_, Result>);
type Result = std::result::Result<(), StoreError>;

#[derive(Clone, Copy, PartialEq)]
enum Who {
    All,
    Admins,
}

macro_rules! deeds {
    ($($who:ident: $name:ident($($argument:expr),*) as |$room:ident, $message:ident|),+ $(,)?) => {
        [$((stringify!($name), Who::$who, |store, actor, $room, $message| {
            Box::pin(async move {
                let _ = ($room, $message);
                store.$name(&actor, $($argument),*).await.map(drop)
            })
        })),+]
    };
}

fn deeds() -> [Deed; 14] {
    deeds![
        All: find_conversation(room) as |room, message|,
        All: join(room) as |room, message|,
        All: list_before(room, None, 10) as |room, message|,
        All: list_after(room, 0, 10) as |room, message|,
        All: load_room(room, None, 10) as |room, message|,
        All: read_up_to(room, 1) as |room, message|,
        All: post_message(draft(room, "hello")) as |room, message|,
        All: edit_message(Some(room), message, content("edited")) as |room, message|,
        All: delete_message(None, message) as |room, message|,
        Admins: replace_link(room, new_link()) as |room, message|,
        Admins: set_status(room, ConversationStatus::Closed) as |room, message|,
        Admins: set_status(room, ConversationStatus::Open) as |room, message|,
        Admins: assign(room, None) as |room, message|,
        Admins: revoke_links(room) as |room, message|,
    ]
}

pub async fn outsiders_find_nothing(world: World) {
    let owner = world.user("Owner", Role::Customer).await;
    let other = world.user("Other", Role::Customer).await;
    let room = world.room("Owner").await;
    world.backend.set_owner(room.id, owner.id).await;
    let expired = NewLink { expires_at: Some(just_over()), ..new_link() };
    world.store.replace_link(&world.admin, room.id, expired).await.unwrap();
    let message = world.post(&Actor::Customer(owner, vec![]), room.id, "hello").await;
    let elsewhere = world.room("Other").await;

    let dead_links = [room.link, expired.id];
    let outsiders = [
        Actor::Guest(vec![]),
        Actor::Guest(vec![elsewhere.link]),
        Actor::Guest(vec![LinkId::new()]),
        Actor::Guest(vec![room.link]),
        Actor::Guest(vec![expired.id]),
        Actor::Customer(other.clone(), vec![]),
        Actor::Customer(other.clone(), vec![elsewhere.link]),
        Actor::Customer(other, dead_links.to_vec()),
    ];
    let before = world.seat(&world.admin, room.id).await.conversation;
    for actor in outsiders {
        for (name, _, deed) in deeds() {
            let result = deed(&*world.store, actor.clone(), room.id, message.id).await;
            assert!(matches!(result, Err(StoreError::NotFound)), "{name} by {actor:?}: {result:?}");
        }
        let listed = world.store.list_conversations(&actor, &ConversationFilter::default(), None, 10).await.unwrap();
        assert!(listed.iter().all(|seat| seat.conversation.id != room.id), "{actor:?}");
        let counts = world.store.count_conversations(&actor).await.unwrap();
        assert_eq!(counts.open + counts.closed, i64::try_from(listed.len()).unwrap(), "{actor:?}");
    }
    assert_eq!(world.seat(&world.admin, room.id).await.conversation, before);
}

pub async fn insiders_have_their_permissions(world: World) {
    let owner = world.user("Owner", Role::Customer).await;
    let visitor = world.user("Visitor", Role::Customer).await;
    let elsewhere = world.room("Other").await;
    for make in [
        (|_, _, admin| admin) as fn(User, LinkId, Actor) -> Actor,
        |owner, _, _| Actor::Customer(owner, vec![]),
        |_, link, _| Actor::Guest(vec![link]),
    ] {
        let room = world.room("Owner").await;
        world.backend.set_owner(room.id, owner.id).await;
        let actor = make(owner.clone(), room.link, world.admin.clone());
        check_insider(&world, &room, actor).await;
    }
    // A person with another account, who has several links, including this one.
    let room = world.room("Owner").await;
    world.backend.set_owner(room.id, owner.id).await;
    check_insider(&world, &room, Actor::Customer(visitor, vec![elsewhere.link, room.link])).await;
}

async fn check_insider(world: &World, room: &Room, actor: Actor) {
    let message = world.post(&actor, room.id, "hello").await;
    for (name, who, deed) in deeds() {
        let result = deed(&*world.store, actor.clone(), room.id, message.id).await;
        if who == Who::Admins && !actor.is_admin() {
            assert!(matches!(result, Err(StoreError::Forbidden)), "{name} by {actor:?}: {result:?}");
        } else {
            assert!(result.is_ok(), "{name} by {actor:?}: {result:?}");
        }
    }
    let listed = world.store.list_conversations(&actor, &ConversationFilter::default(), None, 10).await.unwrap();
    assert!(listed.iter().any(|seat| seat.conversation.id == room.id), "{actor:?}");
}

pub async fn each_sees_their_own_fields(world: World) {
    let new = NewConversation { metadata: serde_json::json!({"order": [1, "é"]}), ..new_conversation("Cleo") };
    let (id, link) = (new.id, new.link.id);
    world.store.open_conversation(&world.admin, new).await.unwrap();
    let guest = Actor::Guest(vec![link]);
    let ada = world.admin.user().unwrap();

    let listed = |actor| {
        let store = world.store.clone();
        async move { store.list_conversations(&actor, &ConversationFilter::default(), None, 1).await.unwrap().remove(0) }
    };
    for seat in [world.seat(&world.admin, id).await, listed(world.admin.clone()).await] {
        assert_eq!(seat.conversation.metadata, serde_json::json!({"order": [1, "é"]}));
        assert_eq!(seat.link, Some(link));
        assert_eq!((seat.me.id, seat.me.kind), (ada.id.into(), ParticipantKind::Admin));
        assert_eq!(seat.me.name, "Ada");
    }
    for seat in [world.seat(&guest, id).await, listed(guest.clone()).await] {
        assert_eq!(seat.conversation.metadata, serde_json::Value::Null);
        assert_eq!(seat.link, None);
        assert_eq!((seat.me.id, seat.me.kind), (ParticipantId::stored(id.0), ParticipantKind::Guest));
        assert_eq!(seat.me.name, "Cleo");
    }

    let owner = world.user("Owner", Role::Customer).await;
    world.backend.set_owner(id, owner.id).await;
    let visitor = Actor::Customer(world.user("Visitor", Role::Customer).await, vec![link]);
    for actor in [Actor::Customer(owner, vec![]), guest, visitor] {
        let seat = world.seat(&actor, id).await;
        assert_eq!((seat.me.id, seat.me.kind), (ParticipantId::stored(id.0), ParticipantKind::Customer), "{actor:?}");
        assert_eq!(seat.me.name, "Cleo");
    }
}

pub async fn a_new_link_shuts_out_the_old(world: World) {
    let room = world.room("Cleo").await;
    world.post(&room.guest, room.id, "hello").await;
    let new = new_link();
    assert_eq!(world.store.replace_link(&world.admin, room.id, new).await.unwrap(), vec![room.link]);
    assert_err!(world.store.post_message(&room.guest, draft(room.id, "again")).await, StoreError::NotFound);
    world.post(&Actor::Guest(vec![room.link, new.id]), room.id, "again").await;

    assert_eq!(world.store.revoke_links(&world.admin, room.id).await.unwrap(), vec![new.id]);
    assert_err!(world.store.find_conversation(&Actor::Guest(vec![new.id]), room.id).await, StoreError::NotFound);
}

pub async fn missing_data_is_not_found(world: World) {
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "hello").await;
    for (name, _, deed) in deeds() {
        let result = deed(&*world.store, world.admin.clone(), ConversationId::new(), message.id).await;
        if name != "delete_message" {
            assert!(matches!(result, Err(StoreError::NotFound)), "{name}: {result:?}");
        }
    }
    let unknown = MessageId::new();
    assert_err!(world.store.edit_message(&world.admin, None, unknown, content("x")).await, StoreError::NotFound);
    assert_err!(world.store.delete_message(&world.admin, Some(room.id), unknown).await, StoreError::NotFound);
}
