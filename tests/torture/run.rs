//! The run: a server that is killed and restarted, hundreds of clients, a bad network, and the comparison of all
//! results.

use std::{
    net::SocketAddr,
    path::PathBuf,
    time::{Duration, Instant},
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::{
    client::{Act, Pauses},
    crowd::{Crowd, Outcome},
    proxy::{Fate, Proxy},
    server::{Api, Server},
};

#[derive(Clone, Copy, Debug)]
pub struct Size {
    pub rooms: usize,
    pub sockets_per_room: usize,
    pub acts_per_s: f64,
    pub seconds: u64,
    /// How often the server is killed and started again. Besides, it is stopped as an operator does it, half as often.
    pub kills: u64,
    pub cuts: u64,
    pub seed: u64,
}

pub async fn run(program: PathBuf, size: Size) -> Outcome {
    let server = Server::start(program).await;
    let (proxy, through) = Proxy::start(vec![server.address()]).await;
    let api = server.api().await;
    storm(&api, (&proxy, through), size, async {
        let mut server = server;
        for restart in spread(size.kills + size.kills / 2, size.seconds) {
            server.restart(restart.await % 3 == 0).await;
        }
        server
    })
    .await
}

/// Moments spread evenly over the time, none at its very end: then there would be nobody to come back. The caller
/// awaits each; it returns its own index.
pub fn spread(count: u64, seconds: u64) -> impl Iterator<Item = impl Future<Output = u64>> {
    let began = tokio::time::Instant::now();
    (1..=count).map(move |at| async move {
        let due = Duration::from_secs(seconds).mul_f64((at as f64 - 0.5) / count as f64);
        tokio::time::sleep_until(began + due).await;
        at
    })
}

/// Runs clients against the servers behind the proxy, with `troubles` meanwhile; at the end the checker compares all
/// results.
pub async fn storm<T>(
    api: &Api,
    (proxy, through): (&Proxy, SocketAddr),
    size: Size,
    troubles: impl Future<Output = T>,
) -> Outcome {
    let mut random = SmallRng::seed_from_u64(size.seed);
    // Half of them guests, half admins.
    let crowd = Crowd::gather(api, (through, Pauses::Short), size, |_, at| at % 2 == 1).await;
    let length = Duration::from_secs(size.seconds);
    let began = Instant::now();
    let storming = async {
        let (mut acts, mut blows) = (0_u64, 0);
        while began.elapsed() < length {
            let part = began.elapsed().as_secs_f64() / length.as_secs_f64();
            while (acts as f64) < part * length.as_secs_f64() * size.acts_per_s {
                acts += 1;
                let act = match random.random_range(0..100) {
                    0..78 => Act::Post,
                    78..91 => Act::EditOwn,
                    91..97 => Act::DeleteOwn,
                    _ => Act::Reload,
                };
                crowd.order(act, &mut random);
            }
            while (blows as f64) < part * size.cuts as f64 {
                blows += 1;
                let fate = match random.random_range(0..4) {
                    0 => None,
                    1 => Some(Fate::Late),
                    2 => Some(Fate::HalfOpen),
                    _ => Some(Fate::Truncated),
                };
                proxy.strike(1, fate, &mut random);
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    // The servers from `troubles` live until the end.
    let (_servers, ()) = tokio::join!(troubles, storming);
    proxy.heal();
    crowd.rest(api).await
}
