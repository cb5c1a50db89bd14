//! Addresses: which of them count as one client, and what proxies say.

use http::{HeaderName, request::Parts};
use std::net::{IpAddr, Ipv6Addr, SocketAddr};

/// The addresses that count as one: an IPv4 address, or the /64 of an IPv6 address, all of which one subscriber owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Network(IpAddr);

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Self {
        Network(match address.to_canonical() {
            IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (!0 << 64))),
            address => address,
        })
    }
}

/// The network that an address counts for.
pub(crate) fn network(address: IpAddr) -> IpAddr {
    Network::from(address).0
}

/// The address of a client behind `proxies` proxies of yours, from the header `X-Forwarded-For`: for
/// [`Builder::client_address`](crate::Builder::client_address).
///
/// Each proxy appends the address that it was called from, so with one proxy it is the last one, with two the last but one.
/// What stands in front of that was written by the client and is not looked at. `None` if there are fewer addresses.
///
/// Anybody who reaches the server without passing the proxies can claim any address: its port must be closed to others.
///
/// ```
/// use socketio::{SocketIo, engine::forwarded_for};
///
/// let io = SocketIo::builder().client_address(forwarded_for(1)).max_connections_per_address(20).build();
/// ```
///
/// # Panics
/// `proxies` is 0: then there is nobody to trust.
pub fn forwarded_for(proxies: usize) -> impl Fn(&Parts) -> Option<IpAddr> + Send + Sync + 'static {
    assert!(proxies > 0, "`forwarded_for(0)` trusts what the client itself has written");
    move |parts| {
        // Several headers of one name are one list.
        let lines = parts.headers.get_all(FORWARDED_FOR).iter().rev();
        let addresses = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','));
        parse(std::str::from_utf8(addresses.into_iter().nth(proxies - 1)?).ok()?.trim())
    }
}

const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");

/// Some proxies write the port too.
fn parse(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    bare.parse().ok().or_else(|| text.parse().ok().map(|address: SocketAddr| address.ip()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_subscriber_is_one_network() {
        let network = |text: &str| Network::from(text.parse::<IpAddr>().unwrap());
        assert_eq!(network("2001:db8:1:2::1"), network("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"), "the same client on a socket of both families");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        let parts = |lines: &[&str]| {
            let mut request = http::Request::get("/");
            for line in lines {
                request = request.header("x-forwarded-for", *line);
            }
            request.body(()).unwrap().into_parts().0
        };
        let found = |proxies: usize, lines: &[&str]| forwarded_for(proxies)(&parts(lines)).map(|address| address.to_string());
        for (proxies, lines, expected) in [
            (1, &["192.0.2.1"][..], Some("192.0.2.1")),
            (1, &["203.0.113.9, 192.0.2.1"], Some("192.0.2.1")),
            (2, &["203.0.113.9, 192.0.2.1,10.0.0.1"], Some("192.0.2.1")),
            (2, &["203.0.113.9", "192.0.2.1", "10.0.0.1"], Some("192.0.2.1")),
            (1, &["192.0.2.1:4711"], Some("192.0.2.1")),
            (1, &["[2001:db8::1]:4711"], Some("2001:db8::1")),
            (1, &["[2001:db8::1]"], Some("2001:db8::1")),
            (1, &["2001:db8::1"], Some("2001:db8::1")),
            (2, &["192.0.2.1"], None),
            (1, &["192.0.2.1, unknown"], None),
            (1, &[], None),
        ] {
            assert_eq!(found(proxies, lines).as_deref(), expected, "{proxies} {lines:?}");
        }
    }
}
