//! People with an account.

use serde::{Deserialize, Serialize};

use super::{Email, Name, Timestamp, UserId, objects};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Admin,
    Customer,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(remote = "Self")]
pub struct User {
    pub id: UserId,
    pub email: Email,
    pub name: Name,
    pub role: Role,
    /// Whether mail to this address was proven to reach them.
    pub is_confirmed: bool,
    pub created_at: Timestamp,
}

objects!(User);
