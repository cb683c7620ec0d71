//! Metrics of sends by socket, REST or form, of the bus, and of changes that rooms missed.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge},
    registry::{Registry, Unit},
};

use crate::{
    domain::{Code, Problem},
    live::bus::Status,
    storage::Posted,
};

/// The counters of all outcomes, created once, so that counting a send needs no lookup.
#[derive(Debug)]
pub(super) struct Sends {
    all: Family<[(&'static str, &'static str); 1], Counter>,
    stored: Counter,
    repeated: Counter,
    refused: [(Code, Counter); Code::ALL.len()],
}

impl Default for Sends {
    fn default() -> Self {
        let all = Family::<[(&'static str, &'static str); 1], Counter>::default();
        let of = |outcome| all.get_or_create_owned(&[("outcome", outcome)]);
        let (stored, repeated) = (of("stored"), of("repeated"));
        let refused = Code::ALL.map(|code| (code, of(code.word())));
        Self { stored, repeated, refused, all }
    }
}

impl Sends {
    pub(super) fn register(&self, registry: &mut Registry) {
        registry.register("sends", "Messages sent, by what came of it", self.all.clone());
    }

    pub(super) fn count(&self, outcome: &Result<Posted, Problem>) {
        match outcome {
            Ok(Posted { fresh: true, .. }) => _ = self.stored.inc(),
            Ok(_) => _ = self.repeated.inc(),
            Err(problem) => {
                if let Some((_, refused)) = self.refused.iter().find(|(code, _)| *code == problem.code) {
                    refused.inc();
                }
            }
        }
    }
}

/// Metrics of changes that other processes made.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    /// Changes that rooms received from the database.
    pub(super) caught_up: Counter,
    is_connected: Gauge,
    round_trip: Gauge<f64, AtomicU64>,
    unsent: Counter,
}

impl Arrivals {
    /// Registers these metrics; those of the bus only if there is one.
    pub(super) fn register(&self, registry: &mut Registry, has_bus: bool) {
        let help = "Changes that rooms received from the database, because no other source had delivered them";
        registry.register("caught_up_changes", help, self.caught_up.clone());
        if has_bus {
            registry.register("bus_connected", "1 while the bus answers", self.is_connected.clone());
            let help = "Time that the bus took for a message there and back, when it was last measured";
            registry.register_with_unit("bus_round_trip", help, Unit::Seconds, self.round_trip.clone());
            let help = "Events that were not sent to other nodes, as the bus was away or too slow";
            registry.register("bus_unsent_events", help, self.unsent.clone());
        }
    }

    pub(super) fn set_bus(&self, status: Status) {
        self.is_connected.set(status.is_connected.into());
        self.round_trip.set(status.round_trip_ms as f64 / 1000.0);
        // The bus counts these itself; this copies its value.
        self.unsent.inner().store(status.unsent, Ordering::Relaxed);
    }
}
