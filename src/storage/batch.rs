//! Shared code of both databases' writer tasks, for the jobs that share a transaction.

use std::{panic::AssertUnwindSafe, sync::Arc};

use futures_util::FutureExt;

use super::{Result, StoreError};

/// A bug in one use case must not end all writing: it gives `None`, which is answered as a failure.
pub(super) async fn guard<T>(work: impl Future<Output = Result<T>>) -> Option<Result<T>> {
    AssertUnwindSafe(work).catch_unwind().await.ok()
}

/// The caller's result of its job, with the error of the transaction, if it failed.
pub(super) fn answer<T>(result: Option<Result<T>>, failure: Option<&Arc<StoreError>>) -> Result<T> {
    match (result, failure) {
        // The job's own reason says more than that the transaction failed because of it.
        (Some(Err(error)), _) => Err(error),
        (_, Some(failure)) => Err(sqlx::Error::AnyDriverError(Box::new(BatchFailed(Arc::clone(failure)))).into()),
        (Some(Ok(value)), None) => Ok(value),
        (None, None) => Err(sqlx::Error::WorkerCrashed.into()),
    }
}

/// Why a whole batch was not written, or not known to be; each of its jobs gets the same reason.
#[derive(Debug, thiserror::Error)]
#[error("the transaction failed: {0}")]
struct BatchFailed(Arc<StoreError>);
