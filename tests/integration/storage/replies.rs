use bespoken::domain::{MAX_REPLIES, Quote};

use super::world::*;

async fn reply(world: &World, actor: &Actor, room: ConversationId, text: &str, to: MessageId) -> Message {
    let draft = Draft { reply_to: Some(to), ..draft(room, text) };
    world.store.post_message(actor, draft).await.unwrap().message
}

fn quote(message: &Message) -> (MessageId, i64, &str, &str) {
    let Quote { id, seq, sender_name, excerpt, .. } = message.reply_to.as_deref().unwrap();
    (*id, *seq, sender_name, excerpt)
}

pub async fn a_reply_shows_the_message_as_it_is_now(world: World) {
    let room = world.room("Cleo").await;
    let asked = world.post(&room.guest, room.id, "How long\nwill it take?").await;
    let other = world.post(&room.guest, room.id, "And how much?").await;
    let first = reply(&world, &world.admin, room.id, "Two weeks.", asked.id).await;
    let second = reply(&world, &room.guest, room.id, "Or less?", asked.id).await;
    reply(&world, &world.admin, room.id, "Later.", other.id).await;
    assert_eq!(quote(&first), (asked.id, 1, "Cleo", "How long will it take?"));
    assert_eq!(world.messages(&world.admin, room.id).await[2], first);

    let mut commits = world.store.commits().unwrap();
    let edited = world.store.edit_message(&room.guest, None, asked.id, content("How long?")).await.unwrap();
    let stored = world.messages(&room.guest, room.id).await;
    for (at, reply) in [(2, &first), (3, &second)] {
        assert_eq!(quote(&stored[at]), (asked.id, 1, "Cleo", "How long?"));
        assert_eq!((stored[at].rev, stored[at].edited_at), (edited.rev + at as i64 - 1, None), "in the order of seq");
        assert_eq!(stored[at].content, reply.content);
    }
    assert_eq!(quote(&stored[4]), (other.id, 2, "Cleo", "And how much?"));
    assert_eq!(stored[4].rev, 6, "replies to other messages keep their rev");
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, edited.rev + 2);
    let published: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert_eq!(published.iter().map(|commit| commit.rev).collect::<Vec<_>>(), [7, 8, 9]);
    assert!(published.iter().all(|commit| matches!(commit.change, Change::Edited(_))));
    let last = world.store.list_after(&world.admin, room.id, 7, 10).await.unwrap().messages;
    assert_eq!(
        last.iter().map(|it| Change::last_of(it.clone())).collect::<Vec<_>>(),
        [Change::Edited(stored[2].clone()), Change::Edited(stored[3].clone())]
    );

    world.store.delete_message(&world.admin, None, asked.id).await.unwrap();
    assert_eq!(quote(&world.messages(&room.guest, room.id).await[2]), (asked.id, 1, "Cleo", ""));
    let late = reply(&world, &world.admin, room.id, "Written before it was deleted.", asked.id).await;
    assert_eq!(quote(&late).3, "");

    world.store.delete_message(&world.admin, None, first.id).await.unwrap();
    assert_eq!(world.messages(&room.guest, room.id).await[2].reply_to, None, "a deleted reply quotes nothing");
}

pub async fn a_reply_goes_to_a_message_of_its_conversation(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Ben").await);
    let theirs = world.post(&other.guest, other.id, "a secret").await;
    for id in [theirs.id, MessageId::new()] {
        for actor in [&room.guest, &world.admin] {
            let draft = Draft { reply_to: Some(id), ..draft(room.id, "hello") };
            let refused = world.store.post_message(actor, draft).await;
            assert!(matches!(refused, Err(StoreError::NotFound)), "{refused:?}");
        }
    }
    assert_eq!(world.messages(&world.admin, room.id).await, []);
    let image = world.file(&other.guest, other.id, "plan.png").await;
    let with_file = Draft {
        attachments: vec![image.id],
        content: Content::beside_files("", 100).unwrap(),
        ..draft(other.id, "replaced")
    };
    let sent = world.store.post_message(&other.guest, with_file).await.unwrap().message;
    assert_eq!(quote(&reply(&world, &world.admin, other.id, "Nice.", sent.id).await).3, "plan.png");
}

pub async fn a_reply_is_part_of_what_was_sent(world: World) {
    let room = world.room("Cleo").await;
    let (one, two) = (world.post(&room.guest, room.id, "one").await, world.post(&room.guest, room.id, "two").await);
    let sent = Draft { reply_to: Some(one.id), ..draft(room.id, "yes") };
    let stored = world.store.post_message(&world.admin, sent.clone()).await.unwrap().message;
    for _ in 0..2 {
        assert!(!world.store.post_message(&world.admin, sent.clone()).await.unwrap().fresh);
        for reply_to in [None, Some(two.id)] {
            let refused = world.store.post_message(&world.admin, Draft { reply_to, ..sent.clone() }).await;
            assert!(matches!(refused, Err(StoreError::Conflict)), "{refused:?}");
        }
        world.store.edit_message(&world.admin, None, stored.id, content("no")).await.unwrap();
    }
    world.store.delete_message(&world.admin, None, stored.id).await.unwrap();
    assert!(!world.store.post_message(&world.admin, sent).await.unwrap().fresh);
}

pub async fn a_message_has_a_limited_number_of_replies(world: World) {
    let room = world.room("Cleo").await;
    let asked = world.post(&room.guest, room.id, "Which?").await;
    for n in 0..MAX_REPLIES {
        reply(&world, &world.admin, room.id, &n.to_string(), asked.id).await;
    }
    let more = Draft { reply_to: Some(asked.id), ..draft(room.id, "more") };
    let refused = world.store.post_message(&world.admin, more.clone()).await;
    assert!(matches!(refused, Err(StoreError::TooManyReplies)), "{refused:?}");
    world.store.post_message(&world.admin, Draft { reply_to: None, ..more }).await.unwrap();
    let head = world.seat(&world.admin, room.id).await.conversation.head;
    world.store.edit_message(&room.guest, None, asked.id, content("Which one?")).await.unwrap();
    assert_eq!(world.seat(&world.admin, room.id).await.conversation.head, head + 1 + MAX_REPLIES);
}
