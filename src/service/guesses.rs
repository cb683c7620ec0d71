//! Guessing passwords: how many wrong ones are answered for one account, wherever they come from.
//!
//! A stranger can use up the budget of an address, so its owner has others: one for each network from which they
//! signed in before, and one within their sessions. A link by mail always works.

use std::collections::VecDeque;

use dashmap::DashMap;

use super::{HOUR, Network, Rate, rate::held_back};
use crate::{
    domain::{Email, Problem, UserId},
    locales::{self, t},
};

/// Networks that are remembered of one account.
const NETWORKS: usize = 8;

/// Whose password is guessed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Guessed {
    /// That of whoever has this address, if anybody does.
    At(Email),
    /// The same from a network from which its owner has signed in.
    FromHome(Email, Network),
    /// That of the account of a session.
    Within(UserId),
}

/// Counts wrong passwords, and remembers who signed in from where as long as this process runs.
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

    /// Counts a password before it is checked: of many at once no more are answered than one after the other.
    ///
    /// # Errors
    /// `rate_limited`.
    pub(super) fn count(&self, guessed: Guessed) -> Result<(), Problem> {
        self.wrong
            .take(guessed)
            .map_err(|wait| held_back(wait, |seconds| t!(locales::current(), problem::too_many_guesses(seconds))))
    }

    /// Takes back one that was right, or was not checked.
    pub(super) fn give_back(&self, guessed: Guessed) {
        self.wrong.give_back(guessed);
    }

    /// Notes that the owner of this address signed in.
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
    fn strangers_do_not_use_up_what_an_owner_has_at_home() {
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
