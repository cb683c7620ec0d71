//! Networks in the operator's notation.

use std::{fmt, net::IpAddr, str::FromStr};

use ipnet::IpNet;

use crate::domain::shorten;

/// The networks whose headers about a client are trusted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

/// A text that is neither an address nor a network.
#[derive(Debug, PartialEq, Eq)]
pub struct NoNetwork(String);

impl fmt::Display for NoNetwork {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is neither an IP address nor a network such as 10.0.0.0/8", shorten(&self.0, 60))
    }
}

impl std::error::Error for NoNetwork {}

impl FromStr for TrustedProxies {
    type Err = NoNetwork;

    /// Parses addresses and networks, separated by commas.
    fn from_str(text: &str) -> Result<Self, NoNetwork> {
        let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
        let networks = parts.map(|part| {
            let address = part.parse::<IpAddr>().map(|address| IpNet::from(address.to_canonical()));
            address.or_else(|_| part.parse()).map_err(|_| NoNetwork(part.to_owned()))
        });
        networks.collect::<Result<_, _>>().map(Self)
    }
}

impl TrustedProxies {
    /// Whether one of the networks contains `address`.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_are_read_as_operators_write_them() {
        let read = |text: &str| text.parse::<TrustedProxies>();
        assert_eq!(read("").unwrap(), TrustedProxies::default());
        let all = read("10.0.0.0/8, 192.0.2.1,::1 ,2001:db8::/32,").unwrap();
        for (address, is_trusted) in
            [("10.255.0.1", true), ("192.0.2.1", true), ("192.0.2.2", false), ("::1", true), ("2001:db8::9", true)]
        {
            assert_eq!(all.contain(address.parse().unwrap()), is_trusted, "{address}");
        }
        for bad in ["proxy.example.com", "10.0.0.0/33", "10.0.0", "10.0.0.1:80", "*"] {
            assert_eq!(read(&format!("::1,{bad}")), Err(NoNetwork(bad.to_owned())));
        }
    }
}
