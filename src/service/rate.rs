//! Rate limits: at most a number of events in any window of time, exactly.

use std::{
    collections::VecDeque,
    hash::Hash,
    net::{IpAddr, Ipv6Addr},
    time::{Duration, Instant},
};

use dashmap::DashMap;

use crate::domain::Problem;

/// The part of an address that identifies a subscriber: an IPv4 address, or a /64 of IPv6. One person can use every
/// address of a /64 (RFC 6177). An IPv4-mapped IPv6 address is the same network as the IPv4 address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Self(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
            v4 => v4,
        })
    }
}

/// Permits at most `most` events in any `window`.
#[derive(Debug)]
pub struct Rate<K: Eq + Hash> {
    /// The times of each key's events within the window, in order; at most `most` of them.
    events: DashMap<K, VecDeque<Instant>>,
    most: usize,
    window: Duration,
}

/// Beyond this many keys, those without recent events are dropped before another is added.
const SWEEP_AT: usize = 10_000;

impl<K: Eq + Hash> Rate<K> {
    #[must_use]
    pub fn new(most: u32, window: Duration) -> Self {
        Self { events: DashMap::new(), most: most.max(1) as usize, window }
    }

    /// Counts an event.
    ///
    /// # Errors
    /// The time to wait; the event is not counted then.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Instant::now())
    }

    /// Uncounts an event.
    pub fn give_back(&self, key: K) {
        if let Some(mut events) = self.events.get_mut(&key) {
            events.pop_back();
        }
    }

    fn take_at(&self, key: K, now: Instant) -> Result<(), Duration> {
        let counts = |at: &Instant| *at + self.window > now;
        // Most keys exist already: only a new one requires counting the keys.
        let mut events = match self.events.get_mut(&key) {
            Some(events) => events,
            None => {
                if self.events.len() >= SWEEP_AT {
                    self.events.retain(|_, events| events.back().is_some_and(counts));
                }
                self.events.entry(key).or_default()
            }
        };
        while events.front().is_some_and(|at| !counts(at)) {
            events.pop_front();
        }
        match events.front() {
            Some(first) if events.len() >= self.most => Err((*first + self.window).saturating_duration_since(now)),
            _ => {
                events.push_back(now);
                Ok(())
            }
        }
    }
}

/// Whole seconds to wait, at least one, for messages and `Retry-After`.
#[must_use]
pub fn seconds(wait: Duration) -> u64 {
    wait.as_secs() + 1
}

/// The problem for an exceeded rate limit; the seconds determine its `message`.
#[must_use]
pub fn held_back(wait: Duration, message: impl FnOnce(u64) -> String) -> Problem {
    let seconds = seconds(wait);
    Problem::held_back(seconds, message(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn twenty_addresses_of_one_ipv6_network_count_as_one() {
        let network = |address: &str| Network::from(address.parse::<IpAddr>().unwrap());
        for host in 0..20 {
            assert_eq!(network(&format!("2001:db8:1:2::{host:x}")), network("2001:db8:1:2:ffff::"));
        }
        assert_ne!(network("2001:db8:1:3::1"), network("2001:db8:1:2::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }

    #[test]
    fn no_window_has_more_than_the_most() {
        let rate = Rate::new(3, Duration::from_secs(10));
        let start = Instant::now();
        let at = |s: u64| start + Duration::from_secs(s);
        for s in [0, 1, 8] {
            assert_eq!(rate.take_at("a", at(s)), Ok(()));
        }
        assert_eq!(rate.take_at("a", at(8)), Err(Duration::from_secs(2)));
        assert_eq!(rate.take_at("b", at(8)), Ok(()), "each key has its own budget");
        assert_eq!(rate.take_at("a", at(10)), Ok(()), "the first no longer counts");
        assert_eq!(rate.take_at("a", at(10)), Err(Duration::from_secs(1)));
        assert_eq!((0..9).filter(|_| rate.take_at("a", at(60)).is_ok()).count(), 3, "a budget does not pile up");
    }

    #[test]
    fn uncounted_events_do_not_count() {
        let rate = Rate::new(1, Duration::from_secs(10));
        for _ in 0..5 {
            rate.take("a").unwrap();
            rate.give_back("a");
        }
        rate.take("a").unwrap();
        assert!(rate.take("a").is_err());
    }

    #[test]
    fn keys_without_recent_events_are_forgotten() {
        let rate = Rate::new(1, Duration::from_secs(10));
        let start = Instant::now();
        for key in 0..SWEEP_AT {
            rate.take_at(key, start).unwrap();
        }
        rate.take_at(SWEEP_AT, start + Duration::from_secs(10)).unwrap();
        assert_eq!(rate.events.len(), 1);
    }
}
