//! The operators' commands and guarantees.

mod backup;
mod customer;
mod demo;
mod dump;
mod logs;
mod metrics;
mod retention;
mod sealed;
mod silent_database;
mod start;
