//! Starts the program: parses the command line, starts the log and the runtime, and runs the command.

mod commands;

use std::{io::IsTerminal, process::ExitCode};

use clap::{Parser, ValueEnum};

use crate::commands::Command;

/// Live chat between people who make things to order and their customers.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
    /// How the log is written to stderr
    #[arg(long, global = true, env = "BESPOKEN_LOG_FORMAT", value_enum, default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    /// For people
    Text,
    /// For programs: one JSON object a line
    Json,
}

/// Ready tasks that do not fit into a worker's own queue wait in one for all, to which a worker turns this
/// often. With tokio's own measure a busy server serves some of its sockets again and again, and others
/// hardly ever.
const SHARED_QUEUE_EVERY: u32 = 1;

/// After so many tasks a worker asks the system again who has sent something. What they all set off is written
/// in one round (`live::rounds`), so more of them means fewer and longer writes.
const READ_EVERY: u32 = 256;

/// Faster than the system's with many small frames, and its memory does not fall to pieces when thousands of
/// sockets come and go.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .global_queue_interval(SHARED_QUEUE_EVERY)
        .event_interval(READ_EVERY)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(error) => {
            eprintln!("bespoken: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    let cli = Cli::parse();
    start_log(cli.log_format);
    match cli.command.run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bespoken: {failure}");
            ExitCode::FAILURE
        }
    }
}

/// What is logged is set by `RUST_LOG`.
fn start_log(format: LogFormat) {
    // What becomes of the bus the program says itself, once and not with every try.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,bespoken=info,async_nats=off".into());
    // https://no-color.org; and files have none.
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colours = std::io::stderr().is_terminal() && !wants_none;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(has_colours);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
}
