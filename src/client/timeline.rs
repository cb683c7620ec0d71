//! One conversation as the browser knows it: its messages by seq, merged by rev.
//!
//! Invariants: it contains every change up to `rev`. An older state of a message never replaces a newer one. After a
//! catch-up, the displayed messages have no hole. Frames may be lost, duplicated or out of order; the result equals
//! that of a fresh load.

use crate::{
    domain::{Conversation, ConversationId, Epoch, Message},
    protocol::{ClientFrame, Joined},
};

/// The effect of a live frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Live {
    Applied,
    /// Known already.
    Old,
    /// Something in between is missing: join again.
    Gap,
}

/// Whether a `joined` completed the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    UpToDate,
    /// More changes wait: join again.
    JoinAgain,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Timeline {
    /// Ascending by seq. Also holds changed messages below `first`, so that older ones loaded later,
    /// perhaps from before the change, do not bring back what is gone.
    messages: Vec<Message>,
    /// The lowest seq that is shown. Seqs start at 1 without holes: above 1, older ones exist.
    first: i64,
    rev: i64,
    epoch: Epoch,
    /// The next join takes everything anew, and its answer replaces all of this.
    anew: bool,
    conversation: Conversation,
}

impl Timeline {
    /// From a load without `after`.
    #[must_use]
    pub fn new(loaded: Joined) -> Self {
        let mut timeline = Self {
            messages: Vec::new(),
            first: 1,
            rev: 0,
            epoch: loaded.epoch,
            anew: false,
            conversation: loaded.conversation.clone(),
        };
        // A page can show an earlier part of the history. The next changes do not continue it.
        let is_latest = loaded.messages.last().map_or(0, |message| message.seq) >= loaded.conversation.last_seq;
        timeline.replace(loaded);
        timeline.anew = !is_latest;
        timeline
    }

    fn replace(&mut self, loaded: Joined) {
        self.first = loaded.messages.first().map_or(1, |message| message.seq);
        self.messages.clear();
        for message in loaded.messages {
            self.merge(message);
        }
        self.rev = loaded.head;
        self.epoch = loaded.epoch;
        self.conversation = loaded.conversation;
        self.anew = false;
    }

    /// The displayed messages, in order.
    pub fn messages(&self) -> impl DoubleEndedIterator<Item = &Message> + Clone {
        let start = self.messages.partition_point(|message| message.seq < self.first);
        self.messages[start..].iter()
    }

    /// The lowest seq that is shown; older ones exist if it is above 1.
    #[must_use]
    pub fn first(&self) -> i64 {
        self.first
    }

    /// The highest seq; 0 while there is no message.
    #[must_use]
    pub fn last(&self) -> i64 {
        self.messages.last().map_or(0, |message| message.seq)
    }

    #[must_use]
    pub fn conversation(&self) -> &Conversation {
        &self.conversation
    }

    #[must_use]
    pub fn room(&self) -> ConversationId {
        self.conversation.id
    }

    /// All that is shown, as the answer to a load without `after`: [`Self::new`] takes it again later. Nobody is in it.
    #[must_use]
    pub fn to_joined(&self) -> Joined {
        Joined {
            room: self.room(),
            epoch: self.epoch,
            head: self.rev,
            conversation: self.conversation.clone(),
            participants: Vec::new(),
            receipts: Vec::new(),
            messages: self.messages().cloned().collect(),
            more: self.first > 1,
        }
    }

    /// Requests the missing changes. At most one such request should be open at a time.
    #[must_use]
    pub fn join_request(&self) -> ClientFrame {
        let (after, epoch) = if self.anew { (None, None) } else { (Some(self.rev), Some(self.epoch)) };
        ClientFrame::JoinRequest { room: self.room(), after, epoch, sender: None }
    }

    /// Takes the answer to [`Self::join_request`].
    pub fn apply_joined(&mut self, joined: Joined) -> Progress {
        if self.anew {
            self.replace(joined);
            return Progress::UpToDate;
        }
        if joined.epoch != self.epoch {
            self.resync();
            return Progress::JoinAgain;
        }
        let reached =
            if joined.more { joined.messages.last().map_or(self.rev, |message| message.rev) } else { joined.head };
        self.rev = self.rev.max(reached);
        for message in joined.messages {
            self.merge(message);
        }
        self.take_conversation(joined.conversation);
        if joined.more { Progress::JoinAgain } else { Progress::UpToDate }
    }

    /// A `newMessage`, `messageUpdated` or `messageDeleted`.
    pub fn apply_message(&mut self, rev: i64, message: Message) -> Live {
        let live = self.step(rev);
        if live == Live::Applied {
            self.merge(message);
        }
        live
    }

    /// A `conversationUpdated`.
    pub fn apply_conversation(&mut self, rev: i64, conversation: Conversation) -> Live {
        let live = self.step(rev);
        if live == Live::Applied {
            self.take_conversation(conversation);
        }
        live
    }

    /// The known state belongs to another history. It stays on the screen until the answer to the next join replaces
    /// it, so that nothing flickers.
    pub fn resync(&mut self) {
        self.anew = true;
    }

    /// Puts `older`, the messages right before `before`, on top.
    pub fn prepend(&mut self, before: i64, older: Vec<Message>) {
        // The timeline was replaced while these were on their way.
        if before != self.first {
            return;
        }
        self.first = older.first().map_or(1, |message| message.seq);
        for message in older {
            self.merge(message);
        }
    }

    /// Takes a message from outside the order of revs, as an `ack` brings it. Its live frame may
    /// still come.
    pub fn learn(&mut self, message: Message) {
        self.merge(message);
    }

    fn step(&mut self, rev: i64) -> Live {
        if self.anew || rev <= self.rev {
            Live::Old
        } else if rev == self.rev + 1 {
            self.rev = rev;
            Live::Applied
        } else {
            Live::Gap
        }
    }

    fn merge(&mut self, message: Message) {
        match self.messages.binary_search_by_key(&message.seq, |known| known.seq) {
            Ok(at) if self.messages[at].rev < message.rev => self.messages[at] = message,
            Ok(_) => {}
            Err(at) => self.messages.insert(at, message),
        }
    }

    fn take_conversation(&mut self, conversation: Conversation) {
        if conversation.head >= self.conversation.head {
            self.conversation = conversation;
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::{collection::vec, prelude::*, sample::Index};
    use uuid::Uuid;

    use super::*;
    use crate::domain::{ConversationKind, ConversationStatus, MessageId, ParticipantId, SenderType, Timestamp};

    pub(crate) fn conversation() -> Conversation {
        Conversation {
            id: ConversationId(Uuid::from_u128(1)),
            kind: ConversationKind::Session,
            request_id: None,
            status: ConversationStatus::Open,
            sealed: false,
            customer_name: "Ada".into(),
            customer_email: None,
            metadata: serde_json::Value::Null,
            assignee_id: None,
            head: 0,
            last_seq: 0,
            last_message: None,
            last_event: None,
            unread: 0,
            created_at: Timestamp(0),
            updated_at: Timestamp(0),
            closed_at: None,
            closed_by: None,
            link: None,
            customer_online: None,
            rating: None,
        }
    }

    pub(crate) fn message(seq: i64, rev: i64, content: &str) -> Message {
        Message {
            id: MessageId(Uuid::from_u128(1_000 + seq as u128)),
            conversation_id: ConversationId(Uuid::from_u128(1)),
            seq,
            rev,
            sender_type: SenderType::Customer,
            sender_id: ParticipantId::told(Uuid::from_u128(1)),
            sender_name: "Ada".into(),
            content: content.into(),
            system: false,
            event: None,
            client_id: None,
            created_at: Timestamp(seq * 1_000),
            edited_at: None,
            deleted_at: None,
            attachments: Vec::new(),
            reply_to: None,
        }
    }

    /// A server with small pages, so that short histories need several.
    const LATEST: usize = 5;
    const PAGE: usize = 3;

    #[derive(Clone)]
    struct Server {
        epoch: Epoch,
        conversation: Conversation,
        messages: Vec<Message>,
        /// Every change since the start, as its live frame.
        frames: Vec<Frame>,
    }

    #[derive(Clone)]
    enum Frame {
        Message(i64, Message),
        Conversation(i64, Conversation),
    }

    impl Server {
        fn new() -> Self {
            Self {
                epoch: Epoch(Uuid::from_u128(9)),
                conversation: conversation(),
                messages: Vec::new(),
                frames: Vec::new(),
            }
        }

        fn change(&mut self, at: Option<usize>, change: impl FnOnce(&mut Message)) {
            self.conversation.head += 1;
            let rev = self.conversation.head;
            let at = at.unwrap_or_else(|| {
                self.messages.push(message(self.messages.len() as i64 + 1, rev, "new"));
                self.messages.len() - 1
            });
            let message = &mut self.messages[at];
            message.rev = rev;
            change(message);
            self.frames.push(Frame::Message(rev, message.clone()));
            self.conversation.last_seq = self.messages.len() as i64;
        }

        fn toggle(&mut self) {
            self.conversation.head += 1;
            self.conversation.status = match self.conversation.status {
                ConversationStatus::Open => ConversationStatus::Closed,
                ConversationStatus::Closed => ConversationStatus::Open,
            };
            self.frames.push(Frame::Conversation(self.conversation.head, self.conversation.clone()));
        }

        fn joined(&self, messages: Vec<Message>, more: bool) -> Joined {
            Joined {
                room: self.conversation.id,
                epoch: self.epoch,
                head: self.conversation.head,
                conversation: self.conversation.clone(),
                participants: Vec::new(),
                receipts: Vec::new(),
                messages,
                more,
            }
        }

        fn load(&self) -> Joined {
            let start = self.messages.len().saturating_sub(LATEST);
            self.joined(self.messages[start..].to_vec(), start > 0)
        }

        /// `None` is a `resync`.
        fn answer(&self, request: &ClientFrame) -> Option<Joined> {
            let ClientFrame::JoinRequest { after, epoch, .. } = request else { unreachable!() };
            let Some(after) = *after else { return Some(self.load()) };
            if *epoch != Some(self.epoch) || after > self.conversation.head {
                return None;
            }
            let mut changed: Vec<_> = self.messages.iter().filter(|message| message.rev > after).cloned().collect();
            changed.sort_by_key(|message| message.rev);
            let more = changed.len() > PAGE;
            changed.truncate(PAGE);
            Some(self.joined(changed, more))
        }

        fn older(&self, before: i64) -> Vec<Message> {
            let end = (before - 1).max(0) as usize;
            self.messages[end.saturating_sub(LATEST)..end].to_vec()
        }
    }

    /// The browser's end of the line: joins when it has to, one question at a time.
    struct Client {
        timeline: Timeline,
        question: Option<ClientFrame>,
    }

    impl Client {
        fn join(&mut self) {
            self.question = Some(self.timeline.join_request());
        }

        fn take(&mut self, frame: Frame) {
            let live = match frame {
                Frame::Message(rev, message) => self.timeline.apply_message(rev, message),
                Frame::Conversation(rev, conversation) => self.timeline.apply_conversation(rev, conversation),
            };
            if live == Live::Gap && self.question.is_none() {
                self.join();
            }
        }

        fn take_answer(&mut self, server: &Server) {
            let Some(question) = self.question.take() else { return };
            match server.answer(&question) {
                Some(joined) => {
                    if self.timeline.apply_joined(joined) == Progress::JoinAgain {
                        self.join();
                    }
                }
                None => {
                    self.timeline.resync();
                    self.join();
                }
            }
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Post,
        Edit(Index),
        Delete(Index),
        Toggle,
        /// A frame of any time reaches the client, wanted or not.
        Deliver(Index),
        /// The next frame that the client waits for.
        DeliverNext,
        /// The line was cut: the client joins.
        Join,
        Answer,
        AskOlder,
        TakeOlder,
        /// An earlier state of the server comes back from a backup.
        Restore(Index),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => Just(Step::Post),
            3 => any::<Index>().prop_map(Step::Edit),
            2 => any::<Index>().prop_map(Step::Delete),
            1 => Just(Step::Toggle),
            3 => any::<Index>().prop_map(Step::Deliver),
            6 => Just(Step::DeliverNext),
            2 => Just(Step::Join),
            4 => Just(Step::Answer),
            1 => Just(Step::AskOlder),
            1 => Just(Step::TakeOlder),
            1 => any::<Index>().prop_map(Step::Restore),
        ]
    }

    proptest! {
        #[test]
        fn every_way_ends_like_a_fresh_load(start in vec(step(), 0..12), steps in vec(step(), 0..120)) {
            let mut server = Server::new();
            let mut backups = vec![server.clone()];
            let mut client: Option<Client> = None;
            let mut older = None;
            let from_load = start.len();
            for (at, step) in start.into_iter().chain(steps).enumerate() {
                if at == from_load {
                    client = Some(Client { timeline: Timeline::new(server.load()), question: None });
                }
                let existing = server.messages.len();
                match (step, &mut client) {
                    (Step::Post, _) => server.change(None, |_| ()),
                    (Step::Edit(at), _) if existing > 0 => server.change(Some(at.index(existing)), |message| {
                        message.content.push('!');
                        message.edited_at = Some(Timestamp(message.rev));
                    }),
                    (Step::Delete(at), _) if existing > 0 => server.change(Some(at.index(existing)), |message| {
                        message.content.clear();
                        message.deleted_at = Some(Timestamp(message.rev));
                    }),
                    (Step::Toggle, _) => server.toggle(),
                    (Step::Deliver(at), Some(client)) if !server.frames.is_empty() => {
                        client.take(server.frames[at.index(server.frames.len())].clone());
                    }
                    (Step::DeliverNext, Some(client)) => {
                        if let Some(frame) = server.frames.get(client.timeline.rev as usize) {
                            client.take(frame.clone());
                        }
                    }
                    (Step::Join, Some(client)) => client.join(),
                    (Step::Answer, Some(client)) => client.take_answer(&server),
                    (Step::AskOlder, Some(client)) => {
                        let before = client.timeline.first();
                        // Only for the history that the server has now: a restore cuts every request.
                        if client.timeline.epoch == server.epoch {
                            older = Some((before, server.older(before)));
                        }
                    }
                    (Step::TakeOlder, Some(client)) => {
                        if let Some((before, messages)) = older.take() {
                            client.timeline.prepend(before, messages);
                        }
                    }
                    (Step::Restore(at), client) => {
                        server = backups[at.index(backups.len())].clone();
                        server.epoch = Epoch(Uuid::from_u128(100 + at.index(1_000_000) as u128));
                        older = None;
                        if let Some(client) = client {
                            client.join();
                        }
                    }
                    _ => {}
                }
                if at % 7 == 0 {
                    backups.push(server.clone());
                }
            }
            let mut client = client.unwrap_or_else(|| Client { timeline: Timeline::new(server.load()), question: None });
            client.join();
            let (mut answers, mut resyncs) = (0, 0);
            while let Some(question) = &client.question {
                answers += 1;
                resyncs += usize::from(server.answer(question).is_none());
                // One that says resync, one of a past that is not continued, and each page.
                prop_assert!(answers <= 3 + server.messages.len() / PAGE, "it asks for ever");
                client.take_answer(&server);
            }
            prop_assert!(resyncs <= 1);
            let shown: Vec<_> = client.timeline.messages().cloned().collect();
            let fresh = Timeline::new(server.load());
            prop_assert!(shown.len() >= fresh.messages().count());
            prop_assert_eq!(&shown[..], &server.messages[server.messages.len() - shown.len()..]);
            prop_assert_eq!(client.timeline.first() > 1, shown.len() < server.messages.len());
            prop_assert_eq!(client.timeline.rev, fresh.rev);
            prop_assert_eq!(client.timeline.conversation().status, server.conversation.status);
        }
    }

    #[test]
    fn another_history_is_loaded_anew_once() {
        let mut past = Server::new();
        for _ in 0..5 {
            past.change(None, |_| ());
        }
        let mut server = past.clone();
        for _ in 0..3 {
            server.change(None, |_| ());
        }
        let another = Server { epoch: Epoch(Uuid::from_u128(10)), ..server.clone() };
        // The rev is from the future of one, and from the same moment of the other.
        for other in [past, another] {
            let mut client = Client { timeline: Timeline::new(server.load()), question: None };
            client.join();
            assert_eq!(other.answer(client.question.as_ref().unwrap()), None);
            client.take_answer(&other);
            assert!(matches!(client.question, Some(ClientFrame::JoinRequest { after: None, .. })));
            client.take_answer(&other);
            assert_eq!(client.question, None);
            assert_eq!(client.timeline, Timeline::new(other.load()));
        }
    }

    #[test]
    fn an_edit_outlives_the_older_page_that_does_not_know_it() {
        let mut server = Server::new();
        for _ in 0..8 {
            server.change(None, |_| ());
        }
        let mut timeline = Timeline::new(server.load());
        assert_eq!(timeline.first(), 4);
        let older = server.older(4);
        server.change(Some(1), |message| message.content = "edited".into());
        let edited = server.messages[1].clone();
        assert_eq!(timeline.apply_message(9, edited), Live::Applied);
        assert_eq!(timeline.messages().count(), 5, "what is above the first one shown stays hidden");
        timeline.prepend(4, older);
        assert_eq!(timeline.messages().nth(1).unwrap().content, "edited");
        assert_eq!(timeline.first(), 1);
    }

    #[test]
    fn a_page_of_the_past_is_not_continued() {
        let mut server = Server::new();
        for _ in 0..8 {
            server.change(None, |_| ());
        }
        let past = server.joined(server.messages[..3].to_vec(), false);
        let mut timeline = Timeline::new(past);
        assert_eq!(
            timeline.join_request(),
            ClientFrame::JoinRequest { room: timeline.room(), after: None, epoch: None, sender: None }
        );
        assert_eq!(timeline.apply_joined(server.load()), Progress::UpToDate);
        assert_eq!(timeline, Timeline::new(server.load()));
    }
}
