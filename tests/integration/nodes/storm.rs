//! The bus loses, duplicates, delays and reorders events: everybody receives every change once, in order.

use std::collections::BTreeMap;

use bespoken::{
    domain::{ConversationId, ConversationStatus, Message},
    service::NewMessage,
};
use proptest::{collection::vec, prelude::*, test_runner::Config};

use super::{
    Pair,
    scripted::{Fate, Script},
};

#[derive(Clone, Copy, Debug)]
enum Act {
    Post,
    /// Of one of the latest messages.
    Edit(u8),
    Delete(u8),
    Close,
    Reopen,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        6 => Just(Act::Post),
        3 => (0..4_u8).prop_map(Act::Edit),
        1 => (0..4_u8).prop_map(Act::Delete),
        1 => Just(Act::Close),
        2 => Just(Act::Reopen),
    ];
    vec(act, 1..25)
}

fn fates() -> impl Strategy<Value = Vec<Fate>> {
    let fate = prop_oneof![
        3 => Just(Fate::Arrives),
        2 => Just(Fate::IsLost),
        2 => Just(Fate::ComesTwice),
        3 => (0..6_u8).prop_map(Fate::IsLate),
    ];
    vec(fate, 0..40)
}

/// Does these things on one node. It skips actions that are not possible at the moment.
async fn act(pair: &Pair, node: usize, room: ConversationId, acts: &[Act]) {
    let (service, actor) = (&pair.nodes[node], pair.actor());
    let mut own: Vec<Message> = Vec::new();
    for (at, act) in acts.iter().enumerate() {
        let latest = |back: u8| own.iter().rev().nth(back.into()).map(|message| message.id);
        match *act {
            Act::Post => {
                let content = format!("{at} on {node}");
                own.extend(
                    service.post_message(&actor, room, NewMessage::text(content)).await.ok().map(|it| it.message),
                );
            }
            Act::Edit(back) => {
                if let Some(id) = latest(back) {
                    service.edit_message(&actor, None, id, &format!("better at {at}")).await.ok();
                }
            }
            Act::Delete(back) => {
                if let Some(id) = latest(back) {
                    service.delete_message(&actor, None, id).await.ok();
                }
            }
            Act::Close => drop(service.set_status(&actor, room, ConversationStatus::Closed).await),
            Act::Reopen => drop(service.set_status(&actor, room, ConversationStatus::Open).await),
        }
    }
}

async fn storm(fates: Vec<Fate>, here: Vec<Act>, there: Vec<Act>) {
    let (script, lines) = Script::new(&fates);
    let pair = Pair::start(lines).await;
    let (room, guest) = pair.open().await;
    let mut readers = Vec::new();
    for node in [0, 1] {
        readers.push(pair.reader(node, &pair.actor(), room).await);
        readers.push(pair.reader(node, &guest, room).await);
    }
    tokio::join!(act(&pair, 0, room, &here), act(&pair, 1, room, &there));
    script.heals();
    pair.nodes[0].set_status(&pair.actor(), room, ConversationStatus::Open).await.unwrap();
    let last = pair.post(0, room, "the last").await;

    let stored = pair.nodes[0].list_before(&pair.actor(), room, None, 200).await.unwrap();
    assert_eq!(stored.head, last.rev);
    for reader in &mut readers {
        let revs = reader.revs_upto(room, stored.head).await;
        assert_eq!(revs, Vec::from_iter(2..=stored.head), "each once, in order");
        let mut shown: BTreeMap<i64, Message> = BTreeMap::new();
        for message in reader.messages(room) {
            let known = shown.entry(message.seq).or_insert_with(|| message.clone());
            if known.rev < message.rev {
                *known = message;
            }
        }
        assert_eq!(shown.into_values().collect::<Vec<_>>(), stored.messages, "and shows what is stored");
    }
}

proptest! {
    #![proptest_config(Config { cases: 24, max_shrink_iters: 50, failure_persistence: None, ..Config::default() })]

    #[test]
    fn every_client_receives_every_change_once_and_in_order(fates in fates(), here in acts(), there in acts()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(storm(fates, here, there));
    }
}
