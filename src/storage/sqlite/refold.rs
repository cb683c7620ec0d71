//! Folds anew what another program folded in another way, when the database is opened.

use sqlx::SqliteConnection;
use uuid::Uuid;

use crate::storage::{
    Result, now,
    rules::{fold_again, folded_account, folded_customer, folded_request, side_by_side},
};

/// Rows that are read at once.
const BATCH: i64 = 1_000;

/// # Errors
/// Of the database.
pub(super) async fn all(conn: &mut SqliteConnection) -> Result<()> {
    let since: Option<Uuid> = sqlx::query_scalar("select folded_before from meta").fetch_one(&mut *conn).await?;
    let since = since.unwrap_or_default();
    customers(conn, since).await?;
    requests(conn, since).await?;
    accounts(conn).await?;
    sqlx::query("update meta set folded_before = ?1").bind(side_by_side(now())).execute(conn).await?;
    Ok(())
}

const CUSTOMERS: &str = "select id, customer_name, customer_email, customer_folded from conversations
     where id > ?1 order by id limit ?2";

async fn customers(conn: &mut SqliteConnection, mut last: Uuid) -> Result<()> {
    loop {
        let rows: Vec<(Uuid, String, Option<String>, String)> =
            sqlx::query_as(CUSTOMERS).bind(last).bind(BATCH).fetch_all(&mut *conn).await?;
        let Some((id, ..)) = rows.last() else { return Ok(()) };
        last = *id;
        for (id, name, email, before) in rows {
            if let Some(folded) = fold_again(&before, || folded_customer(&name, email.as_deref())) {
                sqlx::query("update conversations set customer_folded = ?2 where id = ?1")
                    .bind(id)
                    .bind(folded)
                    .execute(&mut *conn)
                    .await?;
            }
        }
    }
}

const REQUESTS: &str = "select custom_requests.id, title, description, users.name, users.email, custom_requests.folded
     from custom_requests join users on users.id = custom_requests.customer_id
     where custom_requests.id > ?1 order by custom_requests.id limit ?2";

async fn requests(conn: &mut SqliteConnection, mut last: Uuid) -> Result<()> {
    loop {
        let rows: Vec<(Uuid, String, String, String, String, String)> =
            sqlx::query_as(REQUESTS).bind(last).bind(BATCH).fetch_all(&mut *conn).await?;
        let Some((id, ..)) = rows.last() else { return Ok(()) };
        last = *id;
        for (id, title, description, name, email, before) in rows {
            if let Some(folded) = fold_again(&before, || folded_request(&title, &description, &name, &email)) {
                sqlx::query("update custom_requests set folded = ?2 where id = ?1")
                    .bind(id)
                    .bind(folded)
                    .execute(&mut *conn)
                    .await?;
            }
        }
    }
}

async fn accounts(conn: &mut SqliteConnection) -> Result<()> {
    let rows: Vec<(Uuid, String, String)> =
        sqlx::query_as("select id, name, email from users where folded is null").fetch_all(&mut *conn).await?;
    for (id, name, email) in rows {
        sqlx::query("update users set folded = ?2 where id = ?1")
            .bind(id)
            .bind(folded_account(&name, &email))
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::SqliteStore;
    use crate::{
        domain::{Email, Name, Role},
        storage::{Database, NewUser, Store},
    };

    #[tokio::test]
    async fn messages_of_an_older_program_are_found_after_the_upgrade() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/old.db", folder.path().display());
        let store = SqliteStore::open(&url).await.unwrap();
        let user = NewUser {
            email: Email::parse("email", "a@example.com").unwrap(),
            name: Name::parse("name", "Ren\u{e9}e").unwrap(),
            role: Role::Admin,
            is_confirmed: true,
            password_hash: String::new(),
        };
        store.create_user(user).await.unwrap();
        store
            .writer
            .write(|tx| {
                Box::pin(async move {
                    for (id, name) in [(1_u8, "Andr\u{e9}"), (2, "Andre\u{301}"), (3, "Zoe")] {
                        sqlx::query(
                            "insert into conversations (id, kind, status, customer_name, customer_participant_id,
                                 metadata, head, last_seq, customer_folded, created_at_ms, updated_at_ms)
                             values (?1, 'session', 'open', ?2, ?1, 'null', 1, 0, ?3, 0, 0)",
                        )
                        .bind(vec![id; 16])
                        .bind(name)
                        .bind(format!("{}\n", name.to_lowercase()))
                        .execute(&mut tx.conn)
                        .await?;
                    }
                    sqlx::query("update meta set folded_before = null").execute(&mut tx.conn).await?;
                    sqlx::query("update users set folded = null").execute(&mut tx.conn).await?;
                    Ok(())
                })
            })
            .await
            .unwrap();
        store.close().await;
        drop(store);

        let store = SqliteStore::open(&url).await.unwrap();
        let admin = store.list_users(Some("renee"), 9).await.unwrap().remove(0);
        let actor = crate::domain::Actor::Admin(admin);
        for search in ["andre", "ANDR\u{c9}", "andre\u{301}"] {
            let filter = crate::storage::ConversationFilter { search: Some(search.to_owned()), ..Default::default() };
            let found = store.list_conversations(&actor, &filter, None, 9).await.unwrap();
            assert_eq!(found.len(), 2, "{search}");
        }
        store.close().await;
    }
}
