//! Measures Bespoken beside other chat servers: `cargo xtask bench` builds all programs and starts this one. Each
//! server runs alone on one core, this program on another. They take turns several times, and the reports contain
//! median and spread. docs/performance.md has the results.

mod crowd;
mod disk;
mod least;
mod nodes;
mod pages;
mod people;
mod quota;
mod report;
mod scale;
mod scenario;
mod server;
mod wire;
mod words;

use std::{path::PathBuf, process::ExitCode, time::Duration};

use server::Places;

type Outcome<T = ()> = Result<T, Box<dyn std::error::Error>>;

/// The size of the measurements.
pub struct Size {
    pub repeats: usize,
    pub measure: Duration,
    pub warm_up: Duration,
    /// The smoke form: few people, Bespoken alone, and no figures.
    pub smoke: bool,
}

struct Arguments {
    places: Places,
    /// A folder on the measured disk.
    scratch: PathBuf,
    size: Size,
    /// Parts of the names of scenarios; none means all.
    only: Vec<String>,
    /// Parts of the names of servers; none means all.
    servers: Vec<String>,
    /// The kind of measurement; by default, the comparison with other servers.
    run: fn(&Arguments) -> Outcome,
}

fn main() -> ExitCode {
    let outcome = match std::env::args().nth(1) {
        Some(word) if word == server::LEAST => least::serve(),
        _ => arguments().and_then(|arguments| (arguments.run)(&arguments)),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("bench: {error}");
            ExitCode::FAILURE
        }
    }
}

/// `cargo xtask bench` passes the first three; people can pass the others.
fn arguments() -> Outcome<Arguments> {
    let mut given = std::env::args().skip(1);
    let mut next = |what: &str| given.next().ok_or_else(|| format!("{what} is missing"));
    let bespoken = PathBuf::from(next("the program to measure")?);
    let peers = PathBuf::from(next("the folder of the other servers")?);
    let scratch = PathBuf::from(next("a folder for databases")?);
    let mut size = Size { repeats: 5, measure: Duration::from_secs(4), warm_up: Duration::from_secs(1), smoke: false };
    let (mut core, mut sync, mut only, mut servers) = (None, None, Vec::new(), Vec::new());
    let mut run: fn(&Arguments) -> Outcome = scenario::run_all;
    while let Some(word) = given.next() {
        let mut value = || given.next().ok_or_else(|| format!("{word} needs a value"));
        match word.as_str() {
            "--core" => core = Some(value()?.parse()?),
            "--repeats" => size.repeats = value()?.parse()?,
            "--sync" => sync = Some(Duration::from_secs_f64(value()?.parse::<f64>()? / 1e3)),
            "--seconds" => size.measure = Duration::from_secs_f64(value()?.parse()?),
            "--server" => servers.push(value()?),
            "--scale" => run = scale::run,
            "--nodes" => run = nodes::run,
            "--smoke" => {
                size = Size { repeats: 1, measure: Duration::from_secs(1), warm_up: Duration::ZERO, smoke: true };
            }
            name if !name.starts_with('-') => only.push(word),
            _ => return Err(format!("what is {word}?").into()),
        }
    }
    Ok(Arguments { places: Places { bespoken, peers, core, sync }, scratch, size, only, servers, run })
}
