//! Compares the clients' writes, acknowledgements, received frames and final states.
//!
//! It does not know the origin of the evidence. The clients' writes ([`Model`]) define the valid contents of a message,
//! not the server's copy. It finds messages that are lost, doubled, out of order, skipped or different. The tests below
//! damage valid evidence in each of these ways.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use bespoken::domain::{ClientId, Message, MessageId};

use super::model::{Model, Words, Written, words};

/// The evidence about one room.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// For each client, its writes without withdrawn ones, in their order.
    pub written: Vec<Vec<Written>>,
    /// Each message of an `ack`, after the post, edit or deletion of that id.
    pub acked: Vec<(ClientId, Message)>,
    /// The intervals in which clients received changes one by one.
    pub told: Vec<Told>,
    /// The final display of each client: everything from some seq on.
    pub shown: Vec<Vec<Message>>,
    /// The server's final messages, loaded anew, ascending by seq.
    pub stored: Vec<Message>,
    pub head: i64,
}

/// Live frames on one connection after one `joined`.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The head of the `joined` frame.
    pub from: i64,
    pub changes: Vec<Change>,
}

/// A received change.
#[derive(Clone, Debug)]
pub struct Change {
    pub rev: i64,
    /// The message and its new content; none if the conversation changed.
    pub message: Option<(MessageId, Words)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Lost,
    Doubled,
    OutOfOrder,
    Gap,
    /// Someone shows something that is not so.
    Different,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub kind: Kind,
    pub words: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {}", self.kind, self.words)
    }
}

/// Everything that is wrong.
pub fn check(evidence: &Evidence) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut find = |kind, words: String| found.push(Finding { kind, words });
    let stored = &evidence.stored;
    let by_id: HashMap<MessageId, &Message> = stored.iter().map(|message| (message.id, message)).collect();

    // The server's own numbers.
    for (at, message) in stored.iter().enumerate() {
        if message.seq != at as i64 + 1 {
            find(Kind::Gap, format!("the message at place {} has seq {}", at + 1, message.seq));
        }
    }
    let mut revs: BTreeMap<i64, MessageId> = BTreeMap::new();
    for message in stored {
        if message.rev > evidence.head {
            find(Kind::Different, format!("rev {} is above the head {}", message.rev, evidence.head));
        }
        if let Some(other) = revs.insert(message.rev, message.id) {
            find(Kind::Doubled, format!("rev {} belongs to {other} and {}", message.rev, message.id));
        }
    }

    // The writes.
    let model = Model::new(&evidence.written);
    let mut by_client_id: HashMap<ClientId, Vec<&Message>> = HashMap::new();
    for message in stored {
        if let Some(client_id) = message.client_id {
            by_client_id.entry(client_id).or_default().push(message);
        }
        if let Err(words) = model.may_be(message) {
            find(Kind::Different, format!("stored: {words}"));
        }
    }
    for written in &evidence.written {
        let mut last = 0;
        for client_id in written.iter().filter_map(Written::posted) {
            match by_client_id.get(&client_id).map(Vec::as_slice) {
                None | Some([]) => find(Kind::Lost, format!("{client_id} was sent and is not stored")),
                Some([message]) => {
                    if message.seq < last {
                        find(Kind::OutOfOrder, format!("{client_id} has seq {}, after one with {last}", message.seq));
                    }
                    last = message.seq;
                }
                Some(many) => find(Kind::Doubled, format!("{client_id} is stored {} times", many.len())),
            }
        }
    }

    // The acknowledgements.
    for (client_id, acked) in &evidence.acked {
        if let Err(words) = model.answers(*client_id, acked) {
            find(Kind::Different, format!("acknowledged: {words}"));
        }
        match by_id.get(&acked.id) {
            None => find(Kind::Lost, format!("{} was acknowledged and is not stored", acked.id)),
            Some(stored) if stored.seq != acked.seq => {
                find(Kind::OutOfOrder, format!("{} was acknowledged as {} and is {}", acked.id, acked.seq, stored.seq));
            }
            Some(stored) if stored.rev < acked.rev => {
                find(
                    Kind::Lost,
                    format!("rev {} of {} was acknowledged; stored is {}", acked.rev, acked.id, stored.rev),
                );
            }
            Some(stored) if stored.rev == acked.rev && *stored != acked => {
                find(Kind::Different, format!("rev {} of {} was acknowledged with other words", acked.rev, acked.id));
            }
            Some(_) => {}
        }
    }

    // The received frames.
    for told in &evidence.told {
        let mut last = told.from;
        for &Change { rev, .. } in &told.changes {
            match rev - last {
                1 => {}
                0 => find(Kind::Doubled, format!("rev {rev} was told twice")),
                step if step < 0 => find(Kind::OutOfOrder, format!("rev {rev} was told after {last}")),
                _ => find(Kind::Gap, format!("rev {rev} was told right after {last}")),
            }
            last = rev;
        }
        if last > evidence.head {
            find(Kind::Lost, format!("rev {last} was told, and the head is {}", evidence.head));
        }
    }

    // The message and the result of each change, from all sources.
    let told = evidence.told.iter().flat_map(|told| &told.changes);
    let told = told.filter_map(|change| Some((change.rev, change.message.as_ref()?)));
    let told = told.map(|(rev, (id, words))| (rev, *id, words.as_deref()));
    let acked = evidence.acked.iter().map(|(_, message)| message);
    let known = acked.chain(stored).map(|message| (message.rev, message.id, words(message)));
    let mut history: BTreeMap<i64, (MessageId, Option<&str>)> = BTreeMap::new();
    for (rev, id, words) in told.chain(known) {
        let first = *history.entry(rev).or_insert((id, words));
        if first != (id, words) {
            find(Kind::Different, format!("rev {rev} is {first:?} and {:?}", (id, words)));
        }
    }
    let mut latest: HashMap<MessageId, (i64, Option<&str>)> = HashMap::new();
    for (&rev, &(id, words)) in &history {
        if let Err(words) = model.may_say(id, by_id.get(&id).and_then(|message| message.client_id), words) {
            find(Kind::Different, format!("rev {rev}: {words}"));
        }
        match latest.insert(id, (rev, words)) {
            Some((earlier, None)) => {
                find(Kind::Different, format!("{id} was deleted by rev {earlier} and changed by {rev}"));
            }
            // A message is posted before it is changed.
            Some(_) if by_id.get(&id).is_some_and(|message| model.posted(message) == words) => {
                find(Kind::Different, format!("{id} is by rev {rev} what it was before it was changed"));
            }
            _ => {}
        }
    }
    for (id, (rev, _)) in latest {
        if by_id.get(&id).is_none_or(|stored| stored.rev < rev) {
            find(Kind::Lost, format!("rev {rev} changed {id}, which is not what is stored"));
        }
    }

    // The displayed messages.
    for shown in &evidence.shown {
        let first = shown.first().map_or(stored.len() as i64 + 1, |message| message.seq);
        if shown.is_empty() && !stored.is_empty() {
            find(Kind::Lost, "a client shows nothing".to_owned());
        }
        for pair in shown.windows(2) {
            match pair[1].seq - pair[0].seq {
                1 => {}
                0 => find(Kind::Doubled, format!("seq {} is shown twice", pair[0].seq)),
                step if step < 0 => find(Kind::OutOfOrder, format!("{} is shown after {}", pair[1].seq, pair[0].seq)),
                _ => find(Kind::Gap, format!("{} is shown right after {}", pair[1].seq, pair[0].seq)),
            }
        }
        let mut missing = stored.iter().filter(|message| message.seq >= first).map(|message| message.id);
        if let Some(id) = missing.find(|id| !shown.iter().any(|message| message.id == *id)) {
            find(Kind::Lost, format!("{id} is stored and not shown"));
        }
        for message in shown {
            if by_id.get(&message.id).is_none_or(|stored| *stored != message) {
                find(Kind::Different, format!("{} (seq {}) is shown as it is not", message.id, message.seq));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use bespoken::domain::{ConversationId, ParticipantId, SenderType, Timestamp};
    use uuid::Uuid;

    use super::*;
    use crate::model::What;

    fn id(n: i64) -> Uuid {
        Uuid::from_u128(n as u128)
    }

    fn message(seq: i64, rev: i64, content: &str) -> Message {
        Message {
            id: MessageId(id(seq)),
            conversation_id: ConversationId(id(1)),
            seq,
            rev,
            sender_type: SenderType::Customer,
            sender_id: ParticipantId::told(id(1)),
            sender_name: "A".into(),
            content: content.into(),
            system: false,
            event: None,
            client_id: Some(ClientId(id(100 + seq))),
            created_at: Timestamp(seq),
            edited_at: None,
            deleted_at: None,
            attachments: Vec::new(),
            reply_to: None,
        }
    }

    fn written(client_id: i64, what: What) -> Written {
        Written { client_id: ClientId(id(client_id)), by: ParticipantId::told(id(1)), what }
    }

    fn post(seq: i64, content: &str) -> Written {
        written(100 + seq, What::Post(content.into()))
    }

    fn edit(client_id: i64, seq: i64, content: &str) -> Written {
        written(client_id, What::Edit(MessageId(id(seq)), content.into()))
    }

    fn told(from: i64, changes: &[(i64, i64, &str)]) -> Told {
        let change = |&(rev, seq, content): &(i64, i64, &str)| Change {
            rev,
            message: Some((MessageId(id(seq)), (content != DELETED).then(|| content.into()))),
        };
        Told { from, changes: changes.iter().map(change).collect() }
    }

    fn ack(client_id: i64, message: Message) -> (ClientId, Message) {
        (ClientId(id(client_id)), message)
    }

    fn deleted(message: Message) -> Message {
        Message { content: String::new(), deleted_at: Some(Timestamp(9)), ..message }
    }

    const DELETED: &str = "(deleted)";

    /// Four messages, the first of which was edited, and the last deleted.
    fn sound() -> Evidence {
        let stored = vec![
            message(1, 6, "one, better"),
            message(2, 3, "two"),
            message(3, 4, "three"),
            deleted(message(4, 7, "four")),
        ];
        Evidence {
            written: vec![
                vec![post(1, "one"), post(3, "three"), edit(201, 1, "one, better")],
                vec![post(2, "two"), post(4, "four"), written(202, What::Delete(MessageId(id(4))))],
            ],
            acked: vec![
                ack(101, message(1, 2, "one")),
                ack(102, message(2, 3, "two")),
                ack(103, message(3, 4, "three")),
                ack(201, message(1, 6, "one, better")),
                ack(202, stored[3].clone()),
            ],
            told: vec![
                told(
                    1,
                    &[
                        (2, 1, "one"),
                        (3, 2, "two"),
                        (4, 3, "three"),
                        (5, 4, "four"),
                        (6, 1, "one, better"),
                        (7, 4, DELETED),
                    ],
                ),
                told(4, &[(5, 4, "four"), (6, 1, "one, better")]),
                Told::default(),
            ],
            shown: vec![stored.clone(), stored[1..].to_vec()],
            stored,
            head: 7,
        }
    }

    /// Makes all clients agree on a rev, so only the written messages prove the fault.
    fn agree(evidence: &mut Evidence, rev: i64, damage: impl Fn(&mut Message)) {
        let Evidence { acked, told, shown, stored, .. } = evidence;
        let messages = acked.iter_mut().map(|(_, message)| message).chain(shown.iter_mut().flatten()).chain(stored);
        let mut said = None;
        for message in messages.filter(|message| message.rev == rev) {
            damage(message);
            said = words(message).map(Into::into);
        }
        for change in told.iter_mut().flat_map(|told| &mut told.changes).filter(|change| change.rev == rev) {
            change.message.as_mut().unwrap().1.clone_from(&said);
        }
    }

    fn kinds(damage: impl FnOnce(&mut Evidence)) -> Vec<Kind> {
        let mut evidence = sound();
        damage(&mut evidence);
        let mut kinds: Vec<_> = check(&evidence).into_iter().map(|finding| finding.kind).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
    }

    #[test]
    fn sound_evidence_passes() {
        assert_eq!(kinds(|_| {}), []);
    }

    #[test]
    fn lost_messages_are_found() {
        assert_eq!(kinds(|e| e.written[1].push(post(99, "late"))), [Kind::Lost], "sent, never stored");
        assert!(kinds(|e| e.acked.push(ack(109, message(9, 7, "nine")))).contains(&Kind::Lost), "acknowledged only");
        let fell_back = |e: &mut Evidence| {
            e.written[1].push(edit(203, 2, "two, better"));
            e.acked.push(ack(203, message(2, 8, "two, better")));
        };
        assert_eq!(kinds(fell_back), [Kind::Lost], "an edit fell back");
        let told_only = |e: &mut Evidence| {
            e.written[1].push(edit(203, 2, "two, better"));
            e.told[0].changes.push(told(7, &[(8, 2, "two, better")]).changes.remove(0));
            e.head = 8;
        };
        assert_eq!(kinds(told_only), [Kind::Lost], "an edit was told, and nothing came of it");
        assert_eq!(kinds(|e| drop(e.shown[0].pop())), [Kind::Lost], "the last one is not shown");
        assert_eq!(kinds(|e| e.shown.push(Vec::new())), [Kind::Lost]);
        let all = kinds(|e| {
            e.stored.pop();
            e.shown = Vec::new();
        });
        assert!(all.contains(&Kind::Lost), "the last one is not stored");
    }

    #[test]
    fn duplicates_are_found() {
        let stored_twice = |e: &mut Evidence| {
            let again = Message { id: MessageId(id(5)), seq: 5, rev: 8, ..e.stored[2].clone() };
            e.stored.push(again.clone());
            e.shown.iter_mut().for_each(|shown| shown.push(again.clone()));
            e.head = 8;
        };
        assert_eq!(kinds(stored_twice), [Kind::Doubled]);
        let told_twice = |e: &mut Evidence| {
            let again = e.told[0].changes[1].clone();
            e.told[0].changes.insert(2, again);
        };
        assert_eq!(kinds(told_twice), [Kind::Doubled]);
        let shown_twice = |e: &mut Evidence| {
            let again = e.shown[0][1].clone();
            e.shown[0].insert(1, again);
        };
        assert_eq!(kinds(shown_twice), [Kind::Doubled]);
        assert!(kinds(|e| e.stored[1].rev = 4).contains(&Kind::Doubled), "two with one rev");
    }

    #[test]
    fn wrong_orders_are_found() {
        assert_eq!(kinds(|e| e.written[0].swap(0, 1)), [Kind::OutOfOrder]);
        assert!(kinds(|e| e.told[0].changes.swap(1, 2)).contains(&Kind::OutOfOrder));
        assert!(kinds(|e| e.shown[0].swap(1, 2)).contains(&Kind::OutOfOrder));
        assert_eq!(kinds(|e| e.acked[0].1.seq = 2), [Kind::OutOfOrder]);
    }

    #[test]
    fn skipped_revs_are_found() {
        assert_eq!(kinds(|e| e.told[0].changes.retain(|change| change.rev != 3)), [Kind::Gap]);
        assert_eq!(kinds(|e| e.told[1].from = 3), [Kind::Gap]);
        assert!(kinds(|e| drop(e.shown[0].remove(1))).contains(&Kind::Gap));
        assert!(kinds(|e| drop(e.stored.remove(1))).contains(&Kind::Gap));
    }

    #[test]
    fn differences_are_found() {
        assert_eq!(kinds(|e| e.shown[1][0].content = "tw0".into()), [Kind::Different]);
        assert_eq!(kinds(|e| e.shown[0][0] = message(1, 2, "one")), [Kind::Different], "an edit did not arrive");
        assert!(kinds(|e| e.acked[3].1.content = "one, worse".into()).contains(&Kind::Different));
        assert!(kinds(|e| e.head = 6).contains(&Kind::Different));
        let told_else = |e: &mut Evidence| e.told[1].changes = told(4, &[(5, 4, "four"), (6, 1, "one")]).changes;
        assert_eq!(kinds(told_else), [Kind::Different], "one was told something else than the others");
    }

    #[test]
    fn invented_messages_are_found_even_if_all_agree() {
        assert_eq!(kinds(|e| agree(e, 3, |message| message.content = "tw".into())), [Kind::Different], "cut off");
        assert_eq!(kinds(|e| agree(e, 3, |message| message.content = "three".into())), [Kind::Different], "another's");
        assert_eq!(kinds(|e| agree(e, 3, |message| *message = deleted(message.clone()))), [Kind::Different]);
        assert_eq!(kinds(|e| agree(e, 3, |message| message.sender_id = ParticipantId::told(id(2)))), [Kind::Different]);
        assert_eq!(kinds(|e| agree(e, 3, |message| message.client_id = None)), [Kind::Lost, Kind::Different]);
        assert_eq!(kinds(|e| agree(e, 6, |message| message.content = "one".into())), [Kind::Different], "not edited");
        let returned = |e: &mut Evidence| {
            agree(e, 7, |message| {
                message.deleted_at = None;
                message.content = "four".into();
            });
        };
        assert_eq!(kinds(returned), [Kind::Different], "a deletion that was acknowledged, and did nothing");
        let undone = |e: &mut Evidence| {
            let back = message(4, 8, "four");
            e.stored[3] = back.clone();
            e.shown.iter_mut().for_each(|shown| *shown.last_mut().unwrap() = back.clone());
            e.head = 8;
        };
        assert_eq!(kinds(undone), [Kind::Different], "a deletion that was undone");
        let unedited = |e: &mut Evidence| {
            let back = message(1, 8, "one");
            e.stored[0] = back.clone();
            e.shown[0][0] = back;
            e.head = 8;
        };
        assert_eq!(kinds(unedited), [Kind::Different], "an edit that was undone");
        let left = |e: &mut Evidence| agree(e, 7, |message| message.content = "four".into());
        assert_eq!(kinds(left), [Kind::Different], "a deletion that left the words");
        let invented = |e: &mut Evidence| {
            let more = Message { client_id: None, ..message(5, 8, "Hello!") };
            e.stored.push(more.clone());
            e.shown.iter_mut().for_each(|shown| shown.push(more.clone()));
            e.head = 8;
        };
        assert_eq!(kinds(invented), [Kind::Different], "a message that nobody wrote");
        assert_eq!(kinds(|e| e.acked.swap(0, 1)), []);
        let crossed = |e: &mut Evidence| (e.acked[0].0, e.acked[1].0) = (e.acked[1].0, e.acked[0].0);
        assert_eq!(kinds(crossed), [Kind::Different], "an answer to somebody else's");
    }
}
