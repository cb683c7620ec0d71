//! Erasure of data: by age, and on a customer's request.

use std::{sync::Weak, time::Duration};

use super::{Service, problem, sessions::DAY_MS};
use crate::{
    domain::{Email, Problem, Timestamp},
    locales::{self, t},
    settings::Retention,
    storage::{Erased, StoreError, now},
};

const EVERY: Duration = Duration::from_secs(86_400);
/// Retry delay after a database error.
const AGAIN: Duration = Duration::from_secs(3_600);
/// Messages in one transaction: a few milliseconds.
const BATCH: i64 = 200;
/// Pause between two transactions, for concurrent sends.
const PAUSE: Duration = Duration::from_millis(20);
/// Conversations and requests listed at once.
const LIST: i64 = 100;

/// Erases expired data, at once and then daily. Ends with the service.
pub(super) async fn keep(service: Weak<Service>) {
    loop {
        let Some(service) = service.upgrade() else { return };
        let wait = match service.expire(service.retention()).await {
            Ok(0) => EVERY,
            Ok(count) => {
                tracing::info!(count, "erased expired conversations and requests");
                EVERY
            }
            Err(error) => {
                tracing::error!(%error, "could not erase expired data");
                AGAIN
            }
        };
        drop(service);
        tokio::time::sleep(wait).await;
    }
}

impl Service {
    /// Erases conversations and requests that were inactive for the retention period; returns their number.
    ///
    /// # Errors
    /// If the database fails.
    pub async fn expire(&self, Retention { days, how }: Retention) -> Result<u64, StoreError> {
        if days == 0 {
            return Ok(0);
        }
        let before = Timestamp(now().0 - i64::from(days) * DAY_MS);
        let mut count = 0;
        loop {
            let expired = self.store.list_expired(before, how, LIST).await?;
            if expired.is_empty() {
                break;
            }
            for what in expired {
                while self.store.expire(what, before, how, BATCH).await? {
                    tokio::time::sleep(PAUSE).await;
                }
                count += 1;
                tokio::time::sleep(PAUSE).await;
            }
        }
        if count > 0 {
            self.forget_traces().await?;
        }
        Ok(count)
    }

    /// Erases the customer with this address: their account and credentials, their messages, files and name in
    /// conversations, and their requests. The business's messages stay. `None` if there is no such customer.
    ///
    /// # Errors
    /// `invalid` for an invalid address; `forbidden` for an admin; `unavailable`: another call resumes the erasure.
    pub async fn erase_customer(&self, email: &str) -> Result<Option<Erased>, Problem> {
        let email = Email::parse("email", email)?;
        let mut all: Option<Erased> = None;
        while let Some(step) = self.store.erase_customer(&email, BATCH).await.map_err(|error| match error {
            StoreError::Forbidden => Problem::forbidden(t!(locales::current(), problem::ADMIN_STAYS)),
            other => problem(other),
        })? {
            let all = all.get_or_insert_default();
            all.conversations += step.conversations;
            all.messages += step.messages;
            all.files += step.files;
            tokio::time::sleep(PAUSE).await;
        }
        if all.is_some() {
            self.forget_traces().await.map_err(problem)?;
        }
        Ok(all)
    }

    /// Removes remains of deleted data from the search index, and from the disk unless a backup needs them.
    async fn forget_traces(&self) -> Result<(), StoreError> {
        let mut is_first = true;
        while self.store.forget_deleted_words(is_first).await? {
            is_first = false;
            tokio::time::sleep(PAUSE).await;
        }
        // The callee logs a failure; the sweep removes the recorded rest within the hour.
        self.remove_discarded_files().await.ok();
        Ok(())
    }
}
