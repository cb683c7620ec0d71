//! The participants who type in a room.

use tokio::time::Instant;

use crate::domain::ParticipantId;

#[derive(Default)]
pub(super) struct Typing {
    people: Vec<Typist>,
    /// Whether a task calls [`Typing::expire`].
    is_watched: bool,
}

struct Typist {
    id: ParticipantId,
    /// When the last sign expires.
    until: Instant,
}

/// The result of [`Typing::expire`].
pub(super) struct Expired {
    pub people: Vec<ParticipantId>,
    /// When to call again; `None` if no participant types.
    pub next: Option<Instant>,
}

impl Typing {
    /// Records that someone types until `until`. Returns whether the caller has to start a task that expires it.
    pub fn start(&mut self, id: ParticipantId, until: Instant) -> bool {
        match self.people.iter_mut().find(|typist| typist.id == id) {
            Some(typist) => typist.until = until,
            None => self.people.push(Typist { id, until }),
        }
        !std::mem::replace(&mut self.is_watched, true)
    }

    /// Removes and returns the participants whose last sign has expired.
    pub fn expire(&mut self, now: Instant) -> Expired {
        let people = self.people.extract_if(.., |typist| typist.until <= now).map(|typist| typist.id).collect();
        let next = self.people.iter().map(|typist| typist.until).min();
        self.is_watched = next.is_some();
        Expired { people, next }
    }

    /// Returns whether this participant was typing.
    pub fn stop(&mut self, id: ParticipantId) -> bool {
        let before = self.people.len();
        self.people.retain(|typist| typist.id != id);
        self.people.len() != before
    }
}
