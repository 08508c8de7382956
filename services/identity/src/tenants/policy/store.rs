//! SQL of policies. Row-level security shows everybody their own tenant's.

use bz_kernel::SessionId;
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

/// Shortens a session that was just stored to what the policy allows. Answers when its first refresh token ends, if it was
/// shortened.
pub(crate) async fn limit_session(
    tx: &mut TenantTx,
    session: SessionId,
    at: DateTime<Utc>,
) -> Result<Option<DateTime<Utc>>, DbError> {
    Ok(query_scalar(
        "-- identity.policy.limit_session\n\
         WITH session AS ( \
           UPDATE identity.sessions s \
           SET expires_at = least(s.expires_at, $2 + make_interval(hours => (t.policy->>'session_hours')::int)), \
               refresh_lifetime = least(s.refresh_lifetime, (t.policy->>'session_idle_hours')::int * 3600) \
           FROM identity.tenants t \
           WHERE s.id = $1 AND coalesce(t.policy->>'session_hours', t.policy->>'session_idle_hours') IS NOT NULL \
           RETURNING s.id, s.expires_at, s.refresh_lifetime) \
         UPDATE identity.refresh_tokens r \
         SET expires_at = least(r.expires_at, session.expires_at, $2 + make_interval(secs => session.refresh_lifetime)) \
         FROM session WHERE r.session_id = session.id RETURNING r.expires_at",
    )
    .bind(session.as_uuid())
    .bind(at)
    .fetch_optional(tx.conn())
    .await?)
}
