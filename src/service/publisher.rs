//! After the commit: broadcasts each change in order, on this node and on others, and enqueues its conversation for
//! `inboxes` and a new message for `push`. `gaps` fetches changes that a room has missed.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::Service;
use crate::{
    domain::{Actor, Change, Code, Conversation, ConversationId, Problem},
    live::{BusEvent, Outcome, Person, Socket, Topic, frame},
    protocol::ServerFrame,
    storage::Commit,
};

/// Each person's view of a conversation; `None` for people without access.
pub(super) type Views = HashMap<Person, Option<Conversation>>;

/// Broadcasts every commit. Ends when the store closes.
pub(super) async fn publish(service: Weak<Service>, mut commits: UnboundedReceiver<Vec<Commit>>) {
    while let Some(batch) = commits.recv().await {
        let Some(service) = service.upgrade() else { return };
        for Commit { conversation_id: room, rev, change } in batch {
            service.hub.publish(Topic::Room(room), || BusEvent::Changed { rev, change: change.clone() });
            if let Change::Posted(message) = &change {
                service.notify_soon(message);
            }
            service.broadcast_change(room, rev, change);
            service.inbox_changed(room);
        }
    }
}

impl Service {
    /// Broadcasts a change that is on disk to its room.
    pub(super) fn broadcast_change(self: &Arc<Self>, room: ConversationId, rev: i64, change: Change) {
        if let Change::Posted(message) = &change {
            self.hub.stops_typing(room, message.sender_id);
        }
        self.follow_up(room, self.hub.broadcast_change(room, rev, change));
    }

    /// Performs the next step after a change.
    pub(super) fn follow_up(self: &Arc<Self>, room: ConversationId, outcome: Outcome) {
        match outcome {
            Outcome::Done => {}
            Outcome::Personalise(rev) => drop(tokio::spawn(self.clone().personalise(room, rev))),
            Outcome::FetchGap => drop(tokio::spawn(self.clone().fill_gap(room))),
        }
    }

    /// Sends the room a change of its conversation, with each person's own view.
    async fn personalise(self: Arc<Self>, room: ConversationId, rev: i64) {
        let outcome = match self.try_personalise(room, rev, &mut HashMap::new()).await {
            Ok(outcome) => outcome,
            // The gap is filled once the database answers.
            Err(_) => self.hub.catch_up_to(room, rev),
        };
        self.follow_up(room, outcome);
    }

    /// # Errors
    /// `unavailable`: nothing was sent.
    pub(super) async fn try_personalise(
        &self,
        room: ConversationId,
        rev: i64,
        seen: &mut Views,
    ) -> Result<Outcome, Problem> {
        let to_frame = |conversation: &Conversation| {
            frame(&ServerFrame::ConversationUpdated { room, rev, conversation: Box::new(conversation.clone()) })
        };
        let mut newcomers = self.hub.listeners(room);
        loop {
            self.see(&newcomers, room, seen).await?;
            let frames = seen.iter().map(|(person, seen)| (*person, seen.as_ref().map(to_frame))).collect();
            // A person may have joined meanwhile, without this change.
            match self.hub.broadcast_each(room, rev, &frames) {
                Ok(outcome) => return Ok(outcome),
                Err(others) => newcomers = others,
            }
        }
    }

    /// Adds each person's view of a conversation, for the people on these sockets; `None` for people who have lost
    /// access.
    ///
    /// # Errors
    /// `unavailable`.
    async fn see(&self, sockets: &[Arc<Socket>], id: ConversationId, seen: &mut Views) -> Result<(), Problem> {
        let people: HashMap<Person, &Actor> =
            sockets.iter().map(|socket| (Person::from(&socket.actor), &socket.actor)).collect();
        for (person, actor) in people {
            if seen.contains_key(&person) {
                continue;
            }
            let conversation = match self.conversation(actor, id).await {
                Ok(conversation) => Some(conversation),
                Err(Problem { code: Code::Unavailable, .. }) => return Err(Problem::unavailable()),
                Err(_) => None,
            };
            seen.insert(person, conversation);
        }
        Ok(())
    }
}
