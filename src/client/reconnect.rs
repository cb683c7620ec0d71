//! When to connect, when to wait and when to give a connection up. Pure: time (milliseconds of any
//! steady clock) and randomness come in as numbers; `client::socket` does what [`Reconnect::due`] says.
//!
//! Always holds: outside [`Phase::Ended`] and [`Phase::Estranged`] there is always a next moment at which something happens.

use uuid::Uuid;

/// Pauses are drawn from 0 to this, doubled with each failure: all browsers lost by one restart
/// must not come back at the same moment, not even with their first try.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 20_000;
/// A connection that lived this long counts as a success.
const STABLE_MS: i64 = 10_000;
const CONNECT_TIMEOUT_MS: i64 = 10_000;
/// Silence after which the other end is asked for a sign of life.
const SILENCE_MS: i64 = 25_000;
/// The same when the tab or the network has just come back, as after a sleep.
const SILENCE_ON_WAKE_MS: i64 = 3_000;
/// How long an answer may take.
const ANSWER_MS: i64 = 10_000;
/// Shorter cuts are not worth a word.
const GRACE_MS: i64 = 1_500;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    Connecting {
        since: i64,
    },
    Live {
        since: i64,
    },
    Waiting {
        until: i64,
    },
    /// The server does not want this person any more; only a new page load helps.
    Ended,
    /// The browser was signed in as somebody else; the same helps.
    Estranged,
}

/// What to do now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Connect,
    /// Send something that is answered.
    Probe,
    /// Give the connection up, then report it with [`Reconnect::closed`].
    Drop,
}

/// What people are told about the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// Not connected yet since the page was opened; nothing is wrong so far.
    Connecting,
    Live,
    Reconnecting,
    Offline,
    Ended,
    Estranged,
}

#[derive(Clone, Debug)]
pub struct Reconnect {
    phase: Phase,
    /// Connections in a row that did not become stable.
    failures: u32,
    /// What the browser says about its network. It only knows for sure when there is none.
    online: bool,
    last_received: i64,
    last_attempt: i64,
    down_since: i64,
    was_live: bool,
    /// Questions that the other end has not answered, oldest first.
    open_questions: Vec<(Uuid, i64)>,
    probed: bool,
}

impl Reconnect {
    #[must_use]
    pub fn new(now: i64, online: bool) -> Self {
        Self {
            phase: Phase::Waiting { until: now },
            failures: 0,
            online,
            last_received: now,
            last_attempt: i64::MIN / 2,
            down_since: now,
            was_live: false,
            open_questions: Vec::new(),
            probed: false,
        }
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// What to do at `now`. [`Due::Connect`] and [`Due::Probe`] are said once.
    pub fn due(&mut self, now: i64) -> Due {
        match self.phase {
            Phase::Waiting { until } if now >= until => {
                self.phase = Phase::Connecting { since: now };
                self.last_attempt = now;
                Due::Connect
            }
            Phase::Connecting { since } if now >= since + CONNECT_TIMEOUT_MS => Due::Drop,
            Phase::Live { .. } if self.open_questions.first().is_some_and(|(_, asked)| now >= asked + ANSWER_MS) => {
                Due::Drop
            }
            Phase::Live { .. } if self.probed && now >= self.last_received + SILENCE_MS + ANSWER_MS => Due::Drop,
            Phase::Live { .. } if !self.probed && now >= self.last_received + SILENCE_MS => {
                self.probed = true;
                Due::Probe
            }
            _ => Due::Nothing,
        }
    }

    /// The next moment at which [`Self::due`] or [`Self::indicator`] may say something new, if
    /// nothing happens before.
    #[must_use]
    pub fn wake_at(&self, now: i64) -> Option<i64> {
        let due = match self.phase {
            Phase::Waiting { until } => until,
            Phase::Connecting { since } => since + CONNECT_TIMEOUT_MS,
            Phase::Live { .. } => {
                let silence = self.last_received + SILENCE_MS + if self.probed { ANSWER_MS } else { 0 };
                self.open_questions.first().map_or(silence, |(_, asked)| silence.min(asked + ANSWER_MS))
            }
            Phase::Ended | Phase::Estranged => return None,
        };
        let told = self.down_since + GRACE_MS;
        let is_live = matches!(self.phase, Phase::Live { .. });
        Some(if !is_live && told > now { due.min(told) } else { due })
    }

    pub fn opened(&mut self, now: i64) {
        self.phase = Phase::Live { since: now };
        self.last_received = now;
        self.was_live = true;
        self.probed = false;
        self.open_questions.clear();
    }

    pub fn received(&mut self, now: i64) {
        self.last_received = now;
        self.probed = false;
    }

    /// Something was sent that the other end answers; `key` tells the answer.
    pub fn asked(&mut self, key: Uuid, now: i64) {
        self.open_questions.push((key, now));
    }

    pub fn answered(&mut self, key: Uuid) {
        self.open_questions.retain(|(open, _)| *open != key);
    }

    /// Whether an answer is awaited.
    #[must_use]
    pub fn is_asking(&self) -> bool {
        !self.open_questions.is_empty()
    }

    /// The connection is gone, or could not be made. `random` is drawn evenly from 0 to 1.
    pub fn closed(&mut self, now: i64, random: f64) {
        match self.phase {
            Phase::Live { since } => {
                self.down_since = now;
                if now >= since + STABLE_MS {
                    self.failures = 0;
                }
            }
            Phase::Connecting { .. } => {}
            Phase::Waiting { .. } | Phase::Ended | Phase::Estranged => return,
        }
        let most = (PAUSE_MS << self.failures.min(10)).min(PAUSE_MAX_MS);
        self.failures += 1;
        self.phase = Phase::Waiting { until: now + (most as f64 * random) as i64 };
    }

    /// The server does not want this person any more.
    pub fn ended(&mut self) {
        self.phase = Phase::Ended;
    }

    /// What connects is not the page's person.
    pub fn estranged(&mut self) {
        self.phase = Phase::Estranged;
    }

    /// The tab was looked at again, or the network came back: a good moment to try at once.
    pub fn woke(&mut self, now: i64, online: bool) {
        self.online = online;
        match self.phase {
            // A second's distance, since focus, visibility and network often come together.
            Phase::Waiting { until } if online => {
                self.phase = Phase::Waiting { until: until.min(now.max(self.last_attempt + 1_000)) }
            }
            Phase::Live { .. } if now >= self.last_received + SILENCE_ON_WAKE_MS && !self.probed => {
                // As if the silence had lasted long enough: a probe is due now.
                self.last_received = now - SILENCE_MS;
            }
            _ => {}
        }
    }

    /// The browser lost its network. The caller drops the connection: it would only turn out dead later.
    pub fn went_offline(&mut self) {
        self.online = false;
    }

    #[must_use]
    pub fn indicator(&self, now: i64) -> Indicator {
        match self.phase {
            Phase::Ended => Indicator::Ended,
            Phase::Estranged => Indicator::Estranged,
            Phase::Live { .. } => Indicator::Live,
            _ if !self.online => Indicator::Offline,
            _ if now >= self.down_since + GRACE_MS => Indicator::Reconnecting,
            _ if self.was_live => Indicator::Live,
            _ => Indicator::Connecting,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::{collection::vec, prelude::*};

    use super::*;

    fn live(now: i64) -> Reconnect {
        let mut line = Reconnect::new(now, true);
        assert_eq!(line.due(now), Due::Connect);
        line.opened(now);
        line
    }

    #[test]
    fn silence_is_probed_and_then_ends() {
        let mut line = live(0);
        assert_eq!(line.wake_at(0), Some(25_000));
        assert_eq!(line.due(24_999), Due::Nothing);
        assert_eq!(line.due(25_000), Due::Probe);
        assert_eq!(line.due(25_000), Due::Nothing);
        assert_eq!(line.wake_at(25_000), Some(35_000));
        assert_eq!(line.due(35_000), Due::Drop);
        line.received(35_000);
        assert_eq!(line.due(35_000), Due::Nothing);
    }

    #[test]
    fn an_unanswered_question_ends_the_connection() {
        let mut line = live(0);
        line.asked(Uuid::from_u128(1), 5_000);
        line.asked(Uuid::from_u128(2), 6_000);
        line.received(14_000);
        line.answered(Uuid::from_u128(1));
        assert_eq!(line.due(15_000), Due::Nothing);
        assert_eq!(line.wake_at(15_000), Some(16_000));
        assert_eq!(line.due(16_000), Due::Drop);
    }

    #[test]
    fn a_short_cut_is_not_worth_a_word() {
        let mut line = live(0);
        line.closed(20_000, 0.5);
        assert_eq!(line.phase(), Phase::Waiting { until: 20_500 });
        assert_eq!(line.indicator(21_499), Indicator::Live);
        assert_eq!(line.indicator(21_500), Indicator::Reconnecting);
        line.went_offline();
        assert_eq!(line.indicator(20_000), Indicator::Offline);
        assert_eq!(Reconnect::new(0, true).indicator(0), Indicator::Connecting);
    }

    #[test]
    fn waking_tries_at_once_and_mistrusts_silence() {
        let mut line = live(0);
        line.closed(1_000, 0.0);
        for _ in 0..6 {
            assert_eq!(line.due(1_000), Due::Connect);
            line.closed(1_000, 0.0);
        }
        assert_eq!(line.due(1_000), Due::Connect);
        line.closed(1_000, 0.99);
        assert_eq!(line.phase(), Phase::Waiting { until: 20_800 });
        line.woke(1_100, true);
        assert_eq!(line.phase(), Phase::Waiting { until: 2_000 });
        assert_eq!(line.due(2_000), Due::Connect);
        line.opened(2_000);
        line.woke(4_000, true);
        assert_eq!(line.due(4_000), Due::Nothing);
        line.woke(9_000, true);
        assert_eq!(line.due(9_000), Due::Probe);
        assert_eq!(line.due(19_000), Due::Drop);
    }

    #[test]
    fn once_ended_it_stays_so() {
        let mut line = live(0);
        line.ended();
        line.closed(1, 0.0);
        line.woke(2, true);
        assert_eq!((line.due(90_000), line.wake_at(3), line.indicator(4)), (Due::Nothing, None, Indicator::Ended));
    }

    #[test]
    fn a_line_of_somebody_else_stays_down() {
        let mut line = live(0);
        line.estranged();
        line.closed(1, 0.0);
        line.woke(2, true);
        assert_eq!((line.due(90_000), line.wake_at(3), line.indicator(4)), (Due::Nothing, None, Indicator::Estranged));
    }

    proptest! {
        #[test]
        fn it_always_comes_back(fates in vec((0u8..4, 0.0f64..1.0, 0i64..40_000), 1..60)) {
            let mut now = 0;
            let mut line = Reconnect::new(now, true);
            for (fate, random, lasts) in fates {
                // Nothing but the clock moves: within its longest pause it tries to connect.
                let started = now;
                while line.due(now) != Due::Connect {
                    let next = line.wake_at(now).unwrap();
                    prop_assert!(next > now);
                    now = next;
                }
                prop_assert!(now - started <= PAUSE_MAX_MS);
                match fate {
                    0 => line.closed(now, random),
                    1 => {
                        now += CONNECT_TIMEOUT_MS;
                        prop_assert_eq!(line.due(now), Due::Drop);
                        line.closed(now, random);
                    }
                    2 => {
                        line.opened(now);
                        now += lasts;
                        line.closed(now, random);
                    }
                    _ => {
                        line.opened(now);
                        let opened = now;
                        while line.due(now) != Due::Drop {
                            now = line.wake_at(now).unwrap();
                        }
                        prop_assert_eq!(now - opened, SILENCE_MS + ANSWER_MS);
                        line.closed(now, random);
                    }
                }
            }
        }
    }
}
