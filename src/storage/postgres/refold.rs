//! Folds anew what another program folded in another way, when the database is opened.

use sqlx::{AssertSqlSafe, PgConnection};
use uuid::Uuid;

use super::acting::{Acting, BEGIN, COMMIT};
use crate::storage::{
    Result, now,
    rules::{fold_again, folded_account, folded_customer, folded_request, side_by_side},
};

/// Rows that are read at once.
const BATCH: i64 = 1_000;

/// Begins a transaction of the service itself: row-level security shows these tables to nobody else.
async fn begin(conn: &mut PgConnection) -> Result<()> {
    let sql = format!("{BEGIN}; {}", Acting::System.statement());
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(conn).await?;
    Ok(())
}

async fn commit(conn: &mut PgConnection) -> Result<()> {
    sqlx::raw_sql(COMMIT).execute(conn).await?;
    Ok(())
}

/// Other transactions may read and write meanwhile: their changes win.
///
/// # Errors
/// Of the database.
pub(super) async fn all(conn: &mut PgConnection) -> Result<()> {
    begin(conn).await?;
    let since: Option<Uuid> = sqlx::query_scalar("select folded_before from meta").fetch_one(&mut *conn).await?;
    commit(conn).await?;
    let since = since.unwrap_or_default();
    customers(conn, since).await?;
    requests(conn, since).await?;
    accounts(conn).await?;
    begin(conn).await?;
    sqlx::query("update meta set folded_before = $1").bind(side_by_side(now())).execute(&mut *conn).await?;
    commit(conn).await
}

const CUSTOMERS: &str = "select id, customer_name, customer_email, customer_folded from conversations
     where id > $1 order by id limit $2";

async fn customers(conn: &mut PgConnection, mut last: Uuid) -> Result<()> {
    loop {
        begin(conn).await?;
        let rows: Vec<(Uuid, String, Option<String>, String)> =
            sqlx::query_as(CUSTOMERS).bind(last).bind(BATCH).fetch_all(&mut *conn).await?;
        let Some((id, ..)) = rows.last() else { return commit(conn).await };
        last = *id;
        for (id, name, email, before) in rows {
            if let Some(folded) = fold_again(&before, || folded_customer(&name, email.as_deref())) {
                sqlx::query("update conversations set customer_folded = $2 where id = $1 and customer_folded = $3")
                    .bind(id)
                    .bind(folded)
                    .bind(before)
                    .execute(&mut *conn)
                    .await?;
            }
        }
        commit(conn).await?;
    }
}

const REQUESTS: &str = "select custom_requests.id, title, description, users.name, users.email, custom_requests.folded
     from custom_requests join users on users.id = custom_requests.customer_id
     where custom_requests.id > $1 order by custom_requests.id limit $2";

async fn requests(conn: &mut PgConnection, mut last: Uuid) -> Result<()> {
    loop {
        begin(conn).await?;
        let rows: Vec<(Uuid, String, String, String, String, String)> =
            sqlx::query_as(REQUESTS).bind(last).bind(BATCH).fetch_all(&mut *conn).await?;
        let Some((id, ..)) = rows.last() else { return commit(conn).await };
        last = *id;
        for (id, title, description, name, email, before) in rows {
            if let Some(folded) = fold_again(&before, || folded_request(&title, &description, &name, &email)) {
                sqlx::query("update custom_requests set folded = $2 where id = $1 and folded = $3")
                    .bind(id)
                    .bind(folded)
                    .bind(before)
                    .execute(&mut *conn)
                    .await?;
            }
        }
        commit(conn).await?;
    }
}

async fn accounts(conn: &mut PgConnection) -> Result<()> {
    begin(conn).await?;
    let rows: Vec<(Uuid, String, String)> =
        sqlx::query_as("select id, name, email from users where folded is null").fetch_all(&mut *conn).await?;
    for (id, name, email) in rows {
        sqlx::query("update users set folded = $2 where id = $1 and folded is null")
            .bind(id)
            .bind(folded_account(&name, &email))
            .execute(&mut *conn)
            .await?;
    }
    commit(conn).await
}
