//! Changes of one conversation by somebody who may see it: how most writes begin.

use futures_util::future::BoxFuture;

use super::{Here, access::seat_to_change, tx::Tx};
use crate::{
    domain::{Actor, ConversationId, Timestamp},
    storage::{Result, acting::Acting, now, seated::Seated},
};

impl Here {
    /// Lets the actor into the conversation, and runs `job` in its turn.
    ///
    /// # Errors
    /// [`StoreError::NotFound`](crate::storage::StoreError::NotFound), and those of `job`.
    pub(in super::super) async fn change_seated<T, F>(&self, actor: &Actor, id: ConversationId, job: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Tx, Seated, Timestamp) -> BoxFuture<'c, Result<T>> + Clone + Send + 'static,
    {
        let by = actor.clone();
        self.write(id, Acting::Actor(actor), move |tx| {
            Box::pin(async move {
                let now = now();
                let seated = seat_to_change(&mut tx.conn, &by, id, now).await?;
                job(tx, seated, now).await
            })
        })
        .await
    }
}
