//! Requests to the push services of browsers.
//!
//! Browsers choose the addresses of these requests, so anybody can. A request therefore goes only by https to a public
//! address, follows no redirect, and reads no content.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use axum::body::Body;
use hyper::{Request, Response, StatusCode, Uri, body::Incoming, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpStream, lookup_host},
    sync::{OnceCell, Semaphore},
    time::timeout,
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::ServerName},
};

/// Length limit of an endpoint. Those of the browsers have up to about 600 bytes.
const MAX_ENDPOINT_BYTES: usize = 1_024;
/// Concurrent requests.
const AT_ONCE: usize = 16;
/// Time limit of a request, from the look-up of its address.
const ANSWER_WITHIN: Duration = Duration::from_secs(15);
/// Longest pause that a push service can ask for.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);

/// An address of a push service that may be called.
pub(super) struct Endpoint {
    uri: Uri,
    host: String,
    port: u16,
    is_secure: bool,
}

impl Endpoint {
    /// `None` if the text is no such address. With `allows_private`, http is permitted too.
    pub fn parse(text: &str, allows_private: bool) -> Option<Self> {
        let uri: Uri = text.parse().ok().filter(|_| text.len() <= MAX_ENDPOINT_BYTES)?;
        let is_secure = match uri.scheme_str()? {
            "https" => true,
            "http" if allows_private => false,
            _ => return None,
        };
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let port = authority.port_u16().unwrap_or(if is_secure { 443 } else { 80 });
        (!host.is_empty()).then_some(Self { uri, host, port, is_secure })
    }

    /// Scheme, host and port: the audience of a signature.
    pub fn origin(&self) -> String {
        let scheme = self.uri.scheme_str().unwrap_or_default();
        format!("{scheme}://{}", self.uri.authority().map_or("", |authority| authority.as_str()))
    }
}

/// The answer of a push service.
#[derive(Debug)]
pub(super) enum Answer {
    Accepted,
    /// The subscription does not exist any more.
    Gone,
    /// It may accept the same after a pause, at least this one.
    Later(Duration),
    /// It will not accept this.
    Refused(StatusCode),
}

/// A request could not be made: the reason for the log.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("the endpoint has no public address")]
    Private,
    #[error("{0}")]
    Io(#[from] io::Error),
    #[error("{0}")]
    Http(#[from] hyper::Error),
    #[error("the push service does not answer")]
    Late,
}

pub(super) struct Delivery {
    tls: OnceCell<TlsConnector>,
    permits: Semaphore,
    allows_private: bool,
}

impl Delivery {
    pub fn new(allows_private: bool) -> Self {
        Self { tls: OnceCell::new(), permits: Semaphore::new(AT_ONCE), allows_private }
    }

    pub fn endpoint(&self, text: &str) -> Option<Endpoint> {
        Endpoint::parse(text, self.allows_private)
    }

    /// An address of the endpoint that may be called.
    ///
    /// # Errors
    /// [`Failure::Private`] if it has none, [`Failure::Io`] if it has none at all.
    pub async fn resolve(&self, endpoint: &Endpoint) -> Result<SocketAddr, Failure> {
        let looked_up = timeout(ANSWER_WITHIN, lookup_host((endpoint.host.as_str(), endpoint.port))).await;
        let mut addresses = looked_up.map_err(|_| Failure::Late)??;
        addresses.find(|address| self.allows_private || is_public(address.ip())).ok_or(Failure::Private)
    }

    /// Sends a request with `head` to the endpoint, when its turn comes.
    pub async fn send(
        &self,
        endpoint: &Endpoint,
        head: [(header::HeaderName, String); 5],
        body: Vec<u8>,
    ) -> Result<Answer, Failure> {
        let _permit = self.permits.acquire().await;
        let path = endpoint.uri.path_and_query().map_or("/", |path| path.as_str());
        let host = endpoint.uri.authority().map_or("", |authority| authority.as_str());
        let mut request = Request::post(path).header(header::HOST, host).header(header::CONTENT_LENGTH, body.len());
        for (name, value) in head {
            request = request.header(name, value);
        }
        let request = request.body(Body::from(body)).map_err(io::Error::other)?;
        let response = timeout(ANSWER_WITHIN, self.exchange(endpoint, request)).await.map_err(|_| Failure::Late)??;
        Ok(answer(&response))
    }

    async fn exchange(&self, endpoint: &Endpoint, request: Request<Body>) -> Result<Response<Incoming>, Failure> {
        // Connects to the address that was checked, so that a second look-up cannot lead elsewhere.
        let stream = TcpStream::connect(self.resolve(endpoint).await?).await?;
        if !endpoint.is_secure {
            return talk(stream, request).await;
        }
        let name = ServerName::try_from(endpoint.host.clone()).map_err(io::Error::other)?;
        let tls = self.tls.get_or_try_init(connector).await?;
        talk(tls.connect(name, stream).await?, request).await
    }
}

async fn talk<S>(stream: S, request: Request<Body>) -> Result<Response<Incoming>, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    // Ends with the response, whose content nobody reads.
    tokio::spawn(connection);
    Ok(sender.send_request(request).await?)
}

/// TLS with the certificates that the system trusts.
async fn connector() -> io::Result<TlsConnector> {
    let config = tokio::task::spawn_blocking(|| {
        let mut roots = RootCertStore::empty();
        let found = rustls_native_certs::load_native_certs();
        roots.add_parsable_certificates(found.certs);
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions().map_err(io::Error::other)?;
        Ok::<_, io::Error>(builder.with_root_certificates(roots).with_no_client_auth())
    });
    Ok(TlsConnector::from(Arc::new(config.await??)))
}

fn answer(response: &Response<Incoming>) -> Answer {
    match response.status() {
        status if status.is_success() => Answer::Accepted,
        StatusCode::NOT_FOUND | StatusCode::GONE => Answer::Gone,
        status if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() => {
            let pause = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
            Answer::Later(Duration::from_secs(pause.unwrap_or_default()).min(LONGEST_PAUSE))
        }
        status => Answer::Refused(status),
    }
}

/// Whether an address belongs to the public internet (RFC 6890), and to no network that only this server can reach.
fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => !NOT_PUBLIC.iter().any(|(network, bits)| {
            let mask = u32::MAX << (32 - bits);
            address.to_bits() & mask == network.to_bits()
        }),
        IpAddr::V6(address) => match address.segments() {
            // The IPv4 address within an address of NAT64 (RFC 6052).
            [0x64, 0xff9b, 0, 0, 0, 0, _, _] => is_public(last_32_bits(address).into()),
            // Teredo, documentation and the like; 6to4.
            [0x2001, 0..=0x1ff | 0xdb8, ..] | [0x2002, ..] | [0x3fff, 0..=0xfff, ..] => false,
            [first, ..] => first & 0xe000 == 0x2000,
        },
    }
}

fn last_32_bits(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}

/// Networks of IPv4 beside the public ones: each with the length of its prefix.
const NOT_PUBLIC: [(Ipv4Addr, u32); 15] = [
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 0, 2, 0), 24),
    (Ipv4Addr::new(192, 88, 99, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(198, 51, 100, 0), 24),
    (Ipv4Addr::new(203, 0, 113, 0), 24),
    // Multicast, and the reserved rest.
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_internet_are_public() {
        for (address, expected) in [
            ("8.8.8.8", true),
            ("172.32.0.1", true),
            ("100.128.0.1", true),
            ("2606:4700::1111", true),
            ("2a00:1450::1", true),
            ("64:ff9b::808:808", true),
            ("0.0.0.0", false),
            ("10.1.2.3", false),
            ("100.64.0.1", false),
            ("127.0.0.1", false),
            ("169.254.169.254", false),
            ("172.31.255.255", false),
            ("192.168.1.1", false),
            ("198.19.0.1", false),
            ("224.0.0.1", false),
            ("255.255.255.255", false),
            ("::", false),
            ("::1", false),
            ("::ffff:10.0.0.1", false),
            ("::10.0.0.1", false),
            ("64:ff9b::a00:1", false),
            ("fc00::1", false),
            ("fe80::1", false),
            ("ff02::1", false),
            ("2001:db8::1", false),
            ("2002:a00:1::", false),
        ] {
            assert_eq!(is_public(address.parse().unwrap()), expected, "{address}");
        }
    }

    #[test]
    fn endpoints_are_addresses_of_https() {
        let long = format!("https://push.example/{}", "a".repeat(MAX_ENDPOINT_BYTES));
        for (text, expected) in [
            ("https://push.example/a?b", true),
            ("https://push.example:8443/a", true),
            ("https://[2606:4700::1111]/a", true),
            ("http://push.example/a", false),
            ("https://user@push.example/a", false),
            ("https:///a", false),
            ("/a", false),
            ("mailto:a@b", false),
            ("", false),
            (&*long, false),
        ] {
            assert_eq!(Endpoint::parse(text, false).is_some(), expected, "{text}");
        }
        assert!(Endpoint::parse("http://127.0.0.1:8080/a", true).is_some());
        assert_eq!(
            Endpoint::parse("https://push.example:8443/a", false).unwrap().origin(),
            "https://push.example:8443"
        );
    }

    #[tokio::test]
    async fn no_private_address_is_called() {
        let delivery = Delivery::new(false);
        for host in ["127.0.0.1", "10.0.0.1", "[::1]", "localhost"] {
            let endpoint = delivery.endpoint(&format!("https://{host}/a")).unwrap();
            let head = [(); 5].map(|()| (header::TE, String::new()));
            assert!(matches!(delivery.send(&endpoint, head, Vec::new()).await, Err(Failure::Private)), "{host}");
        }
    }
}
