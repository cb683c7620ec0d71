use super::world::*;

fn with_files(room: ConversationId, text: &str, files: &[&Attachment]) -> Draft {
    let attachments = files.iter().map(|file| file.id).collect();
    Draft { content: Content::beside_files(text, 100).unwrap(), attachments, ..draft(room, "replaced") }
}

pub async fn files_go_with_a_message_in_the_order_given(world: World) {
    let room = world.room("Cleo").await;
    let mut files = Vec::new();
    for name in ["one.pdf", "two.png", "three.txt"] {
        files.push(world.file(&room.guest, room.id, name).await);
    }
    let draft = with_files(room.id, "", &[&files[2], &files[0], &files[1]]);
    let posted = world.store.post_message(&room.guest, draft.clone()).await.unwrap();
    let names: Vec<_> = posted.message.attachments.iter().map(|file| &*file.name).collect();
    assert_eq!(names, ["three.txt", "one.pdf", "two.png"]);
    assert_eq!(posted.message.attachments[1], files[0]);
    assert_eq!(world.messages(&world.admin, room.id).await, std::slice::from_ref(&posted.message));
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.last_message.as_deref(), Some("three.txt"));

    let again = world.store.post_message(&room.guest, draft).await.unwrap();
    assert_eq!((again.message, again.fresh), (posted.message.clone(), false), "sent again, it is the same message");
    let edited = world.store.edit_message(&room.guest, None, posted.message.id, content("the plans")).await.unwrap();
    assert_eq!(edited.attachments, posted.message.attachments, "an edit keeps the files");
    assert_eq!(world.messages(&room.guest, room.id).await, [edited]);
}

pub async fn other_files_under_a_stored_client_id_are_a_conflict(world: World) {
    let room = world.room("Cleo").await;
    let [one, two] =
        [world.file(&room.guest, room.id, "one.pdf").await, world.file(&room.guest, room.id, "two.pdf").await];
    let third = world.file(&room.guest, room.id, "three.pdf").await;
    let sent = with_files(room.id, "look", &[&one, &two]);
    let message = world.store.post_message(&room.guest, sent.clone()).await.unwrap().message;
    let is_kept_apart = async || {
        for files in [&[][..], &[one.id], &[one.id, third.id], &[one.id, two.id, third.id]] {
            let other = Draft { attachments: files.to_vec(), ..sent.clone() };
            assert_err!(world.store.post_message(&room.guest, other).await, StoreError::Conflict);
        }
        for files in [[one.id, two.id], [two.id, one.id]] {
            let again = Draft { attachments: files.to_vec(), ..sent.clone() };
            assert!(!world.store.post_message(&room.guest, again).await.unwrap().fresh);
        }
    };
    is_kept_apart().await;
    world.store.edit_message(&room.guest, None, message.id, content("see")).await.unwrap();
    is_kept_apart().await;
    world.store.delete_message(&world.admin, None, message.id).await.unwrap();
    is_kept_apart().await;
    let later = Draft { client_id: Some(ClientId::new()), attachments: vec![third.id], ..sent };
    assert!(world.store.post_message(&room.guest, later).await.unwrap().fresh, "what was refused can still be sent");
}

pub async fn one_sends_own_unsent_files_of_this_conversation_only(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let mine = world.file(&room.guest, room.id, "mine.pdf").await;
    let theirs = world.file(&world.admin, room.id, "theirs.pdf").await;
    let elsewhere = world.file(&other.guest, other.id, "elsewhere.pdf").await;
    let also_elsewhere = world.file(&world.admin, other.id, "also elsewhere.pdf").await;
    let unknown = new_file("unknown.pdf");
    let head = world.seat(&world.admin, room.id).await.conversation.head;
    for files in [&[&theirs][..], &[&elsewhere], &[&unknown], &[&mine, &theirs], &[&mine, &mine]] {
        let result = world.store.post_message(&room.guest, with_files(room.id, "look", files)).await;
        assert_err!(result, StoreError::NoAttachment);
    }
    let by_admin = world.store.post_message(&world.admin, with_files(room.id, "", &[&also_elsewhere])).await;
    assert_err!(by_admin, StoreError::NoAttachment);
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, head, "nothing was sent");

    world.store.post_message(&room.guest, with_files(room.id, "look", &[&mine])).await.unwrap();
    let twice = world.store.post_message(&room.guest, with_files(room.id, "again", &[&mine])).await;
    assert_err!(twice, StoreError::NoAttachment);
}

pub async fn one_file_is_sent_once_however_many_try(world: World) {
    let room = world.room("Cleo").await;
    let file = world.file(&room.guest, room.id, "one.pdf").await;
    let sends = (0..20).map(|_| world.store.post_message(&room.guest, with_files(room.id, "look", &[&file])));
    let sent = futures_util::future::join_all(sends).await;
    assert_eq!(sent.iter().filter(|sent| sent.is_ok()).count(), 1);
    assert!(sent.iter().all(|sent| matches!(sent, Ok(_) | Err(StoreError::NoAttachment))));
    assert_eq!(world.messages(&world.admin, room.id).await.len(), 1);
}

pub async fn a_file_is_its_senders_until_it_is_sent_and_then_the_conversations(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let (second, stranger) = (world.other_admin().await, world.customer("Stranger").await);
    let file = world.file(&room.guest, room.id, "one.pdf").await;
    let found = async |actor: &Actor| match world.store.find_attachment(actor, file.id).await {
        Ok(found) => Some(found),
        Err(StoreError::NotFound) => None,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(found(&room.guest).await.as_ref(), Some(&file));
    for actor in [&world.admin, &second, &other.guest, &stranger] {
        assert_eq!(found(actor).await, None, "{actor:?}");
    }
    world.store.post_message(&room.guest, with_files(room.id, "", &[&file])).await.unwrap();
    for actor in [&room.guest, &world.admin, &second] {
        assert_eq!(found(actor).await.as_ref(), Some(&file), "{actor:?}");
    }
    for actor in [&other.guest, &stranger, &Actor::Guest(vec![])] {
        assert_eq!(found(actor).await, None, "{actor:?}");
        assert_err!(
            world.store.add_attachment(actor, room.id, new_file("more.pdf"), Quota::NONE).await,
            StoreError::NotFound
        );
    }
    world.store.revoke_links(&world.admin, room.id).await.unwrap();
    assert_eq!(found(&room.guest).await, None);
    assert_err!(world.store.find_attachment(&world.admin, AttachmentId::new()).await, StoreError::NotFound);
}

pub async fn a_closed_conversation_takes_no_files(world: World) {
    let room = world.room("Cleo").await;
    let file = world.file(&room.guest, room.id, "one.pdf").await;
    world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();
    for actor in [&room.guest, &world.admin] {
        assert_err!(
            world.store.add_attachment(actor, room.id, new_file("two.pdf"), Quota::NONE).await,
            StoreError::Closed
        );
    }
    let late = world.store.post_message(&room.guest, with_files(room.id, "", &[&file])).await;
    assert_err!(late, StoreError::Closed);
    world.store.set_status(&world.admin, room.id, ConversationStatus::Open).await.unwrap();
    world.store.post_message(&room.guest, with_files(room.id, "", &[&file])).await.unwrap();
}

pub async fn the_files_of_a_deleted_message_are_gone(world: World) {
    let room = world.room("Cleo").await;
    let (file, kept) =
        (world.file(&room.guest, room.id, "one.pdf").await, world.file(&room.guest, room.id, "two").await);
    let message = world.store.post_message(&room.guest, with_files(room.id, "look", &[&file])).await.unwrap().message;
    world.store.post_message(&room.guest, with_files(room.id, "", &[&kept])).await.unwrap();
    let gone = world.store.delete_message(&room.guest, None, message.id).await.unwrap();
    assert!(gone.attachments.is_empty());
    assert!(world.messages(&room.guest, room.id).await[0].attachments.is_empty());
    for actor in [&room.guest, &world.admin] {
        assert_err!(world.store.find_attachment(actor, file.id).await, StoreError::NotFound);
        let again = world.store.post_message(actor, with_files(room.id, "", &[&file])).await;
        assert_err!(again, StoreError::NoAttachment);
    }
    // At once, however young it is.
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [file.id]);
    world.store.discard_unsent_attachments(in_an_hour()).await.unwrap();
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [file.id], "until it is off the disk");
    world.store.forget_discarded_attachments(&[file.id, kept.id]).await.unwrap();
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), []);
    world.store.find_attachment(&world.admin, kept.id).await.unwrap();
}

pub async fn unsent_files_expire(world: World) {
    let room = world.room("Cleo").await;
    let sent = world.file(&room.guest, room.id, "sent.pdf").await;
    world.store.post_message(&room.guest, with_files(room.id, "", &[&sent])).await.unwrap();
    let unsent = world.file(&room.guest, room.id, "unsent.pdf").await;
    world.store.discard_unsent_attachments(Timestamp(now().0 - 60_000)).await.unwrap();
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), []);
    world.store.find_attachment(&room.guest, unsent.id).await.unwrap();
    world.store.discard_unsent_attachments(in_an_hour()).await.unwrap();
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [unsent.id]);
    assert_err!(world.store.find_attachment(&room.guest, unsent.id).await, StoreError::NotFound);
    world.store.find_attachment(&room.guest, sent.id).await.unwrap();
}

pub async fn an_account_sends_files_that_it_uploaded_as_a_guest(world: World) {
    let room = world.room("Cleo").await;
    let file = world.file(&room.guest, room.id, "one.pdf").await;
    let cleo = world.user("Cleo", Role::Customer).await;
    assert_eq!(world.store.adopt_links(cleo.id, &[room.link]).await.unwrap(), [room.id]);
    let cleo = Actor::Customer(cleo, vec![]);
    world.store.post_message(&cleo, with_files(room.id, "", &[&file])).await.unwrap();
}

pub async fn a_person_and_a_conversation_have_room_for_so_many_bytes(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let quota = |by_person, in_conversation, since| Quota { most: FileBytes { by_person, in_conversation }, since };
    let add = async |actor: &Actor, room, size_bytes, quota| {
        let file = Attachment { size_bytes, ..new_file("plan.pdf") };
        world.store.add_attachment(actor, room, file, quota).await
    };
    let bytes = async |actor: &Actor, room, since| {
        let FileBytes { by_person, in_conversation } = world.store.file_bytes(actor, room, since).await.unwrap();
        (by_person, in_conversation)
    };
    let long_ago = Timestamp(0);
    add(&room.guest, room.id, 60, quota(100, 200, long_ago)).await.unwrap();
    add(&room.guest, room.id, 40, quota(100, 200, long_ago)).await.unwrap();
    let one_more = add(&room.guest, room.id, 1, quota(100, 200, long_ago)).await;
    assert_err!(one_more, StoreError::QuotaUsed(Used::ByPerson));
    add(&room.guest, room.id, 1, quota(100, 200, in_an_hour())).await.unwrap();
    // Others have their own, but the conversation is the same.
    let too_many = add(&world.admin, room.id, 100, quota(100, 200, long_ago)).await;
    assert_err!(too_many, StoreError::QuotaUsed(Used::InConversation));
    add(&world.admin, room.id, 99, quota(100, 200, long_ago)).await.unwrap();
    add(&world.admin, other.id, 1, quota(100, 200, long_ago)).await.unwrap();
    add(&other.guest, other.id, 100, quota(100, 200, long_ago)).await.unwrap();

    assert_eq!(bytes(&room.guest, room.id, long_ago).await, (101, 200));
    assert_eq!(bytes(&room.guest, room.id, in_an_hour()).await, (0, 200));
    // An admin is the same person everywhere.
    assert_eq!(bytes(&world.admin, room.id, long_ago).await, (100, 200));
    assert_eq!(bytes(&world.admin, other.id, long_ago).await, (100, 101));
    assert_err!(world.store.file_bytes(&room.guest, other.id, long_ago).await, StoreError::NotFound);
    assert_eq!(world.store.all_file_bytes().await.unwrap(), 301);
}
