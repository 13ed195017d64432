//! Network addresses: which network one belongs to, and whose a request is behind proxies.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    str::FromStr,
};

use serde::{Deserialize, Deserializer, de::Error as _};

/// An address alone is no input or output: the domain may speak of it.
pub use std::net::IpAddr as Address;

/// A network in CIDR notation: `10.0.0.0/8`, `2001:db8::/32`; an address alone is a network of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    first: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is of this network. An IPv4 address written as IPv6 is the IPv4 address.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        masked(address.to_canonical(), self.bits) == self.first
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is not a network like 10.0.0.0/8 or 2001:db8::/32");
        let (address, bits) = text.split_once('/').map_or((text, None), |(start, bits)| (start, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse().map_err(|_| wrong()))?;
        let first = masked(address, bits);
        if bits > most || first != address {
            return Err(wrong());
        }
        Ok(Self { first, bits })
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// The first address of the network of so many bits that `address` is in.
fn masked(address: IpAddr, bits: u8) -> IpAddr {
    match address {
        IpAddr::V4(address) => {
            let rest = 32_u32.saturating_sub(bits.into());
            IpAddr::V4(
                (address.to_bits().checked_shr(rest).unwrap_or(0).checked_shl(rest).unwrap_or(0)).into(),
            )
        }
        IpAddr::V6(address) => {
            let rest = 128_u32.saturating_sub(bits.into());
            let bits = address.to_bits().checked_shr(rest).unwrap_or(0).checked_shl(rest).unwrap_or(0);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
    }
}

/// What one party has: an IPv4 address, or a /64 of IPv6, which is what a single home is given.
#[must_use]
pub fn one_party(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        address @ IpAddr::V4(_) => address,
        address @ IpAddr::V6(_) => masked(address, 64),
    }
}

/// Enough of an address to recognise a network by, and not who it is: `192.0.2.x`, `2001:db8:1::x`.
#[must_use]
pub fn shortened(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.x")
        }
        address @ IpAddr::V6(_) => format!("{}x", masked(address, 48)),
    }
}

/// Where a request comes from that passed through `hops`, the nearest last, to `peer`, who sent it here.
///
/// What a proxy of ours says of whom it was sent by is believed, and so on back to the first that is not
/// ours: whatever stands before that, anybody can have written.
#[must_use]
pub fn client<'a>(peer: IpAddr, hops: impl DoubleEndedIterator<Item = &'a str>, ours: &[Network]) -> IpAddr {
    let mut client = peer.to_canonical();
    for hop in hops.rev() {
        if !ours.iter().any(|network| network.contains(client)) {
            break;
        }
        match address(hop) {
            Some(address) => client = address,
            None => break,
        }
    }
    client
}

/// An address as the headers of proxies have it, with or without a port.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let bare = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(text);
    let parsed = bare.parse::<IpAddr>().ok();
    parsed.or_else(|| text.parse::<SocketAddr>().ok().map(|socket| socket.ip())).map(|ip| ip.to_canonical())
}

/// The hops of a `Forwarded` header's value (RFC 7239): what each `for=` names.
pub fn forwarded(value: &str) -> impl DoubleEndedIterator<Item = &str> {
    value.split(',').map(|element| {
        let pairs = element.split(';').filter_map(|pair| pair.split_once('='));
        let mut named = pairs.filter(|(name, _)| name.trim().eq_ignore_ascii_case("for"));
        named.next().map_or("", |(_, value)| value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_are_read_and_hold_their_addresses() {
        for (network, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.8"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.1"),
            ("192.0.2.0/24", "::ffff:192.0.2.9", "::ffff:192.0.3.9"),
            ("2001:db8::/32", "2001:db8:ffff::1", "2001:db9::1"),
            ("::1", "::1", "::2"),
        ] {
            let read: Network = network.parse().unwrap();
            assert!(read.contains(ip(inside)) && !read.contains(ip(outside)), "{network}");
        }
        for wrong in ["", "10.0.0.0/33", "10.0.0.1/8", "::/129", "10.0.0.0/-1", "localhost", "10.0.0.0/8/8"] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn one_home_is_one_party_and_addresses_are_shortened() {
        assert_eq!(one_party(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_eq!(one_party(ip("::ffff:192.0.2.1")), ip("192.0.2.1"));
        assert_eq!(shortened(ip("::ffff:192.0.2.1")), "192.0.2.x");
        assert_eq!(shortened(ip("2001:db8:1:2:3:4:5:6")), "2001:db8:1::x");
    }

    #[test]
    fn only_our_proxies_are_believed() {
        let ours: Vec<Network> = ["10.0.0.0/8", "2001:db8::/32"].map(|text| text.parse().unwrap()).into();
        for (peer, hops, expected) in [
            ("203.0.113.9", "198.51.100.1", "203.0.113.9"),
            ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1", "198.51.100.1"),
            ("10.0.0.1", "1.1.1.1, 198.51.100.1, 10.0.0.2", "198.51.100.1"),
            ("10.0.0.1", "10.0.0.3", "10.0.0.3"),
            ("10.0.0.1", "", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1, unknown", "10.0.0.1"),
            ("10.0.0.1", "198.51.100.1:4711", "198.51.100.1"),
            ("2001:db8::1", "\"[2001:db9::7]:4711\"", "2001:db9::7"),
            ("2001:db8::1", "[2001:db9::7]", "2001:db9::7"),
            ("::ffff:10.0.0.1", "::ffff:198.51.100.1", "198.51.100.1"),
        ] {
            assert_eq!(client(ip(peer), hops.split(','), &ours), ip(expected), "{peer} {hops}");
        }
        assert_eq!(client(ip("10.0.0.1"), ["198.51.100.1"].into_iter(), &[]), ip("10.0.0.1"));
    }

    #[test]
    fn forwarded_names_its_hops() {
        let value = "for=192.0.2.43;proto=https, FOR=\"[2001:db8::1]:80\" ; by=203.0.113.43, proto=http";
        assert_eq!(forwarded(value).collect::<Vec<_>>(), ["192.0.2.43", "\"[2001:db8::1]:80\" ", ""]);
    }
}
