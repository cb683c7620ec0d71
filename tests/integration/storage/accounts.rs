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

pub async fn a_session_gives_its_links_to_another_and_ends(world: World) {
    let (one, two) = (world.room("One").await, world.room("Two").await);
    let (from_secret, into_secret) = (hash(), hash());
    let create = async |secret, links: &[LinkId]| {
        world.store.create_session(new_session(secret, None, links, in_an_hour())).await.unwrap()
    };
    let (from, into) = (create(from_secret, &[one.link, two.link]).await, create(into_secret, &[two.link]).await);
    assert_err!(world.store.merge_session(from, SessionId::new()).await, StoreError::NotFound);
    assert_eq!(find_session(&*world.store, from_secret).await.unwrap().links, vec![one.link, two.link]);
    // The second time there is nothing left to give.
    for _ in 0..2 {
        world.store.merge_session(from, into).await.unwrap();
        assert!(find_session(&*world.store, from_secret).await.is_none());
        let session = find_session(&*world.store, into_secret).await.unwrap();
        assert_eq!((session.id, session.links), (into, vec![one.link, two.link]));
    }
    assert_err!(world.store.grant_link(from, one.link).await, StoreError::NotFound);
}

pub async fn links_granted_to_a_session_that_is_given_away_are_not_lost(world: World) {
    let (room, other) = (world.room("One").await, world.room("Two").await);
    for _ in 0..20 {
        let (from_secret, into_secret) = (hash(), hash());
        let from = world.store.create_session(new_session(from_secret, None, &[], in_an_hour())).await.unwrap();
        let into = world.store.create_session(new_session(into_secret, None, &[], in_an_hour())).await.unwrap();
        let (granted, other_granted, merged) = tokio::join!(
            world.store.grant_link(from, room.link),
            world.store.grant_link(from, other.link),
            world.store.merge_session(from, into),
        );
        merged.unwrap();
        let links = find_session(&*world.store, into_secret).await.unwrap().links;
        for (granted, link) in [(granted, room.link), (other_granted, other.link)] {
            // The later caller gets an error, and creates another session.
            match granted {
                Ok(()) => assert!(links.contains(&link)),
                Err(error) => assert!(matches!(error, StoreError::NotFound), "{error:?}"),
            }
        }
    }
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
    let id = TokenId::new();
    world.store.create_token(id, one, ada.id, None).await.unwrap();
    world.store.create_token(TokenId::new(), two, ada.id, None).await.unwrap();

    let token = world.store.find_token(one).await.unwrap().unwrap();
    assert_eq!((token.id, &token.user), (id, ada));
    assert!(token.created_at >= ada.created_at);
    assert!(world.store.find_token(hash()).await.unwrap().is_none());

    assert!(world.store.revoke_token(id).await.unwrap());
    assert!(!world.store.revoke_token(id).await.unwrap());
    assert!(!world.store.revoke_token(TokenId::new()).await.unwrap());
    assert!(world.store.find_token(one).await.unwrap().is_none());
    assert!(world.store.find_token(two).await.unwrap().is_some());
    assert_err!(world.store.create_token(TokenId::new(), hash(), UserId::new(), None).await, StoreError::NotFound);
}

pub async fn people_are_listed_admins_first_and_searched(world: World) {
    world.user("zoe", Role::Admin).await;
    for name in ["Ben", "alice", "Cleo"] {
        world.user(name, Role::Customer).await;
    }
    let names = async |search, limit| {
        let users = world.store.list_users(search, limit).await.unwrap();
        users.into_iter().map(|user| user.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(None, 100).await, ["Ada", "zoe", "alice", "Ben", "Cleo"]);
    assert_eq!(names(None, 2).await, ["Ada", "zoe"]);
    assert_eq!(names(Some(" "), 100).await.len(), 5);
    assert_eq!(names(Some("CLEO"), 100).await, ["Cleo"]);
    assert_eq!(names(Some(" ben@EXAMPLE"), 100).await, ["Ben"]);
    assert!(names(Some("%"), 100).await.is_empty(), "a search is no pattern");
}

pub async fn people_are_renamed(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let name = Name::parse("name", "Benjamin").unwrap();
    let renamed = world.store.rename_user(ben.id, name.clone()).await.unwrap();
    assert_eq!(renamed, User { name: name.clone(), ..ben });
    assert_eq!(world.store.find_user(renamed.id).await.unwrap(), Some((renamed.clone(), "$argon2id$of Ben".into())));
    assert_eq!(world.store.rename_user(renamed.id, name.clone()).await.unwrap(), renamed);
    assert_err!(world.store.rename_user(UserId::new(), name).await, StoreError::NotFound);
    assert_eq!(world.store.find_user(UserId::new()).await.unwrap(), None);
}

async fn unconfirmed(world: &World, name: &str) -> User {
    let email = format!("{}@example.com", name.to_lowercase());
    let new = NewUser { is_confirmed: false, ..new_user(&email, name, Role::Customer) };
    let user = world.store.create_user(new).await.unwrap();
    assert!(!user.is_confirmed);
    user
}

fn email(text: &str) -> Email {
    Email::parse("email", text).unwrap()
}

pub async fn an_own_address_is_confirmed_once(world: World) {
    let (ben, cleo) = (unconfirmed(&world, "Ben").await, world.user("Cleo", Role::Customer).await);
    let (older, newer, expired) = (hash(), hash(), hash());
    let create = async |secret, at| world.store.create_confirmation(secret, ben.id, ben.email.clone(), at).await;
    create(expired, just_over()).await.unwrap();
    assert!(world.store.find_confirmation(expired).await.unwrap().is_none());
    assert!(world.store.confirm_email(expired, ben.id).await.unwrap().is_none());
    create(older, in_an_hour()).await.unwrap();
    create(newer, in_an_hour()).await.unwrap();
    let found = world.store.find_confirmation(newer).await.unwrap().unwrap();
    assert_eq!((&found.user, &found.email, found.is_own()), (&ben, &ben.email, true));
    for (secret, user) in [(older, ben.id), (hash(), ben.id), (newer, cleo.id)] {
        assert!(world.store.confirm_email(secret, user).await.unwrap().is_none());
    }
    assert!(!world.store.find_user(ben.id).await.unwrap().unwrap().0.is_confirmed);
    let tries = futures_util::future::join_all((0..8).map(|_| world.store.confirm_email(newer, ben.id))).await;
    let done: Vec<_> = tries.into_iter().filter_map(|done| done.unwrap()).collect();
    assert_eq!(done, [(ben.clone(), User { is_confirmed: true, ..ben.clone() })], "used once");
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().0, done[0].1);
    assert_err!(
        world.store.create_confirmation(hash(), UserId::new(), email("a@b"), in_an_hour()).await,
        StoreError::NotFound
    );
}

pub async fn a_new_address_takes_the_place_of_the_old_when_it_is_confirmed(world: World) {
    let (ben, cleo) = (world.user("Ben", Role::Customer).await, world.user("Cleo", Role::Customer).await);
    let [mistyped, wanted, taken, reset] = std::array::from_fn(|_| hash());
    let create = async |secret, to| world.store.create_confirmation(secret, ben.id, email(to), in_an_hour()).await;
    create(mistyped, "bne@example.com").await.unwrap();
    create(wanted, "b@example.com").await.unwrap();
    world.store.create_password_reset(reset, ben.id, in_an_hour()).await.unwrap();
    assert!(world.store.find_confirmation(mistyped).await.unwrap().is_none(), "the last one counts");
    assert!(!world.store.find_confirmation(wanted).await.unwrap().unwrap().is_own());
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().0, ben, "nothing has changed yet");
    assert!(world.store.claim_account(wanted, "$new".into()).await.unwrap().is_none(), "it opens no account");

    let (before, after) = world.store.confirm_email(wanted, ben.id).await.unwrap().unwrap();
    assert_eq!((&before, &after), (&ben, &User { email: email("b@example.com"), ..ben.clone() }));
    assert_eq!(world.store.find_user_by_email(&ben.email).await.unwrap(), None);
    assert_eq!(world.store.find_password_reset(reset).await.unwrap(), None, "it went to the old address");

    create(taken, "cleo@example.com").await.unwrap();
    assert_err!(world.store.confirm_email(taken, ben.id).await, StoreError::EmailTaken);
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().0, after);
    assert_eq!(world.store.find_user(cleo.id).await.unwrap().unwrap().0, cleo);
}

pub async fn the_owner_of_the_address_claims_the_account(world: World) {
    let ben = unconfirmed(&world, "Ben").await;
    let [planted, own, strangers] = std::array::from_fn(|_| hash());
    let session = world.store.create_session(new_session(planted, Some(ben.id), &[], in_an_hour())).await.unwrap();
    world.store.create_confirmation(own, ben.id, ben.email.clone(), in_an_hour()).await.unwrap();
    world.store.create_confirmation(strangers, ben.id, email("stranger@example.com"), in_an_hour()).await.unwrap();
    assert!(world.store.find_confirmation(own).await.unwrap().is_some(), "nobody else makes it void");

    let tries = (0..8).map(|n| world.store.claim_account(own, format!("$new {n}")));
    let tries = futures_util::future::join_all(tries).await;
    let mut done: Vec<_> = (0..).zip(tries).filter_map(|(n, done)| Some((n, done.unwrap()?))).collect();
    let (winner, (user, ended)) = done.pop().unwrap();
    assert!(done.is_empty(), "used once");
    assert_eq!((user, ended), (User { is_confirmed: true, ..ben.clone() }, vec![session]));
    let (found, phc) = world.store.find_user(ben.id).await.unwrap().unwrap();
    assert_eq!((found.is_confirmed, phc), (true, format!("$new {winner}")));
    assert!(find_session(&*world.store, planted).await.is_none());
    for secret in [own, strangers] {
        assert!(world.store.find_confirmation(secret).await.unwrap().is_none());
    }
}

pub async fn a_new_password_cancels_the_new_address(world: World) {
    let ben = unconfirmed(&world, "Ben").await;
    let [own, foreign, reset] = std::array::from_fn(|_| hash());
    world.store.create_confirmation(own, ben.id, ben.email.clone(), in_an_hour()).await.unwrap();
    world.store.create_confirmation(foreign, ben.id, email("b@example.com"), in_an_hour()).await.unwrap();
    world.store.set_password(ben.id, "$new".into(), None).await.unwrap();
    assert!(world.store.find_confirmation(foreign).await.unwrap().is_none());
    assert!(world.store.find_confirmation(own).await.unwrap().is_some());
    world.store.create_password_reset(reset, ben.id, in_an_hour()).await.unwrap();
    let (user, _) = world.store.reset_password(reset, "$newer".into()).await.unwrap().unwrap();
    assert!(user.is_confirmed, "it came by mail");
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().0, user);
    assert!(world.store.find_confirmation(own).await.unwrap().is_none());
}

/// Whichever comes first, nobody's password goes with somebody else's address.
pub async fn a_claim_and_a_change_of_address_at_once_leave_one(world: World) {
    for n in 0..8 {
        let ben = unconfirmed(&world, &format!("Ben{n}")).await;
        let (own, foreign) = (hash(), hash());
        world.store.create_confirmation(own, ben.id, ben.email.clone(), in_an_hour()).await.unwrap();
        let to = email(&format!("stranger{n}@example.com"));
        world.store.create_confirmation(foreign, ben.id, to, in_an_hour()).await.unwrap();
        let (claimed, changed) = futures_util::future::join(
            world.store.claim_account(own, "$new".into()),
            world.store.confirm_email(foreign, ben.id),
        )
        .await;
        let (claimed, changed) = (claimed.unwrap().is_some(), changed.unwrap().is_some());
        assert!(claimed ^ changed, "{claimed} {changed}");
        let (user, phc) = world.store.find_user(ben.id).await.unwrap().unwrap();
        assert_eq!((user.email == ben.email, phc == "$new"), (claimed, claimed));
    }
}

pub async fn a_new_password_ends_every_other_way_in(world: World) {
    let (ben, cleo) = (world.user("Ben", Role::Customer).await, world.user("Cleo", Role::Customer).await);
    let session = async |user: &User| {
        let secret = hash();
        (secret, world.store.create_session(new_session(secret, Some(user.id), &[], in_an_hour())).await.unwrap())
    };
    let (one, two, three, foreign) =
        (session(&ben).await, session(&ben).await, session(&ben).await, session(&cleo).await);
    let (reset, link) = (hash(), hash());
    world.store.create_password_reset(reset, ben.id, in_an_hour()).await.unwrap();
    world.store.create_sign_in_link(link, ben.id, in_an_hour()).await.unwrap();

    let mut ended = world.store.set_password(ben.id, "$new".into(), Some(two.1)).await.unwrap();
    ended.sort_unstable();
    assert_eq!(ended, [one.1, three.1]);
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().1, "$new");
    assert!(find_session(&*world.store, one.0).await.is_none());
    assert!(find_session(&*world.store, two.0).await.is_some());
    assert!(find_session(&*world.store, foreign.0).await.is_some());
    assert_eq!(world.store.find_password_reset(reset).await.unwrap(), None);
    assert_eq!(world.store.find_sign_in_link(link).await.unwrap(), None);
    assert_eq!(world.store.set_password(ben.id, "$newer".into(), Some(foreign.1)).await.unwrap(), [two.1]);
    assert!(find_session(&*world.store, foreign.0).await.is_some());
    assert_err!(world.store.set_password(UserId::new(), "$new".into(), None).await, StoreError::NotFound);
}

pub async fn a_password_is_reset_once(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let (signed_in, older, newer, expired) = (hash(), hash(), hash(), hash());
    let session = world.store.create_session(new_session(signed_in, Some(ben.id), &[], in_an_hour())).await.unwrap();
    world.store.create_password_reset(expired, ben.id, just_over()).await.unwrap();
    assert_eq!(world.store.find_password_reset(expired).await.unwrap(), None);
    assert!(world.store.reset_password(expired, "$late".into()).await.unwrap().is_none());
    world.store.create_password_reset(older, ben.id, in_an_hour()).await.unwrap();
    world.store.create_password_reset(newer, ben.id, in_an_hour()).await.unwrap();
    for wrong in [older, hash()] {
        assert_eq!(world.store.find_password_reset(wrong).await.unwrap(), None);
        assert!(world.store.reset_password(wrong, "$wrong".into()).await.unwrap().is_none());
    }
    assert_eq!(world.store.find_password_reset(newer).await.unwrap().as_ref(), Some(&ben));

    let tries = (0..8).map(|n| world.store.reset_password(newer, format!("$new {n}")));
    let tries = futures_util::future::join_all(tries).await;
    let mut done: Vec<_> = (0..).zip(tries).filter_map(|(n, done)| Some((n, done.unwrap()?))).collect();
    let (winner, (user, ended)) = done.pop().unwrap();
    assert!(done.is_empty(), "used once");
    assert_eq!((user, ended), (ben.clone(), vec![session]));
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().1, format!("$new {winner}"));
    assert!(find_session(&*world.store, signed_in).await.is_none());
    assert_eq!(world.store.find_password_reset(newer).await.unwrap(), None);
    let unknown = world.store.create_password_reset(hash(), UserId::new(), in_an_hour()).await;
    assert_err!(unknown, StoreError::NotFound);
}

pub async fn an_id_that_is_taken_makes_nothing(world: World) {
    let ada = world.admin.user_id().unwrap();
    let (first, second) = (hash(), hash());
    let id = TokenId::new();
    world.store.create_token(id, first, ada, None).await.unwrap();
    assert_err!(world.store.create_token(id, second, ada, None).await, StoreError::IdTaken);
    assert!(world.store.find_token(first).await.unwrap().is_some());
    assert!(world.store.find_token(second).await.unwrap().is_none());
    world.store.revoke_token(id).await.unwrap();
    assert_err!(world.store.create_token(id, second, ada, None).await, StoreError::IdTaken);

    let id = InviteId::new();
    world.store.create_invite(id, first, ada, in_an_hour()).await.unwrap();
    assert_err!(world.store.create_invite(id, second, ada, in_an_hour()).await, StoreError::IdTaken);
    assert_eq!(world.store.list_invites().await.unwrap().len(), 1);

    let new = new_conversation("Cleo");
    world.store.open_conversation(&world.admin, new.clone()).await.unwrap();
    let other = NewConversation { id: new.id, ..new_conversation("Other") };
    assert_err!(world.store.open_conversation(&world.admin, other).await, StoreError::IdTaken);
    assert_eq!(world.seat(&world.admin, new.id).await.conversation.customer_name, "Cleo");

    let (cleo, stranger) = (world.customer("Cleo").await, world.customer("Stranger").await);
    let id = RequestId::new();
    world.store.create_request(&cleo, id, None, request_text("Shelf")).await.unwrap();
    for actor in [&cleo, &stranger] {
        let again = world.store.create_request(actor, id, None, request_text("Other")).await;
        assert_err!(again, StoreError::IdTaken);
    }
    assert_eq!(world.store.find_request(&cleo, id).await.unwrap().title, "Shelf");
}

pub async fn an_invitation_makes_one_admin(world: World) {
    let (secret, ada) = (hash(), world.admin.user().unwrap());
    let id = InviteId::new();
    world.store.create_invite(id, secret, ada.id, in_an_hour()).await.unwrap();
    let found = world.store.find_invite(secret).await.unwrap().unwrap();
    assert_eq!((found.id, found.invited_by.as_str()), (id, "Ada"));
    assert!(world.store.find_invite(hash()).await.unwrap().is_none());
    assert!(world.store.accept_invite(hash(), new_user("x@example.com", "X", Role::Admin)).await.unwrap().is_none());

    let taken = world.store.accept_invite(secret, new_user("ada@example.com", "Again", Role::Admin)).await;
    assert_err!(taken, StoreError::EmailTaken);
    assert!(world.store.find_invite(secret).await.unwrap().is_some(), "it can still be used");

    let tries = (0..8).map(|n| {
        let new = new_user(&format!("new{n}@example.com"), "New", Role::Customer);
        world.store.accept_invite(secret, new)
    });
    let tries = futures_util::future::join_all(tries).await;
    let made: Vec<_> = tries.into_iter().filter_map(|made| made.unwrap()).collect();
    assert_eq!((made.len(), made[0].role), (1, Role::Admin));
    assert!(world.store.find_invite(secret).await.unwrap().is_none());
    assert_eq!(world.store.list_users(None, 10).await.unwrap().len(), 2);
    assert_err!(
        world.store.create_invite(InviteId::new(), hash(), UserId::new(), in_an_hour()).await,
        StoreError::NotFound
    );
}

pub async fn an_invitation_dies_when_it_expires_is_withdrawn_or_its_maker_is_no_admin_any_more(world: World) {
    let (ada, second) = (world.admin.user().unwrap(), world.other_admin().await);
    let (expired, withdrawn, orphaned, valid) = (hash(), hash(), hash(), hash());
    world.store.create_invite(InviteId::new(), expired, ada.id, just_over()).await.unwrap();
    let id = InviteId::new();
    world.store.create_invite(id, withdrawn, ada.id, in_an_hour()).await.unwrap();
    world.store.create_invite(InviteId::new(), orphaned, second.user_id().unwrap(), in_an_hour()).await.unwrap();
    let kept = InviteId::new();
    world.store.create_invite(kept, valid, ada.id, in_an_hour()).await.unwrap();
    assert!(world.store.delete_invite(id).await.unwrap());
    assert!(!world.store.delete_invite(id).await.unwrap());
    assert!(!world.store.delete_invite(InviteId::new()).await.unwrap());
    assert_eq!(world.store.list_invites().await.unwrap().len(), 2);
    world.store.set_role(ada.id, second.user_id().unwrap(), Role::Customer).await.unwrap();

    for dead in [expired, withdrawn, orphaned] {
        assert!(world.store.find_invite(dead).await.unwrap().is_none());
        let new = new_user("new@example.com", "New", Role::Admin);
        assert!(world.store.accept_invite(dead, new).await.unwrap().is_none());
    }
    let listed: Vec<_> = world.store.list_invites().await.unwrap().into_iter().map(|invite| invite.id).collect();
    assert_eq!(listed, [kept]);
}

pub async fn admins_give_roles_to_others(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let ada = world.admin.user_id().unwrap();
    assert_err!(world.store.set_role(ben.id, ada, Role::Customer).await, StoreError::Forbidden);
    assert_err!(world.store.set_role(ada, ada, Role::Customer).await, StoreError::Forbidden);
    assert_err!(world.store.set_role(ben.id, ben.id, Role::Admin).await, StoreError::Forbidden);
    assert_err!(world.store.set_role(ada, UserId::new(), Role::Admin).await, StoreError::NotFound);
    assert_eq!(world.store.set_role(ada, ben.id, Role::Admin).await.unwrap().role, Role::Admin);
    assert_eq!(world.store.find_user(ben.id).await.unwrap().unwrap().0.role, Role::Admin);
    world.store.set_role(ben.id, ada, Role::Customer).await.unwrap();
    assert_err!(world.store.set_role(ada, ben.id, Role::Customer).await, StoreError::Forbidden);
}

pub async fn of_two_admins_who_demote_each_other_at_once_one_stays(world: World) {
    let (ada, second) = (world.admin.user_id().unwrap(), world.other_admin().await.user_id().unwrap());
    for _ in 0..10 {
        let (one, two) = tokio::join!(
            world.store.set_role(ada, second, Role::Customer),
            world.store.set_role(second, ada, Role::Customer)
        );
        let (demoted, by) = match (one, two) {
            (Ok(user), Err(StoreError::Forbidden)) => (user.id, ada),
            (Err(StoreError::Forbidden), Ok(user)) => (user.id, second),
            other => panic!("{other:?}"),
        };
        assert!(world.store.has_admin().await.unwrap());
        world.store.set_role(by, demoted, Role::Admin).await.unwrap();
    }
}

pub async fn the_tokens_of_a_demoted_admin_stop_working(world: World) {
    let (ada, second) = (world.admin.user_id().unwrap(), world.other_admin().await.user_id().unwrap());
    let (own, foreign) = (hash(), hash());
    let kept = TokenId::new();
    world.store.create_token(kept, own, ada, Some(Name::parse("name", "Web shop").unwrap())).await.unwrap();
    let lost = TokenId::new();
    world.store.create_token(lost, foreign, second, None).await.unwrap();
    let listed = world.store.list_tokens().await.unwrap();
    assert_eq!(listed.iter().map(|token| token.id).collect::<Vec<_>>(), [lost, kept], "newest first");
    assert_eq!(listed[1].name.as_ref().map(Name::as_str), Some("Web shop"));

    world.store.set_role(ada, second, Role::Customer).await.unwrap();
    assert!(world.store.find_token(foreign).await.unwrap().is_none());
    assert!(world.store.find_token(own).await.unwrap().is_some());
    assert_eq!(world.store.list_tokens().await.unwrap().len(), 1);
}

pub async fn sessions_that_were_not_seen_for_long_are_over(world: World) {
    let ben = world.user("Ben", Role::Customer).await;
    let secret = hash();
    let id = world.store.create_session(new_session(secret, Some(ben.id), &[], in_an_hour())).await.unwrap();
    let day = 86_400_000;
    let seen_after = Timestamp(now().0 - 30 * day);
    world.backend.set_last_seen(id, Timestamp(now().0 - 31 * day)).await;
    assert!(world.store.find_session(secret, seen_after).await.unwrap().is_none());
    assert!(world.store.list_sessions(ben.id, seen_after).await.unwrap().is_empty());

    world.backend.set_last_seen(id, Timestamp(now().0 - 29 * day)).await;
    assert!(world.store.find_session(secret, seen_after).await.unwrap().is_some());
    // The last use is written asynchronously; every later write sees it.
    world.store.put_setup_secret(hash()).await.unwrap();
    let seen = world.store.list_sessions(ben.id, seen_after).await.unwrap().remove(0).last_seen_at;
    assert!(now().0 - seen.0 < day, "being seen keeps it alive");
}

pub async fn people_see_and_end_their_own_sessions(world: World) {
    let (ben, cleo) = (world.user("Ben", Role::Customer).await, world.user("Cleo", Role::Customer).await);
    let mut ids = Vec::new();
    for (n, user) in [&ben, &ben, &cleo, &ben].into_iter().enumerate() {
        let expires_at = if n == 3 { just_over() } else { in_an_hour() };
        let new = new_session(hash(), Some(user.id), &[], expires_at);
        let new = NewSession { user_agent: (n == 0).then(|| "Browser 1".to_owned()), ..new };
        ids.push(world.store.create_session(new).await.unwrap());
    }
    world.backend.set_last_seen(ids[1], Timestamp(now().0 - 1_000_000)).await;
    let listed = async |user: &User| {
        let sessions = world.store.list_sessions(user.id, Timestamp(0)).await.unwrap();
        sessions.into_iter().map(|session| (session.id, session.user_agent)).collect::<Vec<_>>()
    };
    assert_eq!(listed(&ben).await, [(ids[0], Some("Browser 1".to_owned())), (ids[1], None)], "last seen first");
    assert!(!world.store.end_session_of(cleo.id, ids[0]).await.unwrap(), "not theirs");
    assert!(world.store.end_session_of(ben.id, ids[0]).await.unwrap());
    assert!(!world.store.end_session_of(ben.id, ids[0]).await.unwrap());
    assert_eq!(listed(&ben).await, [(ids[1], None)]);
    assert_eq!(listed(&cleo).await, [(ids[2], None)]);
}

pub async fn an_account_adopts_chats_without_an_owner(world: World) {
    let (ben, cleo) = (world.user("Ben", Role::Customer).await, world.user("Cleo", Role::Customer).await);
    let (free, owned, revoked, unopened) = (
        world.room("Free").await,
        world.room("Owned").await,
        world.room("Revoked").await,
        world.room("Unopened").await,
    );
    world.backend.set_owner(owned.id, cleo.id).await;
    world.store.revoke_links(&world.admin, revoked.id).await.unwrap();
    world.post(&free.guest, free.id, "hello").await;
    let links = [free.link, owned.link, revoked.link, LinkId::new()];

    let admin = world.admin.user_id().unwrap();
    assert_eq!(world.store.adopt_links(admin, &links).await.unwrap(), [], "an admin is no customer");
    assert_eq!(world.store.adopt_links(UserId::new(), &links).await.unwrap(), []);
    assert_eq!(world.store.adopt_links(ben.id, &[]).await.unwrap(), []);
    assert_eq!(world.store.adopt_links(ben.id, &links).await.unwrap(), [free.id]);
    assert_eq!(world.store.adopt_links(ben.id, &links).await.unwrap(), []);
    assert_eq!(world.store.adopt_links(cleo.id, &links).await.unwrap(), [], "it is somebody's now");

    let ben = Actor::Customer(ben, vec![]);
    let seat = world.seat(&ben, free.id).await;
    assert_eq!(
        (seat.me.id, seat.me.kind),
        (ParticipantId::stored(free.id.0), ParticipantKind::Customer),
        "the same person"
    );
    assert_eq!(seat.conversation.unread, 0);
    let people = world.people(&world.admin, free.id).await;
    assert!(people.iter().all(|person| person.kind != ParticipantKind::Guest), "{people:?}");
    assert_eq!(world.audience(free.id).await.unwrap().0, ben.user_id());
    for room in [&owned, &revoked, &unopened] {
        assert_err!(world.store.find_conversation(&ben, room.id).await, StoreError::NotFound);
    }
    // The link still grants access.
    world.post(&free.guest, free.id, "again").await;
}

pub async fn the_audience_of_a_conversation_is_its_account_and_its_living_link(world: World) {
    let (ben, room) = (world.user("Ben", Role::Customer).await, world.room("Room").await);
    let other = world.room("Other").await;
    let audience = async || world.audience(room.id).await.unwrap();
    assert_eq!(audience().await, (None, vec![room.link]));
    world.backend.set_owner(room.id, ben.id).await;
    assert_eq!(audience().await, (Some(ben.id), vec![room.link]));
    let new = new_link();
    world.store.replace_link(&world.admin, room.id, new).await.unwrap();
    assert_eq!(audience().await, (Some(ben.id), vec![new.id]));
    world.store.revoke_links(&world.admin, room.id).await.unwrap();
    assert_eq!(audience().await, (Some(ben.id), vec![]));
    assert_eq!(world.audience(ConversationId::new()).await, None);
    let mut several = world.store.audiences(&[other.id, ConversationId::new(), room.id]).await.unwrap();
    several.sort_by_key(|(_, audience)| audience.customer.is_none());
    let several = several.into_iter().map(|(id, audience)| (id, audience.customer, audience.links));
    assert_eq!(several.collect::<Vec<_>>(), [(room.id, Some(ben.id), vec![]), (other.id, None, vec![other.link])]);
}
