//! What operators rely on.

mod logs;
mod metrics;
