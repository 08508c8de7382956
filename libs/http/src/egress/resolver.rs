//! Resolving a name once, and refusing it when one of its addresses may not be called.

use std::{
    io,
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::Arc,
};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::policy::EgressPolicy;

/// A lookup in progress.
pub type Looking = Pin<Box<dyn Future<Output = io::Result<Vec<IpAddr>>> + Send>>;

/// Looks names up.
pub trait Lookup: Send + Sync + 'static {
    /// The addresses of a name.
    fn lookup(&self, name: &str) -> Looking;
}

/// The machine's own resolver.
#[derive(Debug, Clone, Copy)]
pub struct SystemLookup;

impl Lookup for SystemLookup {
    fn lookup(&self, name: &str) -> Looking {
        let name = name.to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(found.map(|address| address.ip()).collect())
        })
    }
}

/// A name has an address that may not be called. Says nothing about which.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the host has an address that must not be called")]
pub(super) struct RefusedAddress;

/// Hands the HTTP client only addresses that were checked. It connects to exactly these, so that a name that is answered
/// otherwise a moment later ("DNS rebinding") gains nothing.
pub(super) struct Guard {
    pub(super) policy: EgressPolicy,
    pub(super) lookup: Arc<dyn Lookup>,
}

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        let (policy, looking) = (self.policy.clone(), self.lookup.lookup(&name));
        Box::pin(async move {
            let found = looking.await?;
            // With a proxy only its own name is resolved here, which the operator gave.
            let checked = policy.proxy().is_none();
            if checked && !found.iter().all(|address| policy.permits(&name, *address)) {
                return Err(RefusedAddress.into());
            }
            let found = found.into_iter().map(|address| SocketAddr::new(address, 0));
            Ok(Box::new(found) as Addrs)
        })
    }
}
