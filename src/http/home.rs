//! Where people are to be: at the public URL, and at no other name of this server.
//!
//! Links, cookies and the check of a socket's `Origin` go by the public URL, so under another one a page works and
//! its sockets do not. A page that was opened elsewhere leads there. Nobody is led in circles, though: a proxy that
//! does not pass on what was asked for makes every request look as if it came from elsewhere.

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

/// So often within this time one address is led on; then it goes in circles, and the page is shown where it is.
const MOST_LED: u32 = 3;
const LED_WITHIN: Duration = Duration::from_secs(10);
/// How often the log says that people are elsewhere.
const SAY_EVERY: Duration = Duration::from_secs(600);

/// The public URL, and how this server tells whether somebody is there.
pub(super) struct Home {
    url: String,
    is_https: bool,
    /// As [`plain`] writes it.
    authority: String,
    listen: SocketAddr,
    /// The public URL leads to this machine and port: there is no proxy between.
    is_direct: bool,
    led: Rate<(Network, u64)>,
    said: Rate<Amiss>,
}

/// What keeps people's sockets from working.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Amiss {
    /// The page was opened at the address that the server listens on, or a proxy asks there for everybody.
    Listen,
    /// A proxy does not tell what was asked for.
    Circle,
    /// A proxy speaks TLS, and the public URL does not.
    Scheme,
    /// A socket came from elsewhere.
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
    /// `url` is an origin as browsers write it.
    pub fn new(url: &str, listen: SocketAddr) -> Self {
        let (scheme, authority) = url.split_once("://").unwrap_or(("http", url));
        let authority = plain(authority);
        let is_https = scheme == "https";
        let is_direct = !is_https && leads_here(url) && port(&authority) == listen.port();
        let (led, said) = (Rate::new(MOST_LED, LED_WITHIN), Rate::new(1, SAY_EVERY));
        Self { url: url.to_owned(), is_https, authority, listen, is_direct, led, said }
    }

    /// What to do with somebody who asks for a page at this host.
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
        // Nobody has to be trusted with leaving somebody where they are.
        if forwarded_host.is_some_and(|host| plain(host) == self.authority) {
            return Whither::Stay;
        }
        let is_known = is_trusted && forwarded_host.is_some();
        if !is_known && !self.is_direct && self.listens_at(&asked) {
            return Whither::Explain(Amiss::Listen);
        }
        Whither::Home
    }

    /// Whether this is where the server listens. Proxies are told to ask there, and some then do so in
    /// everybody's name.
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

    /// Tells in the log what is amiss, unless it did just now.
    fn explain(&self, amiss: Amiss, host: &str) {
        if self.said.take(amiss).is_err() {
            return;
        }
        let (url, host) = (&self.url, shorten(host, 100));
        match amiss {
            Amiss::Listen => tracing::warn!(
                "a page was asked for at {host}, where this server listens, and not at {url}: whoever opened it there \
                 has no live chat; if a proxy asked, let it pass on the Host header"
            ),
            Amiss::Circle => tracing::warn!(
                "a page was asked for at {host} again and again, although it was led to {url}: let the proxy in front \
                 pass on the Host header, and the scheme as X-Forwarded-Proto"
            ),
            Amiss::Scheme => tracing::warn!(
                "a page was asked for by https, but the public URL is {url}: set --public-url to what people type"
            ),
            Amiss::Proxy => tracing::warn!(
                "a proxy on this machine passes requests on, and all who come by it count as one person's address: \
                 name it in --trusted-proxies"
            ),
            Amiss::Socket => tracing::warn!(
                "a socket from {host} was refused: only pages of {url} may open one; set --public-url to what people type"
            ),
        }
    }

    /// Why a socket of a page elsewhere is refused.
    pub fn refuse(&self, origin: &str) -> Problem {
        self.explain(Amiss::Socket, origin);
        Problem::forbidden(t!(locales::current(), problem::another_origin(&self.url)))
    }
}

/// Leads whoever opened a page elsewhere to the same page at the public URL.
pub(super) async fn lead(
    State(app): State<App>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    request: Request,
    next: Next,
) -> Response {
    let (headers, home) = (request.headers(), &app.home);
    let is_page = matches!(*request.method(), Method::GET | Method::HEAD);
    // Programs with a token go wherever they like.
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

/// 307, and never kept: settings change.
fn to_home(url: &str, uri: &Uri) -> Response {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let Ok(to) = HeaderValue::try_from(format!("{url}{path}")) else { return StatusCode::BAD_REQUEST.into_response() };
    let headers = [(header::LOCATION, to), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))];
    (StatusCode::TEMPORARY_REDIRECT, headers).into_response()
}

/// Refuses a request that does not say which host it is for (RFC 9112, section 3.2). Load balancers that speak
/// HTTP/1.0 may ask for health without.
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

/// The host that a request is for: that of its target, if it has one.
fn host(request: &Request) -> Option<&str> {
    let of_target = request.uri().authority().map(Authority::as_str);
    of_target.or_else(|| request.headers().get(header::HOST)?.to_str().ok())
}

/// Host and port in one form: in lower case, without a port that goes without saying.
fn plain(authority: &str) -> String {
    let authority = authority.trim().to_ascii_lowercase();
    let bare = [":80", ":443"].iter().find_map(|usual| authority.strip_suffix(usual));
    bare.map(str::to_owned).unwrap_or(authority)
}

fn is_port(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// The port of an authority; 80 goes without saying.
fn port(authority: &str) -> u16 {
    let port = authority.rsplit_once(':').map(|(_, port)| port).filter(|port| is_port(port));
    port.and_then(|port| port.parse().ok()).unwrap_or(80)
}

/// Whether only this machine itself reaches the URL.
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
            // A proxy may ask so for everybody.
            (HTTPS, "127.0.0.1:3000", "127.0.0.1:3000", LISTEN),
            (HTTPS, "127.0.0.1:3000", "localhost:3000", LISTEN),
            (HTTPS, "0.0.0.0:3000", "192.0.2.7:3000", LISTEN),
            (HTTPS, "[::]:3000", "[2001:db8::1]:3000", LISTEN),
            (HTTPS, "127.0.0.1:80", "127.0.0.1", LISTEN),
            (HTTPS, "127.0.0.1:3000", "127.0.0.1:3001", Whither::Home),
            // While developing there is none.
            ("http://127.0.0.1:3000", "127.0.0.1:3000", "localhost:3000", Whither::Home),
            ("http://localhost:3000", "127.0.0.1:3000", "127.0.0.1:3000", Whither::Home),
            ("http://127.0.0.1:3000", "127.0.0.1:3000", "127.0.0.1:3000", Whither::Stay),
            ("http://localhost:8080", "127.0.0.1:3000", "127.0.0.1:3000", LISTEN),
        ] {
            assert_eq!(whither(url, listen, host, &[], false), expected, "{url} {listen} {host}");
        }
    }

    #[test]
    fn a_trusted_proxy_says_what_was_asked_for() {
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
    fn whatever_is_asked_for_leads_to_the_public_url_alone() {
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
