use super::world::*;

/// The results of a search, latest first.
async fn found(world: &World, actor: &Actor, query: &str) -> Vec<String> {
    let messages = world.store.search_messages(actor, query, None, 100).await.unwrap();
    messages.into_iter().map(|message| message.content).collect()
}

pub async fn words_are_found_in_any_case_and_by_how_they_begin(world: World) {
    let room = world.room("Cleo").await;
    for text in ["An OAK table", "Tabletop of ash", "Élan vital", "Größe 140 cm", "Стол из дуба", "unstable"]
    {
        world.post(&room.guest, room.id, text).await;
    }
    for (query, messages) in [
        ("table", &["Tabletop of ash", "An OAK table"][..]),
        ("TABLE", &["Tabletop of ash", "An OAK table"]),
        ("tab", &["Tabletop of ash", "An OAK table"]),
        ("table oak", &["An OAK table"]),
        ("oak table an", &["An OAK table"]),
        ("table brass", &[]),
        ("able", &[]),
        ("élan", &["Élan vital"]),
        ("ELAN", &["Élan vital"]),
        ("e\u{301}lan", &["Élan vital"]),
        ("größe", &["Größe 140 cm"]),
        ("140", &["Größe 140 cm"]),
        ("СТОЛ", &["Стол из дуба"]),
        ("", &[]),
        (" \t", &[]),
    ] {
        assert_eq!(found(&world, &world.admin, query).await, messages, "{query:?}");
    }
}

pub async fn nothing_in_a_query_is_more_than_a_word(world: World) {
    let room = world.room("Cleo").await;
    for text in ["oak or ash", "oak and ash", "not ash", "near the oak", "content: oak", "say \"oak\" twice"] {
        world.post(&room.guest, room.id, text).await;
    }
    for (query, messages) in [
        ("oak OR brass", &[][..]),
        ("oak OR ash", &["oak or ash"]),
        ("oak AND ash", &["oak and ash"]),
        ("oak NOT ash", &[]),
        ("NEAR(oak ash)", &[]),
        ("near(the oak)", &["near the oak"]),
        ("content:oak", &["content: oak"]),
        ("\"oak twice\"", &["say \"oak\" twice"]),
        ("\"say", &["say \"oak\" twice"]),
        ("-ash -not", &["not ash"]),
        ("^not", &["not ash"]),
        ("{not} + ash*", &["not ash"]),
    ] {
        assert_eq!(found(&world, &world.admin, query).await, messages, "{query:?}");
    }
    for odd in ["\"", "\"\"", "*", "(", ")", "'", "oak\"*", "a\0b", "ash' or 1=1 --", "Ⓐ", "½", "😀", "_", "\\"] {
        found(&world, &world.admin, odd).await;
    }
    let long = "a ".repeat(100);
    assert!(found(&world, &world.admin, &long).await.len() <= 6);
}

pub async fn everyone_finds_only_visible_messages(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let owner = world.customer("Owner").await;
    let request = world.request(&owner, "Table").await;
    let own = world.open(&owner, request.id).await;
    world.post(&room.guest, room.id, "word by the guest").await;
    world.post(&world.admin, room.id, "word by the admin").await;
    world.post(&other.guest, other.id, "word of another").await;
    world.post(&owner, own, "word of the owner").await;

    assert_eq!(found(&world, &room.guest, "word").await, ["word by the admin", "word by the guest"]);
    assert_eq!(found(&world, &other.guest, "word").await, ["word of another"]);
    assert_eq!(found(&world, &owner, "word").await, ["word of the owner"]);
    let both = Actor::Customer(owner.user().unwrap().clone(), vec![other.link]);
    assert_eq!(found(&world, &both, "word").await, ["word of the owner", "word of another"]);
    assert_eq!(found(&world, &world.admin, "word").await.len(), 4);
    let stranger = world.customer("Stranger").await;
    for actor in [&stranger, &Actor::Guest(vec![]), &Actor::Guest(vec![LinkId::new()])] {
        assert!(found(&world, actor, "word").await.is_empty(), "{actor:?}");
    }
    world.store.revoke_links(&world.admin, room.id).await.unwrap();
    assert!(found(&world, &room.guest, "word").await.is_empty());
}

pub async fn edits_and_deletions_update_the_search(world: World) {
    let room = world.room("Cleo").await;
    let message = world.post(&room.guest, room.id, "brass lamp").await;
    let gone = world.post(&room.guest, room.id, "brass handle").await;
    world.store.edit_message(&room.guest, None, message.id, content("copper lamp")).await.unwrap();
    world.store.delete_message(&room.guest, None, gone.id).await.unwrap();
    assert!(found(&world, &world.admin, "brass").await.is_empty());
    assert_eq!(found(&world, &world.admin, "copper").await, ["copper lamp"]);
    assert_eq!(found(&world, &world.admin, "lamp").await, ["copper lamp"]);
    assert!(found(&world, &world.admin, "handle").await.is_empty());
    world.store.edit_message(&room.guest, None, message.id, content("brass lamp")).await.unwrap();
    assert_eq!(found(&world, &room.guest, "brass lamp").await, ["brass lamp"]);
}

pub async fn system_lines_are_not_searched(world: World) {
    let owner = world.customer("Owner").await;
    let request = world.request(&owner, "Table").await;
    let room = world.open(&owner, request.id).await;
    world.set_request(&world.admin, request.id, RequestStatus::Done).await;
    world.post(&owner, room, "What is its status?").await;
    assert_eq!(found(&world, &world.admin, "status").await, ["What is its status?"]);
}

pub async fn paging_finds_each_once_latest_first(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let mut posted = Vec::new();
    for n in 0..23 {
        let room = if n % 3 == 0 { &other } else { &room };
        posted.push(world.post(&room.guest, room.id, &format!("word {n}")).await);
        world.post(&room.guest, room.id, "something else").await;
    }
    posted.reverse();
    for limit in [1, 5, 22, 23, 24] {
        let (mut seen, mut after) = (Vec::new(), None);
        loop {
            let page = world.store.search_messages(&world.admin, "word", after, limit).await.unwrap();
            assert!(page.len() <= usize::try_from(limit).unwrap());
            after = page.last().map(|message| message.id);
            seen.extend(page);
            if after.is_none() {
                break;
            }
        }
        assert_eq!(seen, posted, "{limit} at a time");
    }
    let foreign = world.store.search_messages(&room.guest, "word", Some(posted[0].id), 100).await.unwrap();
    assert!(foreign.iter().all(|message| message.conversation_id == room.id));
}

/// Posts messages with words that are common, rare, or only in the old ones; the n-th has the words that are
/// returned for it.
pub async fn post_many(world: &World, room: &Room) -> Vec<(Message, Vec<&'static str>)> {
    let mut posted = Vec::new();
    for n in 0..700 {
        let words: Vec<_> = [("every", 1), ("third", 3), ("élan", 7), ("hundredth", 100)]
            .into_iter()
            .filter_map(|(word, each)| (n % each == 0).then_some(word))
            .chain((n < 300).then_some("old"))
            .chain((n == 12).then_some("once"))
            .collect();
        posted.push((world.post(&room.guest, room.id, &words.join(", ")).await, words));
    }
    posted.reverse();
    posted
}

/// Asserts that searches find what [`post_many`] has posted, all at once and part by part.
pub async fn assert_found(world: &World, actor: &Actor, posted: &[(Message, Vec<&'static str>)]) {
    for query in [
        &["every"][..],
        &["third"],
        &["élan"],
        &["hundredth"],
        &["old"],
        &["once"],
        &["never"],
        &["every", "third"],
        &["every", "hundredth"],
        &["third", "élan", "every"],
        &["old", "élan"],
        &["once", "every", "old"],
        &["once", "élan"],
        &["every", "never"],
    ] {
        let has_all = |words: &Vec<&str>| query.iter().all(|word| words.contains(word));
        let wanted: Vec<_> = posted.iter().filter(|(_, words)| has_all(words)).map(|(message, _)| message.id).collect();
        // As people type it: without its last letter.
        let text =
            query.iter().map(|word| word.trim_end_matches(|c| "ydten".contains(c))).collect::<Vec<_>>().join(" ");
        for limit in [20, 1_000] {
            let (mut found, mut after) = (Vec::new(), None);
            loop {
                let page = world.store.search_messages(actor, &text, after, limit).await.unwrap();
                after = page.last().map(|message| message.id);
                let is_last = (page.len() as i64) < limit;
                found.extend(page.into_iter().map(|message| message.id));
                if is_last {
                    break;
                }
            }
            assert_eq!(found, wanted, "{text:?}, {limit} at a time, by {actor:?}");
        }
    }
}

pub async fn rare_and_common_words_are_found_among_many_messages(world: World) {
    let (room, other) = (world.room("Cleo").await, world.room("Other").await);
    let posted = post_many(&world, &room).await;
    assert_found(&world, &world.admin, &posted).await;
    assert_found(&world, &room.guest, &posted).await;
    assert!(found(&world, &other.guest, "every").await.is_empty());
}
