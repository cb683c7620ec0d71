//! Torture: the promises of section 6 of the contract, under fire. The program runs as a process of its own; clients
//! decide as browsers do; the network between them is as bad as can be. `checker` reports faults, and has its own
//! tests.
//!
//! `cargo test` runs the short form, `cargo xtask torture` the long one. Sizes can be set by variables
//! (see [`size`]), and a run is repeated by its seed as far as threads allow.

mod checker;
mod client;
#[cfg(unix)]
mod cluster;
mod crowd;
mod graceful;
mod greedy;
mod model;
mod proxy;
mod run;
mod server;
mod trouble;

use std::{env, path::PathBuf, time::Instant};

use checker::Kind;
use crowd::Outcome;
use run::{Size, run};

/// A size with what `BESPOKEN_TORTURE_…` says instead.
fn size(default: Size) -> Size {
    fn number<T: std::str::FromStr>(name: &str, default: T) -> T {
        env::var(format!("BESPOKEN_TORTURE_{name}")).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
    }
    Size {
        rooms: number("ROOMS", default.rooms),
        sockets_per_room: number("SOCKETS_PER_ROOM", default.sockets_per_room),
        acts_per_s: number("ACTS_PER_S", default.acts_per_s),
        seconds: number("SECONDS", default.seconds),
        kills: number("KILLS", default.kills),
        cuts: number("CUTS", default.cuts),
        seed: number("SEED", default.seed),
    }
}

/// The program: the one of this build, or what `BESPOKEN_BIN` names.
fn program() -> PathBuf {
    env::var_os("BESPOKEN_BIN").map_or_else(|| env!("CARGO_BIN_EXE_bespoken").into(), PathBuf::from)
}

async fn torture(size: Size) {
    println!("{size:?}");
    judge(run(program(), size)).await;
}

/// Waits for a run to end, and prints its result.
async fn judge(run: impl Future<Output = Outcome>) {
    let began = Instant::now();
    let outcome = run.await;
    let count = |kind| outcome.counts.get(&kind).copied().unwrap_or_default();
    println!(
        "{} messages stored, {} acknowledgements, {} changes told, {} connections, {:.0} s",
        outcome.messages,
        outcome.acknowledged,
        outcome.told,
        outcome.connections,
        began.elapsed().as_secs_f64()
    );
    println!(
        "{} lost, {} doubled, {} out of order, {} gaps, {} different",
        count(Kind::Lost),
        count(Kind::Doubled),
        count(Kind::OutOfOrder),
        count(Kind::Gap),
        count(Kind::Different)
    );
    for finding in outcome.findings.iter().take(40) {
        println!("{finding}");
    }
    assert!(outcome.findings.is_empty(), "{} findings", outcome.findings.len());
    assert!(outcome.messages > 0 && outcome.told > outcome.messages, "somebody was there to be told");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_in_a_short_storm() {
    let short = Size { rooms: 20, sockets_per_room: 6, acts_per_s: 60.0, seconds: 20, kills: 5, cuts: 60, seed: 1 };
    torture(size(short)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten minutes: `cargo xtask torture` runs it against the release build"]
async fn nothing_is_lost_in_a_long_storm() {
    let long =
        Size { rooms: 200, sockets_per_room: 10, acts_per_s: 200.0, seconds: 600, kills: 30, cuts: 500, seed: 1 };
    torture(size(long)).await;
}

#[cfg(unix)]
async fn torture_cluster(size: Size, troubles: cluster::Troubles) {
    let Some(programs) = cluster::Programs::find() else { return };
    println!("{size:?}, {troubles:?}");
    judge(cluster::run(program(), &programs, size, troubles)).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_lost_by_a_cluster_in_a_short_storm() {
    let short = Size { rooms: 12, sockets_per_room: 6, acts_per_s: 40.0, seconds: 40, kills: 5, cuts: 40, seed: 1 };
    let troubles = cluster::Troubles { nats_kills: 2, nats_cuts: 3, postgres_stops: 1, postgres_seconds: 5 };
    torture_cluster(size(short), troubles).await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "ten minutes: `cargo xtask torture --cluster` runs it against the release build"]
async fn nothing_is_lost_by_a_cluster_in_a_long_storm() {
    let long =
        Size { rooms: 100, sockets_per_room: 10, acts_per_s: 100.0, seconds: 600, kills: 30, cuts: 300, seed: 1 };
    let troubles = cluster::Troubles { nats_kills: 10, nats_cuts: 20, postgres_stops: 3, postgres_seconds: 20 };
    torture_cluster(size(long), troubles).await;
}
