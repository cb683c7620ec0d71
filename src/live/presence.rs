//! How often a room broadcasts who is here.

use std::time::Duration;

use tokio::time::Instant;

/// Someone who comes and goes all the time must not flood the others.
const EVERY: Duration = Duration::from_millis(100);

/// When the last broadcast was, and whether another is scheduled.
#[derive(Default)]
pub(super) struct PresencePace {
    paused_until: Option<Instant>,
    is_scheduled: bool,
}

/// What to do about a change of who is here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BroadcastPresence {
    Now,
    /// The caller has to come back then and ask [`PresencePace::is_due`].
    At(Instant),
    /// Somebody comes back already.
    Scheduled,
}

impl PresencePace {
    pub fn changed(&mut self, now: Instant) -> BroadcastPresence {
        if self.is_scheduled {
            return BroadcastPresence::Scheduled;
        }
        match self.paused_until {
            Some(until) if until > now => {
                self.is_scheduled = true;
                BroadcastPresence::At(until)
            }
            _ => {
                self.paused_until = Some(now + EVERY);
                BroadcastPresence::Now
            }
        }
    }

    /// Whether a scheduled broadcast is due; from now on it counts as made.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let is_due = std::mem::take(&mut self.is_scheduled);
        if is_due {
            self.paused_until = Some(now + EVERY);
        }
        is_due
    }
}
