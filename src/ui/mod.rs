//! What people see.

pub mod islands;
