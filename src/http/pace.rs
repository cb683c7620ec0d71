//! Minimum transfer rates of peers, and request bodies that enforce them.

use std::{
    error::Error,
    fmt,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use axum::{
    body::{Body, Bytes, HttpBody},
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::Response,
};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep, sleep_until};

use super::{
    App, error,
    slots::{Slot, Stage},
};
use crate::{
    domain::{Code, Problem},
    locales::{self, t},
    settings::Deadlines,
};

/// How long the server has waited for a peer, and how many bytes arrived. Only time in which the server waited
/// counts.
#[derive(Debug, Default)]
pub(super) struct Pace {
    bytes: u64,
    waited: Duration,
    since: Option<Instant>,
}

impl Pace {
    pub fn moved(&mut self, bytes: usize) {
        self.bytes += bytes as u64;
        if let Some(since) = self.since.take() {
            self.waited += since.elapsed();
        }
    }

    /// Starts waiting, if it has not started yet; returns the deadline.
    pub fn wait(&mut self, grace: Duration, bytes_per_second: u32) -> Instant {
        let since = *self.since.get_or_insert_with(Instant::now);
        let earned = Duration::from_secs(self.bytes / u64::from(bytes_per_second.max(1)));
        since + (grace + earned).saturating_sub(self.waited)
    }
}

/// The body of a request, which ends with an error if the peer is too slow.
struct Paced {
    body: Body,
    pace: Pace,
    deadlines: Deadlines,
    timer: Option<Pin<Box<Sleep>>>,
    slot: Arc<Slot>,
    was_too_slow: Arc<AtomicBool>,
}

#[derive(Debug)]
struct TooSlow;

impl fmt::Display for TooSlow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the body came too slowly")
    }
}

impl Error for TooSlow {}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let this = &mut *self;
        if let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) {
            let bytes = frame.as_ref().and_then(|frame| frame.as_ref().ok()?.data_ref().map(Bytes::len));
            this.pace.moved(bytes.unwrap_or(0));
            if frame.is_none() || this.body.is_end_stream() {
                this.slot.set(Stage::Busy);
            }
            return Poll::Ready(frame);
        }
        let until = this.pace.wait(this.deadlines.grace, this.deadlines.bytes_per_second);
        let timer = this.timer.get_or_insert_with(|| Box::pin(sleep_until(until)));
        if timer.deadline() != until {
            timer.as_mut().reset(until);
        }
        timer.as_mut().poll(cx).map(|()| {
            this.was_too_slow.store(true, Ordering::Relaxed);
            Some(Err(axum::Error::new(TooSlow)))
        })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

impl Drop for Paced {
    fn drop(&mut self) {
        // The rest will not be read: from now on the peer waits for the response.
        if self.slot.stage() == Stage::Body {
            self.slot.set(Stage::Busy);
        }
    }
}

/// Limits the time that a body may take.
pub(super) async fn keep(State(app): State<App>, request: Request, next: Next) -> Response {
    let slot = request.extensions().get::<Arc<Slot>>().cloned();
    let (Some(slot), false) = (slot, request.body().is_end_stream()) else { return next.run(request).await };
    let was_too_slow = Arc::new(AtomicBool::new(false));
    let late = was_too_slow.clone();
    let request = request.map(|body| {
        let deadlines = app.deadlines;
        Body::new(Paced { body, pace: Pace::default(), deadlines, timer: None, slot, was_too_slow })
    });
    let response = next.run(request).await;
    if !late.load(Ordering::Relaxed) {
        return response;
    }
    let problem = Problem::new(Code::Invalid, t!(locales::current(), problem::SLOW));
    let mut response = error::answer(problem, StatusCode::REQUEST_TIMEOUT);
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

#[cfg(test)]
mod tests {
    use tokio::time::{advance, sleep};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_large_body_may_take_as_long_as_its_size_allows_and_no_longer() {
        let second = Duration::from_secs(1);
        let mut pace = Pace::default();
        let start = Instant::now();
        assert_eq!(pace.wait(10 * second, 1_024), start + 10 * second);
        // Twice as fast as it has to be, for an hour.
        for _ in 0..3_600 {
            pace.wait(10 * second, 1_024);
            sleep(second).await;
            pace.moved(2_048);
        }
        let now = Instant::now();
        assert_eq!(pace.wait(10 * second, 1_024), now + (10 + 3_600) * second);

        // One byte every three seconds.
        let (mut pace, start) = (Pace::default(), Instant::now());
        while pace.wait(10 * second, 1_024) > Instant::now() {
            sleep(3 * second).await;
            pace.moved(1);
        }
        assert_eq!(start.elapsed(), 12 * second);
    }

    #[tokio::test(start_paused = true)]
    async fn only_time_spent_waiting_for_the_peer_counts() {
        let mut pace = Pace::default();
        pace.moved(1);
        advance(Duration::from_secs(600)).await;
        let grace = Duration::from_secs(10);
        assert_eq!(pace.wait(grace, 1_024), Instant::now() + grace);
    }
}
