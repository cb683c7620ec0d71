//! A server that is stopped as an operator does it, and started again. While it shuts down, it refuses new sockets and
//! is not ready. It closes all sockets with 1012. Clients reconnect like browsers, and resend unacknowledged messages.
//! Nothing is lost, doubled or skipped.
//!
//! How many come back at a time is printed and decides nothing.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    time::{Duration, Instant},
};

use bespoken::protocol::close;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use reqwest::StatusCode;
use sqlx::{Connection, Executor, sqlite::SqliteConnection};
use tokio::time::{interval, sleep, timeout};
use tokio_tungstenite::{
    connect_async,
    tungstenite::{self, client::IntoClientRequest, http::header},
};

use super::{
    client::{Act, Pauses},
    crowd::{Crowd, Outcome},
    run::Size,
    server::{Api, Server, database},
};

/// How long everybody may take to be in their room: the longest pause of browsers is 20 s.
const IN_WITHIN: Duration = Duration::from_secs(120);
/// How long the disk takes nothing from when the server is about to be stopped.
const SLOW: Duration = Duration::from_millis(200);
/// The interval between two checks of a server that shuts down.
const LOOK_EVERY: Duration = Duration::from_millis(5);

/// The observations of a server that shuts down, until it stopped listening.
#[derive(Default)]
struct Seen {
    /// How often `/readyz` said 503.
    unready: usize,
    /// Upgrades after that, which were answered with 503, or let in.
    refused: usize,
    let_in: usize,
}

/// A restart, as it was seen from outside.
struct Restart {
    told: Instant,
    ended: Instant,
    listening: Instant,
    seen: Seen,
}

/// What `/readyz` says; `None` if nobody listens.
async fn readiness(http: &reqwest::Client, server: SocketAddr) -> Option<StatusCode> {
    Some(http.get(format!("http://{server}/readyz")).send().await.ok()?.status())
}

async fn watch_going_down(http: &reqwest::Client, server: SocketAddr, token: &str) -> Seen {
    let mut seen = Seen::default();
    while let Some(status) = readiness(http, server).await {
        if status == StatusCode::SERVICE_UNAVAILABLE {
            seen.unready += 1;
            let mut request = format!("ws://{server}/ws").into_client_request().unwrap();
            request.headers_mut().insert(header::AUTHORIZATION, format!("Bearer {token}").parse().unwrap());
            match connect_async(request).await {
                Ok(_) => seen.let_in += 1,
                Err(tungstenite::Error::Http(answer)) => {
                    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                    seen.refused += 1;
                }
                // Nobody listens any more.
                Err(_) => {}
            }
        }
        sleep(LOOK_EVERY).await;
    }
    seen
}

/// Waits until everybody has joined their room so many times.
async fn joined(crowd: &Crowd, times: usize) {
    while crowd.joins() < crowd.len() * times {
        sleep(Duration::from_millis(20)).await;
    }
}

/// Some of the crowd say something, for as long as this is awaited.
async fn talk(crowd: &Crowd, size: Size) {
    let mut random = SmallRng::seed_from_u64(size.seed);
    let mut due = interval(Duration::from_secs_f64(1.0 / size.acts_per_s));
    loop {
        due.tick().await;
        let act = match random.random_range(0..10) {
            0..8 => Act::Post,
            8 => Act::EditOwn,
            _ => Act::DeleteOwn,
        };
        crowd.order(act, &mut random);
    }
}

async fn restart(server: &mut Server, api: &Api, crowd: &Crowd) -> Restart {
    let address = server.address();
    // A new connection each time, as a load balancer's.
    let http = reqwest::Client::builder().pool_max_idle_per_host(0).no_proxy().build().unwrap();
    assert_eq!(readiness(&http, address).await, Some(StatusCode::OK), "it is ready until it is told to stop");
    // Another program holds the lock of the database. So the server has many unacknowledged messages when it closes the
    // first sockets.
    let mut other = SqliteConnection::connect(&database(server.folder())).await.unwrap();
    other.execute("begin immediate").await.unwrap();
    crowd.have_every(2, Act::Post);
    let told = Instant::now();
    server.ask_to_stop().await;
    let slow = async {
        sleep(SLOW).await;
        other.execute("rollback").await.unwrap();
        other.close().await.unwrap();
    };
    let ending = async {
        server.stopped().await;
        Instant::now()
    };
    let (seen, (), ended) = tokio::join!(watch_going_down(&http, address, api.token()), slow, ending);
    server.start_again().await;
    let listening = Instant::now();
    assert_eq!(readiness(&http, address).await, Some(StatusCode::OK), "it is ready again");
    Restart { told, ended, listening, seen }
}

async fn stop_and_come_back(size: Size) -> Outcome {
    println!("{size:?}");
    let mut server = Server::start(super::program()).await;
    let api = server.api().await;
    // One in a hundred is an admin. Each of them receives the changes of all rooms: with many of them, the clients
    // would be the bottleneck.
    let is_admin = |place, at| place % 10 == 0 && at == 0;
    let crowd = Crowd::gather(&api, (server.address(), Pauses::AsBrowsers), size, is_admin).await;
    timeout(IN_WITHIN, joined(&crowd, 1)).await.expect("everybody joins");
    let restarting = async {
        sleep(Duration::from_secs(size.seconds)).await;
        let restart = restart(&mut server, &api, &crowd).await;
        // The check below finds clients that have not reconnected by then.
        timeout(IN_WITHIN, joined(&crowd, 2)).await.ok();
        restart
    };
    let restart = tokio::select! {
        restart = restarting => restart,
        () = talk(&crowd, size) => unreachable!("they have no end"),
    };
    let mut outcome = crowd.rest(&api).await;
    judge(&restart, &mut outcome);
    outcome
}

/// Adds to the findings what is wrong with how everybody was sent away and came back, and prints how it went.
fn judge(restart: &Restart, outcome: &mut Outcome) {
    let Restart { told, ended, listening, seen } = restart;
    let (mut sent_away, mut codes, mut unanswered) = (Vec::new(), BTreeMap::new(), 0);
    let (mut opened, mut back) = (Vec::new(), Vec::new());
    for lines in &outcome.lines {
        // The connection that was open at the shutdown, and those after it.
        let at = lines.iter().rposition(|line| line.opened < *told).expect("everybody was there");
        if let Some(end) = &lines[at].ended {
            sent_away.push(end.at);
            *codes.entry(end.code).or_insert(0) += 1;
            unanswered += end.unanswered;
        }
        opened.extend(lines[at + 1..].iter().map(|line| line.opened));
        back.extend(lines[at + 1..].iter().find_map(|line| line.joined));
    }
    let mut tries: Vec<Instant> = outcome.tries.iter().copied().filter(|at| at > told).collect();
    for moments in [&mut sent_away, &mut opened, &mut back, &mut tries] {
        moments.sort_unstable();
    }
    let everybody = outcome.lines.len();
    let mut expect = |is_so: bool, words: String| {
        if !is_so {
            outcome.findings.push(words);
        }
    };
    expect(codes == BTreeMap::from([(close::RESTARTING, everybody)]), format!("close codes of {everybody}: {codes:?}"));
    expect(back.len() == everybody, format!("{} of {everybody} came back", back.len()));
    expect(unanswered > 0, "nothing was left unanswered: there was nothing to send again".into());
    expect(seen.unready > 0, "/readyz never said 503".into());
    expect(seen.refused > 0, "no upgrade was refused".into());
    expect(seen.let_in == 0, format!("{} were let in by a server that goes down", seen.let_in));

    let seconds = |from: &Instant, to: Option<&Instant>| to.unwrap_or(from).duration_since(*from).as_secs_f64();
    let (tenth, second) = (Duration::from_millis(100), Duration::from_secs(1));
    println!(
        "going down: {} times 503 at /readyz, {} upgrades refused; ended after {:.1} s, listening again {:.1} s later",
        seen.unready,
        seen.refused,
        seconds(told, Some(ended)),
        seconds(ended, Some(listening))
    );
    println!(
        "sent away: {} within {:.1} s of the signal, at most {} in 100 ms; close codes {codes:?}; {unanswered} messages unanswered",
        sent_away.len(),
        seconds(told, sent_away.last()),
        busiest(&sent_away, tenth)
    );
    println!(
        "coming back: {} tries, at most {} in 100 ms and {} in a second; {} let in, at most {} in 100 ms and {} in a second",
        tries.len(),
        busiest(&tries, tenth),
        busiest(&tries, second),
        opened.len(),
        busiest(&opened, tenth),
        busiest(&opened, second)
    );
    println!(
        "back in their room: {} of {everybody}, half of them {:.1} s after the server listened again, the last one {:.1} s",
        back.len(),
        seconds(listening, back.get(back.len() / 2)),
        seconds(listening, back.last())
    );
}

/// The most of these moments, which are in order, that come within so short a time.
fn busiest(moments: &[Instant], within: Duration) -> usize {
    let mut first = 0;
    let counts = moments.iter().enumerate().map(|(last, moment)| {
        while moment.duration_since(moments[first]) >= within {
            first += 1;
        }
        last + 1 - first
    });
    counts.max().unwrap_or(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_come_back_after_a_graceful_stop() {
    let short = Size { rooms: 10, sockets_per_room: 10, acts_per_s: 50.0, seconds: 1, kills: 1, cuts: 0, seed: 1 };
    super::judge(stop_and_come_back(short)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "two thousand sockets: `cargo xtask torture` runs it against the release build"]
async fn two_thousand_come_back_after_a_graceful_stop() {
    let long = Size { rooms: 200, sockets_per_room: 10, acts_per_s: 200.0, seconds: 5, kills: 1, cuts: 0, seed: 1 };
    super::judge(stop_and_come_back(long)).await;
}
