//! What operators rely on.

mod backup;
mod customer;
mod logs;
mod metrics;
mod retention;
