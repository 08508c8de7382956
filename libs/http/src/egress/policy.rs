//! What a tenant's address may look like, and what the operator allows beyond the public internet.

use std::{fmt, net::IpAddr};

use ipnet::IpNet;
use url::{Host, Url};

use super::address::not_public;
use crate::network;

/// The longest address, in bytes.
const MOST_BYTES: usize = 2048;

/// Where requests to addresses that tenants give may go. The default is the public internet over https.
#[derive(Clone, Default)]
pub struct EgressPolicy {
    hosts: Vec<String>,
    nets: Vec<IpNet>,
    proxy: Option<Url>,
}

/// Without the proxy, whose address may have a password.
impl fmt::Debug for EgressPolicy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EgressPolicy")
            .field("hosts", &self.hosts)
            .field("nets", &self.nets)
            .finish_non_exhaustive()
    }
}

/// Why an address cannot be one to send to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct RefusedUrl {
    /// What is wrong, for programs.
    pub code: &'static str,
    /// What is wrong and what to send instead.
    pub message: &'static str,
}

const fn refused(code: &'static str, message: &'static str) -> RefusedUrl {
    RefusedUrl { code, message }
}

const NOT_ALLOWED: RefusedUrl = refused(
    "address_not_allowed",
    "must be a host of the public internet",
);

impl EgressPolicy {
    /// Allows hosts and networks beyond the public internet: `hooks.internal`, `10.1.2.3`, `10.1.0.0/16`. A host that is
    /// named may have any address, and http will do for it; so will it for an address in a network.
    ///
    /// # Errors
    /// The item that is neither.
    pub fn allow<S: AsRef<str>>(
        mut self,
        items: impl IntoIterator<Item = S>,
    ) -> Result<Self, String> {
        for item in items {
            let item = item.as_ref().trim();
            match (network(item), Host::parse(item)) {
                (Some(net), _) => self.nets.push(net),
                (None, Ok(Host::Domain(host))) if !item.contains('/') => {
                    self.hosts.push(plain(&host));
                }
                _ => {
                    return Err(format!(
                        "{item:?} is neither a host nor a network such as 10.0.0.0/8"
                    ));
                }
            }
        }
        Ok(self)
    }

    /// Sends everything through a proxy (`http://proxy:3128`), which then has to choose where to go: names are resolved
    /// there.
    #[must_use]
    pub fn through(mut self, proxy: Option<Url>) -> Self {
        self.proxy = proxy;
        self
    }

    pub(super) const fn proxy(&self) -> Option<&Url> {
        self.proxy.as_ref()
    }

    /// Reads an address that a tenant gave. Odd forms of IP addresses (decimal, octal, hex, short) are read as browsers
    /// and HTTP clients read them, so that what is checked is what would be called. Names are not resolved here; that
    /// happens when something is sent.
    ///
    /// # Errors
    /// [`RefusedUrl`].
    pub fn check(&self, text: &str) -> Result<Url, RefusedUrl> {
        let not_a_url = refused(
            "invalid_url",
            "must be an address such as https://example.com/hook",
        );
        if text.len() > MOST_BYTES {
            return Err(refused("too_long", "must have at most 2048 bytes"));
        }
        let url = Url::parse(text).map_err(|_| not_a_url)?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(refused("https_required", "must begin with https://"));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(refused(
                "credentials_in_url",
                "must not contain a user or a password",
            ));
        }
        if url.fragment().is_some() {
            return Err(refused(
                "fragment_in_url",
                "must not contain a fragment (#)",
            ));
        }
        let trusted = match url.host().ok_or(not_a_url)? {
            Host::Domain(name) => {
                let listed = self.lists(name);
                if !listed && is_local(&plain(name)) {
                    return Err(NOT_ALLOWED);
                }
                listed
            }
            Host::Ipv4(address) => self.check_literal(address.into())?,
            Host::Ipv6(address) => self.check_literal(address.into())?,
        };
        if url.scheme() == "http" && !trusted {
            return Err(refused("https_required", "must begin with https://"));
        }
        Ok(url)
    }

    /// Whether the operator allows the address; refused when it is neither that nor public.
    fn check_literal(&self, address: IpAddr) -> Result<bool, RefusedUrl> {
        let listed = self.contains(address);
        if listed || not_public(address).is_none() {
            Ok(listed)
        } else {
            Err(NOT_ALLOWED)
        }
    }

    /// Whether a name may have this address.
    pub(super) fn permits(&self, name: &str, address: IpAddr) -> bool {
        self.lists(name) || self.contains(address) || not_public(address).is_none()
    }

    fn lists(&self, name: &str) -> bool {
        let name = plain(name);
        self.hosts.contains(&name)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.nets.iter().any(|net| net.contains(&address))
    }
}

/// A name without the dot that may stand at its end.
fn plain(name: &str) -> String {
    name.trim_end_matches('.').to_ascii_lowercase()
}

/// Names that mean this machine or this network whatever a resolver says.
fn is_local(name: &str) -> bool {
    let ending = name.rsplit('.').next().unwrap_or_default();
    matches!(ending, "localhost" | "local" | "localdomain" | "internal") || !name.contains('.')
}
