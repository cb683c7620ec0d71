//! Erasure and retention: the removed and the remaining data.

use super::world::*;

const FORMER: &str = "Former customer";

async fn erase(world: &World, email: &Email) -> Option<Erased> {
    let mut all: Option<Erased> = None;
    // Small steps: what a crash would leave between two of them is what the next one starts from.
    while let Some(step) = world.store.erase_customer(email, 3).await.unwrap() {
        let all = all.get_or_insert_default();
        all.conversations += step.conversations;
        all.messages += step.messages;
        all.files += step.files;
    }
    all
}

async fn expire(world: &World, before: Timestamp, how: Expiry) -> Vec<Expired> {
    let expired = world.store.list_expired(before, how, 100).await.unwrap();
    for what in &expired {
        while world.store.expire(*what, before, how, 3).await.unwrap() {}
    }
    assert_eq!(world.store.list_expired(before, how, 100).await.unwrap(), []);
    expired
}

async fn found(world: &World, word: &str) -> usize {
    world.store.search_messages(&world.admin, word, None, 100).await.unwrap().len()
}

pub async fn no_stored_hash_reveals_a_deleted_text(world: World) {
    let room = world.room("Cleo").await;
    let mut sent = Vec::new();
    for actor in [&room.guest, &world.admin] {
        let draft = draft(room.id, "secret");
        let message = world.store.post_message(actor, draft.clone()).await.unwrap().message;
        world.store.edit_message(actor, None, message.id, content("changed")).await.unwrap();
        world.store.delete_message(actor, None, message.id).await.unwrap();
        let guess = Draft { content: content("a guess"), ..draft };
        assert_err!(world.store.post_message(actor, guess.clone()).await, StoreError::Conflict);
        sent.push((actor.clone(), guess));
    }
    expire(&world, in_an_hour(), Expiry::Anonymise).await;
    let link = new_link();
    world.store.replace_link(&world.admin, room.id, link).await.unwrap();
    for (actor, guess) in sent {
        let actor = if actor.is_admin() { actor } else { Actor::Guest(vec![link.id]) };
        let posted = world.store.post_message(&actor, guess).await.unwrap();
        assert!(!posted.fresh, "every guess is as good as the next");
    }
}

pub async fn a_customer_is_erased_and_the_messages_of_admins_remain(world: World) {
    let cleo = world.user("Cleo", Role::Customer).await;
    let actor = Actor::Customer(cleo.clone(), vec![]);
    let request = world.request(&actor, "Walnut shelf").await;
    let room = world.open(&actor, request.id).await;
    for n in 0..7 {
        world.post(&actor, room, &format!("walnut {n}")).await;
        world.post(&world.admin, room, &format!("answer {n}")).await;
    }
    let file = world.file(&actor, room, "plan.pdf").await;
    let unsent = world.file(&actor, room, "unsent.pdf").await;
    let with_file = Draft { attachments: vec![file.id], ..draft(room, "walnut plan") };
    world.store.post_message(&actor, with_file).await.unwrap();
    let deleted = world.post(&actor, room, "walnut, deleted").await;
    world.store.delete_message(&actor, None, deleted.id).await.unwrap();
    world.set_request(&world.admin, request.id, RequestStatus::InProgress).await;
    let other = world.customer("Other").await;
    let other_request = world.request(&other, "Walnut stool").await;
    let other_room = world.open(&other, other_request.id).await;
    world.post(&other, other_room, "walnut, of another").await;
    let session = world.store.create_session(new_session(hash(), Some(cleo.id), &[], in_an_hour())).await.unwrap();
    let before = world.messages(&world.admin, room).await;
    let head = world.seat(&world.admin, room).await.conversation.head;
    let heard = world.store.last_notice().await.unwrap();

    let erased = erase(&world, &cleo.email).await;
    assert_eq!(erased, Some(Erased { conversations: 1, messages: 9, files: 2 }));
    assert_eq!(erase(&world, &cleo.email).await, None);

    let after = world.messages(&world.admin, room).await;
    assert_eq!(after.len(), before.len());
    for (before, after) in before.iter().zip(&after) {
        if before.sender_type == SenderType::Admin {
            assert_eq!(before, after);
        } else {
            assert_eq!((after.id, after.seq, after.sender_id), (before.id, before.seq, before.sender_id));
            assert_eq!((&*after.content, &*after.sender_name), ("", FORMER));
            assert!(after.deleted_at.is_some() && after.attachments.is_empty() && after.rev > head, "{after:?}");
        }
    }
    // A client that is up to date receives each change once, in the order of rev.
    let changes = world.store.list_after(&world.admin, room, head, 100).await.unwrap();
    assert_eq!(
        changes.messages.iter().map(|message| message.rev).collect::<Vec<_>>(),
        (head + 1..=head + 9).collect::<Vec<_>>()
    );
    let conversation = world.seat(&world.admin, room).await.conversation;
    assert_eq!((conversation.head, changes.head), (head + 10, head + 10), "the last is the conversation's own");
    assert_eq!((&*conversation.customer_name, conversation.customer_email), (FORMER, None));
    assert_eq!(conversation.last_message.as_deref(), Some("Status set to “In progress”."));
    let people = world.people(&world.admin, room).await;
    assert!(people.iter().all(|person| person.name != "Cleo"), "{people:?}");
    let request = world.store.find_request(&world.admin, request.id).await.unwrap();
    assert_eq!((&*request.title, &*request.description, &*request.customer_name), ("Removed", "Removed", FORMER));
    assert_eq!(request.status, RequestStatus::InProgress);

    assert!(world.store.find_user_by_email(&cleo.email).await.unwrap().is_none());
    assert_err!(world.store.find_conversation(&actor, room).await, StoreError::NotFound);
    assert!(world.store.list_users(None, 100).await.unwrap().iter().all(|user| user.name.as_str() != FORMER));
    assert_eq!(found(&world, "walnut").await, 1, "the other customer's");
    assert_eq!(found(&world, "answer").await, 7);
    let mut discarded = world.store.list_discarded_attachments(10).await.unwrap();
    discarded.sort_unstable();
    assert_eq!(discarded, [file.id, unsent.id]);
    let notices: Vec<_> =
        world.store.list_notices(heard, 100).await.unwrap().into_iter().map(|(_, notice)| notice).collect();
    for notice in
        [Notice::Session(session), Notice::User(cleo.id), Notice::Conversation { id: room, rev: Some(head + 10) }]
    {
        assert!(notices.contains(&notice), "{notice:?} in {notices:?}");
    }
    assert_eq!(world.messages(&other, other_room).await.len(), 1);
    while world.store.forget_deleted_words(false).await.unwrap() {}
    assert_eq!(found(&world, "walnut").await, 1);
    assert_eq!(world.post(&world.admin, room, "and on").await.rev, head + 11);

    // The address is free again, and its next account finds nothing.
    let again = Actor::Customer(world.user("Cleo", Role::Customer).await, vec![]);
    assert!(world.store.list_requests(&again, &RequestFilter::default(), None, 10).await.unwrap().is_empty());
}

pub async fn a_customer_without_an_account_is_erased_too(world: World) {
    let email = Email::parse("email", "guest@example.com").unwrap();
    let link = new_link();
    let new = NewConversation {
        customer_email: Some(email.clone()),
        metadata: serde_json::json!({ "order": "for the guest" }),
        link,
        ..new_conversation("Wilhelmina")
    };
    let room = new.id;
    world.store.open_conversation(&world.admin, new).await.unwrap();
    let guest = Actor::Guest(vec![link.id]);
    let other = world.room("Other").await;
    world.post(&guest, room, "hello").await;
    world.post(&other.guest, other.id, "hello").await;
    let only = hash();
    let session = world.store.create_session(new_session(only, None, &[link.id], in_an_hour())).await.unwrap();
    let both = hash();
    world.store.create_session(new_session(both, None, &[link.id, other.link], in_an_hour())).await.unwrap();
    let heard = world.store.last_notice().await.unwrap();
    assert_eq!(world.store.list_conversations_of(&email).await.unwrap(), [room]);

    assert_eq!(erase(&world, &email).await, Some(Erased { conversations: 1, messages: 1, files: 0 }));
    assert_eq!(world.store.list_conversations_of(&email).await.unwrap(), []);
    assert_err!(world.store.find_conversation(&guest, room).await, StoreError::NotFound);
    assert!(world.store.find_link(link.hash).await.unwrap().is_none());
    assert!(find_session(&*world.store, only).await.is_none());
    assert_eq!(find_session(&*world.store, both).await.unwrap().links, [other.link]);
    let notices: Vec<_> =
        world.store.list_notices(heard, 100).await.unwrap().into_iter().map(|(_, notice)| notice).collect();
    assert_eq!(
        notices,
        [Notice::Link(link.id), Notice::Session(session), Notice::Conversation { id: room, rev: Some(4) }]
    );
    let conversation = world.seat(&world.admin, room).await.conversation;
    assert_eq!((&*conversation.customer_name, conversation.metadata), (FORMER, serde_json::Value::Null));
    let filter = ConversationFilter { search: Some("wilhel".into()), ..ConversationFilter::default() };
    assert!(world.store.list_conversations(&world.admin, &filter, None, 10).await.unwrap().is_empty());
    assert_eq!(world.messages(&other.guest, other.id).await[0].content, "hello");
}

pub async fn admins_are_not_erased(world: World) {
    let email = world.admin.user().unwrap().email.clone();
    assert_err!(world.store.erase_customer(&email, 10).await, StoreError::Forbidden);
    assert!(world.store.find_user_by_email(&email).await.unwrap().is_some());
    let nobody = Email::parse("email", "nobody@example.com").unwrap();
    assert_eq!(world.store.erase_customer(&nobody, 10).await.unwrap(), None);
}

pub async fn an_erased_former_admin_loses_assignments(world: World) {
    let second = world.other_admin().await;
    let (user, room) = (second.user().unwrap().clone(), world.room("Cleo").await);
    world.store.assign(&world.admin, room.id, Some(user.id)).await.unwrap();
    world.post(&second, room.id, "from the business").await;
    world.store.set_role(world.admin.user_id().unwrap(), user.id, Role::Customer).await.unwrap();
    let heard = world.store.last_notice().await.unwrap();
    assert_eq!(erase(&world, &user.email).await, Some(Erased::default()));
    let conversation = world.seat(&world.admin, room.id).await.conversation;
    assert_eq!((conversation.assignee_id, conversation.head), (None, 4));
    let message = &world.messages(&world.admin, room.id).await[0];
    assert_eq!((&*message.content, &*message.sender_name), ("from the business", "Second"));
    let notices: Vec<_> =
        world.store.list_notices(heard, 100).await.unwrap().into_iter().map(|(_, notice)| notice).collect();
    assert_eq!(notices, [Notice::Conversation { id: room.id, rev: Some(4) }, Notice::User(user.id)]);
}

/// A conversation without activity for long, with a file, and one that is in use.
async fn old_and_new(world: &World) -> (Room, Attachment, Room) {
    let old = world.room("Cleo").await;
    for n in 0..7 {
        world.post(&old.guest, old.id, &format!("walnut {n}")).await;
    }
    let file = world.file(&old.guest, old.id, "plan.pdf").await;
    let with_file = Draft { attachments: vec![file.id], ..draft(old.id, "plan") };
    world.store.post_message(&old.guest, with_file).await.unwrap();
    world.post(&world.admin, old.id, "walnut it is").await;
    world.backend.set_every_updated_at(Timestamp(1_000)).await;
    let new = world.room("Dora").await;
    world.post(&new.guest, new.id, "walnut too").await;
    (old, file, new)
}

pub async fn expired_conversations_are_deleted(world: World) {
    let (old, file, new) = old_and_new(&world).await;
    let heard = world.store.last_notice().await.unwrap();
    assert_eq!(world.store.list_expired(Timestamp(1_000), Expiry::Delete, 10).await.unwrap(), []);
    assert_eq!(expire(&world, Timestamp(1_001), Expiry::Delete).await, [Expired::Conversation(old.id)]);
    for actor in [&world.admin, &old.guest] {
        assert_err!(world.store.find_conversation(actor, old.id).await, StoreError::NotFound);
    }
    assert!(world.store.find_link(old.link_hash).await.unwrap().is_none());
    assert_eq!(found(&world, "walnut").await, 1);
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [file.id]);
    let notices: Vec<_> =
        world.store.list_notices(heard, 100).await.unwrap().into_iter().map(|(_, notice)| notice).collect();
    assert_eq!(notices, [Notice::Link(old.link), Notice::Conversation { id: old.id, rev: None }]);
    assert_eq!(world.messages(&new.guest, new.id).await.len(), 1);

    // Somebody writes between the listing and the deletion.
    world.backend.set_every_updated_at(Timestamp(1_000)).await;
    let expired = world.store.list_expired(Timestamp(1_001), Expiry::Delete, 10).await.unwrap();
    assert_eq!(expired, [Expired::Conversation(new.id)]);
    world.post(&new.guest, new.id, "I am still here").await;
    assert!(!world.store.expire(expired[0], Timestamp(1_001), Expiry::Delete, 10).await.unwrap());
    assert_eq!(world.messages(&new.guest, new.id).await.len(), 2);
}

pub async fn expired_conversations_are_anonymised_once(world: World) {
    let (old, file, new) = old_and_new(&world).await;
    let head = world.seat(&world.admin, old.id).await.conversation.head;
    assert_eq!(expire(&world, Timestamp(1_001), Expiry::Anonymise).await, [Expired::Conversation(old.id)]);
    let messages = world.messages(&world.admin, old.id).await;
    assert_eq!(
        messages.iter().map(|message| message.rev).collect::<Vec<_>>(),
        (head + 1..=head + 9).collect::<Vec<_>>()
    );
    assert!(messages.iter().all(|message| message.content.is_empty() && message.deleted_at.is_some()));
    assert_eq!((&*messages[0].sender_name, &*messages[8].sender_name), (FORMER, "Ada"));
    let conversation = world.seat(&world.admin, old.id).await.conversation;
    assert_eq!((&*conversation.customer_name, conversation.last_message), (FORMER, None));
    assert_eq!((conversation.head, conversation.updated_at), (head + 10, Timestamp(1_000)));
    assert_err!(world.store.find_conversation(&old.guest, old.id).await, StoreError::NotFound);
    assert_eq!(found(&world, "walnut").await, 1);
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [file.id]);
    assert_eq!(world.messages(&new.guest, new.id).await[0].content, "walnut too");

    // What is written there later is old some day, too.
    world.post(&world.admin, old.id, "a note").await;
    assert_eq!(expire(&world, in_an_hour(), Expiry::Anonymise).await.len(), 2);
    assert_eq!(world.messages(&world.admin, old.id).await[9].content, "");
}

pub async fn requests_in_progress_do_not_expire(world: World) {
    let cleo = world.customer("Cleo").await;
    let mut requests = Vec::new();
    for (title, status) in [("done", RequestStatus::Done), ("under way", RequestStatus::InProgress)] {
        for has_chat in [true, false] {
            let request = world.request(&cleo, title).await.id;
            world.set_request(&world.admin, request, status).await;
            let room = if has_chat { Some(world.open(&cleo, request).await) } else { None };
            requests.push((request, room));
        }
    }
    world.backend.set_every_updated_at(Timestamp(1_000)).await;
    for (request, _) in &requests {
        world.backend.set_request_times(*request, Timestamp(1_000), Timestamp(1_000)).await;
    }
    // Its chat is old, and it is not.
    let young = world.request(&cleo, "young").await.id;
    let young_room = world.open(&cleo, young).await;
    world.set_request(&world.admin, young, RequestStatus::Done).await;

    let [(done, Some(room)), (alone, None), (under_way, _), (_, _)] = requests[..] else { panic!("{requests:?}") };
    let expected = [Expired::Conversation(room), Expired::Request(alone)];
    assert_eq!(expire(&world, Timestamp(1_001), Expiry::Anonymise).await, expected);
    assert_err!(world.store.find_request(&cleo, done).await, StoreError::NotFound);
    for request in [done, alone] {
        let request = world.store.find_request(&world.admin, request).await.unwrap();
        assert_eq!((&*request.title, &*request.customer_name), ("Removed", FORMER));
    }
    assert_eq!(expire(&world, Timestamp(1_001), Expiry::Delete).await, expected);
    for request in [done, alone] {
        assert_err!(world.store.find_request(&world.admin, request).await, StoreError::NotFound);
    }
    assert_eq!(world.store.find_request(&cleo, under_way).await.unwrap().title, "under way");
    assert_eq!(world.messages(&cleo, young_room).await.len(), 1);
}
