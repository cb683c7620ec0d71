//! Limits concurrent uploads per person, per network and in total, before reading their bodies.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, PoisonError},
};

use super::Network;
use crate::{
    domain::Problem,
    live::Person,
    locales::{self, t},
    settings::Limits,
};

/// Retry delay. Uploads take some seconds.
const RETRY_AFTER_S: u64 = 5;

#[derive(Clone, Debug, Default)]
pub(super) struct Uploads(Arc<Mutex<Counts>>);

#[derive(Debug, Default)]
struct Counts {
    people: HashMap<Person, u32>,
    networks: HashMap<Network, u32>,
    all: u32,
}

/// An upload that counts until this is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    uploads: Uploads,
    person: Person,
    network: Network,
}

impl Uploads {
    /// # Errors
    /// `rate_limited` if a limit is reached.
    pub(super) fn begin(&self, limits: &Limits, person: Person, network: Network) -> Result<Turn, Problem> {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by_person = counts.people.get(&person).copied().unwrap_or_default();
        let by_network = counts.networks.get(&network).copied().unwrap_or_default();
        let message = if by_person >= limits.uploads {
            t!(locales::current(), problem::too_many_uploads_of_yours(RETRY_AFTER_S))
        } else if by_network >= limits.uploads_network {
            t!(locales::current(), problem::too_many_uploads_of_network(RETRY_AFTER_S))
        } else if counts.all >= limits.uploads_total {
            t!(locales::current(), problem::too_many_uploads(RETRY_AFTER_S))
        } else {
            counts.people.insert(person, by_person + 1);
            counts.networks.insert(network, by_network + 1);
            counts.all += 1;
            return Ok(Turn { uploads: self.clone(), person, network });
        };
        Err(Problem::held_back(RETRY_AFTER_S, message))
    }

    /// The number of uploads in progress.
    pub(super) fn count(&self) -> u32 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).all
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut counts = self.uploads.0.lock().unwrap_or_else(PoisonError::into_inner);
        count_down(&mut counts.people, self.person);
        count_down(&mut counts.networks, self.network);
        counts.all -= 1;
    }
}

fn count_down<K: Eq + Hash>(counts: &mut HashMap<K, u32>, key: K) {
    if let Some(count) = counts.get_mut(&key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::domain::{Code, LinkId, UserId};

    fn network(address: &str) -> Network {
        address.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn uploads_at_once_are_limited_by_person_by_network_and_in_all() {
        let limits = Limits { uploads: 2, uploads_network: 3, uploads_total: 4, ..Limits::default() };
        let (uploads, person) = (Uploads::default(), Person::User(UserId::new()));
        let other = || Person::Link(LinkId::new());
        let begin = |person, address| uploads.begin(&limits, person, network(address));
        let words = |refused: Result<Turn, Problem>| {
            let problem = refused.unwrap_err();
            assert_eq!((problem.code, problem.retry_after_s), (Code::RateLimited, Some(RETRY_AFTER_S)));
            problem.message
        };

        let first = begin(person, "2001:db8::1").unwrap();
        let _second = begin(person, "2001:db8::2").unwrap();
        assert!(words(begin(person, "192.0.2.1")).starts_with("You are"));
        let _third = begin(other(), "2001:db8::3").unwrap();
        assert!(words(begin(other(), "2001:db8::4")).contains("your network"));
        let _fourth = begin(other(), "192.0.2.1").unwrap();
        assert!(words(begin(other(), "192.0.2.2")).contains("people"));

        drop(first);
        assert_eq!(uploads.count(), 3);
        let again = begin(person, "192.0.2.2").unwrap();
        drop((again, _second, _third, _fourth));
        let counts = uploads.0.lock().unwrap();
        assert!(counts.people.is_empty() && counts.networks.is_empty() && counts.all == 0, "{counts:?}");
    }
}
