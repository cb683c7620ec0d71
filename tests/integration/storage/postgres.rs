//! What is special about PostgreSQL: others may write to it too, and it may go away and come back.

use std::sync::Arc;

use async_trait::async_trait;
use bespoken::storage::postgres::PostgresStore;

use super::world::*;
use crate::support::TestDatabase;

/// A store in a database of its own, which goes away with it.
pub struct PostgresDatabase {
    store: Arc<dyn Store>,
    database: TestDatabase,
}

impl PostgresDatabase {
    /// `None` if there is no server to test with.
    pub async fn open() -> Option<Self> {
        let database = TestDatabase::create().await?;
        let store = Arc::new(PostgresStore::open(&database.url().await).await.unwrap());
        Some(Self { store, database })
    }
}

#[async_trait]
impl Backend for PostgresDatabase {
    fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    async fn set_owner(&self, conversation: ConversationId, owner: UserId) {
        sqlx::query("update conversations set customer_id = $2 where id = $1")
            .bind(conversation.0)
            .bind(owner.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }

    async fn set_every_updated_at(&self, at: Timestamp) {
        sqlx::query("update conversations set updated_at = to_timestamp($1::bigint / 1000.0)")
            .bind(at.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }

    async fn set_request_times(&self, request: RequestId, created_at: Timestamp, updated_at: Timestamp) {
        sqlx::query(
            "update custom_requests
             set created_at = to_timestamp($2::bigint / 1000.0), updated_at = to_timestamp($3::bigint / 1000.0)
             where id = $1",
        )
        .bind(request.0)
        .bind(created_at.0)
        .bind(updated_at.0)
        .execute(&mut self.database.superuser().await)
        .await
        .unwrap();
    }

    async fn set_last_seen(&self, session: SessionId, at: Timestamp) {
        sqlx::query("update login_sessions set last_seen_at = to_timestamp($2::bigint / 1000.0) where id = $1")
            .bind(session.0)
            .bind(at.0)
            .execute(&mut self.database.superuser().await)
            .await
            .unwrap();
    }
}
