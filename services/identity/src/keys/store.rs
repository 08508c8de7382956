//! SQL of the signing keys, which belong to no tenant.

use std::str::FromStr;

use bz_tenant::{DbError, SystemTx};
use chrono::{DateTime, Utc};
use sqlx::{FromRow, query, query_as};

use super::{Algorithm, State, StoredKey, seal::Sealer};

/// The advisory lock under which keys are made and change their state: replicas that start at once make one key.
const LOCK: i64 = 0x0062_7a6b_6579;

impl State {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Next => "next",
            Self::Active => "active",
            Self::Retired => "retired",
        }
    }
}

impl FromStr for State {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::Next, Self::Active, Self::Retired]
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownState)
    }
}

impl Algorithm {
    const fn as_str(self) -> &'static str {
        match self {
            Self::EdDsa => "EdDSA",
            Self::Rs256 => "RS256",
        }
    }
}

impl FromStr for Algorithm {
    type Err = UnknownState;

    fn from_str(text: &str) -> Result<Self, UnknownState> {
        [Self::EdDsa, Self::Rs256]
            .into_iter()
            .find(|algorithm| algorithm.as_str() == text)
            .ok_or(UnknownState)
    }
}

/// A later release knows more states and algorithms than this one.
#[derive(Debug, thiserror::Error)]
#[error("a signing key is of a kind that this release does not know")]
pub(crate) struct UnknownState;

#[derive(FromRow)]
struct KeyRow {
    kid: String,
    algorithm: String,
    sealed_private: Vec<u8>,
    state: String,
    created_at: DateTime<Utc>,
    activated_at: Option<DateTime<Utc>>,
    expires_at: Option<DateTime<Utc>>,
}

/// Waits for the lock on all keys, until the end of the transaction.
pub(super) async fn lock(tx: &mut SystemTx) -> Result<(), DbError> {
    query("-- identity.signing_keys.lock\nSELECT pg_advisory_xact_lock($1)")
        .bind(LOCK)
        .execute(tx.conn())
        .await?;
    Ok(())
}

/// All keys, opened.
pub(super) async fn list(tx: &mut SystemTx, sealer: &Sealer) -> anyhow::Result<Vec<StoredKey>> {
    let rows: Vec<KeyRow> = query_as(
        "-- identity.signing_keys.list\n\
         SELECT kid, algorithm, sealed_private, state, created_at, activated_at, expires_at \
         FROM identity.signing_keys ORDER BY created_at, kid",
    )
    .fetch_all(tx.conn())
    .await
    .map_err(DbError::from)?;
    let open = |row: KeyRow| {
        Ok(StoredKey {
            key: sealer.open(row.algorithm.parse()?, &row.kid, &row.sealed_private)?,
            state: row.state.parse()?,
            created_at: row.created_at,
            activated_at: row.activated_at,
            expires_at: row.expires_at,
        })
    };
    rows.into_iter().map(open).collect()
}

/// Stores a key, sealed.
pub(super) async fn insert(
    tx: &mut SystemTx,
    sealer: &Sealer,
    key: &StoredKey,
) -> Result<(), DbError> {
    query(
        "-- identity.signing_keys.insert\n\
         INSERT INTO identity.signing_keys (kid, algorithm, sealed_private, state, created_at, activated_at) \
         VALUES ($1, $6, $2, $3, $4, $5)",
    )
    .bind(key.key.kid())
    .bind(sealer.seal(&key.key))
    .bind(key.state.as_str())
    .bind(key.created_at)
    .bind(key.activated_at)
    .bind(key.key.algorithm().as_str())
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a key sign from now on.
pub(super) async fn activate(
    tx: &mut SystemTx,
    kid: &str,
    at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.signing_keys.activate\n\
         UPDATE identity.signing_keys SET state = 'active', activated_at = $2 WHERE kid = $1",
    )
    .bind(kid)
    .bind(at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Lets a key sign no more; it is published until `expires_at`.
pub(super) async fn retire(
    tx: &mut SystemTx,
    kid: &str,
    at: DateTime<Utc>,
    expires_at: DateTime<Utc>,
) -> Result<(), DbError> {
    query(
        "-- identity.signing_keys.retire\n\
         UPDATE identity.signing_keys SET state = 'retired', retired_at = $2, expires_at = $3 WHERE kid = $1",
    )
    .bind(kid)
    .bind(at)
    .bind(expires_at)
    .execute(tx.conn())
    .await?;
    Ok(())
}

/// Deletes a key that nobody needs any more.
pub(super) async fn delete(tx: &mut SystemTx, kid: &str) -> Result<(), DbError> {
    query("-- identity.signing_keys.delete\nDELETE FROM identity.signing_keys WHERE kid = $1")
        .bind(kid)
        .execute(tx.conn())
        .await?;
    Ok(())
}
