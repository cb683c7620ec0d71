//! Frames without a socket: for a browser between which and this server something lets no sockets through.
//!
//! What a browser says is done as on a socket, and answered with the same frames; what a socket would be told by itself,
//! it asks for again and again. Nobody is told that it is here, and signs of typing go neither way.

use std::sync::Arc;

use super::{NewMessage, Service, problem};
use crate::{
    api::Exchanged,
    domain::{Actor, ConversationId, Epoch, ParticipantId, Problem, RequestOrder, Timestamp},
    live::Person,
    locales::{self, t},
    protocol::{ClientFrame, JOIN_CATCH_UP, JOIN_LATEST, ServerFrame},
    storage::{ConversationFilter, RequestFilter, now},
};

/// Frames that are taken at once: a browser sends what it has, and has one message under way at a time.
const MOST_FRAMES: usize = 50;
/// Changes of other conversations, and of requests, that are told at once.
const MOST_NEWS: i64 = 50;
/// A change is dated before it is on disk, and told only then: so long it may have taken.
const OVERLAP_MS: i64 = 5_000;

impl Service {
    /// Does what the frames ask, in their order, and tells what happened `since`. Without `since`, who the browser
    /// is comes first, as on a new socket.
    ///
    /// # Errors
    /// `invalid`, `rate_limited`, `unauthorized`, `unavailable`. What is wrong with one frame, the answer to it says.
    pub async fn exchange(
        self: &Arc<Self>,
        actor: &Actor,
        frames: Vec<ClientFrame>,
        since: Option<Timestamp>,
    ) -> Result<Exchanged, Problem> {
        if frames.len() > MOST_FRAMES {
            return Err(Problem::invalid("frames", t!(locales::current(), api::frames(MOST_FRAMES))));
        }
        self.count_ask(actor)?;
        let now = now();
        let follows = frames.contains(&ClientFrame::FollowRequests);
        let mut answers = Vec::new();
        if since.is_none() {
            let connection_id = uuid::Uuid::now_v7();
            answers.push(ServerFrame::Welcome { connection_id, user: self.who(actor).await?, epoch: self.epoch });
        }
        for asked in frames {
            let (room, client_id) = asked.about();
            match self.answer(actor, asked).await {
                Ok(answer) => answers.extend(answer),
                Err(problem) => answers.push(ServerFrame::error(problem, room, client_id)),
            }
        }
        if let Some(since) = since {
            self.tell_since(actor, Timestamp(since.0.saturating_sub(OVERLAP_MS)), follows, &mut answers).await?;
        }
        let crowded = self.hub.open_sockets(Person::from(actor)) >= self.settings.limits.connections;
        Ok(Exchanged { frames: answers, now, crowded })
    }

    /// The answer to one frame. Those that need a socket ask for nothing here.
    async fn answer(self: &Arc<Self>, actor: &Actor, asked: ClientFrame) -> Result<Option<ServerFrame>, Problem> {
        match asked {
            ClientFrame::JoinRequest { room, after, epoch, sender } => {
                self.look_in(actor, room, after, epoch, sender).await.map(Some)
            }
            ClientFrame::SendMessage { room, sender, .. } => {
                self.require_sender(actor, room, sender).await?;
                self.perform(actor, asked).await
            }
            ClientFrame::UpdateMessage { id, sender, .. } | ClientFrame::DeleteMessage { id, sender, .. } => {
                self.require_sender_to(actor, id, sender).await?;
                self.perform(actor, asked).await
            }
            asked => self.perform(actor, asked).await,
        }
    }

    /// Performs a frame that needs no socket; does nothing for the others. The caller has compared the sender. Returns the
    /// `ack` of a change.
    ///
    /// # Errors
    /// Those of the use case.
    pub async fn perform(&self, actor: &Actor, asked: ClientFrame) -> Result<Option<ServerFrame>, Problem> {
        let (room, client_id, message) = match asked {
            ClientFrame::SendMessage { room, client_id, content, attachment_ids, reply_to, .. } => {
                let new = NewMessage { client_id: Some(client_id), content, attachment_ids, reply_to };
                (room, client_id, self.post_message(actor, room, new).await?.message)
            }
            ClientFrame::UpdateMessage { room, client_id, id, content, .. } => {
                (room, client_id, self.edit_message(actor, Some(room), id, &content).await?)
            }
            ClientFrame::DeleteMessage { room, client_id, id, .. } => {
                (room, client_id, self.delete_message(actor, Some(room), id).await?)
            }
            ClientFrame::Read { room, seq } => return self.read_up_to(actor, room, seq).await.map(|_| None),
            ClientFrame::JoinRequest { .. }
            | ClientFrame::LeaveRequest { .. }
            | ClientFrame::Typing { .. }
            | ClientFrame::FollowRequests => return Ok(None),
        };
        Ok(Some(ServerFrame::Ack { room, client_id, message }))
    }

    /// What a join would answer, for somebody who has no socket that could be in the room.
    async fn look_in(
        &self,
        actor: &Actor,
        room: ConversationId,
        after: Option<i64>,
        epoch: Option<Epoch>,
        sender: Option<ParticipantId>,
    ) -> Result<ServerFrame, Problem> {
        self.count_ask(actor)?;
        if after.is_some_and(|after| after < 0) {
            return Err(Problem::invalid("after", t!(locales::current(), api::REV)));
        }
        let most = if after.is_some() { JOIN_CATCH_UP } else { JOIN_LATEST };
        let mut loaded = self.store.load_room(actor, room, after, most).await.map_err(problem)?;
        if sender.is_some_and(|sender| sender != loaded.seat.me.id) {
            return Err(Problem::somebody_else());
        }
        if epoch.is_some_and(|epoch| epoch != self.epoch) || after.is_some_and(|after| after > loaded.page.head) {
            return Ok(ServerFrame::Resync { room });
        }
        if loaded.participants.iter().all(|person| person.id != loaded.seat.me.id) {
            loaded.seat = self.store.join(actor, room).await.map_err(problem)?;
            loaded.participants.push(loaded.seat.me.clone());
        }
        // Without `after`, older messages are loaded on demand; `more` speaks of changes only.
        loaded.page.more &= after.is_some();
        Ok(ServerFrame::Joined(Box::new(self.joined(actor, room, loaded))))
    }

    /// The conversations, and the requests if the browser `follows` them, that were active since a moment.
    async fn tell_since(
        &self,
        actor: &Actor,
        since: Timestamp,
        follows: bool,
        news: &mut Vec<ServerFrame>,
    ) -> Result<(), Problem> {
        let conversations = if actor.is_admin() {
            // Of all that there are, only those few are read.
            let active = self.store.list_active(since, MOST_NEWS).await.map_err(problem)?;
            let ids: Vec<_> = active.into_iter().map(|(id, _)| id).collect();
            if ids.is_empty() { Vec::new() } else { self.conversations_of(actor, &ids).await? }
        } else {
            let filter = ConversationFilter::default();
            let own = self.store.list_conversations(actor, &filter, None, MOST_NEWS).await.map_err(problem)?;
            own.into_iter().map(|seat| self.seen_by(actor, seat)).filter(|own| own.updated_at >= since).collect()
        };
        let conversations = conversations.into_iter().map(Box::new);
        news.extend(conversations.map(|conversation| ServerFrame::Inbox { conversation }));
        if follows {
            let filter = RequestFilter { order: RequestOrder::Activity, ..RequestFilter::default() };
            let requests = self.store.list_requests(actor, &filter, None, MOST_NEWS).await.map_err(problem)?;
            let active = requests.into_iter().map(|(request, _)| request).filter(|request| request.updated_at >= since);
            news.extend(active.map(|request| ServerFrame::Request { id: request.id, status: request.status }));
        }
        Ok(())
    }
}
