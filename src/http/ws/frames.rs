//! The text frames of one socket: each becomes a [`ClientFrame`], one call of `service`, and an answer in the
//! socket's queue. Independent of the connection.

use std::{iter, pin::Pin, sync::Arc};

use serde::{
    Deserialize, Serialize,
    de::{self, value::MapDeserializer},
};
use tokio::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

use crate::{
    domain::{ClientId, Code, ConversationId, Problem},
    http::metrics::Metrics,
    live::{Frame, Socket, frame},
    locales::{self, t},
    protocol::{ClientFrame, ServerFrame},
    service::Service,
};

/// A request that waits for the database.
pub(super) type Pending<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// The result of a text frame.
pub(super) enum Outcome<'a> {
    /// The text is answered, or needs no answer.
    Done,
    /// Poll this to its end before the next text.
    Pending(Pending<'a>),
    /// The peer has sent too many invalid texts.
    TooManyInvalid,
}

/// Handles the frames of one socket.
pub(super) struct Frames {
    pub service: Arc<Service>,
    pub metrics: Arc<Metrics>,
    pub socket: Arc<Socket>,
}

impl Frames {
    pub fn receive(&self, text: &str) -> Outcome<'_> {
        let read_at = Instant::now();
        match parse(text) {
            Some(asked) => self.dispatch(asked, read_at),
            None if self.service.count_invalid(&self.socket) => {
                self.socket.send(&invalid(text));
                Outcome::Done
            }
            None => Outcome::TooManyInvalid,
        }
    }

    fn dispatch(&self, asked: ClientFrame, read_at: Instant) -> Outcome<'_> {
        let (service, socket) = (&self.service, &self.socket);
        let (room, client_id) = asked.about();
        let about = About { room, client_id, read_at };
        match asked {
            // These touch only memory, so they are answered without a future.
            ClientFrame::Typing { room, on } => self.done(about, service.typing(socket, room, on)),
            ClientFrame::Visible { on } => self.done(about, service.set_visible(socket, on)),
            ClientFrame::FollowRequests => self.done(about, service.follow_requests(socket)),
            ClientFrame::JoinRequest { room, after, epoch, sender } => self
                .pending(about, async move { service.join(socket, room, after, epoch, sender).await.map(|()| None) }),
            ClientFrame::LeaveRequest { room } => {
                self.pending(about, async move { service.leave(socket, room).await.map(|()| None) })
            }
            ClientFrame::SendMessage { room, sender, .. }
            | ClientFrame::UpdateMessage { room, sender, .. }
            | ClientFrame::DeleteMessage { room, sender, .. } => self.pending(about, async move {
                service.require_sender_on(socket, room, sender).await?;
                service.perform(&socket.actor, asked).await
            }),
            ClientFrame::Read { .. } => self.pending(about, service.perform(&socket.actor, asked)),
        }
    }

    fn done(&self, about: About, result: Result<(), Problem>) -> Outcome<'_> {
        self.answer(about, result.map(|()| None));
        Outcome::Done
    }

    fn pending<'a>(
        &'a self,
        about: About,
        request: impl Future<Output = Result<Option<ServerFrame>, Problem>> + Send + 'a,
    ) -> Outcome<'a> {
        // A span per request, because most sockets are idle and a span each would cost memory.
        let span = tracing::info_span!("socket", connection_id = %self.socket.id);
        let answered = async move { self.answer(about, request.await) };
        Outcome::Pending(Box::pin(answered.instrument(span)))
    }

    /// Queues the `ack` of a change, or the `error`.
    fn answer(&self, about: About, result: Result<Option<ServerFrame>, Problem>) {
        match result {
            Ok(None) => {}
            Ok(Some(ack)) => {
                self.socket.send(&frame(&ack));
                self.metrics.acknowledged(about.read_at.elapsed());
            }
            Err(problem) => self.socket.send(&frame(&ServerFrame::error(problem, about.room, about.client_id))),
        }
    }
}

/// The part of a frame that its answer repeats, and the time of reading.
#[derive(Clone, Copy)]
struct About {
    room: Option<ConversationId>,
    client_id: Option<ClientId>,
    read_at: Instant,
}

/// Accepts a JSON object only. `serde` also accepts an array of the members in the order of their declaration. The
/// next version would give such an array another meaning.
fn parse(text: &str) -> Option<ClientFrame> {
    let is_object = text.trim_ascii_start().starts_with('{');
    is_object.then(|| serde_json::from_str(text).ok()).flatten()
}

/// Limit for a string that an `error` repeats: ids in any notation fit.
const MAX_REPEATED_BYTES: usize = 64;

/// The answer to an invalid text. It repeats the room and the `client_id` in the client's notation.
fn invalid(text: &str) -> Frame {
    #[derive(Serialize)]
    struct Invalid<'a> {
        r#type: &'static str,
        code: Code,
        message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        room: Option<&'a str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        client_id: Option<&'a str>,
    }
    let asked: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let word =
        |name| asked.get(name).and_then(serde_json::Value::as_str).filter(|word| word.len() <= MAX_REPEATED_BYTES);
    // An invalid id is "not found", as in the API.
    let names_nothing =
        |name| asked.get(name).is_some_and(|id| id.as_str().is_some_and(|id| Uuid::parse_str(id).is_err()));
    let problem = if word("type").is_some_and(is_type) && (names_nothing("room") || names_nothing("id")) {
        Problem::not_found()
    } else {
        Problem::new(Code::Invalid, t!(locales::current(), api::FRAME))
    };
    frame(&Invalid {
        r#type: "error",
        code: problem.code,
        message: problem.message,
        room: word("room"),
        client_id: word("client_id"),
    })
}

/// Whether clients may send frames of this type. Only the declaration of [`ClientFrame`] lists the types.
fn is_type(name: &str) -> bool {
    let only_type = MapDeserializer::<_, Rejection>::new(iter::once(("type", name)));
    !matches!(ClientFrame::deserialize(only_type), Err(Rejection::UnknownType))
}

/// The reason why an object with only a type is not a frame.
#[derive(Debug, thiserror::Error)]
enum Rejection {
    #[error("no such type")]
    UnknownType,
    #[error("members are missing")]
    Incomplete,
}

impl de::Error for Rejection {
    fn custom<T: std::fmt::Display>(_: T) -> Self {
        Self::Incomplete
    }

    fn unknown_variant(_: &str, _: &'static [&'static str]) -> Self {
        Self::UnknownType
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_declaration_of_the_frames_names_their_types() {
        for (name, expected) in [
            ("sendMessage", true),
            ("joinRequest", true),
            ("followRequests", true),
            ("SendMessage", false),
            ("welcome", false),
            ("fly", false),
            ("", false),
        ] {
            assert_eq!(is_type(name), expected, "{name}");
        }
    }
}
