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
    /// The format of the log on stderr
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

/// How often a worker checks the shared queue, which contains ready tasks that exceed the workers' own queues. With
/// tokio's default, a busy server serves some of its sockets repeatedly, and others rarely.
const SHARED_QUEUE_EVERY: u32 = 1;

/// The number of tasks after which a worker polls the system for readable sockets. One round (`live::rounds`) writes
/// the frames of all these tasks, so a higher number means fewer and longer writes.
const READ_EVERY: u32 = 256;

/// Faster than the system's allocator with many small frames. Its memory is not fragmented when thousands of sockets
/// connect and disconnect.
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

/// Starts the log; `RUST_LOG` sets its level.
fn start_log(format: LogFormat) {
    // The program itself logs the state of the bus, once instead of at every attempt.
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| "warn,bespoken=info,async_nats=off".into());
    // See https://no-color.org; files get no colours.
    let wants_none = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let has_colours = std::io::stderr().is_terminal() && !wants_none;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(has_colours);
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).init(),
    }
}
