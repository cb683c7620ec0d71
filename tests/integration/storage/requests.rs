use std::{collections::HashSet, sync::Arc};

use bespoken::domain::MessageEvent;
use bespoken::storage::RequestCursor;

use super::world::*;

async fn requests(world: &World, actor: &Actor, filter: RequestFilter) -> Vec<CustomRequest> {
    let found = world.store.list_requests(actor, &filter, None, 100).await.unwrap();
    found.into_iter().map(|(request, _)| request).collect()
}

/// The titles of a search's results, sorted.
async fn titles(world: &World, actor: &Actor, status: Option<RequestStatus>, search: &str) -> Vec<String> {
    let filter = RequestFilter { status, search: Some(search.to_owned()), order: RequestOrder::Title };
    requests(world, actor, filter).await.into_iter().map(|request| request.title).collect()
}

pub async fn customers_make_their_own_and_admins_make_them_for_customers(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let text =
        RequestText { budget_cents: Some(120_050), wanted_on: Some("2028-02-29".into()), ..request_text("Table") };
    let made = world.store.create_request(&owner, RequestId::new(), None, text.clone()).await.unwrap();
    assert_eq!((Some(made.customer_id), &*made.customer_name), (owner.user_id(), "Owner"));
    assert_eq!((&*made.customer_email, &*made.title, &*made.description), ("owner@example.com", "Table", "Of oak"));
    assert_eq!((made.budget_cents, made.wanted_on.as_deref()), (Some(120_050), Some("2028-02-29")));
    assert_eq!((made.status, made.conversation_id, &made.last_message), (RequestStatus::New, None, &None));
    assert_eq!((made.unread, made.updated_at), (0, made.created_at));
    assert_eq!(world.store.find_request(&owner, made.id).await.unwrap(), made);

    let by_admin =
        world.store.create_request(&world.admin, RequestId::new(), owner.user_id(), text.clone()).await.unwrap();
    assert_eq!(Some(by_admin.customer_id), owner.user_id());
    let named = world.store.create_request(&owner, RequestId::new(), other.user_id(), text.clone()).await.unwrap();
    assert_eq!(Some(named.customer_id), owner.user_id(), "a customer makes none for somebody else");

    let room = world.room("Guest").await;
    let create = async |actor: &Actor, customer| {
        world.store.create_request(actor, RequestId::new(), customer, text.clone()).await
    };
    assert_err!(create(&room.guest, owner.user_id()).await, StoreError::Forbidden);
    assert_err!(create(&world.admin, None).await, StoreError::Forbidden);
    assert_err!(create(&world.admin, world.admin.user_id()).await, StoreError::NotFound);
    assert_err!(create(&world.admin, Some(UserId::new())).await, StoreError::NotFound);
    assert_eq!(world.store.count_requests(&world.admin).await.unwrap(), [3, 0, 0, 0]);
}

pub async fn each_sees_their_own(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let id = world.request(&owner, "Table").await.id;
    world.request(&other, "Chair").await;
    let room = world.open(&world.admin, id).await;
    let link = new_link();
    world.store.replace_link(&world.admin, room, link).await.unwrap();

    // A person with the link sees the conversation, but not the request.
    let guest = Actor::Guest(vec![link.id]);
    let visitor = Actor::Customer(other.user().unwrap().clone(), vec![link.id]);
    for actor in [&other, &guest, &visitor, &Actor::Guest(vec![])] {
        assert_err!(world.store.find_request(actor, id).await, StoreError::NotFound);
        assert_err!(world.store.list_request_changes(actor, id).await, StoreError::NotFound);
        assert_err!(world.store.set_request_status(actor, id, RequestStatus::Done).await, StoreError::NotFound);
        assert_err!(world.store.open_request_conversation(actor, id).await, StoreError::NotFound);
        assert!(requests(&world, actor, RequestFilter::default()).await.iter().all(|request| request.id != id));
    }
    assert_eq!(world.store.count_requests(&guest).await.unwrap(), [0; 4]);
    assert!(requests(&world, &guest, RequestFilter::default()).await.is_empty());

    for (actor, sees) in [(&owner, 1), (&other, 1), (&world.admin, 2)] {
        assert_eq!(requests(&world, actor, RequestFilter::default()).await.len(), sees, "{actor:?}");
        assert_eq!(world.store.count_requests(actor).await.unwrap(), [i64::try_from(sees).unwrap(), 0, 0, 0]);
    }
    assert_err!(world.store.set_request_status(&owner, id, RequestStatus::Done).await, StoreError::Forbidden);
    assert_eq!(world.store.find_request(&owner, id).await.unwrap().status, RequestStatus::New);
    assert!(world.store.list_request_changes(&owner, id).await.unwrap().is_empty());
    assert_eq!(world.open(&owner, id).await, room);

    for (result, what) in [
        (world.store.find_request(&world.admin, RequestId::new()).await.map(drop), "find"),
        (world.store.list_request_changes(&world.admin, RequestId::new()).await.map(drop), "changes"),
        (world.store.open_request_conversation(&world.admin, RequestId::new()).await.map(drop), "open"),
    ] {
        assert!(matches!(result, Err(StoreError::NotFound)), "{what}: {result:?}");
    }
}

/// The sort key of a list, as text that sorts like it, and the direction.
fn key(request: &CustomRequest, order: RequestOrder) -> (String, bool) {
    match order {
        RequestOrder::Activity => (format!("{:020}", request.updated_at.0), true),
        RequestOrder::Newest => (format!("{:020}", request.created_at.0), true),
        RequestOrder::Wanted => (request.wanted_on.clone().unwrap_or("9999-99-99".into()), false),
        RequestOrder::Title => (request.title.to_lowercase().replace('ä', "a"), false),
    }
}

pub async fn paging_in_each_order_visits_each_once(world: World) {
    let owner = world.customer("Owner").await;
    let other = world.customer("Other").await;
    for (n, (title, wanted_on, created, updated)) in [
        ("chair", None, 1_000, 9_000),
        ("Chair", Some("2027-01-01"), 1_000, 8_000),
        ("CHAIR", Some("2027-01-01"), 3_000, 9_000),
        ("Älteste Bank", None, 3_000, 3_000),
        ("ältester Tisch", Some("2026-12-24"), 2_000, 9_000),
        ("A_B 100%", None, 9_000, 9_000),
        ("Zebra", Some("2027-01-02"), 900, 10_000),
        ("\"bench\"", None, 10_000, 10_000),
    ]
    .into_iter()
    .enumerate()
    {
        let text = RequestText { wanted_on: wanted_on.map(str::to_owned), ..request_text(title) };
        let made = world.store.create_request(&owner, RequestId::new(), None, text).await.unwrap();
        world.backend.set_request_times(made.id, Timestamp(created), Timestamp(updated)).await;
        if n == 3 {
            world.open(&world.admin, made.id).await;
        }
        world.request(&other, "Somebody else's").await;
    }
    for order in [RequestOrder::Activity, RequestOrder::Newest, RequestOrder::Wanted, RequestOrder::Title] {
        let filter = RequestFilter { order, ..RequestFilter::default() };
        let mut expected = requests(&world, &owner, filter.clone()).await;
        assert_eq!(expected.len(), 8);
        expected.sort_by(|one, next| {
            let ((a, is_reversed), (b, _)) = (key(one, order), key(next, order));
            let ordering = (a, one.id).cmp(&(b, next.id));
            if is_reversed { ordering.reverse() } else { ordering }
        });
        for limit in [1, 2, 3, 7, 8, 9] {
            let (mut seen, mut cursor) = (Vec::new(), None::<RequestCursor>);
            loop {
                let page = world.store.list_requests(&owner, &filter, cursor, limit).await.unwrap();
                assert!(page.len() <= usize::try_from(limit).unwrap());
                cursor = page.last().map(|(_, cursor)| cursor.clone());
                seen.extend(page.into_iter().map(|(request, _)| request));
                if cursor.is_none() {
                    break;
                }
            }
            assert_eq!(seen, expected, "{order:?}, {limit} at a time");
        }
    }
    let none = world.store.list_requests(&owner, &RequestFilter::default(), None, -1).await.unwrap();
    assert!(none.is_empty(), "a negative limit is no limit at all to SQLite, and none to us");
}

pub async fn activity_in_the_conversation_moves_a_request_up(world: World) {
    let owner = world.customer("Owner").await;
    let (quiet, busy) = (world.request(&owner, "Quiet").await, world.request(&owner, "Busy").await);
    let room = world.open(&owner, busy.id).await;
    world.backend.set_every_updated_at(Timestamp(1)).await;
    world.backend.set_request_times(quiet.id, Timestamp(10), Timestamp(20)).await;
    world.backend.set_request_times(busy.id, Timestamp(5), Timestamp(5)).await;
    let first = async || requests(&world, &owner, RequestFilter::default()).await.remove(0).title;
    assert_eq!(first().await, "Quiet");
    let message = world.post(&owner, room, "Is it ready?").await;
    assert_eq!(first().await, "Busy");
    let shown = world.store.find_request(&world.admin, busy.id).await.unwrap();
    assert_eq!((shown.updated_at, shown.created_at), (message.created_at, Timestamp(5)));
    world.set_request(&world.admin, quiet.id, RequestStatus::InProgress).await;
    world.backend.set_every_updated_at(Timestamp(1)).await;
    assert_eq!(first().await, "Quiet", "a status is activity too");
}

pub async fn lists_are_filtered_and_counted(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let mut made = Vec::new();
    for title in ["Oak TABLE", "Übergroße Bank", "100% wool_rug", "1000 wool rugs"] {
        made.push(world.request(&owner, title).await);
    }
    let text = RequestText { description: "like my TABLE\nbut in Ash".into(), ..request_text("Stool") };
    made.push(world.store.create_request(&other, RequestId::new(), None, text).await.unwrap());
    world.set_request(&world.admin, made[0].id, RequestStatus::InProgress).await;
    world.set_request(&world.admin, made[1].id, RequestStatus::Done).await;
    world.set_request(&world.admin, made[4].id, RequestStatus::InProgress).await;

    let admin = &world.admin;
    for (search, found) in [
        ("table", &["Oak TABLE", "Stool"][..]),
        ("ÜBERGROSSE", &[]),
        ("übergroße", &["Übergroße Bank"]),
        ("ÜBERGROßE", &["Übergroße Bank"]),
        ("100%", &["100% wool_rug"]),
        ("wool_", &["100% wool_rug"]),
        ("%", &["100% wool_rug"]),
        ("in ash", &["Stool"]),
        ("OTHER@example", &["Stool"]),
        (" other ", &["Stool"]),
        ("'; drop table users", &[]),
        ("nothing like it", &[]),
    ] {
        assert_eq!(titles(&world, admin, None, search).await, found, "{search}");
    }
    assert_eq!(titles(&world, admin, None, "  ").await.len(), 5, "no words, no filter");
    assert_eq!(titles(&world, &owner, None, "table").await, ["Oak TABLE"], "own ones only");
    assert_eq!(titles(&world, admin, Some(RequestStatus::InProgress), "").await, ["Oak TABLE", "Stool"]);
    assert_eq!(titles(&world, admin, Some(RequestStatus::New), "wool").await.len(), 2);
    assert_eq!(titles(&world, admin, Some(RequestStatus::Declined), "").await.len(), 0);
    // New, in progress, done, declined.
    assert_eq!(world.store.count_requests(admin).await.unwrap(), [2, 2, 1, 0]);
    assert_eq!(world.store.count_requests(&owner).await.unwrap(), [2, 1, 1, 0]);
    assert_eq!(world.store.count_requests(&other).await.unwrap(), [0, 1, 0, 0]);
}

pub async fn a_request_is_found_by_its_customers_current_name(world: World) {
    let owner = world.customer("Owner").await;
    let request = world.request(&owner, "Table").await;
    world.open(&owner, request.id).await;
    let id = owner.user_id().unwrap();
    world.store.rename_user(id, Name::parse("name", "Renamed").unwrap()).await.unwrap();
    world.move_to(id, "moved@example.org").await;
    assert_eq!(titles(&world, &world.admin, None, "renamed").await, ["Table"]);
    assert_eq!(titles(&world, &world.admin, None, "example.org").await, ["Table"]);
    assert!(titles(&world, &world.admin, None, "example.com").await.is_empty());
    assert_eq!(titles(&world, &world.admin, None, "table").await, ["Table"]);

    // So is the chat about it.
    for (text, found) in [("renamed", 1), ("moved@example.org", 1), ("owner", 0), ("example.com", 0)] {
        let filter = ConversationFilter { search: Some(text.to_owned()), ..Default::default() };
        let chats = world.store.list_conversations(&world.admin, &filter, None, 9).await.unwrap();
        assert_eq!(chats.len(), found, "{text}");
    }
}

pub async fn a_status_is_noted_with_who_gave_it(world: World) {
    let (owner, second) = (world.customer("Owner").await, world.other_admin().await);
    let id = world.request(&owner, "Table").await.id;
    let before = world.store.find_request(&owner, id).await.unwrap();
    assert_eq!(world.set_request(&world.admin, id, RequestStatus::New).await, before, "already so: no change");

    let changed = world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    assert_eq!((changed.status, changed.conversation_id), (RequestStatus::InProgress, None));
    assert!(changed.updated_at >= before.updated_at);
    world.set_request(&second, id, RequestStatus::InProgress).await;
    world.set_request(&second, id, RequestStatus::Declined).await;
    world.set_request(&world.admin, id, RequestStatus::New).await;
    for actor in [&owner, &world.admin] {
        let changes = world.store.list_request_changes(actor, id).await.unwrap();
        let told: Vec<_> = changes.iter().map(|change| (change.status, &*change.by)).collect();
        let expected =
            [(RequestStatus::InProgress, "Ada"), (RequestStatus::Declined, "Second"), (RequestStatus::New, "Ada")];
        assert_eq!(told, expected);
        assert!(changes.is_sorted_by_key(|change| change.at));
    }
}

pub async fn many_who_open_at_once_get_the_same_conversation(world: World) {
    let (owner, second) = (world.customer("Owner").await, world.other_admin().await);
    let mut commits = world.store.commits().unwrap();
    let id = world.request(&owner, "Table").await.id;
    let openings: Vec<_> = (0..50)
        .map(|n| {
            let actor = [&owner, &world.admin, &second][n % 3].clone();
            let store = Arc::clone(&world.store);
            tokio::spawn(async move { store.open_request_conversation(&actor, id).await.unwrap() })
        })
        .collect();
    let (mut ids, mut new) = (HashSet::new(), 0);
    for opening in openings {
        let (seat, is_new) = opening.await.unwrap();
        ids.insert(seat.conversation.id);
        new += i32::from(is_new);
    }
    assert_eq!((ids.len(), new), (1, 1));
    let listed = world.store.list_conversations(&owner, &ConversationFilter::default(), None, 10).await.unwrap();
    assert_eq!((listed.len(), listed[0].conversation.head), (1, 1));
    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev).collect();
    assert_eq!(told, [1], "opened once, told once");
    let people = world.people(&owner, listed[0].conversation.id).await;
    assert_eq!(people.len(), 3, "everyone who opened it takes part");
}

pub async fn the_conversation_of_a_request_is_its_customers(world: World) {
    let owner = world.customer("Owner").await;
    let request = world.request(&owner, "Table").await;
    let (seat, is_new) = world.store.open_request_conversation(&world.admin, request.id).await.unwrap();
    let conversation = seat.conversation;
    assert!(is_new);
    assert_eq!((conversation.kind, conversation.request_id), (ConversationKind::Request, Some(request.id)));
    assert_eq!(
        (&*conversation.customer_name, conversation.customer_email.as_deref()),
        ("Owner", Some("owner@example.com"))
    );
    assert_eq!((conversation.head, conversation.last_seq, conversation.status), (1, 0, ConversationStatus::Open));
    assert_eq!((seat.me.kind, seat.link), (ParticipantKind::Admin, None), "no link is made unasked");

    let (seen, is_new) = world.store.open_request_conversation(&owner, request.id).await.unwrap();
    assert_eq!((seen.conversation.id, is_new), (conversation.id, false));
    assert_eq!((seen.me.kind, seen.me.id), (ParticipantKind::Customer, owner.user_id().unwrap().into()));
    assert_eq!(world.post(&owner, conversation.id, "Hello").await.sender_id, owner.user_id().unwrap().into());
    let shown = world.store.find_request(&owner, request.id).await.unwrap();
    assert_eq!((shown.conversation_id, shown.last_message.as_deref()), (Some(conversation.id), Some("Hello")));
    let (customer, links) = world.audience(conversation.id).await.unwrap();
    assert_eq!((customer, links), (owner.user_id(), vec![]));

    world.store.set_status(&world.admin, conversation.id, ConversationStatus::Closed).await.unwrap();
    let (closed, is_new) = world.store.open_request_conversation(&owner, request.id).await.unwrap();
    assert_eq!((closed.conversation.status, is_new), (ConversationStatus::Closed, false), "asking does not reopen it");
}

pub async fn a_conversation_begins_with_the_history_of_its_request(world: World) {
    let (owner, second) = (world.customer("Owner").await, world.other_admin().await);
    let id = world.request(&owner, "Table").await.id;
    world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    world.set_request(&second, id, RequestStatus::Done).await;
    world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    let history = world.store.list_request_changes(&owner, id).await.unwrap();
    let mut commits = world.store.commits().unwrap();
    let (seat, _) = world.store.open_request_conversation(&owner, id).await.unwrap();
    assert_eq!((seat.conversation.head, seat.conversation.last_seq, seat.conversation.unread), (4, 3, 3));
    assert_eq!(seat.conversation.last_message.as_deref(), Some("Status set to “In progress”."));
    assert_eq!(seat.conversation.last_event, Some(MessageEvent::StatusSet(RequestStatus::InProgress)));

    let lines = world.messages(&owner, seat.conversation.id).await;
    let told: Vec<_> = lines.iter().map(|line| (line.seq, line.rev, &*line.content, &*line.sender_name)).collect();
    assert_eq!(
        told,
        [
            (1, 2, "Status set to “In progress”.", "Ada"),
            (2, 3, "Status set to “Done”.", "Second"),
            (3, 4, "Status set to “In progress”.", "Ada"),
        ]
    );
    for (line, change) in lines.iter().zip(&history) {
        assert_eq!((line.system, line.created_at, line.sender_type), (true, change.at, SenderType::Admin));
        assert_eq!((line.client_id, line.edited_at), (None, None));
        assert_eq!(line.event, Some(MessageEvent::StatusSet(change.status)), "so each language has its own words");
    }
    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().collect();
    assert_eq!(told.iter().map(|commit| commit.rev).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(matches!(&told[0].change, Change::Conversation));
    assert!(matches!(&told[3].change, Change::Posted(line) if *line == lines[2]));
    let next = world.post(&owner, seat.conversation.id, "Thank you").await;
    assert_eq!((next.seq, next.rev, next.system), (4, 5, false));
}

pub async fn a_change_of_status_adds_a_line_even_to_a_closed_conversation(world: World) {
    let owner = world.customer("Owner").await;
    let id = world.request(&owner, "Table").await.id;
    let room = world.open(&owner, id).await;
    world.post(&owner, room, "Hello").await;
    let told = world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    assert_eq!(told.last_message.as_deref(), Some("Status set to “In progress”."));
    world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    world.store.set_status(&world.admin, room, ConversationStatus::Closed).await.unwrap();
    world.set_request(&world.admin, id, RequestStatus::Done).await;

    let seat = world.seat(&owner, room).await.conversation;
    assert_eq!((seat.status, seat.head, seat.last_seq, seat.unread), (ConversationStatus::Closed, 5, 3, 2));
    let lines = world.messages(&owner, room).await;
    let told: Vec<_> = lines.iter().map(|line| (line.seq, line.rev, line.system)).collect();
    assert_eq!(told, [(1, 2, false), (2, 3, true), (3, 5, true)], "rev 4 is the closing");
    assert_err!(world.store.post_message(&owner, draft(room, "more")).await, StoreError::Closed);
}

pub async fn system_lines_cannot_be_changed(world: World) {
    let (owner, second) = (world.customer("Owner").await, world.other_admin().await);
    let id = world.request(&owner, "Table").await.id;
    let room = world.open(&owner, id).await;
    world.set_request(&world.admin, id, RequestStatus::Done).await;
    let link = new_link();
    world.store.replace_link(&world.admin, room, link).await.unwrap();
    let before = world.messages(&owner, room).await;
    for actor in [&world.admin, &second, &owner, &Actor::Guest(vec![link.id])] {
        for room in [None, Some(room)] {
            let line = before[0].id;
            assert_err!(world.store.edit_message(actor, room, line, content("no")).await, StoreError::Forbidden);
            assert_err!(world.store.delete_message(actor, room, line).await, StoreError::Forbidden);
        }
    }
    assert_err!(
        world.store.delete_message(&world.customer("Other").await, None, before[0].id).await,
        StoreError::NotFound
    );
    assert_eq!(world.messages(&owner, room).await, before);
}

pub async fn a_change_of_status_is_news_to_everyone_but_its_maker(world: World) {
    let (owner, second) = (world.customer("Owner").await, world.other_admin().await);
    let id = world.request(&owner, "Table").await.id;
    let room = world.open(&owner, id).await;
    let unread = async |actor: &Actor| {
        let request = world.store.find_request(actor, id).await.unwrap();
        assert_eq!(request.unread, world.seat(actor, room).await.conversation.unread, "told the same everywhere");
        if actor.is_admin() {
            let user = actor.user_id().unwrap();
            let counted = world.store.count_unread(&second, &[room], &[user]).await.unwrap();
            assert_eq!(counted, [(room, user, request.unread)]);
        }
        request.unread
    };
    world.set_request(&world.admin, id, RequestStatus::InProgress).await;
    assert_eq!((unread(&world.admin).await, unread(&second).await, unread(&owner).await), (0, 1, 1));
    world.post(&owner, room, "When?").await;
    assert_eq!((unread(&world.admin).await, unread(&second).await, unread(&owner).await), (1, 2, 0));

    // Setting a status does not mark the customer's messages as read.
    world.set_request(&world.admin, id, RequestStatus::Done).await;
    assert_eq!(unread(&world.admin).await, 1);
    assert_eq!((unread(&second).await, unread(&owner).await), (3, 1));
    for actor in [&world.admin, &second, &owner] {
        world.store.read_up_to(actor, room, i64::MAX).await.unwrap();
        assert_eq!(unread(actor).await, 0);
    }
}

pub async fn statuses_and_messages_at_once_leave_no_holes(world: World) {
    let owner = world.customer("Owner").await;
    let id = world.request(&owner, "Table").await.id;
    let mut commits = world.store.commits().unwrap();
    let tasks: Vec<_> = (0..60)
        .map(|n| {
            let (store, owner, admin) = (Arc::clone(&world.store), owner.clone(), world.admin.clone());
            tokio::spawn(async move {
                match n % 3 {
                    0 => drop(store.set_request_status(&admin, id, RequestStatus::ALL[n / 3 % 4]).await.unwrap()),
                    1 => drop(store.open_request_conversation(&owner, id).await.unwrap()),
                    _ => {
                        let (seat, _) = store.open_request_conversation(&admin, id).await.unwrap();
                        store.post_message(&admin, draft(seat.conversation.id, "hello")).await.unwrap();
                    }
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let room = world.open(&owner, id).await;
    let messages = world.messages(&owner, room).await;
    let head = world.seat(&owner, room).await.conversation.head;
    let changes = world.store.list_request_changes(&owner, id).await.unwrap();
    let lines: Vec<_> = messages.iter().filter(|message| message.system).collect();
    assert_eq!((messages.len() - lines.len(), lines.len()), (20, changes.len()), "each change has its line");
    assert_eq!(messages.iter().map(|m| m.seq).collect::<Vec<_>>(), (1..head).collect::<Vec<_>>());
    assert_eq!(messages.iter().map(|m| m.rev).collect::<Vec<_>>(), (2..=head).collect::<Vec<_>>());
    let told: Vec<_> = std::iter::from_fn(|| commits.try_recv().ok()).flatten().map(|commit| commit.rev).collect();
    assert_eq!(told, (1..=head).collect::<Vec<_>>());
}

pub async fn files_of_a_request_belong_to_its_owner_and_the_admins(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let (request, elsewhere) = (world.request(&owner, "Table").await.id, world.request(&other, "Chair").await.id);
    let room = world.open(&owner, request).await;
    let link = new_link();
    world.store.replace_link(&world.admin, room, link).await.unwrap();
    let (guest, visitor) = (Actor::Guest(vec![link.id]), Actor::Customer(other.user().unwrap().clone(), vec![link.id]));

    let mine = world.request_file(&owner, request, "alcove.jpg", 1).await.unwrap();
    let theirs = world.request_file(&world.admin, request, "plan.pdf", 2).await.unwrap();
    for (actor, error) in [(&other, "not found"), (&visitor, "not found"), (&guest, "not found")] {
        let refused = world.request_file(actor, request, "a.pdf", 3).await.unwrap_err();
        assert_eq!(refused.to_string(), error);
        assert!(world.store.request_file_bytes(actor, request, Timestamp(0)).await.is_err());
        for file in [&mine, &theirs] {
            assert_err!(world.store.find_attachment(actor, file.id).await, StoreError::NotFound);
        }
    }
    for actor in [&owner, &world.admin] {
        assert_eq!(world.store.find_request(actor, request).await.unwrap().attachments, [mine.clone(), theirs.clone()]);
        assert_eq!(world.store.find_attachment(actor, mine.id).await.unwrap(), mine);
        let listed = requests(&world, actor, RequestFilter::default()).await;
        let listed = listed.iter().find(|listed| listed.id == request).unwrap();
        assert_eq!(listed.attachments.len(), 2);
    }
    assert!(world.store.find_request(&other, elsewhere).await.unwrap().attachments.is_empty());

    // It is no file to send with a message.
    let draft = Draft { attachments: vec![mine.id], ..draft(room, "look") };
    assert_err!(world.store.post_message(&owner, draft).await, StoreError::NoAttachment);
    assert_err!(world.request_file(&owner, RequestId::new(), "a.pdf", 3).await, StoreError::NotFound);
}

pub async fn a_request_takes_few_files_while_it_is_open(world: World) {
    let owner = world.customer("Owner").await;
    let request = world.request(&owner, "Table").await.id;
    let first = world.request_file(&owner, request, "0.jpg", 0).await.unwrap();
    assert_eq!(world.request_file(&owner, request, "0.jpg", 0).await.unwrap(), first, "the same file again");
    for n in 1..MOST_REQUEST_FILES {
        world.request_file(&owner, request, "0.jpg", u8::try_from(n).unwrap()).await.unwrap();
    }
    assert_err!(world.request_file(&owner, request, "more.jpg", 99).await, StoreError::RequestFull);
    assert_eq!(world.request_file(&owner, request, "0.jpg", 0).await.unwrap(), first);

    let second = world.request(&owner, "Chair").await.id;
    let most =
        |by_person, in_conversation| Quota { most: FileBytes { by_person, in_conversation }, since: Timestamp(0) };
    let size = u64::try_from(first.size_bytes).unwrap();
    let all = size * MOST_REQUEST_FILES as u64;
    let add = async |quota| {
        let file = (new_file("a.pdf"), [7; 32]);
        world.store.add_request_file(&owner, second, file, quota).await.map(drop)
    };
    let known = world.store.request_file_bytes(&owner, second, Timestamp(0)).await.unwrap();
    assert_eq!((known.by_person, known.in_conversation), (all, 0));
    assert_err!(add(most(all, u64::MAX)).await, StoreError::QuotaUsed(Used::ByPerson));
    assert_err!(add(most(u64::MAX, size - 1)).await, StoreError::QuotaUsed(Used::InConversation));
    // Files in chats count for the same person.
    let room = world.open(&owner, second).await;
    assert_eq!(world.store.file_bytes(&owner, room, Timestamp(0)).await.unwrap().by_person, all);
    add(most(all + size, size)).await.unwrap();

    world.set_request(&world.admin, second, RequestStatus::Done).await;
    for actor in [&owner, &world.admin] {
        assert_err!(world.request_file(actor, second, "late.pdf", 8).await, StoreError::RequestEnded);
    }
}

pub async fn files_of_an_erased_request_are_discarded(world: World) {
    let owner = world.customer("Owner").await;
    let (erased, expired) = (world.request(&owner, "Table").await.id, world.request(&owner, "Chair").await.id);
    let first = world.request_file(&owner, erased, "a.jpg", 1).await.unwrap();
    let second = world.request_file(&owner, expired, "b.jpg", 2).await.unwrap();
    world.set_request(&world.admin, expired, RequestStatus::Done).await;
    world.backend.set_request_times(expired, Timestamp(1_000), Timestamp(1_000)).await;
    world.store.expire(Expired::Request(expired), Timestamp(1_001), Expiry::Delete, 10).await.unwrap();
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [second.id]);
    world.store.forget_discarded_attachments(&[second.id]).await.unwrap();

    let email = owner.user().unwrap().email.clone();
    let mut files = 0;
    while let Some(step) = world.store.erase_customer(&email, 10).await.unwrap() {
        files += step.files;
    }
    assert_eq!(files, 1);
    assert_eq!(world.store.list_discarded_attachments(10).await.unwrap(), [first.id]);
    assert_err!(world.store.find_attachment(&world.admin, first.id).await, StoreError::NotFound);
    assert!(world.store.find_request(&world.admin, erased).await.unwrap().attachments.is_empty());
}

pub async fn a_new_request_is_edited_by_its_customer(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let request = world.request(&owner, "Table").await;
    let text = RequestText::parse("Walnut table", "For eight", Some(90_000), Some("2028-02-29")).unwrap();
    let edit = |actor: &Actor| {
        let (store, actor, text) = (world.store.clone(), actor.clone(), text.clone());
        async move { store.edit_request(&actor, request.id, text).await }
    };
    assert_err!(edit(&other).await, StoreError::NotFound);
    assert_err!(edit(&Actor::Guest(Vec::new())).await, StoreError::NotFound);
    assert_err!(edit(&world.admin).await, StoreError::Forbidden);
    assert_eq!(world.store.find_request(&owner, request.id).await.unwrap(), request);

    let edited = edit(&owner).await.unwrap();
    assert_eq!((edited.text(), edited.created_at), (text.clone(), request.created_at));
    assert!(edited.edited_at.is_some_and(|at| at >= request.created_at));
    assert_eq!(world.store.find_request(&world.admin, request.id).await.unwrap(), edited);
    assert_eq!(edit(&owner).await.unwrap(), edited, "an edit that changes nothing");
    for (word, count) in [("walnut", 1), ("eight", 1), ("owner", 1), (&*request.description, 0)] {
        let filter = RequestFilter { search: Some(word.to_owned()), ..RequestFilter::default() };
        assert_eq!(requests(&world, &world.admin, filter).await.len(), count, "{word}");
    }
    world.set_request(&world.admin, request.id, RequestStatus::InProgress).await;
    assert_err!(edit(&owner).await, StoreError::RequestBegun);
}

pub async fn a_new_request_is_withdrawn_by_its_customer(world: World) {
    let (owner, other) = (world.customer("Owner").await, world.customer("Other").await);
    let withdraw = |actor: &Actor, id| {
        let (store, actor) = (world.store.clone(), actor.clone());
        async move { store.set_request_status(&actor, id, RequestStatus::Declined).await }
    };
    let (with_chat, without) = (world.request(&owner, "Table").await.id, world.request(&owner, "Chair").await.id);
    let room = world.open(&owner, with_chat).await;
    for id in [with_chat, without] {
        assert_err!(withdraw(&other, id).await, StoreError::NotFound);
        assert_eq!(withdraw(&owner, id).await.unwrap().status, RequestStatus::Declined);
        let changes = world.store.list_request_changes(&owner, id).await.unwrap();
        assert_eq!(changes.len(), 1);
        assert_eq!(
            (changes[0].status, changes[0].withdrawn, &*changes[0].by),
            (RequestStatus::Declined, true, "Owner")
        );
        assert_eq!(withdraw(&owner, id).await.unwrap().status, RequestStatus::Declined, "again");
    }
    // A chat that is opened later tells the same as one that was there.
    let later = world.open(&owner, without).await;
    for room in [room, later] {
        let line = world.messages(&world.admin, room).await.pop().unwrap();
        assert_eq!((line.event, line.sender_type), (Some(MessageEvent::Withdrawn), SenderType::Customer));
        assert_eq!(line.sender_id, ParticipantId::from(owner.user_id().unwrap()));
        assert_eq!(world.seat(&world.admin, room).await.conversation.unread, 1, "news for the admins");
    }
    // An admin reopens it, and declines it.
    for status in [RequestStatus::New, RequestStatus::InProgress] {
        world.set_request(&world.admin, with_chat, status).await;
    }
    assert_err!(withdraw(&owner, with_chat).await, StoreError::RequestBegun);
    world.set_request(&world.admin, with_chat, RequestStatus::Declined).await;
    let changes = world.store.list_request_changes(&owner, with_chat).await.unwrap();
    assert_eq!(changes.iter().map(|change| change.withdrawn).collect::<Vec<_>>(), [true, false, false, false]);
}
