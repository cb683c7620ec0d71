//! Start and shutdown of a server.

use std::{
    io,
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use leptos::config::LeptosOptions;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{
    App,
    assets::{Assets, CLIENT},
    home::{Home, leads_here},
    listener,
    metrics::Metrics,
    router,
    slots::Slots,
};
use crate::{
    domain::{Name, Problem},
    live::bus,
    service::{LinkKey, Mail, PushKey, Resolved, Service},
    settings::{MetricsAccess, Settings},
    storage::{self, StoreError},
};

/// Time limit for requests and close handshakes on shutdown.
const FINISH_WITHIN: Duration = Duration::from_secs(5);

/// The reason why a server did not start, as one line for the terminal.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error("{0}")]
    Business(Problem),
    #[error("the public URL must be http:// or https:// and a host that browsers can open, without a path: {0}")]
    PublicUrl(String),
    #[error("{0} is a wildcard address, which browsers cannot open: set --public-url to the visitors' address")]
    NoPublicUrl(SocketAddr),
    #[error("cannot open the database {url}: {source}")]
    Database { url: String, source: StoreError },
    #[error("cannot use the data directory {path}: {source}")]
    DataDir { path: PathBuf, source: io::Error },
    #[error("{0}")]
    Mail(String),
    #[error("several nodes need PostgreSQL: --nats-url cannot be used with an SQLite database")]
    BusOverSqlite,
    #[error(transparent)]
    Bus(#[from] bus::ConnectError),
    #[error("cannot listen: {0}")]
    Listen(#[from] io::Error),
}

/// A server that accepts connections.
pub struct Running {
    pub service: Arc<Service>,
    pub public_url: String,
    pub address: SocketAddr,
    /// Resolves when the server has stopped and has written everything to disk.
    pub stopped: tokio::task::JoinHandle<io::Result<()>>,
}

/// Opens the database and serves on `listener` until `shutdown`. Then it asks every socket to reconnect later,
/// finishes requests in progress and closes the database.
///
/// # Errors
/// See [`StartError`].
pub async fn serve(
    settings: Settings,
    listener: TcpListener,
    shutdown: CancellationToken,
) -> Result<Running, StartError> {
    let business = Name::parse("business", &settings.business).map_err(StartError::Business)?;
    let address = listener.local_addr()?;
    let public_url = match &settings.public_url {
        Some(url) => parse_public_url(url)?,
        None if address.ip().is_unspecified() => return Err(StartError::NoPublicUrl(address)),
        None => format!("http://{address}"),
    };
    let database_url = settings.database.database_url.clone();
    let nats_url = settings.nats_url.clone().filter(|url| !url.is_empty());
    // Only this process may write to an SQLite file.
    if nats_url.is_some() && database_url.starts_with("sqlite:") {
        return Err(StartError::BusOverSqlite);
    }
    let from = settings.mail_from.clone().unwrap_or_else(|| format!("no-reply@{}", mail_domain(&public_url)));
    let mail = Mail::new(settings.smtp_url.as_deref(), &from).map_err(StartError::Mail)?;
    let data_dir = &settings.data.data_dir;
    let unusable = |source| StartError::DataDir { path: data_dir.clone(), source };
    let link_key = LinkKey::load(data_dir).map_err(unusable)?;
    let push_key = PushKey::load(data_dir).map_err(unusable)?;
    let database = |source| StartError::Database { url: storage::shown(&database_url), source };
    let store = storage::open(&database_url).await.map_err(database)?;
    store.serve_alone().await.map_err(database)?;
    // From here on the service owns the limits.
    let Settings { metrics, deadlines, limits, .. } = settings;
    let drain = Duration::from_secs(settings.drain_seconds);
    let proxies = Arc::new(settings.trusted_proxies.clone());
    let resolved = Resolved { settings, public_url: public_url.clone(), business, link_key, push_key, mail };
    let service = match &nats_url {
        Some(urls) => {
            let line = bus::connect(urls, store.epoch().await.map_err(database)?).await?;
            Service::start_among(store, resolved, line).await
        }
        None => Service::start(store, resolved).await,
    }
    .map_err(database)?;
    service.keep_tidy();

    // Pages wait for their data on Leptos' executor. In tests, an earlier server may have set it.
    let _ = any_spawner::Executor::init_tokio();
    let assets = Arc::new(Assets::load());
    let options = LeptosOptions::builder().output_name(CLIENT).site_pkg_dir(assets.folder()).site_addr(address).build();
    let draining = Arc::new(AtomicBool::new(false));
    let sockets = TaskTracker::new();
    let is_local = leads_here(&public_url);
    let access = metrics.unwrap_or(if is_local { MetricsAccess::Local } else { MetricsAccess::Token });
    let app = App {
        metrics: Arc::new(Metrics::new(access, &service)),
        home: Arc::new(Home::new(&public_url, address)),
        proxies: proxies.clone(),
        deadlines,
        service: service.clone(),
        options,
        assets,
        sockets: sockets.clone(),
        draining: draining.clone(),
    };
    let slots = Slots::new(limits.most_connections(), limits.network_connections as usize, proxies);
    let routes = router::routes(app);

    let stopping = service.clone();
    let stopped = tokio::spawn(async move {
        let hub = stopping.hub().clone();
        let draining_since = shutdown.clone();
        let graceful = async move {
            shutdown.cancelled().await;
            draining.store(true, Ordering::Release);
            hub.close_all(drain).await;
        };
        let late = async {
            draining_since.cancelled().await;
            tokio::time::sleep(drain + FINISH_WITHIN).await;
        };
        tokio::select! {
            () = listener::serve(listener, routes, slots, deadlines, graceful) => {}
            // A request that is still being sent by then would only delay the shutdown.
            () = late => {}
        }
        sockets.close();
        tokio::time::timeout(FINISH_WITHIN, sockets.wait()).await.ok();
        stopping.close().await;
        Ok(())
    });
    Ok(Running { service, public_url, address, stopped })
}

/// The default domain of the mail's sender.
fn mail_domain(public_url: &str) -> String {
    let uri = public_url.parse::<axum::http::Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.host()).unwrap_or("localhost");
    // Mail servers reject senders at a bare IP address.
    let is_name = host.contains('.') && host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_err();
    if is_name { host.to_owned() } else { "localhost".to_owned() }
}

fn is_unspecified(host: &str) -> bool {
    host.trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok_and(|address| address.is_unspecified())
}

fn parse_public_url(text: &str) -> Result<String, StartError> {
    let url = text.trim_end_matches('/');
    let fits = url.parse::<axum::http::Uri>().is_ok_and(|uri| {
        matches!(uri.scheme_str(), Some("http" | "https"))
            && uri.authority().is_some()
            && uri.path() == "/"
            && uri.query().is_none()
            // A server can listen there, but clients cannot connect to it.
            && !uri.host().is_some_and(is_unspecified)
    });
    if !fits {
        return Err(StartError::PublicUrl(text.to_owned()));
    }
    // The form of a browser's `Origin`: in lower case, without the default port.
    let url = url.to_lowercase();
    let usual_port = if url.starts_with("https:") { ":443" } else { ":80" };
    Ok(url.strip_suffix(usual_port).unwrap_or(&url).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_public_url_is_written_as_browsers_write_an_origin() {
        for (given, origin) in [
            ("http://Chat.Example/", "http://chat.example"),
            ("https://chat.example:443", "https://chat.example"),
            ("http://chat.example:80", "http://chat.example"),
            ("http://chat.example:443", "http://chat.example:443"),
            ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
            ("http://[::1]:80", "http://[::1]"),
        ] {
            assert_eq!(parse_public_url(given).unwrap(), origin);
        }
        for bad in [
            "chat.example",
            "ftp://chat.example",
            "http://chat.example/path",
            "http://",
            "http://a.example?b",
            "http://0.0.0.0:3000",
            "http://[::]",
        ] {
            assert!(parse_public_url(bad).is_err(), "{bad}");
        }
    }
}
