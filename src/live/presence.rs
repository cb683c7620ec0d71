//! Limits how often a room broadcasts its presence.

use std::time::Duration;

use tokio::time::Instant;

/// Limits the frames that a frequently reconnecting client causes.
const EVERY: Duration = Duration::from_millis(100);

/// The time after the last broadcast, and whether another is scheduled.
#[derive(Default)]
pub(super) struct PresencePace {
    paused_until: Option<Instant>,
    is_scheduled: bool,
}

/// The next step after a change of presence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BroadcastPresence {
    Now,
    /// The caller has to call [`PresencePace::is_due`] at this time.
    At(Instant),
    /// A later call is already scheduled.
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

    /// Whether a scheduled broadcast is due; marks it as done.
    pub fn is_due(&mut self, now: Instant) -> bool {
        let is_due = std::mem::take(&mut self.is_scheduled);
        if is_due {
            self.paused_until = Some(now + EVERY);
        }
        is_due
    }
}
