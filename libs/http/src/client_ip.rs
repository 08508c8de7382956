//! Where a request comes from.

use std::net::{IpAddr, SocketAddr};
use std::str::FromStr;

use http::{HeaderMap, HeaderName, Request, header};
use ipnet::IpNet;

/// The address of the client, among a request's extensions: the peer's, or what the trusted proxies in front say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientIp(pub IpAddr);

impl ClientIp {
    /// A peer's address. One of IPv4 is written as such also on a socket that speaks both (RFC 4291 section 2.5.5.2).
    #[must_use]
    pub const fn of_peer(peer: SocketAddr) -> Self {
        Self(peer.ip().to_canonical())
    }
}

/// Whose word about the client counts. Each proxy adds the address that it was called from at the end of the header, so
/// that the header is read from right to left for as long as the one who wrote is trusted; what stands further left was
/// sent by the client, who can write anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrustedProxies {
    trust: Trust,
    header: ForwardedHeader,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
enum Trust {
    #[default]
    Nobody,
    /// Those whose address is in one of these.
    Networks(Vec<IpNet>),
    /// As many as there are in front, whatever their addresses.
    Hops(usize),
}

/// The header that the proxies write. Only this one is read: a proxy that writes one of the two passes the other on as the
/// client sent it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ForwardedHeader {
    /// `X-Forwarded-For`, which nearly every proxy writes.
    #[default]
    XForwardedFor,
    /// `Forwarded` (RFC 7239).
    Forwarded,
}

impl FromStr for ForwardedHeader {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_ascii_lowercase().as_str() {
            "x-forwarded-for" => Ok(Self::XForwardedFor),
            "forwarded" => Ok(Self::Forwarded),
            _ => Err("write x-forwarded-for or forwarded".to_owned()),
        }
    }
}

impl TrustedProxies {
    /// Reads addresses and networks (`10.0.0.0/8`), or the one number of proxies in front; nobody is trusted when empty.
    ///
    /// # Errors
    /// What is wrong, and what to write instead.
    pub fn parse(items: &[String]) -> Result<Self, String> {
        let hops = match items {
            [only] => only.parse::<usize>().ok(),
            _ => None,
        };
        let trust = match (items, hops) {
            ([], _) | (_, Some(0)) => Trust::Nobody,
            (_, Some(hops)) => Trust::Hops(hops),
            (items, None) => Trust::Networks(
                items
                    .iter()
                    .map(|item| {
                        network(item).ok_or_else(|| {
                            format!(
                                "{item:?} is neither an address nor a network such as 10.0.0.0/8"
                            )
                        })
                    })
                    .collect::<Result<_, _>>()?,
            ),
        };
        Ok(Self {
            trust,
            header: ForwardedHeader::default(),
        })
    }

    /// The same proxies, who write this header.
    #[must_use]
    pub const fn writing(mut self, header: ForwardedHeader) -> Self {
        self.header = header;
        self
    }

    /// Replaces the peer's address among the request's extensions by the client's.
    pub(crate) fn resolve<B>(&self, request: &mut Request<B>) {
        if self.trust == Trust::Nobody {
            return;
        }
        if let Some(&ClientIp(peer)) = request.extensions().get::<ClientIp>() {
            let client = self.client(peer, request.headers());
            request.extensions_mut().insert(ClientIp(client));
        }
    }

    /// The client behind the peer: the first address from the right that no trusted proxy has. Where a proxy wrote
    /// something that is no address, the client is taken to be that proxy.
    fn client(&self, peer: IpAddr, headers: &HeaderMap) -> IpAddr {
        let mut client = peer;
        for (hop, written) in self.written(headers).into_iter().rev().enumerate() {
            let trusted = match &self.trust {
                Trust::Nobody => false,
                Trust::Networks(networks) => networks.iter().any(|net| net.contains(&client)),
                Trust::Hops(hops) => hop < *hops,
            };
            let Some(next) = written.filter(|_| trusted) else {
                break;
            };
            client = next;
        }
        client
    }

    /// The addresses in the header, the nearest last; `None` for what is no address.
    fn written(&self, headers: &HeaderMap) -> Vec<Option<IpAddr>> {
        let (name, read): (HeaderName, fn(&str) -> Option<IpAddr>) = match self.header {
            ForwardedHeader::XForwardedFor => (HeaderName::from_static("x-forwarded-for"), address),
            ForwardedHeader::Forwarded => (header::FORWARDED, forwarded_for),
        };
        headers
            .get_all(name)
            .iter()
            .flat_map(|value| value.to_str().unwrap_or_default().split(','))
            .map(read)
            .collect()
    }
}

/// A network (`10.0.0.0/8`), or a single address as one.
#[must_use]
pub fn network(text: &str) -> Option<IpNet> {
    let single = || text.parse::<IpAddr>().ok().map(IpNet::from);
    text.parse().ok().or_else(single)
}

/// The address in an element of `Forwarded`: `for="[2001:db8::1]:4711";proto=https`.
fn forwarded_for(element: &str) -> Option<IpAddr> {
    element.split(';').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        name.trim()
            .eq_ignore_ascii_case("for")
            .then(|| address(value.trim().trim_matches('"')))?
    })
}

/// An address with or without a port, IPv6 with or without brackets.
fn address(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    bare.parse()
        .or_else(|_| text.parse::<SocketAddr>().map(|with_port| with_port.ip()))
        .ok()
        .map(|ip| ip.to_canonical())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn proxies(items: &[&str]) -> TrustedProxies {
        let items: Vec<_> = items.iter().map(ToString::to_string).collect();
        TrustedProxies::parse(&items).unwrap()
    }

    fn client(proxies: &TrustedProxies, peer: &str, name: &str, values: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in values {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            headers.append(name, HeaderValue::from_str(value).unwrap());
        }
        proxies.client(peer.parse().unwrap(), &headers).to_string()
    }

    #[test]
    fn the_word_of_a_stranger_does_not_count() {
        let table: [(&[&str], &str, &[&str], &str); 14] = [
            (&[], "10.0.0.1", &["9.9.9.9"], "10.0.0.1"),
            (&["0"], "10.0.0.1", &["9.9.9.9"], "10.0.0.1"),
            (&["10.0.0.0/8"], "203.0.113.7", &["9.9.9.9"], "203.0.113.7"),
            (&["10.0.0.0/8"], "10.0.0.1", &[], "10.0.0.1"),
            (&["10.0.0.0/8"], "10.0.0.1", &["203.0.113.7"], "203.0.113.7"),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &["9.9.9.9, 203.0.113.7"],
                "203.0.113.7",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &["9.9.9.9", "203.0.113.7, 10.0.0.2"],
                "203.0.113.7",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &["203.0.113.7, unknown"],
                "10.0.0.1",
            ),
            (
                &["10.0.0.0/8"],
                "10.0.0.1",
                &["10.0.0.3, 10.0.0.2"],
                "10.0.0.3",
            ),
            (
                &["1"],
                "192.0.2.1",
                &["9.9.9.9, 203.0.113.7"],
                "203.0.113.7",
            ),
            (
                &["2"],
                "192.0.2.1",
                &["9.9.9.9, 203.0.113.7, 192.0.2.2"],
                "203.0.113.7",
            ),
            (&["2"], "192.0.2.1", &["203.0.113.7"], "203.0.113.7"),
            (&["::1"], "::1", &["[2001:db8::7]:443"], "2001:db8::7"),
            (&["::1"], "::1", &["::ffff:203.0.113.7"], "203.0.113.7"),
        ];
        for (trusted, peer, values, expected) in table {
            let found = client(&proxies(trusted), peer, "x-forwarded-for", values);
            assert_eq!(found, expected, "{trusted:?} {peer} {values:?}");
        }
    }

    #[test]
    fn only_the_header_that_the_proxies_write_is_read() {
        let old = proxies(&["10.0.0.0/8"]);
        let new = old.clone().writing(ForwardedHeader::Forwarded);
        let value = "for=9.9.9.9, for=\"203.0.113.7:4711\";proto=https;by=10.0.0.1";
        assert_eq!(client(&old, "10.0.0.1", "forwarded", &[value]), "10.0.0.1");
        assert_eq!(
            client(&new, "10.0.0.1", "forwarded", &[value]),
            "203.0.113.7"
        );
        assert_eq!(
            client(&new, "10.0.0.1", "x-forwarded-for", &["9.9.9.9"]),
            "10.0.0.1"
        );
        let hidden = "for=203.0.113.7, for=_hidden";
        assert_eq!(client(&new, "10.0.0.1", "forwarded", &[hidden]), "10.0.0.1");
        let six = "For=\"[2001:db8::7]\"";
        assert_eq!(client(&new, "10.0.0.1", "forwarded", &[six]), "2001:db8::7");
    }

    #[test]
    fn what_names_no_proxy_is_refused() {
        for items in [&["ten"][..], &["1", "10.0.0.1"], &["10.0.0.0/33"], &["-1"]] {
            let items: Vec<_> = items.iter().map(ToString::to_string).collect();
            assert!(TrustedProxies::parse(&items).is_err(), "{items:?}");
        }
    }
}
