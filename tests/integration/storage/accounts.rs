use super::world::*;

pub async fn users_are_found_by_email(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let email = Email::parse("email", "ben@EXAMPLE.com").unwrap();
    assert_eq!(world.store.find_user_by_email(&email).await.unwrap(), Some((ben, "$argon2id$of Ben".to_owned())));

    let unknown = Email::parse("email", "nobody@example.com").unwrap();
    assert_eq!(world.store.find_user_by_email(&unknown).await.unwrap(), None);
}

pub async fn an_email_is_taken_once(world: World) {
    let attempts = (0..8).map(|n| {
        let store = world.store.clone();
        tokio::spawn(async move {
            store.create_user(new_user("ben@example.com", &format!("Ben {n}"), Role::Customer)).await
        })
    });
    let mut made = Vec::new();
    for attempt in attempts.collect::<Vec<_>>() {
        match attempt.await.unwrap() {
            Ok(user) => made.push(user),
            Err(error) => assert!(matches!(error, StoreError::EmailTaken), "{error:?}"),
        }
    }
    assert_eq!(made.len(), 1);
    let email = Email::parse("email", "ben@example.com").unwrap();
    assert_eq!(world.store.find_user_by_email(&email).await.unwrap().unwrap().0, made[0]);
}

pub async fn a_setup_secret_replaces_the_one_before(world: World) {
    let (first, second) = (hash(), hash());
    assert!(!world.store.is_setup_secret(first).await.unwrap());
    world.store.put_setup_secret(first).await.unwrap();
    assert!(world.store.is_setup_secret(first).await.unwrap());
    world.store.put_setup_secret(second).await.unwrap();
    assert!(!world.store.is_setup_secret(first).await.unwrap());
    assert!(world.store.is_setup_secret(second).await.unwrap());
}

pub async fn sessions_are_found_until_they_end(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let (secret, expires_at) = (hash(), in_an_hour());
    let id = world.store.create_session(new_session(secret, Some(ben.id), &[], expires_at)).await.unwrap();

    let session = find_session(&*world.store, secret).await.unwrap();
    assert_eq!((session.id, session.user, session.links, session.expires_at), (id, Some(ben), vec![], expires_at));
    assert!(find_session(&*world.store, hash()).await.is_none());

    let expired = hash();
    world.store.create_session(new_session(expired, None, &[], just_over())).await.unwrap();
    assert!(find_session(&*world.store, expired).await.is_none());

    // Creating one clears expired ones away, and no others.
    world.store.create_session(new_session(hash(), None, &[], in_an_hour())).await.unwrap();
    assert!(find_session(&*world.store, secret).await.is_some());

    world.store.end_session(id).await.unwrap();
    assert!(find_session(&*world.store, secret).await.is_none());
    world.store.end_session(id).await.unwrap();
}

pub async fn sessions_hold_links_while_they_are_valid(world: World) {
    let (one, two, three) = (world.room("One").await, world.room("Two").await, world.room("Three").await);
    let secret = hash();
    let id = world.store.create_session(new_session(secret, None, &[one.link, two.link], in_an_hour())).await.unwrap();
    for _ in 0..2 {
        world.store.grant_link(id, three.link).await.unwrap();
    }
    let session = find_session(&*world.store, secret).await.unwrap();
    assert_eq!((session.user, session.links), (None, vec![one.link, two.link, three.link]));

    world.store.revoke_links(&world.admin, one.id).await.unwrap();
    let expired = NewLink { expires_at: Some(just_over()), ..new_link() };
    world.store.replace_link(&world.admin, two.id, expired).await.unwrap();
    world.store.grant_link(id, expired.id).await.unwrap();
    assert_eq!(find_session(&*world.store, secret).await.unwrap().links, vec![three.link]);
}

pub async fn sessions_belong_to_users_and_links_that_exist(world: World) {
    let room = world.room("One").await;
    let secret = hash();
    assert_err!(
        world.store.create_session(new_session(secret, Some(UserId::new()), &[], in_an_hour())).await,
        StoreError::NotFound
    );
    assert!(find_session(&*world.store, secret).await.is_none());

    let id = world.store.create_session(new_session(secret, None, &[], in_an_hour())).await.unwrap();
    assert_err!(world.store.grant_link(id, LinkId::new()).await, StoreError::NotFound);
    assert_err!(world.store.grant_link(SessionId::new(), room.link).await, StoreError::NotFound);
}

pub async fn sign_in_links_work_until_they_expire(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let (valid, expired) = (hash(), hash());
    world.store.create_sign_in_link(valid, ben.id, in_an_hour()).await.unwrap();
    world.store.create_sign_in_link(expired, ben.id, just_over()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(world.store.find_sign_in_link(valid).await.unwrap().as_ref(), Some(&ben));
    }
    assert_eq!(world.store.find_sign_in_link(expired).await.unwrap(), None);
    assert_eq!(world.store.find_sign_in_link(hash()).await.unwrap(), None);
    assert_err!(world.store.create_sign_in_link(hash(), UserId::new(), in_an_hour()).await, StoreError::NotFound);
}

pub async fn tokens_work_until_they_are_revoked(world: World) {
    let (one, two) = (hash(), hash());
    let ada = world.admin.user().unwrap();
    let id = world.store.create_token(one, ada.id, None).await.unwrap();
    world.store.create_token(two, ada.id, None).await.unwrap();

    let token = world.store.find_token(one).await.unwrap().unwrap();
    assert_eq!((token.id, &token.user), (id, ada));
    assert!(token.created_at >= ada.created_at);
    assert!(world.store.find_token(hash()).await.unwrap().is_none());

    assert!(world.store.revoke_token(id).await.unwrap());
    assert!(!world.store.revoke_token(id).await.unwrap());
    assert!(!world.store.revoke_token(TokenId::new()).await.unwrap());
    assert!(world.store.find_token(one).await.unwrap().is_none());
    assert!(world.store.find_token(two).await.unwrap().is_some());
    assert_err!(world.store.create_token(hash(), UserId::new(), None).await, StoreError::NotFound);
}
