//! When to connect, when to wait, when to give a connection up, and when to go round by HTTP because sockets do not get
//! through. Pure: time (milliseconds of any steady clock) and randomness come in as numbers; `client::socket` does what
//! [`Reconnect::due`] says.
//!
//! Invariants: outside [`Phase::Ended`] and [`Phase::Estranged`], a next event is always scheduled. The detour never
//! delays the next try with a socket, and ends at the first answer by a socket.

use uuid::Uuid;

/// Pauses are random from 0 to this, doubled with each failure. Browsers that lose their connection in one restart must
/// not all reconnect at the same moment, not even at their first try.
const PAUSE_MS: i64 = 1_000;
const PAUSE_MAX_MS: i64 = 20_000;
/// A connection that lived this long counts as a success.
const STABLE_MS: i64 = 10_000;
const CONNECT_TIMEOUT_MS: i64 = 10_000;
/// Silence after which the client probes the connection.
const SILENCE_MS: i64 = 25_000;
/// The same when the tab or the network has just come back, as after a sleep.
const SILENCE_ON_WAKE_MS: i64 = 3_000;
/// How long an answer may take.
const ANSWER_MS: i64 = 10_000;
/// Shorter interruptions stay invisible.
const GRACE_MS: i64 = 1_500;
/// After so many sockets in a row without an answer, or so long without an answering one, the client tries plain HTTP.
/// Some proxies refuse sockets, others accept them and forward nothing.
const VAIN_TRIES: u32 = 2;
const VAIN_MS: i64 = 6_000;
/// The same if sockets worked before: they mostly work again soon.
const VAIN_LATER_MS: i64 = 10_000;
/// The interval of polling by HTTP, while the page is visible and otherwise.
const POLL_MS: i64 = 2_000;
const POLL_HIDDEN_MS: i64 = 30_000;

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

/// The next action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    Nothing,
    Connect,
    /// Send something that is answered.
    Probe,
    /// Give the connection up, then report it with [`Reconnect::closed`].
    Drop,
    /// Ask for news by HTTP, then report it with [`Reconnect::polled`] or [`Reconnect::poll_failed`].
    Poll,
}

/// How frames are carried now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Way {
    #[default]
    None,
    Socket,
    Http,
}

/// The connection's state, as people see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Indicator {
    /// Not connected yet since the page was opened; nothing is wrong so far.
    Connecting,
    Live,
    /// Live by HTTP, a little later than by a socket: something on the way lets no sockets through.
    Slow,
    /// The same, because this person has as many sockets open already as one may have.
    Crowded,
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
    /// The browser's report about its network. It is reliable only when there is none.
    online: bool,
    last_received: i64,
    last_attempt: i64,
    down_since: i64,
    was_live: bool,
    /// Questions that the other end has not answered, oldest first.
    open_questions: Vec<(Uuid, i64)>,
    probed: bool,
    /// Whether this connection has answered anything, and whether any has.
    proven: bool,
    was_proven: bool,
    /// Connections in a row that answered nothing, and since when there was none that did.
    vain_tries: u32,
    vain_since: i64,
    detour: Detour,
}

/// The way round by HTTP.
#[derive(Clone, Copy, Debug, Default)]
struct Detour {
    /// Since when it is open.
    open_since: Option<i64>,
    /// Whether an answer is awaited.
    asking: bool,
    /// The times of the next and the last poll.
    next: i64,
    last: i64,
    /// Questions in a row without an answer.
    failures: u32,
    crowded: bool,
}

fn pause(failures: u32, random: f64) -> i64 {
    let most = (PAUSE_MS << failures.min(10)).min(PAUSE_MAX_MS);
    (most as f64 * random) as i64
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
            proven: false,
            was_proven: false,
            vain_tries: 0,
            vain_since: now,
            detour: Detour::default(),
        }
    }

    #[must_use]
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// How frames are carried. A socket that opens while there is a detour has to answer something first.
    #[must_use]
    pub fn way(&self) -> Way {
        match self.phase {
            Phase::Live { .. } if self.proven || self.detour.open_since.is_none() => Way::Socket,
            Phase::Ended | Phase::Estranged => Way::None,
            _ if self.detour.open_since.is_some() => Way::Http,
            _ => Way::None,
        }
    }

    /// The time of the next poll by HTTP, if sockets do not work.
    fn poll_at(&self) -> Option<i64> {
        let needed = match self.phase {
            Phase::Ended | Phase::Estranged => return None,
            Phase::Live { .. } if self.proven => return None,
            _ if self.detour.asking || !self.online => return None,
            _ if self.detour.open_since.is_some() => i64::MIN,
            Phase::Live { since } => since + VAIN_MS,
            _ if self.was_proven => self.vain_since + VAIN_LATER_MS,
            _ if self.vain_tries >= VAIN_TRIES => i64::MIN,
            _ => self.vain_since + VAIN_MS,
        };
        Some(needed.max(self.detour.next))
    }

    /// The action at `now`. It returns [`Due::Connect`], [`Due::Probe`] and [`Due::Poll`] once.
    pub fn due(&mut self, now: i64) -> Due {
        match self.due_on_socket(now) {
            Due::Nothing if self.poll_at().is_some_and(|at| now >= at) => {
                self.detour.asking = true;
                self.detour.last = now;
                Due::Poll
            }
            due => due,
        }
    }

    fn due_on_socket(&mut self, now: i64) -> Due {
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
        let told = match (self.phase, self.detour.open_since) {
            (Phase::Live { .. }, None) => None,
            (_, Some(since)) => Some(since + GRACE_MS),
            (_, None) => Some(self.down_since + GRACE_MS),
        };
        let others = [told.filter(|&told| told > now), self.poll_at()];
        Some(others.into_iter().flatten().fold(due, i64::min))
    }

    pub fn opened(&mut self, now: i64) {
        self.phase = Phase::Live { since: now };
        self.last_received = now;
        self.was_live = true;
        self.probed = false;
        self.proven = false;
        self.open_questions.clear();
    }

    pub fn received(&mut self, now: i64) {
        self.last_received = now;
        self.probed = false;
    }

    /// The page sent a frame that the server answers; `key` identifies the answer.
    pub fn asked(&mut self, key: Uuid, now: i64) {
        self.open_questions.push((key, now));
    }

    pub fn answered(&mut self, key: Uuid) {
        let asked = self.open_questions.len();
        self.open_questions.retain(|(open, _)| *open != key);
        if self.open_questions.len() < asked {
            (self.proven, self.was_proven) = (true, true);
            self.vain_tries = 0;
            self.detour = Detour { asking: self.detour.asking, ..Detour::default() };
        }
    }

    /// HTTP answered. `crowded`: no socket gets through because this person has too many.
    pub fn polled(&mut self, now: i64, visible: bool, crowded: bool) {
        let was_open = self.detour.open_since.is_some();
        self.detour.asking = false;
        // A socket was faster, or nothing is wanted any more.
        if self.poll_at().is_none_or(|at| at > now) {
            return;
        }
        let next = now + if visible { POLL_MS } else { POLL_HIDDEN_MS };
        let open_since = self.detour.open_since.or(Some(now));
        self.detour = Detour { open_since, next, failures: 0, crowded, ..self.detour };
        // The network or the server may just have come back: a good moment for a socket, too.
        if let (false, Phase::Waiting { until }) = (was_open, self.phase) {
            self.phase = Phase::Waiting { until: until.min(now) };
        }
    }

    /// HTTP did not answer either. `random` as in [`Self::closed`].
    pub fn poll_failed(&mut self, now: i64, random: f64) {
        if self.way() == Way::Http {
            self.down_since = now;
        }
        let failures = self.detour.failures + 1;
        let next = now + pause(self.detour.failures, random);
        self.detour = Detour { failures, next, last: self.detour.last, ..Detour::default() };
    }

    /// There is something to send by HTTP.
    pub fn poll_soon(&mut self, now: i64) {
        self.detour.next = self.detour.next.min(now);
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
                if self.way() == Way::Socket {
                    self.down_since = now;
                }
                if self.proven {
                    self.vain_since = now;
                }
                if now >= since + STABLE_MS {
                    self.failures = 0;
                }
            }
            Phase::Connecting { .. } => {}
            Phase::Waiting { .. } | Phase::Ended | Phase::Estranged => return,
        }
        self.vain_tries += u32::from(!self.proven);
        self.proven = false;
        self.phase = Phase::Waiting { until: now + pause(self.failures, random) };
        self.failures += 1;
    }

    /// The server does not want this person any more.
    pub fn ended(&mut self) {
        self.phase = Phase::Ended;
    }

    /// The connection belongs to a person other than the page's.
    pub fn estranged(&mut self) {
        self.phase = Phase::Estranged;
    }

    /// The tab was looked at again, or the network came back: a good moment to try at once.
    pub fn woke(&mut self, now: i64, online: bool) {
        if online && !self.online {
            self.begin_anew(now);
        }
        self.online = online;
        if self.detour.open_since.is_some() {
            self.detour.next = self.detour.next.min(now.max(self.detour.last + 1_000));
        }
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

    /// The device has slept. The clock is meaningless for that time: a connection must prove that it is alive.
    pub fn slept(&mut self, now: i64) {
        self.begin_anew(now);
        if matches!(self.phase, Phase::Live { .. }) && !self.probed {
            self.last_received = now - SILENCE_MS;
        }
    }

    /// A connection that failed before may succeed now.
    fn begin_anew(&mut self, now: i64) {
        (self.vain_tries, self.vain_since) = (0, now);
    }

    /// The browser lost its network. The caller drops the connection: it would only turn out dead later.
    pub fn went_offline(&mut self) {
        self.online = false;
    }

    #[must_use]
    pub fn indicator(&self, now: i64) -> Indicator {
        match self.phase {
            Phase::Ended => return Indicator::Ended,
            Phase::Estranged => return Indicator::Estranged,
            _ => {}
        }
        let slow_since = self.detour.open_since.unwrap_or(now);
        match self.way() {
            Way::Socket => Indicator::Live,
            Way::Http if now >= slow_since + GRACE_MS => {
                if self.detour.crowded {
                    Indicator::Crowded
                } else {
                    Indicator::Slow
                }
            }
            // Perhaps a socket comes any moment.
            Way::Http if self.was_live => Indicator::Live,
            Way::Http => Indicator::Connecting,
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
        line.asked(Uuid::nil(), now);
        line.answered(Uuid::nil());
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
    fn each_step_is_due_at_its_time_and_not_before() {
        let mut line = live(0);
        line.closed(20_000, 0.5);
        assert_eq!(line.due(20_499), Due::Nothing);
        assert_eq!(line.due(20_500), Due::Connect);
        assert_eq!(line.due(20_501), Due::Nothing, "it is under way");
        assert_eq!(line.due(30_000), Due::Poll, "no socket has answered for ten seconds");
        assert_eq!(line.due(30_499), Due::Nothing);
        assert_eq!(line.due(30_500), Due::Drop);
        line.closed(30_500, 0.0);
        line.poll_failed(30_600, 0.5);
        assert_eq!(line.due(30_600), Due::Connect);
        assert_eq!(line.due(31_099), Due::Nothing);
        assert_eq!(line.due(31_100), Due::Poll);
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
    fn a_connection_of_another_person_stays_closed() {
        let mut line = live(0);
        line.estranged();
        line.closed(1, 0.0);
        line.woke(2, true);
        assert_eq!((line.due(90_000), line.wake_at(3), line.indicator(4)), (Due::Nothing, None, Indicator::Estranged));
    }

    #[test]
    fn sockets_that_are_refused_lead_to_a_detour() {
        let mut line = Reconnect::new(0, true);
        for _ in 0..2 {
            assert_eq!(line.due(0), Due::Connect);
            line.closed(0, 0.0);
        }
        assert_eq!(line.due(0), Due::Connect, "the detour delays no socket");
        assert_eq!(line.due(0), Due::Poll);
        assert_eq!(line.due(0), Due::Nothing, "one question at a time");
        line.polled(100, true, false);
        assert_eq!((line.way(), line.indicator(100)), (Way::Http, Indicator::Connecting));
        assert_eq!(line.indicator(1_600), Indicator::Slow);
        line.closed(200, 0.4);
        assert_eq!(line.way(), Way::Http);
        assert_eq!(line.due(1_800), Due::Connect, "with its own pauses");
        assert_eq!(line.due(2_100), Due::Poll);
        line.polled(2_200, false, true);
        assert_eq!((line.indicator(2_200), line.poll_at()), (Indicator::Crowded, Some(32_200)));
        line.woke(10_000, true);
        assert_eq!(line.due(10_000), Due::Poll, "looked at again");
        line.poll_failed(10_100, 0.0);
        assert_eq!((line.way(), line.indicator(10_100)), (Way::None, Indicator::Connecting));
        assert_eq!(line.indicator(11_600), Indicator::Reconnecting);
        line.went_offline();
        assert_eq!(line.due(11_600), Due::Nothing, "without network there is no detour either");
    }

    #[test]
    fn sockets_that_say_nothing_lead_to_a_detour_until_one_answers() {
        let key = Uuid::from_u128(1);
        let mut line = Reconnect::new(0, true);
        assert_eq!(line.due(0), Due::Connect);
        assert_eq!(line.wake_at(2_000), Some(6_000));
        assert_eq!(line.due(6_000), Due::Poll);
        line.polled(6_100, true, false);
        line.opened(7_000);
        assert_eq!(line.way(), Way::Http, "it has answered nothing");
        line.asked(key, 7_000);
        line.answered(Uuid::from_u128(2));
        assert_eq!(line.way(), Way::Http);
        line.answered(key);
        assert_eq!((line.way(), line.indicator(7_100)), (Way::Socket, Indicator::Live));
        assert_eq!(line.due(20_000), Due::Nothing, "nothing is polled any more");
        // One that is cut is replaced by another first.
        line.closed(20_000, 0.5);
        assert_eq!(line.due(20_500), Due::Connect);
        assert_eq!(line.due(29_999), Due::Nothing);
        assert_eq!(line.due(30_000), Due::Poll);
    }

    #[test]
    fn a_socket_that_swallows_sends_leads_to_a_detour() {
        let mut line = Reconnect::new(0, true);
        assert_eq!(line.due(0), Due::Connect);
        line.opened(0);
        line.asked(Uuid::from_u128(1), 0);
        assert_eq!(line.way(), Way::Socket);
        assert_eq!(line.due(6_000), Due::Poll);
        line.polled(6_100, true, false);
        assert_eq!(line.way(), Way::Http);
        assert_eq!(line.due(10_000), Due::Drop);
        line.closed(10_000, 0.0);
        assert_eq!((line.way(), line.due(10_000)), (Way::Http, Due::Connect));
    }

    #[test]
    fn after_a_sleep_a_socket_has_to_answer() {
        let mut line = live(0);
        line.received(900);
        line.slept(1_000);
        assert_eq!(line.due(1_000), Due::Probe);
        assert_eq!(line.due(11_000), Due::Drop);
    }

    proptest! {
        #[test]
        fn it_always_comes_back(fates in vec((0u8..4, 0.0f64..1.0, 0i64..40_000, any::<Option<bool>>()), 1..60)) {
            let mut now = 0;
            let mut line = Reconnect::new(now, true);
            for (fate, random, lasts, http) in fates {
                // Only the clock advances: within its longest pause it tries to connect, regardless of HTTP.
                let started = now;
                loop {
                    match line.due(now) {
                        Due::Connect => break,
                        Due::Poll => match http {
                            Some(true) => line.polled(now, true, false),
                            Some(false) => line.poll_failed(now, random),
                            None => {}
                        },
                        _ => {}
                    }
                    let next = line.wake_at(now).unwrap();
                    prop_assert!(next >= now);
                    now = next.max(now + 1);
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
