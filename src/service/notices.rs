//! Notices: actions of other processes that concern sockets on this one, from the command line and from other nodes.
//!
//! The journal in the database is the only source of notices, with or without a bus. The process of an action closes
//! its own sockets at once; reading its own notice later changes nothing.

use std::{
    collections::HashSet,
    sync::{Arc, Weak},
    time::Duration,
};

use super::Service;
use crate::{
    protocol::close,
    storage::{Notice, StoreError},
};

/// Interval for reading the journal: a revocation must close sockets within a second.
const EVERY: Duration = Duration::from_millis(500);
const _: () = assert!(EVERY.as_millis() < 1_000);
/// Entries read at once.
const BATCH: i64 = 500;

/// Handles every entry after number `heard`. Ends with the service, or with its store.
pub(super) async fn hear(service: Weak<Service>, mut heard: i64) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(service) = service.upgrade() else { return };
        match service.hear_after(&mut heard).await {
            Ok(()) => {}
            Err(error) if error.is_closed() => return,
            // Skips nothing: the next round begins at the end of this one.
            Err(error) => tracing::warn!(%error, "could not read the journal of notices"),
        }
    }
}

impl Service {
    async fn hear_after(self: &Arc<Self>, heard: &mut i64) -> Result<(), StoreError> {
        loop {
            let notices = self.store.list_notices(*heard, BATCH).await?;
            let Some((last, _)) = notices.last().copied() else { return Ok(()) };
            let different: HashSet<Notice> = notices.into_iter().map(|(_, notice)| notice).collect();
            for notice in different {
                self.act_on(notice).await?;
            }
            *heard = last;
        }
    }

    async fn act_on(self: &Arc<Self>, notice: Notice) -> Result<(), StoreError> {
        match notice {
            Notice::Session(id) => self.hub.close_session(id, close::NOT_ALLOWED),
            Notice::Token(id) => self.hub.close_token(id),
            Notice::Link(id) => self.hub.close_links(&[id]),
            Notice::User(id) => {
                let now = self.store.find_user(id).await?.map(|(user, _)| user);
                self.hub.close_outdated(id, now.as_ref());
            }
            // The room fetches the revs up to this one from the database.
            Notice::Conversation { id, rev: Some(rev) } => {
                self.follow_up(id, self.hub.catch_up_to(id, rev));
                self.inbox_changed_elsewhere(id, None);
            }
            Notice::Conversation { id, rev: None } => self.hub.resync(id),
        }
        Ok(())
    }
}
