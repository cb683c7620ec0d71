//! The user interface: [`pages`] that the server renders, islands in them that the browser hydrates, and the
//! [`components`] of both. Calls the server through `api` only.

pub mod components;
pub mod islands;
pub mod pages;
