//! Tests of what one chat knows.

use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::*;
use crate::{
    client::{
        labels::utc,
        timeline::tests::{conversation, message},
    },
    domain::Epoch,
};

fn at(now: i64) -> Moment {
    Moment { steady: now, at: Timestamp(now) }
}

fn me() -> Participant {
    let id = ParticipantId::told(Uuid::from_u128(1));
    Participant { id, kind: ParticipantKind::Guest, name: "Ada".into(), online: true, last_seen_at: None }
}

fn joined(messages: Vec<Message>, head: i64, more: bool) -> Joined {
    let last_seq = messages.iter().map(|message| message.seq).max().unwrap_or(0);
    let conversation = crate::domain::Conversation { head, last_seq, ..conversation() };
    let epoch = Epoch(Uuid::from_u128(9));
    Joined {
        room: conversation.id,
        epoch,
        head,
        conversation,
        participants: vec![me()],
        receipts: Vec::new(),
        messages,
        more,
    }
}

fn frame(joined: Joined) -> ServerFrame {
    ServerFrame::Joined(Box::new(joined))
}

fn live_room() -> Room {
    let mut room = Room::new(&me(), joined(vec![message(1, 1, "one")], 1, false));
    assert!(matches!(room.on_connected()[..], [Do::Send(ClientFrame::JoinRequest { after: Some(1), .. })]));
    assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)), []);
    assert!(room.is_up_to_date());
    room
}

#[test]
fn a_gap_joins_once() {
    let mut room = live_room();
    let message = |rev, x| Message { sender_id: ParticipantId::told(Uuid::from_u128(2)), ..message(rev, rev, x) };
    let news = |rev| ServerFrame::NewMessage { room: conversation().id, rev, message: message(rev, "x") };
    assert!(matches!(room.on_frame(&news(3), at(0))[..], [Do::Send(ClientFrame::JoinRequest { after: Some(1), .. })]));
    assert!(!room.is_up_to_date());
    assert_eq!(room.on_frame(&news(4), at(0)), []);
    let missed = (2..=3).map(|rev| message(rev, "x")).collect();
    assert!(matches!(
        room.on_frame(&frame(joined(missed, 4, true)), at(0))[..],
        [Do::Send(ClientFrame::JoinRequest { after: Some(3), .. })]
    ));
    assert_eq!(room.on_frame(&frame(joined(vec![message(4, "x")], 4, false)), at(0)), []);
    assert!(room.is_up_to_date());
    assert_eq!(room.timeline.messages().count(), 4);
}

#[test]
fn a_resync_joins_once_from_the_beginning() {
    let mut room = live_room();
    let resync = ServerFrame::Resync { room: conversation().id };
    assert!(matches!(room.on_frame(&resync, at(0))[..], [Do::Send(ClientFrame::JoinRequest { after: None, .. })]));
    assert!(!room.is_up_to_date());
    assert_eq!(room.on_frame(&frame(joined(vec![message(1, 1, "another")], 1, false)), at(0)), []);
    assert!(room.is_up_to_date());
    assert_eq!(room.timeline.messages().map(|message| &*message.content).collect::<Vec<_>>(), ["another"]);
}

#[test]
fn offline_messages_are_sent_after_the_join() {
    let mut room = live_room();
    room.on_disconnected(1006);
    let ids: Vec<_> = (1..4).map(|n| ClientId(Uuid::from_u128(n))).collect();
    for id in &ids {
        assert!(matches!(room.post(*id, "text".into(), None, at(0))[..], [Do::Keep(_)]));
    }
    assert_eq!(room.on_connected().len(), 1, "only the join");
    // The first had arrived before the line was cut.
    let mine = Message { client_id: Some(ids[0]), ..message(2, 2, "text") };
    let todo = room.on_frame(&frame(joined(vec![mine], 2, false)), at(0));
    assert!(
        matches!(&todo[..], [Do::Forget(first), Do::Send(ClientFrame::SendMessage { client_id, .. })] if *first == ids[0] && *client_id == ids[1])
    );
    let ack = ServerFrame::Ack {
        room: room.id(),
        client_id: ids[1],
        message: Message { client_id: Some(ids[1]), ..message(3, 3, "text") },
    };
    assert_eq!(room.on_frame(&ack, at(0)).len(), 2);
    assert_eq!(
        room.lines(Timestamp(0), utc).iter().filter(|line| matches!(line, Line::Message(_))).count(),
        4,
        "an acknowledged one stays"
    );
}

#[test]
fn on_another_persons_connection_nothing_is_sent_and_the_queue_is_retained() {
    let mut room = live_room();
    room.on_disconnected(1006);
    let written = room.post(ClientId(Uuid::from_u128(5)), "mine".into(), None, at(0));
    assert!(matches!(written[..], [Do::Keep(_)]));
    assert!(
        matches!(room.on_connected()[..], [Do::Send(ClientFrame::JoinRequest { sender, .. })] if sender == Some(me().id))
    );
    let refused = ServerFrame::Error {
        code: Code::Forbidden,
        message: "somebody else".into(),
        room: Some(room.id()),
        client_id: None,
    };
    assert_eq!(room.on_frame(&refused, at(0)), [Do::Estrange]);
    assert_eq!((room.is_live(), room.outbox.waiting()), (false, 1));
    assert_eq!(room.read(1, at(0)), []);
    assert!(matches!(room.post(ClientId(Uuid::from_u128(6)), "mine too".into(), None, at(0))[..], [Do::Keep(_)]));
    assert_eq!(room.wake(at(10_000), false), []);
}

#[test]
fn every_send_names_its_sender() {
    let mut room = live_room();
    let todo = room.post(ClientId(Uuid::from_u128(5)), "mine".into(), None, at(0));
    assert!(matches!(todo[..], [_, Do::Send(ClientFrame::SendMessage { sender, .. })] if sender == Some(me().id)));
}

#[test]
fn a_receipt_is_sent_once_and_again_after_a_cut() {
    let mut room = live_room();
    assert_eq!(room.read(1, at(0)).len(), 1);
    assert_eq!(room.read(1, at(0)), []);
    room.on_disconnected(1006);
    assert_eq!(room.read(2, at(0)), []);
    let _ = room.on_connected();
    assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)).len(), 1);
}

#[test]
fn a_refused_room_is_gone_and_a_busy_server_is_not() {
    let error =
        |code| ServerFrame::Error { code, message: "no".into(), room: Some(conversation().id), client_id: None };
    let mut room = live_room();
    let _ = room.on_connected();
    assert_eq!(room.on_frame(&error(Code::Unavailable), at(0)), [Do::WakeAt(JOIN_AGAIN_MS)]);
    assert_eq!(room.wake(at(JOIN_AGAIN_MS), true).len(), 1);
    assert_eq!(room.on_frame(&error(Code::NotFound), at(0)), []);
    assert!(room.gone);
    assert_eq!(room.on_connected(), []);
}

#[test]
fn a_conflicting_send_fails_and_is_retried_under_a_new_id() {
    let mut room = live_room();
    let _ = room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0));
    let [old, new] = [5, 6].map(|n| ClientId(Uuid::from_u128(n)));
    let _ = room.post(old, "text".into(), None, at(0));
    let (code, message) = (Code::Conflict, "used".to_owned());
    let refusal = ServerFrame::Error { code, message, room: Some(room.id()), client_id: Some(old) };
    let todo = room.on_frame(&refusal, at(0));
    assert!(matches!(&todo[..], [Do::Keep(Entry { content, id_is_taken: true, .. })] if content == "text"), "{todo:?}");
    assert_eq!(room.wake(at(1_000_000), true), [], "nothing goes out by itself");
    let todo = room.retry(old, new, at(0));
    let [Do::Keep(kept), Do::Forget(forgotten), Do::Send(ClientFrame::SendMessage { client_id, content, .. })] =
        &todo[..]
    else {
        panic!("{todo:?}");
    };
    assert_eq!((kept.client_id, *forgotten, *client_id, &**content), (new, old, new, "text"));
}

#[test]
fn edits_wait_for_their_answer_across_a_cut_but_are_not_begun_without_connection() {
    let mut room = live_room();
    let id = ClientId(Uuid::from_u128(5));
    let delete = ClientFrame::DeleteMessage { room: room.id(), client_id: id, id: message(1, 1, "").id, sender: None };
    assert_eq!(room.change(id, delete.clone()), [Do::Send(delete.clone())]);
    room.on_disconnected(1006);
    assert_eq!(room.change(id, delete.clone()), []);
    assert!(room.notice.is_some());
    let _ = room.on_connected();
    assert_eq!(room.on_frame(&frame(joined(Vec::new(), 1, false)), at(0)), [Do::Send(delete)]);
    let error =
        ServerFrame::Error { code: Code::Forbidden, message: "why".into(), room: Some(room.id()), client_id: Some(id) };
    assert_eq!(room.on_frame(&error, at(0)), []);
    assert_eq!(room.notice.as_deref(), Some("why"));
}

/// A server that stores messages, and a line to it that loses what is on its way.
struct World {
    room: Room,
    stored: Vec<Message>,
    to_server: Vec<ClientFrame>,
    to_client: Vec<ServerFrame>,
    kept: std::collections::BTreeSet<ClientId>,
    up: bool,
    now: i64,
    written: u128,
}

impl World {
    fn perform(&mut self, todo: Vec<Do>) {
        for act in todo {
            match act {
                Do::Send(frame) if self.up => self.to_server.push(frame),
                Do::Send(_) | Do::WakeAt(_) => {}
                Do::Keep(entry) => drop(self.kept.insert(entry.client_id)),
                Do::Forget(id) => drop(self.kept.remove(&id)),
                Do::Estrange => unreachable!("nobody else is here"),
            }
        }
    }

    fn head(&self) -> i64 {
        self.stored.len() as i64
    }

    fn store(&mut self, client_id: Option<ClientId>, sender: u128, content: String) {
        let seq = self.head() + 1;
        let sender_id = ParticipantId::told(Uuid::from_u128(sender));
        let message = Message { client_id, sender_id, content, ..message(seq, seq, "") };
        self.stored.push(message.clone());
        self.to_client.push(ServerFrame::NewMessage { room: self.room.id(), rev: seq, message });
    }

    fn serve(&mut self) {
        if self.to_server.is_empty() {
            return;
        }
        match self.to_server.remove(0) {
            ClientFrame::JoinRequest { after, .. } => {
                let missed: Vec<_> =
                    self.stored.iter().filter(|message| message.rev > after.unwrap_or(0)).take(3).cloned().collect();
                let more = missed.last().is_some_and(|message| message.rev < self.head());
                self.to_client.push(frame(joined(missed, self.head(), more)));
            }
            ClientFrame::SendMessage { client_id, content, room, .. } => {
                if !self.stored.iter().any(|message| message.client_id == Some(client_id)) {
                    self.store(Some(client_id), 1, content);
                }
                let message = self.stored.iter().find(|message| message.client_id == Some(client_id)).cloned().unwrap();
                self.to_client.push(ServerFrame::Ack { room, client_id, message });
            }
            _ => {}
        }
    }

    fn take(&mut self) {
        if !self.to_client.is_empty() {
            let frame = self.to_client.remove(0);
            let todo = self.room.on_frame(&frame, at(self.now));
            self.perform(todo);
        }
    }

    fn cut(&mut self) {
        self.up = false;
        self.to_server.clear();
        self.to_client.clear();
        let todo = self.room.on_disconnected(1006);
        self.perform(todo);
    }

    fn connect(&mut self) {
        if !self.up {
            self.up = true;
            self.to_client.clear();
            let todo = self.room.on_connected();
            self.perform(todo);
        }
    }

    /// The page is loaded again: what is not on disk is gone.
    fn reload(&mut self) {
        self.cut();
        let kept: Vec<Entry> =
            self.room.outbox.entries().iter().filter(|entry| self.kept.contains(&entry.client_id)).cloned().collect();
        let from = self.stored.len().saturating_sub(50);
        self.room = Room::new(&me(), joined(self.stored[from..].to_vec(), self.head(), from > 0));
        self.room.outbox = Outbox::restore(kept);
    }
}

proptest! {
    #[test]
    fn after_all_connection_faults_each_message_arrives_once_and_in_order(steps in vec(0u8..16, 0..200)) {
        let mut world = World {
            room: Room::new(&me(), joined(Vec::new(), 0, false)),
            stored: Vec::new(),
            to_server: Vec::new(),
            to_client: Vec::new(),
            kept: Default::default(),
            up: false,
            now: 0,
            written: 0,
        };
        for step in steps {
            world.now += 100;
            match step {
                0..=2 => {
                    world.written += 1;
                    let todo = world.room.post(ClientId(Uuid::from_u128(world.written)), world.written.to_string(), None, at(world.now));
                    world.perform(todo);
                }
                3 => world.store(None, 2, "other".into()),
                4 => world.cut(),
                5 | 6 => world.connect(),
                7 => world.reload(),
                8..=11 => world.serve(),
                _ => world.take(),
            }
        }
        world.connect();
        while !(world.to_server.is_empty() && world.to_client.is_empty()) {
            world.serve();
            world.take();
        }
        prop_assert!(world.room.is_up_to_date());
        prop_assert!(world.room.outbox.entries().is_empty());
        prop_assert!(world.kept.is_empty());
        let mine: Vec<u128> = world.stored.iter().filter_map(|message| message.client_id).map(|id| id.0.as_u128()).collect();
        prop_assert_eq!(mine, (1..=world.written).collect::<Vec<_>>());
        prop_assert!(world.room.timeline.messages().eq(world.stored.iter().skip(world.stored.len() - world.room.timeline.messages().count())));
    }
}

/// A tab of one person's browser.
struct Tab {
    room: Room,
    up: bool,
    to_server: Vec<ClientFrame>,
    to_client: Vec<ServerFrame>,
    /// Client ids that other tabs have kept or forgotten, as far as this tab has not heard of it.
    news: Vec<ClientId>,
    wake_at: Option<i64>,
}

/// Two tabs of a browser that share what is kept, and the server.
struct Browser {
    tabs: [Option<Tab>; 2],
    kept: std::collections::BTreeMap<ClientId, String>,
    stored: Vec<Message>,
    /// What was written, with the tab that it was written in.
    written: Vec<(ClientId, usize)>,
    refused: std::collections::BTreeSet<ClientId>,
    discarded: std::collections::BTreeSet<ClientId>,
    open: bool,
    now: i64,
}

impl Browser {
    fn tab(&mut self, at: usize) -> &mut Tab {
        if self.tabs[at].is_none() {
            let mut room = Room::new(&me(), joined(self.stored.clone(), self.stored.len() as i64, false));
            room.outbox = Outbox::restore(self.kept.values().filter_map(|kept| Entry::read(kept)).collect());
            let (to_server, to_client, news) = (Vec::new(), Vec::new(), Vec::new());
            self.tabs[at] = Some(Tab { room, up: false, to_server, to_client, news, wake_at: None });
        }
        self.tabs[at].as_mut().unwrap()
    }

    /// Changes a tab's room, and does what follows.
    fn act(&mut self, tab: usize, change: impl FnOnce(&mut Room, Moment) -> Vec<Do>) {
        let now = at(self.now);
        let todo = change(&mut self.tab(tab).room, now);
        for act in todo {
            match act {
                Do::Send(frame) => {
                    let tab = self.tab(tab);
                    if tab.up {
                        tab.to_server.push(frame);
                    }
                }
                Do::WakeAt(at) => {
                    let tab = self.tab(tab);
                    tab.wake_at = Some(tab.wake_at.map_or(at, |before| before.max(at)));
                }
                Do::Keep(entry) => self.share(tab, entry.client_id, Some(entry.write())),
                Do::Forget(id) => self.share(tab, id, None),
                Do::Estrange => unreachable!("nobody else is here"),
            }
        }
    }

    fn share(&mut self, tab: usize, id: ClientId, kept: Option<String>) {
        let before = match kept.clone() {
            Some(kept) => self.kept.insert(id, kept),
            None => self.kept.remove(&id),
        };
        if before != kept {
            self.tabs[1 - tab].iter_mut().for_each(|other| other.news.push(id));
        }
    }

    fn connect(&mut self, tab: usize) {
        if !self.tab(tab).up {
            self.tab(tab).up = true;
            self.act(tab, |room, _| room.on_connected());
        }
    }

    fn cut(&mut self, tab: usize) {
        let it = self.tab(tab);
        it.up = false;
        it.to_server.clear();
        it.to_client.clear();
        self.act(tab, |room, _| room.on_disconnected(1006));
    }

    fn serve(&mut self, tab: usize) {
        if self.tab(tab).to_server.is_empty() {
            return;
        }
        let answer = match self.tab(tab).to_server.remove(0) {
            ClientFrame::JoinRequest { after, .. } => {
                let missed = self.stored.iter().filter(|message| message.rev > after.unwrap_or(0)).cloned().collect();
                frame(joined(missed, self.stored.len() as i64, false))
            }
            ClientFrame::SendMessage { client_id, content, room, .. } => {
                let known = self.stored.iter().find(|message| message.client_id == Some(client_id)).cloned();
                match known {
                    Some(message) => ServerFrame::Ack { room, client_id, message },
                    None if !self.open => {
                        self.refused.insert(client_id);
                        let (code, message) = (Code::Closed, "closed".to_owned());
                        ServerFrame::Error { code, message, room: Some(room), client_id: Some(client_id) }
                    }
                    None => {
                        let seq = self.stored.len() as i64 + 1;
                        let message = Message { client_id: Some(client_id), content, ..message(seq, seq, "") };
                        self.stored.push(message.clone());
                        for tab in self.tabs.iter_mut().flatten().filter(|tab| tab.up) {
                            let message = message.clone();
                            tab.to_client.push(ServerFrame::NewMessage { room, rev: seq, message });
                        }
                        ServerFrame::Ack { room, client_id, message }
                    }
                }
            }
            _ => return,
        };
        self.tab(tab).to_client.push(answer);
    }

    fn take(&mut self, tab: usize) {
        if !self.tab(tab).to_client.is_empty() {
            let frame = self.tab(tab).to_client.remove(0);
            self.act(tab, |room, now| room.on_frame(&frame, now));
        }
    }

    fn hear(&mut self, tab: usize) {
        if !self.tab(tab).news.is_empty() {
            let id = self.tab(tab).news.remove(0);
            let entry = self.kept.get(&id).and_then(|kept| Entry::read(kept));
            self.act(tab, |room, now| room.on_kept_elsewhere(id, entry, now));
        }
    }

    fn failed(&mut self, tab: usize) -> Vec<ClientId> {
        let entries = self.tab(tab).room.outbox.entries().iter();
        let failed = entries.filter(|entry| matches!(entry.state, crate::client::outbox::SendState::Failed(_)));
        failed.map(|entry| entry.client_id).collect()
    }

    /// Until nothing is under way any more, whatever was to be waited for.
    fn rest(&mut self) {
        for _ in 0..10_000 {
            for tab in 0..2 {
                if self.tabs[tab].is_some() {
                    self.hear(tab);
                    self.serve(tab);
                    self.take(tab);
                    if self.tab(tab).wake_at.is_some_and(|at| self.now >= at) {
                        self.tab(tab).wake_at = None;
                        self.act(tab, |room, now| room.wake(now, true));
                    }
                }
            }
            self.now += 100;
            let is_quiet = |tab: &Tab| {
                tab.to_server.is_empty() && tab.to_client.is_empty() && tab.news.is_empty() && tab.wake_at.is_none()
            };
            if self.tabs.iter().flatten().all(is_quiet) {
                return;
            }
        }
        panic!("it never rests");
    }
}

proptest! {
    #[test]
    fn two_tabs_send_each_once_and_nothing_comes_back(steps in vec((0u8..18, 0usize..2), 0..200)) {
        let mut browser = Browser {
            tabs: [None, None],
            kept: Default::default(),
            stored: Vec::new(),
            written: Vec::new(),
            refused: Default::default(),
            discarded: Default::default(),
            open: true,
            now: 0,
        };
        browser.tab(0);
        for (step, tab) in steps {
            browser.now += 300;
            match step {
                0..=2 => {
                    let id = ClientId(Uuid::from_u128(browser.written.len() as u128 + 1));
                    browser.written.push((id, tab));
                    browser.act(tab, |room, now| room.post(id, id.to_string(), None, now));
                }
                3 | 4 => browser.connect(tab),
                5 => browser.cut(tab),
                // It is closed; what comes next opens it again.
                6 => browser.tabs[tab] = None,
                7..=9 => browser.serve(tab),
                10..=12 => browser.take(tab),
                13 | 14 => browser.hear(tab),
                15 => {
                    browser.now += 5_000;
                    browser.act(tab, |room, now| room.wake(now, true));
                }
                16 => browser.open = !browser.open,
                _ => {
                    for id in browser.failed(tab) {
                        browser.discarded.insert(id);
                        browser.act(tab, |room, _| room.discard(id));
                    }
                }
            }
        }
        browser.open = true;
        // One tab or both are left. Together they send every stored message.
        for tab in 0..2 {
            if tab == 0 || browser.tabs[tab].is_some() {
                browser.connect(tab);
            }
        }
        browser.rest();
        for tab in 0..2 {
            for id in browser.failed(tab) {
                browser.act(tab, |room, now| room.retry(id, id, now));
            }
        }
        browser.connect(0);
        browser.connect(1);
        browser.rest();
        prop_assert!(browser.kept.is_empty(), "{:?} of {:?}", browser.kept, browser.written);
        for tab in browser.tabs.iter().flatten() {
            prop_assert_eq!(tab.room.outbox.entries(), &[]);
        }
        let stored: Vec<_> = browser.stored.iter().filter_map(|message| message.client_id).collect();
        for (id, _) in &browser.written {
            let count = stored.iter().filter(|other| *other == id).count();
            prop_assert!(count == 1 || (count == 0 && browser.discarded.contains(id)), "{id} {count}");
        }
        for tab in 0..2 {
            let own = |id: &&ClientId| browser.written.contains(&(**id, tab)) && !browser.refused.contains(id);
            prop_assert!(stored.iter().filter(own).is_sorted(), "{stored:?}");
        }
    }
}
