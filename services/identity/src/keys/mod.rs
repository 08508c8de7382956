//! The keys that sign access tokens: made once for the installation, sealed in the database, replaced while nobody
//! notices.

pub(crate) mod jwks;
mod ring;
mod rotation;
mod seal;
mod store;

use bz_auth::SigningKey;
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

/// A key as it is kept.
#[derive(Clone)]
pub(crate) struct StoredKey {
    pub(crate) key: SigningKey,
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
        key,
        state: State::Active,
        created_at: at,
        activated_at: Some(at),
        expires_at: None,
    };
    store::insert(tx, &seal::Sealer::new(secret, &sources.rng), &stored).await
}
