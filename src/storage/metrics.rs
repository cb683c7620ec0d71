//! Storage's metrics, for both databases. The handles are made once; measuring takes neither an allocation nor a
//! look-up.

use std::time::Instant;

use prometheus_client::{
    metrics::histogram::{Histogram, exponential_buckets},
    registry::{Registry, Unit},
};

/// Cloning shares what was measured.
#[derive(Clone, Debug)]
pub struct StoreMetrics {
    /// Seconds from asking for a connection to read with until giving it back.
    pub reads: Histogram,
    /// Seconds from the beginning of a transaction that writes until it is on disk.
    pub commits: Histogram,
    /// How many changes shared such a transaction.
    pub batches: Histogram,
}

impl Default for StoreMetrics {
    fn default() -> Self {
        // From 100 µs to 6.5 s: memory answers in less than the first, and what takes longer than the
        // last has failed by then.
        let seconds = || Histogram::new(exponential_buckets(0.0001, 4.0, 9));
        Self { reads: seconds(), commits: seconds(), batches: Histogram::new(exponential_buckets(1.0, 2.0, 9)) }
    }
}

impl StoreMetrics {
    /// Adds them to the displayed metrics.
    pub fn register(&self, registry: &mut Registry) {
        registry.register_with_unit("database_read", "Time that a reading takes", Unit::Seconds, self.reads.clone());
        let help = "Time that a transaction takes until it is on disk";
        registry.register_with_unit("database_commit", help, Unit::Seconds, self.commits.clone());
        registry.register("database_batch_size", "Changes that share a transaction", self.batches.clone());
    }
}

/// Measures from its making to its end.
#[derive(Debug)]
pub(super) struct Timer {
    since: Instant,
    histogram: Histogram,
}

impl Timer {
    pub(super) fn start(histogram: &Histogram) -> Self {
        Self { since: Instant::now(), histogram: histogram.clone() }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.histogram.observe(self.since.elapsed().as_secs_f64());
    }
}
