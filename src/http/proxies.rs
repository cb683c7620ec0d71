//! The client behind proxies: its address, and the host and scheme that it requested.
//!
//! Any client can send these headers, so they count only if the TCP peer is a trusted proxy. A proxy appends the
//! address that it saw itself. So a list is read from the right, through the entries that trusted proxies wrote.

use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, HeaderName, header};

use crate::settings::TrustedProxies;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

impl TrustedProxies {
    /// The address of the client behind `peer`: the last address of an untrusted peer. An invalid entry ends the
    /// search at the last valid one.
    pub(super) fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let peer = peer.to_canonical();
        if !self.contain(peer) {
            return peer;
        }
        let lists = [
            list(headers, &X_FORWARDED_FOR, ',').map(|list| self.walk(peer, list, address)),
            list(headers, &header::FORWARDED, ',').map(|list| self.walk(peer, list, forwarded_for)),
        ];
        match lists {
            [None, None] => peer,
            [Some(client), None] | [None, Some(client)] => client,
            // A proxy writes one of the two and forwards the other from the client: the server cannot tell which.
            [Some(one), Some(other)] if one == other => one,
            [Some(_), Some(_)] => peer,
        }
    }

    fn walk(&self, peer: IpAddr, list: Vec<&str>, read: impl Fn(&str) -> Option<IpAddr>) -> IpAddr {
        let mut last = peer;
        for element in list.into_iter().rev() {
            match read(element) {
                Some(address) if self.contain(address) => last = address,
                Some(address) => return address,
                None => break,
            }
        }
        last
    }
}

/// The host that the client requested, according to the nearest proxy.
pub(super) fn forwarded_host(headers: &HeaderMap) -> Option<&str> {
    last(headers, &X_FORWARDED_HOST).or_else(|| forwarded_last(headers, "host"))
}

/// The scheme that the client used to connect to a proxy.
pub(super) fn forwarded_scheme(headers: &HeaderMap) -> Option<&str> {
    last(headers, &X_FORWARDED_PROTO).or_else(|| forwarded_last(headers, "proto"))
}

/// Whether any header indicates a proxy.
pub(super) fn was_passed_on(headers: &HeaderMap) -> bool {
    ["forwarded", "via", "x-forwarded-for", "x-real-ip"].iter().any(|name| headers.contains_key(*name))
}

fn last<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    list(headers, name, ',')?.last().copied().filter(|text| !text.is_empty())
}

fn forwarded_last<'a>(headers: &'a HeaderMap, key: &str) -> Option<&'a str> {
    pair(last(headers, &header::FORWARDED)?, key)
}

/// The elements of all lines of a header, in order; unreadable text becomes an empty element. `None` if the header is
/// missing.
fn list<'a>(headers: &'a HeaderMap, name: &HeaderName, by: char) -> Option<Vec<&'a str>> {
    let lines = headers.get_all(name).iter();
    let elements: Vec<_> = lines.flat_map(|line| split(line.to_str().unwrap_or_default(), by)).collect();
    (!elements.is_empty()).then_some(elements)
}

/// Splits at a character outside of quotes.
fn split(text: &str, by: char) -> impl Iterator<Item = &str> {
    let mut is_quoted = false;
    text.split(move |c| {
        is_quoted ^= c == '"';
        c == by && !is_quoted
    })
    .map(str::trim)
}

/// An address, with a port or without.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse().ok().or_else(|| text.parse::<SocketAddr>().ok().map(|address| address.ip()));
    address.map(|address| address.to_canonical())
}

/// The address in an element of `Forwarded`; `None` for `unknown` and obfuscated names.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    address(pair(element, "for")?)
}

fn pair<'a>(element: &'a str, key: &str) -> Option<&'a str> {
    split(element, ';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim().eq_ignore_ascii_case(key).then(|| value.trim().trim_matches('"'))
    })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn client(trusted: &str, peer: &str, headers: &[(&'static str, &str)]) -> String {
        let headers = headers
            .iter()
            .map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap()));
        let mut map = HeaderMap::new();
        headers.for_each(|(name, value)| {
            map.append(name, value);
        });
        trusted.parse::<TrustedProxies>().unwrap().client(peer.parse().unwrap(), &map).to_string()
    }

    const XFF: &str = "x-forwarded-for";

    #[test]
    fn only_trusted_proxies_set_the_client_address() {
        for headers in [[(XFF, "192.0.2.9")], [("forwarded", "for=192.0.2.9")]] {
            assert_eq!(client("", "198.51.100.1", &headers), "198.51.100.1");
            assert_eq!(client("10.0.0.0/8", "198.51.100.1", &headers), "198.51.100.1");
            assert_eq!(client("10.0.0.0/8", "10.1.2.3", &headers), "192.0.2.9");
            assert_eq!(client("10.1.2.3", "::ffff:10.1.2.3", &headers), "192.0.2.9");
        }
        assert_eq!(client("10.0.0.0/8", "10.1.2.3", &[]), "10.1.2.3");
    }

    #[test]
    fn entries_that_a_client_prepends_are_ignored() {
        let trusted = "10.0.0.0/8, 2001:db8:ffff::/48";
        for (list, expected) in [
            ("192.0.2.66, 192.0.2.9", "192.0.2.9"),
            ("192.0.2.66, 192.0.2.9, 10.0.0.7", "192.0.2.9"),
            ("127.0.0.1,192.0.2.9,10.0.0.7,10.0.0.8", "192.0.2.9"),
            ("10.0.0.9", "10.0.0.9"),
            ("192.0.2.9:4711", "192.0.2.9"),
            ("[2001:db8::1]:4711", "2001:db8::1"),
            ("2001:db8::1, 2001:db8:ffff::2", "2001:db8::1"),
            ("::ffff:192.0.2.9", "192.0.2.9"),
            // An invalid entry ends the search.
            ("192.0.2.9, nonsense", "10.1.2.3"),
            ("192.0.2.9, nonsense, 10.0.0.7", "10.0.0.7"),
            ("192.0.2.9, , 10.0.0.7", "10.0.0.7"),
            ("192.0.2.9,", "10.1.2.3"),
            ("192.0.2.9\u{e9}", "10.1.2.3"),
            ("", "10.1.2.3"),
        ] {
            assert_eq!(client(trusted, "10.1.2.3", &[(XFF, list)]), expected, "{list}");
        }
        let lines = [(XFF, "192.0.2.66"), (XFF, "192.0.2.9"), (XFF, "10.0.0.7")];
        assert_eq!(client(trusted, "10.1.2.3", &lines), "192.0.2.9", "several lines are one list");
    }

    #[test]
    fn the_standard_header_is_read_in_the_same_way() {
        for (list, expected) in [
            ("for=192.0.2.9;proto=https;by=10.1.2.3", "192.0.2.9"),
            ("For=\"[2001:db8::1]:4711\"", "2001:db8::1"),
            ("for=192.0.2.66, for=192.0.2.9, for=10.0.0.7;host=\"a,b\"", "192.0.2.9"),
            ("for=192.0.2.9, for=unknown", "10.1.2.3"),
            ("for=192.0.2.9, for=_hidden, for=10.0.0.7", "10.0.0.7"),
            ("proto=https", "10.1.2.3"),
            ("for=\"192.0.2.9", "192.0.2.9"),
        ] {
            assert_eq!(client("10.0.0.0/8", "10.1.2.3", &[("forwarded", list)]), expected, "{list}");
        }
    }

    #[test]
    fn a_client_cannot_choose_the_header_that_its_proxy_does_not_write() {
        let both = |xff, forwarded| client("10.0.0.0/8", "10.1.2.3", &[(XFF, xff), ("forwarded", forwarded)]);
        assert_eq!(both("192.0.2.9", "for=192.0.2.66"), "10.1.2.3");
        assert_eq!(both("192.0.2.66, 192.0.2.9", "for=192.0.2.9"), "192.0.2.9");
    }

    #[test]
    fn the_host_and_scheme_are_those_of_the_nearest_proxy() {
        let headers = HeaderMap::from_iter([
            (X_FORWARDED_HOST, HeaderValue::from_static("evil.example, chat.example.com")),
            (header::FORWARDED, HeaderValue::from_static("for=192.0.2.9;proto=http, for=10.0.0.1;proto=https")),
        ]);
        assert_eq!(forwarded_host(&headers), Some("chat.example.com"));
        assert_eq!(forwarded_scheme(&headers), Some("https"));
        assert_eq!(forwarded_host(&HeaderMap::new()), None);
    }
}
