//! Password guessing: limits the wrong passwords per account, from all networks together.
//!
//! A stranger can exhaust the budget of an address, so its owner has others: one per network of earlier sign-ins, and
//! one within their sessions. A link by mail always works.

use std::collections::VecDeque;

use dashmap::DashMap;

use super::{HOUR, Network, Rate, rate::held_back};
use crate::{
    domain::{Email, Problem, UserId},
    locales::{self, t},
};

/// Networks that are stored per account.
const NETWORKS: usize = 8;

/// The account whose password is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Guessed {
    /// The account with this address, which need not exist.
    At(Email),
    /// The same, from a network of the owner's earlier sign-ins.
    FromHome(Email, Network),
    /// The account of a session.
    Within(UserId),
}

/// Counts wrong passwords, and stores the networks of sign-ins while this process runs.
#[derive(Debug)]
pub(super) struct Guesses {
    wrong: Rate<Guessed>,
    homes: DashMap<Email, VecDeque<Network>>,
}

impl Guesses {
    pub(super) fn new(most: u32) -> Self {
        Self { wrong: Rate::new(most, HOUR), homes: DashMap::new() }
    }

    pub(super) fn at(&self, email: Email, from: Network) -> Guessed {
        let is_home = self.homes.get(&email).is_some_and(|homes| homes.contains(&from));
        if is_home { Guessed::FromHome(email, from) } else { Guessed::At(email) }
    }

    /// Counts a password before it is checked, so that concurrent guesses are limited like consecutive ones.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn count(&self, guessed: Guessed) -> Result<(), Problem> {
        self.wrong
            .take(guessed)
            .map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_guesses(seconds))))
    }

    /// Uncounts a password that was right or unchecked.
    pub(super) fn give_back(&self, guessed: Guessed) {
        self.wrong.give_back(guessed);
    }

    /// Records that the owner of this address signed in.
    pub(super) fn signed_in(&self, email: &Email, from: Network) {
        let mut homes = self.homes.entry(email.clone()).or_default();
        homes.retain(|home| *home != from);
        if homes.len() == NETWORKS {
            homes.pop_front();
        }
        homes.push_back(from);
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn network(n: u8) -> Network {
        IpAddr::V4(Ipv4Addr::new(192, 0, 2, n)).into()
    }

    #[test]
    fn strangers_do_not_use_up_an_owners_budget_at_home() {
        let guesses = Guesses::new(3);
        let owner = Email::parse("email", "owner@example.com").unwrap();
        guesses.signed_in(&owner, network(1));
        let mut stranger = (0..9).map(|n| guesses.count(guesses.at(owner.clone(), network(100 + n))).is_ok());
        assert_eq!(stranger.by_ref().filter(|is_answered| *is_answered).count(), 3, "from all networks together");
        let home = guesses.at(owner.clone(), network(1));
        assert_eq!((0..9).filter(|_| guesses.count(home.clone()).is_ok()).count(), 3, "neither is it without end");
        assert!(guesses.count(Guessed::Within(UserId::new())).is_ok());
        assert!(guesses.count(guesses.at(Email::parse("email", "b@c").unwrap(), network(1))).is_ok(), "others go on");
    }

    #[test]
    fn the_latest_networks_are_remembered() {
        let guesses = Guesses::new(1);
        let owner = Email::parse("email", "owner@example.com").unwrap();
        for n in [0, 1, 2, 3, 0, 4, 5, 6, 7, 8] {
            guesses.signed_in(&owner, network(n));
        }
        let is_home = |n| matches!(guesses.at(owner.clone(), network(n)), Guessed::FromHome(..));
        assert!(is_home(0) && is_home(8) && !is_home(1));
    }
}
