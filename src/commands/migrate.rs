//! Migrates a database.

use bespoken::{settings::Database, storage};

use super::Failure;

pub async fn run(database: &Database) -> Result<(), Failure> {
    let store = storage::open(&database.database_url).await?;
    store.close().await;
    println!("the database is up to date");
    Ok(())
}
