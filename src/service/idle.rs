//! Chats by link that nobody writes in any more: a warning, and a day later the end.
//!
//! Only the business waits for an answer in such a chat: the last message is an admin's. A chat about a request stays
//! open with its request.

use std::{sync::Weak, time::Duration};

use super::{Service, sessions::DAY_MS};
use crate::{
    domain::{Actor, Role, Timestamp},
    storage::{Idle, StoreError, now},
};

const EVERY: Duration = Duration::from_secs(600);
/// Chats listed at once.
const LIST: i64 = 100;

/// Warns and closes. Ends with the service, or with its store.
pub(super) async fn keep(service: Weak<Service>) {
    loop {
        tokio::time::sleep(EVERY).await;
        let Some(service) = service.upgrade() else { return };
        match service.close_idle(now()).await {
            Ok(()) => {}
            Err(error) if error.is_closed() => return,
            Err(error) => tracing::error!(%error, "could not close idle chats"),
        }
    }
}

impl Service {
    /// Warns in chats that will close a day later, and closes those with a warning that is a day old.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn close_idle(&self, now: Timestamp) -> Result<(), StoreError> {
        let Some(days) = self.business().idle_days else { return Ok(()) };
        // Lines of the server need an admin's name: that of the last message, or any if that one is none any more.
        let users = self.store.list_users(None, 1).await?;
        let Some(any) = users.into_iter().find(|user| user.role == Role::Admin) else { return Ok(()) };
        let any = Actor::Admin(any);
        let day_ago = Timestamp(now.0 - DAY_MS);
        for idle in [Idle::Warned(day_ago), Idle::Silent(Timestamp(now.0 - (i64::from(days) - 1) * DAY_MS))] {
            for (chat, author) in self.store.list_idle(&any, idle, LIST).await? {
                let author = self.store.find_user(author).await?.map(|(user, _)| user);
                let by = author.filter(|user| user.role == Role::Admin).map_or_else(|| any.clone(), Actor::Admin);
                match self.store.end_idle(&by, chat, idle).await {
                    // Somebody has just written, or it is gone.
                    Ok(_) | Err(StoreError::NotFound) => {}
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }
}
