//! How often someone may do something: the generic cell rate algorithm (ITU-T I.371), one number
//! per key.

use std::{
    hash::Hash,
    time::{Duration, Instant},
};

use dashmap::DashMap;

/// Lets `burst` events through at once and as many again in each `window`.
#[derive(Debug)]
pub struct Rate<K: Eq + Hash> {
    /// When each key's budget will be whole again.
    whole_at: DashMap<K, Instant>,
    burst: u32,
    window: Duration,
}

/// Beyond this many keys, those with a whole budget are dropped before another is added.
const SWEEP_AT: usize = 10_000;

impl<K: Eq + Hash + Copy> Rate<K> {
    #[must_use]
    pub fn new(burst: u32, window: Duration) -> Self {
        Self { whole_at: DashMap::new(), burst: burst.max(1), window }
    }

    /// Whether another event would be let through, without counting it.
    ///
    /// # Errors
    /// How long to wait.
    pub fn check(&self, key: K) -> Result<(), Duration> {
        self.check_at(key, Instant::now())
    }

    /// Counts an event.
    ///
    /// # Errors
    /// How long to wait; the event is then not counted.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    fn check_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        let whole_at = self.whole_at.get(&key).map_or(now, |at| (*at).max(now));
        let over = (whole_at + self.window / self.burst).saturating_duration_since(now + self.window);
        if over.is_zero() { Ok(()) } else { Err(over) }
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        self.check_at(key, now)?;
        if self.whole_at.len() >= SWEEP_AT {
            self.whole_at.retain(|_, at| *at > now);
        }
        let mut whole_at = self.whole_at.entry(key).or_insert(now);
        *whole_at = (*whole_at).max(now) + self.window / self.burst;
        Ok(())
    }
}

/// Whole seconds to wait, at least one: for people and `Retry-After`.
#[must_use]
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_then_a_steady_rate() {
        let rate = Rate::new(10, Duration::from_secs(10));
        let start = Instant::now();
        for _ in 0..10 {
            rate.take_at("a", start).unwrap();
        }
        assert_eq!(rate.take_at("a", start), Err(Duration::from_secs(1)));
        assert_eq!(rate.take_at("b", start), Ok(()), "each key has its own budget");
        assert_eq!(rate.take_at("a", start + Duration::from_secs(1)), Ok(()));
        assert!(rate.take_at("a", start + Duration::from_secs(1)).is_err());
        let later = start + Duration::from_secs(60);
        assert_eq!((0..20).filter(|_| rate.take_at("a", later).is_ok()).count(), 10, "a budget does not pile up");
    }

    #[test]
    fn checking_counts_nothing() {
        let rate = Rate::new(1, Duration::from_secs(10));
        assert!((0..5).all(|_| rate.check("a").is_ok()));
    }
}
