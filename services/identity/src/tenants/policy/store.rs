//! SQL of policies. Row-level security shows everybody their own tenant's.

use bz_tenant::{DbError, TenantTx};
use chrono::{DateTime, Utc};
use sqlx::{query_as, query_scalar, types::Json};

use super::Policy;

/// The policy and the version of its tenant.
pub(crate) async fn find(tx: &mut TenantTx) -> Result<Option<(Policy, i64)>, DbError> {
    let row: Option<(Json<Policy>, i64)> =
        query_as("-- identity.policy.find\nSELECT policy, version FROM identity.tenants")
            .fetch_optional(tx.conn())
            .await?;
    Ok(row.map(|(Json(policy), version)| (policy, version)))
}

/// Puts a policy in the place of the present one; answers the tenant's version.
pub(crate) async fn replace(
    tx: &mut TenantTx,
    policy: &Policy,
    at: DateTime<Utc>,
) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- identity.policy.replace\n\
         UPDATE identity.tenants SET policy = $1, updated_at = $2, version = version + 1 RETURNING version",
    )
    .bind(Json(policy))
    .bind(at)
    .fetch_one(tx.conn())
    .await?)
}
