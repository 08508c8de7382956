//! Which addresses belong to the public internet.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

macro_rules! nets {
    ($net:ident, $ip:ident: $($address:literal / $length:literal, $what:literal;)+) => {
        [$(($net::new_assert($ip::from_bits($address), $length), $what)),+]
    };
}

/// IPv4 that is not the public internet (IANA's special-purpose registry, RFC 6890), and what clouds serve their
/// instances from.
const V4: [(Ipv4Net, &str); 19] = nets! { Ipv4Net, Ipv4Addr:
    0x0000_0000 / 8, "this network";
    0x0a00_0000 / 8, "private";
    0x6440_0000 / 10, "carrier-grade NAT";
    0x7f00_0000 / 8, "loopback";
    0xa83f_8110 / 32, "cloud metadata";
    0xa9fe_0000 / 16, "link-local";
    0xac10_0000 / 12, "private";
    0xc000_0000 / 24, "protocol assignments";
    0xc000_0200 / 24, "documentation";
    0xc01f_c400 / 24, "AS112";
    0xc034_c100 / 24, "AMT";
    0xc058_6300 / 24, "6to4 relay";
    0xc0a8_0000 / 16, "private";
    0xc0af_3000 / 24, "AS112";
    0xc612_0000 / 15, "benchmarks";
    0xc633_6400 / 24, "documentation";
    0xcb00_7100 / 24, "documentation";
    0xe000_0000 / 4, "multicast";
    0xf000_0000 / 4, "reserved";
};

/// The only IPv6 that is the public internet.
const GLOBAL_V6: Ipv6Net = Ipv6Net::new_assert(Ipv6Addr::from_bits(0x2000 << 112), 3);

/// What is not, inside of it. Everything outside is refused as a whole: loopback, unique local, link-local, site-local,
/// multicast, IPv4 in its mapped and compatible forms, NAT64 with the well-known and the local prefix.
const V6: [(Ipv6Net, &str); 5] = nets! { Ipv6Net, Ipv6Addr:
    0x2001_0000_0000_0000_0000_0000_0000_0000 / 23, "protocol assignments, Teredo";
    0x2001_0db8_0000_0000_0000_0000_0000_0000 / 32, "documentation";
    0x2002_0000_0000_0000_0000_0000_0000_0000 / 16, "6to4";
    0x2620_004f_8000_0000_0000_0000_0000_0000 / 48, "AS112";
    0x3fff_0000_0000_0000_0000_0000_0000_0000 / 20, "documentation";
};

/// Why an address is none of the public internet; `None` when it is.
#[must_use]
pub fn not_public(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => V4
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, what)| *what),
        IpAddr::V6(address) if !GLOBAL_V6.contains(&address) => Some("not global unicast"),
        IpAddr::V6(address) => V6
            .iter()
            .find(|(net, _)| net.contains(&address))
            .map(|(_, what)| *what),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pitfall 56: every kind of address that is not the public internet.
    #[test]
    fn only_the_public_internet_is_public() {
        let refused = [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "10.255.255.255",
            "100.64.0.1",
            "100.100.100.200",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "168.63.129.16",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.31.196.1",
            "192.52.193.1",
            "192.88.99.1",
            "192.168.0.1",
            "192.175.48.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::7f00:1",
            "64:ff9b::808:808",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "2002:808:808::1",
            "2620:4f:8000::1",
            "3fff::1",
            "4000::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ];
        for text in refused {
            assert!(not_public(text.parse().unwrap()).is_some(), "{text}");
        }
        let public = [
            "1.1.1.1",
            "8.8.8.8",
            "9.255.255.255",
            "11.0.0.0",
            "100.63.255.255",
            "100.128.0.0",
            "126.255.255.255",
            "128.0.0.0",
            "168.63.129.17",
            "172.15.255.255",
            "172.32.0.0",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.0",
            "223.255.255.255",
            "2001:200::1",
            "2001:4860:4860::8888",
            "2606:4700::1111",
            "2a00:1450::1",
        ];
        for text in public {
            assert_eq!(not_public(text.parse().unwrap()), None, "{text}");
        }
    }
}
