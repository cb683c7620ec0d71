//! `GET /metrics`: the server's metrics in the Prometheus formats.
//!
//! Handles are created at start, so counting a message is one addition. Values that exist elsewhere are read on each
//! request for `/metrics`.

use std::time::Duration;

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use super::{App, auth, listener::Peer, proxies};
use crate::{domain::Problem, protocol::close, service::Service, settings::MetricsAccess};

/// The kind of a request.
#[derive(Clone, Copy, Debug)]
enum Route {
    Api,
    Function,
    Page,
    Asset,
    Socket,
    Health,
}

const ROUTES: [(Route, &str); 6] = [
    (Route::Api, "api"),
    (Route::Function, "function"),
    (Route::Page, "page"),
    (Route::Asset, "asset"),
    (Route::Socket, "socket"),
    (Route::Health, "health"),
];
const STATUSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];
const CLOSES: [u16; 4] = [close::NOT_ALLOWED, close::FRAME_TOO_LARGE, close::RESTARTING, close::TOO_SLOW];

pub(super) struct Metrics {
    access: MetricsAccess,
    registry: Registry,
    sockets: Gauge,
    rooms: Gauge,
    waiting_writes: Gauge,
    acks: Histogram,
    closes: [(u16, Counter); CLOSES.len()],
    requests: [[Counter; STATUSES.len()]; ROUTES.len()],
}

impl Metrics {
    pub fn new(access: MetricsAccess, service: &Service) -> Self {
        let mut registry = Registry::with_prefix("bespoken");
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "What runs here", build);
        let gauge = |registry: &mut Registry, name, help| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let sockets = gauge(&mut registry, "sockets", "Open WebSockets");
        let rooms = gauge(&mut registry, "rooms", "Rooms with a socket in them");
        let waiting_writes = gauge(&mut registry, "waiting_writes", "Changes that wait for their turn to be written");

        // From 250 µs to 4 s, in steps of 2: people perceive delays within this range.
        let acks = Histogram::new(exponential_buckets(0.00025, 2.0, 15));
        let help = "Time from reading a frame that sends, edits or deletes until its ack is queued";
        registry.register_with_unit("ack", help, Unit::Seconds, acks.clone());

        let all = Family::<[(&'static str, String); 1], Counter>::default();
        let closes = CLOSES.map(|code| (code, all.get_or_create_owned(&[("code", code.to_string())])));
        let help = "WebSockets that the server closed, by close code; 4008: the client was too slow";
        registry.register("socket_closes", help, all);

        let all = Family::<[(&'static str, &'static str); 2], Counter>::default();
        let requests = ROUTES
            .map(|(_, route)| STATUSES.map(|status| all.get_or_create_owned(&[("route", route), ("status", status)])));
        registry.register("http_requests", "Answered requests, by what they were for and the class of the status", all);

        service.register_metrics(&mut registry);
        Self { access, registry, sockets, rooms, waiting_writes, acks, closes, requests }
    }

    /// Records the time from reading a frame until its ack.
    pub fn acknowledged(&self, after: Duration) {
        self.acks.observe(after.as_secs_f64());
    }

    /// Counts a socket that the server closed.
    pub fn closed(&self, code: u16) {
        if let Some((_, closes)) = self.closes.iter().find(|(known, _)| *known == code) {
            closes.inc();
        }
    }
}

/// Counts the response of each request.
pub(super) async fn count(State(app): State<App>, request: Request, next: Next) -> Response {
    let route = route(&app, request.uri().path());
    let response = next.run(request).await;
    let class = usize::from(response.status().as_u16() / 100).saturating_sub(1).min(STATUSES.len() - 1);
    app.metrics.requests[route as usize][class].inc();
    response
}

fn route(app: &App, path: &str) -> Route {
    match path {
        "/ws" => Route::Socket,
        "/healthz" | "/readyz" | "/metrics" => Route::Health,
        path if path.starts_with("/api/v1/") => Route::Api,
        path if path.starts_with("/api/") => Route::Function,
        path if app.assets.has(path) => Route::Asset,
        _ => Route::Page,
    }
}

/// Returns all metrics to an authorised caller.
pub(super) async fn show(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let is_free = match app.metrics.access {
        MetricsAccess::Public => true,
        MetricsAccess::Local => peer.0.ip().to_canonical().is_loopback() && !proxies::was_passed_on(&headers),
        MetricsAccess::Token => false,
    };
    if !is_free {
        let asker = auth::find(app.service.clone(), app.proxies.client(peer.0.ip(), &headers), &headers).await?;
        if asker.token.is_none() {
            return Err(Problem::unauthorized());
        }
    }
    let Metrics { registry, sockets, rooms, waiting_writes, .. } = &*app.metrics;
    for (gauge, now) in [
        (sockets, app.service.hub().socket_count()),
        (rooms, app.service.hub().room_count()),
        (waiting_writes, app.service.waiting_writes()),
    ] {
        gauge.set(i64::try_from(now).unwrap_or(i64::MAX));
    }
    app.service.refresh_metrics();
    let mut text = String::new();
    encode(&mut text, registry).map_err(|_| Problem::unavailable())?;
    // The text is valid in both formats; a client that does not ask for the newer one may not support its name.
    let is_open = headers
        .get_all(header::ACCEPT)
        .iter()
        .any(|accept| accept.to_str().is_ok_and(|accept| accept.contains("application/openmetrics-text")));
    let content_type = if is_open {
        "application/openmetrics-text; version=1.0.0; charset=utf-8"
    } else {
        "text/plain; version=0.0.4; charset=utf-8"
    };
    Ok(([(header::CONTENT_TYPE, content_type), (header::CACHE_CONTROL, "no-store")], text).into_response())
}
