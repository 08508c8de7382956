//! The keys that sign access tokens and ID tokens: made once for the installation, sealed in the database, replaced while nobody
//! notices.

pub(crate) mod jwks;
mod ring;
mod rotation;
mod seal;
mod store;

use bz_auth::{IdTokenKey, Jwk, SigningKey};
use bz_kernel::PlatformSecret;
use bz_kernel::Sources;
use bz_tenant::{DbError, SystemTx};
use chrono::{DateTime, Utc};

pub(crate) use self::ring::KeyRing;

/// What a key is used for at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Published, so that every service knows it when it starts to sign.
    Next,
    /// Signs.
    Active,
    /// Signs no more; published until the last token that it signed has ended.
    Retired,
}

/// What a key signs, and with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Algorithm {
    /// Access tokens.
    EdDsa,
    /// ID tokens.
    Rs256,
}

/// A private key of either kind.
#[derive(Clone)]
pub(crate) enum PrivateKey {
    /// Signs access tokens.
    Access(Box<SigningKey>),
    /// Signs ID tokens.
    Id(IdTokenKey),
}

impl PrivateKey {
    pub(crate) const fn algorithm(&self) -> Algorithm {
        match self {
            Self::Access(_) => Algorithm::EdDsa,
            Self::Id(_) => Algorithm::Rs256,
        }
    }

    pub(crate) fn kid(&self) -> &str {
        match self {
            Self::Access(key) => key.kid(),
            Self::Id(key) => key.kid(),
        }
    }

    pub(crate) fn pkcs8(&self) -> &[u8] {
        match self {
            Self::Access(key) => key.pkcs8(),
            Self::Id(key) => key.pkcs8(),
        }
    }

    pub(crate) fn to_jwk(&self) -> Jwk {
        match self {
            Self::Access(key) => key.to_jwk(),
            Self::Id(key) => key.to_jwk(),
        }
    }
}

/// A key as it is kept.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) key: PrivateKey,
    pub(crate) state: State,
    pub(crate) created_at: DateTime<Utc>,
    pub(crate) activated_at: Option<DateTime<Utc>>,
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

/// Stores `key` as the one that signs, on an installation that has none: for restoring a key, and for tests that sign
/// tokens themselves.
///
/// # Errors
/// Any [`DbError`]; also when there is a signing key already.
pub async fn install(
    tx: &mut SystemTx,
    secret: &PlatformSecret,
    sources: &Sources,
    key: SigningKey,
) -> Result<(), DbError> {
    let at = sources.now();
    let stored = StoredKey {
        key: PrivateKey::Access(Box::new(key)),
        state: State::Active,
        created_at: at,
        activated_at: Some(at),
        expires_at: None,
    };
    store::insert(tx, &seal::Sealer::new(secret, &sources.rng), &stored).await
}
