//! What people see: [`pages`] that the server renders, islands in them that live in the browser,
//! and the [`components`] that both are made of. Asks the server through `api` only.

pub mod components;
pub mod islands;
pub mod pages;
