//! Limits for TCP connections, per network and in total, and the choice of connections to close when a limit is
//! reached.
//!
//! Connections without a complete request are closed first, then those between two requests. Responses in progress
//! and WebSockets always stay open.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU8, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Notify;

use crate::service::{Network, Rate};
use crate::settings::TrustedProxies;

/// Number of closing candidates that are compared. The one whose network has the most connections is closed.
const COMPARED: usize = 64;
/// Limit for connections that are closing; at this limit new ones are rejected.
const MOST_ENDING: usize = 64;
/// Interval between log lines about a reached limit.
const SAY_EVERY: Duration = Duration::from_secs(60);

/// The state of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Stage {
    /// The peer sends the head of a request, or has sent nothing yet.
    Head,
    /// The peer sends the body of a request, or still sends after the last response.
    Body,
    /// The last request was answered.
    Idle,
    /// The peer waits for a response or reads one, or the connection is a WebSocket.
    Busy,
}

impl Stage {
    const ALL: [Self; 4] = [Self::Head, Self::Body, Self::Idle, Self::Busy];
}

/// A rank with this bit sorts after all without it.
const LATER: u64 = 1 << 62;
/// Instead of a rank: the connection must stay open.
const STAYS: u64 = 0;
/// Instead of a rank: the connection is closing.
const ENDS: u64 = u64::MAX;

/// The limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Full {
    /// Connections per network.
    Network,
    /// Connections in total.
    Server,
    /// Open files of the process.
    Files,
}

/// All connections.
pub(super) struct Slots {
    most: usize,
    most_of_network: usize,
    trusted: Arc<TrustedProxies>,
    taken: Mutex<Taken>,
    said: Rate<Full>,
}

#[derive(Default)]
struct Taken {
    count: usize,
    /// Number of connections that are closing.
    ending: usize,
    last_rank: u64,
    networks: HashMap<Network, OfNetwork>,
    /// The connections that may be closed, by rank.
    spare: BTreeMap<u64, Network>,
}

#[derive(Default)]
struct OfNetwork {
    count: usize,
    spare: BTreeMap<u64, Arc<Place>>,
}

/// The state that a connection and the list of all share.
struct Place {
    /// Written only while the list is locked.
    rank: AtomicU64,
    end: Notify,
}

impl Taken {
    fn forget(&mut self, network: Network, rank: u64) -> Option<Arc<Place>> {
        self.spare.remove(&rank)?;
        self.networks.get_mut(&network)?.spare.remove(&rank)
    }

    fn end(&mut self, network: Network, rank: u64) -> bool {
        let Some(place) = self.forget(network, rank) else { return false };
        self.ending += 1;
        place.rank.store(ENDS, Ordering::Relaxed);
        place.end.notify_one();
        true
    }

    /// Closes a connection of a network.
    fn end_one_of(&mut self, network: Network) -> bool {
        let first = self.networks.get(&network).and_then(|of| of.spare.keys().next().copied());
        first.is_some_and(|rank| self.end(network, rank))
    }

    /// Closes a connection. Prefers networks with many connections, so that one network cannot displace the others.
    fn end_one(&mut self) -> bool {
        let Some((&first, _)) = self.spare.first_key_value() else { return false };
        let alike = self.spare.iter().take(COMPARED).take_while(|(rank, _)| (**rank & LATER) == (first & LATER));
        let size = |network: &Network| self.networks.get(network).map_or(0, |of| of.count);
        // Of networks with equally many, the connection that has waited longest.
        let found = alike.map(|(rank, network)| (*rank, *network)).min_by_key(|(_, network)| Reverse(size(network)));
        found.is_some_and(|(rank, network)| self.end(network, rank))
    }
}

impl Slots {
    /// Permits `most` connections in total. A trusted proxy's network has no limit of its own, as many clients share
    /// it.
    pub fn new(most: usize, most_of_network: usize, trusted: Arc<TrustedProxies>) -> Arc<Self> {
        let said = Rate::new(1, SAY_EVERY);
        Arc::new(Self { most, most_of_network, trusted, taken: Mutex::default(), said })
    }

    fn lock(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot for a new connection, and closes another connection if necessary.
    pub fn take(self: &Arc<Self>, peer: IpAddr) -> Result<Arc<Slot>, Full> {
        let network = Network::from(peer);
        let is_limited = !self.trusted.contain(peer);
        let mut taken = self.lock();
        let of_network = taken.networks.get(&network).map_or(0, |of| of.count);
        let full = if is_limited && of_network >= self.most_of_network {
            (!taken.end_one_of(network)).then_some(Full::Network)
        } else if taken.count - taken.ending >= self.most {
            let has_room = taken.ending < MOST_ENDING && taken.end_one();
            (!has_room).then_some(Full::Server)
        } else {
            None
        };
        if let Some(full) = full {
            return Err(full);
        }
        taken.count += 1;
        taken.networks.entry(network).or_default().count += 1;
        drop(taken);
        let place = Arc::new(Place { rank: AtomicU64::new(STAYS), end: Notify::new() });
        let slot = Slot { slots: self.clone(), network, place, stage: AtomicU8::new(Stage::Busy as u8) };
        slot.set(Stage::Head);
        Ok(Arc::new(slot))
    }

    /// Closes a connection after the system ran out of file descriptors.
    pub fn make_room(&self) {
        let mut taken = self.lock();
        if taken.ending < MOST_ENDING {
            taken.end_one();
        }
    }

    /// Whether the next log line about this limit is due.
    pub fn may_say(&self, full: Full) -> bool {
        self.said.take(full).is_ok()
    }

    #[cfg(test)]
    fn count(&self) -> usize {
        self.lock().count
    }
}

/// One connection's slot; released on drop.
pub(super) struct Slot {
    slots: Arc<Slots>,
    network: Network,
    place: Arc<Place>,
    stage: AtomicU8,
}

impl Slot {
    pub fn stage(&self) -> Stage {
        Stage::ALL[usize::from(self.stage.load(Ordering::Relaxed))]
    }

    pub fn set(&self, stage: Stage) {
        let mut taken = self.slots.lock();
        self.stage.store(stage as u8, Ordering::Relaxed);
        let old = self.place.rank.load(Ordering::Relaxed);
        if old == ENDS {
            return;
        }
        taken.forget(self.network, old);
        let order = match stage {
            Stage::Busy => None,
            Stage::Head | Stage::Body => Some(0),
            Stage::Idle => Some(LATER),
        };
        let rank = match order {
            None => STAYS,
            Some(order) => {
                taken.last_rank += 1;
                let rank = order | taken.last_rank;
                taken.spare.insert(rank, self.network);
                if let Some(of_network) = taken.networks.get_mut(&self.network) {
                    of_network.spare.insert(rank, self.place.clone());
                }
                rank
            }
        };
        self.place.rank.store(rank, Ordering::Relaxed);
    }

    /// Resolves when the connection must close.
    pub async fn told_to_end(&self) {
        self.place.end.notified().await;
    }

    pub fn was_told_to_end(&self) -> bool {
        self.place.rank.load(Ordering::Relaxed) == ENDS
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut taken = self.slots.lock();
        let rank = self.place.rank.load(Ordering::Relaxed);
        if rank == ENDS {
            taken.ending -= 1;
        }
        taken.forget(self.network, rank);
        taken.count -= 1;
        if let Some(of_network) = taken.networks.get_mut(&self.network) {
            of_network.count -= 1;
            if of_network.count == 0 {
                taken.networks.remove(&self.network);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slots(most: usize, most_of_network: usize) -> Arc<Slots> {
        Slots::new(most, most_of_network, Arc::new("10.0.0.1".parse().unwrap()))
    }

    fn address(last: u8) -> IpAddr {
        [192, 0, 2, last].into()
    }

    fn told(slots: &[Arc<Slot>]) -> Vec<usize> {
        (0..slots.len()).filter(|at| slots[*at].was_told_to_end()).collect()
    }

    #[test]
    fn connections_without_a_request_close_first_and_answers_stay() {
        let all = slots(4, 100);
        let taken: Vec<_> = (1..=4).map(|last| all.take(address(last)).unwrap()).collect();
        for (slot, stage) in taken.iter().zip([Stage::Busy, Stage::Idle, Stage::Head, Stage::Body]) {
            slot.set(stage);
        }
        let mut new = Vec::new();
        for expected in [vec![2], vec![2, 3], vec![1, 2, 3]] {
            let slot = all.take(address(9)).unwrap();
            slot.set(Stage::Busy);
            new.push(slot);
            assert_eq!(told(&taken), expected);
        }
        assert_eq!(all.take(address(9)).err(), Some(Full::Server), "whoever waits for an answer is left alone");
        drop((taken, new));
        assert_eq!(all.count(), 0);
        assert!(all.take(address(9)).is_ok());
        assert!(all.lock().spare.is_empty());
    }

    #[test]
    fn many_connections_of_one_network_do_not_push_out_another_network() {
        let all = slots(10, 100);
        let honest = all.take(address(1)).unwrap();
        let hostile: Vec<_> = (0..9).map(|_| all.take(address(2)).unwrap()).collect();
        let more: Vec<_> = (0..50).filter_map(|_| all.take(address(2)).ok()).collect();
        assert!(!honest.was_told_to_end());
        assert_eq!(told(&hostile).len(), 9);
        drop(more);
    }

    #[test]
    fn one_network_has_only_so_many_and_a_trusted_proxy_any_number() {
        let all = slots(100, 2);
        let busy = |last| {
            let slot = all.take(address(last))?;
            slot.set(Stage::Busy);
            Ok(slot)
        };
        let _first = [busy(1).unwrap(), busy(1).unwrap()];
        assert_eq!(busy(1).err(), Some(Full::Network));
        let _others: [Result<_, Full>; 2] = [busy(2), busy(3)];
        let proxied: Vec<_> = (0..50).map(|_| all.take([10, 0, 0, 1].into()).unwrap()).collect();
        assert_eq!(told(&proxied), [0; 0]);

        // A new connection replaces one of the same network that has sent nothing.
        let waiting = [all.take(address(4)).unwrap(), all.take(address(4)).unwrap()];
        assert!(all.take(address(4)).is_ok());
        assert_eq!(told(&waiting), [0]);
    }

    #[test]
    fn new_ones_are_refused_while_too_many_have_not_ended() {
        let all = slots(MOST_ENDING + 10, 1_000);
        let taken: Vec<_> = (0..MOST_ENDING + 10).map(|_| all.take(address(1)).unwrap()).collect();
        let new: Vec<_> = (0..MOST_ENDING).map(|_| all.take(address(2)).unwrap()).collect();
        assert_eq!(all.take(address(2)).err(), Some(Full::Server));
        drop(taken);
        assert!(all.take(address(2)).is_ok());
        drop(new);
    }
}
