//! Decides whether a socket may stay open: pings, blocked writes and the end of the login session share one timer.

use std::time::Duration;

use tokio::time::Instant;

use crate::protocol::close;

/// Silence after which the server pings a peer, and the time limit for the pong.
const PING_AFTER: Duration = Duration::from_secs(25);
const PONG_WITHIN: Duration = Duration::from_secs(10);
/// Time limit for a blocked write.
const WRITE_WITHIN: Duration = Duration::from_secs(20);

pub(super) struct Liveness {
    /// When the login session ends.
    expires_at: Option<Instant>,
    /// When the peer's silence is checked next.
    silence_at: Instant,
    /// Whether the peer has sent anything since the last check.
    has_spoken: bool,
    is_pinged: bool,
    /// The start of the time in which the peer has read none of the queued data.
    blocked_since: Option<Instant>,
}

/// The result of a check.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Stay,
    Ping,
    Close(u16),
    /// The peer did not answer a ping.
    Gone,
}

impl Liveness {
    pub fn new(expires_at: Option<Instant>, now: Instant) -> Self {
        Self { expires_at, silence_at: now + PING_AFTER, has_spoken: true, is_pinged: false, blocked_since: None }
    }

    /// When [`Liveness::check`] is due.
    pub fn next_check(&self) -> Instant {
        let blocked_until = self.blocked_since.map(|since| since + WRITE_WITHIN);
        [self.expires_at, blocked_until].into_iter().flatten().fold(self.silence_at, Instant::min)
    }

    pub fn received(&mut self) {
        self.has_spoken = true;
    }

    /// The peer has read the whole queue.
    pub fn unblocked(&mut self) {
        self.blocked_since = None;
    }

    /// A write is blocked; `has_moved` is whether the peer read a part of the queue. Returns the time of the next
    /// check if it has changed.
    pub fn blocked(&mut self, has_moved: bool) -> Option<Instant> {
        if !has_moved && self.blocked_since.is_some() {
            return None;
        }
        self.blocked_since = Some(Instant::now());
        Some(self.next_check())
    }

    /// `is_busy`: a request of this peer is pending, so the server does not read.
    pub fn check(&mut self, now: Instant, is_busy: bool) -> Verdict {
        if self.expires_at.is_some_and(|at| at <= now) {
            return Verdict::Close(close::NOT_ALLOWED);
        }
        if self.blocked_since.is_some_and(|since| since + WRITE_WITHIN <= now) {
            return Verdict::Close(close::TOO_SLOW);
        }
        if now < self.silence_at {
            return Verdict::Stay;
        }
        // The server does not read from a blocked peer, so its progress in reading counts instead.
        if self.has_spoken || is_busy || self.blocked_since.is_some() {
            (self.has_spoken, self.is_pinged) = (false, false);
            self.silence_at = now + PING_AFTER;
            return Verdict::Stay;
        }
        if self.is_pinged {
            return Verdict::Gone;
        }
        self.is_pinged = true;
        self.silence_at = now + PONG_WITHIN;
        Verdict::Ping
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn a_silent_peer_is_pinged_and_then_gone() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(None, begin);
        let first = begin + PING_AFTER;
        assert_eq!((liveness.next_check(), liveness.check(first - MS, false)), (first, Verdict::Stay));
        assert_eq!(liveness.check(first, false), Verdict::Stay, "a new peer counts as heard");
        assert_eq!(liveness.check(first + PING_AFTER, false), Verdict::Ping);
        assert_eq!(liveness.next_check(), first + PING_AFTER + PONG_WITHIN);
        assert_eq!(liveness.check(liveness.next_check(), false), Verdict::Gone);
    }

    #[test]
    fn a_pong_or_a_pending_request_is_a_sign_of_life() {
        for is_busy in [false, true] {
            let begin = Instant::now();
            let mut liveness = Liveness::new(None, begin);
            assert_eq!(liveness.check(begin + PING_AFTER, false), Verdict::Stay);
            assert_eq!(liveness.check(begin + 2 * PING_AFTER, false), Verdict::Ping);
            if !is_busy {
                liveness.received();
            }
            assert_eq!(liveness.check(liveness.next_check(), is_busy), Verdict::Stay);
            assert_eq!(liveness.check(liveness.next_check(), false), Verdict::Ping, "and counts once");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_blocked_write_closes_unless_it_moves() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(None, begin);
        assert_eq!(liveness.blocked(false), Some(begin + WRITE_WITHIN));
        tokio::time::advance(WRITE_WITHIN / 2).await;
        assert_eq!(liveness.blocked(false), None);
        assert_eq!(liveness.blocked(true), Some(begin + PING_AFTER));
        assert_eq!(liveness.check(begin + WRITE_WITHIN, false), Verdict::Stay);
        assert_eq!(liveness.check(begin + WRITE_WITHIN * 3 / 2, false), Verdict::Close(close::TOO_SLOW));
        liveness.unblocked();
        assert_eq!(liveness.check(begin + WRITE_WITHIN * 3 / 2, false), Verdict::Stay);
    }

    #[test]
    fn the_end_of_a_session_closes() {
        let begin = Instant::now();
        let mut liveness = Liveness::new(Some(begin + MS), begin);
        assert_eq!(liveness.next_check(), begin + MS);
        assert_eq!(liveness.check(begin + MS, true), Verdict::Close(close::NOT_ALLOWED));
    }
}
