//! Runs the server until a signal stops it.

use std::{io, time::Duration};

use bespoken::{
    http::{Running, serve},
    settings::{Settings, allow_open_files},
};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Failure;

/// The allocator returns memory that was free for a second to the system when a thread allocates, or ends. An idle
/// server does neither, and would retain the memory of ten thousand earlier connections.
const GIVE_BACK_EVERY: Duration = Duration::from_secs(2);

async fn give_memory_back() {
    loop {
        tokio::time::sleep(GIVE_BACK_EVERY).await;
        // The thread must allocate for its end to have an effect. If spawning fails, the next attempt may succeed.
        let some = || drop(std::hint::black_box(vec![0_u8; 64]));
        std::thread::Builder::new().name("give-back".to_owned()).spawn(some).ok();
    }
}

pub async fn run(settings: Settings) -> Result<(), Failure> {
    allow_open_files();
    let address = &settings.listen;
    let listener = TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))?;
    let demo = settings.demo;
    let shutdown = CancellationToken::new();
    let Running { service, public_url, stopped, .. } = serve(settings, listener, shutdown.clone()).await?;
    if demo {
        match service.demo().await? {
            Some(links) => {
                println!("sign in as an admin:    {}", links.admin);
                println!("sign in as a customer:  {}", links.customer);
                println!("come as a guest:        {}", links.guest);
            }
            None => println!("no demo: the database is not empty"),
        }
    } else if service.needs_setup().await? {
        println!("create the first admin: {public_url}/setup?token={}", service.make_setup_secret().await?.expose());
    }
    drop(service);
    // Before the line that scripts wait for: a signal right after it must not kill the process.
    let asked_to_stop = stop_signal().map_err(|error| format!("cannot handle signals: {error}"))?;
    println!("listening on {public_url}");
    tokio::spawn(give_memory_back());
    tokio::spawn(async move {
        asked_to_stop.await;
        shutdown.cancel();
    });
    stopped.await??;
    Ok(())
}

/// A future that resolves on Ctrl-C and on SIGTERM. From this call on, neither ends the process itself.
///
/// # Errors
///
/// If the system rejects the handlers.
#[cfg(unix)]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// A future that resolves on Ctrl-C.
#[cfg(not(unix))]
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    Ok(async { drop(tokio::signal::ctrl_c().await) })
}
