//! What admins set for the business.

use super::dialect::{Conn, sql};
use crate::{
    domain::{Actor, Business},
    storage::{Result, StoreError},
};

pub async fn find(conn: &mut Conn) -> Result<Business> {
    let stored: Option<String> = sqlx::query_scalar(sql!("select business from meta")).fetch_one(conn).await?;
    let Some(stored) = stored else { return Ok(Business::default()) };
    serde_json::from_str(&stored).map_err(|error| sqlx::Error::Decode(error.into()).into())
}

/// # Errors
/// [`StoreError::Forbidden`] unless the actor is an admin.
pub async fn put(conn: &mut Conn, actor: &Actor, business: &Business) -> Result<()> {
    if !actor.is_admin() {
        return Err(StoreError::Forbidden);
    }
    let text = serde_json::to_string(business).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(sql!("update meta set business = $1")).bind(text).execute(conn).await?;
    Ok(())
}
