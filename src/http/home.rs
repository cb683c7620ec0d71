//! Redirects visitors to the public URL from all other names of this server.
//!
//! Links, cookies and the check of a socket's `Origin` depend on the public URL, so under another one pages work but
//! sockets fail. A page that was opened elsewhere redirects there. The server detects redirect loops: a proxy that
//! drops the requested host makes every request appear to be for another one.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use axum::{
    extract::{ConnectInfo, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, Version, header, uri::Authority},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{App, error, listener::Peer, proxies};
use crate::{
    domain::{Code, Problem, shorten},
    locales::{self, t},
    service::{Network, Rate},
};

/// After this many redirects of one address within this time, the server assumes a loop and serves the page.
const MOST_LED: u32 = 3;
const LED_WITHIN: Duration = Duration::from_secs(10);
/// Interval between log lines about the same problem.
const SAY_EVERY: Duration = Duration::from_secs(600);

/// The public URL, and the check that a request is for it.
pub(super) struct Home {
    url: String,
    is_https: bool,
    /// Normalised by [`plain`].
    authority: String,
    listen: SocketAddr,
    /// The public URL refers to this machine and port, without a proxy between.
    is_direct: bool,
    led: Rate<(Network, u64)>,
    said: Rate<Amiss>,
}

/// A configuration that breaks sockets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Amiss {
    /// A page was opened at the address that the server listens on, or a proxy requests that address for everyone.
    Listen,
    /// A proxy does not forward the requested host.
    Circle,
    /// A proxy terminates TLS, and the public URL has the scheme `http`.
    Scheme,
    /// A socket's `Origin` is not the public URL.
    Socket,
    /// A proxy on this machine is not trusted.
    Proxy,
}

#[derive(Debug, PartialEq, Eq)]
enum Whither {
    Stay,
    Home,
    Explain(Amiss),
}

impl Home {
    /// `url` is an origin in the browsers' form.
    pub fn new(url: &str, listen: SocketAddr) -> Self {
        let (scheme, authority) = url.split_once("://").unwrap_or(("http", url));
        let authority = plain(authority);
        let is_https = scheme == "https";
        let is_direct = !is_https && leads_here(url) && port(&authority) == listen.port();
        let (led, said) = (Rate::new(MOST_LED, LED_WITHIN), Rate::new(1, SAY_EVERY));
        Self { url: url.to_owned(), is_https, authority, listen, is_direct, led, said }
    }

    /// Decides between serving and redirecting a page request for this host.
    fn whither(&self, host: &str, headers: &HeaderMap, is_trusted: bool) -> Whither {
        let forwarded_host = proxies::forwarded_host(headers);
        let asked = plain(forwarded_host.filter(|_| is_trusted).unwrap_or(host));
        if asked == self.authority {
            let scheme = proxies::forwarded_scheme(headers).filter(|_| is_trusted);
            return match scheme {
                Some(scheme) if self.is_https && scheme.eq_ignore_ascii_case("http") => Whither::Home,
                Some(scheme) if !self.is_https && scheme.eq_ignore_ascii_case("https") => {
                    Whither::Explain(Amiss::Scheme)
                }
                _ => Whither::Stay,
            };
        }
        // Serving the page in place requires no trust in the proxy.
        if forwarded_host.is_some_and(|host| plain(host) == self.authority) {
            return Whither::Stay;
        }
        let is_known = is_trusted && forwarded_host.is_some();
        if !is_known && !self.is_direct && self.listens_at(&asked) {
            return Whither::Explain(Amiss::Listen);
        }
        Whither::Home
    }

    /// Whether this is the address that the server listens on. Proxies connect to it, and some send it as the host of
    /// every request.
    fn listens_at(&self, authority: &str) -> bool {
        let host = authority.rsplit_once(':').filter(|(_, port)| is_port(port)).map_or(authority, |(host, _)| host);
        let is_here = match host.trim_matches(['[', ']']).parse::<IpAddr>() {
            Ok(address) => {
                self.listen.ip().is_unspecified() || address.to_canonical() == self.listen.ip().to_canonical()
            }
            Err(_) => host == "localhost",
        };
        is_here && port(authority) == self.listen.port()
    }

    /// Logs the problem, at most once per [`SAY_EVERY`].
    fn explain(&self, amiss: Amiss, host: &str) {
        if self.said.take(amiss).is_err() {
            return;
        }
        let (url, host) = (&self.url, shorten(host, 100));
        match amiss {
            Amiss::Listen => tracing::warn!(
                "a page was requested at {host}, where this server listens, instead of {url}: live chat does not work \
                 there; configure a proxy to forward the Host header"
            ),
            Amiss::Circle => tracing::warn!(
                "a page was requested at {host} again and again despite redirects to {url}: configure the proxy to \
                 forward the Host header, and the scheme as X-Forwarded-Proto"
            ),
            Amiss::Scheme => tracing::warn!(
                "a page was requested by https, but the public URL is {url}: set --public-url to the visitors' address"
            ),
            Amiss::Proxy => tracing::warn!(
                "a proxy on this machine forwards requests, and all its visitors count as one address: \
                 add the proxy to --trusted-proxies"
            ),
            Amiss::Socket => tracing::warn!(
                "rejected a socket from {host}: only pages of {url} may open one; set --public-url to the visitors' \
                 address"
            ),
        }
    }

    /// The error for a socket of a page at another origin.
    pub fn refuse(&self, origin: &str) -> Problem {
        self.explain(Amiss::Socket, origin);
        Problem::forbidden(t!(locales::current(), problem::another_origin(&self.url)))
    }
}

/// Redirects a page request at another host to the same page at the public URL.
pub(super) async fn lead(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (headers, home) = (request.headers(), &app.home);
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    // Programs with a token may use any host.
    if !is_page || headers.contains_key(header::AUTHORIZATION) {
        return next.run(request).await;
    }
    let host = host(&request).unwrap_or_default();
    let is_trusted = app.proxies.contain(peer.0.ip());
    if !is_trusted && peer.0.ip().to_canonical().is_loopback() && proxies::was_passed_on(headers) {
        home.explain(Amiss::Proxy, host);
    }
    match home.whither(host, headers, is_trusted) {
        Whither::Stay => {}
        Whither::Explain(amiss) => home.explain(amiss, host),
        Whither::Home => {
            let mut address = DefaultHasher::new();
            (host, request.uri()).hash(&mut address);
            let network = Network::from(app.proxies.client(peer.0.ip(), headers));
            if home.led.take((network, address.finish())).is_ok() {
                return to_home(&home.url, request.uri());
            }
            home.explain(Amiss::Circle, host);
        }
    }
    next.run(request).await
}

/// 307 and never cached, because settings change.
fn to_home(url: &str, uri: &Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(to) = HeaderValue::try_from(format!("{url}{path}")) else { return StatusCode::BAD_REQUEST.into_response() };
    let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
}

/// Rejects a request without a single valid Host header (RFC 9112, section 3.2). Load balancers that use HTTP/1.0 may
/// omit it for health checks.
pub(super) async fn require_host(request: Request) -> Result<Request, Response> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let is_valid = match (hosts.next(), hosts.next()) {
        (Some(host), None) => {
            let host = host.to_str().unwrap_or_default();
            !host.contains('@') && host.parse::<Authority>().is_ok()
        }
        (None, None) => request.version() < Version::HTTP_11 && matches!(request.uri().path(), "/healthz" | "/readyz"),
        _ => false,
    };
    if is_valid {
        return Ok(request);
    }
    let problem = Problem::new(Code::Invalid, t!(locales::current(), api::HOST));
    Err(error::answer(problem, StatusCode::BAD_REQUEST))
}

/// The host that a request is for: from its target, or else from its Host header.
fn host(request: &Request) -> Option<&str> {
    let of_target = request.uri().authority().map(Authority::as_str);
    of_target.or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

/// Host and port in normal form: in lower case, without a default port.
fn plain(authority: &str) -> String {
    let authority = authority.trim().to_ascii_lowercase();
    let bare = [":80", ":443"].iter().find_map(|usual| authority.strip_suffix(usual));
    bare.map(str::to_owned).unwrap_or(authority)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The port of an authority; 80 by default.
fn port(authority: &str) -> u16 {
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| is_port(port));
    port.and_then(|port| port.parse().ok()).unwrap_or(80)
}

/// Whether only this machine can reach the URL.
pub(super) fn leads_here(public_url: &str) -> bool {
    let uri = public_url.parse::<Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.host()).unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    fn whither(
        url: &str,
        listen: &str,
        host: &str,
        headers: &[(&'static str, &'static str)],
        trusted: bool,
    ) -> Whither {
        let headers =
            headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
        Home::new(url, listen.parse().unwrap()).whither(host, &headers.collect(), trusted)
    }

    const HTTPS: &str = "https://chat.example.com";
    const LISTEN: Whither = Whither::Explain(Amiss::Listen);

    #[test]
    fn people_are_led_to_the_public_url() {
        for (url, listen, host, expected) in [
            (HTTPS, "127.0.0.1:3000", "chat.example.com", Whither::Stay),
            (HTTPS, "127.0.0.1:3000", "CHAT.example.com:443", Whither::Stay),
            (HTTPS, "127.0.0.1:3000", "www.example.com", Whither::Home),
            (HTTPS, "127.0.0.1:3000", "chat.example.com.", Whither::Home),
            (HTTPS, "127.0.0.1:3000", "chat.example.com:8443", Whither::Home),
            // A proxy may send this for every visitor.
            (HTTPS, "127.0.0.1:3000", "127.0.0.1:3000", LISTEN),
            (HTTPS, "127.0.0.1:3000", "localhost:3000", LISTEN),
            (HTTPS, "0.0.0.0:3000", "192.0.2.7:3000", LISTEN),
            (HTTPS, "[::]:3000", "[2001:db8::1]:3000", LISTEN),
            (HTTPS, "127.0.0.1:80", "127.0.0.1", LISTEN),
            (HTTPS, "127.0.0.1:3000", "127.0.0.1:3001", Whither::Home),
            // A development setup has no proxy.
            ("http://127.0.0.1:3000", "127.0.0.1:3000", "localhost:3000", Whither::Home),
            ("http://localhost:3000", "127.0.0.1:3000", "127.0.0.1:3000", Whither::Home),
            ("http://127.0.0.1:3000", "127.0.0.1:3000", "127.0.0.1:3000", Whither::Stay),
            ("http://localhost:8080", "127.0.0.1:3000", "127.0.0.1:3000", LISTEN),
        ] {
            assert_eq!(whither(url, listen, host, &[], false), expected, "{url} {listen} {host}");
        }
    }

    #[test]
    fn the_host_and_scheme_from_a_trusted_proxy_count() {
        const HOST: &str = "x-forwarded-host";
        const PROTO: &str = "x-forwarded-proto";
        let at = |host, headers: &[_], trusted| whither(HTTPS, "127.0.0.1:3000", host, headers, trusted);
        assert_eq!(at("chat.example.com", &[(PROTO, "http")], true), Whither::Home);
        assert_eq!(at("chat.example.com", &[(PROTO, "https")], true), Whither::Stay);
        assert_eq!(at("chat.example.com", &[(PROTO, "http")], false), Whither::Stay);
        let here = "127.0.0.1:3000";
        assert_eq!(at(here, &[(HOST, "www.example.com")], true), Whither::Home);
        assert_eq!(at(here, &[(HOST, "www.example.com")], false), LISTEN);
        assert_eq!(at(here, &[(HOST, "chat.example.com"), (PROTO, "https")], true), Whither::Stay);
        assert_eq!(at("upstream", &[(HOST, "chat.example.com")], false), Whither::Stay);
        let plain = whither("http://chat.example.com", here, "chat.example.com", &[(PROTO, "https")], true);
        assert_eq!(plain, Whither::Explain(Amiss::Scheme));
    }

    #[test]
    fn every_redirect_leads_to_the_public_url() {
        for (uri, expected) in [
            ("/chat?chatId=1", "https://chat.example.com/chat?chatId=1"),
            ("//evil.example/", "https://chat.example.com//evil.example/"),
            ("http://evil.example/a", "https://chat.example.com/a"),
            ("/@evil.example", "https://chat.example.com/@evil.example"),
        ] {
            assert_eq!(to_home(HTTPS, &uri.parse().unwrap()).headers()[header::LOCATION], expected, "{uri}");
        }
    }
}
