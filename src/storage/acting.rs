//! On whose behalf the database works. SQLite has no roles and takes no notice.

use crate::domain::Actor;

/// On whose behalf a transaction runs.
#[derive(Clone, Copy)]
pub(in crate::storage) enum Acting<'a> {
    Actor(&'a Actor),
    /// The service itself, without a person: it resolves secrets, manages accounts, notifies the people concerned by a
    /// change, and removes old data. Sees no messages.
    System,
    /// Retention and erasure: see `erasure`. Reads the data that it removes, and is the only actor that deletes it.
    Eraser,
}
