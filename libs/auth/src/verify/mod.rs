//! Verification of access tokens, the same in every service.

pub(crate) mod cache;
mod key_set;
mod key_store;
mod token;

use std::{net::IpAddr, sync::Arc};

use bz_kernel::Clock;
use jsonwebtoken::jwk::JwkSet;
use url::Url;

use self::{cache::TokenCache, key_set::KeySet, key_store::KeyStore};
use crate::api_key::{self, ApiKeys, Exchange};
use crate::claims::seconds;
use crate::{AUDIENCE, Claims, Revocations};

/// How far the clocks of two machines may be apart, in seconds. The usual minute is much for a token of ten.
const LEEWAY_SECONDS: u64 = 30;
/// The longest token that is looked at; ours have about 700 bytes.
const MAX_TOKEN_BYTES: usize = 8 * 1024;

/// Why a token was not accepted. The reason is for the log; a client learns only that the token is invalid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token was sent.
    #[error("no bearer token")]
    Missing,
    /// The token is not one of ours, or was tampered with.
    #[error("invalid token: {0}")]
    Invalid(&'static str),
    /// The token has ended.
    #[error("the token has expired")]
    Expired,
    /// The token, or whom it speaks for, was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The keys of identity are neither here nor to be had. The token may be good.
    #[error("the signing keys of identity cannot be had")]
    KeysUnavailable,
}

/// Verifies access tokens with the public keys of identity. Cheap to clone.
///
/// Keys are asked for when they are first needed, again after ten minutes, and when a token names a key that is not
/// known, but then at most once in 30 seconds. While identity is down the old keys serve for another hour.
#[derive(Clone)]
pub struct Verifier(Arc<Inner>);

struct Inner {
    issuer: String,
    audience: String,
    clock: Clock,
    keys: KeyStore,
    verified: Arc<TokenCache>,
    revoked: Revocations,
    api_keys: ApiKeys,
}

impl Verifier {
    /// A verifier that gets its keys from `jwks_url` with `client`.
    #[must_use]
    pub fn remote(jwks_url: Url, issuer: String, clock: Clock, client: reqwest::Client) -> Self {
        let verified = Arc::default();
        let keys = KeyStore::remote(jwks_url, client, clock.clone(), Arc::clone(&verified));
        Self(Arc::new(Inner {
            issuer,
            audience: AUDIENCE.to_owned(),
            clock,
            keys,
            verified,
            revoked: Revocations::default(),
            api_keys: ApiKeys::default(),
        }))
    }

    /// A verifier that knows the keys that it is given by [`Verifier::install`] and no others: identity's own.
    #[must_use]
    pub fn local(issuer: String, clock: Clock) -> Self {
        Self::local_for(AUDIENCE.to_owned(), issuer, clock)
    }

    /// The same for tokens of another audience than the platform's APIs: those for identity's own OpenID endpoints.
    #[must_use]
    pub fn local_for(audience: String, issuer: String, clock: Clock) -> Self {
        let verified = Arc::default();
        let keys = KeyStore::local(clock.clone(), Arc::clone(&verified));
        Self(Arc::new(Inner {
            issuer,
            audience,
            clock,
            keys,
            verified,
            revoked: Revocations::default(),
            api_keys: ApiKeys::default(),
        }))
    }

    /// Takes `jwks` as the keys from now on. Tokens that were verified are forgotten when a key is gone.
    pub fn install(&self, jwks: &JwkSet) {
        self.0.keys.install(KeySet::of(jwks));
    }

    /// Verifies a token: algorithm, type, signature, issuer, audience, times, and that it was not revoked.
    ///
    /// # Errors
    /// [`AuthError`]; all but [`AuthError::KeysUnavailable`] are the client's fault.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid("too long"));
        }
        let now = seconds(self.0.clock.now());
        let digest = cache::digest(token);
        if let Some(claims) = self.0.verified.get(&digest) {
            return if now < claims.exp.saturating_add(LEEWAY_SECONDS) {
                self.unless_revoked(claims)
            } else {
                Err(AuthError::Expired)
            };
        }
        let epoch = self.0.verified.epoch();
        let claims = Arc::new(self.open(token).await?);
        token::check_times(&claims, now)?;
        self.0.verified.put(digest, Arc::clone(&claims), epoch);
        self.unless_revoked(claims)
    }

    /// Whose token it is or was: it may have expired or been revoked. For ending a session, and for nothing else.
    ///
    /// # Errors
    /// [`AuthError`] for a token that identity did not sign.
    pub async fn verify_past(&self, token: &str) -> Result<Arc<Claims>, AuthError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid("too long"));
        }
        self.open(token).await.map(Arc::new)
    }

    /// The revocations that [`Verifier::verify`] looks at. Whoever follows identity's feed puts them in.
    #[must_use]
    pub fn revocations(&self) -> &Revocations {
        &self.0.revoked
    }

    /// Accepts API keys from now on; `exchange` says what one is good for.
    pub fn accept_api_keys(&self, exchange: Exchange) {
        self.0.api_keys.install(exchange);
    }

    /// Verifies a token, or an API key that a client at `ip` sends.
    ///
    /// # Errors
    /// As [`Verifier::verify`].
    pub async fn verify_from(
        &self,
        token: &str,
        ip: Option<IpAddr>,
    ) -> Result<Arc<Claims>, AuthError> {
        if !token.starts_with(api_key::PREFIX) {
            return self.verify(token).await;
        }
        if token.len() > MAX_TOKEN_BYTES {
            return Err(AuthError::Invalid("too long"));
        }
        let (now, digest) = (seconds(self.0.clock.now()), cache::digest(token));
        let keys = &self.0.api_keys;
        let grant = keys.grant(token, digest, now, &self.0.revoked).await?;
        if grant.admits(ip) {
            Ok(Arc::new(grant.claims.clone()))
        } else {
            Err(AuthError::Invalid("the API key is not for this address"))
        }
    }

    async fn open(&self, token: &str) -> Result<Claims, AuthError> {
        let kid = token::check_header(token)?;
        let key = self.0.keys.find(&kid).await?;
        token::open(token, &key, &self.0.issuer, &self.0.audience)
    }

    /// Asked every time, and not once when the token is first seen.
    fn unless_revoked(&self, claims: Arc<Claims>) -> Result<Arc<Claims>, AuthError> {
        if self.0.revoked.refuse(&claims) {
            Err(AuthError::Revoked)
        } else {
            Ok(claims)
        }
    }
}
