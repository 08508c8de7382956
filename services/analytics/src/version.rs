//! The version of a tenant's data: one more with every write. It is in the key of everything that is cached, so that a
//! write makes the cached answers unreachable and nobody has to throw them away.

use bz_tenant::{DbError, TenantTx};
use sqlx::query_scalar;

/// Makes the tenant's data one version newer, in the transaction that changes facts, orders, deals or events, and answers
/// the new version. Writers of one tenant wait for each other from here on: call it when what is left is short.
///
/// # Errors
/// Any [`DbError`].
pub async fn bump(tx: &mut TenantTx) -> Result<i64, DbError> {
    Ok(query_scalar(
        "-- analytics.tenant_data.bump\n\
         INSERT INTO analytics.tenant_data AS d (version) VALUES (1) \
         ON CONFLICT (tenant_id) DO UPDATE SET version = d.version + 1 RETURNING version",
    )
    .fetch_one(tx.conn())
    .await?)
}

/// The version of the tenant's data; 0 while it has none.
///
/// # Errors
/// Any [`DbError`].
pub async fn current(tx: &mut TenantTx) -> Result<i64, DbError> {
    let found: Option<i64> =
        query_scalar("-- analytics.tenant_data.version\nSELECT version FROM analytics.tenant_data")
            .fetch_optional(tx.conn())
            .await?;
    Ok(found.unwrap_or(0))
}
