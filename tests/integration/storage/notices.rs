//! Notices for every process.

use super::world::*;

/// The notices since `heard`, which this advances.
async fn noted(world: &World, heard: &mut i64) -> Vec<Notice> {
    let notices = world.store.list_notices(*heard, 100).await.unwrap();
    assert!(notices.is_sorted_by_key(|(number, _)| *number));
    if let Some((last, _)) = notices.last() {
        *heard = *last;
    }
    assert_eq!(world.store.last_notice().await.unwrap(), *heard);
    notices.into_iter().map(|(_, notice)| notice).collect()
}

pub async fn revocations_add_notices(world: World) {
    let mut heard = world.store.last_notice().await.unwrap();
    let room = world.room("Cleo").await;
    let ben = world.user("Ben", Role::Customer).await;
    let session = async || {
        world.store.create_session(new_session(hash(), Some(ben.id), &[room.link], in_an_hour())).await.unwrap()
    };
    let (first, second, third, fourth) = (session().await, session().await, session().await, session().await);
    let token = TokenId::new();
    world.store.create_token(token, hash(), world.admin.user_id().unwrap(), None).await.unwrap();
    assert_eq!(noted(&world, &mut heard).await, []);

    world.store.end_session(first).await.unwrap();
    assert!(world.store.end_session_of(ben.id, second).await.unwrap());
    assert_eq!(noted(&world, &mut heard).await, [Notice::Session(first), Notice::Session(second)]);
    assert_eq!(world.store.set_password(ben.id, "new".into(), Some(third)).await.unwrap(), [fourth]);
    assert_eq!(noted(&world, &mut heard).await, [Notice::Session(fourth)]);
    assert!(world.store.revoke_token(token).await.unwrap());
    assert_eq!(noted(&world, &mut heard).await, [Notice::Token(token)]);
    let next = new_link();
    world.store.replace_link(&world.admin, room.id, next).await.unwrap();
    world.store.revoke_links(&world.admin, room.id).await.unwrap();
    assert_eq!(noted(&world, &mut heard).await, [Notice::Link(room.link), Notice::Link(next.id)]);
    world.store.rename_user(ben.id, Name::parse("name", "Benedict").unwrap()).await.unwrap();
    world.store.set_role(world.admin.user_id().unwrap(), ben.id, Role::Admin).await.unwrap();
    assert_eq!(noted(&world, &mut heard).await, [Notice::User(ben.id); 2]);

    let all = world.store.list_notices(0, 100).await.unwrap();
    assert_eq!(world.store.list_notices(0, 2).await.unwrap(), all[..2]);
}

pub async fn other_changes_add_no_notices(world: World) {
    let heard = world.store.last_notice().await.unwrap();
    let room = world.room("Cleo").await;
    let ben = world.user("Ben", Role::Customer).await;
    world.store.end_session(SessionId::new()).await.unwrap();
    assert!(!world.store.end_session_of(ben.id, SessionId::new()).await.unwrap());
    assert!(!world.store.revoke_token(TokenId::new()).await.unwrap());
    world.post(&room.guest, room.id, "hello").await;
    assert_err!(world.store.revoke_links(&room.guest, room.id).await, StoreError::Forbidden);
    assert_err!(world.store.set_role(ben.id, ben.id, Role::Admin).await, StoreError::Forbidden);
    assert_eq!(world.store.last_notice().await.unwrap(), heard);
}
