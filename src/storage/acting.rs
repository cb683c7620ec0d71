//! On whose behalf the database works. SQLite has no roles and takes no notice.

use crate::domain::Actor;

/// On whose behalf a transaction runs.
#[derive(Clone, Copy)]
pub(in crate::storage) enum Acting<'a> {
    Actor(&'a Actor),
    /// What the service does for nobody in particular: finding out what a secret stands for, everything
    /// about accounts, telling whom a change concerns, tidying up. Sees no messages.
    System,
    /// Taking out what is not to be kept: see `erasure`. Sees what it takes out, and is alone in deleting it.
    Eraser,
}
