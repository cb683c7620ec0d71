//! Frames over HTTP, for a browser whose network blocks sockets.
//!
//! A browser's frames are performed and answered as on a socket; it polls for the frames that a socket would receive
//! on its own. Its presence is not broadcast, and typing works in neither direction.

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

/// Maximum number of frames per request. A browser sends its queue, and has one message in progress at a time.
const MOST_FRAMES: usize = 50;
/// Maximum number of changes of other conversations and of requests per response.
const MOST_NEWS: i64 = 50;
/// Overlap of two polls. A change gets its time before it is on disk, and this is the longest assumed delay.
const OVERLAP_MS: i64 = 5_000;

impl Service {
    /// Performs the frames in order, and reports changes after `since`. Without `since`, it begins with the browser's
    /// identity, as on a new socket.
    ///
    /// # Errors
    /// `invalid`, `rate_limited`, `unauthorized`, `unavailable`. Errors of a single frame are in its answer.
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

    /// The answer to one frame. Frames that need a socket have no effect here.
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

    /// Performs a frame that needs no socket; ignores the others. The caller has checked the sender. Returns the
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
            | ClientFrame::Visible { .. }
            | ClientFrame::FollowRequests => return Ok(None),
        };
        Ok(Some(ServerFrame::Ack { room, client_id, message }))
    }

    /// The answer of a join, for a client without a socket.
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
        // Without `after`, older messages are loaded on demand; `more` refers to changes only.
        loaded.page.more &= after.is_some();
        Ok(ServerFrame::Joined(Box::new(self.joined(actor, room, loaded))))
    }

    /// Appends the conversations, and the requests if the browser `follows` them, with activity since a time.
    async fn tell_since(
        &self,
        actor: &Actor,
        since: Timestamp,
        follows: bool,
        news: &mut Vec<ServerFrame>,
    ) -> Result<(), Problem> {
        let conversations = if actor.is_admin() {
            // Reads only these few of the visible conversations.
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
