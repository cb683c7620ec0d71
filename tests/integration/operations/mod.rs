//! What operators rely on.

mod backup;
mod logs;
mod metrics;
