//! What SQLite and PostgreSQL have in common, written once: a file for each noun.
//!
//! These sources are compiled twice, as a module of `sqlite` and as one of `postgres`. Their types are concrete, and
//! their SQL is PostgreSQL's. Each database has modules of the same names for the differences:

use super::{
    Here,
    // Access to a conversation, and the lock that each change takes first.
    access,
    // Statements made for one planner.
    conversation_lists,
    // The connection, words of SQL, and values that are bound in another way.
    dialect,
    // PostgreSQL's policies forbid a person who deletes a message to delete the rows of its files.
    discarded_files,
    // PostgreSQL numbers notices in the order of commits.
    journal,
    // How new messages are stored, and what an edit writes.
    messages,
    // The transaction in which a conversation changes.
    tx,
};

pub mod actors;
pub mod answers;
pub mod attachments;
pub mod business;
pub mod conversations;
pub mod digests;
pub mod former;
pub mod idle;
pub mod invites;
pub mod links;
pub mod notices;
pub mod participants;
pub mod pushes;
pub mod request_files;
pub mod requests;
pub mod rows;
pub mod seated_change;
pub mod sessions;
pub mod timeline;
pub mod tokens;
pub mod users;
