//! Attacks from outside on the real program, on each database: `cargo xtask attack`.
//!
//! An attack acts like a stranger and returns its result in one line. The test compares this line with the expected
//! one. Nothing here knows the server's code: only addresses, bytes and the public contract. Words on the command line
//! choose attacks by a part of their name.

mod access;
mod frames;
mod fuzz;
mod http;
mod known;
mod memory;
#[cfg(unix)]
mod nodes;
mod pages;
mod sessions;
mod socket;
mod target;
mod transport;
mod uploads;

use std::{env, process::ExitCode, time::Instant};

use target::{Database, Target};

/// One attack.
pub struct Attack {
    pub name: &'static str,
    /// The line if the server resists.
    pub expected: &'static str,
    /// Attacks the server and returns the result.
    pub run: fn(&Target) -> String,
}

/// Attacks that share a server, and that server's settings.
pub struct Group {
    pub name: &'static str,
    pub variables: &'static [(&'static str, &'static str)],
    /// The name of the one database on which they make sense, if it is not each.
    pub only: Option<&'static str>,
    pub attacks: &'static [Attack],
}

const GROUPS: &[Group] = &[
    access::GROUP,
    known::GROUP,
    frames::GROUP,
    pages::GROUP,
    sessions::GROUP,
    sessions::GUESSES,
    uploads::GROUP,
    transport::GROUP,
    memory::GROUP,
    #[cfg(unix)]
    nodes::GROUP,
    fuzz::GROUP,
];

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).filter(|word| !word.starts_with("--")).collect();
    let is_wanted = |name: &str| words.is_empty() || words.iter().any(|word| name.contains(word.as_str()));
    let (mut passed, mut failed) = (0, 0);
    for database in Database::each() {
        for group in GROUPS {
            let full_name = |attack: &Attack| format!("{}: {}", group.name, attack.name);
            let wanted: Vec<_> = group.attacks.iter().filter(|attack| is_wanted(&full_name(attack))).collect();
            if wanted.is_empty() || group.only.is_some_and(|only| only != database.name()) {
                continue;
            }
            let target = Target::start(&database, group.variables);
            for attack in wanted {
                let began = Instant::now();
                let actual = (attack.run)(&target);
                let is_expected = actual == attack.expected;
                let verdict = if is_expected { "ok    " } else { "FAILED" };
                let seconds = began.elapsed().as_secs_f64();
                println!(
                    "{verdict} {:<10} {} | expected: {} | actual: {actual} | {seconds:.1} s",
                    database.name(),
                    full_name(attack),
                    attack.expected
                );
                *(if is_expected { &mut passed } else { &mut failed }) += 1;
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
