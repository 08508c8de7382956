//! API keys: opaque credentials that identity exchanges for claims. What it answered is kept for half a minute, and
//! forgotten at once when the key or its owner is revoked.

use std::{
    collections::HashMap,
    future::Future,
    net::IpAddr,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock, PoisonError},
};

use bz_kernel::SecretString;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};

use crate::{AuthError, Claims, Revocations, verify::cache::Digest};

/// What every API key begins with, and no token.
pub const PREFIX: &str = "ak_";
/// How long an exchanged key is good without asking again, in seconds.
pub const GRANT_SECONDS: i64 = 30;
/// The most keys that are remembered.
const MOST: usize = 5_000;

/// What an API key is good for: the answer of `POST /internal/api-keys/verify`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyGrant {
    /// The claims of its owner, with the key's scopes in place of the roles.
    pub claims: Claims,
    /// Where it may be used from; anywhere when empty.
    pub ip_allow: Vec<IpNet>,
}

impl KeyGrant {
    /// Whether a client at this address may use the key. An address that is not known is none of a list.
    #[must_use]
    pub fn admits(&self, ip: Option<IpAddr>) -> bool {
        // An IPv4 client of a socket for both is meant by its IPv4 address.
        let ip = ip.map(|ip| ip.to_canonical());
        self.ip_allow.is_empty()
            || ip.is_some_and(|ip| self.ip_allow.iter().any(|net| net.contains(&ip)))
    }
}

/// The answer of an [`Exchange`], when it comes.
pub type Exchanged = Pin<Box<dyn Future<Output = Result<KeyGrant, AuthError>> + Send>>;
/// Asks identity what a key is good for.
pub type Exchange = Arc<dyn Fn(SecretString) -> Exchanged + Send + Sync>;

/// The keys that were exchanged a moment ago.
#[derive(Default)]
pub(crate) struct ApiKeys {
    exchange: OnceLock<Exchange>,
    known: Mutex<HashMap<Digest, Arc<KeyGrant>>>,
}

impl ApiKeys {
    /// Sets who is asked; only the first one counts.
    pub(crate) fn install(&self, exchange: Exchange) {
        let _ = self.exchange.set(exchange);
    }

    /// What the key is good for now, in seconds since 1970.
    pub(crate) async fn grant(
        &self,
        key: &str,
        digest: Digest,
        now: u64,
        revoked: &Revocations,
    ) -> Result<Arc<KeyGrant>, AuthError> {
        if let Some(grant) = self.known().get(&digest)
            && now < grant.claims.exp
            && !revoked.refuse(&grant.claims)
        {
            return Ok(Arc::clone(grant));
        }
        let exchange = self
            .exchange
            .get()
            .ok_or(AuthError::Invalid("API keys are not accepted here"))?;
        let grant = Arc::new(exchange(SecretString::from(key)).await?);
        let mut known = self.known();
        if known.len() >= MOST {
            known.retain(|_, grant| now < grant.claims.exp);
        }
        if known.len() < MOST {
            known.insert(digest, Arc::clone(&grant));
        }
        Ok(grant)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, HashMap<Digest, Arc<KeyGrant>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_with_a_list_of_addresses_is_good_there_only() {
        let now = chrono::DateTime::from_timestamp(0, 0).unwrap();
        let claims = Claims::of_service(
            "i",
            "c",
            "",
            uuid::Uuid::nil(),
            now,
            chrono::TimeDelta::zero(),
        );
        let grant = |list: &[&str]| KeyGrant {
            claims: claims.clone(),
            ip_allow: list.iter().map(|net| net.parse().unwrap()).collect(),
        };
        let ip = |text: &str| Some(text.parse().unwrap());
        assert!(grant(&[]).admits(None) && grant(&[]).admits(ip("192.0.2.1")));
        let office = grant(&["192.0.2.0/24", "2001:db8::/32"]);
        for inside in ["192.0.2.7", "::ffff:192.0.2.7", "2001:db8::1"] {
            assert!(office.admits(ip(inside)), "{inside}");
        }
        for outside in ["192.0.3.7", "::ffff:198.51.100.1", "2001:db9::1", "::1"] {
            assert!(!office.admits(ip(outside)), "{outside}");
        }
        assert!(!office.admits(None));
    }
}
