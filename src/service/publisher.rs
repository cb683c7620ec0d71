//! After the commit: tells rooms of each change in its order, and inboxes of what is new.

use std::{
    collections::{HashMap, HashSet},
    sync::Weak,
    time::Duration,
};

use tokio::sync::mpsc::UnboundedReceiver;

use super::Service;
use crate::{
    domain::{Actor, ConversationId},
    live::{Frame, Person, Socket, frame},
    protocol::ServerFrame,
    storage::{Audience, Change, Commit},
};

/// Changes of a conversation within this time reach an inbox as one.
const INBOX_EVERY: Duration = Duration::from_millis(100);

/// Tells the rooms. Ends when the store closes.
pub(super) async fn publish(service: Weak<Service>, mut commits: UnboundedReceiver<Vec<Commit>>) {
    while let Some(batch) = commits.recv().await {
        let Some(service) = service.upgrade() else { return };
        for commit in batch {
            service.tell_room(commit).await;
        }
    }
}

/// Tells the inboxes. Ends with the service.
pub(super) async fn tell_inboxes(service: Weak<Service>, mut changed: UnboundedReceiver<ConversationId>) {
    while let Some(first) = changed.recv().await {
        let mut ids = HashSet::from([first]);
        while let Ok(id) = changed.try_recv() {
            ids.insert(id);
        }
        let Some(service) = service.upgrade() else { return };
        for id in ids {
            service.tell_inbox(id).await;
        }
        drop(service);
        tokio::time::sleep(INBOX_EVERY).await;
    }
}

impl Service {
    pub(super) async fn tell_room(&self, Commit { conversation_id: room, rev, change }: Commit) {
        match change {
            Change::Posted(message) => {
                self.hub.stops_typing(room, message.sender_id);
                self.hub.tell_change(room, rev, || frame(&ServerFrame::NewMessage { room, rev, message }));
            }
            Change::Edited(message) => {
                self.hub.tell_change(room, rev, || frame(&ServerFrame::MessageUpdated { room, rev, message }));
            }
            Change::Deleted(message) => {
                self.hub.tell_change(room, rev, || frame(&ServerFrame::MessageDeleted { room, rev, message }));
            }
            Change::Conversation => {
                // Admins and customers see a conversation differently, so each person gets their own.
                let words = |conversation| ServerFrame::ConversationUpdated { room, rev, conversation };
                let mut frames = self.frame_for_each(&self.hub.listeners(room), room, words).await;
                // Someone may have come in meanwhile, without this change.
                while let Err(newcomers) = self.hub.tell_change_each(room, rev, &frames) {
                    frames.extend(self.frame_for_each(&newcomers, room, words).await);
                }
            }
        }
        self.inbox_changed(room);
    }

    async fn tell_inbox(&self, id: ConversationId) {
        // A failing database is logged there; the next change of the conversation tells again.
        let Ok(Audience { customer, links }) = self.store.audience(id).await.map_err(super::problem) else { return };
        let sockets = self.hub.audience(customer, &links);
        let frames = self.frame_for_each(&sockets, id, |conversation| ServerFrame::Inbox { conversation }).await;
        for socket in sockets {
            if let Some(Some(frame)) = frames.get(&Person::from(&socket.actor)) {
                socket.send(frame);
            }
        }
    }

    /// The frame that each person on these sockets gets about a conversation; none for those who may
    /// not see it any more.
    async fn frame_for_each(
        &self,
        sockets: &[std::sync::Arc<Socket>],
        id: ConversationId,
        words: impl Fn(Box<crate::domain::Conversation>) -> ServerFrame,
    ) -> HashMap<Person, Option<Frame>> {
        let people: HashMap<Person, &Actor> =
            sockets.iter().map(|socket| (Person::from(&socket.actor), &socket.actor)).collect();
        let mut frames = HashMap::with_capacity(people.len());
        for (person, actor) in people {
            // A failing database is logged by `conversation`: then the next rev shows the gap.
            let conversation = self.conversation(actor, id).await.ok();
            frames.insert(person, conversation.map(|conversation| frame(&words(Box::new(conversation)))));
        }
        frames
    }

    /// Notes that lists which show this conversation are out of date.
    pub(super) fn inbox_changed(&self, id: ConversationId) {
        // Fails only when the service is going down, and then nobody is left to be told.
        self.dirty.send(id).ok();
    }
}
