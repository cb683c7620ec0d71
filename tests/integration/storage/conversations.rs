use std::collections::HashSet;

use futures_util::StreamExt;

use super::world::*;

async fn list(world: &World, actor: &Actor, filter: ConversationFilter) -> Vec<String> {
    let seats = world.store.list_conversations(actor, &filter, None, 100).await.unwrap();
    seats.into_iter().map(|seat| seat.conversation.customer_name).collect()
}

/// The whole list, loaded part by part.
async fn list_in_parts(world: &World, actor: &Actor, filter: &ConversationFilter, limit: i64) -> Vec<Seat> {
    let (mut all, mut cursor) = (Vec::new(), None);
    loop {
        let part = world.store.list_conversations(actor, filter, cursor, limit).await.unwrap();
        let Some(Seat { conversation, .. }) = part.last() else { return all };
        cursor = Some(Cursor { updated_at: conversation.updated_at, id: conversation.id });
        all.extend(part);
    }
}

pub async fn several_are_found_at_once_by_those_who_may_see_them(world: World) {
    let (ada, cleo, other) = (world.room("Ada").await, world.room("Cleo").await, world.room("Other").await);
    world.post(&world.admin, ada.id, "one").await;
    let asked = [cleo.id, ConversationId::new(), ada.id];
    let found = async |actor: &Actor| {
        let seats = world.store.find_conversations(actor, &asked).await.unwrap();
        let mut found: Vec<_> = seats.into_iter().map(|seat| seat.conversation).collect();
        found.sort_by_key(|conversation| conversation.customer_name.clone());
        found
    };
    let seen = async |actor, id| world.seat(actor, id).await.conversation;
    assert_eq!(found(&world.admin).await, [seen(&world.admin, ada.id).await, seen(&world.admin, cleo.id).await]);
    assert_eq!(found(&ada.guest).await, [seen(&ada.guest, ada.id).await]);
    assert_eq!(found(&other.guest).await, []);
    assert_eq!(world.store.find_conversations(&world.admin, &[]).await.unwrap().len(), 0);
}

pub async fn heads_are_returned_for_existing_conversations(world: World) {
    let (ada, cleo) = (world.room("Ada").await.id, world.room("Cleo").await.id);
    world.post(&world.admin, ada, "one").await;
    let mut heads = world.store.heads(&[cleo, ConversationId::new(), ada]).await.unwrap();
    heads.sort_unstable();
    assert_eq!(heads, [(ada, 2), (cleo, 1)]);
    assert_eq!(world.store.heads(&[]).await.unwrap(), []);
}

pub async fn recently_active_conversations_are_listed(world: World) {
    let (ada, cleo) = (world.room("Ada").await.id, world.room("Cleo").await.id);
    world.post(&world.admin, ada, "one").await;
    let active_since = async |id| world.seat(&world.admin, id).await.conversation.updated_at;
    let all = world.store.list_active(active_since(cleo).await, 10).await.unwrap();
    assert!(all.contains(&(ada, 2)) && all.contains(&(cleo, 1)), "{all:?}");
    assert!(world.store.list_active(active_since(ada).await, 10).await.unwrap().contains(&(ada, 2)));
    assert_eq!(world.store.list_active(active_since(cleo).await, 1).await.unwrap().len(), 1);
    let later = Timestamp(active_since(ada).await.0 + 1);
    assert_eq!(world.store.list_active(later, 10).await.unwrap(), []);
}

pub async fn opening_is_the_first_rev(world: World) {
    let mut commits = world.store.commits().unwrap();
    let new = NewConversation {
        customer_email: Some(Email::parse("email", "cleo@example.com").unwrap()),
        ..new_conversation("Cleo")
    };
    let seat = world.store.open_conversation(&world.admin, new.clone()).await.unwrap();
    let conversation = &seat.conversation;
    assert_eq!((conversation.id, conversation.kind), (new.id, ConversationKind::Session));
    assert_eq!((conversation.status, conversation.request_id), (ConversationStatus::Open, None));
    assert_eq!((conversation.head, conversation.last_seq, conversation.unread), (1, 0, 0));
    assert_eq!(
        (&*conversation.customer_name, conversation.customer_email.as_deref()),
        ("Cleo", Some("cleo@example.com"))
    );
    assert_eq!((&conversation.last_message, conversation.assignee_id), (&None, None));
    assert_eq!((conversation.closed_at, &conversation.closed_by), (None, &None));
    assert_eq!(conversation.created_at, conversation.updated_at);
    assert_eq!((&conversation.link, conversation.customer_online), (&None, None));
    assert_eq!(seat.link, Some(new.link.id));
    assert_eq!(world.seat(&world.admin, new.id).await.conversation, *conversation);

    let told = commits.try_recv().unwrap();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].conversation_id, told[0].rev), (new.id, 1));
    assert!(matches!(told[0].change, Change::Conversation));

    let people: HashSet<_> = world
        .people(&world.admin, new.id)
        .await
        .into_iter()
        .map(|person| (person.id, person.kind, person.name, person.online, person.last_seen_at))
        .map(|(id, kind, name, online, seen)| {
            assert_eq!((online, seen), (false, None));
            (id, kind as u8, name)
        })
        .collect();
    let ada = world.admin.user().unwrap();
    assert_eq!(
        people,
        HashSet::from([
            (ada.id.into(), ParticipantKind::Admin as u8, "Ada".to_owned()),
            (ParticipantId::stored(new.id.0), ParticipantKind::Guest as u8, "Cleo".to_owned()),
        ])
    );

    let ben = Actor::Customer(world.user("Ben", Role::Customer).await, vec![]);
    for actor in [ben, Actor::Guest(vec![new.link.id])] {
        let refused = new_conversation("Mine");
        assert_err!(world.store.open_conversation(&actor, refused.clone()).await, StoreError::Forbidden);
        assert_err!(world.store.find_conversation(&world.admin, refused.id).await, StoreError::NotFound);
    }
    // The same id again is a mistake of the caller, and changes nothing.
    let again = NewConversation { link: new_link(), ..new.clone() };
    assert_err!(world.store.open_conversation(&world.admin, again).await, StoreError::IdTaken);
    assert_eq!(world.seat(&world.admin, new.id).await.link, Some(new.link.id));
}

pub async fn closing_and_reopening(world: World) {
    let room = world.room("Cleo").await;
    let mut commits = world.store.commits().unwrap();
    let closed = world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap().conversation;
    assert_eq!((closed.status, closed.head), (ConversationStatus::Closed, 2));
    assert_eq!(closed.closed_by.as_deref(), Some("Ada"));
    assert!(closed.closed_at.is_some_and(|at| at >= closed.created_at));

    // Closing it again changes nothing.
    let grace = Actor::Admin(world.user("Grace", Role::Admin).await);
    let again = world.store.set_status(&grace, room.id, ConversationStatus::Closed).await.unwrap();
    assert_eq!(again.conversation, closed);

    let open = world.store.set_status(&world.admin, room.id, ConversationStatus::Open).await.unwrap().conversation;
    assert_eq!((open.status, open.head, open.closed_at, open.closed_by), (ConversationStatus::Open, 3, None, None));
    world.post(&room.guest, room.id, "hello").await;

    let revs: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev).collect();
    assert_eq!(revs, [2, 3, 4]);
}

pub async fn assigning(world: World) {
    let room = world.room("Cleo").await;
    let mut commits = world.store.commits().unwrap();
    let grace = world.user("Grace", Role::Admin).await;
    for _ in 0..2 {
        let seat = world.store.assign(&world.admin, room.id, Some(grace.id)).await.unwrap();
        assert_eq!((seat.conversation.assignee_id, seat.conversation.head), (Some(grace.id.into()), 2));
    }
    let ben = world.user("Ben", Role::Customer).await;
    for nobody in [ben.id, UserId::new()] {
        assert_err!(world.store.assign(&world.admin, room.id, Some(nobody)).await, StoreError::NotFound);
    }
    for _ in 0..2 {
        let seat = world.store.assign(&world.admin, room.id, None).await.unwrap();
        assert_eq!((seat.conversation.assignee_id, seat.conversation.head), (None, 3));
    }
    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev).collect();
    assert_eq!(told, [2, 3]);
}

pub async fn activity_orders_the_list(world: World) {
    let (one, two) = (world.room("One").await, world.room("Two").await);
    let message = world.post(&world.admin, one.id, "hello").await;
    let long_ago = Timestamp(1);
    world.backend.set_every_updated_at(long_ago).await;

    // These calls are no activity.
    world.store.edit_message(&world.admin, None, message.id, content("hi")).await.unwrap();
    world.store.read_up_to(&one.guest, one.id, 1).await.unwrap();
    world.store.join(&one.guest, one.id).await.unwrap();
    world.store.replace_link(&world.admin, one.id, new_link()).await.unwrap();
    world.store.delete_message(&world.admin, None, message.id).await.unwrap();
    assert_eq!(world.seat(&world.admin, one.id).await.conversation.updated_at, long_ago);

    // These calls are.
    for n in 0..4 {
        world.backend.set_every_updated_at(long_ago).await;
        let room = if n % 2 == 0 { &one } else { &two };
        match n {
            0 => drop(world.post(&world.admin, room.id, "hello").await),
            1 => drop(world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap()),
            2 => drop(world.store.assign(&world.admin, room.id, world.admin.user_id()).await.unwrap()),
            _ => drop(world.store.set_status(&world.admin, room.id, ConversationStatus::Open).await.unwrap()),
        }
        let names = list(&world, &world.admin, ConversationFilter::default()).await;
        assert_eq!(names, if n % 2 == 0 { ["One", "Two"] } else { ["Two", "One"] }, "{n}");
    }
}

pub async fn lists_are_filtered_and_counted(world: World) {
    let mut links = Vec::new();
    for name in ["One", "Two", "Three"] {
        links.push(world.room(name).await);
    }
    world.store.set_status(&world.admin, links[0].id, ConversationStatus::Closed).await.unwrap();
    let guest = Actor::Guest(links[..2].iter().map(|room| room.link).collect());

    for (actor, open, closed) in [(&world.admin, &["Three", "Two"][..], 1), (&guest, &["Two"][..], 1)] {
        let counts = world.store.count_conversations(actor).await.unwrap();
        assert_eq!(counts, StatusCounts { open: i64::try_from(open.len()).unwrap(), closed });
        let filter = ConversationFilter { status: Some(ConversationStatus::Open), ..Default::default() };
        let names: HashSet<_> = list(&world, actor, filter).await.into_iter().collect();
        assert_eq!(names, open.iter().map(|name| (*name).to_owned()).collect());
        let filter = ConversationFilter { status: Some(ConversationStatus::Closed), ..Default::default() };
        assert_eq!(list(&world, actor, filter).await, ["One"]);

        let session = ConversationFilter { kind: Some(ConversationKind::Session), ..Default::default() };
        assert_eq!(list(&world, actor, session).await.len(), open.len() + 1);
        let request = ConversationFilter { kind: Some(ConversationKind::Request), ..Default::default() };
        assert_eq!(list(&world, actor, request).await.len(), 0);
        assert_eq!(
            world.store.list_conversations(actor, &ConversationFilter::default(), None, 0).await.unwrap().len(),
            0
        );
        assert_eq!(
            world.store.list_conversations(actor, &ConversationFilter::default(), None, 1).await.unwrap().len(),
            1
        );
    }
    assert_eq!(world.store.count_conversations(&Actor::Guest(vec![])).await.unwrap(), StatusCounts::default());
}

pub async fn search_is_literal_and_in_any_case(world: World) {
    let email = Some(Email::parse("email", "maria@example.com").unwrap());
    let new = NewConversation { customer_email: email, ..new_conversation("María_O'Neil 100%") };
    let (maria, link) = (new.id, new.link.id);
    world.store.open_conversation(&world.admin, new).await.unwrap();
    let other = world.room("Mara").await;
    world.post(&world.admin, maria, "Words of messages are found by the search in messages").await;

    let search = async |actor: &Actor, text: &str| {
        list(&world, actor, ConversationFilter { search: Some(text.to_owned()), ..Default::default() }).await.len()
    };
    for actor in [&world.admin, &Actor::Guest(vec![link, other.link])] {
        for found in ["maría", "MARÍA_", "maria_", "mari\u{301}a", "o'n", "100%", "  o'neil ", "ía_o", "%", "í"] {
            assert_eq!(search(actor, found).await, 1, "{found:?}");
        }
        for address in ["MARIA@", "maria@example.com", "example", "%\nm"] {
            let expected = usize::from(actor.is_admin());
            assert_eq!(
                search(actor, address).await,
                expected,
                "nobody with the link tries the address out: {address:?}"
            );
        }
        for missing in [
            "words",
            "100_",
            "_o_",
            "m%a",
            "m_r",
            "*",
            "mar*",
            "neil\nmaria x",
            "\"mara\"",
            "mar\" or \"mar",
            "a\0b",
            "mar\0",
            "mara or maría",
            &"long ".repeat(20_000),
        ] {
            assert_eq!(search(actor, missing).await, 0, "{missing:?}");
        }
        for all in ["", "  ", "ma", "MAR"] {
            assert_eq!(search(actor, all).await, 2, "{all:?}");
        }
    }
}

pub async fn search_knows_no_accents_and_no_normal_form(world: World) {
    let names =
        ["Andr\u{e9}", "Andre\u{301}", "ANDR\u{c9}", "An\u{ad}dre", "Nguy\u{1ec5}n", "\u{d64d}\u{ae38}\u{b3d9}"];
    for name in names {
        world.room(name).await;
    }
    for (text, count) in [
        ("andre", 4),
        ("andr\u{e9}", 4),
        ("ANDRE\u{301}", 4),
        ("NDR\u{c9}", 4),
        ("nguyen", 1),
        ("nguye\u{302}\u{303}n", 1),
        ("\u{1112}\u{1169}\u{11bc}\u{1100}\u{1175}\u{11af}", 1),
        ("andro", 0),
    ] {
        let filter = ConversationFilter { search: Some(text.to_owned()), ..Default::default() };
        assert_eq!(list(&world, &world.admin, filter).await.len(), count, "{text:?}");
    }
    for (name, email) in [("Ren\u{e9}e", "r@example.com"), ("Rene\u{301}e", "s@example.com")] {
        world.store.create_user(new_user(email, name, Role::Customer)).await.unwrap();
    }
    for text in ["renee", "REN\u{c9}E", "rene\u{301}e"] {
        assert_eq!(world.store.list_users(Some(text), 9).await.unwrap().len(), 2, "{text:?}");
    }
}

/// SQLite queries an index of names for rare texts, and scans the list for others. Both must return the same.
pub async fn searches_find_the_same_however_many_there_are(world: World) {
    const MANY: usize = 1_100;
    let is_closed = |n: usize| n.is_multiple_of(3);
    let world = &world;
    let opened = futures_util::stream::iter(1..=MANY).map(async |n| {
        let room = world.room(&format!("Person {n}")).await;
        if is_closed(n) {
            world.store.set_status(&world.admin, room.id, ConversationStatus::Closed).await.unwrap();
        }
    });
    opened.buffer_unordered(64).collect::<Vec<()>>().await;

    for text in ["person", "SON 1", "son 11", "son 109", "1099", "nobody"] {
        for status in [None, Some(ConversationStatus::Open), Some(ConversationStatus::Closed)] {
            let filter = ConversationFilter { status, search: Some(text.to_owned()), ..Default::default() };
            let found = list_in_parts(world, &world.admin, &filter, 100).await;
            let place = |seat: &Seat| (seat.conversation.updated_at, seat.conversation.id);
            assert!(found.is_sorted_by(|one, other| place(one) > place(other)), "{text:?} is out of order");
            let mut names: Vec<_> = found.into_iter().map(|seat| seat.conversation.customer_name).collect();
            let name = |n: usize| format!("Person {n}");
            let fits = |n: &usize| {
                name(*n).to_lowercase().contains(&text.to_lowercase())
                    && status.is_none_or(|status| is_closed(*n) == (status == ConversationStatus::Closed))
            };
            let mut expected: Vec<_> = (1..=MANY).filter(fits).map(name).collect();
            expected.sort_unstable();
            names.sort_unstable();
            assert_eq!(names, expected, "{text:?} {status:?}");
        }
    }
}

pub async fn paging_visits_each_once(world: World) {
    let mut links = Vec::new();
    let mut ids = HashSet::new();
    for n in 0..25 {
        let room = world.room(&format!("Customer {n}")).await;
        links.push(room.link);
        ids.insert(room.id);
    }
    // All at the same moment: only the id distinguishes them.
    world.backend.set_every_updated_at(Timestamp(1_000)).await;
    for actor in [&world.admin, &Actor::Guest(links)] {
        for status in [None, Some(ConversationStatus::Open)] {
            let filter = ConversationFilter { status, ..Default::default() };
            let visited = list_in_parts(&world, actor, &filter, 4).await;
            let visited: Vec<_> = visited.into_iter().map(|seat| seat.conversation.id).collect();
            assert!(visited.is_sorted_by(|a, b| a > b));
            assert_eq!(visited.len(), 25);
            assert_eq!(visited.into_iter().collect::<HashSet<_>>(), ids);
        }
    }
}

pub async fn links_live_one_at_a_time(world: World) {
    let room = world.room("Cleo").await;
    let found = world.store.find_link(room.link_hash).await.unwrap();
    assert_eq!(found, Some(Link { id: room.link, conversation_id: room.id }));
    assert_eq!(world.store.find_link(hash()).await.unwrap(), None);

    let second = NewLink { expires_at: Some(in_an_hour()), ..new_link() };
    assert_eq!(world.store.replace_link(&world.admin, room.id, second).await.unwrap(), [room.link]);
    assert_eq!(world.store.find_link(room.link_hash).await.unwrap(), None);
    assert_eq!(world.store.find_link(second.hash).await.unwrap().map(|link| link.id), Some(second.id));
    assert_eq!(world.seat(&world.admin, room.id).await.link, Some(second.id));

    let expired = NewLink { expires_at: Some(just_over()), ..new_link() };
    world.store.replace_link(&world.admin, room.id, expired).await.unwrap();
    assert_eq!(world.store.find_link(expired.hash).await.unwrap(), None);
    assert_eq!(world.seat(&world.admin, room.id).await.link, None);

    // Visitors of a link that has just expired may still be there.
    assert_eq!(world.store.revoke_links(&world.admin, room.id).await.unwrap(), [expired.id]);
    assert_eq!(world.store.revoke_links(&world.admin, room.id).await.unwrap(), []);
    let third = new_link();
    assert_eq!(world.store.replace_link(&world.admin, room.id, third).await.unwrap(), []);
    assert_eq!(world.seat(&world.admin, room.id).await.link, Some(third.id));
    assert_eq!(
        world.seat(&world.admin, room.id).await.conversation.head,
        1,
        "links are no changes of the conversation"
    );
}
