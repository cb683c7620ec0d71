//! Who types in a room.

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
    /// Until when the last sign holds.
    until: Instant,
}

/// What has expired.
pub(super) struct Expired {
    pub people: Vec<ParticipantId>,
    /// When to ask again; `None` once nobody types, and then nobody has to.
    pub next: Option<Instant>,
}

impl Typing {
    /// Notes that someone types until `until`. Returns whether the caller has to start a task that expires it, because
    /// there is none yet.
    pub fn start(&mut self, id: ParticipantId, until: Instant) -> bool {
        match self.people.iter_mut().find(|typist| typist.id == id) {
            Some(typist) => typist.until = until,
            None => self.people.push(Typist { id, until }),
        }
        !std::mem::replace(&mut self.is_watched, true)
    }

    /// Takes out those whose last sign does not hold any more.
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
