//! Holds what clients were acknowledged, were told and have at the end against what the server has.
//!
//! Knows nothing about how the evidence came about. Finds what is lost, doubled, out of order, skipped
//! or different; the tests below damage sound evidence in each of these ways.

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use bespoken::domain::{ClientId, Message, MessageId};

/// What is known about one room.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// For each client, what it sent and did not take back, in the order in which it was written.
    pub sent: Vec<Vec<ClientId>>,
    /// Each message as an `ack` told it, after a post, an edit or a deletion.
    pub acked: Vec<Message>,
    /// The stretches in which clients were told of changes one by one.
    pub told: Vec<Told>,
    /// What each client shows at the end: everything from some seq on.
    pub shown: Vec<Vec<Message>>,
    /// What the server has at the end, loaded anew, ascending by seq.
    pub stored: Vec<Message>,
    pub head: i64,
}

/// Live frames on one connection after one `joined`.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// The head that the `joined` told.
    pub from: i64,
    pub revs: Vec<i64>,
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

    // What was sent.
    let mut by_client_id: HashMap<ClientId, Vec<&Message>> = HashMap::new();
    for message in stored {
        if let Some(client_id) = message.client_id {
            by_client_id.entry(client_id).or_default().push(message);
        }
    }
    for sent in &evidence.sent {
        let mut last = 0;
        for client_id in sent {
            match by_client_id.get(client_id).map(Vec::as_slice) {
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

    // What was acknowledged.
    for acked in &evidence.acked {
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

    // What was told.
    for told in &evidence.told {
        let mut last = told.from;
        for &rev in &told.revs {
            match rev - last {
                1 => {}
                0 => find(Kind::Doubled, format!("rev {rev} was told twice")),
                step if step < 0 => find(Kind::OutOfOrder, format!("rev {rev} was told after {last}")),
                _ => find(Kind::Gap, format!("rev {rev} was told right after {last}")),
            }
            last = rev;
        }
    }

    // What is shown.
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
            sender_id: ParticipantId(id(1)),
            sender_name: "A".into(),
            content: content.into(),
            system: false,
            client_id: Some(ClientId(id(100 + seq))),
            created_at: Timestamp(seq),
            edited_at: None,
            deleted_at: None,
            attachments: Vec::new(),
        }
    }

    /// Three messages, the first of which was edited last.
    fn sound() -> Evidence {
        let stored = vec![message(1, 5, "one, better"), message(2, 3, "two"), message(3, 4, "three")];
        Evidence {
            sent: vec![vec![ClientId(id(101)), ClientId(id(103))], vec![ClientId(id(102))]],
            acked: vec![
                message(1, 2, "one"),
                message(2, 3, "two"),
                message(3, 4, "three"),
                message(1, 5, "one, better"),
            ],
            told: vec![Told { from: 1, revs: vec![2, 3, 4, 5] }, Told { from: 3, revs: vec![4, 5] }, Told::default()],
            shown: vec![stored.clone(), stored[1..].to_vec()],
            stored,
            head: 5,
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
    fn what_is_lost_is_found() {
        assert_eq!(kinds(|e| e.sent[1].push(ClientId(id(199)))), [Kind::Lost], "sent, never stored");
        assert_eq!(kinds(|e| e.acked.push(message(9, 9, "nine"))), [Kind::Lost], "acknowledged, not stored");
        assert_eq!(kinds(|e| e.acked.push(message(2, 4, "two, better"))), [Kind::Lost], "an edit fell back");
        assert_eq!(kinds(|e| drop(e.shown[0].pop())), [Kind::Lost], "the last one is not shown");
        assert_eq!(kinds(|e| e.shown.push(Vec::new())), [Kind::Lost]);
        let all = kinds(|e| {
            e.stored.pop();
            e.shown = Vec::new();
        });
        assert_eq!(all, [Kind::Lost], "the last one is not stored");
    }

    #[test]
    fn what_is_doubled_is_found() {
        let stored_twice = |e: &mut Evidence| {
            let again = Message { id: MessageId(id(4)), seq: 4, rev: 6, ..e.stored[2].clone() };
            e.stored.push(again.clone());
            e.shown.iter_mut().for_each(|shown| shown.push(again.clone()));
            e.head = 6;
        };
        assert_eq!(kinds(stored_twice), [Kind::Doubled]);
        assert_eq!(kinds(|e| e.told[0].revs.insert(2, 3)), [Kind::Doubled]);
        let shown_twice = |e: &mut Evidence| {
            let again = e.shown[0][1].clone();
            e.shown[0].insert(1, again);
        };
        assert_eq!(kinds(shown_twice), [Kind::Doubled]);
        assert!(kinds(|e| e.stored[1].rev = 4).contains(&Kind::Doubled), "two with one rev");
    }

    #[test]
    fn what_is_out_of_order_is_found() {
        assert_eq!(kinds(|e| e.sent[0].reverse()), [Kind::OutOfOrder]);
        assert!(kinds(|e| e.told[0].revs.swap(1, 2)).contains(&Kind::OutOfOrder));
        assert!(kinds(|e| e.shown[0].swap(1, 2)).contains(&Kind::OutOfOrder));
        assert_eq!(kinds(|e| e.acked[0].seq = 2), [Kind::OutOfOrder]);
    }

    #[test]
    fn what_is_skipped_is_found() {
        assert_eq!(kinds(|e| e.told[0].revs.retain(|rev| *rev != 3)), [Kind::Gap]);
        assert_eq!(kinds(|e| e.told[1].from = 2), [Kind::Gap]);
        assert!(kinds(|e| drop(e.shown[0].remove(1))).contains(&Kind::Gap));
        assert!(kinds(|e| drop(e.stored.remove(1))).contains(&Kind::Gap));
    }

    #[test]
    fn what_is_different_is_found() {
        assert_eq!(kinds(|e| e.shown[1][0].content = "tw0".into()), [Kind::Different]);
        assert_eq!(kinds(|e| e.shown[0][0] = message(1, 2, "one")), [Kind::Different], "an edit did not arrive");
        assert_eq!(kinds(|e| e.acked[3].content = "one, worse".into()), [Kind::Different]);
        assert_eq!(kinds(|e| e.head = 4), [Kind::Different]);
    }
}
