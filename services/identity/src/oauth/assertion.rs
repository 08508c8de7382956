//! Client authentication by a signed assertion (RFC 7523 section 3): what it must say, and that it is good once.

use aws_lc_rs::digest;
use bz_auth::client_assertion::{Assertion, ClientKeys};
use bz_kernel::TenantId;
use bz_tenant::{DbError, SystemTx, TenantScope, TenantTx};
use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use sqlx::{query, query_scalar};
use uuid::Uuid;

use super::error::TokenError;
use crate::app::AppState;

/// What `client_assertion_type` must be (RFC 7523 section 2.2).
pub(super) const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// How far the clocks of client and provider may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(30);
/// The longest that an assertion may be good for: its id is remembered as long.
const LONGEST: TimeDelta = TimeDelta::hours(1);
/// The longest id of an assertion, in bytes.
const MOST_ID_BYTES: usize = 255;

/// Whose assertion it should be.
pub(super) struct Signer<'a> {
    pub(super) tenant: TenantId,
    /// The id of its row.
    pub(super) id: Uuid,
    /// What it calls itself.
    pub(super) client_id: &'a str,
    /// Its public keys.
    pub(super) keys: &'a Value,
}

/// Accepts an assertion, once.
///
/// # Errors
/// `invalid_client` for all that is wrong with it.
pub(super) async fn accept(
    app: &AppState,
    signer: &Signer<'_>,
    assertion: &str,
) -> Result<(), TokenError> {
    let keys = ClientKeys::read(signer.keys).map_err(|_| TokenError::ServerError)?;
    let opened = keys.open(assertion).ok_or(TokenError::InvalidClient)?;
    let now = app.core.sources.now();
    let ends = end(&opened, now).ok_or(TokenError::InvalidClient)?;
    let is_of_client = opened.iss == signer.client_id && opened.sub == signer.client_id;
    if !is_of_client || !is_for_us(&opened, &app.core.issuer) {
        return Err(TokenError::InvalidClient);
    }
    let hash = digest::digest(&digest::SHA256, opened.jti.as_bytes());
    let scope = TenantScope::new(signer.tenant, None);
    let remember = async |tx: &mut TenantTx| remember(tx, signer.id, hash.as_ref(), ends).await;
    let db = &app.core.db;
    let is_new = db
        .run::<_, DbError>("identity.client_assertions.use", &scope, remember)
        .await?;
    is_new.then_some(()).ok_or(TokenError::InvalidClient)
}

/// The issuer, or the endpoint for tokens, whichever endpoint is asked: both name this provider and no other.
fn is_for_us(assertion: &Assertion, issuer: &str) -> bool {
    let is_us = |audience: &String| {
        audience == issuer || audience.strip_prefix(issuer) == Some("/oauth2/token")
    };
    assertion.aud.iter().any(is_us)
}

/// When it ends, if it has begun and not ended, and does not last too long.
pub(crate) fn end(assertion: &Assertion, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let at = |seconds: u64| DateTime::from_timestamp(i64::try_from(seconds).ok()?, 0);
    let has_begun = |seconds: Option<u64>| {
        seconds.is_none_or(|seconds| at(seconds).is_some_and(|at| at <= now + LEEWAY))
    };
    let ends = at(assertion.exp)?;
    let is_named = (1..=MOST_ID_BYTES).contains(&assertion.jti.len());
    let is_good = is_named
        && has_begun(assertion.iat)
        && has_begun(assertion.nbf)
        && now < ends + LEEWAY
        && ends <= now + LONGEST + LEEWAY;
    is_good.then_some(ends + LEEWAY)
}

/// Notes an assertion; false when it was used before.
async fn remember(
    tx: &mut TenantTx,
    client: Uuid,
    jti_hash: &[u8],
    ends: DateTime<Utc>,
) -> Result<bool, DbError> {
    let done = query(
        "-- identity.client_assertions.insert\n\
         INSERT INTO identity.client_assertions (client_id, jti_hash, expires_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
    )
    .bind(client)
    .bind(jti_hash)
    .bind(ends)
    .execute(tx.conn())
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Deletes a batch of the assertions of all tenants that ended before an instant; answers how many.
pub(crate) async fn purge(
    tx: &mut SystemTx,
    before: DateTime<Utc>,
    batch: i32,
) -> Result<i64, DbError> {
    let deleted = query_scalar(
        "-- identity.client_assertions.purge\nSELECT identity.purge_client_assertions($1, $2)",
    )
    .bind(before)
    .bind(batch)
    .fetch_one(tx.conn())
    .await?;
    Ok(deleted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assertion_is_for_this_provider_and_for_a_short_time() {
        let now = DateTime::from_timestamp(1_000_000, 0).unwrap();
        let good = Assertion {
            iss: "c".into(),
            sub: "c".into(),
            aud: vec!["https://i".into()],
            exp: 1_000_060,
            iat: Some(1_000_000),
            nbf: None,
            jti: "j".into(),
        };
        assert!(end(&good, now).is_some());
        let with = |exp, iat, nbf, jti: &str| Assertion {
            exp,
            iat,
            nbf,
            jti: jti.into(),
            ..good.clone()
        };
        for fine in [
            with(999_971, None, None, "j"),
            with(1_003_630, Some(1_000_030), Some(1_000_030), "j"),
        ] {
            assert!(end(&fine, now).is_some(), "{fine:?}");
        }
        for bad in [
            with(999_970, None, None, "j"),
            with(1_003_631, None, None, "j"),
            with(u64::MAX, None, None, "j"),
            with(1_000_060, Some(1_000_031), None, "j"),
            with(1_000_060, None, Some(u64::MAX), "j"),
            with(1_000_060, None, None, ""),
            with(1_000_060, None, None, &"j".repeat(256)),
        ] {
            assert!(end(&bad, now).is_none(), "{bad:?}");
        }
        let to = |aud: &str| Assertion {
            aud: vec!["x".into(), aud.into()],
            ..good.clone()
        };
        for (aud, expected) in [
            ("https://i", true),
            ("https://i/oauth2/token", true),
            ("https://i/", false),
            ("https://i/oauth2/token/", false),
            ("https://other/oauth2/token", false),
        ] {
            assert_eq!(is_for_us(&to(aud), "https://i"), expected, "{aud}");
        }
    }
}
